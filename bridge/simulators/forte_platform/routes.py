"""The route table: the path, the query parameters and the body that each operation takes.

Paths are those of Forte's guide and of its public SDK; what a browser calls is served by `elements`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.routing import Map, Rule

from . import bodies, lifecycle, lists, methods, payments, triggers, users
from .schema_language import Check
from .state import Call


@dataclass(frozen=True)
class Route:
    """An operation: what runs it, the query parameters that it knows, and the check of its body (None: no body)."""

    methods: tuple[str, ...]
    path: str
    run: Callable[[Call], Any]
    query: frozenset[str] = frozenset()
    body: Check | None = None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PROJECT = "/api/v1/projects/<project>"
_USER = f"{_PROJECT}/users/<user>"
_TRIGGER = f"{_PROJECT}/payment-triggers/<trigger>"
_FILTERS = _words("state metadataKey metadataValue minTime maxTime nextToken")
_USER_FILTERS = _words("email phone fullName metadataKey metadataValue minTime maxTime nextToken")
_REFUND = _words("refundAmountCents keepSubscriptionActive")

ONE_PAYMENT = Route(("GET",), f"{_PROJECT}/payments/<payment>", payments.find)
_METHODS = f"{_USER}/payment-methods"
_AUGUST = (
    Route(("POST",), f"{_USER}/payments/<payment>/refund", lifecycle.refund_by_api, _REFUND),
    Route(("GET",), f"{_PROJECT}/payments", lists.of_project, _FILTERS | {"userId"}),
    Route(("POST",), f"{_PROJECT}/payments/search", lists.search, body=bodies.SEARCH),
    Route(("GET",), _METHODS, methods.list_all),
    Route(("GET",), f"{_METHODS}/<method>", methods.find),
)
"""What came between May and August 2026."""


def _routes(version: str) -> tuple[Route, ...]:
    return (
        Route(("POST",), f"{_USER}/payments/preview", payments.preview, body=bodies.PREVIEW),
        Route(("POST",), f"{_USER}/payments", payments.create, body=bodies.PAYMENT[version]),
        Route(("GET",), f"{_USER}/payments", lists.of_user, _FILTERS),
        Route(("GET",), f"{_PROJECT}/users", users.list_all, _USER_FILTERS),
        Route(("GET",), _USER, users.find),
        Route(("POST",), f"{_PROJECT}/payment-triggers", triggers.create, body=bodies.TRIGGER[version]),
        Route(("GET",), f"{_PROJECT}/payment-triggers", triggers.list_all),
        Route(("GET",), _TRIGGER, triggers.find),
        Route(("PUT",), _TRIGGER, triggers.replace, body=bodies.TRIGGER[version]),
        Route(("DELETE",), _TRIGGER, triggers.delete),
    )


def build_map(version: str, *, fetch_one: bool) -> Map:
    """All routes of a version; the endpoints are the Route objects. Without `fetch_one` a payment cannot be got by its
    id, as in June and July."""
    august = version == "2026-08"
    routes = [*_routes(version), *(_AUGUST if august else ()), *([ONE_PAYMENT] if august and fetch_one else ())]
    return Map([Rule(route.path, methods=route.methods, endpoint=route) for route in routes], strict_slashes=False)
