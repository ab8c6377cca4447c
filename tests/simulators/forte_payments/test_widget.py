"""The widget without a browser: its script and manifest, and what the script asks the simulator for."""

import base64
import hashlib
import json

import pytest

from .conftest import INTENT, TIMEOUT, payment

MANIFEST = "/payments/v1/widget/manifest"
WALLET = {"address": "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "blockchain": "ethereum"}
VISA, CHALLENGED, DECLINED = "4111111111111111", "4000020000000000", "5424180000000171"


@pytest.fixture
def widget(merchant):
    """Calls as the script makes them, with the token of a new session."""

    def open_session(**changes):
        data = merchant("POST", INTENT, payment(**changes)).json()["data"]
        token = json.loads(base64.b64decode(data["widget_data"]))["access_token"]

        def call(method, path, body=None):
            headers = {"Authorization": f"Bearer {token}", "Origin": "https://shop.example"}
            url = f"{merchant.url}/widget/v1/{path}"
            return merchant.session.request(method, url, json=body, headers=headers, timeout=TIMEOUT)

        return call

    return open_session


def state(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["state"]


@pytest.mark.parametrize("name", ["forte-payments-widget.js", None])
def test_the_manifest_has_the_digest_of_the_script_that_is_served(merchant, name):
    data = merchant("GET", MANIFEST).json()["data"]
    assert data["integrity"]["type"] == "sha384"
    served = merchant.session.get(f"{merchant.url}/{name or data['file_name']}", timeout=TIMEOUT)
    assert served.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert served.headers["Access-Control-Allow-Origin"] == "*"
    digest = base64.b64encode(hashlib.sha384(served.content).digest()).decode()
    assert data["integrity"]["digest"] == f"sha384-{digest}"


def test_scripts_of_any_origin_may_ask_with_a_token(merchant):
    headers = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = merchant.session.options(f"{merchant.url}/widget/v1/payment", headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_the_merchants_api_is_not_for_scripts(merchant):
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = merchant.session.options(f"{merchant.url}{INTENT}", headers=headers, timeout=TIMEOUT)
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert "Access-Control-Allow-Origin" not in merchant("POST", INTENT, payment()).headers


def test_a_session_tells_what_is_to_be_paid(widget):
    data = widget()("GET", "session").json()["data"]
    assert {**data, "test_cards": len(data["test_cards"])} == {
        "state": "ready",
        "hint": "No money moves. The test code is 947293.",
        "message": None,
        "title": "1,000 gold coins",
        "amount": "9.99",
        "currency": "USD",
        "needs_email": False,
        "test_cards": 6,
    }


def test_the_merchants_token_opens_no_session_and_the_widgets_token_no_api(merchant, widget):
    answer = merchant("GET", "/widget/v1/session")
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (401, "*")
    data = merchant.create()
    token = json.loads(base64.b64decode(data["widget_data"]))["access_token"]
    assert merchant("GET", MANIFEST, headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    ("card", "status"),
    [
        ("5204247750001471", "approved"),
        ("5200000000001104", "approved"),
        ("4111 1111-1111 1111", "approved"),
        ("4005562231212123", "declined"),
        ("4000020000000000", "approved"),
        ("5424180000000171", "declined"),
    ],
)
def test_each_test_card_has_its_result(merchant, widget, card, status):
    call = widget()
    given = {"code": "947293", "card_number": card, "password": "1234"}
    assert state(call("POST", "payment", given)) == status
    assert [intent.status for intent in merchant.simulator.intents] == [status.capitalize()]
    assert state(call("POST", "payment", given)) == status
    assert len(merchant.simulator.ledger.entries("captured")) == (status == "approved")


def test_a_challenge_asks_for_the_password_first(merchant, widget):
    call, given = widget(), {"code": "947293", "card_number": CHALLENGED}
    assert state(call("POST", "payment", given)) == "challenge"
    wrong = call("POST", "payment", given | {"password": "4321"})
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (422, "The password is wrong.")
    assert merchant.simulator.intents[0].status == "Created"
    assert state(call("POST", "payment", given | {"password": "1234"})) == "approved"


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"code": "000000"}, 422, "This is not the code that was sent to you."),
        ({"card_number": "4242424242424242"}, 422, "This is not one of the test cards."),
        ({"card_number": 4111111111111111}, 400, "card_number is not a string"),
        ({"cvv": "123"}, 400, "cvv is not a known field"),
    ],
)
def test_what_was_entered_wrong_can_be_entered_again(merchant, widget, changes, status, message):
    call, given = widget(), {"code": "947293", "card_number": VISA}
    answer = call("POST", "payment", given | changes)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, message)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert state(call("POST", "payment", given)) == "approved"


def test_a_wallet_without_an_email_is_asked_for_one_the_first_time(merchant, widget):
    body, given = {"buyer": {"id": "7", "wallet": WALLET}}, {"code": "947293", "card_number": DECLINED}
    call = widget(**body)
    assert call("GET", "session").json()["data"]["needs_email"] is True
    answer = call("POST", "payment", given)
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, "Please enter your e-mail address.")
    assert state(call("POST", "payment", given | {"email": "a@b.example"})) == "declined"
    again = widget(**body, idempotency_key="attempt-2")
    assert again("GET", "session").json()["data"]["needs_email"] is False


@pytest.mark.parametrize("mailbox", ["banned", "sanctioned"])
def test_a_refused_buyer_cannot_pay(merchant, widget, mailbox):
    call = widget(buyer={"id": "7", "email": f"{mailbox}@example.com"})
    assert state(call("POST", "payment", {"code": "947293", "card_number": VISA})) == "refused"
    assert state(call("POST", "identity", {})) == "refused"
    assert merchant.simulator.ledger.entries() == ()


def test_a_verified_buyer_goes_on_if_there_is_an_intent(merchant, widget):
    call = widget(buyer={"id": "7", "email": "kyc.intent@example.com"})
    given = {"code": "947293", "card_number": VISA}
    assert state(call("POST", "payment", given)) == "kyc"
    assert state(call("POST", "identity", {})) == "ready"
    assert state(call("POST", "payment", given)) == "approved"


def test_a_verified_buyer_starts_again_if_there_is_no_intent(merchant, widget):
    body = {"buyer": {"id": "7", "email": "kyc@example.com"}}
    call = widget(**body)
    assert state(call("GET", "session")) == "kyc"
    assert state(call("POST", "identity", {})) == "verified"
    assert merchant.simulator.intents == ()
    assert merchant.create(**body)["error_code"] is None


def test_a_session_outlives_its_intent_so_that_the_widget_can_say_so(widget, clock):
    call, wanted = widget(), {"code": "947293", "card_number": VISA}
    for seconds in (3600, 3599):
        clock.advance(seconds)
        assert state(call("POST", "payment", wanted)) == "expired"
    clock.advance(1)
    assert call("POST", "payment", wanted).status_code == 401


def test_no_card_number_is_kept(merchant, widget):
    widget()("POST", "payment", {"code": "947293", "card_number": VISA, "email": "a@b.example", "password": "1234"})
    assert merchant.simulator.requests[-1].body == {"email": "a@b.example"}
