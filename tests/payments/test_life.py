"""The whole life of a payment over HTTP, as a store's back office and its apps lead it: everybody's books agree."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from werkzeug.test import Client

from bridge.adapters.sandbox import SandboxAdapter
from bridge.payments.why import why
from tests.plugins.local import Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"
SECRET = "whsec_0123456789abcdef"


@dataclass
class Provider(ABC):
    """The payer's side of one provider, and its own book."""

    local: Local
    sent: set[str] = field(default_factory=set)

    @abstractmethod
    def dispute(self, charge: dict[str, Any]) -> None:
        """Let the payer's bank ask for the money back."""

    @abstractmethod
    def lose_dispute(self, charge: dict[str, Any]) -> None:
        """Let the payer's bank decide for the payer."""

    @abstractmethod
    def tell(self, intent: str) -> None:
        """Let the bridge hear of what happened."""

    @abstractmethod
    def book(self) -> dict[str, int]:
        """Sums of what was captured, refunded and disputed, in minor units."""


class Sandbox(Provider):
    @property
    def adapter(self) -> SandboxAdapter:
        adapter = self.local.bridge.services.connections.adapter(self.local.store)
        assert isinstance(adapter, SandboxAdapter)
        return adapter

    def dispute(self, charge: dict[str, Any]) -> None:
        self.adapter.dispute(charge["payment_intent"])

    def lose_dispute(self, charge: dict[str, Any]) -> None:
        self.adapter.close_dispute(charge["payment_intent"], "lost")

    def tell(self, intent: str) -> None:
        body = {"type": "charge.updated", "data": {"object": {"payment_intent": intent}}}
        assert self.local.post(f"{PAYMENTS}/webhook", body).get_json() == {"result": "success"}

    def book(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.local.store.settings["books"])) as books:
            sums = dict(books.execute("select kind, sum(amount) from ledger group by kind").fetchall())
        return {"captured": sums.get("charged", 0), **sums}


class Stripe(Provider):
    def dispute(self, charge: dict[str, Any]) -> None:
        assert self.local.stripe
        self.local.stripe.dispute(charge["id"])

    def lose_dispute(self, charge: dict[str, Any]) -> None:
        assert self.local.stripe
        self.local.stripe.close_dispute(charge["dispute"]["id"], won=False)

    def tell(self, intent: str) -> None:
        """Send every event that was not sent yet, the newest first."""
        stripe = self.local.stripe
        assert stripe
        direct = self.local.store.settings.get("charge_type") != "destination"
        endpoint = stripe.add_webhook_endpoint("https://bridge.example", connect=direct, secrets=[SECRET])
        fresh = [event["id"] for event in reversed(stripe.events) if event["id"] not in self.sent]
        for event in fresh:
            self.sent.add(event)
            message = stripe.signed(event, endpoint.id)
            answer = Client(self.local.app).post(
                f"/bridge/v1/webhooks/{self.local.store.id}",
                base_url="http://127.0.0.1",
                data=message.body,
                headers=dict(message.headers),
            )
            assert answer.get_json() == {"received": True, "duplicate": False}
        assert fresh

    def book(self) -> dict[str, int]:
        assert self.local.stripe
        sums: dict[str, int] = {}
        for entry in self.local.stripe.ledger.entries():
            sums[entry.kind] = sums.get(entry.kind, 0) + entry.amount
        return sums


def sandbox(make_local: MakeLocal, url: str, **options: Any) -> Provider:
    return Sandbox(make_local(url, **options))


def direct(make_local: MakeLocal, url: str, **options: Any) -> Provider:
    return Stripe(make_local(url, "stripe_connect", settings={"webhook_secret": SECRET}, **options))


def destination(make_local: MakeLocal, url: str, **options: Any) -> Provider:
    settings = {"webhook_secret": SECRET, "charge_type": "destination"}
    return Stripe(make_local(url, "stripe_connect", settings=settings, **options))


MakeProvider = Callable[..., Provider]


@pytest.mark.parametrize("make", [sandbox, direct, destination])
def test_authorised_captured_refunded_in_three_disputed_and_lost(
    make: MakeProvider, make_local: MakeLocal, database_url: str
) -> None:
    provider = make(make_local, database_url, capture="manual")
    local = provider.local
    order = local.orders["payable"]
    intent = local.create().get_json()
    local.work()
    assert local.order()["status"] == "on-hold"
    [waiting] = local.get(f"{PAYMENTS}/authorizations").get_json()["data"]
    assert (waiting["payment_intent_id"], waiting["amount"]) == (intent["id"], 1023)
    assert local.get(f"{PAYMENTS}/authorizations/summary").get_json()["count"] == 1

    captured = local.post(f"{PAYMENTS}/orders/{order}/capture_authorization", {"payment_intent_id": intent["id"]})
    assert captured.get_json() == {"status": "succeeded", "id": intent["id"]}
    local.work()
    assert local.order()["status"] == "processing"

    for amount in (100, 200, 23):
        local.clock.advance(60)
        answer = local.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": amount})
        assert (answer.status_code, answer.get_json()["amount"]) == (200, amount)
        local.work()
    path = f"{PAYMENTS}/charges/{intent['charge']['id']}"
    provider.dispute(local.get(path).get_json())
    provider.tell(intent["id"])
    local.work()
    charge = local.get(path).get_json()
    assert (charge["disputed"], charge["dispute"]["amount"]) == (True, 700)
    assert local.order()["status"] == "on-hold"

    local.clock.advance(60)
    provider.lose_dispute(charge)
    provider.tell(intent["id"])
    local.work()

    charge = local.get(path).get_json()
    assert (charge["amount_captured"], charge["amount_refunded"], charge["dispute"]["status"]) == (1023, 323, "lost")
    book = provider.book()
    assert (book["captured"], book["refunded"], book["disputed"]) == (1023, 323, 700)
    summary = local.get(f"{PAYMENTS}/transactions/summary").get_json()
    assert (summary["count"], summary["total"], summary["currency"]) == (5, 0, "usd")
    refunds = local.shop.refunds(order)
    assert sorted(refund["amount"] for refund in refunds) == ["0.23", "1.00", "2.00", "7.00"]
    assert local.order()["status"] == "refunded"
    kinds = [event["type"] for event in local.get(f"{PAYMENTS}/timeline/{order}").get_json()["data"]]
    assert kinds == ["dispute_lost", "dispute_needs_response", *["partial_refund"] * 3, "captured", "authorized"]
    [story] = why(local.bridge.services, intent["id"])
    assert [update["state"] for update in story["store_updates"]] == ["delivered"] * len(story["store_updates"])
    assert len(set(local.notes())) == len(local.notes())


@pytest.mark.parametrize("make", [sandbox, direct, destination])
def test_the_mobile_apps_take_a_payment_in_person(make: MakeProvider, make_local: MakeLocal, database_url: str) -> None:
    provider = make(make_local, database_url)
    local = provider.local
    orders = f"{PAYMENTS}/orders/{local.orders['payable']}"
    customer = local.post(f"{orders}/create_customer", {}).get_json()
    assert list(customer) == ["id"]
    token = local.post(f"{PAYMENTS}/connection_tokens", {}).get_json()
    assert token["secret"].startswith("pst_test_")
    assert token["test_mode"] is True
    wanted = {
        "payment_methods": ["card_present"],
        "capture_method": "manual",
        "customer_id": customer["id"],
        "metadata": {"paymentintent.storename": "Shop", "paymentintent.orderid": str(local.orders["payable"])},
    }
    intent = local.post(f"{orders}/create_terminal_intent", wanted).get_json()
    assert list(intent) == ["id"]
    if local.stripe:
        local.stripe.present_card(intent["id"])
    captured = local.post(f"{orders}/capture_terminal_payment/", {"payment_intent_id": intent["id"]})
    assert captured.get_json() == {"status": "succeeded", "id": intent["id"]}
    assert provider.book()["captured"] == 1023
    local.work()
    order = local.order()
    assert (order["status"], order["transaction_id"]) == ("completed", intent["id"])
    assert order["payment_method_title"] == "WooCommerce In-Person Payments"
    [line] = local.get(f"{PAYMENTS}/transactions").get_json()["data"]
    assert (line["channel"], line["amount"], line["payment_intent_id"]) == ("in_person", 1023, intent["id"])
    assert local.get(f"{PAYMENTS}/transactions?channel_is=in_person").get_json()["data"] == [line]
    assert local.get(f"{PAYMENTS}/transactions?channel_is_not=in_person").get_json()["data"] == []


def test_an_authorization_that_nobody_captures_expires_in_every_book(make_local: MakeLocal, sqlite_url: str) -> None:
    provider = direct(make_local, sqlite_url, capture="manual")
    local = provider.local
    assert local.stripe
    intent = local.create().get_json()
    local.work()
    local.stripe.expire(intent["id"])
    provider.tell(intent["id"])
    local.work()
    assert local.show(intent["id"]).get_json()["status"] == "canceled"
    assert local.order()["status"] == "failed"
    assert local.get(f"{PAYMENTS}/authorizations").get_json() == {"data": []}
    kinds = [event["type"] for event in local.get(f"{PAYMENTS}/timeline/{intent['id']}").get_json()["data"]]
    assert kinds == ["authorization_expired", "authorized"]


def test_saved_payment_methods_are_shown_with_what_woopayments_shows(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    account = local.store.settings["account"]
    local.stripe.add_payment_method("pm_card_visa", local.customer, account)
    local.stripe.add_payment_method("link", local.customer, account)
    local.stripe.add_payment_method("sepa_debit", local.customer, account)
    answer = local.get(f"{PAYMENTS}/customers/{local.customer}/payment_methods")
    assert answer.status_code == 200
    shown = {method["type"]: method for method in answer.get_json()}
    billing = {
        "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
        "email": None,
        "name": None,
        "phone": None,
    }
    assert {kind: list(method) for kind, method in shown.items()} == {
        kind: ["id", "type", "billing_details", kind] for kind in ("card", "link", "sepa_debit")
    }
    card = shown["card"]["card"]
    assert card == {"brand": "visa", "last4": "4242", "exp_month": card["exp_month"], "exp_year": card["exp_year"]}
    assert shown["card"]["billing_details"] == billing
    assert list(shown["sepa_debit"]["sepa_debit"]) == ["last4"]
    assert list(shown["link"]["link"]) == ["email"]
    assert local.get(f"{PAYMENTS}/customers/cus_unknown/payment_methods").get_json() == []
