"""Operator's routes, for a browser or another process that has no hands on the simulator: `POST /__sim/payments/...`.

`<id>/stripe-status` {"status"}, `<id>/stripe-refund` {"amountCents"?} and `<id>/fire` {"state"}. They need no key,
but come from the same machine.
"""

import re
from typing import Protocol

from werkzeug.wrappers import Request

from . import bodies
from .errors import INVALID, METHOD_NOT_ALLOWED, NOT_FOUND, ForteError, Json
from .schema_language import parse

PREFIX = "/__sim/"
_PATH = re.compile(r"/__sim/payments/(\w+)/(stripe-status|stripe-refund|fire)")


class Hands(Protocol):
    """What an operator can do with a simulator."""

    def set_stripe_status(self, payment: str, status: str) -> None: ...
    def refund_on_stripe(self, payment: str, amount: int | None = None) -> None: ...
    def fire(self, payment: str, *, state: str) -> None: ...
    def payment(self, payment: str) -> Json: ...


def operate(hands: Hands, request: Request) -> Json:
    """Do what the operator asks; the payment as it is then. ForteError if that cannot be done."""
    found = _PATH.fullmatch(request.path)
    if found is None:
        raise ForteError(NOT_FOUND, f"No endpoint {request.method} {request.path}.")
    if request.remote_addr not in ("127.0.0.1", "::1"):
        raise ForteError("INSUFFICIENT_PERMISSIONS", "Only callers on the same machine operate the simulator.")
    if request.method != "POST":
        raise ForteError(METHOD_NOT_ALLOWED, f"Request method '{request.method}' is not supported.")
    payment, action = found.groups()
    given = parse(request.get_data() or b"{}")
    try:
        if action == "stripe-status":
            hands.set_stripe_status(payment, bodies.STRIPE_STATUS(given, "")["status"])
        elif action == "stripe-refund":
            hands.refund_on_stripe(payment, bodies.STRIPE_REFUND(given, "").get("amountCents"))
        else:
            hands.fire(payment, state=bodies.FIRED(given, "")["state"])
        return hands.payment(payment)
    except LookupError as error:
        raise ForteError(NOT_FOUND, str(error)) from error
    except ValueError as error:
        raise ForteError(INVALID, str(error)) from error
