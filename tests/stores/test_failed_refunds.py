"""A refund that fails later is taken out of the store, once, and a person is told."""

import pytest

from bridge.domain.errors import StoreUnreachable
from bridge.domain.orders import Delivery
from bridge.simulators.faults import Fault

from .conftest import Shop
from .refund_updates import PROCESSED, failure, refund


def test_a_refund_that_fails_later_is_taken_out_of_the_store(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id))
    shop.simulator.refund(order_id, "1.00", "By hand")
    shop.asked()

    delivery = shop.deliver(failure(shop, order_id))

    assert delivery.flag == f"Order {order_id}: a refund of 5.00 USD (re_1) has failed."
    assert shop.asked() == ["GET", "GET refunds", "DELETE refunds", "GET", "PUT", "POST notes"]
    assert shop.refunds(order_id) == [("1.00", "By hand", "")]
    assert (shop.status(order_id), shop.meta(order_id)["_wcpay_refund_status"]) == ("processing", "failed")


def test_an_order_whose_whole_refund_fails_is_failed(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id, 1023))
    shop.deliver(failure(shop, order_id, 1023))
    assert (shop.status(order_id), shop.refunds(order_id)) == ("failed", [])


def test_an_order_that_staff_refund_in_full_after_a_failure_stays_refunded(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id, 1023))
    update = failure(shop, order_id, 1023)
    shop.faults.next(Fault.DROPPED, match=lambda request: request.method == "PUT")
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    shop.simulator.update_order(order_id, status="refunded")
    assert shop.deliver(update, first=False).done
    assert (shop.status(order_id), [reason for _, reason, _ in shop.refunds(order_id)]) == (
        "refunded",
        ["Order fully refunded."],
    )


@pytest.mark.parametrize("fault", PROCESSED)
@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST"])
def test_a_failure_whose_answers_are_lost_has_one_effect(shop: Shop, fault: Fault, method: str) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id, 1023))
    update = failure(shop, order_id, 1023)
    shop.faults.next(fault, match=lambda request: request.method == method)

    shop.insist(update)
    shop.deliver(update, first=False)

    assert (shop.status(order_id), shop.refunds(order_id)) == ("failed", [])
    assert shop.ours(order_id).count(update.note) == 1
    assert len([note for note in shop.notes(order_id) if "to Failed" in note]) == 1


def test_a_failure_that_is_told_again_does_not_speak_of_a_later_refund(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id))
    failed = failure(shop, order_id)
    flag = shop.deliver(failed).flag
    shop.deliver(refund(shop, order_id, refund_id="re_2"))
    shop.asked()
    assert shop.deliver(failed, first=False).flag == flag
    assert shop.asked() == ["GET", "GET notes"]
    assert shop.meta(order_id)["_wcpay_refund_status"] == "successful"


def test_a_refund_that_staff_delete_just_before_we_do_is_gone_all_the_same(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id))
    [made] = shop.book.refunds(order_id)
    shop.interruptions.before("DELETE", lambda: shop.simulator.delete_refund(order_id, made.id))
    assert shop.deliver(failure(shop, order_id)).done
    assert shop.refunds(order_id) == []


def test_a_failure_of_a_refund_that_the_store_does_not_have_is_noted(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.deliver(refund(shop, order_id, refund_id="re_2"))
    delivery = shop.deliver(failure(shop, order_id))
    assert "(re_1) has failed" in delivery.flag
    assert [each[2] for each in shop.refunds(order_id)] == ["re_2"]
    assert shop.status(order_id) == "processing"


def test_a_refund_that_failed_does_not_come_back_with_a_late_delivery(shop: Shop) -> None:
    order_id = shop.paid_order()
    made = refund(shop, order_id)
    shop.deliver(made)
    shop.deliver(failure(shop, order_id))
    assert shop.deliver(made, first=False) == Delivery(True, "the refund was deleted since")
    assert (shop.refunds(order_id), shop.meta(order_id)["_wcpay_refund_status"]) == ([], "failed")
