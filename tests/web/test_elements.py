"""The Payment Element in the buyer's page, in a browser: Forte Platforms, and Stripe Connect where the bank asks."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.plugins.local import ACCOUNT
from tests.web.conftest import Buyer, OpenShop, Shop

OVERHEAR = """
window.asked = [];
let made;
const heard = (...given) => { window.asked.push(given); return made(...given); };
Object.defineProperty(window, "Stripe", { get: () => made && heard, set: (value) => { made = value; } });
"""
VISA, DECLINED, SECURE = "4242424242424242", "4000000000000002", "4000002500003155"


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop("forte_platform")


def stripe_shop(open_shop: OpenShop, **settings: str) -> Shop:
    """A Stripe Connect store whose payer is present, so that the bank may ask."""
    shop = open_shop("stripe_connect", off_session="no", **settings)
    services, store = shop.local.bridge.services, shop.local.store
    base = services.stores.store(store.id).settings["api_base"]
    shop.local.clock.advance(1)
    shop.local.store = shop.local.bridge.update_store(
        _with(store, publishable_key=shop.local.stripe.publishable_key, script_url=f"{base}/stripe-elements.js")
    )
    shop.local.clock.advance(10)
    return shop


def _with(store: Any, **settings: str) -> Any:
    return replace(store, settings={**store.settings, **settings})


def pay(buyer: Buyer, card: str) -> None:
    buyer.tab.get_by_label("Card number").fill(card)
    buyer.press("Pay 10.23 USD")


def test_the_buyer_pays_and_the_order_is_processed(shop: Shop, buyer: Buyer) -> None:
    created = shop.create()
    assert created["status"] == "requires_payment_method"
    buyer.open(created["pay_url"])
    pay(buyer, VISA)
    buyer.tab.get_by_text("waiting for the provider's confirmation").wait_for()
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")
    assert shop.status() == "processing"
    assert shop.show(created["id"])["status"] == "succeeded"


def test_a_declined_card_is_told_and_another_one_works(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    pay(buyer, DECLINED)
    buyer.tab.get_by_role("alert").filter(has_text="declined").wait_for()
    pay(buyer, VISA)
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_a_page_that_is_opened_after_a_decline_still_takes_a_card(shop: Shop, buyer: Buyer) -> None:
    url = shop.create()["pay_url"]
    buyer.open(url)
    pay(buyer, DECLINED)
    buyer.tab.get_by_role("alert").filter(has_text="declined").wait_for()
    shop.local.clock.advance(3)
    assert shop.stage(url) in ("open", "declined")
    buyer.open(url)
    pay(buyer, VISA)
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_the_bank_may_ask_the_buyer(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    pay(buyer, SECURE)
    buyer.press("Complete authentication")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_who_fails_the_banks_question_may_use_another_card(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    pay(buyer, SECURE)
    buyer.press("Fail authentication")
    buyer.tab.get_by_role("alert").filter(has_text="authentication").wait_for()
    pay(buyer, VISA)
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_an_incomplete_card_is_told_by_the_form(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    pay(buyer, "4242")
    buyer.tab.get_by_role("alert").filter(has_text="incomplete").wait_for()
    assert buyer.tab.get_by_role("button", name="Pay 10.23 USD").is_enabled()


def test_77_the_element_is_bound_to_the_connected_account(shop: Shop, buyer: Buyer) -> None:
    created = shop.create()
    account = created["provider_data"]["stripeConnectedAccountId"]
    buyer.tab.add_init_script(OVERHEAR)
    buyer.open(created["pay_url"])
    buyer.tab.get_by_label("Card number").wait_for()
    assert buyer.tab.evaluate("window.asked") == [
        [created["provider_data"]["stripePublishableKey"], {"stripeAccount": account}]
    ]


def test_77_for_another_account_the_provider_knows_no_such_payment(shop: Shop, buyer: Buyer) -> None:
    shop.platform.spoil_next(
        lambda body, status: ({**body, "stripeConnectedAccountId": "acct_other"}, status), match="POST /api"
    )
    buyer.open(shop.create()["pay_url"])
    buyer.tab.get_by_role("alert").filter(has_text="No such payment_intent").wait_for()
    assert buyer.tab.get_by_label("Card number").count() == 0


def test_a_payment_that_was_paid_elsewhere_is_found_out(shop: Shop, buyer: Buyer) -> None:
    url = shop.create()["pay_url"]
    [payment] = shop.platform.payments
    shop.platform.set_stripe_status(payment["id"], "succeeded")
    buyer.open(url)
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_a_draft_that_ran_out_can_be_started_anew(shop: Shop, buyer: Buyer) -> None:
    created = shop.create()
    shop.local.clock.advance(24 * 3600 + 60)
    buyer.open(created["pay_url"])
    shop.local.clock.advance(3)
    assert buyer.reads("This payment is closed")
    buyer.press("Try again")
    pay(buyer, VISA)
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")
    assert len(shop.platform.payments) == 2
    assert shop.status() == "processing"


def test_a_provider_that_is_down_leaves_a_page_that_can_be_tried_again(shop: Shop, browser: Any) -> None:
    url = shop.create()["pay_url"]
    shop.faults.next(Fault.ERROR_503, match="stripe-elements.js")
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(url)
        tab.get_by_role("alert").filter(has_text="could not be loaded").wait_for()
        tab.get_by_role("button", name="Try again").click()
        tab.get_by_label("Card number").wait_for()
        assert tab.get_by_role("alert").filter(has_text="could not be loaded").count() == 0
        pay(Buyer(tab), VISA)
        tab.get_by_text("waiting for the provider's confirmation").wait_for()
        shop.local.clock.advance(3)
        assert Buyer(tab).reads("Paid: thank you")


def test_the_secret_a_provider_puts_into_the_address_does_not_stay_there(shop: Shop, buyer: Buyer) -> None:
    created = shop.create()
    secret = created["client_secret"]
    buyer.open(f"{created['pay_url']}?payment_intent=pi_x&payment_intent_client_secret={secret}&redirect_status=failed")
    buyer.tab.get_by_label("Card number").wait_for()
    assert buyer.tab.url == created["pay_url"]


def test_the_secret_is_only_in_create_and_in_the_page(shop: Shop) -> None:
    created = shop.create()
    secret = created["client_secret"]
    assert secret in shop.get(created["pay_url"]).text
    assert secret not in json.dumps(shop.show(created["id"]))
    [payment] = shop.platform.payments
    shop.platform.set_stripe_status(payment["id"], "succeeded")
    shop.local.clock.advance(3)
    assert shop.stage(created["pay_url"]) == "paid"
    assert secret not in shop.get(created["pay_url"]).text


def test_a_question_of_the_bank_to_a_charge_of_the_shop(open_shop: OpenShop, buyer: Buyer) -> None:
    shop = stripe_shop(open_shop)
    created = shop.create(payment_method="pm_card_threeDSecure2Required")
    assert created["status"] == "requires_action"
    assert created["provider_data"]["stripe_account"] == ACCOUNT
    buyer.open(created["pay_url"])
    buyer.press("Continue")
    buyer.press("Complete authentication")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")
    assert shop.status() == "processing"


def test_after_a_wrong_answer_to_the_bank_the_buyer_may_enter_another_card(open_shop: OpenShop, buyer: Buyer) -> None:
    shop = stripe_shop(open_shop)
    buyer.open(shop.create(payment_method="pm_card_threeDSecure2Required")["pay_url"])
    buyer.press("Continue")
    buyer.press("Fail authentication")
    pay(buyer, VISA)
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_stripes_own_script_may_load_what_stripe_says_it_needs(open_shop: OpenShop) -> None:
    shop = stripe_shop(open_shop)
    shop.local.store = shop.local.bridge.update_store(_with(shop.local.store, script_url="https://js.stripe.com/v3/"))
    shop.local.clock.advance(10)
    answer = shop.get(shop.create(payment_method="pm_card_threeDSecure2Required")["pay_url"])
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["script-src"] == "'self' https://js.stripe.com https://*.js.stripe.com"
    assert policy["frame-src"] == "https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com"
    assert policy["connect-src"] == "'self' https://api.stripe.com"
    assert re.search("unsafe|\\*[^.]", answer.headers["Content-Security-Policy"]) is None
