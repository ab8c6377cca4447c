"""What Forte's guide and SDK types say of requests, as a table, and a front door that keeps what arrives.

Every test holds every request of an adapter against it (tests/plugins/fortes.py). Transcribed from "Creating Payments"
and from the types of github.com/FortePlatforms/SDK. Shares nothing with the schemas of the adapter and the simulator.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.adapters.client import Door, Sent

Check = Callable[[Any], bool]


def text(pattern: str = ".*", shortest: int = 0, longest: int = 10_000) -> Check:
    return lambda value: (
        isinstance(value, str) and shortest <= len(value) <= longest and bool(re.fullmatch(pattern, value, re.DOTALL))
    )


def whole(least: int) -> Check:
    return lambda value: type(value) is int and value >= least


def several(of: Check, least: int, most: int) -> Check:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(of, value))


def members(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    known = {**required, **(optional or {})}
    return lambda value: (
        isinstance(value, dict)
        and required.keys() <= value.keys() <= known.keys()
        and all(known[name](inner) for name, inner in value.items())
    )


def texts(value: Any) -> bool:
    """Stripe's limits of metadata."""
    return (
        isinstance(value, dict)
        and len(value) <= 50
        and all(0 < len(name) <= 40 and isinstance(one, str) and len(one) <= 500 for name, one in value.items())
    )


_ADDRESS = members(
    {name: text(shortest=1) for name in ("line1", "city", "postalCode", "country")},
    {"line2": text(), "state": text()},
)
_LINE = members(
    {"description": text(shortest=1, longest=250), "unitAmountCents": whole(0), "quantity": whole(1)},
    {"taxCode": text("txcd_[0-9]{8}")},
)
_CART = {"currency": text("[a-z]{3}"), "lineItems": several(_LINE, 1, 50)}
_ADDRESSES = {"customerAddress": _ADDRESS, "shippingAddress": _ADDRESS}
_TRIGGER = members(
    {
        "displayName": text(longest=120),
        "targetServiceId": text(shortest=1),
        "targetPath": text("/.*", longest=500),
        "events": several(text("PAYMENT_(COMPLETED|REFUNDED)"), 1, 2),
    },
    {"enabled": lambda value: type(value) is bool},
)
_PROJECT, _USER, _ID = "/api/v1/projects/[^/]+", "/api/v1/projects/[^/]+/users/usr_[^/]+", "[^/]+"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
_STATES = "DRAFT|PROCESSING|COMPLETED|CANCELLED|FAILED|PARTIALLY_REFUNDED|REFUNDED"
_FILTERS = {"state": _STATES, "metadataKey": ".+", "metadataValue": ".+", "minTime": _TIME, "nextToken": ".+"}


@dataclass(frozen=True)
class Call:
    """`body` None: it takes none. `query` has a pattern for each parameter."""

    method: str
    path: str
    body: Check | None = None
    query: dict[str, str] = field(default_factory=dict)


CALLS = (
    Call("POST", f"{_USER}/payments/preview", members(_CART, _ADDRESSES)),
    Call(
        "POST",
        f"{_USER}/payments",
        members(
            _CART,
            {
                **_ADDRESSES,
                "description": text(longest=500),
                "metadata": texts,
                "paymentMethodId": text("pm_[A-Za-z0-9]+"),
                "offSession": lambda value: type(value) is bool,
            },
        ),
    ),
    Call("GET", f"{_USER}/payment-methods"),
    Call("GET", f"{_USER}/payment-methods/pm_[A-Za-z0-9]+"),
    Call("GET", f"{_USER}/payments", query=_FILTERS),
    Call("GET", f"{_PROJECT}/payments", query={**_FILTERS, "userId": "usr_.+"}),
    Call("GET", f"{_PROJECT}/payments/{_ID}"),
    Call("POST", f"{_USER}/payments/{_ID}/refund", query={"refundAmountCents": "[1-9][0-9]*"}),
    Call("GET", f"{_PROJECT}/users", query={"email": ".+@.+", "nextToken": ".+"}),
    Call("GET", f"{_PROJECT}/payment-triggers"),
    Call("POST", f"{_PROJECT}/payment-triggers", _TRIGGER),
    Call("PUT", f"{_PROJECT}/payment-triggers/{_ID}", _TRIGGER),
    Call("DELETE", f"{_PROJECT}/payment-triggers/{_ID}"),
)


class Checked(Door):
    """What browsers and tests ask is not kept."""

    def keeps(self, path: str) -> bool:
        return not path.startswith(("/__sim/", "/stripe-elements"))


def wrong(sent: Sent) -> Iterator[str]:
    """What the documents do not know of a request."""
    if not re.fullmatch(r"Bearer [!-~]+", sent.headers.get("Authorization", "")):
        yield "the API key is missing"
    if sent.headers.get("Accept") != "application/json":
        yield f"Accept is {sent.headers.get('Accept')}"
    if "Idempotency-Key" in sent.headers:
        yield "Forte knows no idempotency keys"
    calls = [call for call in CALLS if call.method == sent.method and re.fullmatch(call.path, sent.path)]
    if not calls:
        yield "there is no such call"
        return
    call = calls[0]
    for name, value in sent.query.items():
        if not re.fullmatch(call.query.get(name, "(?!)"), value):
            yield f"the parameter {name}={value}"
    if call.body is None:
        if sent.content:
            yield "the call has no body"
    elif sent.headers.get("Content-Type") != "application/json":
        yield f"Content-Type is {sent.headers.get('Content-Type')}"
    elif not call.body(sent.body):
        yield f"the body {sent.body}"
