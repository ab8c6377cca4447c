"""The link to the buyer's page: who gets it, what it proves, how long it works, and what the page tells of the rest."""

import re
from dataclasses import replace

import pytest

from bridge import Bridge, create_app
from bridge.payments.checkout_page import DAY_SECONDS, LINK_DAYS
from bridge.settings import Settings
from bridge.storage import Database
from bridge.storage.vault import Vault
from tests.web.conftest import BROWSER, OpenShop, Shop, challenged

TITLE = re.compile("<h1[^>]*>([^<]+)</h1>")


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


def title(shop: Shop, url: str, status: int = 200) -> str:
    answer = shop.get(url)
    assert answer.status_code == status, answer.text
    return TITLE.search(answer.text)[1]


def test_an_intent_that_waits_for_the_buyer_has_a_link_in_create_and_get(shop: Shop) -> None:
    created = shop.create(payment_method="pm_card_authenticationRequired")
    assert created["status"] == "requires_action"
    assert shop.show(created["id"])["pay_url"] == created["pay_url"]
    assert shop.create(payment_method="pm_card_authenticationRequired")["pay_url"] == created["pay_url"]
    assert title(shop, created["pay_url"]) == "Pay 10.23 USD"


def test_an_intent_that_waits_for_nobody_has_none(shop: Shop) -> None:
    created = shop.create()
    assert created["status"] == "succeeded"
    assert "pay_url" not in created
    assert "pay_url" not in shop.show(created["id"])


def test_a_paid_intent_has_a_link_no_more_and_the_old_one_says_so(shop: Shop) -> None:
    created = shop.create(payment_method="pm_card_authenticationRequired")
    shop.press(created["pay_url"], "approve")
    assert "pay_url" not in shop.show(created["id"])
    assert title(shop, created["pay_url"]) == "Paid: thank you"


def test_the_link_says_nothing_of_order_customer_or_secrets(shop: Shop) -> None:
    created = shop.create(payment_method="pm_card_authenticationRequired")
    token = created["pay_url"].rpartition("/")[2]
    assert re.fullmatch(r"[0-9a-f]{32}\.[0-9a-f]+\.[\w-]{43}", token)
    assert token.startswith(created["attempt_id"])


@pytest.mark.parametrize(
    "change", ["one letter", "another intent", "later", "no signature", "signed for another purpose"]
)
def test_a_link_that_is_not_ours_leads_nowhere(shop: Shop, change: str) -> None:
    url = challenged(shop)
    front, _, token = url.rpartition("/")
    intent, expires, signature = token.split(".")
    changed = {
        "one letter": f"{intent}.{expires}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
        "another intent": f"{'0' * 32}.{expires}.{signature}",
        "later": f"{intent}.{int(expires, 16) + 1:x}.{signature}",
        "no signature": f"{intent}.{expires}",
        "signed for another purpose": shop.local.bridge.services.vault.sign(f"{intent}.{expires}", "something"),
    }[change]
    assert title(shop, f"{front}/{changed}", 404) == "This link does not work"
    status = shop.get(f"{front}/{changed}/status")
    assert (status.status_code, status.json()) == (404, {"stage": "invalid"})
    assert shop.press(f"{front}/{changed}", "approve").status_code == 404
    assert shop.stage(url) == "open"


def test_a_link_works_for_a_week_and_is_the_same_for_a_day(shop: Shop) -> None:
    created = shop.create(payment_method="pm_card_authenticationRequired")
    clock = shop.local.clock
    clock.advance(DAY_SECONDS - clock() % DAY_SECONDS - 1)
    assert shop.show(created["id"])["pay_url"] == created["pay_url"]
    clock.advance(1)
    newer = shop.show(created["id"])["pay_url"]
    assert newer != created["pay_url"]
    clock.advance(LINK_DAYS * DAY_SECONDS - 1)
    assert title(shop, created["pay_url"]) == "Pay 10.23 USD"
    clock.advance(1)
    assert title(shop, created["pay_url"], 410) == "This link has expired"
    assert shop.press(created["pay_url"], "approve").status_code == 410
    assert title(shop, newer) == "Pay 10.23 USD"


def test_links_survive_a_new_secret_key(shop: Shop) -> None:
    url = challenged(shop)
    old = shop.local.bridge.settings
    both = Bridge(
        replace(old, secret_key=("another-key-of-thirty-two-letters", *old.secret_key)), clock=shop.local.clock
    )
    try:
        path = url.removeprefix(shop.url)
        opened = create_app(both).test_client().get(path, base_url=shop.url, headers={"User-Agent": BROWSER})
        assert opened.status_code == 200
    finally:
        both.close()


def test_the_first_key_signs_and_all_verify(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    try:
        old = Vault(["a" * 32], database)
        both = Vault(["b" * 32, "a" * 32], database)
        token = old.sign("text", "pay")
        assert both.unsign(token, "pay") == "text"
        assert both.unsign(token, "other") is None
        assert both.sign("text", "pay") != token
        assert old.unsign(both.sign("text", "pay"), "pay") is None
        assert [both.unsign(nonsense, "pay") for nonsense in ("", ".", "text.", "téxt.x", "text.x")] == [None] * 5
    finally:
        database.close()


def test_the_link_of_a_replaced_payment_leads_to_the_one_that_took_its_place(shop: Shop) -> None:
    old = challenged(shop)
    newer = shop.create(payment_method="pm_card_threeDSecure2Required")
    assert newer["pay_url"] != old
    assert shop.press(old, "approve").status_code == 303
    assert shop.show(newer["id"])["status"] == "succeeded"
    assert title(shop, old) == title(shop, newer["pay_url"]) == "Paid: thank you"


def test_a_cancelled_payment_cannot_be_paid_any_more(shop: Shop) -> None:
    created = shop.create(payment_method="pm_card_authenticationRequired")
    shop.adapter.cancel(created["id"], "key")
    shop.local.clock.advance(4)
    assert shop.stage(created["pay_url"]) == "ended"
    assert title(shop, created["pay_url"]) == "This payment is closed"
    pressed = shop.press(created["pay_url"], "approve")
    assert (pressed.status_code, pressed.headers["Location"].endswith("?look")) == (303, True)
    assert shop.adapter.fetch(created["id"]).status == "canceled"


def test_a_payment_whose_outcome_is_unknown_is_being_confirmed(shop: Shop) -> None:
    url = challenged(shop)
    lost = shop.local.create("payable", payment_method="pm_sandbox_lost_answer").json
    assert lost["data"]["outcome"] == "unknown"
    assert "pay_url" not in shop.show(lost["data"]["attempt_id"])
    assert title(shop, url) == "Your payment is being confirmed"
    assert shop.stage(url) == "processing"
    assert shop.press(url, "approve").status_code == 303
    shop.local.clock.advance(60)
    shop.local.work()
    assert title(shop, url) == "Paid: thank you"


def test_without_a_public_url_the_link_has_the_host_that_was_asked(shop: Shop) -> None:
    settings = Settings.load(
        secret_key=list(shop.local.bridge.settings.secret_key),
        database_url=shop.local.bridge.settings.database_url,
        allow_private_urls=True,
    )
    other = Bridge(settings, clock=shop.local.clock)
    try:
        shop.local.app = create_app(other)
        answer = shop.local.create("payable", payment_method="pm_card_authenticationRequired")
        assert answer.json["pay_url"].startswith("http://127.0.0.1/bridge/v1/pay/")
    finally:
        other.close()


def test_buttons_that_are_pressed_twice_show_what_came_of_it(shop: Shop) -> None:
    url = challenged(shop)
    for _ in range(2):
        pressed = shop.press(url, "approve")
        assert (pressed.status_code, pressed.headers["Location"].endswith("?look")) == (303, True)
    assert shop.status() == "processing"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "same-origin"}, 303),
        ({"Sec_Fetch_Site": "none"}, 303),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
    ],
)
def test_a_form_from_another_place_does_nothing(shop: Shop, headers: dict[str, str], status: int) -> None:
    url = challenged(shop)
    assert shop.press(url, "approve", **headers).status_code == status
    assert shop.stage(url) == ("paid" if status == 303 else "open")


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 303), ("own", 303), ("https://evil.example", 403), ("null", 403), ("http://[", 403)]
)
def test_an_old_browser_names_the_origin(shop: Shop, origin: str | None, status: int) -> None:
    url = challenged(shop)
    headers = {"User-Agent": BROWSER} | ({"Origin": shop.url if origin == "own" else origin} if origin else {})
    answer = shop.session.post(url, {"action": "approve"}, headers=headers, allow_redirects=False, timeout=10)
    assert answer.status_code == status


@pytest.mark.parametrize(("action", "status"), [("", 400), ("pay", 400), ("open", 200), ("again", 200), ("retry", 303)])
def test_a_button_that_is_not_there_does_nothing(shop: Shop, action: str, status: int) -> None:
    url = challenged(shop)
    assert shop.press(url, action).status_code == status
    assert shop.stage(url) == "open"


def test_the_method_cannot_be_smuggled_into_a_get(shop: Shop) -> None:
    url = challenged(shop)
    assert shop.get(f"{url}?_method=POST&action=approve").status_code == 400
    assert shop.get(url, X_HTTP_Method_Override="POST").status_code == 400
    assert shop.stage(url) == "open"


def test_the_provider_is_asked_once_in_three_seconds_however_many_ask(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments")
    url = shop.create()["pay_url"]
    asked = lambda: sum(request.path.endswith("/statuses") for request in shop.forte.requests)  # noqa: E731
    assert [shop.stage(url), asked()] == ["open", 0]
    shop.local.clock.advance(3)
    for _ in range(5):
        assert shop.stage(url) == "open"
    assert asked() == 1
    shop.local.clock.advance(3)
    shop.press(url, "check")
    assert asked() == 2


def test_only_the_provider_says_that_it_was_paid(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments")
    created = shop.create()
    [intent] = shop.forte.intents
    answer = shop.get(f"{created['pay_url']}?redirect_status=succeeded&paymentIntentId={intent.id}")
    assert "Paid" not in TITLE.search(answer.text)[1]
    shop.local.clock.advance(3)
    assert shop.stage(created["pay_url"]) == "open"
    shop.forte.approve(intent.id)
    shop.local.clock.advance(3)
    assert shop.stage(created["pay_url"]) == "paid"
    assert shop.status() == "processing"


def test_the_buyer_returns_to_where_the_store_says(open_shop: OpenShop) -> None:
    shop = open_shop(options={"return_url": "https://shop.example/checkout/order-received/{order_id}/?key={order_key}"})
    url = challenged(shop)
    assert f'href="{shop.local.store.url}"' in shop.get(url).text
    shop.press(url, "approve")
    order = shop.local.order("payable")
    wanted = f"https://shop.example/checkout/order-received/{order['id']}/?key={order['order_key']}"
    assert f'class="button" href="{wanted}"' in shop.get(url).text


def test_what_an_order_is_called_stays_one_part_of_the_address(open_shop: OpenShop) -> None:
    shop = open_shop(options={"return_url": "https://shop.example/thanks/{order_key}"})
    shop.local.shop.update_order(shop.local.orders["payable"], order_key="#7/8 & 9?")
    url = challenged(shop)
    shop.press(url, "approve")
    assert 'class="button" href="https://shop.example/thanks/%237%2F8%20%26%209%3F"' in shop.get(url).text


@pytest.mark.parametrize("wish", ["javascript:alert(1)", "//evil.example", "data:text/html,x", ""])
def test_the_buyer_is_sent_to_no_address_that_is_none(open_shop: OpenShop, wish: str) -> None:
    shop = open_shop(options={"return_url": wish})
    url = challenged(shop)
    shop.press(url, "approve")
    assert f'class="button" href="{shop.local.store.url}"' in shop.get(url).text
