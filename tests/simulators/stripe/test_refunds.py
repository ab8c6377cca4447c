"""Refunds: in parts, never more than was captured, and what they take back from transfers and fees."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from .conftest import SHOP


def refused(call, **params) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "refunds", **params)
    return caught.value


def test_a_whole_payment_is_refunded_by_intent(pay, call, told):
    intent = pay(metadata={"order_id": "12"})
    refund = call("post", "refunds", payment_intent=intent["id"], reason="duplicate", metadata={"refund_id": "1"})
    expected = {
        "amount": 1023,
        "charge": intent["latest_charge"],
        "currency": "usd",
        "metadata": {"refund_id": "1"},
        "object": "refund",
        "payment_intent": intent["id"],
        "reason": "duplicate",
        "status": "succeeded",
    }
    assert {name: refund[name] for name in expected} == expected
    charge = call("get", f"charges/{intent['latest_charge']}")
    assert (charge["amount_refunded"], charge["refunded"]) == (1023, True)
    assert call("get", f"refunds/{refund['id']}", expand=["balance_transaction"])["balance_transaction"]["net"] == -1023
    assert told()[-1] == ("refunded", 1023)
    assert told("object_id", "metadata")[-1] == (refund["id"], {"order_id": "12", "refund_id": "1"})


def test_a_charge_is_refunded_in_parts_until_nothing_is_left(pay, call, told):
    charge = pay()["latest_charge"]
    first = call("post", "refunds", charge=charge, amount=1000)
    too_much = refused(call, charge=charge, amount=24)
    assert (too_much.http_status, too_much.code, too_much.param) == (400, None, "amount")
    second = call("post", "refunds", charge=charge)
    assert second["amount"] == 23
    assert refused(call, charge=charge).code == "charge_already_refunded"
    assert [one["id"] for one in call("get", "refunds", charge=charge)["data"]] == [second["id"], first["id"]]
    assert told()[2:] == [("refunded", 1000), ("refunded", 23)]


def test_what_was_released_cannot_be_refunded(pay, call):
    intent = pay(capture_method="manual")
    assert "has not been captured" in refused(call, payment_intent=intent["id"]).user_message
    call("post", f"payment_intents/{intent['id']}/capture", amount_to_capture=1000)
    assert refused(call, payment_intent=intent["id"], amount=1001).param == "amount"
    assert call("post", "refunds", payment_intent=intent["id"])["amount"] == 1000


def test_what_was_never_paid_cannot_be_refunded(pay, call):
    intent = pay(confirm=None, off_session=None)
    assert "does not have a successful charge" in refused(call, payment_intent=intent["id"]).user_message


@pytest.mark.parametrize("params", [{}, {"charge": "ch_x"}, {"payment_intent": "pi_x"}, {"charge": "", "amount": 1}])
def test_a_refund_needs_something_to_refund(call, params):
    assert refused(call, **params).http_status == 400


@pytest.mark.parametrize("amount", [0, -5])
def test_a_refund_is_positive(pay, call, amount):
    assert refused(call, charge=pay()["latest_charge"], amount=amount).param == "amount"


def test_parallel_refunds_never_exceed_the_payment(pay, call, ledger):
    charge = pay()["latest_charge"]

    def refund(_) -> bool:
        try:
            call("post", "refunds", charge=charge, amount=100)
        except stripe.InvalidRequestError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(refund, range(20))) == 10
    assert sum(entry.amount for entry in ledger.entries("refunded")) == 1000


def test_a_refund_of_a_direct_charge_leaves_the_fee_unless_asked(pay, call, told):
    charge = pay(stripe_account=SHOP, application_fee_amount=100)["latest_charge"]
    call("post", "refunds", charge=charge, amount=500, stripe_account=SHOP)
    assert told()[3:] == [("refunded", 500)]
    call("post", "refunds", charge=charge, stripe_account=SHOP, refund_application_fee=True)
    assert told()[4:] == [("refunded", 523), ("fee_refunded", 100)]


def test_a_refund_of_a_destination_charge_takes_its_part_back(pay, call, told):
    charge = pay(transfer_data={"destination": SHOP}, application_fee_amount=100)["latest_charge"]
    both = {"reverse_transfer": True, "refund_application_fee": True}
    first = call("post", "refunds", charge=charge, amount=512, **both)
    assert first["transfer_reversal"].startswith("trr_")
    assert told()[4:] == [("refunded", 512), ("transfer_reversed", 512), ("fee_refunded", 50)]
    call("post", "refunds", charge=charge, **both)
    assert told()[7:] == [("refunded", 511), ("transfer_reversed", 511), ("fee_refunded", 50)]
    transfer = call("get", "transfers")["data"][0]
    fee = call("get", "application_fees")["data"][0]
    assert (transfer["reversed"], transfer["amount_reversed"]) == (True, 1023)
    assert (fee["refunded"], fee["amount_refunded"]) == (True, 100)


def test_nothing_is_taken_back_that_was_not_shared(pay, call, told):
    charge = pay()["latest_charge"]
    assert refused(call, charge=charge, reverse_transfer=True).param == "reverse_transfer"
    assert refused(call, charge=charge, refund_application_fee=True).param == "refund_application_fee"
    assert len(told()) == 2


def test_a_destinations_payment_is_refunded_where_it_came_from(pay, call):
    pay(transfer_data={"destination": SHOP})
    payment = call("get", "transfers")["data"][0]["destination_payment"]
    with pytest.raises(stripe.InvalidRequestError, match="came by a transfer"):
        call("post", "refunds", charge=payment, stripe_account=SHOP)


def test_a_refund_is_told_with_what_became_of_the_charge(pay, call, happened):
    charge = pay()["latest_charge"]
    happened()
    refund = call("post", "refunds", charge=charge, amount=23)
    assert happened() == ["refund.created", "charge.refunded"]
    call("post", f"refunds/{refund['id']}", metadata={"a": "1"})
    assert happened() == ["refund.updated"]


def test_what_a_refund_takes_back_is_told_too(pay, call, simulator, happened):
    charge = pay(transfer_data={"destination": SHOP}, application_fee_amount=100)["latest_charge"]
    happened()
    call("post", "refunds", charge=charge, reverse_transfer=True, refund_application_fee=True)
    assert happened() == ["refund.created", "charge.refunded", "transfer.reversed", "application_fee.refunded"]
    refunded = next(event for event in simulator.events if event["type"] == "charge.refunded")["data"]["object"]
    assert (refunded["id"], refunded["amount_refunded"], refunded["refunded"]) == (charge, 1023, True)


def test_a_refund_that_takes_time_is_pending_first(pay, call, clock, happened, told):
    charge = pay(payment_method="pm_card_pendingRefund")["latest_charge"]
    refund = call("post", "refunds", charge=charge, amount=1000)
    assert (refund["status"], refund["pending_reason"]) == ("pending", "processing")
    assert refund["destination_details"]["card"]["type"] == "pending"
    assert call("get", f"charges/{charge}")["amount_refunded"] == 1000
    happened()
    clock.now += 10
    settled = call("get", f"refunds/{refund['id']}")
    assert (settled["status"], settled["destination_details"]["card"]["type"]) == ("succeeded", "refund")
    assert "pending_reason" not in settled
    assert happened() == ["refund.updated", "charge.refund.updated"]
    assert told()[2:] == [("refunded", 1000)]


def test_a_pending_refund_can_be_completed_by_hand_once(pay, call, simulator, clock, happened):
    charge = pay(payment_method="pm_card_pendingRefund")["latest_charge"]
    refund = call("post", "refunds", charge=charge)["id"]
    assert simulator.complete_refund(refund)["status"] == "succeeded"
    with pytest.raises(ValueError, match="not pending"):
        simulator.complete_refund(refund)
    happened()
    clock.now += 10
    assert happened() == []


def test_a_refund_that_fails_later_has_succeeded_at_first_and_can_be_made_again(pay, call, clock, happened, told):
    charge = pay(payment_method="pm_card_refundFail")["latest_charge"]
    refund = call("post", "refunds", charge=charge)
    assert refund["status"] == "succeeded"
    happened()
    clock.now += 10
    failed = call("get", f"refunds/{refund['id']}", expand=["failure_balance_transaction"])
    assert (failed["status"], failed["failure_reason"]) == ("failed", "expired_or_canceled_card")
    line = failed["failure_balance_transaction"]
    assert (line["type"], line["net"], line["source"]) == ("refund_failure", 1023, refund["id"])
    assert happened() == ["refund.updated", "charge.refund.updated", "refund.failed"]
    after = call("get", f"charges/{charge}")
    assert (after["amount_refunded"], after["refunded"]) == (0, False)
    assert told()[2:] == [("refunded", 1023), ("refund_failed", 1023)]
    assert call("post", "refunds", charge=charge)["amount"] == 1023


def test_any_refund_can_be_made_to_fail_once_and_for_a_known_reason(pay, call, simulator):
    charge = pay()["latest_charge"]
    refund = call("post", "refunds", charge=charge, amount=400)["id"]
    call("post", "refunds", charge=charge, amount=600)
    with pytest.raises(ValueError, match="one of the reasons"):
        simulator.fail_refund(refund, "bad luck")
    assert simulator.fail_refund(refund, "lost_or_stolen_card")["failure_reason"] == "lost_or_stolen_card"
    assert simulator.find(charge)["amount_refunded"] == 600
    with pytest.raises(ValueError, match="already"):
        simulator.fail_refund(refund)
    with pytest.raises(LookupError):
        simulator.fail_refund("re_unknown")
    assert "greater than unrefunded amount on charge (423)" in refused(call, charge=charge, amount=424).user_message


def test_the_refunds_of_a_charge_are_there_if_they_are_asked_for(pay, call):
    intent = pay()
    charge, path = intent["latest_charge"], f"payment_intents/{intent['id']}"
    made = [call("post", "refunds", charge=charge, amount=10)["id"] for _ in range(11)]
    assert "refunds" not in call("get", path, expand=["latest_charge"])["latest_charge"]
    refunds = call("get", path, expand=["latest_charge.refunds.data.balance_transaction"])["latest_charge"]["refunds"]
    assert (refunds["object"], refunds["has_more"], refunds["url"]) == ("list", True, f"/v1/charges/{charge}/refunds")
    assert [refund["id"] for refund in refunds["data"]] == made[:0:-1]
    assert refunds["data"][0]["balance_transaction"]["net"] == -10
    rest = call("get", f"charges/{charge}/refunds", starting_after=made[1])
    assert ([refund["id"] for refund in rest["data"]], rest["has_more"]) == ([made[0]], False)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        call("get", path, expand=["latest_charge.refunds.url"])


def test_refunds_are_listed_by_charge_and_by_intent(pay, call):
    one, two = pay(), pay()
    first = call("post", "refunds", charge=one["latest_charge"], amount=1)["id"]
    second = call("post", "refunds", payment_intent=two["id"], amount=1)["id"]
    for params, found in (
        ({"charge": one["latest_charge"]}, [first]),
        ({"payment_intent": two["id"]}, [second]),
        ({}, [second, first]),
        ({"charge": one["latest_charge"], "payment_intent": two["id"]}, []),
    ):
        assert [refund["id"] for refund in call("get", "refunds", **params)["data"]] == found
