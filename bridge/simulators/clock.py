"""A clock that somebody can put forward, for simulators that run by themselves."""

import threading
import time
from collections.abc import Callable


class Clock:
    """Unix seconds: those of `base`, and what was added to them. Thread-safe."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._ahead = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self._base() + self._ahead

    @property
    def ahead(self) -> float:
        """Seconds by which it was put forward."""
        return self._ahead

    def advance(self, seconds: float) -> None:
        with self._lock:
            self._ahead += seconds

    def reset(self) -> None:
        """Be what `base` is again."""
        with self._lock:
            self._ahead = 0.0
