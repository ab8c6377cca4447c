"""Whoever comes first, an order is charged once, or a person hears of it. What races is held open, not timed."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.stores import STORE_OPTIONS
from bridge.operations import inbox_admin
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.payments.orders import asked, at, taken
from tests.payments.tills import compared, elsewhere, flagged, made, opened, story, tell
from tests.plugins.local import MakeLocal


@contextmanager
def held(
    faults: Faults | None, match: str, call: Callable[[], Any], fault: Fault = Fault.STALLED_AFTER
) -> Iterator[Any]:
    """`call`, in a thread of its own, is in the middle of a request that matches, until the end of this."""
    assert faults
    go_on, before = threading.Event(), len(faults.injected)
    faults.next(fault, match=match, until=go_on)
    with ThreadPoolExecutor(1) as pool:
        try:
            future = pool.submit(call)
            while len(faults.injected) == before and not future.done():
                go_on.wait(0.01)
            yield future
        finally:
            go_on.set()


@pytest.mark.parametrize("whose", ["a reader's", "another gateway's"])
def test_a_create_that_has_read_its_order_before_does_not_charge_it_again(
    make_local: MakeLocal, database_url: str, whose: str
) -> None:
    local = opened(make_local, database_url)
    with held(local.shop_faults, f"GET /wp-json/wc/v3/orders/{local.orders['payable']}", local.create) as create:
        intent = made(local, capture_method="automatic") if whose == "a reader's" else elsewhere(local)
        tell(local)
        assert story(local, intent)["holds_order"]
    assert create.result().status_code == 500
    assert taken(local) == [1023]


def test_a_create_that_has_left_already_is_a_second_payment_that_a_person_hears_of(
    make_local: MakeLocal, database_url: str
) -> None:
    local = opened(make_local, database_url)
    with held(local.provider_faults, "POST /v1/payment_intents", local.create, Fault.STALLED) as create:
        second = made(local, capture_method="automatic")
        tell(local)
        assert {message["state"] for message in inbox_admin.messages(local.bridge.services)} == {"new"}
    assert create.result().status_code == 200
    local.clock.advance(60)
    local.work()
    assert taken(local) == [1023, 1023]
    [flag] = flagged(local)
    assert flag.startswith(f"duplicate_payment: {second}")


def test_two_captures_of_what_nobody_knew_are_one(make_local: MakeLocal, database_url: str) -> None:
    local = opened(make_local, database_url)
    intent = made(local)

    def capture() -> Any:
        return at(local, "capture_terminal_payment", "payable", intent)

    with held(local.provider_faults, f"GET /v1/payment_intents/{intent}", capture) as first:
        assert capture().get_json() == {"status": "succeeded", "id": intent}
    assert first.result().get_json() == {"status": "succeeded", "id": intent}
    local.work()
    assert (taken(local), asked(local, "capture")) == ([1023], 1)
    assert [event["kind"] for event in story(local, intent)["events"]].count("taken_over") == 1
    assert (local.order()["status"], flagged(local)) == ("completed", [])


def test_a_message_that_is_worked_on_while_an_app_names_its_payment(make_local: MakeLocal, database_url: str) -> None:
    local = opened(make_local, database_url)
    intent = made(local)
    with held(local.provider_faults, f"GET /v1/payment_intents/{intent}", lambda: tell(local)) as message:
        assert at(local, "capture_terminal_payment", "payable", intent).status_code == 200
    message.result()
    local.work()
    assert (taken(local), asked(local, "capture")) == ([1023], 1)
    assert (local.order()["status"], flagged(local)) == ("completed", [])


def test_two_entries_of_one_shop_take_a_payment_over_once(make_local: MakeLocal, sqlite_url: str) -> None:
    local = opened(make_local, sqlite_url)
    other = local.bridge.add_store(replace(local.store, id="", options=STORE_OPTIONS), shop=local.store.id)
    made(local, capture_method="automatic")
    reports = [compared(local, store.id) for store in (local.store, other)]
    assert [[each.kind for each in report.differences] for report in reports] == [["taken_over"], []]
    assert reports[1].strangers == []
    local.work()
    assert (local.order()["status"], flagged(local)) == ("completed", [])


@pytest.mark.parametrize("hears", ["messages", "reconcile"])
def test_two_shops_on_one_account_have_orders_of_the_same_number(
    make_local: MakeLocal, sqlite_url: str, certificates: Certificates, hears: str
) -> None:
    local = opened(make_local, sqlite_url, webhook_endpoint="both")
    assert local.stripe
    shop = WooCommerceSimulator("other", clock=local.clock)
    with serve(shop, tls=(certificates.cert_file, certificates.key_file)) as served:
        key, secret = shop.add_key()
        mine = replace(local.store, id="", url=served.url, identity="", consumer_key=key, consumer_secret=secret)
        second = local.bridge.add_store(mine)
        order = shop.seed_demo_orders()["payable"]
        assert order == local.orders["payable"]
        kept = {"order_key": shop.order(order)["order_key"], "site_url": second.identity}
        theirs = made(local, capture_method="automatic", metadata=kept)
        if hears == "messages":
            tell(local, name="both")
        else:
            reports = [compared(local, store.id) for store in (local.store, second)]
            assert [len(report.differences) for report in reports] == [0, 1]
        local.work()
        assert (shop.order(order)["transaction_id"], shop.order(order)["status"]) == (theirs, "completed")
        assert local.order()["status"] == "pending"
        assert local.create().status_code == 200
        assert flagged(local) == []
