"""3-D Secure: off session it is a decline, on session a challenge that the test, or a browser, answers."""

from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

SHOP_URL = "https://shop.example/return?order=12"


@pytest.fixture
def challenge(pay):
    """An intent that waits for its cardholder."""
    return lambda **params: pay(**{"payment_method": "pm_card_authenticationRequired", "off_session": None, **params})


@pytest.mark.parametrize("card", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"])
def test_off_session_it_is_a_decline_with_a_failed_charge(pay, call, ledger, card):
    with pytest.raises(stripe.CardError) as caught:
        pay(payment_method=card)
    error = caught.value.json_body["error"]
    assert (error["code"], error["decline_code"]) == ("authentication_required", "authentication_required")
    intent = call("get", f"payment_intents/{error['payment_intent']['id']}", expand=["latest_charge"])
    assert (intent["status"], intent["next_action"]) == ("requires_payment_method", None)
    assert intent["last_payment_error"]["code"] == "authentication_required"
    assert (intent["latest_charge"]["status"], intent["latest_charge"]["id"]) == ("failed", error["charge"])
    assert ledger.entries() == ()


def test_on_session_the_intent_waits_and_nothing_is_charged(challenge, ledger):
    intent = challenge()
    assert (intent["status"], intent["latest_charge"]) == ("requires_action", None)
    assert intent["next_action"]["type"] == "use_stripe_sdk"
    assert ledger.entries() == ()


def test_with_a_return_url_the_payer_is_sent_there(challenge):
    action = challenge(return_url=SHOP_URL)["next_action"]
    assert action["type"] == "redirect_to_url"
    assert action["redirect_to_url"]["return_url"] == SHOP_URL


def test_an_authenticated_payment_succeeds(challenge, call, simulator, told):
    intent = challenge()
    simulator.authenticate(intent["id"])
    paid = call("get", f"payment_intents/{intent['id']}", expand=["latest_charge"])
    assert (paid["status"], paid["next_action"], paid["amount_received"]) == ("succeeded", None, 1023)
    assert paid["latest_charge"]["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"
    assert told() == [("authorised", 1023), ("captured", 1023)]


def test_a_failed_authentication_leaves_the_intent_open(challenge, call, simulator, ledger):
    intent = challenge()
    simulator.authenticate(intent["id"], success=False)
    failed = call("get", f"payment_intents/{intent['id']}")
    assert (failed["status"], failed["payment_method"]) == ("requires_payment_method", None)
    assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert ledger.entries() == ()


def test_an_authenticated_payment_can_still_be_declined(challenge, call, simulator, ledger):
    intent = challenge(payment_method="pm_card_threeDSecureRequiredChargeDeclined")
    simulator.authenticate(intent["id"])
    failed = call("get", f"payment_intents/{intent['id']}")
    assert failed["status"] == "requires_payment_method"
    assert failed["last_payment_error"]["decline_code"] == "generic_decline"
    assert ledger.entries() == ()


def test_manual_capture_waits_for_both(challenge, simulator, told):
    intent = challenge(capture_method="manual")
    assert simulator.authenticate(intent["id"])["status"] == "requires_capture"
    assert told() == [("authorised", 1023)]


def test_a_waiting_intent_can_be_canceled_and_cannot_be_captured(challenge, call, simulator):
    intent = challenge(capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"payment_intents/{intent['id']}/capture")
    assert caught.value.code == "payment_intent_unexpected_state"
    call("post", f"payment_intents/{intent['id']}/cancel")
    with pytest.raises(ValueError, match="not waiting"):
        simulator.authenticate(intent["id"])


def test_a_caller_can_ask_for_an_error_instead(challenge):
    with pytest.raises(stripe.CardError) as caught:
        challenge(error_on_requires_action=True)
    assert caught.value.json_body["error"]["decline_code"] == "authentication_not_handled"


def test_a_card_that_was_set_up_is_charged_off_session(challenge, pay, simulator, told):
    customer = simulator.add_customer()
    method = simulator.add_payment_method("pm_card_authenticationRequiredOnSetup", customer)
    with pytest.raises(stripe.CardError):
        pay(payment_method=method, customer=customer)
    intent = challenge(payment_method=method, customer=customer, setup_future_usage="off_session")
    simulator.authenticate(intent["id"])
    assert pay(payment_method=method, customer=customer)["status"] == "succeeded"
    assert told("kind") == [("authorised",), ("captured",)] * 2


def test_a_browser_answers_the_challenge_and_comes_back_to_the_shop(challenge, session, simulator):
    intent = challenge(return_url=SHOP_URL)
    page = intent["next_action"]["redirect_to_url"]["url"]
    shown = session.get(page, timeout=10)
    assert (shown.status_code, intent["id"] in shown.text) == (200, True)
    back = session.post(page, data={"success": "true"}, allow_redirects=False, timeout=10)
    assert back.status_code == 303
    where = urlsplit(back.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == "https://shop.example/return"
    assert parse_qs(where.query) == {
        "order": ["12"],
        "payment_intent": [intent["id"]],
        "payment_intent_client_secret": [intent["client_secret"]],
        "redirect_status": ["succeeded"],
    }
    assert simulator.find(intent["id"])["status"] == "succeeded"
    assert session.post(page, timeout=10).status_code == 409
    assert session.post(f"{page}x", timeout=10).status_code == 404


def test_the_shop_hears_of_a_failure_in_the_return_url(challenge, session):
    page = challenge(return_url=SHOP_URL)["next_action"]["redirect_to_url"]["url"]
    back = session.post(page, data={"success": "false"}, allow_redirects=False, timeout=10)
    assert parse_qs(urlsplit(back.headers["Location"]).query)["redirect_status"] == ["failed"]


def test_a_browser_can_fail_the_challenge(challenge, session, simulator):
    intent = challenge(use_stripe_sdk=True)
    page = intent["next_action"]["use_stripe_sdk"]["stripe_js"]
    answer = session.post(page, data={"success": "false"}, timeout=10)
    assert answer.json() == {"id": intent["id"], "status": "requires_payment_method"}
    assert simulator.find(intent["id"])["last_payment_error"]["code"] == "payment_intent_authentication_failure"
