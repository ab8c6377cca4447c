"""Several threads that do something at the same moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


def at_once(number: int, do: Callable[[int], Answer]) -> list[Answer]:
    """What each of so many threads got, which are numbered from 0. Raises what one of them raised."""
    gate = threading.Barrier(number)

    def wait_and_do(which: int) -> Answer:
        gate.wait(20)
        return do(which)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(wait_and_do, range(number)))
