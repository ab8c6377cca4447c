"""A payer in a real browser, on a page of another origin with a strict policy."""

import pytest

from tests.simulators.checkout import DECLINED, SECURE, VISA, open_checkout

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def checkout(merchant, tab):
    """Opens the checkout page for a new payment, which is its `payment`."""
    with open_checkout(tab) as checkout:

        def open_page(**changes):
            made = merchant.create()
            given = {
                "key": made["stripePublishableKey"],
                "account": made["stripeConnectedAccountId"],
                "secret": made["stripeClientSecret"],
                **changes,
            }
            checkout.open(merchant.url, **given)
            checkout.payment = made["payment"]
            return checkout

        yield open_page


def state(merchant, page):
    return merchant.get(page.payment["id"])["state"]


def test_a_payer_pays_and_comes_back_to_the_shop(merchant, checkout, simulator):
    page = checkout()
    page.pay(VISA)
    assert page.returned == {
        "order": ["7"],
        "payment_intent": [page.payment["stripePaymentIntentId"]],
        "payment_intent_client_secret": [page.start["secret"]],
        "redirect_status": ["succeeded"],
    }
    assert state(merchant, page) == "COMPLETED"
    assert [entry.kind for entry in simulator.ledger.entries(object_id=page.payment["id"])] == [
        "authorised",
        "captured",
    ]


@pytest.mark.parametrize("account", [None, "acct_1Somebody"])
def test_without_the_connected_account_the_confirmation_fails(merchant, checkout, account):
    page = checkout(account=account)
    page.pay(VISA)
    assert page.told["error"]["message"] == f"No such payment_intent: '{page.payment['stripePaymentIntentId']}'"
    assert state(merchant, page) == "DRAFT"


def test_a_declined_payer_tries_another_card(merchant, checkout):
    page = checkout()
    page.pay(DECLINED)
    assert page.told["error"]["decline_code"] == "generic_decline"
    assert state(merchant, page) == "DRAFT"
    page.pay(VISA)
    assert page.returned["redirect_status"] == ["succeeded"]
    assert state(merchant, page) == "COMPLETED"


def test_a_challenge_is_completed_in_the_page(merchant, checkout):
    page = checkout()
    page.pay(SECURE)
    page.tab.get_by_role("dialog").wait_for()
    assert state(merchant, page) == "DRAFT"
    page.press("Complete authentication")
    assert page.returned["redirect_status"] == ["succeeded"]
    assert state(merchant, page) == "COMPLETED"


def test_a_failed_or_closed_challenge_keeps_the_payer_on_the_page(merchant, checkout):
    page = checkout()
    for refuse in (lambda: page.press("Fail authentication"), lambda: page.tab.keyboard.press("Escape")):
        page.pay(SECURE)
        page.tab.get_by_role("dialog").wait_for()
        refuse()
        assert page.told["error"]["code"] == "payment_intent_authentication_failure"
        page.tab.get_by_role("dialog").wait_for(state="detached")
        assert state(merchant, page) == "DRAFT"
    page.pay(VISA)
    assert page.returned["redirect_status"] == ["succeeded"]


def test_without_a_redirect_the_page_is_told(merchant, checkout):
    page = checkout(redirect="if_required")
    page.pay(SECURE)
    page.press("Complete authentication")
    assert page.told["paymentIntent"]["status"] == "succeeded"
    assert page.tab.url == f"{page.url}/"


def test_an_incomplete_number_is_not_sent(checkout, simulator):
    page = checkout()
    before = len(simulator.requests)
    page.pay("4242")
    assert page.told["error"]["code"] == "incomplete_number"
    assert page.tab.locator("#told[data-complete=false]").count() == 1
    assert len(simulator.requests) == before


def test_a_page_can_look_at_the_payment(checkout):
    page = checkout()
    page.press("Look")
    assert page.told["paymentIntent"]["status"] == "requires_payment_method"


def test_the_triggers_hear_of_a_payer_s_payment(merchant, checkout, simulator, receiver):
    service = simulator.add_service(merchant.project, base_url=receiver.url)
    body = {"displayName": "x", "targetServiceId": service, "targetPath": "/t", "events": ["PAYMENT_COMPLETED"]}
    merchant.done("POST", "payment-triggers", body)
    simulator.start_deliveries()
    page = checkout()
    page.pay(VISA)
    assert receiver.wait_for(1)
    assert receiver.bodies[0]["paymentId"] == page.payment["id"]
