"""How often one address may present credentials that are refused, if the owner limits it (`RATE_LIMIT=20/minute`)."""

import math
import time
from collections.abc import Callable
from typing import TypeVar

from flask import Request
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from bridge.domain import logs
from bridge.http.client_address import client_address
from bridge.http.settings_protocol import HttpSettings
from bridge.http.wordpress.errors import RATE_LIMITED, RestError

log = logs.logger(__name__)
T = TypeVar("T")

REDIS_TIMEOUTS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
"""Seconds that Redis has for an answer: it must not hold up a payment."""


class FailureLimit:
    """Counts in memory, or in Redis for many machines. Without a limit it admits everybody.

    While Redis is away every process counts for itself: a limit is no reason to take no payments.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._policy = settings
        self._limits = parse_many(settings.rate_limit) if settings.rate_limit else []
        if self._limits:
            address = settings.rate_limit_storage
            options = REDIS_TIMEOUTS if address.startswith("redis") else {}
            self._storage = storage_from_string(address, **options)
            self._shared = MovingWindowRateLimiter(self._storage)
            self._own = MovingWindowRateLimiter(MemoryStorage())

    def admit(self, request: Request) -> None:
        """Raises RestError (429) for an address that has guessed too often; valid credentials do not help it then."""
        for limit in self._limits:
            if not self._ask(MovingWindowRateLimiter.test, limit, request):
                reset, _ = self._ask(MovingWindowRateLimiter.get_window_stats, limit, request)
                seconds = max(1, math.ceil(reset - time.time()))
                raise RestError("wcpay_rate_limited", 429, RATE_LIMITED, retry_after=seconds)

    def count(self, request: Request) -> None:
        """This request's credentials were refused, if it had any."""
        named = {*request.args, *request.form}
        if "Authorization" in request.headers or not named.isdisjoint(("consumer_key", "oauth_consumer_key")):
            for limit in self._limits:
                self._ask(MovingWindowRateLimiter.hit, limit, request)

    def _ask(self, question: Callable[..., T], limit: RateLimitItem, request: Request) -> T:
        who = (limit, "credentials", client_address(request, self._policy))
        try:
            return question(self._shared, *who)
        except self._storage.base_exceptions as error:
            log.warning("the storage of the rate limit is away, this process counts for itself: %s", error)
            return question(self._own, *who)
