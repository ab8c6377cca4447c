"""What is not a success reaches the order too, each once: authorised, started, cancelled, failed, and plain notes."""

from collections.abc import Callable

import pytest

from bridge.domain.errors import StoreRefused, StoreUnreachable
from bridge.domain.orders import Delivery, UpdateKind
from bridge.simulators.faults import Fault
from bridge.stores.woocommerce.delivery_steps import HOLD, reference

from .conftest import TRANSACTION, Shop

ON_HOLD = Delivery(True, "the order is on hold")


def pay_otherwise(shop: Shop, order_id: int) -> None:
    shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1")


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_an_authorisation_puts_the_order_on_hold(shop: Shop, status: str) -> None:
    order_id = shop.simulator.add_order(total="10.23", status=status)
    update = shop.update(UpdateKind.AUTHORIZED, order_id, note="A payment of 10.23 USD was authorized.")

    assert shop.deliver(update) == ON_HOLD

    assert shop.asked() == ["GET", "PUT", "POST notes"]
    order = shop.simulator.order(order_id)
    assert (order["status"], order["transaction_id"], order["date_paid"]) == ("on-hold", TRANSACTION, None)
    assert order["payment_method"] == "wcpay_bridge"
    assert shop.meta(order_id)["_intention_status"] == "requires_capture"
    assert shop.notes(order_id)[-1] == f"A payment of 10.23 USD was authorized. {reference(update.operation_id)}"


@pytest.mark.parametrize("lost", ["PUT", "POST"])
def test_an_authorisation_whose_answer_is_lost_has_one_effect(shop: Shop, lost: str) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.AUTHORIZED, order_id)
    shop.faults.next(Fault.DROPPED, match=lost)
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)

    assert [shop.deliver(update, first=False) for _ in range(2)] == [ON_HOLD] * 2
    assert len([note for note in shop.notes(order_id) if "[ref " in note]) == 1
    assert len([note for note in shop.notes(order_id) if "changed" in note]) == 1


def test_meta_of_an_authorisation_that_got_lost_is_put_back(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.AUTHORIZED, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, meta={"_charge_id": None})
    assert shop.deliver(update, first=False) == ON_HOLD
    assert shop.meta(order_id)["_charge_id"] == "ch_1"


def test_an_authorised_order_that_changed_before_its_delivery_was_over_is_flagged(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.AUTHORIZED, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, total="99.00")
    assert "the order's total is 99.00 USD now" in shop.deliver(update, first=False).flag


def test_an_authorisation_that_staff_released_is_not_put_on_hold_again(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.AUTHORIZED, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, status="pending")
    assert shop.deliver(update, first=False).detail == "not fulfilled"
    assert shop.status(order_id) == "pending"


def test_an_authorisation_that_comes_after_its_capture_changes_nothing(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    authorized = shop.update(UpdateKind.AUTHORIZED, order_id)
    shop.deliver(shop.update(UpdateKind.PAID, order_id))
    shop.asked()
    assert shop.deliver(authorized) == Delivery(True, "the order is paid already")
    assert shop.asked() == ["GET"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "processing", "transaction_id": "paypal_1"}, "the order is paid otherwise (paypal_1)"),
        ({"status": "cancelled"}, "the order is cancelled"),
        ({"status": "on-hold"}, "the order is on-hold"),
        ({"total": "99.00"}, "the order's total is 99.00 USD now"),
    ],
)
def test_an_authorisation_for_an_order_that_changed_is_noted_and_flagged(
    shop: Shop, change: dict[str, str], why: str
) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.AUTHORIZED, order_id)
    shop.simulator.update_order(order_id, **change)
    before = shop.simulator.order(order_id)

    delivery = shop.deliver(update)

    assert f"A payment of 10.23 USD ({TRANSACTION}) was authorized, but {why}." in delivery.flag
    assert shop.simulator.order(order_id) == before
    assert why in shop.notes(order_id)[-1]


@pytest.mark.parametrize("kind", [UpdateKind.STARTED, UpdateKind.NOTE])
def test_a_plain_note_is_one_request_and_leaves_the_status(shop: Shop, kind: UpdateKind) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(kind, order_id, note="3-D Secure is asked for.")
    assert shop.deliver(update) == Delivery(True, "noted")
    assert shop.asked() == ["POST notes"]
    assert shop.status(order_id) == "pending"
    assert shop.notes(order_id) == [f"3-D Secure is asked for. {reference(update.operation_id)}"]


def test_a_note_whose_answer_is_lost_is_not_repeated(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.NOTE, order_id)
    shop.faults.next(Fault.DROPPED)
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    assert shop.deliver(update, first=False) == Delivery(True, "noted")
    assert shop.asked() == ["POST notes", "GET notes"]
    assert len(shop.notes(order_id)) == 1


def test_a_note_is_text_and_not_html(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.NOTE, order_id, note='Declined: <script src="//x"></script> & "no".'))
    assert shop.notes(order_id)[0].startswith('Declined: &lt;script src="//x"&gt;&lt;/script&gt; &amp; "no". [ref ')


def test_nothing_to_say_is_said_without_asking_the_store(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    assert shop.deliver(shop.update(UpdateKind.NOTE, order_id, note="")).done
    assert shop.asked() == []


def test_a_note_for_an_order_that_is_gone_is_done_and_needs_nobody(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.NOTE, order_id)
    shop.simulator.delete(order_id)
    assert shop.deliver(update) == Delivery(True, "the order is gone")


def test_a_failure_makes_a_pending_order_failed(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.FAILED, order_id)
    assert shop.deliver(update) == Delivery(True, "the order is failed")
    assert shop.asked() == ["GET", "PUT", "POST notes"]
    shop.simulator.update_order(order_id, status="pending")
    shop.deliver(update, first=False)
    assert shop.status(order_id) == "pending"
    assert len([note for note in shop.notes(order_id) if "[ref " in note]) == 1


@pytest.mark.parametrize("kind", [UpdateKind.FAILED, UpdateKind.CANCELLED])
def test_an_end_of_our_authorisation_ends_the_order_that_it_holds(shop: Shop, kind: UpdateKind) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    assert shop.deliver(shop.update(kind, order_id)) == Delivery(True, f"the order is {kind}")
    assert shop.status(order_id) == kind


def test_a_cancellation_ends_a_pending_order_that_shows_our_payment(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23", meta={"_intent_id": TRANSACTION})
    shop.deliver(shop.update(UpdateKind.CANCELLED, order_id))
    assert shop.status(order_id) == "cancelled"


@pytest.mark.parametrize("meta", [{}, {"_intent_id": "pi_another"}])
def test_a_cancellation_leaves_a_pending_order_that_does_not_show_our_payment_payable(
    shop: Shop, meta: dict[str, str]
) -> None:
    order_id = shop.simulator.add_order(total="10.23", meta=meta)
    assert shop.deliver(shop.update(UpdateKind.CANCELLED, order_id)) == Delivery(True, "the order is pending")
    assert shop.status(order_id) == "pending"
    assert len(shop.notes(order_id)) == 1


@pytest.mark.parametrize("kind", [UpdateKind.FAILED, UpdateKind.CANCELLED])
def test_an_end_never_touches_an_order_that_is_paid_or_held_otherwise(shop: Shop, kind: UpdateKind) -> None:
    paid = shop.simulator.add_order(total="10.23")
    held = shop.simulator.add_order(total="10.23", status="on-hold", meta={HOLD: "pi_another"})
    pay_otherwise(shop, paid)
    assert shop.deliver(shop.update(kind, paid)) == Delivery(True, "the order is processing")
    assert shop.deliver(shop.update(kind, held)) == Delivery(True, "the order is on-hold")
    assert (shop.status(paid), shop.status(held)) == ("processing", "on-hold")


CANCELED = {"meta": {"_intention_status": "canceled"}}


@pytest.mark.parametrize("before", [None, "cancelled", "failed"])
@pytest.mark.parametrize("kind", [UpdateKind.FAILED, UpdateKind.CANCELLED])
def test_the_end_of_an_authorisation_is_in_the_orders_meta_whoever_ended_the_order(
    shop: Shop, kind: UpdateKind, before: str | None
) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    if before:
        shop.simulator.update_order(order_id, status=before)
    shop.deliver(shop.update(kind, order_id, **CANCELED))
    assert shop.meta(order_id)["_intention_status"] == "canceled"


@pytest.mark.parametrize("kind", [UpdateKind.FAILED, UpdateKind.CANCELLED])
def test_an_end_leaves_the_meta_of_another_payment_alone(shop: Shop, kind: UpdateKind) -> None:
    order_id = shop.simulator.add_order(
        total="10.23", meta={"_intent_id": "pi_another", "_intention_status": "succeeded"}
    )
    shop.deliver(shop.update(kind, order_id, **CANCELED))
    assert shop.meta(order_id)["_intention_status"] == "succeeded"


def test_a_cancelled_authorisation_of_an_order_that_staff_already_fulfilled_is_flagged(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    shop.simulator.update_order(order_id, status="completed")
    delivery = shop.deliver(shop.update(UpdateKind.CANCELLED, order_id))
    assert delivery.flag == f"Order {order_id} is completed, but its payment {TRANSACTION} was cancelled."


def test_an_end_does_not_concern_another_order_with_the_same_id(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    delivery = shop.deliver(shop.update(UpdateKind.FAILED, order_id, order_key="wc_order_another"))
    assert delivery == Delivery(True, "this is another order now")
    assert shop.asked() == ["GET"]


def test_a_key_that_may_only_read_makes_the_delivery_wait(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(permissions="read")
    order_id = shop.simulator.add_order(total="10.23")
    with pytest.raises(StoreRefused, match="lacks the permission to write"):
        shop.deliver(shop.update(UpdateKind.PAID, order_id))
