"""What an order owes, over HTTP: the store's own word about its total, and nothing that it has rounded away."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge.registry import stores
from bridge.worker.periodic_jobs import run_jobs
from tests.payments.orders import PAYMENTS, at
from tests.plugins.local import Local, MakeLocal, refusal
from tests.web.conftest import OpenShop, open_shop

__all__ = ["open_shop"]

BUYER = {"email": "ada@example.com", "first_name": "Ada", "country": "US"}
ADAPTERS = ["sandbox", "stripe_connect", "forte_payments", "forte_platform"]
EVERY_CURRENCY = ["sandbox", "stripe_connect"]
ROUNDED = (
    "The amount {} was rounded to the decimals of the store's own currency. Change the store's number of decimals, or "
    "let the store round half up (setting rounding=half_up)."
)
Open = Callable[..., Local]


@pytest.fixture
def opened(open_shop: OpenShop, make_local: MakeLocal, sqlite_url: str) -> Open:
    """A shop in US dollars with two decimals, in front of any adapter."""

    def opened(adapter: str) -> Local:
        if adapter in EVERY_CURRENCY:
            return make_local(sqlite_url, adapter)
        more = {"trusted_networks": "127.0.0.1/32"} if adapter == "forte_platform" else {}
        return open_shop(adapter, **more).local

    return opened


def let_it_round(local: Local) -> None:
    local.clock.advance(1)
    options = local.store.options | {"rounding": "half_up"}
    local.store = local.bridge.update_store(replace(local.store, options=options))
    local.clock.advance(10)


def do_jobs(local: Local) -> None:
    while run_jobs(local.bridge.services):
        pass


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_b1_a_total_that_the_store_has_rounded_in_its_own_currency_is_what_it_is_owed(
    opened: Open, adapter: str
) -> None:
    local = opened(adapter)
    local.shop.set_price_decimals(0)
    created = local.create(local.shop.add_order(total="27.50", billing=BUYER)).get_json()
    assert (created.get("amount"), created.get("currency")) == (2800, "USD"), created


@pytest.mark.parametrize("adapter", EVERY_CURRENCY)
@pytest.mark.parametrize(
    ("decimals", "order", "amount", "rounded"),
    [
        (2, {"currency": "KWD", "total": "1.236"}, "1.24 KWD", 1240),
        (0, {"currency": "EUR", "total": "27.50"}, "28 EUR", 2800),
        (0, {"currency": "EUR", "total": "28"}, "28 EUR", 2800),
        (1, {"currency": "EUR", "total": "27.55"}, "27.6 EUR", 2760),
    ],
)
def test_b1_a_total_that_it_has_rounded_in_another_currency_is_refused(
    opened: Open, adapter: str, decimals: int, order: dict[str, Any], amount: str, rounded: int
) -> None:
    local = opened(adapter)
    local.shop.set_price_decimals(decimals)
    refused = local.create(local.shop.add_order(**order))
    assert refusal(refused)[2] == ROUNDED.format(amount)
    assert refused.get_json()["data"]["reason"] == "amount_not_representable"
    let_it_round(local)
    assert local.create(local.shop.add_order(**order)).get_json()["amount"] == rounded


@pytest.mark.parametrize("adapter", EVERY_CURRENCY)
@pytest.mark.parametrize(
    ("decimals", "order", "amount"),
    [
        (3, {"currency": "KWD", "total": "1.230"}, 1230),
        (2, {"currency": "KWD", "total": "1.230", "decimals": 3}, 1230),
        (2, {"currency": "EUR", "total": "27.50"}, 2750),
        (0, {"currency": "JPY", "total": "500"}, 500),
    ],
)
def test_b1_one_that_has_all_its_decimals_is_charged(
    opened: Open, adapter: str, decimals: int, order: dict[str, Any], amount: int
) -> None:
    local = opened(adapter)
    local.shop.set_price_decimals(decimals)
    assert local.create(local.shop.add_order(**order)).get_json()["amount"] == amount


def test_b1_a_preview_refuses_it_as_well(local: Local) -> None:
    order_id = local.shop.add_order(currency="KWD", total="1.236")
    answer = local.post(f"{PAYMENTS}/payment_intents/preview", {"order_id": order_id})
    assert answer.get_json()["data"]["reason"] == "amount_not_representable"


def test_b1_a_card_reader_gets_nothing_of_it(opened: Open) -> None:
    local = opened("stripe_connect")
    assert local.stripe
    before = len(local.stripe.requests)
    assert at(local, "create_terminal_intent", local.shop.add_order(currency="KWD", total="1.236")).status_code >= 400
    assert len(local.stripe.requests) == before


def test_b1_the_stores_currency_is_asked_for_when_it_is_added_and_once_a_day(local: Local) -> None:
    def known() -> str:
        return stores.get(local.bridge.services, local.store.id).currency

    assert known() == "USD"
    do_jobs(local)
    local.shop.set_currency("EUR")
    local.clock.advance(23 * 3600)
    do_jobs(local)
    assert known() == "USD"
    local.clock.advance(3600 + 1)
    do_jobs(local)
    assert known() == "EUR"


def test_b1_a_store_that_does_not_say_keeps_what_was_known(local: Local) -> None:
    local.shop.set_currency("nothing")
    local.clock.advance(24 * 3600 + 1)
    do_jobs(local)
    assert stores.get(local.bridge.services, local.store.id).currency == "USD"


def test_b1_a_paid_order_costs_the_store_one_read_and_one_write(local: Local) -> None:
    local.shop.set_price_decimals(0)
    order_id = local.shop.add_order(total="27.50")
    before = len(local.shop.requests)
    assert local.create(order_id).get_json()["amount"] == 2800
    local.work()
    assert [request.method for request in local.shop.requests[before:]] == ["GET", "PUT"]
    assert local.shop.order(order_id)["status"] == "processing"


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(("decimals", "amount", "left"), [(2, "10.00", 1500), (0, "10", 1500), (0, "1.25", 2375)])
def test_b3_what_staff_took_off_an_unpaid_order_is_not_charged(
    opened: Open, adapter: str, decimals: int, amount: str, left: int
) -> None:
    local = opened(adapter)
    local.shop.set_price_decimals(decimals)
    order_id = local.shop.add_order(total="25", billing=BUYER)
    local.shop.refund(order_id, amount)
    created = local.create(order_id).get_json()
    assert created.get("amount") == left, created
    local.work()
    if created["status"] == "succeeded":
        assert local.shop.order(order_id)["status"] == "processing"


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("honors", [True, False])
def test_b4_an_order_that_was_paid_meanwhile_is_not_read_from_a_cache(opened: Open, adapter: str, honors: bool) -> None:
    local = opened(adapter)
    local.shop.put_cache_in_front(honors_no_cache=honors)
    order_id = local.shop.add_order(total="10.23", billing=BUYER)
    assert local.get(f"{PAYMENTS}/charges/order/{order_id}").status_code == 200
    local.shop.update_order(order_id, payment_method="paypal", transaction_id="PAYPAL1", status="processing")
    assert local.create(order_id).get_json()["data"]["reason"] == "order_processing"
    assert local.shop.order(order_id)["transaction_id"] == "PAYPAL1"


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_b6_a_quantity_that_a_plugin_keeps_as_a_float_does_not_matter(opened: Open, adapter: str) -> None:
    local = opened(adapter)
    lines = [{"product_id": local.shop.products()[0]["id"], "quantity": 0.30000000000000004, "total": "10.23"}]
    created = local.create(local.shop.add_order(lines=lines, billing=BUYER)).get_json()
    assert created.get("amount") == 1023, created


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("shape", ["holes", "object"])
def test_b7_an_order_whose_lists_a_plugin_has_made_objects_is_paid(opened: Open, adapter: str, shape: str) -> None:
    local = opened(adapter)
    local.shop.shape_lists(shape)
    order_id = local.shop.add_order(total="10.23", meta={"a": "1", "b": "2"}, billing=BUYER)
    created = local.create(order_id).get_json()
    assert created.get("amount") == 1023, created
