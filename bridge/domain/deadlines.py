"""How long the exchanges of one piece of work may take together.

Whoever holds a lease sets the limit; whatever talks to the outside within it, in the same thread, asks how much time is
left. The monotonic clock is read because real exchanges keep the lease, and no injected clock can end those.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HOUR, DAY = 3600.0, 24 * 3600.0
"""Seconds."""

ON_ITS_WAY = 600.0
"""Seconds after its exchange has ended in which a request may still arrive: until then, "not found" proves nothing."""
_end: ContextVar[float] = ContextVar("end of the work in hand", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Every exchange that begins in here ends within `seconds` from now, or earlier where an outer limit says so."""
    outer = _end.set(min(_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _end.reset(outer)


def left(seconds: float) -> float:
    """How many of `seconds` the current work still has. Not positive once its time is over."""
    return min(seconds, _end.get() - time.monotonic())


def is_over() -> bool:
    """Whether the current work has no time left."""
    return left(math.inf) <= 0
