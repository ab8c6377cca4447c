"""Money beside the bridge: staff, another gateway or the store itself act on an order while somebody may still pay it.

Letters and numbers in names of tests are those of the list of cases: A is about orders that change, B about what an
order owes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from bridge.operations import webhook_registration
from bridge.operations.why import why
from tests.web.conftest import OpenShop, Shop, buyer, open_shop
from tests.web.test_elements import stripe_shop

__all__ = ["OpenShop", "Shop", "buyer", "open_shop"]

BANK = {"set_paid": True, "payment_method": "bacs", "payment_method_title": "Bank transfer", "transaction_id": "BANK1"}
"""What another gateway, or a person at the store, writes for money that came otherwise."""


@dataclass
class Beside:
    """A store whose payments wait for their buyer, and somebody else at the store. `can_void` says whether the provider
    can be asked to void what waits."""

    shop: Shop
    can_void: bool
    asked: dict[str, Any]

    @property
    def order(self) -> int:
        return self.shop.local.orders[self.shop.order]

    def create(self) -> dict[str, Any]:
        """A payment that waits for its buyer."""
        created = self.shop.create(**self.asked)
        assert created["status"] in ("requires_action", "requires_payment_method"), created
        self.shop.local.work()
        return created

    def again(self) -> Any:
        """The same create, asked for once more."""
        return self.shop.local.create(self.shop.order, **self.asked)

    def by_rest(self, **changes: Any) -> None:
        """Somebody changes the order through the store's own REST API."""
        store = self.shop.local.store
        url = f"{store.url}/wp-json/wc/v3/orders/{self.order}"
        auth = self.shop.local.shop.add_key()
        answer = requests.put(url, json=changes, auth=auth, verify=store.ca_file, timeout=10)
        assert answer.status_code == 200, answer.text

    def happens(self) -> None:
        """The store tells what happened, and the worker works, until nothing is left to tell."""
        for _ in range(3):
            self.shop.local.shop.deliver_due()
            self.shop.local.work()

    def flag(self) -> str:
        return str(why(self.shop.local.bridge.services, str(self.order))[-1]["flag"] or "")

    def kinds(self) -> list[str]:
        """What the story of the order's newest payment is made of."""
        return [event["kind"] for event in why(self.shop.local.bridge.services, str(self.order))[-1]["events"]]

    def show(self, created: dict[str, Any]) -> dict[str, Any]:
        return self.shop.show(created["id"])

    def reads(self) -> int:
        """How often the store was asked for the order so far."""
        path = f"/wp-json/wc/v3/orders/{self.order}"
        return sum(record.method == "GET" and record.path == path for record in self.shop.local.shop.requests)


def sandbox(open_shop: OpenShop) -> Beside:
    return Beside(open_shop(), True, {"payment_method": "pm_card_authenticationRequired"})


def stripe_direct(open_shop: OpenShop) -> Beside:
    return Beside(stripe_shop(open_shop), True, {"payment_method": "pm_card_threeDSecure2Required"})


def stripe_destination(open_shop: OpenShop) -> Beside:
    shop = stripe_shop(open_shop, charge_type="destination")
    return Beside(shop, True, {"payment_method": "pm_card_threeDSecure2Required"})


def forte_widget(open_shop: OpenShop) -> Beside:
    return Beside(open_shop("forte_payments"), False, {})


def forte_redirect(open_shop: OpenShop) -> Beside:
    return Beside(open_shop("forte_payments", mode="redirect"), False, {})


def forte_platform(open_shop: OpenShop) -> Beside:
    return Beside(open_shop("forte_platform"), False, {})


WAITING: dict[str, Callable[[OpenShop], Beside]] = {
    "sandbox": sandbox,
    "stripe direct": stripe_direct,
    "stripe destination": stripe_destination,
    "forte widget": forte_widget,
    "forte redirect": forte_redirect,
    "forte platform": forte_platform,
}


def open_beside(open_shop: OpenShop, name: str) -> Beside:
    """The store tells the bridge what happens to its orders."""
    made = WAITING[name](open_shop)
    webhook_registration.register_webhooks(made.shop.local.bridge.services.at(made.shop.local.store), made.shop.url)
    made.shop.local.work()
    return made


@pytest.fixture(params=WAITING)
def beside(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    """At every adapter whose payments can wait for a buyer."""
    return open_beside(open_shop, request.param)


@pytest.fixture(params=["sandbox", "stripe direct", "stripe destination"])
def voidable(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    """At adapters that can void what waits."""
    return open_beside(open_shop, request.param)


@pytest.fixture(params=["stripe direct", "stripe destination"])
def afar(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    """The same, with a network between."""
    return open_beside(open_shop, request.param)


@pytest.fixture(params=[name for name in WAITING if name != "forte widget"])
def pressed(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    """At adapters whose buyers press something of ours: Forte's widget is pressed at Forte."""
    return open_beside(open_shop, request.param)


@pytest.fixture(params=[name for name in WAITING if name != "forte redirect"])
def shown(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    """At adapters whose first visitor is shown a page: in redirect mode they are sent on."""
    return open_beside(open_shop, request.param)


@dataclass(frozen=True)
class Change:
    """What somebody does to an order, and the reason with which it is refused after that."""

    do: Callable[[Beside], None]
    reason: str


def staff(**fields: Any) -> Callable[[Beside], None]:
    return lambda beside: beside.shop.local.shop.update_order(beside.order, **fields)


ENDS = {
    "cancelled": Change(staff(status="cancelled"), "order_cancelled"),
    "paid otherwise": Change(lambda beside: beside.by_rest(**BANK), "order_processing"),
    "paid in cash": Change(lambda beside: beside.by_rest(set_paid=True, payment_method="cheque"), "order_processing"),
    "completed": Change(staff(status="completed"), "order_completed"),
    "paid otherwise, and pending again": Change(
        lambda beside: (beside.by_rest(**BANK), beside.by_rest(status="pending"))[0], "order_paid"
    ),
    "trashed": Change(lambda beside: beside.shop.local.shop.trash(beside.order), "order_trash"),
    "on hold": Change(staff(status="on-hold"), "order_on_hold"),
    "refunded": Change(staff(status="refunded"), "order_refunded"),
}
CHANGES = {
    "more": Change(staff(total="20.00"), ""),
    "less": Change(staff(total="5.00"), ""),
    "a refund line": Change(lambda beside: (beside.shop.local.shop.refund(beside.order, "1.00"), None)[1], ""),
    "another key": Change(staff(order_key="wc_order_restored"), ""),
    "another currency": Change(staff(currency="EUR"), ""),
}
