"""The Forte widget in the buyer's page, in a browser against the simulator. Numbers are Forte's checklist."""

import json
import re
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.web.conftest import Buyer, OpenShop, Shop

APPROVED, DECLINED, SECURE = "4111111111111111", "5424180000000171", "4000020000000000"
CODE, PASSWORD = "947293", "1234"
SCRIPT = "forte-payments-widget-1.0.0.js"


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop("forte_payments")


def enter(buyer: Buyer, card: str) -> None:
    buyer.tab.get_by_label("One-time code").fill(CODE)
    buyer.tab.get_by_label("Card number").fill(card)
    buyer.press("Pay")


def test_the_buyer_pays_and_the_order_is_processed(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    enter(buyer, APPROVED)
    buyer.press("Continue")
    buyer.tab.get_by_text("waiting for the provider's confirmation").wait_for()
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")
    assert buyer.tab.evaluate("document.activeElement.tagName") == "H1"
    assert shop.status() == "processing"


def test_52_success_in_the_widget_is_no_payment(shop: Shop, buyer: Buyer) -> None:
    created = shop.create()
    buyer.open(created["pay_url"])
    buyer.tab.get_by_label("Card number").wait_for()
    shop.local.clock.advance(3)
    with buyer.tab.expect_response(re.compile("/status$")) as asked:
        buyer.tab.evaluate("window.dispatchEvent(new CustomEvent('FortePaymentsBuyVdaSuccess', {detail: {}}))")
    assert asked.value.json() == {"stage": "open"}
    assert shop.show(created["id"])["status"] == "requires_action"
    assert shop.status() == "pending"


def test_a_password_of_the_bank_may_be_asked(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    enter(buyer, SECURE)
    buyer.tab.get_by_label("3-D Secure password").fill(PASSWORD)
    buyer.press("Confirm")
    buyer.press("Continue")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_a_decline_can_be_tried_again_with_a_new_payment(shop: Shop, buyer: Buyer) -> None:
    created = shop.create()
    buyer.open(created["pay_url"])
    enter(buyer, DECLINED)
    shop.local.clock.advance(3)
    buyer.press("Close")
    assert buyer.reads("The payment was declined")
    buyer.press("Try again")
    enter(buyer, APPROVED)
    shop.local.clock.advance(3)
    buyer.press("Continue")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")
    assert [intent.status for intent in shop.forte.intents] == ["Declined", "Approved"]
    assert shop.status() == "processing"
    assert shop.show(created["id"])["status"] == "canceled"
    buyer.open(created["pay_url"])
    assert buyer.reads("Paid: thank you")


def test_trying_again_has_an_end(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    for turn in range(10):
        shop.forte.decline(shop.forte.intents[-1].id)
        shop.local.clock.advance(3)
        assert shop.stage(url) == "ended"
        answer = shop.press(url, "retry")
        assert answer.status_code == (303 if turn < 9 else 429)
    assert len(shop.forte.intents) == 10


def test_an_order_that_was_paid_otherwise_is_not_tried_again(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    shop.forte.expire(shop.forte.intents[-1].id)
    shop.local.clock.advance(3)
    assert shop.stage(url) == "ended"
    shop.local.work()
    shop.local.shop.update_order(shop.local.orders["virtual"], status="completed")
    assert shop.press(url, "retry").status_code == 409
    assert len(shop.forte.intents) == 1


def test_a_closed_widget_can_be_opened_again(shop: Shop, buyer: Buyer) -> None:
    buyer.open(shop.create()["pay_url"])
    buyer.press("Close")
    buyer.tab.get_by_role("heading", name="The payment is not finished").wait_for()
    buyer.press("Open it again")
    enter(buyer, APPROVED)
    buyer.tab.get_by_text("The payment was approved.").wait_for()
    assert len(shop.forte.intents) == 1


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("banned@example.com", "You cannot pay here"),
        ("sanctioned@example.com", "not possible from your country"),
        ("kyc@example.com", "Please verify your identity"),
    ],
)
def test_29_the_widget_says_itself_what_stands_against_a_buyer(shop: Shop, buyer: Buyer, email: str, says: str) -> None:
    order = shop.local.orders["virtual"]
    billing = {**shop.local.order("virtual")["billing"], "email": email}
    shop.local.shop.update_order(order, billing=billing)
    buyer.open(shop.create()["pay_url"])
    buyer.tab.get_by_text(says).wait_for()
    assert shop.status() == "pending"


def test_30_who_has_to_be_verified_can_pay_afterwards(shop: Shop, buyer: Buyer) -> None:
    order = shop.local.orders["virtual"]
    billing = {**shop.local.order("virtual")["billing"], "email": "kyc.intent@example.com"}
    shop.local.shop.update_order(order, billing=billing)
    buyer.open(shop.create()["pay_url"])
    buyer.press("Verify identity")
    enter(buyer, APPROVED)
    buyer.press("Continue")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


def test_27_what_forte_says_reaches_the_widget_whole_and_unchanged(shop: Shop, buyer: Buyer) -> None:
    nasty = {
        "notes": ["'\"><script>alert(1)</script>", "é \u2028 &amp;", {"deep": [1, None, True]}],
        "flow": "PAYMENT </main>",
    }
    told: dict[str, Any] = {}

    def change(body: dict[str, Any], status: int) -> tuple[dict[str, Any], int]:
        told.update(body["data"] | nasty)
        return {"data": told}, status

    shop.forte.spoil_next("/payments/v2/intent", change)
    url = shop.create()["pay_url"]
    buyer.tab.add_init_script(
        "addEventListener('FortePaymentsWidgetLoaded', () => {"
        "  const start = window.initFortePaymentsWidget;"
        "  window.initFortePaymentsWidget = (given) => { window.given = JSON.stringify(given); start(given); };"
        "}, {capture: true});"
    )
    buyer.open(url)
    buyer.tab.get_by_label("Card number").wait_for()
    given = json.loads(buyer.tab.evaluate("window.given"))
    assert given == {"containerId": "forte-payments-widget-container", "data": told}


def test_33_the_script_is_held_to_its_digest_and_to_its_host(shop: Shop, buyer: Buyer) -> None:
    answer = shop.get(shop.create()["pay_url"])
    policy = answer.headers["Content-Security-Policy"]
    host = shop.provider
    assert f"script-src 'self' {host};" in policy
    assert "unsafe" not in policy
    buyer.open(answer.url)
    buyer.tab.get_by_label("Card number").wait_for()
    script = buyer.tab.locator(f"script[src$='{SCRIPT}']")
    assert script.get_attribute("integrity").startswith("sha384-")
    assert script.get_attribute("crossorigin") == "anonymous"
    assert script.get_attribute("type") == "module"


def test_a_script_that_is_not_the_promised_one_is_not_run(shop: Shop, browser: Any) -> None:
    shop.forte.spoil_next(
        "/payments/v1/widget/manifest",
        lambda body, status: (
            {"data": {**body["data"], "integrity": {"type": "sha384", "digest": f"sha384-{'A' * 64}"}}},
            status,
        ),
    )
    url = shop.create()["pay_url"]
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(url)
        tab.get_by_text("The payment form could not be loaded").wait_for()
        assert tab.get_by_label("Card number").count() == 0
        assert tab.evaluate("typeof window.initFortePaymentsWidget") == "undefined"


def test_a_provider_that_is_down_leaves_a_page_that_can_be_tried_again(shop: Shop, browser: Any) -> None:
    url = shop.create()["pay_url"]
    shop.faults.next(Fault.ERROR_503, times=2, match=SCRIPT)
    with browser.new_context() as context:
        tab = context.new_page()
        tab.goto(url)
        alert = tab.get_by_role("alert").filter(has_text="could not be loaded")
        alert.wait_for()
        assert "Nothing was paid" in alert.inner_text()
        shop.faults.clear()
        tab.get_by_role("button", name="Try again").click()
        tab.get_by_label("Card number").wait_for()


def test_32_the_widgets_data_are_only_in_create_and_in_the_page(shop: Shop) -> None:
    created = shop.create()
    secret = created["provider_data"]["data"]["widget_data"]
    page = shop.get(created["pay_url"])
    assert secret in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert secret not in json.dumps(shop.show(created["id"]))
    shop.forte.approve(shop.forte.intents[0].id)
    shop.local.clock.advance(3)
    assert shop.stage(created["pay_url"]) == "paid"
    assert secret not in shop.get(created["pay_url"]).text
