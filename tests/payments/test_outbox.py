"""What the shop hears of, when it is down, slow, or when staff were faster."""

import pytest

from bridge.domain.money import Money
from bridge.payments.record import doubt
from bridge.payments.why import why
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
    assert story["flag"].startswith("The store could not be told:")


def test_a_dead_letter_does_not_take_the_place_of_a_doubt_about_the_sum(local: Local) -> None:
    attempt = local.create().get_json()["attempt_id"]
    doubt(local.bridge.services, attempt, Money(1, "USD"))
    local.shop_faults.next(Fault.ERROR_503, times=999)
    for _ in range(90):
        local.clock.advance(4000)
        local.work()
    [story] = why(local.bridge.services, attempt)
    assert story["flag"].startswith("amount_differs: ")
    told = [event["detail"]["why"] for event in story["events"] if event["kind"] == "flagged"]
    assert any(each.startswith("The store could not be told:") for each in told)


def test_the_worker_thread_delivers_as_soon_as_a_payment_is_made(local: Local) -> None:
    local.bridge.start_worker()
    local.create()
    order_id = local.orders["payable"]
    assert local.shop.wait_until(lambda: local.shop.order(order_id)["status"] == "processing", timeout=10)
    assert local.order()["status"] == "processing"
