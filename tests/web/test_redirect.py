"""Redirect mode: who is sent to the provider's page, how often, and what becomes of it.

Numbers are those of the checklist for Forte.
"""

import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import Any
from uuid import UUID

import pytest
import requests

from bridge.operations.why import why
from bridge.payments.checkout_attempts import PAYABLE_SECONDS
from bridge.payments.flags import clear
from bridge.payments.hosted_checkout import MAX_OPEN_CHECKOUTS
from bridge.simulators.faults import Fault
from bridge.storage import intents
from tests.web.conftest import BROWSER, Buyer, OpenShop, Shop

OPEN = "POST /payments/v2/intent/redirect"
HEADING = re.compile("<h1[^>]*>([^<]+)</h1>")
PREVIEWS = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "LinkedInBot/1.0",
    "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) BingPreview/1.0b",
    "",
]
IN_APPS = [
    BROWSER,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "[FBAN/FBIOS;FBAV/480.0.0]",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0 Mobile",
    "curl/8.5.0",
]
NOT_SEEN = [
    {"Sec_Purpose": "prefetch"},
    {"Sec_Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
    {"X_Purpose": "preview"},
    {"X_Moz": "prefetch"},
    {"Sec_Fetch_Mode": "no-cors"},
    {"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
    {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    {"X_HTTP_Method_Override": "HEAD"},
]


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop("forte_payments", mode="redirect")


def hopped(answer: requests.Response) -> str:
    """Where a person was sent."""
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def heading(answer: requests.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    assert "Location" not in answer.headers
    return HEADING.search(answer.text)[1]


def hosted(shop: Shop, url: str, action: str) -> None:
    """The buyer's visit to the provider's page."""
    page = shop.session.get(url, timeout=10)
    assert page.status_code == 200, page.text
    session = re.search('name="session" value="([^"]+)"', page.text)[1]
    target = re.search('action="([^"]+)"', page.text)[1]
    form = {"session": session, "action": action}
    done = shop.session.post(requests.compat.urljoin(url, target), form, allow_redirects=False, timeout=10)
    assert done.status_code in (200, 303)


def minted(shop: Shop) -> int:
    return len(shop.forte.intents)


def hear(shop: Shop) -> None:
    """Forte sends what it has to say, and the bridge works on it."""
    attempts = shop.forte.deliver_due()
    assert all(attempt.status == 200 for attempt in attempts), attempts
    shop.local.work()


def test_create_asks_the_provider_for_nothing(shop: Shop) -> None:
    created = shop.create()
    assert created["status"] == "requires_action"
    assert created["id"].startswith("pi_")
    assert minted(shop) == 0
    assert [request for request in shop.forte.requests if "intent" in request.path] == []


@pytest.mark.parametrize("agent", IN_APPS)
def test_37_a_person_is_sent_to_a_fresh_page_of_the_provider(shop: Shop, agent: str) -> None:
    answer = shop.get(shop.create()["pay_url"], agent=agent)
    assert hopped(answer).startswith(shop.provider)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.content == b""
    assert minted(shop) == 1


def test_37_link_previews_get_a_page_with_a_button(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    answers = [shop.get(url, agent=agent) for agent in PREVIEWS]
    assert {heading(answer) for answer in answers} == {"Pay 9.99 USD"}
    assert all("Continue to payment" in answer.text for answer in answers)
    assert minted(shop) == 0


def test_37_nothing_is_minted_ahead_or_in_the_background(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    assert {heading(shop.get(url, **headers)) for headers in NOT_SEEN} == {"Pay 9.99 USD"}
    assert minted(shop) == 0


def test_37_head_mints_nothing(shop: Shop) -> None:
    answer = shop.get(shop.create()["pay_url"], method="HEAD")
    assert (answer.status_code, answer.content, minted(shop)) == (200, b"", 0)


def test_37_a_link_with_something_behind_it_is_only_shown(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    assert heading(shop.get(f"{url}?look")) == "Pay 9.99 USD"
    assert minted(shop) == 0
    assert hopped(shop.press(url, "open"))
    assert minted(shop) == 1


def test_36_who_comes_again_is_asked_before_the_next_page_is_made(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    first = hopped(shop.get(url))
    for answer in (shop.get(url), shop.press(url, "open")):
        assert "opened before" in answer.text
        assert "charged twice" in answer.text
        assert heading(answer) == "Pay 9.99 USD"
    assert shop.stage(url) == "opened"
    assert minted(shop) == 1
    second = hopped(shop.press(url, "again"))
    assert second != first
    assert minted(shop) == 2
    references = {intent.reference for intent in shop.forte.intents}
    keys = {intent.idempotency_key for intent in shop.forte.intents}
    assert len(references) == len(keys) == 2


def test_openings_are_capped_until_they_are_over(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    hopped(shop.get(url))
    for _ in range(MAX_OPEN_CHECKOUTS - 1):
        hopped(shop.press(url, "again"))
    assert "again now" in shop.get(url).text
    assert heading(shop.press(url, "again"), 429) == "Opened too often"
    assert minted(shop) == MAX_OPEN_CHECKOUTS
    shop.local.clock.advance(PAYABLE_SECONDS)
    assert hopped(shop.get(url))


def test_an_opening_that_ran_out_asks_nobody(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    hosted(shop, hopped(shop.get(url)), "expire")
    hear(shop)
    assert shop.stage(url) == "open"
    assert hopped(shop.get(url))
    assert minted(shop) == 2


def test_35_36_the_first_page_is_late_and_the_buyer_gets_another(shop: Shop) -> None:
    """Thirty seconds, one visit."""
    url = shop.create()["pay_url"]
    late = hopped(shop.get(url))
    shop.local.clock.advance(31)
    assert shop.session.get(late, timeout=10).status_code == 401
    hosted(shop, hopped(shop.press(url, "again")), "approve")
    hear(shop)
    assert shop.status() == "processing"


def test_40_41_52_a_payment_on_the_providers_page_is_known_by_its_message_and_pays_the_order_once(shop: Shop) -> None:
    created = shop.create()
    hosted(shop, hopped(shop.get(created["pay_url"])), "approve")
    assert shop.stage(created["pay_url"]) == "opened"
    [intent] = shop.forte.intents
    with shop.local.bridge.services.database.read() as connection:
        assert intents.find(connection, shop.local.store.id, intent.id) is None, "nobody has told its id yet"
    assert shop.local.order("virtual")["status"] == "pending", "who comes back from there has not paid yet"
    hear(shop)
    assert shop.stage(created["pay_url"]) == "paid"
    assert shop.status() == "processing"
    assert shop.show(created["id"])["status"] == "succeeded"
    with shop.local.bridge.services.database.read() as connection:
        assert intents.find(connection, shop.local.store.id, intent.id).public_id == created["id"]


def test_a_decline_can_be_tried_again_without_a_question(shop: Shop) -> None:
    created = shop.create()
    hosted(shop, hopped(shop.get(created["pay_url"])), "decline")
    hear(shop)
    answer = shop.get(created["pay_url"])
    assert heading(answer) == "Pay 9.99 USD"
    assert "declined" in answer.text
    assert shop.show(created["id"])["last_payment_error"]["decline_code"] == "generic_decline"
    hosted(shop, hopped(shop.press(created["pay_url"], "open")), "approve")
    hear(shop)
    assert shop.status() == "processing"


def test_a_decline_of_one_page_leaves_the_other_one_open(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    first, second = hopped(shop.get(url)), hopped(shop.press(url, "again"))
    hosted(shop, first, "decline")
    hear(shop)
    assert shop.stage(url) == "opened"
    assert shop.create()["pay_url"] == url
    hosted(shop, second, "approve")
    hear(shop)
    assert shop.status() == "processing"


def test_a_second_approval_is_flagged_for_a_person_and_noted_once(shop: Shop) -> None:
    created = shop.create()
    url = created["pay_url"]
    pages = [hopped(shop.get(url)), hopped(shop.press(url, "again"))]
    for page in pages:
        hosted(shop, page, "approve")
    hear(shop)
    for event in shop.forte.attempts:
        shop.forte.repeat(event.event_id)
    hear(shop)
    assert shop.status() == "processing"
    notes = [note for note in shop.local.notes("virtual") if "second payment" in note]
    assert len(notes) == 1
    assert shop.forte.intents[1].id in notes[0]
    [story] = why(shop.local.bridge.services, created["id"])
    assert story["flag"].startswith("duplicate_payment")
    assert story["status"] == "succeeded"
    assert shop.show(created["id"])["charge"]["amount"] == 999


def test_all_that_were_paid_once_more_are_named_until_a_person_has_dealt_with_them(shop: Shop) -> None:
    created = shop.create()
    url, services = created["pay_url"], shop.local.bridge.services
    pages = [hopped(shop.get(url)), *(hopped(shop.press(url, "again")) for _ in range(3))]
    names = [intent.id for intent in shop.forte.intents]

    def flag_after(page: str) -> str:
        hosted(shop, page, "approve")
        hear(shop)
        return str(why(services, created["id"])[0]["flag"])

    flags = [flag_after(page) for page in pages[:3]]
    assert [[name in flag for name in names[1:]] for flag in flags] == [
        [False, False, False],
        [True, False, False],
        [True, True, False],
    ]
    clear(services, created["id"], "ann", "both were sent back")
    last = flag_after(pages[3])
    assert [name in last for name in names] == [False, False, False, True]


def test_all_that_were_paid_although_they_were_given_up_are_named(shop: Shop) -> None:
    """No message tells for a day, and somebody else is to pay meanwhile."""
    created = shop.create()
    url, services = created["pay_url"], shop.local.bridge.services
    for page in (hopped(shop.get(url)), hopped(shop.press(url, "again"))):
        hosted(shop, page, "approve")
        shop.forte.spoil_next_webhook(lambda _webhook: None)
        shop.forte.deliver_due()
    first, second = (intent.id for intent in shop.forte.intents)
    shop.local.clock.advance(24 * 3600 + 60)
    other = shop.create(payment_method="pm_card_mastercard")
    assert other["id"] != created["id"]
    told = list(shop.forte.attempts)
    shop.forte.repeat(told[0].event_id)
    hear(shop)
    [story] = why(services, created["id"])
    assert "recorded as canceled" in story["flag"]
    assert first in story["flag"]
    shop.forte.repeat(told[1].event_id)
    hear(shop)
    [story] = why(services, created["id"])
    assert first in story["flag"]
    assert second in story["flag"]
    notes = [
        note for note in shop.local.notes("virtual") if "recorded as cancelled" in note or "second payment" in note
    ]
    assert len(notes) == 2
    assert shop.status() == "pending"


def test_two_clicks_at_once_make_one_page(open_shop: OpenShop, database_url: str) -> None:
    shop = open_shop("forte_payments", database_url=database_url, mode="redirect")
    url = shop.create()["pay_url"]

    def click(_: int) -> int:
        headers = {"User-Agent": BROWSER}
        return requests.get(url, headers=headers, allow_redirects=False, timeout=20).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(click, range(8))) == [200] * 7 + [303]
    assert minted(shop) == 1


def test_who_presses_again_twice_gets_one_more_page(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    hopped(shop.get(url))
    arrived, go_on = Event(), Event()

    def arrives(request: Any) -> bool:
        is_it: bool = f"{request.method} {request.path}" == OPEN
        if is_it:
            arrived.set()
        return is_it

    shop.faults.next(Fault.STALLED, match=arrives, until=go_on)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(shop.press, url, "again")
        assert arrived.wait(10)
        assert "opened before" in shop.press(url, "again").text
        go_on.set()
        hopped(first.result(10))
    assert minted(shop) == 2


def test_59_a_message_about_another_payment_than_ours_changes_nothing(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    hopped(shop.get(url))
    [intent] = shop.forte.intents
    shop.forte.publish("payment_declined", {"payment_intent_id": intent.id, "reference": intent.reference})
    hear(shop)
    assert shop.stage(url) == "opened"
    shop.forte.publish("payment_approved", {"payment_intent_id": str(UUID(int=1)), "reference": intent.reference})
    hear(shop)
    assert shop.stage(url) == "opened"
    shop.forte.approve(intent.id)
    hear(shop)
    assert shop.stage(url) == "paid"


def test_19_a_lost_answer_is_asked_for_again_under_the_same_key(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect", max_retries="0")
    url = shop.create()["pay_url"]
    shop.faults.next(Fault.DROPPED, match=OPEN)
    lost = shop.get(url)
    assert heading(lost, 502) == "The payment provider cannot be reached"
    assert "Nothing was paid" in lost.text
    assert re.search('href="([^"]+)">Try again', lost.text)[1].endswith(url.rpartition("/")[2])
    assert minted(shop) == 1
    hosted(shop, hopped(shop.get(url)), "approve")
    assert minted(shop) == 1
    hear(shop)
    assert shop.status() == "processing"


def test_a_provider_that_is_down_is_a_page_with_a_way_out(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect", max_retries="0")
    url = shop.create()["pay_url"]
    shop.faults.next(Fault.REFUSED, times=4)
    answer = shop.get(url)
    assert heading(answer, 502) == "The payment provider cannot be reached"
    shop.faults.clear()
    assert hopped(shop.get(url))


def test_42_an_answer_without_an_address_is_no_loop(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    shop.forte.spoil_next("/payments/v2/intent/redirect", lambda _body, _status: ({"data": {}}, 201))
    assert heading(shop.get(url), 502)
    assert minted(shop) == 1


@pytest.mark.parametrize(
    "change",
    [{"total": "12.00"}, {"currency": "EUR"}, {"status": "cancelled"}, {"status": "completed"}, {"status": "trash"}],
    ids=str,
)
def test_an_order_that_has_changed_is_not_paid(shop: Shop, change: dict[str, str]) -> None:
    url = shop.create()["pay_url"]
    order = shop.local.orders["virtual"]
    shop.local.shop.update_order(order, **change)
    answer = shop.get(url)
    assert heading(answer, 409) in ("This order cannot be paid now", "This cannot be done now")
    assert minted(shop) == 0


def test_a_shop_that_is_down_is_a_page_with_a_way_out(shop: Shop) -> None:
    url = shop.create()["pay_url"]
    shop.local.shop_faults.next(Fault.ERROR_503, times=9)
    answer = shop.get(url)
    assert heading(answer, 502) == "The shop cannot be reached"
    assert "Try again" in answer.text


def test_34_the_address_is_nowhere_but_in_the_answer(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="bridge")
    created = shop.create()
    address = hopped(shop.get(created["pay_url"]))
    secret = address.partition("redirect_token=")[2]
    assert len(secret) > 40
    database = shop.local.bridge.services.database.url.database
    with closing(sqlite3.connect(str(database))) as connection:
        dump = "\n".join(connection.iterdump())
    seen = [
        dump,
        json.dumps(shop.show(created["id"])),
        json.dumps(shop.create()),
        json.dumps(why(shop.local.bridge.services, created["id"])),
        shop.get(created["pay_url"]).text,
        shop.get(f"{created['pay_url']}/status").text,
        "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("bridge.simulators")),
    ]
    assert [text for text in seen if secret in text] == []


def test_the_hop_in_a_browser(shop: Shop, buyer: Buyer) -> None:
    url = shop.create()["pay_url"]
    buyer.open(url)
    assert buyer.reads("Forte payment (test)")
    buyer.tab.go_back()
    buyer.tab.goto(url)
    assert "opened before" in buyer.text
    buyer.press("Open the payment page again")
    assert buyer.reads("Forte payment (test)")
    referrer: Any = buyer.tab.evaluate("document.referrer")
    assert referrer == ""
    buyer.press("Approve")
    hear(shop)
    buyer.open(f"{url}?look")
    assert buyer.reads("Paid")
    assert minted(shop) == 2


def test_41_the_page_waits_for_no_widget_and_goes_on_by_itself_when_the_payment_arrives(
    shop: Shop, buyer: Buyer
) -> None:
    url = shop.create()["pay_url"]
    page = hopped(shop.get(url))
    buyer.open(url)
    assert buyer.tab.locator("script[src*=forte-payments-widget]").count() == 0
    assert "opened before" in buyer.text
    hosted(shop, page, "approve")
    hear(shop)
    assert buyer.reads("Paid")
