"""How much the long batteries do: a slice that fits into every run, or all of it with BATTERY=full."""

import os

FULL = os.environ.get("BATTERY") == "full"


def sized(slice_: int, full: int) -> int:
    return full if FULL else slice_
