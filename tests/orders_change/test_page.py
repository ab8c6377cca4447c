"""The buyer's page reads the order when it is shown and again when it is pressed: A1, A6, A7."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.orders_change.conftest import CHANGES, ENDS, Beside, OpenShop, Shop
from tests.web.conftest import Buyer

CANNOT = "This order cannot be paid now"


def heading(answer: Any) -> str:
    found = re.search("<h1[^>]*>([^<]+)</h1>", answer.text)
    assert found
    return found[1]


def taken(beside: Beside) -> list[int]:
    """What the provider has taken or holds, in minor units."""
    shop = beside.shop
    if shop.local.stripe:
        return [
            entry.amount for entry in shop.local.stripe.ledger.entries() if entry.kind in ("captured", "authorized")
        ]
    if shop.platform:
        return [1 for payment in shop.platform.payments if shop.adapter.fetch(payment["id"]).status == "succeeded"]
    return []


@pytest.mark.parametrize("seconds", [6, 36])
@pytest.mark.parametrize("change", [*ENDS, *CHANGES])
def test_a1_a_page_of_an_order_that_cannot_be_paid_says_so_and_has_no_form(
    beside: Beside, change: str, seconds: int
) -> None:
    created = beside.create()
    (ENDS | CHANGES)[change].do(beside)
    beside.shop.local.clock.advance(seconds)
    page = beside.shop.get(created["pay_url"])
    assert (page.status_code, heading(page)) == (409, CANNOT)
    assert "Return to" in page.text
    assert created.get("client_secret", "no secret") not in page.text
    assert beside.shop.stage(created["pay_url"]) == "ended"
    again = beside.shop.get(created["pay_url"])
    assert (again.status_code, heading(again)) == (409, CANNOT)


def test_a1_one_read_per_show_at_most_one_in_ten_seconds_and_none_for_status(shown: Beside) -> None:
    beside = shown
    created = beside.create()
    beside.shop.local.clock.advance(20)
    before = beside.reads()
    for _ in range(3):
        assert beside.shop.get(created["pay_url"]).status_code == 200
    assert beside.reads() == before + 1
    beside.shop.local.clock.advance(9)
    beside.shop.get(created["pay_url"])
    beside.shop.stage(created["pay_url"])
    assert beside.reads() == before + 1
    beside.shop.local.clock.advance(1)
    beside.shop.get(created["pay_url"])
    assert beside.reads() == before + 2


def press(beside: Beside, url: str) -> Any:
    """The buyer goes on to pay, with the page as it was shown before."""
    if beside.shop.local.store.adapter == "sandbox":
        return beside.shop.press(url, "approve")
    if beside.shop.forte:
        return beside.shop.press(url, "open")
    headers = {"Sec-Fetch-Site": "same-origin"}
    return beside.shop.session.post(f"{url}/confirm", headers=headers, timeout=10)


@pytest.mark.parametrize("change", [*ENDS, *CHANGES])
def test_a1_a_press_reads_the_order_and_confirms_nothing_for_one_that_has_changed(pressed: Beside, change: str) -> None:
    created = pressed.create()
    pressed.shop.local.clock.advance(20)
    pressed.shop.get(f"{created['pay_url']}?look")
    before = pressed.reads()
    (ENDS | CHANGES)[change].do(pressed)
    answer = press(pressed, created["pay_url"])
    assert answer.status_code == 409
    assert pressed.reads() == before + 1
    assert taken(pressed) == []
    assert pressed.shop.forte is None or len(pressed.shop.forte.intents) == 0
    assert pressed.show(created)["status"] != "succeeded"


def test_a1_a_store_that_cannot_be_asked_at_a_press_confirms_nothing_and_the_page_says_so(pressed: Beside) -> None:
    created = pressed.create()
    pressed.shop.local.shop_faults.next(Fault.ERROR_503, times=9)
    answer = press(pressed, created["pay_url"])
    assert answer.status_code == 502
    if "html" in answer.headers["Content-Type"]:
        assert "nothing was confirmed" in answer.text
    else:
        assert answer.json() == {"stage": "open", "payable": False}
    assert taken(pressed) == []
    pressed.shop.local.shop_faults.clear()
    assert press(pressed, created["pay_url"]).status_code in (200, 303)


def test_a1_a_store_that_cannot_be_asked_when_the_page_is_shown_has_no_form_on_it(beside: Beside) -> None:
    created = beside.create()
    beside.shop.local.clock.advance(20)
    beside.shop.local.shop_faults.next(Fault.ERROR_503, times=9)
    page = beside.shop.get(f"{created['pay_url']}?look")
    assert "does not accept a payment" in page.text
    assert created.get("client_secret", "no secret") not in page.text
    assert beside.shop.stage(created["pay_url"]) in ("open", "declined")
    beside.shop.local.shop_faults.clear()
    assert "does not accept a payment" not in beside.shop.get(f"{created['pay_url']}?look").text


def test_a1_an_order_that_is_not_there_once_closes_nothing(beside: Beside) -> None:
    created = beside.create()
    gone = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    beside.shop.local.shop_faults.next(Fault.STATUS, status=404, body=gone)
    page = beside.shop.get(f"{created['pay_url']}?look")
    assert (page.status_code, heading(page)) == (409, CANNOT)
    assert "pay_url" in beside.show(created)


@pytest.mark.parametrize("change", ["cancelled", "more"])
def test_a1_the_payment_element_asks_right_before_it_confirms(open_shop: OpenShop, buyer: Buyer, change: str) -> None:
    shop = open_shop("forte_platform")
    created = shop.create()
    buyer.open(created["pay_url"])
    buyer.tab.get_by_label("Card number").fill("4242424242424242")
    (ENDS | CHANGES)[change].do(Beside(shop, False, {}))
    buyer.press("Pay 10.23 USD")
    assert buyer.reads(CANNOT)
    assert taken(Beside(shop, False, {})) == []
    assert buyer.tab.get_by_role("link", name="Return to").count() == 1


def test_a1_the_payment_element_confirms_nothing_while_the_store_is_away(open_shop: OpenShop, buyer: Buyer) -> None:
    shop = open_shop("forte_platform")
    buyer.open(shop.create()["pay_url"])
    buyer.tab.get_by_label("Card number").fill("4242424242424242")
    shop.local.shop_faults.next(Fault.ERROR_503, times=9)
    buyer.press("Pay 10.23 USD")
    buyer.tab.get_by_role("alert").filter(has_text="Nothing was confirmed").wait_for()
    shop.local.shop_faults.clear()
    buyer.press("Pay 10.23 USD")
    shop.local.clock.advance(3)
    assert buyer.reads("Paid: thank you")


@pytest.fixture
def redirect(open_shop: OpenShop) -> Shop:
    return open_shop("forte_payments", mode="redirect", max_retries="0")


SUBMITTED = {"status": "error", "message": "The payment was already submitted.", "code": "ERR04"}


@pytest.mark.parametrize("visits", [1, 4])
def test_a6_an_opening_that_was_submitted_already_stays_unknown_under_its_key(redirect: Shop, visits: int) -> None:
    url = redirect.create()["pay_url"]
    match = "POST /payments/v2/intent/redirect"
    redirect.faults.next(Fault.STATUS, times=9, match=match, status=409, body=SUBMITTED)
    first = redirect.get(url)
    assert first.status_code == 504
    for _ in range(visits):
        for answer in (redirect.get(url), redirect.press(url, "open"), redirect.press(url, "again")):
            assert "We do not know yet whether this payment went through" in answer.text or answer.status_code == 303
            assert "Nothing was paid" not in answer.text
    asked = [request.content for request in redirect.door.sent if request.path == "/payments/v2/intent/redirect"]
    assert len(asked) == 1
    assert redirect.stage(url) == "processing"
    assert redirect.local.create("virtual").get_json()["data"]["reason"] == "outcome_unknown"


def test_a6_the_answer_is_lost_the_buyer_approves_and_comes_again(redirect: Shop) -> None:
    url = redirect.create()["pay_url"]
    redirect.faults.next(Fault.DROPPED, match="POST /payments/v2/intent/redirect")
    assert redirect.get(url).status_code == 502
    [intent] = redirect.forte.intents
    redirect.forte.approve(intent.id)
    for _ in range(3):
        answer = redirect.get(url)
        assert "We do not know yet whether this payment went through" in answer.text
        assert "Nothing was paid" not in answer.text
    assert len(redirect.forte.intents) == 1
    redirect.forte.deliver_due()
    redirect.local.work()
    assert redirect.stage(url) == "paid"
    assert redirect.status() == "processing"


def test_a7_two_presses_at_once_open_one_page(redirect: Shop) -> None:
    url = redirect.create()["pay_url"]
    assert redirect.get(url).status_code == 303
    seen = re.search('name="seen" value="([^"]+)"', redirect.get(url).text)
    assert seen

    def press_again(_: int) -> int:
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "User-Agent": "Mozilla/5.0"}
        form = {"action": "again", "seen": seen[1]}
        answer = redirect.session.post(url, form, headers=headers, allow_redirects=False, timeout=20)
        return answer.status_code

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(press_again, range(2))) == [303, 303]
    assert len(redirect.forte.intents) == 2
    redirect.local.clock.advance(60)
    assert press_again(0) == 303
    assert len(redirect.forte.intents) == 3


def test_a7_a_double_click_opens_one_page(redirect: Shop, buyer: Buyer) -> None:
    url = redirect.create()["pay_url"]
    assert redirect.get(url).status_code == 303
    buyer.open(f"{url}?look")
    buyer.tab.get_by_role("button", name="Open the payment page again").dblclick()
    assert buyer.reads("Forte payment (test)")
    assert len(redirect.forte.intents) == 2
