"""A payment that succeeded reaches its order once: the ordinary way, late, again, and after an authorisation."""

from collections.abc import Callable

import pytest

from bridge.domain.errors import StoreRefused, StoreUnreachable
from bridge.domain.orders import Delivery, UpdateKind
from bridge.simulators.faults import Fault

from .conftest import TRANSACTION, Shop

PAYMENT_NOTE = f"Payment via Card (wcpay-bridge) ({TRANSACTION})."
PROCESSING = Delivery(True, "the order is processing")


def test_an_ordinary_success_is_one_read_and_one_write(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")

    order = shop.book.read(order_id)
    delivery = shop.deliver(shop.update(UpdateKind.PAID, order.id, order_key=order.key))

    assert delivery == PROCESSING
    assert shop.asked() == ["GET", "PUT"]
    paid = shop.simulator.order(order_id)
    assert (paid["status"], paid["transaction_id"]) == ("processing", TRANSACTION)
    assert (paid["payment_method"], paid["payment_method_title"]) == ("wcpay_bridge", "Card (wcpay-bridge)")
    assert shop.meta(order_id) == {"_intent_id": TRANSACTION, "_charge_id": "ch_1", "_intention_status": "succeeded"}
    assert shop.notes(order_id) == [PAYMENT_NOTE]


def test_the_store_says_what_its_orders_show_as_payment_method(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop({"payment_method": "cards", "payment_method_title": "Credit card"})
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.PAID, order_id))
    order = shop.simulator.order(order_id)
    assert (order["payment_method"], order["payment_method_title"]) == ("cards", "Credit card")


@pytest.mark.parametrize(
    ("features", "order", "amount"),
    [
        ({}, {"total": "500", "currency": "JPY"}, 500),
        ({"currency": "JPY", "price_decimals": 0}, {"total": "500"}, 500),
        ({"currency": "KWD", "price_decimals": 3}, {"total": "1.230"}, 1230),
    ],
    ids=["yen shown as 500.00", "yen shown as 500", "dinars with three decimals"],
)
def test_the_total_is_compared_in_the_currency_and_not_in_the_stores_decimals(
    open_shop: Callable[..., Shop], features: dict[str, object], order: dict[str, str], amount: int
) -> None:
    shop = open_shop(**features)
    order_id = shop.simulator.add_order(**order)
    assert shop.deliver(shop.update(UpdateKind.PAID, order_id, amount=amount)) == PROCESSING


@pytest.mark.parametrize(
    ("total", "rounding", "status"),
    [
        ("10.235", "half_up", "processing"),
        ("10.244", "half_up", "processing"),
        ("10.234", "half_up", "on-hold"),
        ("10.235", "exact", "on-hold"),
    ],
)
def test_a_rounded_amount_is_the_orders_total_only_where_the_store_rounds(
    open_shop: Callable[..., Shop], total: str, rounding: str, status: str
) -> None:
    shop = open_shop({"rounding": rounding}, price_decimals=3)
    order_id = shop.simulator.add_order(total=total)
    shop.deliver(shop.update(UpdateKind.PAID, order_id, amount=1024))
    assert shop.status(order_id) == status


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_a_late_delivery_looks_before_it_writes(shop: Shop, status: str) -> None:
    order_id = shop.simulator.add_order(total="10.23", status=status)
    delivery = shop.deliver(shop.update(UpdateKind.PAID, order_id), stale=True)
    assert delivery == PROCESSING
    assert shop.asked() == ["GET", "PUT"]
    assert shop.notes(order_id)[-1] == PAYMENT_NOTE


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.CUT, Fault.TRUNCATED, Fault.PROCESSED_500, Fault.HTML])
def test_a_write_whose_answer_is_lost_has_one_effect_when_it_is_delivered_again(shop: Shop, fault: Fault) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.faults.next(fault)
    with pytest.raises((StoreUnreachable, StoreRefused)):
        shop.deliver(update)
    assert shop.status(order_id) == "processing"

    assert [shop.deliver(update, first=False) for _ in range(3)] == [PROCESSING] * 3

    assert shop.asked() == ["PUT"] + ["GET", "GET notes"] * 3
    assert shop.notes(order_id) == [PAYMENT_NOTE]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ERROR_503, Fault.RATE_LIMITED])
def test_a_write_that_never_arrived_is_made_when_it_is_delivered_again(shop: Shop, fault: Fault) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.faults.next(fault)
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    assert shop.status(order_id) == "pending"

    assert shop.deliver(update, first=False) == PROCESSING
    assert shop.asked() == ["GET", "PUT"]
    assert shop.notes(order_id) == [PAYMENT_NOTE]


def test_meta_that_got_lost_is_put_back(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, meta={"_charge_id": None})
    shop.asked()

    assert shop.deliver(update, first=False) == PROCESSING
    assert shop.asked() == ["GET", "GET notes", "PUT"]
    assert shop.meta(order_id)["_charge_id"] == "ch_1"


@pytest.mark.parametrize("status", ["completed", "pending", "on-hold", "cancelled", "refunded"])
def test_what_staff_did_with_an_order_after_it_was_paid_is_left_as_it_is(shop: Shop, status: str) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.deliver(update)
    shop.simulator.update_order(order_id, status=status)
    before = shop.simulator.order(order_id)
    assert shop.deliver(update, first=False) == Delivery(True, f"the order is {status}")
    assert shop.simulator.order(order_id) == before


@pytest.mark.parametrize("stale", [False, True])
def test_our_own_authorisation_is_followed_by_processing(shop: Shop, stale: bool) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    shop.asked()
    captured = shop.update(UpdateKind.PAID, order_id)

    assert shop.deliver(captured, stale=stale) == PROCESSING

    assert shop.asked() == [("GET" if stale else "PUT"), "PUT", "POST notes"]
    assert shop.meta(order_id)["_intention_status"] == "succeeded"
    assert shop.simulator.order(order_id)["date_paid"]
    notes = shop.notes(order_id)
    assert shop.deliver(captured, first=False) == PROCESSING
    assert shop.notes(order_id) == notes


IN_PERSON = {"status": "completed", "title": "WooCommerce In-Person Payments"}


@pytest.mark.parametrize("authorized", [False, True])
def test_a_payment_that_says_so_ends_in_another_status_under_another_title(shop: Shop, authorized: bool) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    if authorized:
        shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id, title=IN_PERSON["title"]))
    paid = shop.update(UpdateKind.PAID, order_id, **IN_PERSON)
    assert shop.deliver(paid) == Delivery(True, "the order is completed")
    order = shop.simulator.order(order_id)
    assert (order["payment_method"], order["payment_method_title"]) == ("wcpay_bridge", IN_PERSON["title"])
    assert order["date_paid"]
    notes = shop.notes(order_id)
    shop.simulator.update_order(order_id, status="processing")
    assert shop.deliver(paid, first=False) == PROCESSING
    assert shop.notes(order_id)[: len(notes)] == notes


@pytest.mark.parametrize("status", ["cancelled", "on-hold", "refunded"])
def test_an_order_that_must_not_be_fulfilled_does_not_get_there_either(shop: Shop, status: str) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    paid = shop.update(UpdateKind.PAID, order_id, **IN_PERSON)
    shop.simulator.update_order(order_id, status=status)
    assert shop.deliver(paid, stale=True).flag
    assert shop.status(order_id) == status


@pytest.mark.parametrize("stale", [False, True])
def test_a_capture_of_an_order_that_changed_while_it_was_on_hold_is_flagged(shop: Shop, stale: bool) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    shop.simulator.update_order(order_id, total="99.00")
    delivery = shop.deliver(shop.update(UpdateKind.PAID, order_id), stale=stale)
    assert "the order's total is 99.00 USD now" in delivery.flag
    assert (shop.status(order_id), shop.simulator.order(order_id)["date_paid"]) == ("on-hold", None)


def test_a_captured_order_that_staff_put_back_on_hold_stays_there(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    captured = shop.update(UpdateKind.PAID, order_id)
    shop.deliver(captured)
    shop.simulator.update_order(order_id, status="on-hold")
    shop.deliver(captured, first=False)
    assert shop.status(order_id) == "on-hold"


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("status", ["on-hold", "cancelled", "refunded", "trash"])
def test_money_for_an_order_that_must_not_be_fulfilled_is_noted_and_flagged(
    shop: Shop, status: str, stale: bool
) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, status=status)

    delivery = shop.deliver(update, stale=stale)

    sentence = (
        f"A payment of 10.23 USD ({TRANSACTION}) has arrived, but the order is {status}. "
        "It was not fulfilled automatically: somebody has to decide."
    )
    assert delivery == Delivery(True, "not fulfilled", f"Order {order_id}: {sentence}")
    assert shop.status(order_id) == status
    assert [note for note in shop.notes(order_id) if note.startswith(f"{sentence} [ref ")] == [shop.notes(order_id)[-1]]
    count = len(shop.notes(order_id))
    assert shop.deliver(update, first=False) == delivery
    assert len(shop.notes(order_id)) == count


def test_a_held_order_whose_lost_write_left_our_intent_in_it_is_still_not_ours(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    update = shop.update(UpdateKind.PAID, order_id)
    shop.simulator.update_order(order_id, status="on-hold")
    shop.faults.next(Fault.DROPPED)
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    assert shop.meta(order_id)["_intent_id"] == TRANSACTION

    assert "the order is on-hold" in shop.deliver(update, first=False).flag
    assert shop.status(order_id) == "on-hold"
