"""What goes over the wire to Stripe, byte for byte."""

import json
from urllib.parse import unquote

import pytest
import responses
import stripe

from bridge.adapters import AdapterContext, CurrencyNotSupported, InvalidParameter, ProviderUnreachable
from tests.adapters.payments import (
    ACCOUNT,
    ATTEMPT,
    CHARGE,
    SECRET_KEY,
    error,
    intent,
    line,
    order,
    payment,
    stripe_adapter,
)

URL = "https://api.stripe.com/v1/payment_intents"
START = (
    "amount=1023&currency=usd&customer=cus_NffrFeUfNV2Hib&payment_method=pm_card_visa"
    "&allowed_payment_method_types[0]=card&off_session=true&confirm=true&capture_method={capture}"
    "&description=Online+Payment+for+Order+%2312+for+shop.example"
    "&metadata[customer_name]=Ann+Example&metadata[customer_email]=ann%2Bshop%40example.com"
    "&metadata[site_url]=https%3A%2F%2Fshop.example&metadata[order_id]=12&metadata[order_number]=12"
    "&metadata[order_key]=wc_order_abc&metadata[payment_type]=single&metadata[checkout_type]=rest-api"
    "&metadata[client_version]=0.1.0&metadata[subscription_payment]=no"
    f"&metadata[wcpay_bridge_attempt]={ATTEMPT}&expand[0]=latest_charge"
)
US = (
    "&amount_details[shipping][amount]=0&amount_details[shipping][to_postal_code]=94110"
    "&amount_details[line_items][0][product_code]=30&amount_details[line_items][0][product_name]=Beanie"
    "&amount_details[line_items][0][quantity]=1&amount_details[line_items][0][unit_cost]=1023"
    "&amount_details[line_items][0][tax][total_tax_amount]=0"
    "&amount_details[enforce_arithmetic_validation]=false"
    "&payment_details[order_reference]=12&payment_details[customer_reference]=12"
)


def send(mock, paid=None, **settings):
    """Create a payment with these settings, and give back what was sent."""
    mock.post(URL, json=intent())
    adapter = stripe_adapter(**settings)
    adapter.create(json.loads(json.dumps(adapter.prepare(paid or payment()))), "key-1:create")
    adapter.close()
    return mock.calls[-1].request


def test_a_direct_charge(stripe_says):
    sent = send(stripe_says)
    assert sent.body == START.format(capture="automatic")
    wanted = {
        "Authorization": f"Bearer {SECRET_KEY}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": "key-1:create",
        "Stripe-Account": ACCOUNT,
        "Stripe-Version": "2026-10-28.endive",
    }
    assert {name: sent.headers[name] for name in wanted} == wanted


def test_a_destination_charge(stripe_says):
    sent = send(stripe_says, charge_type="destination", on_behalf_of="yes", fee="2.9%+30")
    assert sent.body == (
        START.format(capture="automatic")
        + f"&application_fee_amount=60&transfer_data[destination]={ACCOUNT}&on_behalf_of={ACCOUNT}"
    )
    assert "Stripe-Account" not in sent.headers


def test_a_destination_charge_in_the_platforms_own_name(stripe_says):
    sent = send(stripe_says, charge_type="destination")
    assert sent.body == START.format(capture="automatic") + f"&transfer_data[destination]={ACCOUNT}"


def test_a_merchant_in_the_us_sends_line_items(stripe_says):
    assert send(stripe_says, country="us").body == START.format(capture="automatic") + US


@pytest.mark.parametrize("country", ["", "CA", "DE"])
def test_other_merchants_do_not(stripe_says, country):
    assert send(stripe_says, country=country).body == START.format(capture="automatic")


def test_manual_capture(stripe_says):
    assert send(stripe_says, payment(capture="manual")).body == START.format(capture="manual")


def test_a_payer_who_is_present(stripe_says):
    sent = send(stripe_says, off_session="no", statement_descriptor_suffix="WEB 12")
    assert sent.body == (
        START.format(capture="automatic").replace("&off_session=true", "") + "&statement_descriptor_suffix=WEB+12"
    )


@pytest.mark.parametrize(("fee", "cap", "amount"), [("62", "", 62), ("9999", "", 1023), ("2.9%+30", "50", 50)])
def test_the_application_fee(stripe_says, fee, cap, amount):
    assert send(stripe_says, fee=fee, fee_cap=cap).body.endswith(f"&application_fee_amount={amount}")


def test_metadata_is_cut_to_what_stripe_takes(stripe_says):
    sent = send(stripe_says, payment(metadata={"customer_name": "é" * 501}))
    assert f"&metadata[customer_name]={'é' * 500}&" in unquote(sent.body)


def test_every_name_that_is_sent_is_one_that_the_sdk_knows(stripe_says):
    names = set(stripe.params.PaymentIntentCreateParams.__annotations__)
    adapter = stripe_adapter(country="US", fee="62", charge_type="destination", on_behalf_of="yes", off_session="no")
    params = adapter.prepare(payment())["params"]
    assert set(params) <= names
    assert set(params["amount_details"]) <= set(stripe.params.PaymentIntentCreateParamsAmountDetails.__annotations__)
    stripe_says.assert_all_requests_are_fired = False
    adapter.close()


def test_a_stored_request_is_sent_as_it_was_made(stripe_says):
    """Although the settings and the SDK's API version are others by now."""
    stripe_says.post(URL, json=intent())
    before, after = stripe_adapter(), stripe_adapter(account="acct_2Other", fee="62", charge_type="destination")
    request = before.prepare(payment()) | {"version": "2026-03-25.dahlia"}
    after.create(request, "key-1:create")
    sent = stripe_says.calls[0].request
    assert sent.body == START.format(capture="automatic")
    assert (sent.headers["Stripe-Account"], sent.headers["Stripe-Version"]) == (ACCOUNT, "2026-03-25.dahlia")
    before.close()
    after.close()


def test_a_request_of_the_other_mode_is_never_sent():
    test, live = stripe_adapter(), stripe_adapter(live=True, secret_key="sk_live_1")
    with responses.RequestsMock(), pytest.raises(ProviderUnreachable, match="prepared in the other mode") as caught:
        live.create(test.prepare(payment()), "key-1:create")
    assert not caught.value.sent
    test.close()
    live.close()


def test_fetch_asks_for_the_charge_and_its_refunds_too(stripe_says):
    stripe_says.get(f"{URL}/pi_3Made", json=intent())
    adapter = stripe_adapter()
    adapter.fetch("pi_3Made")
    sent = stripe_says.calls[0].request
    shown = "expand[0]=latest_charge.refunds&expand[1]=latest_charge.balance_transaction"
    assert unquote(sent.url) == f"{URL}/pi_3Made?{shown}"
    assert sent.headers["Stripe-Account"] == ACCOUNT
    assert "Idempotency-Key" not in sent.headers
    adapter.close()


def test_a_restricted_key_that_may_not_read_balance_transactions_can_look_all_the_same(stripe_says):
    forbidden = error(message="The provided key does not have the required permissions for this endpoint.")
    stripe_says.get(f"{URL}/pi_3Made", status=403, json=forbidden)
    stripe_says.get(f"{URL}/pi_3Made", json=intent(latest_charge=CHARGE))
    adapter = stripe_adapter()
    charge = adapter.fetch("pi_3Made").charge
    assert (charge.balance_transaction, charge.details) == ("txn_1", None)
    assert unquote(stripe_says.calls[1].request.url) == f"{URL}/pi_3Made?expand[0]=latest_charge.refunds"
    adapter.close()


def test_cancel_has_a_key_of_its_own(stripe_says):
    stripe_says.post(f"{URL}/pi_3Made/cancel", json=intent(status="canceled"))
    adapter = stripe_adapter(charge_type="destination")
    adapter.cancel("pi_3Made", "key-2:cancel")
    sent = stripe_says.calls[0].request
    assert (sent.body, sent.headers["Idempotency-Key"]) == ("expand[0]=latest_charge.refunds", "key-2:cancel")
    assert "Stripe-Account" not in sent.headers
    adapter.close()


def test_find_lists_the_customers_payments_page_by_page(stripe_says):
    first = {"object": "list", "has_more": True, "data": [intent(id="pi_2", metadata={})]}
    second = {"object": "list", "has_more": False, "data": [intent()]}
    stripe_says.get(URL, json=first)
    stripe_says.get(URL, json=second)
    adapter = stripe_adapter()
    found = adapter.find(adapter.prepare(payment()), "key-1:create", 1700000000.9)
    assert found.reference == "pi_3Made"
    query = "customer=cus_NffrFeUfNV2Hib&created[gte]=1700000000&expand[0]=data.latest_charge.refunds&limit=100"
    assert [unquote(call.request.url) for call in stripe_says.calls] == [
        f"{URL}?{query}",
        f"{URL}?{query}&starting_after=pi_2",
    ]
    assert stripe_says.calls[0].request.headers["Stripe-Account"] == ACCOUNT
    adapter.close()


def test_check_asks_the_connected_account_itself(stripe_says):
    account = {"object": "account", "id": ACCOUNT}
    stripe_says.get("https://api.stripe.com/v1/account", json=account)
    stripe_says.get(f"https://api.stripe.com/v1/accounts/{ACCOUNT}", json=account)
    for charge_type in ("direct", "destination"):
        adapter = stripe_adapter(charge_type=charge_type)
        adapter.check()
        adapter.close()
    assert [call.request.headers.get("Stripe-Account") for call in stripe_says.calls] == [ACCOUNT, None]


def test_nothing_is_reported_about_us_and_nothing_is_global(stripe_says, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    stripe_says.post(URL, json=intent(), headers={"Request-Id": "req_1"})
    adapter = stripe_adapter()
    for _ in range(2):
        adapter.create(adapter.prepare(payment()), "key-1:create")
    sent = stripe_says.calls[1].request
    assert "X-Stripe-Client-Telemetry" not in sent.headers
    assert {"platform", "telemetry_id"} & set(json.loads(sent.headers["X-Stripe-Client-User-Agent"])) == set()
    assert list(tmp_path.iterdir()) == []
    assert stripe.api_key is None
    assert stripe.default_http_client is None
    adapter.close()


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"currency": "GBP", "customer": None}, CurrencyNotSupported, "gbp is not a supported currency for payments."),
        ({"customer": None, "payment_method": None}, InvalidParameter, "Missing parameter: customer."),
        ({"payment_method": ""}, InvalidParameter, "Empty parameter is not allowed (payment_method)."),
    ],
)
def test_what_is_wrong_is_said_in_woopayments_order(changes, error, sentence):
    adapter = stripe_adapter(AdapterContext(), currencies="USD")
    with pytest.raises(error) as caught:
        adapter.prepare(payment(**changes))
    assert str(caught.value) == sentence
    adapter.close()


def test_an_amount_in_whole_units(stripe_says):
    stripe_says.post(URL, json=intent(amount=500, currency="jpy"))
    adapter = stripe_adapter()
    yen = payment(amount=500, currency="JPY", order=order(line(subtotal="500"), currency="JPY", total="500"))
    outcome = adapter.create(adapter.prepare(yen), "key-1:create")
    assert stripe_says.calls[0].request.body.startswith("amount=500&currency=jpy&")
    assert (outcome.amount, outcome.currency) == (500, "JPY")
    adapter.close()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"amount": "1023", "currency": "usd", "level3[x]": "1"}, "Received unknown parameter: level3"),
        ({"amount": "1023", "currency": "usd", "capture_method": "later"}, "Invalid capture_method: must be one of"),
        ({"currency": "usd"}, "Missing required param: amount."),
        ({"amount": "1023", "currency": "usd", "description": "x" * 1001}, "must be at most 1000 characters"),
    ],
)
def test_a_request_that_the_sdk_does_not_know_is_seen_in_any_test(stripe_says, in_no_type, form, said):
    """The watch itself (tests/plugins/stripe_sdk.py): every other test fails by it."""
    stripe_says.post(URL, json={})
    session = AdapterContext().session()
    session.post(URL, data=form, headers={"Stripe-Version": stripe.api_version})
    session.close()
    [wrong] = in_no_type
    assert said in wrong
    in_no_type.clear()
