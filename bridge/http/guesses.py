"""How often one address may present credentials that are refused, if the owner limits it (`RATE_LIMIT=20/minute`)."""

import math
import time

from flask import Request
from limits import parse_many
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from bridge.http.errors import RATE_LIMITED, RestError
from bridge.http.policy import Policy
from bridge.http.transport import client_address


class Guesses:
    """Counts in memory, or in Redis for many machines. Without a limit it admits everybody."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._limits = parse_many(policy.rate_limit) if policy.rate_limit else []
        if self._limits:
            self._window = MovingWindowRateLimiter(storage_from_string(policy.rate_limit_storage))

    def admit(self, request: Request) -> None:
        """Raises RestError (429) for an address that has guessed too often; valid credentials do not help it then."""
        for limit in self._limits:
            if not self._window.test(limit, "credentials", self._address(request)):
                reset, _ = self._window.get_window_stats(limit, "credentials", self._address(request))
                seconds = max(1, math.ceil(reset - time.time()))
                raise RestError("wcpay_rate_limited", 429, RATE_LIMITED, retry_after=seconds)

    def count(self, request: Request) -> None:
        """This request's credentials were refused, if it had any."""
        named = {*request.args, *request.form}
        if "Authorization" in request.headers or not named.isdisjoint(("consumer_key", "oauth_consumer_key")):
            for limit in self._limits:
                self._window.hit(limit, "credentials", self._address(request))

    def _address(self, request: Request) -> str:
        return client_address(request, self._policy)
