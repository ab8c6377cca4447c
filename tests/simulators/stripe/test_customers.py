"""Customers and their payment methods."""

import pytest
import requests
import stripe

from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator

from .conftest import SHOP

CARD = {"number": "4242 4242 4242 4242", "exp_month": 8, "exp_year": 2030, "cvc": "314"}


def test_a_customer_is_created_found_and_changed(call):
    jo = call("post", "customers", email="jo@example.com", name="Jo", metadata={"a": "1"})
    call("post", "customers", email="al@example.com")
    assert call("get", f"customers/{jo['id']}") == jo
    assert [one["id"] for one in call("get", "customers", email="jo@example.com")["data"]] == [jo["id"]]
    changed = call("post", f"customers/{jo['id']}", phone="5551234", shipping="", metadata={"b": "2"})
    assert (changed["phone"], changed["shipping"], changed["name"]) == ("5551234", None, "Jo")
    assert changed["metadata"] == {"a": "1", "b": "2"}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("get", "customers/cus_unknown")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_test_card_becomes_a_payment_method_by_number_or_token(call):
    address = {"city": "Berlin", "country": "DE"}
    method = call("post", "payment_methods", type="card", card=CARD, billing_details={"name": "Jo", "address": address})
    assert (method["card"]["brand"], method["card"]["last4"], method["card"]["exp_month"]) == ("visa", "4242", 8)
    assert method["billing_details"]["address"] == {
        "city": "Berlin",
        "country": "DE",
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    }
    amex = call("post", "payment_methods", type="card", card={"token": "tok_amex"})
    assert (amex["card"]["brand"], amex["card"]["last4"]) == ("amex", "0005")


def test_billing_details_reach_the_charge(call, pay):
    method = call("post", "payment_methods", type="card", card=CARD, billing_details={"email": "jo@example.com"})
    charge = pay(payment_method=method["id"], expand=["latest_charge"])["latest_charge"]
    assert charge["billing_details"]["email"] == "jo@example.com"


def test_any_other_card_number_is_refused_and_never_repeated(call, simulator):
    with pytest.raises(stripe.CardError) as caught:
        call("post", "payment_methods", type="card", card={**CARD, "number": "4111111111111111"})
    assert caught.value.json_body["error"]["decline_code"] == "test_mode_live_card"
    assert "4111" not in str(caught.value.json_body)
    assert "4111" not in str([dict(record.params) for record in simulator.requests])


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"type": "ideal"}, "type"),
        ({"type": "card"}, "card"),
        ({"type": "card", "card": {"number": "4242424242424242", "exp_year": 2030}}, "card[exp_month]"),
        ({"type": "card", "card": {"token": "tok_unknown"}}, "card[token]"),
        ({"payment_method": "pm_card_visa"}, "payment_method"),
    ],
)
def test_a_payment_method_that_cannot_be_made_is_refused(call, params, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "payment_methods", **params)
    assert caught.value.param == param


def test_a_public_test_name_makes_a_fresh_payment_method_each_time(call, pay):
    one, two = pay(), pay()
    assert one["payment_method"] != two["payment_method"]
    assert call("get", f"payment_methods/{one['payment_method']}")["card"]["last4"] == "4242"


def test_a_method_is_attached_listed_and_detached_for_good(call, simulator, pay):
    customer, stranger = simulator.add_customer(), simulator.add_customer()
    method = call("post", "payment_methods/pm_card_mastercard/attach", customer=customer)
    assert (method["customer"], method["card"]["brand"]) == (customer, "mastercard")
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        call("post", f"payment_methods/{method['id']}/attach", customer=stranger)
    for path in (f"customers/{customer}/payment_methods", "payment_methods"):
        listed = call("get", path, customer=customer) if path == "payment_methods" else call("get", path)
        assert [one["id"] for one in listed["data"]] == [method["id"]]
    assert call("get", f"customers/{stranger}/payment_methods")["data"] == []
    assert call("get", "payment_methods")["data"] == []
    assert call("post", f"payment_methods/{method['id']}/detach")["customer"] is None
    for verb in ("attach", "detach"):
        params = {"customer": customer} if verb == "attach" else {}
        with pytest.raises(stripe.InvalidRequestError):
            call("post", f"payment_methods/{method['id']}/{verb}", **params)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(payment_method=method["id"])


def test_most_cards_that_decline_cannot_be_saved(call, simulator, pay):
    customer = simulator.add_customer()
    with pytest.raises(stripe.CardError) as caught:
        call("post", "payment_methods/pm_card_chargeDeclined/attach", customer=customer)
    assert caught.value.code == "card_declined"
    saved = call("post", "payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)
    with pytest.raises(stripe.CardError):
        pay(customer=customer, payment_method=saved["id"])


def test_a_payment_can_save_its_card_for_later(pay, call, simulator):
    customer = simulator.add_customer()
    intent = pay(customer=customer, setup_future_usage="off_session", off_session=None)
    assert call("get", f"payment_methods/{intent['payment_method']}")["customer"] == customer
    assert pay(customer=customer, payment_method=intent["payment_method"])["status"] == "succeeded"


def test_a_payment_method_can_be_given_other_billing_details(call, simulator):
    method = simulator.add_payment_method()
    changed = call("post", f"payment_methods/{method}", billing_details={"name": "Jo"}, metadata={"a": "1"})
    assert (changed["billing_details"]["name"], changed["metadata"]) == ("Jo", {"a": "1"})


def test_seeded_objects_belong_to_the_account_they_were_made_for(call, simulator):
    customer = simulator.add_customer(SHOP, email="jo@example.com")
    method = simulator.add_payment_method("pm_card_amex", customer, SHOP)
    assert call("get", f"customers/{customer}", stripe_account=SHOP)["email"] == "jo@example.com"
    assert call("get", f"payment_methods/{method}", stripe_account=SHOP)["customer"] == customer
    with pytest.raises(ValueError, match="test payment methods"):
        simulator.add_payment_method("pm_card_gold")
    with pytest.raises(LookupError):
        simulator.find("cus_unknown")


def test_saved_methods_are_listed_by_kind_or_all_together(call, simulator, pay):
    customer = simulator.add_customer(email="jo@example.com")
    saved = {kind: simulator.add_payment_method(kind, customer) for kind in ("pm_card_visa", "link", "sepa_debit")}
    for path, params in (
        (f"customers/{customer}/payment_methods", {}),
        ("payment_methods", {"customer": customer}),
    ):
        assert [one["id"] for one in call("get", path, **params)["data"]] == list(reversed(saved.values()))
        [link] = call("get", path, type="link", **params)["data"]
        assert (link["id"], link["link"]["email"], "card" in link) == (saved["link"], "jo@example.com", False)
        [sepa] = call("get", path, type="sepa_debit", **params)["data"]
        assert (sepa["sepa_debit"]["last4"], sepa["sepa_debit"]["country"]) == ("3000", "DE")
        assert [one["type"] for one in call("get", path, type="card", **params)["data"]] == ["card"]
    with pytest.raises(stripe.InvalidRequestError, match=r"\(link\) is not allowed"):
        pay(customer=customer, payment_method=saved["link"])
    with pytest.raises(ValueError, match="is a customer's"):
        simulator.add_payment_method("link")


def test_what_a_customer_has_can_be_changed_and_partly_unset(call):
    jo = call("post", "customers", name="Jo", address={"line1": "1 Road", "country": "US"})["id"]
    changed = call("post", f"customers/{jo}", name="Al", email="al@example.com", address={"line1": "2 Road"})
    assert (changed["name"], changed["email"], changed["address"]) == ("Al", "al@example.com", {"line1": "2 Road"})
    assert call("post", f"customers/{jo}", address="")["address"] is None
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"customers/{jo}", name="")
    assert caught.value.code == "parameter_invalid_empty"


def test_a_simulator_that_adopts_customers_knows_whoever_a_request_names_on_every_account():
    simulator = StripeSimulator(accounts=[SHOP], adopt_customers=True)
    with serve(simulator) as server, requests.Session() as session:
        for account in (SHOP, simulator.platform):
            answer = session.post(
                f"{server.url}/v1/payment_intents",
                headers={"Authorization": f"Bearer {simulator.secret_key}", "Stripe-Account": account},
                data={"amount": "500", "currency": "usd", "customer": "cus_stranger"},
                timeout=10,
            )
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("member", "most"), [("phone", 20), ("name", 256), ("email", 512), ("individual_name", 150), ("description", 5000)]
)
def test_a_text_that_is_longer_than_stripe_takes_is_refused(call, member, most):
    known = call("post", "customers", **{member: "a" * most})
    for path in ("customers", f"customers/{known['id']}"):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            call("post", path, **{member: "a" * (most + 1)})
        assert (caught.value.http_status, caught.value.param) == (400, member)
        assert (
            caught.value.user_message == f"Invalid string: {'a' * 10}...{'a' * 10}; must be at most {most} characters"
        )
