"""The page itself: what it may load, what it tells whom, and that everybody can use it."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import pytest
from sqlalchemy import text, update

from bridge.payments import checkout_page
from bridge.simulators.faults import Fault
from bridge.storage import intents
from bridge.storage.payment_tables import intents as intents_table
from bridge.web.pay import Page, assets, render_visit
from tests.web.conftest import Buyer, OpenShop, Shop, challenged

SMALLEST_TARGET = 44  # CSS pixels
DECLINE = {"type": "api_error", "message": "<b>internal</b>"}
PHONE = {"width": 320, "height": 640}
CONTRAST = """
() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const linear = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = channels(color).slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((channels(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll("body *")].filter((e) => own(e) && e.getClientRects().length).map((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))].sort((x, y) => y - x);
    return [element.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)];
  });
}
"""


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


def test_the_buyer_approves(shop: Shop, buyer: Buyer) -> None:
    buyer.open(challenged(shop))
    buyer.press("Approve")
    assert buyer.reads("Paid: thank you")
    assert shop.status() == "processing"


def test_the_buyer_declines_and_changes_their_mind(shop: Shop, buyer: Buyer) -> None:
    buyer.open(challenged(shop))
    buyer.press("Decline")
    buyer.tab.get_by_role("alert").filter(has_text="could not authenticate").wait_for()
    assert shop.status() == "failed"
    buyer.press("Approve")
    assert buyer.reads("Paid: thank you")
    assert shop.status() == "processing"


def test_an_authorisation_reads_as_paid(shop: Shop) -> None:
    shop.local.bridge.update_store(_manual(shop))
    shop.local.clock.advance(10)
    created = shop.create(payment_method="pm_card_authenticationRequired")
    shop.press(created["pay_url"], "approve")
    assert shop.show(created["id"])["status"] == "requires_capture"
    assert "Paid: thank you" in shop.get(created["pay_url"]).text


def _manual(shop: Shop) -> Any:
    shop.local.clock.advance(1)
    return replace(shop.local.store, capture="manual")


def test_a_page_is_kept_by_nobody_framed_by_nobody_and_tells_its_address_to_nobody(shop: Shop) -> None:
    headers = shop.get(challenged(shop)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not re.search("unsafe|http:|https:|\\*", headers["Content-Security-Policy"])


def test_a_page_loads_nothing_from_anywhere_else(shop: Shop) -> None:
    text = shop.get(challenged(shop)).text
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', text)
    assert addresses
    assert [each for each in addresses if not each.startswith(("../assets/", "data:,", shop.local.store.url))] == []
    assert "<style" not in text
    assert " style=" not in text
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert not re.search(r"\son\w+=", text)


def test_style_and_script_are_kept_for_ever_under_a_name_of_their_own(shop: Shop) -> None:
    url = challenged(shop)
    [name] = re.findall(r'"\.\./(assets/pay\.[0-9a-f]{12}\.css)"', shop.get(url).text)
    answer = shop.get(urljoin(url, f"../{name}"))
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.content == assets()["pay.css"].content
    other = shop.get(urljoin(url, "../assets/pay.000000000000.js"))
    assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-store")
    for nothing in ("pay.html", "../pay.py", "pay.js", "docs.css", "x"):
        assert shop.get(urljoin(url, "../assets/") + nothing.replace("/", "%2F")).status_code == 404


def test_a_slash_at_the_end_changes_nothing(shop: Shop, buyer: Buyer) -> None:
    buyer.open(f"{challenged(shop)}/")
    assert buyer.tab.evaluate("document.styleSheets.length") == 1
    buyer.press("Approve")
    assert buyer.reads("Paid: thank you")


def test_below_a_prefix_of_a_proxy_the_page_works_all_the_same(shop: Shop) -> None:
    text = shop.get(challenged(shop)).text
    assert re.search(r'(?:src|href|action)="\.\./', text)
    assert not re.search(r'(?:src|href|action)="/', text)


@pytest.mark.parametrize("stage", ["open", "declined", "paid", "expired"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_and_reach_everything_on_a_phone(shop: Shop, buyer: Buyer, stage: str, scheme: Any) -> None:
    url, tab = challenged(shop), buyer.tab
    tab.set_viewport_size(PHONE)
    tab.emulate_media(color_scheme=scheme)
    if stage == "declined":
        shop.press(url, "decline")
    if stage == "paid":
        shop.press(url, "approve")
    if stage == "expired":
        shop.local.clock.advance(30 * 24 * 3600)
    buyer.open(url)
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert (
        tab.evaluate("getComputedStyle(document.body).backgroundColor")
        == {
            "light": "rgb(244, 245, 247)",
            "dark": "rgb(13, 17, 23)",
        }[scheme]
    )
    ratios = tab.evaluate(CONTRAST)
    assert ratios
    assert [(text, ratio) for text, ratio in ratios if ratio < 4.5] == []
    boxes = [each.bounding_box() for each in tab.locator("main a, button").all()]
    assert bool(boxes) is (stage not in ("paid", "expired"))
    assert [box for box in boxes if box["height"] < SMALLEST_TARGET or box["width"] < SMALLEST_TARGET] == []


def test_the_page_has_one_heading_a_language_and_landmarks(shop: Shop, buyer: Buyer) -> None:
    buyer.open(challenged(shop))
    tab = buyer.tab
    assert tab.locator("h1").count() == 1
    assert tab.evaluate("document.documentElement.lang") == "en"
    assert tab.title() == "Pay 10.23 USD \N{EN DASH} 127.0.0.1"
    for role in ("banner", "main", "contentinfo", "status"):
        assert tab.get_by_role(role).count() == 1


def test_the_keyboard_alone_is_enough(shop: Shop, buyer: Buyer) -> None:
    buyer.open(challenged(shop))
    for name in ("Approve", "Decline", "Return to 127.0.0.1"):
        buyer.tab.keyboard.press("Tab")
        focused = buyer.tab.locator(":focus")
        assert focused.inner_text() == name
        assert focused.evaluate("(element) => getComputedStyle(element).outlineWidth") == "3px"
    buyer.tab.keyboard.press("Shift+Tab")
    buyer.tab.keyboard.press("Shift+Tab")
    buyer.tab.keyboard.press("Enter")
    assert buyer.reads("Paid: thank you")
    assert buyer.tab.evaluate("document.activeElement.tagName") == "H1"


def test_what_an_order_says_of_itself_is_text_and_nothing_else(open_shop: OpenShop, buyer: Buyer) -> None:
    nasty = '19"><img src=x onerror=alert(1)>'
    shop = open_shop(options={"return_url": 'https://shop.example/"><script>alert(1)</script>?{order_key}'})
    url = challenged(shop)
    with shop.local.bridge.services.database.write() as connection:
        connection.execute(update(intents_table).values(order_number=nasty, last_error=DECLINE))
    buyer.open(url)
    assert nasty in buyer.text
    assert DECLINE["message"] not in buyer.text
    assert buyer.tab.locator("img").count() == 0
    buyer.press("Approve")
    assert buyer.reads("Paid: thank you")
    assert buyer.tab.locator("script").count() == 0
    assert buyer.tab.get_by_role("link", name="Return").get_attribute("href").startswith('https://shop.example/"><scr')


def test_without_javascript_the_sandbox_works_and_a_widget_says_what_it_needs(
    open_shop: OpenShop, browser: Any
) -> None:
    shop = open_shop("forte_payments")
    with browser.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        tab.goto(shop.create()["pay_url"])
        assert "The payment form needs JavaScript" in tab.locator("body").inner_text()
        [intent] = shop.forte.intents
        shop.forte.approve(intent.id)
        shop.local.clock.advance(3)
        tab.get_by_role("button", name="Already paid? Check now").click()
        tab.get_by_role("heading", name="Paid: thank you").wait_for()


def test_who_asks_and_has_not_paid_reads_so(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments")
    url = shop.create()["pay_url"]
    shop.local.clock.advance(3)
    assert "no payment has arrived yet" in shop.press(url, "check").text
    assert "no payment has arrived yet" not in shop.get(url).text


def test_a_provider_that_cannot_be_asked_changes_nothing(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", max_retries="0")
    url = shop.create()["pay_url"]
    shop.local.clock.advance(3)
    shop.faults.next(Fault.REFUSED, times=3)
    assert shop.press(url, "check").status_code == 200
    assert shop.stage(url) == "open"


def test_an_owner_may_let_the_widget_load_more(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments")
    wishes = {
        "connect-src": "https://api.prod.example wss://relay.example https://*.bank.example:8443",
        "style-src": "'unsafe-inline'",
        "script-src": "'unsafe-inline' 'unsafe-eval' http://plain.example https://more.example",
        "frame-src": "https: data: https://evil.example;script-src *",
        "default-src": "*",
    }
    created = shop.create()
    page = rendered(shop, created["attempt_id"], content_policy=wishes)
    policy = dict(part.split(" ", 1) for part in page.policy.split("; "))
    host = shop.provider
    assert (
        policy["connect-src"]
        == f"'self' {host} https://api.prod.example wss://relay.example https://*.bank.example:8443"
    )
    assert policy["style-src"] == f"'self' {host} 'unsafe-inline'"
    assert policy["script-src"] == f"'self' {host} https://more.example"
    assert policy["frame-src"] == f"{host} data:"
    assert policy["default-src"] == "'none'"


def test_a_live_store_sends_nobody_to_plain_http(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    visit = visited(shop, shop.create()["attempt_id"])
    live = replace(visit, store=replace(visit.store, live=True))
    policies = [render_visit(each, up="../", status="x/status").policy for each in (visit, live)]
    assert "form-action 'self' https: http:;" in policies[0]
    assert "form-action 'self' https:;" in policies[1]
    wish = {"redirect_to_url": {"url": "http://pay.example/1"}}
    pages = [render_visit(replace(each, kind="link", next_action=wish), up="../", status="s") for each in (visit, live)]
    assert ["pay.example" in page.html for page in pages] == [True, False]


@pytest.mark.parametrize("script", ["javascript:alert(1)", "http://", "", None, "//x.example/y.js"])
def test_a_form_whose_script_has_no_address_is_not_shown(open_shop: OpenShop, script: Any) -> None:
    shop = open_shop("forte_payments")
    page = rendered(shop, shop.create()["attempt_id"], script_url=script)
    assert "continues in the shop" in page.html
    assert "<script" not in page.html


def visited(shop: Shop, intent_id: str) -> checkout_page.Visit:
    services = shop.local.bridge.services
    with services.database.read() as connection:
        intent = intents.get(connection, intent_id)
    return checkout_page.visit(services, checkout_page.token_for(services, intent))


def rendered(shop: Shop, intent_id: str, **provider_data: Any) -> Page:
    """The page for other provider data than the adapter's."""
    visit = visited(shop, intent_id)
    changed = replace(visit, provider_data={**visit.provider_data, **provider_data})
    return render_visit(changed, up="../", status="x/status")


def test_every_fault_is_a_page(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    url = challenged(shop)
    with shop.local.bridge.services.database.write() as connection:
        connection.execute(text("alter table attempts rename to elsewhere"))
    answer = shop.get(url)
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "attempts" not in answer.text
    assert "no such table" in caplog.text
