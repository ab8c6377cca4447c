"""A payment that succeeded meets an order that somebody else paid, changed or deleted: it is noted and flagged."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.wrappers import Request, Response

from bridge.domain.errors import StoreUnreachable
from bridge.domain.orders import Delivery, OrderUpdate, UpdateKind
from bridge.simulators.faults import Fault

from .conftest import NOW, TRANSACTION, Answering, Shop

PROCESSING = Delivery(True, "the order is processing")


def test_an_order_that_was_paid_otherwise_keeps_its_transaction_when_we_look_first(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1")

    delivery = shop.deliver(update, stale=True)

    assert "the order is paid otherwise (paypal_1)" in delivery.flag
    assert shop.simulator.order(order_id)["transaction_id"] == "paypal_1"
    assert shop.asked() == ["GET", "POST notes"]


@pytest.mark.parametrize("stale", [False, True])
def test_an_order_that_was_paid_otherwise_and_refunded_is_told_as_refunded(shop: Shop, stale: bool) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1")
    shop.simulator.update_order(order_id, status="refunded")
    assert "the order is refunded" in shop.deliver(update, stale=stale).flag


def test_another_payment_just_before_our_write_is_noticed_by_the_stores_own_clock(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.earlier(5, lambda: shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1"))

    delivery = shop.deliver(update)

    assert "seems to be paid otherwise" in delivery.flag
    assert shop.asked() == ["PUT", "GET notes", "POST notes"]
    assert shop.deliver(update, first=False) == delivery
    assert shop.asked() == ["GET", "GET notes"]


@pytest.mark.parametrize(
    ("paid", "modified", "requests"),
    [
        (0, 0, ["PUT"]),
        (0, 1, ["PUT"]),
        (-5, 0, ["PUT", "GET", "POST"]),
        (-5, -5, ["PUT", "GET", "POST"]),
        (60, 60, ["PUT"]),
        (60, 65, ["PUT", "GET", "POST"]),
        (-5, None, ["PUT", "GET", "POST"]),
    ],
    ids=[
        "paid by us",
        "paid by us around the turn of a second",
        "changed by us, paid before",
        "paid before, in a store whose date of change does not follow",
        "paid by us, in a store whose clock is ahead of its web server",
        "paid before, in a store whose clock is ahead of its web server",
        "paid before, in a store that tells no date of change",
    ],
)
def test_whether_our_write_paid_the_order_is_told_by_two_dates_of_the_same_store(
    answering: Answering, paid: int, modified: int | None, requests: list[str]
) -> None:
    seen = []

    def store(request: Request) -> Response:
        seen.append(request.method)
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        order = {"id": 7, "order_key": "wc_order_7", "status": "processing", "currency": "USD", "total": "10.23"}
        order |= {"transaction_id": TRANSACTION, "date_paid_gmt": (now + timedelta(seconds=paid)).isoformat()}
        if modified is not None:
            order |= {"date_modified_gmt": (now + timedelta(seconds=modified)).isoformat()}
        body: object = [] if request.method == "GET" else order
        return Response(json.dumps(body), content_type="application/json")

    update = OrderUpdate("op", UpdateKind.PAID, 7, "wc_order_7", 1023, "USD", TRANSACTION, read_at=NOW)
    delivery = answering(store).deliver(update, first=True)
    assert (seen, bool(delivery.flag)) == (requests, len(requests) > 1)


def test_another_payment_is_noticed_even_if_the_answer_to_our_write_is_lost(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1")
    shop.faults.next(Fault.DROPPED)
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)

    assert "seems to be paid otherwise" in shop.deliver(update, first=False).flag


def test_an_order_that_was_paid_and_reopened_long_ago_can_be_paid_again(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.earlier(3600, lambda: shop.simulator.update_order(order_id, status="processing", transaction_id="old"))
    shop.simulator.update_order(order_id, status="pending")
    assert shop.deliver(shop.update(UpdateKind.PAID, order_id)) == PROCESSING


def test_an_order_that_is_paid_by_somebody_else_between_our_look_and_our_write_is_flagged(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)

    def pay() -> None:
        shop.earlier(5, lambda: shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1"))

    shop.interruptions.before("PUT", pay)
    assert "seems to be paid otherwise" in shop.deliver(update, stale=True).flag


CHANGES = {
    "total": ({"total": "99.00"}, "the order's total is 99.00 USD now"),
    "currency": ({"currency": "EUR"}, "the order's total is 10.23 EUR now"),
    "key": ({"order_key": "wc_order_another"}, "this is another order now"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_order_that_changed_before_a_late_delivery_is_left_as_it_is(shop: Shop, change: str) -> None:
    fields, sentence = CHANGES[change]
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, **fields)

    assert sentence in shop.deliver(update, stale=True).flag
    assert shop.status(order_id) == "pending"
    assert shop.asked() == ["GET", "POST notes"]


@pytest.mark.parametrize("change", CHANGES)
def test_an_order_that_our_fresh_write_paid_although_it_had_changed_is_put_on_hold_once(
    shop: Shop, change: str
) -> None:
    fields, sentence = CHANGES[change]
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, **fields)

    delivery = shop.deliver(update)

    assert f"{sentence}; it was put on hold" in delivery.flag
    assert shop.status(order_id) == "on-hold"
    assert shop.asked() == ["PUT", "PUT", "POST notes"]
    shop.simulator.update_order(order_id, status="processing")
    assert shop.deliver(update, first=False).flag == delivery.flag
    assert shop.status(order_id) == "processing"


def test_an_order_that_changed_is_put_on_hold_even_if_the_answer_to_our_write_is_lost(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, total="99.00")
    shop.faults.next(Fault.DROPPED)
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)

    assert "put on hold" in shop.deliver(update, first=False).flag
    assert shop.status(order_id) == "on-hold"


def test_an_order_that_was_put_on_hold_is_noted_and_flagged_even_if_the_note_is_lost_at_first(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, total="99.00")
    shop.faults.next(Fault.REFUSED, match="POST")
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    assert shop.status(order_id) == "on-hold"

    assert "put on hold" in shop.deliver(update, first=False).flag
    assert len([note for note in shop.notes(order_id) if "put on hold" in note]) == 1
    assert len([note for note in shop.notes(order_id) if "to On hold" in note]) == 1


def test_an_order_that_staff_ended_after_it_had_changed_and_was_paid_is_flagged_and_stays_ended(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, total="99.00", status="cancelled")
    delivery = shop.deliver(update, first=False)
    assert ("the order's total is 99.00 USD now" in delivery.flag, delivery.detail) == (True, "not fulfilled")
    assert shop.status(order_id) == "cancelled"


@pytest.mark.parametrize("stale", [False, True])
def test_an_order_that_is_gone_is_flagged_and_done(shop: Shop, stale: bool) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.delete(order_id)
    delivery = shop.deliver(update, stale=stale)
    assert (delivery.done, delivery.detail) == (True, "the order is gone")
    assert "the order does not exist any more" in delivery.flag


def test_two_updates_of_one_order_have_different_references(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, status="cancelled")
    shop.deliver(update)
    shop.deliver(replace(update, operation_id="operation-2"), first=False)
    assert len([note for note in shop.notes(order_id) if "[ref " in note]) == 2
