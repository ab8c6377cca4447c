"""A disputed order waits on hold, goes back where it was when the dispute is won and is refunded when it is lost; staff
win."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.orders import Delivery, OrderUpdate, UpdateKind
from bridge.simulators.faults import DRIPS, Fault
from bridge.stores.woocommerce.disputes import BEFORE, DISPUTE

from .conftest import TRANSACTION, Shop

LONG = (Fault.STALLED_AFTER, Fault.HUGE, *DRIPS)
PROCESSED = [fault for fault in Fault if fault.processed and fault not in LONG]
COMPLETED = Delivery(True, "the order is completed")
REFUNDED = Delivery(True, "the order is refunded")


def news(shop: Shop, order_id: int, kind: UpdateKind, **changes: Any) -> OrderUpdate:
    values: dict[str, Any] = {"refund_id": "dp_1", "note": f"Payment dispute: {kind}."}
    if kind is UpdateKind.DISPUTE_LOST:
        values |= {"refund_amount": 1023, "refund_reason": "Dispute lost."}
    return shop.update(kind, order_id, **values | changes)


def opened(shop: Shop, order_id: int, **changes: Any) -> OrderUpdate:
    return news(shop, order_id, UpdateKind.DISPUTED, **changes)


def won(shop: Shop, order_id: int, **changes: Any) -> OrderUpdate:
    return news(shop, order_id, UpdateKind.DISPUTE_WON, **changes)


def lost(shop: Shop, order_id: int, **changes: Any) -> OrderUpdate:
    return news(shop, order_id, UpdateKind.DISPUTE_LOST, **changes)


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_a_disputed_order_is_put_on_hold_and_a_person_is_told(shop: Shop, status: str) -> None:
    order_id = shop.paid_order()
    shop.simulator.update_order(order_id, status=status)
    update = opened(shop, order_id)

    delivery = shop.deliver(update)

    flag = f"Order {order_id}: its payment {TRANSACTION} is disputed, and somebody has to answer."
    assert delivery == Delivery(True, "the order is on-hold", flag)
    assert shop.asked() == ["GET", "PUT", "POST notes"]
    assert (shop.status(order_id), shop.ours(order_id)) == ("on-hold", [update.note])


@pytest.mark.parametrize("status", ["on-hold", "pending", "cancelled", "refunded", "failed", "trash"])
def test_a_disputed_order_that_nobody_would_fulfil_keeps_its_status(shop: Shop, status: str) -> None:
    order_id = shop.paid_order()
    shop.simulator.update_order(order_id, status=status)
    delivery = shop.deliver(opened(shop, order_id))
    assert ("is disputed" in delivery.flag, shop.status(order_id)) == (True, status)
    assert len(shop.ours(order_id)) == 1
    shop.deliver(won(shop, order_id))
    assert shop.status(order_id) == status


def test_a_dispute_of_a_payment_that_is_not_the_orders_leaves_it_alone(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23", status="processing", transaction_id="paypal_1")
    delivery = shop.deliver(opened(shop, order_id))
    assert ("is disputed" in delivery.flag, shop.status(order_id)) == (True, "processing")


@pytest.mark.parametrize("fault", PROCESSED)
@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(("tell", "status"), [(opened, "on-hold"), (won, "processing"), (lost, "refunded")])
def test_news_whose_answer_is_lost_have_one_effect(
    shop: Shop, tell: Callable[..., OrderUpdate], status: str, method: str, fault: Fault
) -> None:
    order_id = shop.paid_order()
    if tell is not opened:
        shop.deliver(opened(shop, order_id))
    update = tell(shop, order_id)
    before = len(shop.notes(order_id))
    shop.faults.next(fault, match=lambda request: request.method == method)

    delivery = shop.insist(update)

    assert (shop.deliver(update, first=False).flag, shop.status(order_id)) == (delivery.flag, status)
    assert shop.ours(order_id).count(update.note) == 1
    assert len(shop.notes(order_id)) == before + 2  # ours and the store's own about the status
    assert len(shop.refunds(order_id)) == (1 if tell is lost else 0)


def test_a_disputed_order_that_staff_release_is_not_put_on_hold_again(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = opened(shop, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, status="processing")
    assert shop.deliver(update, first=False).detail == "the order is processing"
    assert shop.deliver(replace(update, operation_id="again")).detail == "the order is processing"


@pytest.mark.parametrize("status", ["processing", "completed"])
def test_b9_a_dispute_that_is_won_takes_the_order_back_to_where_it_was(shop: Shop, status: str) -> None:
    order_id = shop.paid_order()
    shop.simulator.update_order(order_id, status=status)
    shop.deliver(opened(shop, order_id))
    shop.asked()
    assert shop.deliver(won(shop, order_id)) == Delivery(True, f"the order is {status}")
    assert shop.asked() == ["GET", "PUT", "POST notes"]
    assert shop.status(order_id) == status


def test_b9_a_dispute_of_before_its_orders_status_was_kept_completes_it_when_it_is_won(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    shop.simulator.update_order(order_id, meta={BEFORE: None})
    assert shop.deliver(won(shop, order_id)) == COMPLETED


@pytest.mark.parametrize("status", ["processing", "cancelled", "refunded"])
def test_what_staff_did_with_a_disputed_order_stays_when_it_is_won(shop: Shop, status: str) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    shop.simulator.update_order(order_id, status=status)
    assert shop.deliver(won(shop, order_id)) == Delivery(True, f"the order is {status}")


def test_an_order_that_staff_hold_again_after_the_dispute_was_won_stays_on_hold(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    update = won(shop, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, status="on-hold")
    assert shop.deliver(update, first=False).detail == "the order is on-hold"


@pytest.mark.parametrize("end", [won, lost])
def test_a_dispute_that_is_told_after_its_end_changes_nothing(shop: Shop, end: Callable[..., OrderUpdate]) -> None:
    order_id = shop.paid_order()
    late = opened(shop, order_id)
    shop.deliver(end(shop, order_id))
    status = shop.status(order_id)
    shop.deliver(late)
    assert shop.status(order_id) == status
    assert shop.meta(order_id)[DISPUTE] == "dp_1 closed"


def test_a_second_dispute_puts_the_order_on_hold_again(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    shop.deliver(won(shop, order_id))
    shop.deliver(opened(shop, order_id, refund_id="dp_2", operation_id="second"))
    assert shop.status(order_id) == "on-hold"


def test_an_update_without_the_disputes_id_goes_by_the_payments(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id, refund_id=""))
    assert shop.deliver(won(shop, order_id, refund_id="")).detail == "the order is processing"


def test_a_dispute_that_is_lost_refunds_the_order(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    update = lost(shop, order_id)

    assert shop.deliver(update) == REFUNDED

    assert shop.refunds(order_id) == [("10.23", "Dispute lost.", "dp_1")]
    assert shop.ours(order_id)[-1] == update.note
    assert [one["refunded_payment"] for one in shop.simulator.refunds(order_id)] == [False]


def test_a_refund_for_a_lost_dispute_has_a_reason_in_any_case(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(lost(shop, order_id, refund_reason=""))
    assert [reason for _, reason, _ in shop.refunds(order_id)] == ["Dispute lost."]


def test_the_rest_of_an_order_that_is_lost_after_a_refund_is_refunded(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.simulator.refund(order_id, "4.00")
    assert shop.deliver(lost(shop, order_id, refund_amount=623)) == REFUNDED
    assert [amount for amount, _, _ in shop.refunds(order_id)] == ["4.00", "6.23"]


def test_a_part_that_is_lost_leaves_the_order_on_hold_for_a_person(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    delivery = shop.deliver(lost(shop, order_id, refund_amount=500))
    assert delivery.flag == f"Order {order_id}: a dispute about a part of it was lost; it is on-hold."
    assert [amount for amount, _, _ in shop.refunds(order_id)] == ["5.00"]


def test_more_than_what_is_left_cannot_be_refunded_and_is_flagged(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(opened(shop, order_id))
    shop.simulator.refund(order_id, "4.00")
    update = lost(shop, order_id)
    delivery = shop.deliver(update)
    assert "only 6.23 USD of the order are left to refund" in delivery.flag
    assert shop.deliver(update, first=False) == delivery
    assert (shop.status(order_id), len(shop.refunds(order_id))) == ("on-hold", 1)


@pytest.mark.parametrize("tell", [opened, won, lost])
def test_news_of_a_dispute_do_not_concern_another_order_or_one_that_is_gone(
    shop: Shop, tell: Callable[..., OrderUpdate]
) -> None:
    order_id = shop.paid_order()
    update = tell(shop, order_id)
    another = replace(update, order_key="wc_order_another")
    assert shop.deliver(another) == Delivery(True, "this is another order now")
    assert shop.asked() == ["GET"]
    shop.simulator.delete(order_id)
    assert shop.deliver(update) == Delivery(True, "the order is gone")
