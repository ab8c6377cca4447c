"""What the bridge knows of the request that it is answering: kept in the request's own environment, not in a global."""

import math
from dataclasses import dataclass, field
from typing import Any

from flask import has_request_context, request

from bridge.domain.stores import ApiKey
from bridge.http.wordpress.error_table import Failures
from bridge.payments.idempotency import IdempotentRequest

IDEMPOTENCY_KEY = "Idempotency-Key"
"""The header that names a request, so that a repeat is known by it."""
_PLACE = "wcpay_bridge.exchange"


@dataclass(slots=True)
class RequestContext:
    """`path` is below the mount, `address` the client's, `root` the address of the mount, `method` the one that counts.

    `allowed` are the methods that the caller may use on the matched route; None if no route was matched. `key` belongs
    to the caller, None for anybody; `store_updated` (Unix seconds) says which version of its store it was found with.
    `failures` say how the route's errors are answered; a body has at most `largest_body` bytes. `once` is the rule of a
    route that heeds idempotency keys, `turn` what the key of this request stands for, and `seconds` what the exchanges
    with store and provider may take together. `error` is what went wrong, if it was foreseen; `answer` is what was
    rendered last: what the body says, status, headers.
    """

    method: str
    path: str
    address: str
    root: str
    largest_body: int
    allowed: tuple[str, ...] | None = None
    key: ApiKey | None = None
    store_updated: float = 0.0
    failures: Failures = ()
    once: str = ""
    turn: IdempotentRequest | None = None
    seconds: float = math.inf
    error: Exception | None = None
    answer: tuple[Any, int, dict[str, str]] = field(default=(None, 0, {}), repr=False)
    query: dict[str, Any] = field(default_factory=dict, repr=False)
    parameters: dict[str, Any] = field(default_factory=dict, repr=False)


def begin(context: RequestContext) -> RequestContext:
    request.environ[_PLACE] = context
    return context


def current() -> RequestContext | None:
    """None outside a request of ours, and in one that was stopped before it reached us."""
    return request.environ.get(_PLACE) if has_request_context() else None


def require() -> RequestContext:
    context = current()
    if context is None:
        raise RuntimeError("outside a request of the bridge")
    return context
