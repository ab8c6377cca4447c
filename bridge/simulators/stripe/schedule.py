"""What will happen by itself: a hold that runs out, a refund that fails later, a cardholder who disputes."""

import heapq
from collections.abc import Callable
from itertools import count


class Schedule:
    """Actions and when they are due, in Unix seconds. Its caller holds the lock."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()

    def add(self, due: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._entries, (due, next(self._numbers), action))

    def run(self, now: float) -> None:
        """Do what is due, in the order in which it is."""
        while self._entries and self._entries[0][0] <= now:
            heapq.heappop(self._entries)[2]()

    @property
    def next_due(self) -> float | None:
        """When the next action is due, None if there is none."""
        return self._entries[0][0] if self._entries else None
