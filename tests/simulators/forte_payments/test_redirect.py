"""The hosted page as a program meets it: one visit within half a minute, then plain forms."""

import re
from html.parser import HTMLParser

import pytest

from .conftest import TIMEOUT, payment


class Page(HTMLParser):
    """The form of a page, its buttons, and the sentences with a role."""

    def __init__(self, answer):
        super().__init__()
        self.action, self.hidden, self.buttons, self.said, self._open = None, {}, {}, {}, None
        self.text = answer.text
        self.feed(answer.text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            assert given["method"] == "post"
            self.action = given["action"]
        elif tag == "input":
            self.hidden[given["name"]] = given["value"]
        elif tag == "button":
            self._open = lambda text: self.buttons.update({text: {given["name"]: given["value"]}})
        elif "role" in given:
            self._open = lambda text: self.said.update({given["role"]: text})

    def handle_data(self, text):
        if self._open:
            self._open(text)
            self._open = None


@pytest.fixture
def visit(merchant):
    def visit(address, method="GET", **more):
        return merchant.session.request(method, address, timeout=TIMEOUT, allow_redirects=False, **more)

    return visit


@pytest.fixture
def press(merchant, visit):
    def press(page, label):
        return visit(f"{merchant.url}/{page.action}", "POST", data=page.hidden | page.buttons[label])

    return press


def test_the_first_visit_shows_what_is_to_be_paid(merchant, visit):
    answer = visit(merchant.redirect(item={"title": "<b>Gold</b> & silver"}))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "&lt;b&gt;Gold&lt;/b&gt; &amp; silver: <strong>9.99 USD</strong>" in answer.text
    assert set(Page(answer).buttons) == {"Approve", "Decline", "Expire", "Abandon"}


@pytest.mark.parametrize("first", ["GET", "HEAD"])
def test_the_second_visit_is_unauthorized(merchant, visit, first):
    address = merchant.redirect()
    assert visit(address, first).status_code == 200
    for method in ("GET", "HEAD", "GET"):
        assert visit(address, method).status_code == 401


@pytest.mark.parametrize(("seconds", "status"), [(29, 200), (29.9, 200), (30, 401), (31, 401)])
def test_an_address_is_good_for_thirty_seconds(merchant, visit, clock, seconds, status):
    address = merchant.redirect()
    clock.advance(seconds)
    assert visit(address).status_code == status


@pytest.mark.parametrize(
    "spoil", [lambda it: it + "x", lambda it: it.partition("?")[0], lambda it: it[:-9] + "AAAAAAAAA"]
)
def test_another_token_is_unauthorized(merchant, visit, spoil):
    assert visit(spoil(merchant.redirect())).status_code == 401


def test_a_token_is_good_at_its_own_place_only(merchant, visit):
    place, _, query = merchant.redirect().partition("?")
    elsewhere = f"{merchant.url}/00000000-0000-4000-8000-000000000000"
    assert place != elsewhere
    assert visit(f"{elsewhere}?{query}").status_code == 401


@pytest.mark.parametrize(
    ("label", "status", "said"),
    [
        ("Approve", "Approved", "The payment was approved."),
        ("Decline", "Declined", "The payment was declined."),
        ("Expire", "Expired", "The time for this payment is over."),
        ("Abandon", "Created", "You left without paying."),
    ],
)
def test_each_button_does_what_it_says(merchant, visit, press, label, status, said):
    answer = press(Page(visit(merchant.redirect())), label)
    assert answer.status_code == 200
    assert Page(answer).said == {"status": said}
    assert [intent.status for intent in merchant.simulator.intents] == [status]


def test_a_second_press_changes_nothing_and_charges_nothing(merchant, visit, press):
    page = Page(visit(merchant.redirect()))
    for label in ("Approve", "Approve", "Decline", "Expire"):
        assert Page(press(page, label)).said == {"status": "The payment was approved."}
    assert len(merchant.simulator.ledger.entries("captured")) == 1


def test_the_page_is_patient_where_the_address_is_not(merchant, visit, press, clock):
    page = Page(visit(merchant.redirect()))
    clock.advance(3000)
    press(page, "Approve")
    assert merchant.simulator.intents[0].status == "Approved"


def test_a_page_whose_session_is_over_says_so_and_charges_nothing(merchant, visit, press, clock):
    merchant.create()
    clock.advance(3000)
    merchant.log_in()
    page = Page(visit(merchant.redirect()))
    clock.advance(600)
    assert Page(press(page, "Approve")).said == {"status": "The time for this payment is over."}
    assert merchant.simulator.ledger.entries() == ()


def test_a_form_that_nobody_was_shown_is_unauthorized(merchant, visit, press):
    page = Page(visit(merchant.redirect()))
    page.hidden["session"] += "x"
    assert press(page, "Approve").status_code == 401
    assert merchant.simulator.intents[0].status == "Created"


def test_an_address_of_an_intent_that_has_ended_says_how(merchant, visit):
    address = merchant.redirect()
    merchant.simulator.approve(merchant.simulator.intents[0].id)
    page = Page(visit(address))
    assert (page.said, page.buttons) == ({"status": "The payment was approved."}, {})


def test_after_the_page_the_buyer_can_be_sent_on(make_merchant):
    merchant = make_merchant(return_url="https://shop.example/thanks")
    page = Page(merchant.session.get(merchant.redirect(), timeout=TIMEOUT))
    data = page.hidden | page.buttons["Approve"]
    answer = merchant.session.post(f"{merchant.url}/{page.action}", data, allow_redirects=False, timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://shop.example/thanks")


@pytest.mark.parametrize("mailbox", ["banned", "sanctioned"])
def test_a_refused_buyer_can_only_leave(merchant, visit, press, mailbox):
    page = Page(visit(merchant.redirect(buyer={"id": "7", "email": f"{mailbox}@example.com"})))
    assert list(page.buttons) == ["Abandon"]
    assert set(page.said) == {"alert"}
    page.buttons["Approve"] = {"action": "approve"}
    assert Page(press(page, "Approve")).said == {"status": "You left without paying."}
    assert merchant.simulator.intents == ()


def test_a_buyer_with_a_known_identity_starts_again(merchant, visit, press):
    body = {"buyer": {"id": "7", "email": "kyc@example.com"}}
    page = Page(visit(merchant.redirect(**body)))
    assert set(page.buttons) == {"Verify identity", "Abandon"}
    page = Page(press(page, "Verify identity"))
    assert page.said == {"status": "You are verified. Please start the payment again."}
    assert merchant.simulator.intents == ()
    assert "Approve" in Page(visit(merchant.redirect(**body))).buttons


def test_with_an_intent_the_payment_goes_on_after_the_identity(merchant, visit, press):
    page = Page(visit(merchant.redirect(buyer={"id": "7", "email": "kyc.intent@example.com"})))
    page.buttons["Approve"] = {"action": "approve"}
    press(page, "Approve")
    assert merchant.simulator.intents[0].status == "Created"
    page = Page(press(page, "Verify identity"))
    press(page, "Approve")
    assert merchant.simulator.intents[0].status == "Approved"


def test_the_address_follows_the_public_url(merchant):
    merchant.simulator.url = "https://forte.example/pay/"
    assert re.match(r"https://forte\.example/pay/[0-9a-f-]{36}\?redirect_token=", merchant.redirect())


def test_the_token_of_one_use_is_good_for_no_other(merchant, visit):
    token = merchant.redirect().partition("redirect_token=")[2]
    answer = merchant("POST", "/payments/v2/intent", payment(), headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
