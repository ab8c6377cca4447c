"""Idempotency keys: the first answer is kept for a day and replayed byte for byte.

Source: https://docs.stripe.com/api/idempotent_requests. The answer is kept once an endpoint has begun, errors included;
a request that fails validation, or that collides with one in flight, leaves no trace.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ApiError, invalid

WINDOW = 24 * 3600.0
"""Seconds for which an answer is kept."""


@dataclass(frozen=True)
class Answer:
    """What was answered, and to which request."""

    status: int
    body: bytes
    request_id: str
    executed: bool


@dataclass
class _Use:
    endpoint: str
    params: object
    time: float
    answer: Answer | None = None


class IdempotencyKeys:
    """The keys in use, per account. Times are Unix seconds from `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, str], _Use] = {}

    def begin(self, account: str, key: str, endpoint: str, params: object) -> Answer | None:
        """Claim the key for this request, or answer what was answered before. ApiError 400 if the key was used for
        something else, 409 while its first request is in flight."""
        if len(key) > 255:
            raise invalid(f"Idempotency keys have up to 255 characters; yours has {len(key)}.")
        now = self._clock()
        with self._lock:
            use = self._uses.get((account, key))
            if use is None or (use.answer is not None and now - use.time >= WINDOW):
                self._uses[account, key] = _Use(endpoint, params, now)
                return None
        if use.endpoint != endpoint:
            raise _misused(f"for the same endpoint they were first used for ('{endpoint}' vs '{use.endpoint}')", key)
        if use.params != params:
            raise _misused("with the same parameters they were first used with", key)
        if use.answer is None:
            message = (
                f"There is currently another in-progress request using this Idempotent Key: {key}. Try again later."
            )
            raise ApiError(409, message, code="idempotency_key_in_use")
        return use.answer

    def finish(self, account: str, key: str, answer: Answer | None) -> None:
        """Keep the answer of the request that claimed the key, if its endpoint had begun; else let the key go."""
        with self._lock:
            if answer is not None and answer.executed:
                self._uses[account, key].answer = answer
            else:
                del self._uses[account, key]


def _misused(how: str, key: str) -> ApiError:
    message = f"Keys for idempotent requests can only be used {how}. Try using a key other than '{key}' if you meant to"
    return ApiError(400, f"{message} execute a different request.", kind="idempotency_error")
