"""A payment intent's life, seen through the official SDK over HTTP."""

import re
from random import Random

import pytest
import stripe

from bridge.simulators.stripe import StripeSimulator

FIXED = {"livemode": False, "object": "payment_intent"}


def declined(pay, **params) -> stripe.CardError:
    with pytest.raises(stripe.CardError) as caught:
        pay(**params)
    return caught.value


def test_a_confirmed_intent_succeeds_with_a_captured_charge(pay, told, clock):
    intent = pay(metadata={"order_id": "12"}, description="Order 12", expand=["latest_charge.balance_transaction"])
    charge = intent.pop("latest_charge")
    expected = {
        **FIXED,
        "amount": 1023,
        "amount_received": 1023,
        "amount_capturable": 0,
        "created": int(clock()),
        "currency": "usd",
        "customer": None,
        "description": "Order 12",
        "last_payment_error": None,
        "metadata": {"order_id": "12"},
        "next_action": None,
        "payment_method_types": ["card"],
        "status": "succeeded",
    }
    assert {name: intent[name] for name in expected} == expected
    assert intent["client_secret"].startswith(f"{intent['id']}_secret_")
    assert (charge["amount"], charge["amount_captured"], charge["captured"], charge["paid"]) == (1023, 1023, True, True)
    assert charge["status"] == "succeeded"
    assert charge["payment_intent"] == intent["id"]
    assert charge["payment_method"] == intent["payment_method"]
    assert charge["metadata"] == {"order_id": "12"}
    assert charge["payment_method_details"]["card"]["brand"] == "visa"
    assert charge["payment_method_details"]["card"]["last4"] == "4242"
    assert (charge["balance_transaction"]["amount"], charge["balance_transaction"]["net"]) == (1023, 963)
    assert "capture_before" not in charge["payment_method_details"]["card"]
    assert told() == [("authorised", 1023), ("captured", 1023)]
    assert told("object_id", "charge_id") == [(intent["id"], charge["id"])] * 2
    assert [dict(metadata) for (metadata,) in told("metadata")] == [{"order_id": "12"}] * 2


def test_ids_have_stripes_form_and_come_from_the_random_source(pay, clock):
    intent = pay()
    for name, pattern in {
        "id": r"pi_3[A-Za-z0-9]{23}",
        "latest_charge": r"ch_3[A-Za-z0-9]{23}",
        "payment_method": r"pm_1[A-Za-z0-9]{23}",
        "client_secret": r"pi_3[A-Za-z0-9]{23}_secret_[A-Za-z0-9]{25}",
    }.items():
        assert re.fullmatch(pattern, intent[name]), name
    customers = [StripeSimulator(clock=clock, random=Random(seed)).add_customer() for seed in (1, 1, 2)]
    assert re.fullmatch(r"cus_[A-Za-z0-9]{14}", customers[0])
    assert customers[0] == customers[1] != customers[2]


def test_an_intent_can_be_created_first_and_confirmed_later(call, pay, ledger):
    intent = pay(payment_method=None, confirm=None, off_session=None)
    assert intent["status"] == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/confirm")
    assert caught.value.code == "payment_intent_unexpected_state"
    updated = call("post", f"payment_intents/{intent['id']}", payment_method="pm_card_mastercard")
    assert updated["status"] == "requires_confirmation"
    assert ledger.entries() == ()
    confirmed = call("post", f"payment_intents/{intent['id']}/confirm", off_session=True)
    assert confirmed["status"] == "succeeded"
    assert call("get", f"payment_intents/{intent['id']}") == confirmed


def test_a_confirmation_may_change_what_is_still_open(call, pay, told):
    intent = pay(confirm=None, off_session=None)
    path = f"payment_intents/{intent['id']}/confirm"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", path, amount_to_confirm=1024)
    assert caught.value.param == "amount_to_confirm"
    held = call("post", path, amount_to_confirm=1023, capture_method="manual", receipt_email="jo@example.com")
    assert (held["status"], held["receipt_email"]) == ("requires_capture", "jo@example.com")
    assert told() == [("authorised", 1023)]


def test_payment_methods_that_may_redirect_need_a_return_url(pay, ledger):
    automatic = {"allowed_payment_method_types": None}
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        pay(**automatic)
    assert ledger.entries() == ()
    never = {"enabled": True, "allow_redirects": "never"}
    assert pay(**automatic, automatic_payment_methods=never)["automatic_payment_methods"] == never
    assert pay(**automatic, return_url="https://shop.example/")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"statement_descriptor": "SHOP"}, "statement_descriptor"),
        ({"statement_descriptor_suffix": "x" * 23}, "statement_descriptor_suffix"),
        ({"statement_descriptor_suffix": "x" * 16}, "statement_descriptor_suffix"),
        ({"statement_descriptor_suffix": "#12345"}, "statement_descriptor_suffix"),
        ({"statement_descriptor_suffix": "Größe"}, "statement_descriptor_suffix"),
        ({"statement_descriptor_suffix": "SHOP*1"}, "statement_descriptor_suffix"),
        ({"description": "x" * 1001}, "description"),
        ({"automatic_payment_methods": {"enabled": True}}, "allowed_payment_method_types"),
        ({"payment_method_data": {"type": "link"}}, "payment_method_data"),
    ],
)
def test_what_does_not_go_with_cards_is_refused(pay, ledger, params, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(**params)
    assert caught.value.param == param
    assert ledger.entries() == ()


def test_a_succeeded_intent_is_neither_confirmed_nor_canceled_nor_captured_again(call, pay, ledger):
    intent = pay()
    before = ledger.entries()
    for verb in ("confirm", "cancel", "capture"):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call("post", f"payment_intents/{intent['id']}/{verb}")
        assert caught.value.code == "payment_intent_unexpected_state"
        assert caught.value.json_body["error"]["payment_intent"]["id"] == intent["id"]
    assert ledger.entries() == before


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
        ("pm_card_visa_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
    ],
)
def test_a_decline_is_a_402_that_says_why_and_leaves_the_intent_open(pay, call, ledger, card, code, decline_code):
    problem = declined(pay, payment_method=card)
    error = problem.json_body["error"]
    assert (problem.http_status, error["type"], error["code"], error["decline_code"]) == (
        402,
        "card_error",
        code,
        decline_code,
    )
    intent = call("get", f"payment_intents/{error['payment_intent']['id']}", expand=["latest_charge"])
    charge = intent["latest_charge"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_payment_error"]["decline_code"] == decline_code
    assert intent["last_payment_error"]["payment_method"]["id"] == charge["payment_method"]
    assert error["charge"] == charge["id"]
    assert (charge["status"], charge["paid"], charge["captured"], charge["failure_code"]) == (
        "failed",
        False,
        False,
        code,
    )
    assert ledger.entries() == ()


def test_a_declined_intent_can_be_paid_with_another_card(pay, call, told):
    intent = declined(pay, payment_method="pm_card_chargeDeclined").json_body["error"]["payment_intent"]
    paid = call("post", f"payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa")
    assert (paid["status"], paid["last_payment_error"]) == ("succeeded", None)
    assert paid["latest_charge"] != intent["latest_charge"]
    charges = call("get", "charges", payment_intent=intent["id"])["data"]
    assert [charge["status"] for charge in charges] == ["succeeded", "failed"]
    assert told() == [("authorised", 1023), ("captured", 1023)]


def test_manual_capture_holds_the_money_for_seven_days(pay, call, told, clock):
    intent = pay(capture_method="manual", expand=["latest_charge"])
    assert (intent["status"], intent["amount_capturable"], intent["amount_received"]) == ("requires_capture", 1023, 0)
    charge = intent["latest_charge"]
    assert (charge["captured"], charge["balance_transaction"]) == (False, None)
    assert charge["payment_method_details"]["card"]["capture_before"] == int(clock()) + 7 * 86400
    captured = call("post", f"payment_intents/{intent['id']}/capture", expand=["latest_charge"])
    assert (captured["status"], captured["amount_capturable"], captured["amount_received"]) == ("succeeded", 0, 1023)
    assert (captured["latest_charge"]["captured"], captured["latest_charge"]["id"]) == (True, charge["id"])
    assert told() == [("authorised", 1023), ("captured", 1023)]


def test_a_partial_capture_releases_the_rest(pay, call, told):
    intent = pay(capture_method="manual")
    captured = call("post", f"payment_intents/{intent['id']}/capture", amount_to_capture=1000, expand=["latest_charge"])
    charge = captured["latest_charge"]
    assert (captured["status"], captured["amount"], captured["amount_received"]) == ("succeeded", 1023, 1000)
    assert (charge["amount"], charge["amount_captured"], charge["amount_refunded"]) == (1023, 1000, 0)
    assert told() == [("authorised", 1023), ("captured", 1000), ("released", 23)]


def test_several_captures_of_one_authorisation_are_not_offered(pay, call, told):
    intent = pay(capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/capture", amount_to_capture=5, final_capture=False)
    assert caught.value.param == "final_capture"
    assert told() == [("authorised", 1023)]


@pytest.mark.parametrize(("amount", "code"), [(1024, "amount_too_large"), (0, "parameter_invalid_integer")])
def test_a_capture_of_more_than_was_authorised_is_refused(pay, call, told, amount, code):
    intent = pay(capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/capture", amount_to_capture=amount)
    assert (caught.value.code, caught.value.param) == (code, "amount_to_capture")
    assert told() == [("authorised", 1023)]


def test_an_authorisation_that_runs_out_is_canceled(pay, call, told, clock):
    intent = pay(capture_method="manual")
    clock.now += 7 * 86400
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/capture")
    assert caught.value.json_body["error"]["payment_intent"]["cancellation_reason"] == "expired"
    assert call("get", f"payment_intents/{intent['id']}")["status"] == "canceled"
    assert told() == [("authorised", 1023), ("canceled", 1023)]


def test_a_list_shows_no_authorisation_that_has_run_out(pay, call, clock):
    pay(capture_method="manual")
    clock.now += 7 * 86400 - 1
    assert [intent["status"] for intent in call("get", "payment_intents")["data"]] == ["requires_capture"]
    clock.now += 1
    assert [intent["status"] for intent in call("get", "payment_intents")["data"]] == ["canceled"]


def test_canceling_releases_what_is_held_and_can_be_done_once(pay, call, told, clock):
    intent = pay(capture_method="manual")
    canceled = call("post", f"payment_intents/{intent['id']}/cancel", cancellation_reason="duplicate")
    assert (canceled["status"], canceled["amount_capturable"]) == ("canceled", 0)
    assert (canceled["cancellation_reason"], canceled["canceled_at"]) == ("duplicate", int(clock()))
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/cancel")
    assert caught.value.code == "payment_intent_unexpected_state"
    assert told() == [("authorised", 1023), ("canceled", 1023)]


def test_a_declined_intent_can_be_canceled_and_is_then_dead(pay, call, told):
    intent = declined(pay, payment_method="pm_card_chargeDeclined").json_body["error"]["payment_intent"]
    assert call("post", f"payment_intents/{intent['id']}/cancel")["status"] == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/confirm", payment_method="pm_card_visa")
    assert caught.value.code == "payment_intent_unexpected_state"
    assert told() == [("canceled", 0)]


def test_an_open_intent_can_be_changed_and_a_paid_one_only_described(pay, call):
    intent = pay(confirm=None, off_session=None, metadata={"a": "1", "b": "2"})
    path = f"payment_intents/{intent['id']}"
    changed = call("post", path, amount=500, currency="eur", metadata={"a": "", "c": "3"}, description="new")
    assert (changed["amount"], changed["currency"], changed["description"]) == (500, "eur", "new")
    assert changed["metadata"] == {"b": "2", "c": "3"}
    assert call("post", path, metadata="")["metadata"] == {}
    paid = call("post", f"{path}/confirm")
    assert (paid["status"], paid["amount_received"], paid["currency"]) == ("succeeded", 500, "eur")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", path, amount=600)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert call("post", path, metadata={"d": "4"})["metadata"] == {"d": "4"}


def test_intents_are_listed_newest_first_by_customer_time_and_page(pay, call, clock, simulator):
    customer = simulator.add_customer()
    first = pay()
    clock.now += 100
    second, third = pay(customer=customer), pay()

    def ids(**params) -> list[str]:
        return [intent["id"] for intent in call("get", "payment_intents", **params)["data"]]

    assert ids() == [third["id"], second["id"], first["id"]]
    assert ids(customer=customer) == [second["id"]]
    assert ids(created={"gte": int(clock())}) == [third["id"], second["id"]]
    assert ids(created={"lt": int(clock())}) == [first["id"]]
    assert ids(limit=2, starting_after=third["id"]) == [second["id"], first["id"]]
    assert ids(limit=1, ending_before=first["id"]) == [second["id"]]
    page = call("get", "payment_intents", limit=2)
    assert (page["has_more"], page["url"], page["object"]) == (True, "/v1/payment_intents", "list")
    assert call("get", "payment_intents", limit=3)["has_more"] is False


def test_references_are_expanded_where_they_can_be(pay, call, simulator, ledger):
    customer = simulator.add_customer(email="jo@example.com")
    method = simulator.add_payment_method(customer=customer)
    intent = pay(customer=customer, payment_method=method, expand=["customer", "payment_method"])
    assert intent["customer"]["email"] == "jo@example.com"
    assert intent["payment_method"]["customer"] == customer
    listed = call("get", "payment_intents", expand=["data.latest_charge.balance_transaction"])
    assert listed["data"][0]["latest_charge"]["balance_transaction"]["type"] == "charge"
    for wrong in ("status", "latest_charge.amount", "nothing", "data.customer", "transfer_data"):
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            pay(expand=[wrong])
    assert len(ledger.entries("captured")) == 1, "a request that cannot be answered has no effect"


def test_a_payment_method_without_a_customer_is_used_once(pay, simulator, ledger):
    method = simulator.add_payment_method()
    pay(payment_method=method)
    with pytest.raises(stripe.InvalidRequestError, match="previously used"):
        pay(payment_method=method)
    assert len(ledger.entries("captured")) == 1


def test_a_saved_payment_method_is_used_by_its_customer_only_and_again_and_again(pay, simulator):
    customer, stranger = simulator.add_customer(), simulator.add_customer()
    method = simulator.add_payment_method(customer=customer)
    assert pay(payment_method=method, customer=customer)["status"] == "succeeded"
    assert pay(payment_method=method, customer=customer)["status"] == "succeeded"
    for wrong in (stranger, None):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            pay(payment_method=method, customer=wrong)
        assert caught.value.param == "payment_method"


def test_line_items_have_to_add_up(pay):
    lines = [
        {"product_name": "Lamp", "quantity": 2, "unit_cost": 400},
        {"product_name": "Bulb", "quantity": 1, "unit_cost": 100},
    ]
    details = {"line_items": lines, "shipping": {"amount": 100}, "tax": {"total_tax_amount": 23}}
    intent = pay(amount_details=details, payment_details={"order_reference": "12"})
    assert intent["amount_details"] == {"tip": {}, "shipping": {"amount": 100}, "tax": {"total_tax_amount": 23}}
    assert intent["payment_details"] == {"order_reference": "12"}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(amount_details={**details, "discount_amount": 1})
    assert (caught.value.code, caught.value.param) == ("amount_details_amount_mismatch", "amount_details")
    lenient = pay(amount_details={**details, "discount_amount": 1, "enforce_arithmetic_validation": False})
    assert lenient["amount_details"]["error"]["code"] == "amount_details_amount_mismatch"
    with pytest.raises(stripe.InvalidRequestError, match="greater than or equal to 1"):
        pay(amount_details={"line_items": [{**lines[0], "quantity": 0}]})
    with pytest.raises(stripe.InvalidRequestError, match="at most 12 characters"):
        pay(amount_details={"line_items": [{**lines[0], "product_code": "x" * 13}]})
