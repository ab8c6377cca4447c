"""What every request has to bring: a test key, an account that is connected, parameters that the SDK's types know."""

import pytest
import requests
import stripe

from .conftest import OTHER, SHOP, TIMEOUT

INTENT = {"amount": "1023", "currency": "usd"}


@pytest.fixture
def post(url, session, simulator):
    """A raw form post, for what the SDK would not send."""

    def post(form, path="/v1/payment_intents", headers=None, **options) -> requests.Response:
        sent = {"Authorization": f"Bearer {simulator.secret_key}", **(headers or {})}
        return session.post(url + path, data=form, headers=sent, timeout=TIMEOUT, **options)

    return post


def error(answer: requests.Response) -> tuple:
    body = answer.json()["error"]
    return answer.status_code, body["type"], body.get("code"), body.get("param"), body["message"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "did not provide an API key"),
        ("Bearer sk_test_wrongwrongwrongwrong", "Invalid API Key provided: sk_test_********rong"),
        ("Bearer sk_live_abcdefghijklmnop", "refuses live keys"),
        ("Basic c2tfbGl2ZV94Og==", "refuses live keys"),
        ("Nonsense", "did not provide an API key"),
    ],
)
def test_a_request_without_the_secret_key_is_refused(post, simulator, header, message):
    status, kind, code, _, text = error(post(INTENT, headers={"Authorization": header}))
    assert (status, kind, code) == (401, "invalid_request_error", None)
    assert message in text
    assert simulator.secret_key not in text
    assert simulator.requests[-1].account is None


def test_the_key_is_taken_as_user_name_too_as_curl_sends_it(url, session, simulator):
    answer = session.post(f"{url}/v1/customers", auth=(simulator.secret_key, ""), timeout=TIMEOUT)
    assert answer.status_code == 200


def test_a_live_key_cannot_even_be_configured():
    from bridge.simulators.stripe import StripeSimulator

    with pytest.raises(ValueError, match="sk_test_"):
        StripeSimulator(secret_key="sk_live_abc")


def test_every_answer_names_its_request_and_version(post):
    answer = post(INTENT, headers={"Stripe-Version": "2025-03-31.basil"})
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == "2025-03-31.basil"
    assert post({}).headers["Stripe-Version"] == stripe.api_version
    assert error(post(INTENT, headers={"Stripe-Version": "latest"}))[:2] == (400, "invalid_request_error")


def test_objects_of_one_account_do_not_exist_for_another(pay, call, simulator):
    intent = pay(stripe_account=SHOP)
    customer = simulator.add_customer(SHOP)
    for account in (None, OTHER):
        for verb, path in (("get", ""), ("post", ""), ("post", "/cancel"), ("post", "/capture"), ("post", "/confirm")):
            with pytest.raises(stripe.InvalidRequestError) as caught:
                call(verb, f"payment_intents/{intent['id']}{path}", stripe_account=account)
            problem = caught.value
            assert (problem.http_status, problem.code, problem.param) == (404, "resource_missing", "intent")
            assert problem.user_message == f"No such payment_intent: '{intent['id']}'"
        for missing in ({"customer": customer}, {"payment_method": intent["payment_method"]}):
            with pytest.raises(stripe.InvalidRequestError) as caught:
                pay(stripe_account=account, **missing)
            assert (caught.value.http_status, caught.value.code) == (400, "resource_missing")
            assert caught.value.param == next(iter(missing))
        assert call("get", "payment_intents", stripe_account=account)["data"] == []
        with pytest.raises(stripe.InvalidRequestError):
            call("get", f"charges/{intent['latest_charge']}", stripe_account=account)
    assert call("get", f"payment_intents/{intent['id']}", stripe_account=SHOP)["id"] == intent["id"]


def test_an_account_that_is_not_connected_is_forbidden(call):
    with pytest.raises(stripe.PermissionError) as caught:
        call("get", "payment_intents", stripe_account="acct_unknown")
    assert (caught.value.http_status, caught.value.json_body["error"]["code"]) == (403, "account_invalid")
    with pytest.raises(stripe.PermissionError):
        call("get", "accounts/acct_unknown")
    with pytest.raises(stripe.PermissionError):
        call("get", f"accounts/{OTHER}", stripe_account=SHOP)


def test_accounts_tell_their_country_and_currency(call, simulator):
    german = simulator.add_account("acct_german", country="DE", currency="eur")
    account = call("get", f"accounts/{german}")
    assert (account["country"], account["default_currency"], account["charges_enabled"]) == ("DE", "eur", True)
    assert account["capabilities"] == {"card_payments": "active", "transfers": "active"}
    assert call("get", "account", stripe_account=german)["id"] == german
    assert call("get", "account")["id"] == simulator.platform
    with pytest.raises(ValueError, match="already"):
        simulator.add_account(german)


def test_an_unknown_url_or_method_is_a_404(post, url, session, simulator):
    for path in ("/v1/nonsense", "/v1//customers", "/"):
        assert error(post({}, path))[:2] == (404, "invalid_request_error")
    answer = session.delete(
        f"{url}/v1/payment_intents", headers={"Authorization": f"Bearer {simulator.secret_key}"}, timeout=TIMEOUT
    )
    assert error(answer)[:2] == (404, "invalid_request_error")


@pytest.mark.parametrize(
    ("form", "code", "param", "message"),
    [
        ({"foo": "1"}, "parameter_unknown", "foo", "Received unknown parameter: foo"),
        ({"foo": "1", "bar[x]": "1"}, "parameter_unknown", "foo", "Received unknown parameters: foo, bar"),
        ({"payment_method_types[0]": "card"}, "payment_method_types_no_longer_supported", "payment_method_types", None),
        ({"transfer_data[to]": "x"}, "parameter_unknown", "transfer_data[to]", None),
        ({"amount": None}, "parameter_missing", "amount", "Missing required param: amount."),
        ({"currency": None}, "parameter_missing", "currency", None),
        ({"transfer_data[amount]": "5"}, "parameter_missing", "transfer_data[destination]", None),
        ({"amount": "10.23"}, "parameter_invalid_integer", "amount", "Invalid integer: 10.23"),
        ({"amount": ""}, "parameter_invalid_empty", "amount", None),
        ({"amount[x]": "5", "amount": None}, "parameter_invalid_integer", "amount", None),
        ({"confirm": "yes"}, None, "confirm", "Invalid boolean: yes"),
        (
            {"off_session": "sometimes"},
            None,
            "off_session",
            "Invalid off_session: must be one of one_off, or recurring",
        ),
        ({"capture_method": "later"}, None, "capture_method", None),
        ({"setup_future_usage": "never"}, None, "setup_future_usage", None),
        ({"customer": ""}, "parameter_invalid_empty", "customer", None),
        ({"customer[id]": "x"}, None, "customer", None),
        ({"metadata": "x"}, None, "metadata", None),
        ({"metadata[a][b]": "x"}, None, "metadata[a]", None),
        ({"metadata[k]": "x" * 501}, None, "metadata[k]", None),
        ({f"metadata[{'k' * 41}]": "x"}, None, "metadata", None),
        ({f"metadata[k{n}]": "x" for n in range(51)}, None, "metadata", None),
        ({"expand": "latest_charge"}, None, "expand", "Invalid array"),
        ({"allowed_payment_method_types[0]": "barter"}, None, "allowed_payment_method_types[0]", None),
        ({"allowed_payment_method_types[0]": "ideal"}, None, "allowed_payment_method_types", None),
        (
            {"amount_details[line_items][0][quantity]": "1", "amount_details[line_items][0][unit_cost]": "1"},
            "parameter_missing",
            "amount_details[line_items][0][product_name]",
            None,
        ),
        ({"off_session": "true"}, None, "off_session", "`off_session` can only be used with `confirm=true`."),
        ({"amount": "0"}, "parameter_invalid_integer", "amount", None),
        ({"amount": "49"}, "amount_too_small", "amount", "Amount must be at least 0.50 usd"),
        ({"amount": "100000000"}, "amount_too_large", "amount", None),
        ({"currency": "xyz"}, None, "currency", None),
        ({"currency": "USD"}, None, "currency", None),
        ({"currency": "jpy", "amount": "49"}, "amount_too_small", "amount", "Amount must be at least 50 jpy"),
        ({"currency": "kwd", "amount": "1235"}, None, "amount", None),
        ({"currency": "isk", "amount": "1050"}, None, "amount", None),
        ({"payment_method": "tok_visa"}, "resource_missing", "payment_method", None),
        ({"payment_method": "pm_card_unknown"}, "resource_missing", "payment_method", None),
        ({"customer": "cus_unknown"}, "resource_missing", "customer", "No such customer: 'cus_unknown'"),
    ],
)
def test_a_wrong_parameter_is_refused_with_its_name(post, simulator, form, code, param, message):
    sent = {name: value for name, value in {**INTENT, **form}.items() if value is not None}
    status, kind, got_code, got_param, text = error(post(sent))
    assert (status, kind, got_code, got_param) == (400, "invalid_request_error", code, param)
    assert message is None or text == message
    assert simulator.requests[-1].status == 400


@pytest.mark.parametrize(("currency", "amount"), [("jpy", 500), ("kwd", 1230), ("isk", 1000), ("eur", 50), ("gbp", 30)])
def test_amounts_are_minor_units_of_any_supported_currency(pay, currency, amount):
    assert pay(currency=currency, amount=amount)["amount_received"] == amount


def test_nested_lists_and_hashes_are_read_in_each_spelling(post, simulator):
    spellings = [
        {"expand[0]": "customer", "expand[1]": "latest_charge"},
        {"expand[]": ["customer", "latest_charge"]},
        {"shipping[name]": "Jo", "shipping[address][line1]": "1 Road"},
        [("amount_details[line_items][][product_name]", "Lamp"), ("amount_details[line_items][][quantity]", "1"),
         ("amount_details[line_items][][unit_cost]", "1000"),
         ("amount_details[line_items][][product_name]", "Bulb"), ("amount_details[line_items][][quantity]", "1"),
         ("amount_details[line_items][][unit_cost]", "23")],
    ]  # fmt: skip
    for spelling in spellings:
        pairs = spelling if isinstance(spelling, list) else list(spelling.items())
        assert post([*INTENT.items(), *pairs]).status_code == 200
    assert simulator.requests[1].params["expand"] == {"0": "customer", "1": "latest_charge"}
    assert error(post([*INTENT.items(), ("shipping", "x"), ("shipping[name]", "Jo")]))[0] == 400


def test_a_body_that_is_no_form_is_refused(post):
    answer = post('{"amount": 5}', headers={"Content-Type": "application/json"})
    assert error(answer)[0] == 400
    assert "application/x-www-form-urlencoded" in error(answer)[4]


def test_every_endpoint_knows_its_parameters():
    from bridge.simulators.stripe.errors import ApiError
    from bridge.simulators.stripe.params import check
    from bridge.simulators.stripe.routes import ROUTES

    assert ROUTES
    for route in ROUTES:
        with pytest.raises(ApiError, match="Received unknown parameter: nonsense"):
            check(route.parameters, {"nonsense": "1"})


def test_requests_are_recorded_without_secrets(call, post, simulator):
    call("post", "customers", email="jo@example.com", stripe_account=SHOP, idempotency_key="key-1")
    card = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    call("post", "payment_methods", type="card", card=card)
    first, second = simulator.requests
    assert (first.method, first.path, first.account, first.idempotency_key, first.params, first.status) == (
        "POST",
        "/v1/customers",
        SHOP,
        "key-1",
        {"email": "jo@example.com"},
        200,
    )
    assert second.params["card"] == {
        "number": "[removed]",
        "exp_month": "1",
        "exp_year": "2030",
        "cvc": "[removed]",
    }
    told = f"{simulator.requests!r} {[dict(record.params) for record in simulator.requests]!r}"
    assert simulator.secret_key not in told
    assert "4242424242424242" not in told


def test_a_declined_key_is_not_recorded_either(post, simulator):
    post(INTENT, headers={"Authorization": "Bearer sk_live_secretsecretsecret"})
    assert [one.status for one in simulator.requests] == [401]
    assert "secretsecret" not in repr(simulator.requests)
