"""Held money: several captures where the charge allows them, and holds that end by themselves."""

import pytest
import stripe

from .conftest import SHOP

OFTEN = {"capture_method": "manual", "payment_method_options": {"card": {"request_multicapture": "if_available"}}}


@pytest.fixture
def capture(call):
    def capture(intent, amount=None, **params):
        given = params if amount is None else {"amount_to_capture": amount, **params}
        return call("post", f"payment_intents/{intent['id']}/capture", **given)

    return capture


def test_an_authorisation_is_captured_in_parts_if_the_charge_says_so(pay, capture, told, happened):
    intent = pay(**OFTEN, expand=["latest_charge"])
    assert intent["latest_charge"]["payment_method_details"]["card"]["multicapture"] == {"status": "available"}
    happened()
    first = capture(intent, 600, final_capture=False, expand=["latest_charge"])
    assert (first["status"], first["amount_capturable"], first["amount_received"]) == ("requires_capture", 423, 600)
    assert (first["latest_charge"]["captured"], first["latest_charge"]["amount_captured"]) == (True, 600)
    assert happened() == ["charge.captured", "payment_intent.amount_capturable_updated"]
    last = capture(intent, 400)
    assert (last["status"], last["amount_capturable"], last["amount_received"]) == ("succeeded", 0, 1000)
    assert happened() == ["charge.captured", "payment_intent.succeeded"]
    assert told() == [("authorised", 1023), ("captured", 600), ("captured", 400), ("released", 23)]


def test_a_part_that_takes_all_that_is_left_is_the_last(pay, capture, told):
    intent = pay(**OFTEN)
    capture(intent, 23, final_capture=False)
    assert capture(intent, 1000, final_capture=False)["status"] == "succeeded"
    assert told() == [("authorised", 1023), ("captured", 23), ("captured", 1000)]


def test_the_rest_can_be_let_go_but_not_canceled(pay, call, capture, told):
    intent = pay(**OFTEN)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        capture(intent, 0)
    assert caught.value.code == "parameter_invalid_integer"
    capture(intent, 600, final_capture=False)
    with pytest.raises(stripe.InvalidRequestError, match="captured in part"):
        call("post", f"payment_intents/{intent['id']}/cancel")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        capture(intent, 424)
    assert caught.value.code == "amount_too_large"
    released = capture(intent, 0)
    assert (released["status"], released["amount_received"]) == ("succeeded", 600)
    assert told() == [("authorised", 1023), ("captured", 600), ("released", 423)]


def test_what_was_captured_so_far_can_be_refunded(pay, call, capture, told):
    intent = pay(**OFTEN)
    capture(intent, 600, final_capture=False)
    assert call("post", "refunds", payment_intent=intent["id"])["amount"] == 600
    assert told()[-1] == ("refunded", 600)


@pytest.mark.parametrize(
    "params",
    [
        {"capture_method": "manual"},
        {**OFTEN, "payment_method_options": {"card": {"request_multicapture": "never"}}},
        {**OFTEN, "transfer_data": {"destination": SHOP}},
        {**OFTEN, "stripe_account": SHOP, "application_fee_amount": 5},
    ],
)
def test_any_other_capture_is_final(pay, call, told, params):
    intent = pay(**params)
    account = params.get("stripe_account")
    path = f"payment_intents/{intent['id']}/capture"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", path, amount_to_capture=5, final_capture=False, stripe_account=account)
    assert caught.value.param == "final_capture"
    assert call("post", path, amount_to_capture=5, stripe_account=account)["status"] == "succeeded"
    assert told()[1:3] == [("captured", 5), ("released", 1018)]


def test_a_hold_that_runs_out_cancels_the_payment_by_itself(pay, simulator, told, clock, happened):
    intent = pay(capture_method="manual")
    happened()
    clock.now += 7 * 86400 - 1
    assert happened() == []
    clock.now += 1
    assert happened() == ["charge.expired", "payment_intent.canceled"]
    canceled = simulator.find(intent["id"])
    assert (canceled["status"], canceled["cancellation_reason"], canceled["canceled_at"]) == (
        "canceled",
        "expired",
        int(clock()),
    )
    assert told() == [("authorised", 1023), ("canceled", 1023)]


def test_a_hold_that_was_captured_or_canceled_does_not_run_out(pay, call, capture, clock, happened):
    capture(pay(capture_method="manual"))
    call("post", f"payment_intents/{pay(capture_method='manual')['id']}/cancel")
    happened()
    clock.now += 8 * 86400
    assert happened() == []


def test_a_hold_can_be_ended_by_hand(pay, simulator, told, happened):
    intent = pay(capture_method="manual")
    happened()
    assert simulator.expire(intent["id"])["status"] == "canceled"
    assert happened() == ["charge.expired", "payment_intent.canceled"]
    assert told() == [("authorised", 1023), ("canceled", 1023)]
    with pytest.raises(ValueError, match="holds no money"):
        simulator.expire(intent["id"])
    with pytest.raises(LookupError):
        simulator.expire("pi_unknown")


def test_what_was_captured_in_parts_stays_when_the_hold_runs_out(pay, capture, simulator, clock, told, happened):
    intent = pay(**OFTEN)
    capture(intent, 600, final_capture=False)
    happened()
    clock.now += 7 * 86400
    assert happened() == ["payment_intent.succeeded"]
    ended = simulator.find(intent["id"])
    assert (ended["status"], ended["amount_received"], ended["amount_capturable"]) == ("succeeded", 600, 0)
    assert told()[-1] == ("released", 423)
