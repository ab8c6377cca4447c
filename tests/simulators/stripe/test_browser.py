"""A payment intent in a payer's hands: the calls of the script that stands in for Stripe.js, and a real browser."""

import pytest

from tests.simulators.checkout import DECLINED, SECURE, VISA, open_checkout

from .conftest import OTHER, SHOP


@pytest.fixture
def draft(pay):
    """A payment intent of a connected account that nobody has confirmed yet."""

    def draft(**params):
        usual = {"payment_method": None, "confirm": None, "off_session": None, "stripe_account": SHOP}
        return pay(**{**usual, "metadata": {"order_key": "wc_order_secret"}, **params})

    return draft


@pytest.fixture
def browse(simulator, session, url):
    """A call as the script makes it for an intent of the shop's account."""

    def browse(action, intent, account=SHOP, **fields):
        given = {
            "key": simulator.publishable_key,
            "account": account,
            "client_secret": intent["client_secret"],
            **fields,
        }
        answer = session.post(f"{url}/__sim/elements/{action}", data=given, timeout=10)
        assert "wc_order_secret" not in answer.text
        return answer.json()

    return browse


def test_a_payer_confirms_an_intent_of_a_connected_account(draft, browse, simulator, ledger, told):
    intent = draft(application_fee_amount=100)
    assert browse("retrieve", intent)["paymentIntent"]["status"] == "requires_payment_method"
    assert browse("confirm", intent, number=VISA)["paymentIntent"]["status"] == "succeeded"
    assert simulator.find(intent["id"])["amount_received"] == 1023
    assert told("kind", "account", "amount") == [
        ("authorised", SHOP, 1023),
        ("captured", SHOP, 1023),
        ("fee", simulator.platform, 100),
    ]
    again = browse("confirm", intent, number=VISA)
    assert again["error"]["code"] == "payment_intent_unexpected_state"
    assert len(ledger.entries("captured")) == 1


@pytest.mark.parametrize("account", [None, OTHER])
def test_on_another_account_there_is_no_such_intent(draft, browse, ledger, account):
    intent = draft()
    error = browse("confirm", intent, account=account, number=VISA)["error"]
    assert (error["code"], error["message"]) == ("resource_missing", f"No such payment_intent: '{intent['id']}'")
    assert ledger.entries() == ()


def test_the_platform_s_own_intent_needs_no_account(draft, browse):
    intent = draft(stripe_account=None)
    assert browse("confirm", intent, account=SHOP, number=VISA)["error"]["code"] == "resource_missing"
    assert browse("confirm", intent, account=None, number=VISA)["paymentIntent"]["status"] == "succeeded"


def test_a_wrong_key_or_secret_pays_nothing(draft, browse, ledger):
    intent = draft()
    assert browse("confirm", intent, key="pk_test_x", number=VISA)["error"]["message"].startswith("Invalid API Key")
    wrong = {"client_secret": f"{intent['client_secret']}x"}
    assert browse("confirm", intent, **wrong, number=VISA)["error"]["param"] == "client_secret"
    assert browse("confirm", intent, client_secret="", number=VISA)["error"]["code"] == "resource_missing"
    assert ledger.entries() == ()


def test_a_decline_leaves_the_intent_open(draft, browse, simulator, ledger):
    intent = draft()
    error = browse("confirm", intent, number=DECLINED)["error"]
    assert (error["decline_code"], error["payment_intent"]["status"]) == ("generic_decline", "requires_payment_method")
    assert browse("confirm", intent, number="4111111111111111")["error"]["decline_code"] == "test_mode_live_card"
    assert simulator.find(intent["id"])["last_payment_error"]["decline_code"] == "generic_decline"
    assert ledger.entries() == ()


def test_a_challenge_is_answered_by_the_payer(draft, browse, ledger):
    intent = draft()
    waiting = browse("confirm", intent, number=SECURE, return_url="https://shop.example/")["paymentIntent"]
    assert (waiting["status"], waiting["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    failed = browse("authenticate", intent, success="false")["error"]
    assert failed["code"] == "payment_intent_authentication_failure"
    assert browse("authenticate", intent, success="true")["error"]["code"] == "payment_intent_unexpected_state"
    assert ledger.entries() == ()
    browse("confirm", intent, number=SECURE)
    assert browse("authenticate", intent, success="true")["paymentIntent"]["status"] == "succeeded"


def test_what_needs_a_return_url_is_refused_without_one(draft, browse):
    intent = draft(allowed_payment_method_types=None)
    assert "return_url" in browse("confirm", intent, number=VISA)["error"]["message"]
    paid = browse("confirm", intent, number=VISA, return_url="https://shop.example/")
    assert paid["paymentIntent"]["status"] == "succeeded"


def test_a_customer_s_object_is_not_payable(simulator, browse):
    customer = simulator.add_customer(SHOP)
    assert browse("retrieve", {"client_secret": f"{customer}_secret_x"})["error"]["code"] == "resource_missing"


@pytest.fixture
def checkout(simulator, url, tab):
    """Opens a shop's checkout page for an intent of its account."""
    with open_checkout(tab) as checkout:

        def open_page(intent, **changes):
            checkout.open(url, simulator.publishable_key, SHOP, intent["client_secret"], **changes)
            return checkout

        yield open_page


@pytest.mark.needs("chromium")
def test_in_a_browser_a_payer_pays_an_open_intent(draft, checkout, simulator):
    intent = draft()
    page = checkout(intent)
    page.pay(DECLINED)
    assert page.told["error"]["decline_code"] == "generic_decline"
    page.pay(SECURE)
    page.press("Complete authentication")
    assert page.returned["payment_intent"] == [intent["id"]]
    assert simulator.find(intent["id"])["status"] == "succeeded"


@pytest.mark.needs("chromium")
def test_in_a_browser_a_payer_answers_the_challenge_of_an_intent_that_waits(pay, checkout, simulator):
    intent = pay(payment_method="pm_card_authenticationRequired", off_session=None, stripe_account=SHOP)
    page = checkout(intent)
    page.press("Go on")
    page.press("Complete authentication")
    assert page.told["paymentIntent"]["status"] == "succeeded"
    assert simulator.find(intent["id"])["status"] == "succeeded"


@pytest.mark.needs("chromium")
def test_in_a_browser_a_challenge_elsewhere_leads_back_to_the_shop(pay, checkout, simulator):
    page = checkout(pay(payment_method=None, confirm=None, off_session=None, stripe_account=SHOP))
    intent = pay(
        payment_method="pm_card_authenticationRequired",
        off_session=None,
        stripe_account=SHOP,
        return_url=f"{page.url}/thanks?order=7",
    )
    page = checkout(intent)
    page.press("Go on")
    page.press("Complete")
    assert page.returned["payment_intent"] == [intent["id"]]
    assert simulator.find(intent["id"])["status"] == "succeeded"
