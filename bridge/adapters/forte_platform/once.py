"""What this process has sent, and may not send again: Forte makes a second payment of a second request.

A request that got no answer may still be on its way when it is looked for and not found. So it is remembered for as
long as that can last; whoever comes with the same key meanwhile is told that nobody knows yet.
"""

import threading

from bridge.domain.deadlines import ON_ITS_WAY
from bridge.domain.ports import Clock


class Once:
    """Keys of requests that were sent. `timeout` is in seconds. Thread-safe."""

    def __init__(self, clock: Clock, timeout: float) -> None:
        self._clock = clock
        self._kept = timeout + ON_ITS_WAY
        self._sent: dict[str, float] = {}
        self._lock = threading.Lock()

    def begin(self, key: str) -> bool:
        """Whether nobody has sent this key lately; from now on somebody has."""
        now = self._clock()
        with self._lock:
            self._forget(now - self._kept)
            if key in self._sent:
                return False
            self._sent[key] = now
            return True

    def undo(self, key: str) -> None:
        """It was not sent after all, or it is proven that nothing was done."""
        with self._lock:
            self._sent.pop(key, None)

    def _forget(self, until: float) -> None:
        """Those that were sent until then; the oldest stands first."""
        while self._sent:
            oldest, sent_at = next(iter(self._sent.items()))
            if sent_at > until:
                return
            del self._sent[oldest]
