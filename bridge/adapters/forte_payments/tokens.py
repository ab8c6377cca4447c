"""The access token: asked for once, whoever needs it, and again before it runs out or when Forte refuses it.

There is one per adapter, and so per host and client. It exists in memory only.
"""

import threading
import time
from collections.abc import Callable

from bridge.domain.errors import ProviderUnreachable
from bridge.domain.ports import Clock

EXPIRY_MARGIN_SECONDS = 60.0
"""Seconds before its end from which a token is no longer used; a tenth of the life of shorter ones."""


class Tokens:
    """`ask` returns a new token and its life in seconds; it is told its deadline (by the monotonic clock).

    Thread-safe: while one thread asks, the others wait for its answer.
    """

    def __init__(self, ask: Callable[[float], tuple[str, float]], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def get(self, deadline: float, refused: str = "") -> str:
        """A token that is good now, and not the one that was `refused`. Raises ProviderError, at the deadline too."""
        if not self._lock.acquire(timeout=max(deadline - time.monotonic(), 0.0)):
            raise ProviderUnreachable("Forte did not answer in time.", sent=False)
        try:
            if not self._token or self._token == refused or self._clock() >= self._until:
                token, seconds = self._ask(deadline)
                self._token, self._until = token, self._clock() + seconds - min(EXPIRY_MARGIN_SECONDS, seconds / 10)
            return self._token
        finally:
            self._lock.release()
