"""What a browser may do with a payment, call by call; the script itself is tried in a real one beside this."""

import pytest

DECLINED = "4000000000000002"
SECURE = "4000002500003155"
VISA = "4242 4242 4242 4242"


class Browser:
    """Somebody who holds what the create answer gave, and calls as the script does."""

    def __init__(self, merchant, **changes):
        made = merchant.create()
        self.merchant, self.payment = merchant, made["payment"]
        self.fields = {
            "key": made["stripePublishableKey"],
            "account": made["stripeConnectedAccountId"],
            "client_secret": made["stripeClientSecret"],
            **changes,
        }

    def __call__(self, action, **fields):
        given = {name: value for name, value in {**self.fields, **fields}.items() if value is not None}
        return self.merchant("POST", f"/__sim/elements/{action}", data=given, headers={})

    @property
    def now(self):
        payment = self.merchant.get(self.payment["id"])
        return payment["state"], payment["stripeStatus"]


@pytest.fixture
def payer(merchant):
    return Browser(merchant)


def test_a_good_card_completes_the_payment(payer, simulator):
    answer = payer("confirm", number=VISA, return_url="https://shop.example/thanks")
    intent = answer.json()["paymentIntent"]
    assert (answer.status_code, intent["status"], intent["id"]) == (
        200,
        "succeeded",
        payer.payment["stripePaymentIntentId"],
    )
    assert (intent["amount"], intent["currency"], intent["livemode"]) == (2500, "usd", False)
    assert payer.now == ("COMPLETED", "succeeded")
    assert [entry.kind for entry in simulator.ledger.entries(object_id=payer.payment["id"])] == [
        "authorised",
        "captured",
    ]


@pytest.mark.parametrize("account", [None, "", "acct_1Somebody"])
def test_without_the_connected_account_there_is_no_such_payment_intent(payer, simulator, account):
    answer = payer("confirm", number=VISA, account=account)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "resource_missing")
    assert error["message"] == f"No such payment_intent: '{payer.payment['stripePaymentIntentId']}'"
    assert payer.now == ("DRAFT", "requires_payment_method")
    assert simulator.ledger.entries() == ()


def test_a_wrong_key_or_secret_pays_nothing(payer, simulator):
    secret = payer.fields["client_secret"]
    assert payer("confirm", number=VISA, key="pk_test_somebody").status_code == 401
    assert payer("confirm", number=VISA, client_secret=secret[:-1]).status_code == 400
    assert payer("confirm", number=VISA, client_secret=secret.replace("pi_3", "pi_1")).status_code == 404
    for missing in ("key", "client_secret"):
        assert payer("confirm", number=VISA, **{missing: None}).status_code in (401, 404)
    assert simulator.ledger.entries() == ()


def test_a_declined_card_leaves_the_payment_open_for_another(payer, simulator):
    answer = payer("confirm", number=DECLINED)
    error = answer.json()["error"]
    assert answer.status_code == 402
    assert (error["type"], error["code"], error["decline_code"]) == ("card_error", "card_declined", "generic_decline")
    assert error["payment_intent"]["last_payment_error"]["code"] == "card_declined"
    assert payer.now == ("DRAFT", "requires_payment_method")
    assert simulator.ledger.entries() == ()
    assert payer("confirm", number=VISA).json()["paymentIntent"]["last_payment_error"] is None
    assert payer.now == ("COMPLETED", "succeeded")


@pytest.mark.parametrize("number", ["", "4242424242424241", "4111111111111111"])
def test_a_number_that_is_no_test_card_is_declined(payer, number):
    error = payer("confirm", number=number).json()["error"]
    assert (error["code"], error["decline_code"]) == ("card_declined", "test_mode_live_card")
    assert payer.now == ("DRAFT", "requires_payment_method")


def test_3d_secure_waits_for_the_cardholder(payer, simulator):
    intent = payer("confirm", number=SECURE).json()["paymentIntent"]
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    assert payer.now == ("DRAFT", "requires_action")
    assert simulator.ledger.entries() == ()
    assert payer("authenticate", success="true").json()["paymentIntent"]["status"] == "succeeded"
    assert payer.now == ("COMPLETED", "succeeded")
    assert payer("authenticate", success="true").json()["error"]["code"] == "payment_intent_unexpected_state"
    assert len(simulator.ledger.entries("captured")) == 1


def test_a_failed_challenge_leaves_the_payment_open(payer):
    payer("confirm", number=SECURE)
    answer = payer("authenticate", success="false")
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "payment_intent_authentication_failure")
    assert payer.now == ("DRAFT", "requires_payment_method")


def test_a_card_can_be_declined_after_the_challenge(payer):
    payer("confirm", number="4000008400001629")
    assert payer("authenticate", success="true").json()["error"]["code"] == "card_declined"
    assert payer.now == ("DRAFT", "requires_payment_method")


def test_another_card_may_be_tried_instead_of_the_challenge(payer):
    payer("confirm", number=SECURE)
    assert payer("confirm", number=VISA).json()["paymentIntent"]["status"] == "succeeded"


@pytest.mark.parametrize("status", ["succeeded", "canceled", "processing", "requires_capture"])
def test_what_is_under_way_cannot_be_confirmed_again(payer, simulator, status):
    simulator.set_stripe_status(payer.payment["id"], status)
    before = simulator.ledger.entries()
    error = payer("confirm", number=VISA).json()["error"]
    assert (error["code"], error["payment_intent"]["status"]) == ("payment_intent_unexpected_state", status)
    assert simulator.ledger.entries() == before


def test_a_challenge_that_an_operator_asked_for_can_be_answered(payer, simulator):
    simulator.set_stripe_status(payer.payment["id"], "requires_action")
    assert payer("authenticate", success="true").json()["paymentIntent"]["status"] == "succeeded"


def test_the_client_secret_of_a_swept_draft_is_useless(payer, clock):
    clock.advance(24 * 3600)
    assert payer("retrieve").json()["paymentIntent"]["status"] == "canceled"
    assert payer("confirm", number=VISA).json()["error"]["code"] == "payment_intent_unexpected_state"
    assert payer.now == ("CANCELLED", "canceled")


def test_a_live_looking_project_has_a_key_of_its_own(merchant, simulator):
    test_key = simulator.project(merchant.project).publishable_key
    merchant.project = simulator.add_project(sandbox=False)
    merchant.user = simulator.add_user(merchant.project)
    payer = Browser(merchant)
    assert payer("confirm", number=VISA, key=test_key).status_code == 401
    assert payer("confirm", number=VISA).json()["paymentIntent"]["livemode"] is True


def test_any_page_may_embed_the_script_and_call(merchant, payer):
    script = merchant("GET", "/stripe-elements.js", headers={})
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "window.Stripe" in script.text
    for answer in (script, payer("retrieve"), payer("confirm", number=VISA, key="x")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_answers_with_secrets_are_not_stored_anywhere(payer):
    assert payer("retrieve").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/stripe-elements.js", 405),
        ("GET", "/__sim/elements/retrieve", 405),
        ("POST", "/__sim/elements/refund", 404),
    ],
)
def test_there_is_nothing_else_for_a_browser(merchant, method, path, status):
    assert merchant(method, path).status_code == status
