"""What becomes of Stripe's answers: outcomes, declines, and errors that say no more than is proven."""

import logging

import pytest
import requests
import responses

from bridge.adapters import (
    Charge,
    Decline,
    Outcome,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    Status,
)
from tests.adapters.payments import ACCOUNT, ATTEMPT, CHARGE, SECRET_KEY, intent, payment, stripe_adapter

URL = "https://api.stripe.com/v1/payment_intents"
NONSENSE = "The payment provider's answer could not be understood."
NOT_HEARD = "webhook_secret is not set: Stripe does not notify the bridge of refunds and disputes that begin there."


def created(status=200, answer=None, adapter=None, **settings):
    """What `create` makes of one answer."""
    content = {"body": answer} if isinstance(answer, (str, Exception)) else {"json": answer}
    own = adapter or stripe_adapter(**{"max_retries": "0", **settings})
    try:
        with responses.RequestsMock() as mock:
            mock.post(URL, status=status, **content)
            return own.create(own.prepare(payment()), "key-1:create")
    finally:
        own.close()


def refused(status, **error):
    with pytest.raises(ProviderError) as caught:
        created(status, {"error": error})
    return caught.value


def test_a_charge_is_read_whole():
    outcome = created(answer=intent(latest_charge=CHARGE))
    assert outcome == Outcome(
        status=Status.SUCCEEDED,
        reference="pi_3Made",
        public_id="pi_3Made",
        amount=1023,
        currency="USD",
        customer="cus_NffrFeUfNV2Hib",
        payment_method="pm_1Used",
        charge=Charge(
            id="ch_3Made",
            amount=1023,
            status="succeeded",
            captured=True,
            amount_captured=1023,
            amount_refunded=0,
            application_fee_amount=60,
            balance_transaction="txn_1",
            billing_details=CHARGE["billing_details"],
            card={
                "amount_authorized": 1023,
                "brand": "visa",
                "capture_before": None,
                "country": "US",
                "exp_month": 8,
                "exp_year": 2030,
                "last4": "4242",
                "three_d_secure": None,
                "fingerprint": "AOB934RVNwzk6xtn",
            },
            payment_method_type="card",
            created=1700000001,
            outcome={"risk_level": "normal", "type": "authorized"},
        ),
        created=1700000000.0,
        attempt_id=ATTEMPT,
        metadata=intent()["metadata"],
        raw=outcome.raw,
    )


def test_what_is_kept_of_the_answer_cannot_move_money():
    secret = {"type": "use_stripe_sdk", "use_stripe_sdk": {"client_secret": "x"}}
    problem = {"type": "card_error", "source": {"client_secret": "x"}}
    outcome = created(answer=intent(next_action=secret, last_payment_error=problem))
    assert outcome.raw == {
        **{name: value for name, value in intent().items() if name not in ("client_secret", "next_action")},
        "last_payment_error": {"type": "card_error", "source": {}},
    }


def test_what_a_browser_needs_is_there_while_the_payer_has_to_act():
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    outcome = created(answer=intent(status="requires_action", next_action=action), off_session="no")
    assert (outcome.status, outcome.next_action) == (Status.REQUIRES_ACTION, action)
    assert outcome.client_secret == "pi_3Made_secret_Canary"
    assert outcome.provider_data == {"stripe_account": ACCOUNT}
    assert "Canary" not in repr(outcome)


@pytest.mark.parametrize(
    "status", ["succeeded", "requires_capture", "processing", "requires_payment_method", "canceled"]
)
def test_and_never_otherwise(status):
    problem = {"type": "card_error", "message": "x"} if status == "requires_payment_method" else None
    outcome = created(answer=intent(status=status, next_action={"type": "x"}, last_payment_error=problem))
    assert (outcome.next_action, outcome.client_secret, outcome.provider_data) == (None, None, None)


def test_a_status_that_nobody_knows_means_processing():
    assert created(answer=intent(status="requires_moonlight")).status is Status.PROCESSING


@pytest.mark.parametrize("charge", [None, "ch_3Made", 7, {"id": None}, {"id": "ch_1", "amount": "much"}])
def test_a_charge_that_cannot_be_read_is_none(charge):
    assert created(answer=intent(latest_charge=charge)).charge is None


def test_expanded_references_are_their_ids():
    outcome = created(answer=intent(customer={"id": "cus_9"}, payment_method={"id": "pm_9"}))
    assert (outcome.customer, outcome.payment_method) == ("cus_9", "pm_9")


def test_a_decline_is_the_outcome_of_the_payment_that_was_made():
    problem = {
        "type": "card_error",
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "message": "Your card has insufficient funds.",
        "payment_intent": intent(status="requires_payment_method", payment_method=None, latest_charge="ch_1"),
    }
    outcome = created(402, {"error": problem})
    assert (outcome.status, outcome.reference) == (Status.REQUIRES_PAYMENT_METHOD, "pi_3Made")
    assert outcome.decline == Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")


def test_a_failure_after_the_payment_was_made_is_its_outcome_too():
    """A 400 is not proof that nothing was done, if it comes with a payment."""
    problem = {
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "message": "The payer did not pass.",
        "payment_intent": intent(status="requires_payment_method"),
    }
    outcome = created(400, {"error": problem})
    assert outcome.decline == Decline("payment_intent_authentication_failure", "The payer did not pass.")


def test_a_payment_that_was_made_after_all_is_no_decline():
    problem = {"type": "card_error", "code": "x", "message": "x", "payment_intent": intent(status="processing")}
    outcome = created(402, {"error": problem})
    assert (outcome.status, outcome.decline) == (Status.PROCESSING, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1024},
        {"amount": "1023"},
        {"amount": True},
        {"currency": "eur"},
        {"livemode": True},
        {"livemode": None},
        {"id": ""},
        {"id": None},
        {"status": None},
        {"object": "charge"},
        {"metadata": {}},
        {"metadata": None},
        {"metadata": {"wcpay_bridge_attempt": ATTEMPT[::-1]}},
    ],
)
def test_an_answer_about_something_else_is_nonsense(changes):
    with pytest.raises(ProviderConfused, match=NONSENSE):
        created(answer=intent(**changes))
    problem = {"type": "card_error", "message": "x", "payment_intent": intent(**changes)}
    with pytest.raises(ProviderConfused, match=NONSENSE):
        created(402, {"error": problem})


@pytest.mark.parametrize("status", [200, 302, 400, 402, 403, 404])
@pytest.mark.parametrize(
    "answer", ["", "<html>", '{"id": "pi_', "null", "[]", "7", '"x"', "{}", '{"error": 5}', '{"error": []}']
)
def test_what_is_not_stripes_is_nonsense(status, answer):
    with pytest.raises(ProviderConfused, match=NONSENSE):
        created(status, answer)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("answer", ["<html>", "{}", '{"error": {"type": "api_error", "message": "Oops"}}'])
def test_a_failure_at_stripe_leaves_it_unknown(status, answer):
    with pytest.raises(ProviderUnreachable, match=f"Stripe failed .HTTP {status}.") as caught:
        created(status, answer)
    assert caught.value.sent


@pytest.mark.parametrize("status", [400, 404])
def test_a_request_that_stripe_refuses_is_told_in_its_words(status):
    error = refused(
        status,
        type="invalid_request_error",
        code="resource_missing",
        message="No such customer: 'cus_1'",
        param="customer",
    )
    assert isinstance(error, ProviderRefused)
    assert str(error) == "Error: No such customer: 'cus_1'"
    assert error.details == {"code": "resource_missing", "param": "customer", "status": status}
    assert not error.retryable


def test_a_sentence_of_stripes_is_not_endless():
    assert str(refused(400, type="invalid_request_error", message="x" * 9999)) == "Error: " + "x" * 500


def test_an_amount_below_the_minimum_is_told_without_a_prefix():
    sentence = "Amount must be at least $0.50 usd"
    error = refused(400, type="invalid_request_error", code="amount_too_small", message=sentence, param="amount")
    assert (str(error), error.code) == (sentence, "amount_too_small")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_for_the_merchant_and_not_shown(status):
    error = refused(status, type="invalid_request_error", message=f"Invalid API Key provided: {SECRET_KEY}")
    assert isinstance(error, ProviderRefused)
    assert str(error) == (
        "Error: Stripe refused this store's API key or account. The settings secret_key and account have to be checked."
    )
    assert SECRET_KEY not in repr(error.details)


@pytest.mark.parametrize(("status", "code"), [(429, None), (429, "rate_limit"), (400, "rate_limit")])
def test_too_many_requests_may_be_tried_again(status, code):
    error = refused(status, type="invalid_request_error", code=code, message="Too many")
    assert isinstance(error, ProviderRefused)
    assert (error.retryable, error.code) == (True, "rate_limit")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use"}),
        (409, {"type": "invalid_request_error", "code": "lock_timeout"}),
        (429, {"type": "invalid_request_error", "code": "lock_timeout"}),
        (400, {"type": "idempotency_error", "code": "idempotency_key_in_use"}),
    ],
)
def test_a_key_or_object_in_use_leaves_it_unknown(status, error):
    found = refused(status, message="In use", **error)
    assert isinstance(found, ProviderUnreachable)
    assert found.sent


def test_a_key_with_other_parameters_leaves_it_unknown():
    error = refused(400, type="idempotency_error", message="Keys for idempotent requests can only be used ...")
    assert isinstance(error, ProviderConfused)


@pytest.mark.parametrize(
    ("status", "kind"), [(402, "card_error"), (402, "invalid_request_error"), (400, "api_error"), (418, None)]
)
def test_what_proves_nothing_leaves_it_unknown(status, kind):
    assert isinstance(refused(status, type=kind, message="Hm"), ProviderConfused)


@pytest.mark.parametrize(
    "error",
    [requests.ConnectionError("reset"), requests.ReadTimeout("slow"), requests.exceptions.SSLError("bad record")],
)
def test_a_connection_that_breaks_leaves_it_unknown(error):
    with pytest.raises(ProviderUnreachable, match=r"^Stripe could not be reached\.$") as caught:
        created(answer=error)
    assert caught.value.sent


def test_a_connection_that_was_never_made_is_proof():
    with pytest.raises(ProviderUnreachable) as caught:
        created(answer=requests.ConnectTimeout("nobody there"))
    assert not caught.value.sent


@pytest.fixture
def adapter():
    made = stripe_adapter()
    yield made
    made.close()


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_no_at_the_door_proves_nothing_about_a_try_before_it(adapter, stripe_says, status):
    stripe_says.post(URL, body=requests.ConnectionError("reset"))
    stripe_says.post(URL, status=status, json={"error": {"type": "invalid_request_error", "message": "no"}})
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.create(adapter.prepare(payment()), "key-1:create")
    assert caught.value.sent


def test_a_try_that_may_have_arrived_is_not_forgotten(adapter, stripe_says):
    stripe_says.post(URL, body=requests.ConnectionError("reset"))
    stripe_says.post(URL, body=requests.ConnectTimeout("nobody there any more"))
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.create(adapter.prepare(payment()), "key-1:create")
    assert caught.value.sent


@pytest.mark.parametrize("error", [requests.ConnectTimeout, requests.ReadTimeout, requests.exceptions.SSLError])
def test_what_is_not_better_at_once_is_not_tried_again(stripe_says, error):
    stripe_says.post(URL, body=error("no"))
    adapter = stripe_adapter(max_retries="3")
    with pytest.raises(ProviderUnreachable):
        adapter.create(adapter.prepare(payment()), "key-1:create")
    assert len(stripe_says.calls) == 1
    adapter.close()


def test_logs_have_no_secrets_and_no_answers_even_at_debug(adapter, stripe_says, caplog):
    caplog.set_level(logging.DEBUG)
    stripe_says.post(URL, json=intent(status="requires_action"))
    adapter.create(adapter.prepare(payment()), "key-1:create")
    assert "Request to Stripe api" in caplog.text
    assert [text for text in ("Canary", "ann+shop", "ann%2Bshop") if text in caplog.text] == []


def test_fetch_tells_a_decline_that_happened_before(adapter, stripe_says):
    problem = {"type": "card_error", "code": "expired_card", "message": "Your card has expired."}
    stripe_says.get(f"{URL}/pi_3Made", json=intent(status="requires_payment_method", last_payment_error=problem))
    assert adapter.fetch("pi_3Made").decline == Decline("expired_card", "Your card has expired.")


def test_fetch_of_one_payment_does_not_take_another(adapter, stripe_says):
    stripe_says.get(f"{URL}/pi_3Other", json=intent())
    with pytest.raises(ProviderConfused):
        adapter.fetch("pi_3Other")


@pytest.mark.parametrize("answer", [{}, {"object": "list"}, {"object": "list", "data": {}, "has_more": False}])
def test_a_list_that_is_none_does_not_mean_not_found(adapter, stripe_says, answer):
    stripe_says.get(URL, json=answer)
    with pytest.raises(ProviderConfused):
        adapter.find(adapter.prepare(payment()), "key-1:create", 0)


def test_a_list_without_an_end_does_not_mean_not_found(adapter, stripe_says):
    stripe_says.get(URL, json={"object": "list", "has_more": True, "data": [intent(metadata={})]})
    with pytest.raises(ProviderConfused, match="too long to search"):
        adapter.find(adapter.prepare(payment()), "key-1:create", 0)


@pytest.mark.parametrize("data", [[], ["pi_1"], [{"object": "payment_intent"}]])
def test_a_list_that_says_more_and_has_nothing_to_go_on_from_does_not_mean_not_found(adapter, stripe_says, data):
    stripe_says.get(URL, json={"object": "list", "has_more": True, "data": data})
    with pytest.raises(ProviderConfused):
        adapter.find(adapter.prepare(payment()), "key-1:create", 0)


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (401, {"error": {"type": "invalid_request_error", "message": "x"}}, "Stripe refused this store's API key"),
        (500, {}, "Stripe failed (HTTP 500)."),
        (200, [], "Stripe answered for an account other than acct_1Connected."),
        (200, {"id": "acct_1Other"}, "Stripe answered for an account other than acct_1Connected."),
    ],
)
def test_a_check_that_fails_is_a_finding(adapter, stripe_says, status, answer, sentence):
    stripe_says.get("https://api.stripe.com/v1/account", status=status, json=answer)
    [finding] = adapter.check()
    assert not finding.ok
    assert finding.text.startswith(sentence)


def test_a_check_says_all_that_is_wrong_with_the_account(stripe_says):
    account = {
        "object": "account",
        "id": ACCOUNT,
        "charges_enabled": False,
        "capabilities": {"transfers": "pending"},
        "country": "DE",
        "default_currency": "eur",
        "requirements": {"disabled_reason": "requirements.past_due"},
    }
    stripe_says.get(f"https://api.stripe.com/v1/accounts/{ACCOUNT}", json=account)
    adapter = stripe_adapter(charge_type="destination", on_behalf_of="yes", country="US", currencies="USD")
    findings = adapter.check()
    adapter.close()
    assert [(finding.ok, finding.text) for finding in findings] == [
        (True, f"Stripe knows account {ACCOUNT}; destination charges in test mode."),
        (False, "Account acct_1Connected cannot take charges (requirements.past_due)."),
        (False, "The account's capability transfers is pending."),
        (False, "The account's capability card_payments is missing."),
        (False, "The account's country is DE, the setting US."),
        (False, "The account's own currency is EUR, and not accepted."),
        (True, NOT_HEARD),
    ]
