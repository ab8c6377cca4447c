"""A refund is in the store once, whoever began it and whatever gets lost on the way."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from bridge.domain.errors import OrderNotFound, StoreUnreachable
from bridge.domain.orders import Delivery, OrderUpdate, StoreRefund, UpdateKind
from bridge.simulators.faults import Fault
from bridge.stores.woocommerce.delivery_steps import reference
from bridge.stores.woocommerce.refunds import NEW_REFUND_SECONDS

from .conftest import TRANSACTION, Answering, Shop
from .refund_updates import DONE, PROCESSED, failure, refund


def test_a_refund_of_a_part_is_written_down_and_moves_no_money_in_the_store(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)

    assert shop.deliver(update) == DONE

    assert shop.asked() == ["GET", "GET notes", "POST refunds", "PUT", "POST notes"]
    [made] = shop.simulator.refunds(order_id)
    assert (made["amount"], made["reason"], made["refunded_payment"]) == ("5.00", "requested_by_customer", False)
    assert ("_wcpay_refund_id", "re_1") in [(row["key"], row["value"]) for row in made["meta_data"]]
    assert (shop.status(order_id), shop.meta(order_id)["_wcpay_refund_status"]) == ("processing", "successful")
    assert shop.notes(order_id)[-1] == f"{update.note} {reference(update.operation_id)}"


def test_refunds_in_three_make_the_order_refunded_to_the_cent(shop: Shop) -> None:
    order_id = shop.paid_order()
    for refund_id, amount in (("re_1", 341), ("re_2", 341), ("re_3", 341)):
        assert shop.deliver(refund(shop, order_id, amount, refund_id)) == DONE
    reason = "requested_by_customer"
    assert shop.refunds(order_id) == [("3.41", reason, "re_1"), ("3.41", reason, "re_2"), ("3.41", reason, "re_3")]
    assert shop.status(order_id) == "refunded"
    assert len(shop.ours(order_id)) == 3


@pytest.mark.parametrize("fault", PROCESSED)
@pytest.mark.parametrize("step", ["POST .*refunds", "PUT", "POST .*notes"])
def test_a_refund_whose_answer_is_lost_is_one_refund_and_one_note(shop: Shop, fault: Fault, step: str) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    method, _, below = step.partition(" .*")
    shop.faults.next(fault, match=lambda request: request.method == method and request.path.endswith(below))

    assert [shop.insist(update), shop.deliver(update, first=False)] == [DONE] * 2

    assert shop.refunds(order_id) == [("5.00", "requested_by_customer", "re_1")]
    assert shop.ours(order_id) == [update.note]
    assert shop.meta(order_id)["_wcpay_refund_status"] == "successful"


def test_a_refund_that_never_arrived_is_made_when_it_is_delivered_again(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.faults.next(Fault.REFUSED, match="refunds", times=3)
    assert shop.insist(refund(shop, order_id)) == DONE
    assert len(shop.refunds(order_id)) == 1


def test_the_same_refund_is_not_made_by_another_operation(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.deliver(update)
    assert shop.deliver(replace(update, operation_id="another")) == DONE
    assert len(shop.refunds(order_id)) == 1


def test_one_of_a_hundred_refunds_is_found_again(shop: Shop) -> None:
    order_id = shop.paid_order("1000.00", 100_000)
    update = refund(shop, order_id, amount=100_000)
    shop.deliver(replace(update, refund_amount=500))
    for _ in range(120):
        shop.simulator.refund(order_id, "1.00")
    assert shop.deliver(replace(update, refund_amount=500, operation_id="another")) == DONE
    assert len(shop.refunds(order_id)) == 121


def test_a_refund_that_staff_began_in_the_store_is_not_made_again(shop: Shop) -> None:
    order_id = shop.paid_order()
    theirs = shop.simulator.refund(order_id, "5.00", "Too small")
    assert shop.book.refunds(order_id) == [StoreRefund(theirs, "5.00", "Too small", "", False)]

    update = refund(shop, order_id, meta={f"_wcpay_bridge_refund_{theirs}": "re_1"})
    assert shop.deliver(update) == DONE

    assert shop.book.refunds(order_id) == [StoreRefund(theirs, "5.00", "Too small", "re_1", False)]
    assert shop.deliver(failure(shop, order_id)).flag
    assert shop.book.refunds(order_id) == []


def test_a_refund_that_staff_began_and_deleted_is_not_made_for_them(shop: Shop) -> None:
    order_id = shop.paid_order()
    delivery = shop.deliver(refund(shop, order_id, meta={"_wcpay_bridge_refund_999": "re_1"}))
    assert "It is not among the order's refunds: it was begun in the store, and deleted there." in delivery.flag
    assert shop.refunds(order_id) == []


def test_a_refund_that_staff_deleted_is_not_made_again(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.deliver(update)
    [made] = shop.book.refunds(order_id)
    shop.simulator.delete_refund(order_id, made.id)
    assert shop.deliver(update, first=False) == Delivery(True, "the refund was deleted since")
    assert shop.refunds(order_id) == []


def test_more_than_what_is_left_is_noted_and_flagged(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.simulator.refund(order_id, "6.00")
    update = refund(shop, order_id)

    delivery = shop.deliver(update)

    sentence = f"{update.note} It is not among the order's refunds: only 4.23 USD of the order are left to refund."
    assert delivery == Delivery(True, "not among the order's refunds", f"Order {order_id}: {sentence}")
    assert shop.deliver(update, first=False) == delivery
    assert shop.ours(order_id) == [sentence]
    assert len(shop.refunds(order_id)) == 1


def test_what_staff_refund_between_our_look_and_our_write_is_noticed_with_the_next_delivery(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.interruptions.before("POST", lambda: shop.simulator.refund(order_id, "6.00"))
    with pytest.raises(StoreUnreachable, match="woocommerce_rest_cannot_create_order_refund"):
        shop.deliver(update)
    assert "only 4.23 USD of the order are left" in shop.deliver(update, first=False).flag
    assert len(shop.refunds(order_id)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"status": "cancelled"},
        {"status": "cancelled", "transaction_id": TRANSACTION},
        {"status": "processing", "transaction_id": "paypal_1"},
    ],
    ids=["never paid", "never paid, though it shows the payment", "paid otherwise"],
)
def test_money_that_the_order_never_had_is_not_taken_from_it(shop: Shop, change: dict[str, str]) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.simulator.update_order(order_id, **change)
    update = refund(shop, order_id)
    assert shop.deliver(update) == Delivery(True, "not among the order's refunds")
    assert shop.ours(order_id) == [
        f"{update.note} It is not among the order's refunds: the order was not paid by this payment."
    ]
    assert (shop.refunds(order_id), shop.status(order_id)) == ([], change["status"])


def test_an_order_that_may_be_paid_by_somebody_else_is_not_refunded_but_flagged(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    paid = shop.update(UpdateKind.PAID, order_id)
    shop.earlier(60, lambda: shop.simulator.update_order(order_id, status="processing", transaction_id="paypal_1"))
    assert "seems to be paid otherwise" in shop.deliver(paid).flag
    assert shop.simulator.order(order_id)["transaction_id"] == TRANSACTION

    delivery = shop.deliver(refund(shop, order_id))

    assert "nothing proves that the order was paid by this payment" in delivery.flag
    assert shop.refunds(order_id) == []


def test_a_captured_authorisation_is_refunded(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.deliver(shop.update(UpdateKind.AUTHORIZED, order_id))
    shop.deliver(shop.update(UpdateKind.PAID, order_id))
    shop.asked()
    assert shop.deliver(refund(shop, order_id, 1023)) == DONE
    assert shop.asked() == ["GET", "POST refunds", "PUT", "POST notes"]
    assert shop.status(order_id) == "refunded"


@pytest.mark.parametrize("status", ["completed", "cancelled", "on-hold", "pending", "trash"])
def test_a_refund_is_written_down_whatever_staff_did_with_the_paid_order(shop: Shop, status: str) -> None:
    order_id = shop.paid_order()
    shop.simulator.update_order(order_id, status=status)
    assert shop.deliver(refund(shop, order_id)) == DONE
    assert (len(shop.refunds(order_id)), shop.status(order_id)) == (1, status)


@pytest.mark.parametrize(
    ("features", "order", "paid", "amount", "written"),
    [
        ({}, {"total": "500", "currency": "JPY"}, 500, 200, "200.00"),
        ({"currency": "JPY", "price_decimals": 0}, {"total": "500"}, 500, 200, "200"),
        ({"currency": "KWD", "price_decimals": 3}, {"total": "1.230"}, 1230, 1230, "1.230"),
        ({"currency": "KWD", "price_decimals": 2}, {"total": "1.23"}, 1230, 1000, "1.00"),
    ],
)
def test_an_amount_is_written_with_the_decimals_of_the_store(
    open_shop: Callable[..., Shop],
    features: dict[str, object],
    order: dict[str, str],
    paid: int,
    amount: int,
    written: str,
) -> None:
    shop = open_shop(**features)
    order_id = shop.paid_order(amount=paid, **order)
    assert shop.deliver(refund(shop, order_id, amount)) == DONE
    assert [amount for amount, _, _ in shop.refunds(order_id)] == [written]


def test_an_amount_that_the_store_cannot_write_is_flagged_and_not_rounded(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(currency="KWD", price_decimals=2)
    order_id = shop.paid_order("1.23", 1230)
    assert "the store's sums have 2 decimals" in shop.deliver(refund(shop, order_id, 1015)).flag
    assert shop.refunds(order_id) == []


@pytest.mark.parametrize(("total", "paid"), [("10.235", 1024), ("10.234", 1023)])
def test_all_that_a_rounding_store_was_paid_is_all_that_it_refunds(
    open_shop: Callable[..., Shop], total: str, paid: int
) -> None:
    shop = open_shop({"rounding": "half_up"}, price_decimals=3)
    order_id = shop.paid_order(total, paid)
    assert shop.deliver(refund(shop, order_id, paid)) == DONE
    assert ([amount for amount, _, _ in shop.refunds(order_id)], shop.status(order_id)) == ([total], "refunded")


def test_a_refund_of_an_order_in_another_currency_now_is_flagged(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.simulator.update_order(order_id, currency="EUR")
    assert "the order is in EUR now" in shop.deliver(update).flag


@pytest.mark.parametrize("kind", [refund, failure])
def test_a_refund_does_not_concern_another_order_with_the_same_id(shop: Shop, kind: Callable[..., OrderUpdate]) -> None:
    order_id = shop.paid_order()
    update = replace(kind(shop, order_id), order_key="wc_order_another")
    assert shop.deliver(update) == Delivery(True, "this is another order now")
    assert shop.asked() == ["GET"]


@pytest.mark.parametrize("kind", [refund, failure])
def test_a_refund_of_an_order_that_is_gone_is_done_and_needs_nobody(
    shop: Shop, kind: Callable[..., OrderUpdate]
) -> None:
    order_id = shop.paid_order()
    update = kind(shop, order_id)
    shop.simulator.delete(order_id)
    assert shop.deliver(update) == Delivery(True, "the order is gone")
    with pytest.raises(OrderNotFound):
        shop.book.refunds(order_id)


def test_a_store_that_is_still_making_the_refund_is_waited_for(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.faults.next(Fault.REFUSED, match="refunds")
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    unfinished = shop.simulator.refund(order_id, "5.00", update.refund_reason)

    with pytest.raises(StoreUnreachable, match="may still be making the refund"):
        shop.deliver(update, first=False)

    shop.simulator.delete_refund(order_id, unfinished)
    shop.simulator.refund(order_id, "5.00", update.refund_reason, {"_wcpay_refund_id": "re_1"})
    assert shop.deliver(update, first=False) == DONE
    assert len(shop.refunds(order_id)) == 1


@pytest.mark.parametrize("alike", [True, False])
def test_a_refund_that_may_be_ours_is_a_question_for_a_person(shop: Shop, alike: bool) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.faults.next(Fault.REFUSED, match="refunds")
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    reason = update.refund_reason if alike else "Too small"
    shop.earlier(NEW_REFUND_SECONDS + 5, lambda: shop.simulator.refund(order_id, "5.00", reason))

    delivery = shop.deliver(update, first=False)

    assert ("one like it is there" in delivery.flag) is alike
    assert len(shop.refunds(order_id)) == (1 if alike else 2)


def test_equal_refunds_are_not_taken_for_each_other(shop: Shop) -> None:
    order_id = shop.paid_order()
    shop.simulator.refund(order_id, "1.00", "requested_by_customer")
    assert shop.deliver(refund(shop, order_id, 100, "re_1")) == DONE
    [theirs, _] = shop.book.refunds(order_id)
    shop.simulator.delete_refund(order_id, theirs.id)
    shop.faults.next(Fault.REFUSED, match="refunds")
    assert shop.insist(refund(shop, order_id, 100, "re_2")) == DONE
    assert [refund_id for _, _, refund_id in shop.refunds(order_id)] == ["re_1", "re_2"]


def test_a_refund_without_a_date_is_not_waited_for(answering: Answering) -> None:
    order = {"id": 7, "order_key": "wc_order_7", "status": "processing", "currency": "USD", "total": "10.23"}
    order |= {"transaction_id": TRANSACTION, "date_paid_gmt": "2026-11-20T23:33:46", "refunds": [{"total": "-5.00"}]}
    asked = []

    def store(request: Request) -> Response:
        asked.append(f"{request.method} {request.path.rpartition('/')[2]}")
        answers = {"notes": [{"note": f"Payment via Card ({TRANSACTION})."}], "refunds": [{"id": 8, "amount": "5.00"}]}
        return Response(
            json.dumps(answers.get(request.path.rpartition("/")[2], order)), content_type="application/json"
        )

    update = OrderUpdate("op", UpdateKind.REFUNDED, 7, "wc_order_7", 1023, "USD", TRANSACTION)
    delivery = answering(store).deliver(replace(update, refund_id="re_1", refund_amount=500), first=False)
    assert "one like it is there" in delivery.flag
    assert asked == ["GET 7", "GET refunds", "GET notes", "POST notes"]


def test_a_refund_that_the_store_makes_twice_after_all_is_reduced_to_the_first(shop: Shop) -> None:
    order_id = shop.paid_order()
    update = refund(shop, order_id)
    shop.faults.next(Fault.REFUSED, match="refunds")
    with pytest.raises(StoreUnreachable):
        shop.deliver(update)
    late = []
    meta = {"_wcpay_refund_id": "re_1"}
    shop.interruptions.before("POST", lambda: late.append(shop.simulator.refund(order_id, "5.00", "", meta)))

    assert shop.deliver(update, first=False) == DONE

    assert [each.id for each in shop.book.refunds(order_id)] == late
