"""Refunds at Forte Platforms, which gives them no name of ours: none is forgotten, none is counted twice."""

from typing import Any

import pytest

from bridge.domain.deadlines import ON_ITS_WAY
from bridge.payments.refunds import REPEAT_SECONDS
from bridge.simulators.faults import Fault
from tests.forte.conftest import Shop, pay, story, tell

REFUNDS = "/wp-json/wc/v3/payments/refund"


@pytest.fixture
def paid(platform: Shop) -> Shop:
    created = platform.create()
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(created["pay_url"]) == "paid"
    assert platform.status() == "processing"
    return platform


def send_back(shop: Shop, amount: int) -> Any:
    return shop.local.post(REFUNDS, {"order_id": shop.local.orders["payable"], "amount": amount})


def at_forte(shop: Shop) -> list[int]:
    return [refund["amountCents"] for refund in shop.platform.payments[0]["refundHistory"]]


def in_shop(shop: Shop) -> list[str]:
    return sorted(refund["amount"] for refund in shop.local.shop.refunds(shop.local.orders["payable"]))


def settle(shop: Shop, seconds: float = 60.0) -> None:
    shop.local.clock.advance(seconds)
    shop.local.work()


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, Fault.HTML])
def test_98_a_refund_whose_answer_was_lost_is_recognised_and_counted_once(paid: Shop, fault: Fault) -> None:
    paid.faults.next(fault, match="/refund")
    assert send_back(paid, 500).status_code == 500
    settle(paid)
    assert (at_forte(paid), in_shop(paid)) == ([500], ["5.00"])
    assert send_back(paid, 524).json["code"] == "error"
    paid.local.clock.advance(ON_ITS_WAY + 120)
    settle(paid)
    assert send_back(paid, 523).status_code == 200
    settle(paid)
    assert (at_forte(paid), in_shop(paid)) == ([500, 523], ["5.00", "5.23"])
    assert paid.status() == "refunded"


def test_97_98_a_trigger_that_comes_before_the_look_counts_nothing_twice(paid: Shop) -> None:
    """The payment is read for another reason while the refund has no known outcome."""
    paid.faults.next(Fault.DROPPED, match="/refund")
    send_back(paid, 500)
    tell(paid, paid.platform.payments[0]["id"], "REFUNDED", X_Forte_Trusted="1")
    paid.local.work()
    settle(paid)
    settle(paid, ON_ITS_WAY + 120)
    assert in_shop(paid) == ["5.00"]
    assert send_back(paid, 523).status_code == 200
    assert at_forte(paid) == [500, 523]


def test_98_a_refund_that_never_arrived_is_given_up_once_it_cannot_arrive_any_more(paid: Shop) -> None:
    paid.faults.next(Fault.ERROR_503, match="POST ")
    send_back(paid, 500)
    settle(paid)
    assert send_back(paid, 1023).json["code"] == "error"
    settle(paid, ON_ITS_WAY + 3600)
    assert (at_forte(paid) if "refundHistory" in paid.platform.payments[0] else [], in_shop(paid)) == ([], [])
    assert send_back(paid, 1023).status_code == 200
    assert at_forte(paid) == [1023]


def test_97_two_refunds_of_the_same_sum_are_two(paid: Shop) -> None:
    assert send_back(paid, 500).status_code == 200
    settle(paid, REPEAT_SECONDS + 1)
    paid.faults.next(Fault.DROPPED, match="/refund")
    lost = send_back(paid, 500)
    assert lost.json["data"]["outcome"] == "unknown", lost.json
    settle(paid)
    assert (at_forte(paid), in_shop(paid)) == ([500, 500], ["5.00", "5.00"])
    paid.platform.refund_on_stripe(paid.platform.payments[0]["id"], 23)
    tell(paid, paid.platform.payments[0]["id"], "REFUNDED", X_Forte_Trusted="1")
    paid.local.work()
    assert in_shop(paid) == ["0.23", "5.00", "5.00"]
    assert paid.status() == "refunded"
    assert story(paid, paid.platform.payments[0]["id"])["flag"] is None


def test_97_a_refund_is_recorded_once_although_its_payment_was_never_heard_of(platform: Shop) -> None:
    created = platform.create()
    payment = pay(platform)
    platform.platform.refund_on_stripe(payment)
    for _ in range(2):
        tell(platform, payment, "REFUNDED", X_Forte_Trusted="1")
        platform.local.work()
    shown = platform.show(created["id"])
    assert (shown["status"], shown["charge"]["refunded"]) == ("succeeded", True)
    assert in_shop(platform) == ["10.23"]
