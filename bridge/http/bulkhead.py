"""How many requests of one account may wait for a store or provider at a time: as many as there are threads, but for a
reserve. So others still find a thread while one provider takes seconds.

It is decided before the view. Money rule: a request that is refused here has not charged, sent or stored anything.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from bridge.domain import logs
from bridge.domain.errors import BridgeError
from bridge.http.wordpress.errors import BUSY, OVERLOADED, RestError
from bridge.services import Services

log = logs.logger(__name__)

THREADS = "wcpay_bridge.threads"
"""Where a server says in a request's environment how many threads its process has; others have no limit here."""
BUYERS = "buyers' pages"
"""What the requests of all buyers are counted as."""
RETRY_SECONDS = 5


class Bulkhead:
    """Of one process. `reserved` threads are for whoever is not among those that wait already, but never more than half
    of them all."""

    def __init__(self, reserved: int) -> None:
        self._reserved = reserved
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def counted(self, who: str) -> Iterator[None]:
        """Around what may wait. Raises RestError (503) if as many wait already as may."""
        is_counted = self.enter(who)
        try:
            yield
        finally:
            if is_counted:
                self.leave(who)

    def enter(self, who: str) -> bool:
        """Count the current request, until `leave`; whether it is counted. Raises RestError (503)."""
        threads = request.environ.get(THREADS)
        if threads is None:
            return False
        most = threads - min(self._reserved, threads // 2)
        with self._lock:
            is_full = self._waiting[who] >= most
            if not is_full:
                self._waiting[who] += 1
        if is_full:
            log.warning("a request was refused: %d requests of %s are waiting for a store or provider", most, who)
            raise RestError(OVERLOADED, 503, BUSY, reason="account_busy", retryable=True, retry_after=RETRY_SECONDS)
        return True

    def leave(self, who: str) -> None:
        with self._lock:
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who]


def account_of(services: Services, store_id: str, updated: float) -> str:
    """Whose slowness a store's requests wait for: the account's at its provider, of which several stores may be, or of
    a provider that names none the store's own."""
    try:
        adapter = services.store(store_id, updated).adapter
    except BridgeError:
        return store_id  # the view says what is wrong
    return f"{adapter.name} {adapter.account_name}" if adapter.account_name else store_id
