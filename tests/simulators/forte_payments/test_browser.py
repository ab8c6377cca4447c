"""The widget and the hosted page in a real browser; the widget on a page of another origin with a strict policy."""

import html
import json
from collections.abc import Callable, Iterator

import pytest
from werkzeug.wrappers import Request, Response

from bridge.simulators.server import serve

from .conftest import INTENT, payment

pytestmark = pytest.mark.needs("chromium")

CONTAINER = "forte-payments-widget-container"
STARTER = """
const told = document.getElementById("told");
for (const name of ["FortePaymentsWidgetLoaded", "FortePaymentsBuyVdaSuccess", "FortePaymentsWidgetClosed"]) {
  window.addEventListener(name, (event) => {
    told.append(`${name} ${event.detail?.paymentIntentId ?? "-"};`);
    if (name === "FortePaymentsWidgetLoaded") {
      const { container, data } = document.getElementById("start").dataset;
      window.initFortePaymentsWidget({ containerId: container, data: JSON.parse(data) });
    }
  });
}
"""
SHOP = """<!DOCTYPE html>
<html lang="en"><title>Shop</title><h1>Shop</h1><div id="{container}"></div><output id="told"></output>
<script id="start" src="/start.js" data-container="{container}" data-data="{data}"></script>
<script type="module" async src="{script}" integrity="{integrity}" crossorigin="anonymous"></script>
</html>"""


class Shop:
    """A page that embeds the widget below the strictest policy under which it has to work."""

    def __init__(self) -> None:
        self.data, self.widget, self.integrity = {}, "", ""

    def __call__(self, environ, start_response):
        if Request(environ).path == "/start.js":
            return Response(STARTER, content_type="text/javascript")(environ, start_response)
        page = SHOP.format(
            container=CONTAINER,
            data=html.escape(json.dumps(self.data)),
            script=f"{self.widget}/forte-payments-widget.js",
            integrity=self.integrity,
        )
        policy = f"default-src 'none'; script-src 'self' {self.widget}; connect-src {self.widget}; form-action 'none'"
        strict = {"Content-Security-Policy": f"{policy}; require-trusted-types-for 'script'; base-uri 'none'"}
        return Response(page, content_type="text/html", headers=strict)(environ, start_response)


@pytest.fixture
def embed(merchant, tab) -> Iterator[Callable]:
    """Opens a shop's page with the widget for a new intent, and returns the answer's data."""
    shop = Shop()
    with serve(shop) as server:

        def embed(integrity=None, **changes):
            shop.data = merchant("POST", INTENT, payment(**changes)).json()["data"]
            manifest = merchant("GET", "/payments/v1/widget/manifest").json()["data"]
            shop.widget, shop.integrity = merchant.url, integrity or manifest["integrity"]["digest"]
            tab.goto(server.url)
            return shop.data

        yield embed
        tab.goto("about:blank")  # the widget asks its server on, which ends before the page does


@pytest.fixture
def pay(tab):
    def pay(card, code="947293"):
        tab.get_by_label("One-time code").fill(code)
        tab.get_by_label("Card number").fill(card)
        tab.get_by_role("button", name="Pay").click()

    return pay


def press(tab, name):
    tab.get_by_role("button", name=name).click()


def told(tab):
    """What the page heard, without the first event, which has to be the loading."""
    first, *events, _ = tab.locator("#told").text_content().split(";")
    assert first == "FortePaymentsWidgetLoaded -"
    return events


def test_a_payment_is_made_and_told_when_the_buyer_goes_on(tab, merchant, embed, pay):
    intent = embed()["payment_intent_id"]
    tab.get_by_text("1,000 gold coins: 9.99 USD").wait_for()
    pay("4111111111111111")
    tab.get_by_role("status").get_by_text("The payment was approved.").wait_for()
    assert merchant.simulator.intent(intent).status == "Approved"
    assert told(tab) == []
    press(tab, "Continue")
    assert told(tab) == [f"FortePaymentsBuyVdaSuccess {intent}"]
    assert tab.locator(f"#{CONTAINER} *").count() == 0


def test_a_declined_payment_is_a_closed_widget(tab, merchant, embed, pay):
    intent = embed()["payment_intent_id"]
    pay("5424180000000171")
    tab.get_by_role("alert").get_by_text("The payment was declined.").wait_for()
    assert merchant.simulator.intent(intent).status == "Declined"
    press(tab, "Close")
    assert told(tab) == [f"FortePaymentsWidgetClosed {intent}"]


def test_a_buyer_can_leave_without_paying(tab, merchant, embed):
    intent = embed()["payment_intent_id"]
    press(tab, "Close")
    assert told(tab) == [f"FortePaymentsWidgetClosed {intent}"]
    assert merchant.simulator.intent(intent).status == "Created"


def test_a_challenge_is_answered_with_the_password(tab, merchant, embed, pay):
    embed()
    pay("4000020000000000")
    for password in ("4321", "1234"):
        tab.get_by_label("3-D Secure password").fill(password)
        press(tab, "Confirm")
        if password == "4321":
            tab.get_by_role("alert").get_by_text("The password is wrong.").wait_for()
    tab.get_by_text("The payment was approved.").wait_for()
    assert merchant.simulator.intents[0].status == "Approved"


def test_a_wrong_entry_can_be_corrected_with_the_keyboard_alone(tab, merchant, embed, pay):
    embed()
    pay("4111111111111111", code="000000")
    tab.get_by_role("alert").get_by_text("This is not the code that was sent to you.").wait_for()
    tab.get_by_label("One-time code").fill("947293")
    tab.keyboard.press("Enter")
    tab.get_by_text("The payment was approved.").wait_for()
    assert merchant.simulator.intents[0].status == "Approved"


def test_a_buyer_without_an_email_is_asked_for_one(tab, merchant, embed, pay):
    embed(buyer={"id": "7", "wallet": {"address": "0x1", "blockchain": "base"}})
    tab.get_by_label("E-mail").fill("ada@example.com")
    pay("4111111111111111")
    tab.get_by_text("The payment was approved.").wait_for()
    assert merchant.simulator.intents[0].status == "Approved"
    assert merchant.simulator.requests[-1].body == {"email": "ada@example.com"}


@pytest.mark.parametrize(
    ("buyer", "message"),
    [
        ({"email": "banned@example.com"}, "You cannot pay here. Please contact the support."),
        ({"email": "sanctioned@example.com"}, "Payments are not possible from your country."),
        (
            {"wallet": {"address": "0xdead", "blockchain": "base"}},
            "Your wallet's address cannot be used. Please choose another wallet.",
        ),
    ],
)
def test_a_refused_buyer_reads_why_and_can_only_leave(tab, embed, buyer, message):
    assert "payment_intent_id" not in embed(buyer={"id": "7", **buyer})
    tab.get_by_role("alert").get_by_text(message).wait_for()
    assert tab.get_by_role("button").all_text_contents() == ["Close"]
    press(tab, "Close")
    assert told(tab) == ["FortePaymentsWidgetClosed -"]


def test_an_error_code_that_nobody_knows_is_shown_as_it_is(tab, merchant, embed):
    merchant.simulator.spoil_next(
        INTENT, lambda body, status: ({"data": body["data"] | {"error_code": "ERR99"}}, status)
    )
    embed()
    tab.get_by_role("alert").get_by_text("This payment is not possible (ERR99).").wait_for()
    assert tab.get_by_role("button").all_text_contents() == ["Close"]


@pytest.mark.parametrize("broken", [None, "", "nonsense", "e30="])
def test_without_a_session_the_widget_says_so(tab, merchant, embed, broken):
    merchant.simulator.spoil_next(
        INTENT, lambda body, status: ({"data": body["data"] | {"widget_data": broken}}, status)
    )
    intent = embed()["payment_intent_id"]
    tab.get_by_role("alert").get_by_text("This payment cannot be shown.").wait_for()
    assert tab.get_by_role("button").all_text_contents() == ["Close"]
    press(tab, "Close")
    assert told(tab) == [f"FortePaymentsWidgetClosed {intent}"]


def test_a_verified_buyer_goes_on(tab, merchant, embed, pay):
    embed(buyer={"id": "7", "email": "kyc.intent@example.com"})
    tab.get_by_role("alert").get_by_text("Please verify your identity before you pay.").wait_for()
    assert tab.get_by_label("Card number").count() == 0
    press(tab, "Verify identity")
    pay("4111111111111111")
    tab.get_by_text("The payment was approved.").wait_for()
    assert merchant.simulator.intents[0].status == "Approved"


def test_a_verified_buyer_without_an_intent_is_told_to_start_again(tab, embed):
    embed(buyer={"id": "7", "email": "kyc@example.com"})
    press(tab, "Verify identity")
    tab.get_by_text("You are verified. Please start the payment again.").wait_for()
    press(tab, "Close")
    assert told(tab) == ["FortePaymentsWidgetClosed -"]


def test_a_session_that_runs_out_is_told(tab, merchant, embed, pay, clock):
    embed()
    tab.get_by_label("Card number").wait_for()
    clock.advance(3600)
    pay("4111111111111111")
    tab.get_by_role("alert").get_by_text("The time for this payment is over.").wait_for()
    assert merchant.simulator.intents[0].status == "Expired"
    assert tab.get_by_role("button").all_text_contents() == ["Close"]


def test_a_script_with_another_digest_does_not_run(browser, merchant):
    shop = Shop()
    shop.widget, shop.integrity = merchant.url, "sha384-" + "A" * 64
    with serve(shop) as server, browser.new_context() as context:
        page = context.new_page()
        with page.expect_console_message(lambda message: "Failed to find a valid digest" in message.text):
            page.goto(server.url)
        assert page.evaluate("typeof window.initFortePaymentsWidget") == "undefined"


def test_a_container_that_is_not_there_is_an_error(tab, embed):
    embed()
    start = "window.initFortePaymentsWidget({containerId: 'nowhere', data: {}})"
    said = tab.evaluate(f"(() => {{ try {{ {start} }} catch (error) {{ return error.message }} }})()")
    assert said == "There is no element with the id nowhere."


@pytest.mark.parametrize(
    ("button", "said", "status"),
    [
        ("Approve", "The payment was approved.", "Approved"),
        ("Decline", "The payment was declined.", "Declined"),
        ("Expire", "The time for this payment is over.", "Expired"),
        ("Abandon", "You left without paying.", "Created"),
    ],
)
def test_the_hosted_page_is_clicked_through(tab, merchant, button, said, status):
    address = merchant.redirect()
    tab.goto(address)
    assert tab.title() == "Forte payment (test)"
    press(tab, button)
    tab.get_by_role("status").get_by_text(said).wait_for()
    assert merchant.simulator.intents[0].status == status
    assert tab.goto(address).status == 401
    assert tab.get_by_role("heading").text_content() == "401 Unauthorized"


def test_the_hosted_page_works_without_scripts(browser, merchant):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(merchant.redirect())
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("The payment was approved.").wait_for()
    assert merchant.simulator.intents[0].status == "Approved"
