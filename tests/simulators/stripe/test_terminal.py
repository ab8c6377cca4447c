"""In-person payments: tokens and locations for readers, and what a reader does with a card."""

import pytest
import stripe

from .conftest import SHOP

ADDRESS = {"line1": "1 Road", "city": "Berlin", "country": "DE", "postal_code": "10115"}


@pytest.fixture
def intend(call):
    """A payment intent that a reader is to confirm, as a point of sale makes it."""

    def intend(*kinds: str, **params):
        usual = {"amount": 1023, "currency": "usd", "capture_method": "manual"}
        return call(
            "post", "payment_intents", **{**usual, "allowed_payment_method_types": kinds or ["card_present"], **params}
        )

    return intend


def test_a_reader_gets_a_fresh_token_each_time(call):
    one, two = (call("post", "terminal/connection_tokens") for _ in range(2))
    assert one["object"] == "terminal.connection_token"
    assert one["secret"].startswith("pst_test_")
    assert one["secret"] != two["secret"]
    assert "location" not in one


def test_a_token_can_be_for_one_location(call):
    location = call("post", "terminal/locations", display_name="Shop", address=ADDRESS)["id"]
    assert call("post", "terminal/connection_tokens", location=location)["location"] == location
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "terminal/connection_tokens", location="tml_unknown")
    assert (caught.value.code, caught.value.param) == ("resource_missing", "location")
    assert caught.value.user_message == "No such location: 'tml_unknown'"


def test_locations_are_made_and_listed_on_their_account(call):
    made = call("post", "terminal/locations", display_name="Shop", address=ADDRESS, stripe_account=SHOP)
    assert (made["object"], made["display_name"]) == ("terminal.location", "Shop")
    assert made["address"] == {**ADDRESS, "line2": None, "state": None}
    assert call("get", "terminal/locations", stripe_account=SHOP)["data"] == [made]
    assert call("get", f"terminal/locations/{made['id']}", stripe_account=SHOP) == made
    assert call("get", "terminal/locations")["data"] == []


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"address": ADDRESS}, "display_name"),
        ({"display_name": "Shop"}, "address"),
        ({"display_name": "Shop", "address": {"line1": "1 Road"}}, "address[country]"),
        ({"display_name": "Shop", "address": {"country": "DE"}}, "address[line1]"),
    ],
)
def test_a_location_without_an_address_is_refused(call, params, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "terminal/locations", **params)
    assert caught.value.param == param


def test_a_card_at_the_reader_is_held_for_two_days_and_captured(intend, call, simulator, told, clock, happened):
    location = call("post", "terminal/locations", display_name="Shop", address=ADDRESS)["id"]
    intent = intend(metadata={"order_id": "12"})
    assert (intent["status"], intent["payment_method_types"]) == ("requires_payment_method", ["card_present"])
    held = simulator.present_card(intent["id"])
    assert (held["status"], held["amount_capturable"]) == ("requires_capture", 1023)
    assert happened() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    ]
    captured = call("post", f"payment_intents/{intent['id']}/capture", expand=["latest_charge"])
    charge = captured["latest_charge"]
    details = charge["payment_method_details"]["card_present"]
    assert (captured["status"], charge["payment_method_details"]["type"]) == ("succeeded", "card_present")
    assert (details["brand"], details["last4"], details["network"]) == ("visa", "4242", "visa")
    assert (details["location"], details["capture_before"]) == (location, int(clock()) + 2 * 86400)
    assert details["reader"].startswith("tmr_")
    assert (details["receipt"]["account_type"], details["receipt"]["authorization_code"]) == ("credit", "123456")
    assert told() == [("authorised", 1023), ("captured", 1023)]


def test_a_card_at_the_reader_can_be_captured_at_once(intend, simulator, told):
    intent = intend(capture_method="automatic", stripe_account=SHOP)
    assert simulator.present_card(intent["id"], "pm_card_mastercard")["status"] == "succeeded"
    assert told("kind", "account") == [("authorised", SHOP), ("captured", SHOP)]


def test_the_method_of_payment_can_have_its_own_capture(intend, simulator):
    options = {"card_present": {"capture_method": "manual_preferred"}}
    intent = intend(capture_method="automatic", payment_method_options=options)
    assert simulator.present_card(intent["id"])["status"] == "requires_capture"


def test_a_card_that_was_read_can_pay_online_later(intend, call, simulator, pay):
    intent = intend()
    charge = simulator.find(simulator.present_card(intent["id"])["latest_charge"])
    generated = charge["payment_method_details"]["card_present"]["generated_card"]
    customer = simulator.add_customer()
    method = call("post", f"payment_methods/{generated}/attach", customer=customer)
    assert (method["type"], method["card"]["generated_from"]["charge"]) == ("card", charge["id"])
    assert pay(customer=customer, payment_method=generated)["status"] == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="generated_card"):
        call("post", f"payment_methods/{charge['payment_method']}/attach", customer=customer)


def test_interac_is_captured_at_once_and_refunded_at_a_reader_only(intend, call, simulator):
    intent = intend("card_present", "interac_present", currency="cad")
    paid = simulator.present_card(intent["id"], "pm_card_interac")
    assert (paid["status"], paid["amount_received"]) == ("succeeded", 1023)
    details = simulator.find(paid["latest_charge"])["payment_method_details"]
    assert (details["type"], details["interac_present"]["brand"]) == ("interac_present", "interac")
    assert details["interac_present"]["generated_card"] is None
    with pytest.raises(stripe.InvalidRequestError, match="at a reader"):
        call("post", "refunds", payment_intent=intent["id"])


def test_a_card_that_is_declined_at_the_reader_leaves_the_intent_for_another(intend, simulator, told, happened):
    intent = intend()
    declined = simulator.present_card(intent["id"], "pm_card_chargeDeclined")
    assert (declined["status"], declined["last_payment_error"]["code"]) == ("requires_payment_method", "card_declined")
    assert happened()[1:] == ["charge.failed", "payment_intent.payment_failed"]
    assert told() == []
    assert simulator.present_card(intent["id"])["status"] == "requires_capture"


def test_what_a_reader_cannot_do(intend, pay, simulator):
    in_person = intend()["id"]
    for intent, name, message in (
        (in_person, "pm_card_gold", "test payment methods"),
        (in_person, "pm_card_interac", "takes card_present, not interac_present"),
        (pay(confirm=None, off_session=None)["id"], "pm_card_visa", "takes card, not card_present"),
        (pay()["id"], "pm_card_visa", "waiting for no card: it is succeeded"),
    ):
        with pytest.raises(ValueError, match=message):
            simulator.present_card(intent, name)


def test_an_online_card_does_not_pay_in_person_nor_the_reverse(intend, call, pay, simulator):
    with pytest.raises(stripe.InvalidRequestError, match="not allowed for this PaymentIntent"):
        intend(payment_method="pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        pay(payment_method="pm_card_interac")
    assert caught.value.code == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        intend("interac_present")
    assert caught.value.param == "currency"
    later = pay(confirm=None, off_session=None, payment_method=None)
    changed = call("post", f"payment_intents/{later['id']}", allowed_payment_method_types=["card_present"])
    assert changed["payment_method_types"] == ["card_present"]
    assert simulator.present_card(later["id"])["status"] == "succeeded"


def test_an_app_makes_its_payment_without_an_api_key(simulator, call, told):
    kept = {"order_id": 12, "order_key": "wc_order_1", "site_url": "https://shop.example", "payment_type": "single"}
    made = simulator.create_at_reader(1023, account=SHOP, metadata=kept)
    assert (made["status"], made["capture_method"]) == ("requires_payment_method", "manual")
    seen = call("get", f"payment_intents/{made['id']}", stripe_account=SHOP)
    assert seen["metadata"] == kept | {"order_id": "12"}
    assert simulator.present_card(made["id"])["status"] == "requires_capture"
    assert told() == [("authorised", 1023)]


def test_a_tip_that_was_chosen_at_the_reader_is_part_of_the_amount(simulator, call):
    made = simulator.create_at_reader(1000, transfer_to=SHOP)
    held = simulator.present_card(made["id"], tip=150)
    assert (held["amount"], held["amount_capturable"], held["amount_details"]["tip"]) == (1150, 1150, {"amount": 150})
    charge = call("get", f"charges/{held['latest_charge']}")
    assert (charge["amount"], charge["transfer_data"]["destination"]) == (1150, SHOP)
