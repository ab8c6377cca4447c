"""Customers, saved payment methods and card readers at Stripe."""

import json
from urllib.parse import unquote_plus

import pytest

from bridge.adapters import (
    Address,
    CurrencyNotSupported,
    CustomerDetails,
    InvalidParameter,
    ProviderConfused,
    ProviderRefused,
    Status,
)
from tests.adapters.payments import (
    ACCOUNT,
    API,
    ATTEMPT,
    CHARGE,
    error,
    intent,
    line,
    listed,
    order,
    payment,
    sent,
    stripe_adapter,
)

CUSTOMERS = f"{API}/customers"
ANN = CustomerDetails(
    name="Ann Example",
    email="ann@example.com",
    phone="",
    address=Address("Ann", "Example", "1 Main St", "", "Springfield", "IL", "62701", "US", "ann@example.com"),
    metadata={"site_url": "https://shop.example"},
)
RECEIPT = {"account_type": "credit", "application_preferred_name": "Visa Credit"}
CUSTOMER = {"object": "customer", "id": "cus_1", "livemode": False}
ANN_SENT = (
    "name=Ann+Example&email=ann%40example.com&address[city]=Springfield&address[country]=US&address[line1]=1+Main+St"
    "&address[postal_code]=62701&address[state]=IL&metadata[site_url]=https%3A%2F%2Fshop.example"
)


@pytest.fixture
def adapter():
    made = stripe_adapter()
    yield made
    made.close()


# Customers


def test_a_new_customer_has_what_the_order_has(adapter, stripe_says):
    stripe_says.post(CUSTOMERS, json=CUSTOMER)
    assert adapter.save_customer(ANN, None, "key-5") == "cus_1"
    request = stripe_says.calls[0].request
    assert request.body == ANN_SENT
    assert (request.headers["Idempotency-Key"], request.headers["Stripe-Account"]) == ("key-5", ACCOUNT)


def test_a_customer_who_is_known_is_brought_up_to_date(adapter, stripe_says):
    stripe_says.post(f"{CUSTOMERS}/cus_1", json=CUSTOMER)
    assert adapter.save_customer(ANN, "cus_1", "key-5") == "cus_1"
    assert stripe_says.calls[0].request.body == ANN_SENT


def test_a_customer_who_is_gone_is_made_again_under_another_key(adapter, stripe_says):
    stripe_says.post(f"{CUSTOMERS}/cus_gone", status=404, json=error("resource_missing"))
    stripe_says.post(CUSTOMERS, json=CUSTOMER)
    assert adapter.save_customer(ANN, "cus_gone", "key-5") == "cus_1"
    assert [call.request.headers["Idempotency-Key"] for call in stripe_says.calls] == ["key-5", "key-5:new"]


def test_another_refusal_is_one(adapter, stripe_says):
    stripe_says.post(f"{CUSTOMERS}/cus_1", status=400, json=error("email_invalid", "Invalid email address: x"))
    with pytest.raises(ProviderRefused, match=r"^Error: Invalid email address: x$"):
        adapter.save_customer(ANN, "cus_1", "key-5")


@pytest.mark.parametrize("changes", [{"id": "cus_2"}, {"livemode": True}, {"object": "account"}])
def test_another_customer_is_not_taken_for_this_one(adapter, stripe_says, changes):
    stripe_says.post(f"{CUSTOMERS}/cus_1", json=CUSTOMER | changes)
    with pytest.raises(ProviderConfused):
        adapter.save_customer(ANN, "cus_1", "key-5")


# Saved payment methods


def method(identifier, kind, **own):
    billing = {"address": {"city": "Springfield", "country": "US"}, "email": None, "name": "Ann", "phone": None, "x": 1}
    return {"object": "payment_method", "id": identifier, "type": kind, "billing_details": billing, kind: own}


def test_saved_cards_are_shown_without_what_nobody_needs(adapter, stripe_says):
    stripe_says.get(
        f"{CUSTOMERS}/cus_1/payment_methods",
        json=listed(
            method("pm_4", "sepa_debit", last4="3000", bank_code="37040044"),
            method("pm_3", "boleto", tax_id="1"),
            method("pm_2", "link", email="ann@example.com"),
            method("pm_1", "card", brand="visa", last4="4242", exp_month=8, exp_year=2030, fingerprint="x"),
        ),
    )
    shown = adapter.payment_methods("cus_1")
    assert [(one["id"], one["type"], one[one["type"]]) for one in shown] == [
        ("pm_1", "card", {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030}),
    ]
    empty = {"line1": None, "line2": None, "postal_code": None, "state": None}
    address = {"city": "Springfield", "country": "US", **empty}
    assert shown[0]["billing_details"] == {"address": address, "email": None, "name": "Ann", "phone": None}
    assert set(shown[0]) == {"id", "type", "billing_details", "card"}


def test_methods_with_next_to_nothing_are_shown_too(adapter, stripe_says):
    bare = {"object": "payment_method", "id": "pm_1", "type": "card"}
    stripe_says.get(f"{CUSTOMERS}/cus_1/payment_methods", json=listed(bare))
    [shown] = adapter.payment_methods("cus_1")
    assert shown["card"] == dict.fromkeys(("brand", "last4", "exp_month", "exp_year"))


def test_a_customer_whom_nobody_knows_has_none(adapter, stripe_says):
    stripe_says.get(f"{CUSTOMERS}/cus_0/payment_methods", status=404, json=error("resource_missing"))
    assert adapter.payment_methods("cus_0") == []


def test_any_other_refusal_is_not_an_empty_list(adapter, stripe_says):
    stripe_says.get(f"{CUSTOMERS}/cus_1/payment_methods", status=401, json=error())
    with pytest.raises(ProviderRefused):
        adapter.payment_methods("cus_1")


def test_a_name_from_outside_stays_a_name(adapter, stripe_says):
    stripe_says.get(f"{CUSTOMERS}/..%2Faccount%3Fx%3D1/payment_methods", status=404, json=error("resource_missing"))
    assert adapter.payment_methods("../account?x=1") == []


# Card readers


def terminal(adapter, methods=("card_present",), metadata=None, **changes):
    given = {"customer": "", "payment_method": "", "capture": "manual"} | changes
    return adapter.prepare_terminal(payment(**given), list(methods), metadata or {})


def test_a_reader_gets_an_intent_that_nobody_has_confirmed(stripe_says):
    stripe_says.post(f"{API}/payment_intents", json=intent(status="requires_payment_method", payment_method=None))
    adapter = stripe_adapter(country="US", fee="62")
    request = json.loads(json.dumps(terminal(adapter, ["card_present", "interac_present"], {"reader": "left"})))
    outcome = adapter.create(request, "key-6:create")
    body = unquote_plus(stripe_says.calls[0].request.body)
    assert body.startswith(
        "amount=1023&currency=usd&allowed_payment_method_types[0]=card_present"
        "&allowed_payment_method_types[1]=interac_present&capture_method=manual"
    )
    assert "&metadata[reader]=left&" in body
    assert body.endswith(f"&metadata[wcpay_bridge_attempt]={ATTEMPT}&expand[0]=latest_charge&application_fee_amount=62")
    assert [word for word in ("confirm", "off_session", "&customer=", "amount_details") if word in body] == []
    assert (outcome.status, outcome.decline) == (Status.REQUIRES_PAYMENT_METHOD, None)
    assert outcome.client_secret == "pi_3Made_secret_Canary"
    assert outcome.provider_data == {"stripe_account": ACCOUNT}
    adapter.close()


def test_a_customer_comes_along_if_there_is_one(adapter):
    params = terminal(adapter, customer="cus_NffrFeUfNV2Hib")["params"]
    assert params["customer"] == "cus_NffrFeUfNV2Hib"
    with pytest.raises(InvalidParameter, match="customer must start with cus_"):
        terminal(adapter, customer="Ann")


def test_nobody_can_give_our_metadata_another_meaning(adapter):
    metadata = terminal(adapter, metadata={"order_id": "666", "wcpay_bridge_attempt": "x", "note": "n" * 501})["params"]
    assert metadata["metadata"]["order_id"] == "12"
    assert metadata["metadata"]["wcpay_bridge_attempt"] == ATTEMPT
    assert metadata["metadata"]["note"] == "n" * 500


@pytest.mark.parametrize("methods", [[], ["card"], ["card_present", "klarna"]])
def test_readers_take_cards_that_are_present_only(adapter, methods):
    with pytest.raises(InvalidParameter, match="payment_methods must be a list of card_present and interac_present"):
        terminal(adapter, methods)


def test_a_currency_that_the_owner_leaves_out_is_refused_in_person_too():
    adapter = stripe_adapter(currencies="EUR")
    with pytest.raises(CurrencyNotSupported):
        terminal(adapter)
    adapter.close()


def test_it_is_found_without_a_customer_as_well(adapter, stripe_says):
    stripe_says.get(f"{API}/payment_intents", json=listed(intent(metadata={}), intent()))
    assert adapter.find(terminal(adapter), "key-6:create", 0).reference == "pi_3Made"
    assert "customer" not in stripe_says.calls[0].request.url


@pytest.mark.parametrize("kind", ["card_present", "interac_present"])
def test_a_card_that_was_present_is_read_like_another(adapter, stripe_says, kind):
    details = {"type": kind, kind: {"brand": "visa", "last4": "0043", "capture_before": 1700172800, "receipt": RECEIPT}}
    charge = {**CHARGE, "captured": False, "payment_method_details": details}
    stripe_says.get(f"{API}/payment_intents/pi_3Made", json=intent(status="requires_capture", latest_charge=charge))
    found = adapter.fetch("pi_3Made").charge
    assert found.payment_method_type == kind
    assert (found.card["last4"], found.card["capture_before"]) == ("0043", 1700172800)
    assert found.card["receipt"] == RECEIPT


@pytest.mark.parametrize(("charge_type", "account"), [("direct", ACCOUNT), ("destination", None)])
def test_a_connection_token_is_for_the_account_whose_readers_they_are(stripe_says, charge_type, account):
    answer = {"object": "terminal.connection_token", "secret": "pst_test_1"}
    stripe_says.post(f"{API}/terminal/connection_tokens", json=answer)
    adapter = stripe_adapter(charge_type=charge_type)
    assert adapter.connection_token() == answer
    assert stripe_says.calls[0].request.headers.get("Stripe-Account") == account
    assert sent(stripe_says) == [("POST", "/terminal/connection_tokens")]
    adapter.close()


def test_a_token_without_a_secret_is_nonsense(adapter, stripe_says):
    stripe_says.post(f"{API}/terminal/connection_tokens", json={"object": "terminal.connection_token"})
    with pytest.raises(ProviderConfused):
        adapter.connection_token()


def test_yen_are_whole_at_a_reader_too(adapter):
    yen = order(line(subtotal="500"), currency="JPY", total="500")
    assert terminal(adapter, amount=500, currency="JPY", order=yen)["params"]["amount"] == 500
