"""Staff act on an order that we were paid for, and the store's message never comes: its webhook was refused just then,
or switched off. The order is looked at again all the same, seldom and in lists (A8)."""

from collections.abc import Callable
from typing import Any

import pytest

from bridge.operations.webhook_registration import register_webhooks
from bridge.operations.why import why
from bridge.payments.flags import clear
from bridge.simulators.faults import Fault
from bridge.storage import jobs
from tests.cli.test_doctor import examined
from tests.orders_change.test_store_webhooks import set_status, statuses
from tests.orders_change.test_sweep import last_error, pass_time, sweeps
from tests.payments.orders import PAYMENTS
from tests.plugins.local import Local, MakeLocal

HOUR, DAY = 3600, 24 * 3600
LOOK = 31 * HOUR
"""Seconds after which an order that was paid within the week was looked at: a day, and what it waits for others."""

Act = Callable[[Local, int], object]
ACTS: dict[str, tuple[Act, str]] = {
    "a refund of a part": (lambda local, order: local.shop.refund(order, "1.00"), "has a refund of 1.00 USD"),
    "the total down": (lambda local, order: local.shop.update_order(order, total="5.00"), "comes to 5.00 USD"),
    "the total up": (lambda local, order: local.shop.update_order(order, total="20.00"), "comes to 20.00 USD"),
    "another currency": (lambda local, order: local.shop.update_order(order, currency="EUR"), "is in EUR now"),
    "refunded whole": (lambda local, order: local.shop.update_order(order, status="refunded"), "has a refund of"),
    "another payment": (
        lambda local, order: local.shop.update_order(order, transaction_id="BANK1", payment_method="bacs"),
        "shows the payment BANK1",
    ),
}


@pytest.fixture(params=["sandbox", "stripe_connect"])
def silent(request: pytest.FixtureRequest, make_local: MakeLocal, database_url: str) -> Local:
    """A store that tells nothing."""
    return make_local(database_url, request.param)


@pytest.fixture
def quiet(make_local: MakeLocal, sqlite_url: str) -> Local:
    """One at whose provider nobody looks by himself, either: the day's comparison has no reason to read its orders."""
    return make_local(sqlite_url, "stripe_connect")


def flag(local: Local, order: int) -> str:
    return str(why(local.bridge.services, str(order))[-1]["flag"] or "")


def paid(local: Local, count: int = 1, **asked: Any) -> list[int]:
    """Orders that were paid, and told; and compared by the day's comparison, which nothing calls back to them."""
    made = []
    for _ in range(count):
        order = local.shop.add_order(total="10.23")
        assert local.create(order, **asked).get_json()["status"] == "succeeded"
        made.append(order)
    local.work()
    for _ in range(9):
        pass_time(local, 6 * HOUR)
    return made


def seconds_to(local: Local, kind: str) -> float:
    with local.bridge.services.database.read() as connection:
        job = jobs.one(connection, jobs.name_of(kind, local.store.id))
    assert job
    return job.due - local.clock()


def looks_at(local: Local, order: int, since: int) -> list[str]:
    """How the store was asked about an order since so many requests: singly by its path, or maybe in a list."""
    path = f"/wp-json/wc/v3/orders/{order}"
    return [
        "list" if "include" in each.query else f"single{each.path.removeprefix(path)}"
        for each in local.shop.requests[since:]
        if each.method == "GET" and (each.path == path or each.path.startswith(f"{path}/") or "include" in each.query)
    ]


@pytest.mark.parametrize("act", ACTS)
def test_a8_what_staff_do_to_a_paid_order_is_told_within_a_day_without_a_message(silent: Local, act: str) -> None:
    [order] = paid(silent)
    assert flag(silent, order) == ""
    do, told = ACTS[act]
    do(silent, order)
    pass_time(silent, LOOK)
    assert told in flag(silent, order)


def test_a8_money_that_was_captured_later_is_looked_at_too(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, capture="manual")
    order = local.shop.add_order(total="10.23")
    assert local.create(order).get_json()["status"] == "requires_capture"
    local.work()
    pass_time(local, 5 * DAY)
    local.shop.update_order(order, status="completed")
    pass_time(local, HOUR)
    assert why(local.bridge.services, str(order))[-1]["status"] == "succeeded"
    for _ in range(4):
        pass_time(local, 12 * HOUR)
    local.shop.refund(order, "1.00")
    for _ in range(8):
        pass_time(local, DAY)
    assert "has a refund of 1.00 USD" in flag(local, order)


@pytest.mark.parametrize("do", ["trash", "delete"])
def test_a8_a_paid_order_that_is_gone_is_told_when_a_message_would_tell_it(quiet: Local, do: str) -> None:
    first, second = paid(quiet, 2)
    getattr(quiet.shop, do)(first)
    for _ in range(3):
        pass_time(quiet, LOOK)
    gone = "is not in the store any more; it was paid by"
    assert (gone in flag(quiet, first)) is (do == "delete")
    assert flag(quiet, second) == ""


def test_a8_a_paid_order_is_deleted_only_if_it_is_missing_twice(quiet: Local) -> None:
    first, _ = paid(quiet, 2)
    orders = quiet.shop._shop.orders
    kept = orders.pop(first)
    since = len(quiet.shop.requests)
    while "single" not in looks_at(quiet, first, since):
        pass_time(quiet, 600)
    orders[first] = kept
    for _ in range(3):
        pass_time(quiet, LOOK)
    assert flag(quiet, first) == ""


@pytest.mark.parametrize("count", [2, 8])
def test_a8_paid_orders_that_are_missing_all_at_once_are_the_stores_fault(quiet: Local, count: int) -> None:
    made = paid(quiet, count)
    for order in made:
        quiet.shop.delete(order)
    pass_time(quiet, LOOK)
    for _ in range(5):
        pass_time(quiet, 61)
        assert f"{count} orders" in last_error(quiet)
    assert any("Nothing has been closed" in text for text in examined(quiet, code=1)["worker"])
    assert {flag(quiet, order) for order in made} == {""}


def test_a8_paid_orders_are_read_in_lists_daily_for_a_week_then_weekly_then_no_more(quiet: Local) -> None:
    made = [quiet.shop.add_order(total="10.23") for _ in range(3)]
    for order in made:
        quiet.create(order)
    quiet.work()
    days = []
    for _ in range(40):
        since = len(quiet.shop.requests)
        for _ in range(4):
            pass_time(quiet, 6 * HOUR)
        days.append(sum(look == "list" for look in looks_at(quiet, made[0], since)))
    assert sum(days[:8]) in (6, 7, 8)
    assert max(days) == 1
    assert sum(days[8:30]) in (2, 3)
    assert sum(days[30:]) == 0


def test_a8_a_hundred_paid_orders_share_a_list(quiet: Local) -> None:
    made = paid(quiet, 150)
    before, since = len(sweeps(quiet)), len(quiet.shop.requests)
    for _ in range(5):
        pass_time(quiet, 6 * HOUR)
    assert len(sweeps(quiet)) - before in (2, 3, 4)
    assert not any("single" in look for order in made for look in looks_at(quiet, order, since))
    for order in made:
        quiet.shop.update_order(order, total="5.00")
    pass_time(quiet, LOOK)
    pass_time(quiet, 60)
    assert all("comes to 5.00 USD" in flag(quiet, order) for order in made)


def test_a8_paid_orders_that_no_list_shows_are_read_singly_once_a_week(quiet: Local) -> None:
    first, second = paid(quiet, 2)
    quiet.shop._shop.orders[first].status = "shipped"
    since = len(quiet.shop.requests)
    for _ in range(4 * 14):
        pass_time(quiet, 6 * HOUR)
    assert looks_at(quiet, first, since).count("single") in (1, 2, 3)
    assert (flag(quiet, first), flag(quiet, second)) == ("", "")


def test_a8_what_a_person_has_dealt_with_is_not_told_again(quiet: Local) -> None:
    refunded, lowered = paid(quiet, 2)
    quiet.shop.refund(refunded, "1.00")
    quiet.shop.update_order(lowered, total="5.00")
    pass_time(quiet, LOOK)
    for order in (refunded, lowered):
        assert flag(quiet, order)
        clear(quiet.bridge.services, str(order), "Ann", "given in cash")
    for _ in range(10):
        pass_time(quiet, 12 * HOUR)
    assert (flag(quiet, refunded), flag(quiet, lowered)) == ("", "")
    quiet.shop.update_order(lowered, total="4.00")
    for _ in range(10):
        pass_time(quiet, DAY)
    assert "comes to 4.00 USD" in flag(quiet, lowered)


def test_a8_a_flag_goes_when_staff_have_put_the_order_right_without_a_message(quiet: Local) -> None:
    [order] = paid(quiet)
    quiet.shop.update_order(order, total="5.00")
    pass_time(quiet, LOOK)
    assert flag(quiet, order)
    quiet.shop.update_order(order, total="10.23")
    pass_time(quiet, LOOK)
    assert flag(quiet, order) == ""


def test_a8_a_refund_that_staff_want_carried_out_is_without_a_message_and_once(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, options={"store_refunds": "execute"})
    [order] = paid(local)
    local.shop.refund(order, "1.00")
    for _ in range(5):
        pass_time(local, LOOK)
    [payment] = why(local.bridge.services, str(order))
    shown = local.show(payment["payment_intent"]).get_json()
    assert (shown["charge"]["amount_refunded"], payment["flag"]) == (100, None)


def test_a8_webhooks_that_are_put_back_have_paid_orders_looked_at_at_once(quiet: Local) -> None:
    services = quiet.bridge.services
    register_webhooks(services.store(quiet.store.id), "http://127.0.0.1")
    [order] = paid(quiet)
    for _ in range(20):
        pass_time(quiet, DAY)  # by now it is looked at once a week
    while seconds_to(quiet, "webhooks") < DAY / 2:  # and the webhooks once a day, a moment ago
        pass_time(quiet, HOUR)
    for topic in statuses(quiet):
        set_status(quiet, topic, "disabled")
    quiet.shop.refund(order, "1.00")
    quiet.create("payable")
    for _ in range(2):
        pass_time(quiet, HOUR)
    pass_time(quiet, 60)
    assert set(statuses(quiet).values()) == {"active"}
    assert "has a refund of 1.00 USD" in flag(quiet, order)


def test_a8_webhooks_that_the_owner_registers_anew_have_paid_orders_looked_at_at_once(quiet: Local) -> None:
    services = quiet.bridge.services
    [order] = paid(quiet)
    for _ in range(20):
        pass_time(quiet, DAY)
    quiet.shop.refund(order, "1.00")
    register_webhooks(services.store(quiet.store.id), "http://127.0.0.1")
    pass_time(quiet, 60)
    assert "has a refund of 1.00 USD" in flag(quiet, order)


def test_a8_a_paid_order_of_which_the_store_has_still_to_hear_is_looked_at_again_soon(quiet: Local) -> None:
    [order] = paid(quiet)
    [payment] = why(quiet.bridge.services, str(order))
    quiet.shop.update_order(order, total="5.00")
    quiet.shop_faults.next(Fault.ERROR_503, times=2)
    answer = quiet.post(f"{PAYMENTS}/refund", {"charge_id": payment["charge"], "amount": 100})
    assert answer.status_code == 200, answer.text
    for _ in range(10):
        pass_time(quiet, 4 * HOUR)
    assert "comes to 5.00 USD" in flag(quiet, order)


def test_a8_a_store_that_is_away_is_asked_again_about_its_paid_orders(quiet: Local) -> None:
    [order] = paid(quiet)
    quiet.shop.refund(order, "1.00")
    quiet.shop_faults.next(Fault.ERROR_503, times=2)
    pass_time(quiet, LOOK)
    for _ in range(6):
        pass_time(quiet, HOUR)
    assert "has a refund of 1.00 USD" in flag(quiet, order)
