"""How often somebody may ask, guess or be declined. Counted in memory by each process, or in Redis by all of them.

Whoever has the right credentials is never refused because of what others at his address have tried: failures are
counted, and only a failure is answered with 429.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar, cast

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from bridge.domain import logs
from bridge.domain.errors import Declined
from bridge.domain.ports import Clock
from bridge.http.settings_protocol import HttpSettings
from bridge.http.wordpress.errors import RATE_LIMITED, RestError

log = logs.logger(__name__)
T = TypeVar("T")

REDIS_TIMEOUTS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
"""Seconds that Redis has for an answer: it must not hold up a payment."""
REDIS_PAUSE = 10.0
"""Seconds for which Redis is not asked after it has failed to answer."""
IPV6_PREFIX = 64
"""Bits of an IPv6 address that name a client's network: the rest is the client's own to choose."""

GUESSES = "too_many_refused"
REQUESTS = "too_many_requests"
DECLINES = "too_many_declines"
SENTENCES = {
    GUESSES: RATE_LIMITED,
    REQUESTS: "Too many requests. Try again later.",
    DECLINES: "Too many payments were declined. Try again later.",
}
"""By the reason that `data` names."""


class Limits:
    """All limits of one bridge. One that the owner has switched off admits everybody.

    While Redis is away every process counts for itself: a limit is no reason to take no payments.
    """

    def __init__(self, settings: HttpSettings, clock: Clock) -> None:
        self._address = settings.rate_limit_storage
        self._clock = clock
        self._failed = float("-inf")
        self.guesses = Limit(self, "guesses", settings.rate_limit, GUESSES)
        self.key_requests = Limit(self, "key", settings.key_limit, REQUESTS)
        self.store_requests = Limit(self, "store", settings.store_limit, REQUESTS)
        self.order_declines = Limit(self, "order declines", settings.order_decline_limit, DECLINES)
        self.address_declines = Limit(self, "address declines", settings.address_decline_limit, DECLINES)

    @cached_property
    def _shared(self) -> Storage:
        """Made when it is first asked: one in memory starts a thread, which a server that forks later must not have."""
        options = REDIS_TIMEOUTS if self._address.startswith("redis") else {}
        return cast(Storage, storage_from_string(self._address, **options))  # only `async+` addresses give another

    @cached_property
    def _own(self) -> MemoryStorage:
        return MemoryStorage()

    def ask(self, question: Callable[[Storage], T]) -> T:
        """Ask the storage that all processes share, or the one of this process."""
        if abs(self._clock() - self._failed) >= REDIS_PAUSE:
            try:
                return question(self._shared)
            except self._shared.base_exceptions as error:
                self._failed = self._clock()
                log.warning("the storage of the rate limits is unreachable, this process counts by itself: %s", error)
        return question(self._own)

    @contextmanager
    def declines(self, shop: str, address: str) -> Iterator["DeclineGuard"]:
        """Around a request that may begin a payment."""
        guard = DeclineGuard(self, shop, address)
        try:
            yield guard
        except Declined:
            guard.declined()
            raise


class Limit:
    """So many of one kind within a time, for each of whom they are counted (`who`)."""

    def __init__(self, limits: Limits, name: str, rate: str, reason: str) -> None:
        self._limits = limits
        self._name = name
        self._rates = parse_many(rate) if rate else []
        self._reason = reason
        # of requests there are so many that only their number is kept
        self._strategy = FixedWindowRateLimiter if reason == REQUESTS else MovingWindowRateLimiter

    def take(self, *who: str) -> None:
        """Count one. Raises RestError (429) if it is one too many."""
        for rate in self._rates:
            if not self._hit(rate, who):
                self._refuse(rate, who)

    def require_left(self, *who: str) -> None:
        """Raises RestError (429) if as many were counted as there may be."""
        for rate in self._rates:
            if not self._is_left(rate, who):
                self._refuse(rate, who)

    def count(self, *who: str) -> None:
        """Count one that has happened."""
        for rate in self._rates:
            self._hit(rate, who)

    def _hit(self, rate: RateLimitItem, who: tuple[str, ...]) -> bool:
        return self._ask(lambda limiter: limiter.hit(rate, self._name, *who))

    def _is_left(self, rate: RateLimitItem, who: tuple[str, ...]) -> bool:
        return self._ask(lambda limiter: limiter.test(rate, self._name, *who))

    def _refuse(self, rate: RateLimitItem, who: tuple[str, ...]) -> None:
        reset = self._ask(lambda limiter: limiter.get_window_stats(rate, self._name, *who)).reset_time
        seconds = max(1, math.ceil(reset - time.time()))  # `limits` goes by this clock
        data = {"reason": self._reason, "retryable": True, "retry_after": seconds}
        raise RestError("wcpay_rate_limited", 429, SENTENCES[self._reason], **data)

    def _ask(self, question: Callable[[RateLimiter], T]) -> T:
        return self._limits.ask(lambda storage: question(self._strategy(storage)))


class DeclineGuard:
    """Against card testing: no payment begins after too many that were declined, of one order, or of one shop from one
    address. Only what a provider was asked counts, and what is there already can still be asked for."""

    def __init__(self, limits: Limits, shop: str, address: str) -> None:
        self._limits = limits
        self._shop = shop
        self._network = network_of(address)
        self._order = ""

    def begin(self, order_id: int) -> None:
        """A payment of this order is about to begin. Raises RestError (429)."""
        self._limits.order_declines.require_left(self._shop, str(order_id))
        self._limits.address_declines.require_left(self._shop, self._network)
        self._order = str(order_id)

    def declined(self) -> None:
        """It was declined, if it began."""
        if self._order:
            self._limits.order_declines.count(self._shop, self._order)
            self._limits.address_declines.count(self._shop, self._network)


def network_of(address: str) -> str:
    """Who an address is counted as: itself, or the network of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
