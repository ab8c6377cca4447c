"""One shop before each provider: what arrives there, what it took, and how it is made to say something else."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from bridge.simulators.faults import Fault, Match
from tests.forte.conftest import makes_a_payment
from tests.web.conftest import OpenShop, Shop

STRIPE = {"stripe": {}, "stripe_destination": {"charge_type": "destination"}}
FORTES = {"forte_payments": {"max_retries": "0"}, "forte_platform": {}}
WITH_SERVERS = [*STRIPE, *FORTES]
"""Providers that are asked over HTTP, so that what arrives there can be counted."""
PROVIDERS = ["sandbox", *WITH_SERVERS]
REFUNDING = ["stripe", "stripe_destination", "forte_platform"]
Json = dict[str, Any]


def shop_at(open_shop: OpenShop, provider: str, **more: Any) -> Shop:
    """A shop whose buyers confirm on a page, where the provider knows such payments."""
    adapter = "stripe_connect" if provider in STRIPE else provider
    return open_shop(adapter, **({**STRIPE, **FORTES}.get(provider, {}) | more))


def asks_for_a_payment(shop: Shop) -> Match:
    if shop.platform:
        return makes_a_payment
    return "POST /payments/v2/intent" if shop.forte else "POST /v1/payment_intents"


def creates(shop: Shop) -> Counter[str]:
    """How often the provider was asked for a payment, by what it knows a repeat by."""
    if shop.platform:
        made = [sent for sent in shop.door.sent if sent.method == "POST" and sent.path.endswith("/payments")]
        return Counter(sent.body["metadata"]["bridge_attempt"] for sent in made)
    if shop.forte:
        return Counter(sent.body["idempotency_key"] for sent in shop.door.to("/payments/v2/intent"))
    if not shop.local.stripe:
        return Counter(key for (key,) in books(shop, "select key from payments"))
    made = [each for each in shop.local.stripe.requests if (each.method, each.path) == ("POST", "/v1/payment_intents")]
    return Counter(str(each.idempotency_key) for each in made)


def refunds(shop: Shop) -> int:
    """How many requests to send money back have arrived."""
    if shop.platform:
        return sum(sent.path.endswith("/refund") for sent in shop.door.sent)
    assert shop.local.stripe
    return sum((each.method, each.path) == ("POST", "/v1/refunds") for each in shop.local.stripe.requests)


def taken(shop: Shop) -> list[int]:
    """What the provider's own book says it took, oldest first."""
    server: Any = shop.local.stripe or shop.platform or shop.forte
    if server:
        return [entry.amount for entry in server.ledger.entries("captured")]
    return [row[0] for row in books(shop, "select amount from ledger where kind = 'charged'")]


def pay(shop: Shop, intent: str) -> None:
    """The buyer pays, at the provider, what a create has left open; the bridge is not told."""
    if shop.platform:
        shop.platform.set_stripe_status(shop.platform.payments[-1]["id"], "succeeded")
    elif shop.forte:
        shop.forte.approve(shop.forte.intents[-1].id)
    elif shop.local.stripe:
        shop.local.stripe.authenticate(intent)
    else:
        shop.adapter.authenticate(intent, True)


def says(shop: Shop, intent: str, times: int = 1, **changes: Any) -> None:
    """The provider answers the next look at this payment with something else than it has."""
    if shop.platform:
        shop.platform.spoil_next(lambda body, status: (_changed(body, changes), status), match="GET", times=times)
    elif shop.local.stripe:
        assert shop.faults
        body = shop.local.stripe.find(intent) | changes
        shop.faults.next(Fault.STATUS, times=times, match=f"GET /v1/payment_intents/{intent}", status=200, body=body)
    elif shop.forte:
        word = {"data": [{"payment_intent_id": shop.forte.intents[-1].id, **changes}]}
        shop.forte.spoil_next("/payments/v1/payments/statuses", lambda _body, status: (word, status), times)


def books(shop: Shop, query: str, *values: Any) -> list[Any]:
    """What the sandbox's own database answers."""
    file = Path(shop.local.store.settings["books"])
    if not file.exists():
        return []
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute(query, values).fetchall()
        connection.commit()
        return found


def _changed(body: Any, changes: Json) -> Any:
    """The same change of a payment, or of each in a list."""
    if isinstance(body, list):
        return [_changed(each, changes) for each in body]
    if isinstance(body, dict) and "amountCents" in body and "metadata" in body:
        return body | changes
    return {name: _changed(one, changes) for name, one in body.items()} if isinstance(body, dict) else body
