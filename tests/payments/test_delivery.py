"""What the shop hears of, when it is down, slow, or when staff were faster."""

import pytest

from bridge.domain.money import Money
from bridge.operations.why import why
from bridge.payments.record import flag_amount_mismatch
from bridge.simulators.faults import Fault
from tests.plugins.local import Local, MakeLocal


def test_an_update_waits_for_a_shop_that_is_down_and_arrives_once(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    intent = local.create().get_json()
    local.shop_faults.next(Fault.ERROR_503, times=3)
    local.work()
    assert local.order()["status"] == "pending"
    for _ in range(4):
        local.clock.advance(600)
        local.work()
    assert local.order()["status"] == "processing"
    assert local.order()["transaction_id"] == intent["id"]
    assert local.notes() == [f"Payment via Card (wcpay-bridge) ({intent['id']})."]


def test_an_update_whose_answer_was_lost_has_one_effect(local: Local) -> None:
    intent = local.create().get_json()
    local.shop_faults.next(Fault.DROPPED)
    local.work()
    local.clock.advance(60)
    local.work()
    assert local.order()["status"] == "processing"
    assert local.notes() == [f"Payment via Card (wcpay-bridge) ({intent['id']})."]


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_money_for_an_order_that_staff_closed_is_noted_and_flagged_never_fulfilled(local: Local, status: str) -> None:
    intent = local.create().get_json()
    local.shop.update_order(local.orders["payable"], status=status)
    local.work()
    assert local.order()["status"] == status
    assert any(intent["id"] in note for note in local.notes())
    [story] = why(local.bridge.services, intent["id"])
    assert story["flag"]


def test_an_order_whose_total_changed_is_flagged_and_not_fulfilled_by_a_later_delivery(local: Local) -> None:
    intent = local.create().get_json()
    local.shop.update_order(local.orders["payable"], total="99.00")
    local.clock.advance(3600)
    local.work()
    assert local.order()["status"] == "pending"
    [story] = why(local.bridge.services, intent["id"])
    assert story["flag"]


def test_updates_of_one_order_arrive_in_order(local: Local) -> None:
    local.create(payment_method="pm_card_chargeDeclined")
    paid = local.create().get_json()
    local.shop_faults.next(Fault.ERROR_503)
    local.work()
    assert local.order()["status"] == "pending"
    local.clock.advance(60)
    local.work()
    notes = local.notes()
    assert "failed" in notes[0]
    assert notes[1] == f"Payment via Card (wcpay-bridge) ({paid['id']})."


def test_a_shop_that_stays_down_leaves_a_dead_letter_that_a_person_sees(local: Local) -> None:
    intent = local.create().get_json()
    local.shop_faults.next(Fault.ERROR_503, times=999)
    for _ in range(90):
        local.clock.advance(4000)
        local.work()
    [story] = why(local.bridge.services, intent["id"])
    assert story["store_updates"][0]["state"] == "dead"
    assert story["flag"].startswith("The store could not be updated:")


def test_a_dead_letter_does_not_take_the_place_of_a_doubt_about_the_sum(local: Local) -> None:
    attempt = local.create().get_json()["attempt_id"]
    flag_amount_mismatch(local.bridge.services, attempt, Money(1, "USD"))
    local.shop_faults.next(Fault.ERROR_503, times=999)
    for _ in range(90):
        local.clock.advance(4000)
        local.work()
    [story] = why(local.bridge.services, attempt)
    assert story["flag"].startswith("amount_differs: ")
    told = [event["detail"]["why"] for event in story["events"] if event["kind"] == "flagged"]
    assert any(each.startswith("The store could not be updated:") for each in told)


def test_the_worker_thread_delivers_as_soon_as_a_payment_is_made(local: Local) -> None:
    local.bridge.start_worker()
    local.create()
    order_id = local.orders["payable"]
    assert local.shop.wait_until(lambda: local.shop.order(order_id)["status"] == "processing", timeout=10)
    assert local.order()["status"] == "processing"


def test_a_note_whose_answer_was_lost_is_not_written_a_second_time(local: Local) -> None:
    """A second delivery is not a first one: it looks for what the first one has left behind."""
    local.create(payment_method="pm_card_chargeDeclined")
    local.shop_faults.next(Fault.DROPPED, match="/notes")
    for _ in range(3):
        local.work()
        local.clock.advance(60)
    assert sum("Your card was declined." in note for note in local.notes()) == 1


def test_a_refund_whose_answer_was_lost_is_not_written_down_a_second_time(local: Local) -> None:
    local.create()
    local.work()
    assert local.post("/wp-json/wc/v3/payments/refund", {"order_id": local.orders["payable"], "amount": 300}).is_json
    local.shop_faults.next(Fault.DROPPED, match="POST /wp-json/wc/v3/orders")
    for _ in range(3):
        local.work()
        local.clock.advance(60)
    assert [refund["amount"] for refund in local.shop.refunds(local.orders["payable"])] == ["3.00"]
    assert sum("A refund of 3.00 USD" in note for note in local.notes()) == 1


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, Fault.ERROR_503])
def test_the_second_delivery_of_a_payment_does_not_pay_an_order_that_was_cancelled_meanwhile(
    local: Local, fault: Fault
) -> None:
    """It comes within the seconds in which a first one writes without a look."""
    intent = local.create().get_json()["id"]
    local.shop_faults.next(fault)
    local.work()
    local.shop.update_order(local.orders["payable"], status="cancelled")
    before = len(local.shop.requests)
    local.clock.advance(20)
    local.work()
    assert local.order()["status"] == "cancelled"
    assert local.shop.requests[before].method == "GET"
    assert any(intent in note for note in local.notes())


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("kind", ["paid", "authorised", "voided", "refunded"])
def test_what_an_order_is_owed_never_reaches_another_one_that_has_its_number(
    make_local: MakeLocal, sqlite_url: str, kind: str, seconds: int
) -> None:
    """But for a payment that was read a moment before: its one write has no look before it."""
    local = make_local(sqlite_url, capture="automatic" if kind in ("paid", "refunded") else "manual")
    intent, order = local.create().get_json()["id"], local.orders["payable"]
    if kind in ("voided", "refunded"):
        local.work()
    if kind == "voided":
        path = f"/wp-json/wc/v3/payments/orders/{order}/cancel_authorization"
        assert local.post(path, {"payment_intent_id": intent}).status_code == 200
    if kind == "refunded":
        assert local.post("/wp-json/wc/v3/payments/refund", {"order_id": order, "amount": 300}).status_code == 200
    local.shop.update_order(order, order_key="wc_order_another")
    before = local.order()["status"]
    local.clock.advance(seconds)
    local.work()
    if (kind, seconds) == ("paid", 0):
        assert local.order()["status"] == "on-hold"
        return
    assert local.order()["status"] == before
    assert local.shop.refunds(order) == []
