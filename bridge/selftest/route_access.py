"""Every route that is served, and what it asks of whoever calls. One without an entry fails S4, and `make test`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import Flask

from bridge.selftest.system_under_test import PAYMENTS

ORDER = f"{PAYMENTS}/orders/{{order_id}}"
REFUND = f"{PAYMENTS}/refund"
CAUGHT = ("no_route", "front")
"""Endpoints that answer what is no route, and the front page of a bridge that stands alone."""


class Proof(StrEnum):
    """What lets a caller in."""

    KEY = "a consumer key"
    NOTHING = "nothing"
    TOKEN = "the owner's token"
    SIGNATURE = "a provider's or a shop's signature"
    LINK = "a signed link"


@dataclass(frozen=True)
class Access:
    """What a route asks for. `body` has all that it must have, where `{name}` stands for a thing's name; without
    `required`, its first parameter that must be there, it answers that one is missing."""

    proof: Proof
    body: Mapping[str, Any] | None = None
    required: str | None = None

    def filled(self, names: Mapping[str, str]) -> dict[str, Any] | None:
        """The body of a request for these things."""
        filled: dict[str, Any] | None = _filled(self.body, names)
        return filled


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(inner, names) for name, inner in value.items()}
    return names[value[1:-1]] if isinstance(value, str) and value.startswith("{") else value


def _keyed(body: Mapping[str, Any] | None = None, required: str | None = None) -> Access:
    return Access(Proof.KEY, body, required)


_BY_INTENT = _keyed({"payment_intent_id": "{payment_intent_id}"}, "payment_intent_id")
_CREATE = {"order_id": "{order_id}", "customer": "{customer_id}", "payment_method": "pm_card_visa"}
_HINT = {"type": "payment_intent.succeeded", "data": {"object": {"id": "{payment_intent_id}"}}}
_PUBLIC, _LINK = Access(Proof.NOTHING), Access(Proof.LINK)

ROUTES: Mapping[tuple[str, str], Access] = {
    ("POST", f"{PAYMENTS}/payment_intents"): _keyed(_CREATE),
    ("POST", f"{PAYMENTS}/payment_intents/preview"): _keyed({"order_id": "{order_id}"}),
    ("GET", f"{PAYMENTS}/payment_intents/{{payment_intent_id}}"): _keyed(),
    ("POST", f"{ORDER}/capture_authorization"): _BY_INTENT,
    ("POST", f"{ORDER}/cancel_authorization"): _BY_INTENT,
    ("POST", f"{ORDER}/create_customer"): _keyed({}),
    ("POST", f"{ORDER}/create_terminal_intent"): _keyed({}),
    ("POST", f"{ORDER}/capture_terminal_payment"): _BY_INTENT,
    ("POST", f"{PAYMENTS}/connection_tokens"): _keyed({}),
    ("POST", REFUND): _keyed({"charge_id": "{charge_id}", "order_id": "{order_id}", "amount": 1}),
    ("GET", f"{PAYMENTS}/customers/{{customer_id}}/payment_methods"): _keyed(),
    ("GET", f"{PAYMENTS}/charges/{{charge_id}}"): _keyed(),
    ("GET", f"{PAYMENTS}/charges/order/{{order_id}}"): _keyed(),
    ("GET", f"{PAYMENTS}/authorizations"): _keyed(),
    ("GET", f"{PAYMENTS}/authorizations/summary"): _keyed(),
    ("GET", f"{PAYMENTS}/authorizations/{{payment_intent_id}}"): _keyed(),
    ("GET", f"{PAYMENTS}/transactions"): _keyed(),
    ("GET", f"{PAYMENTS}/transactions/summary"): _keyed(),
    ("GET", f"{PAYMENTS}/transactions/search"): _keyed(),
    ("GET", f"{PAYMENTS}/transactions/{{transaction_id}}"): _keyed(),
    ("GET", f"{PAYMENTS}/timeline/{{intention_id}}"): _keyed(),
    ("POST", f"{PAYMENTS}/webhook"): _keyed(_HINT),
    ("GET", "/wp-json/"): _PUBLIC,
    ("GET", "/wp-json/wc/v3"): _PUBLIC,
    ("GET", "/bridge/v1/health/live"): _PUBLIC,
    ("GET", "/bridge/v1/health/ready"): _PUBLIC,
    ("GET", "/bridge/v1/openapi.json"): _PUBLIC,
    ("GET", "/bridge/v1/docs"): _PUBLIC,
    ("GET", "/bridge/v1/assets/{name}"): _PUBLIC,
    ("GET", "/bridge/v1/metrics"): Access(Proof.TOKEN),
    ("POST", "/bridge/v1/webhooks/{endpoint}"): Access(Proof.SIGNATURE),
    ("GET", "/bridge/v1/pay/{token}"): _LINK,
    ("POST", "/bridge/v1/pay/{token}"): _LINK,
    ("GET", "/bridge/v1/pay/{token}/status"): _LINK,
    ("POST", "/bridge/v1/pay/{token}/confirm"): _LINK,
}


def served(app: Flask) -> list[tuple[str, str]]:
    """Method and path of everything that the app itself would answer, by its own map of addresses; HEAD is its GET."""
    return sorted(
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.rpartition(".")[2] not in CAUGHT
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )
