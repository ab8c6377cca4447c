"""A payment from its authorisation to its end, in everybody's books: provider, bridge, shop. They agree to the cent.

For the sandbox and both kinds of charges at Stripe, which capture a payment once; the sandbox also in parts. What
Forte's adapters can do of it is in tests/lifecycle/test_forte_life.py.
"""

from decimal import Decimal
from typing import Any, Literal

import pytest

from tests.lifecycle.conftest import LiveIn
from tests.lifecycle.lives import KINDS, Life
from tests.plugins.local import refusal

ORDERED = ["captured", "authorized"]
REFUNDED_IN_THREE = ["partial_refund"] * 3


@pytest.fixture(params=KINDS)
def life(request: pytest.FixtureRequest, live: LiveIn) -> Life:
    return live(request.param, capture="manual")


@pytest.fixture(params=KINDS)
def life_on(request: pytest.FixtureRequest, live_on: LiveIn, database_url: str) -> Life:
    """The same on both databases, with everything of its own."""
    return live_on(database_url, request.param, capture="manual")


def cents(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def all_books_agree(life: Life, order: int, intent: str) -> dict[str, int]:
    """Holds the books of provider, bridge and shop against each other; the provider's sums."""
    book = life.book(intent)
    back = book.get("refunded", 0) - book.get("refund_failed", 0)
    lost = book.get("disputed", 0) - book.get("dispute_won", 0)
    charge = life.get(f"charges/{life.get(f'payment_intents/{intent}')['charge']['id']}")
    assert (charge["amount_captured"], charge["amount_refunded"]) == (book["captured"], back)
    listed: dict[str, int] = {}
    for line in life.get(f"transactions?order_id={order}")["data"]:
        assert line["order_id"] == order
        listed[line["type"]] = listed.get(line["type"], 0) + line["amount"]
    assert listed.get("charge", 0) == book["captured"]
    assert sum(listed.values()) == book["captured"] - back - lost
    events = life.story(order)["events"]
    refunds = {
        event["detail"]["id"]: event["detail"]
        for event in events
        if event["kind"] == "refund" and event["detail"]["id"]
    }
    assert sum(one["amount"] for one in refunds.values() if one["status"] in ("succeeded", "pending")) == back
    is_lost = charge["dispute"] is not None and charge["dispute"]["status"] == "lost"
    assert sum(map(cents, life.refunds(order))) == back + (lost if is_lost else 0)
    assert [update["state"] for update in life.story(order)["store_updates"]].count("delivered") == len(
        life.story(order)["store_updates"]
    )
    notes = [note for note in life.notes(order) if "Order status changed" not in note]  # which a store may say again
    assert len(set(notes)) == len(notes)
    return book


def authorised_and_captured(life: Life, **capture: Any) -> tuple[int, str]:
    order = life.order()
    created = life.create(order).get_json()
    assert created["status"] == "requires_capture"
    life.work()
    assert life.status(order) == "on-hold"
    assert life.capture(order, created["id"], **capture).get_json() == {"status": "succeeded", "id": created["id"]}
    assert life.status(order) == "processing"
    return order, created["id"]


def refunded_in_three(life: Life, order: int, *amounts: int) -> None:
    for amount in amounts:
        answer = life.refund(order_id=order, amount=amount)
        assert (answer.status_code, answer.get_json()["amount"]) == (200, amount)
        assert life.said(order, answer.get_json()["id"]) == 1


def disputed_and(life: Life, order: int, intent: str, verdict: Literal["won", "lost"]) -> None:
    life.dispute(intent)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("on-hold", 0)
    life.local.clock.advance(60)
    life.decide(intent, verdict)
    life.tell(intent)


def timeline(life: Life, order: int) -> list[str]:
    return [event["type"] for event in life.get(f"timeline/{order}")["data"]]


def test_authorised_captured_refunded_in_three_disputed_and_lost(life_on: Life) -> None:
    life = life_on
    order, intent = authorised_and_captured(life)
    refunded_in_three(life, order, 100, 200, 23)
    disputed_and(life, order, intent, "lost")
    book = all_books_agree(life, order, intent)
    assert (book["captured"], book["refunded"], book["disputed"]) == (1023, 323, 700)
    assert (life.net(intent), life.status(order)) == (0, "refunded")
    assert sorted(life.refunds(order)) == ["0.23", "1.00", "2.00", "7.00"]
    assert timeline(life, order) == ["dispute_lost", "dispute_needs_response", *REFUNDED_IN_THREE, *ORDERED]


def test_authorised_captured_refunded_in_three_disputed_and_won(life: Life) -> None:
    order, intent = authorised_and_captured(life)
    refunded_in_three(life, order, 100, 200, 23)
    disputed_and(life, order, intent, "won")
    book = all_books_agree(life, order, intent)
    assert (book["captured"], book["refunded"], life.net(intent)) == (1023, 323, 700)
    assert (life.status(order), sorted(life.refunds(order))) == ("processing", ["0.23", "1.00", "2.00"])
    assert timeline(life, order) == ["dispute_won", "dispute_needs_response", *REFUNDED_IN_THREE, *ORDERED]


def test_captured_in_two_where_that_is_possible_refunded_in_three_disputed_and_lost(live: LiveIn) -> None:
    life = live("sandbox", capture="manual", settings={"multicapture": "yes"})
    order = life.order()
    intent = life.pay(order)["id"]
    assert life.capture(order, intent, amount=600).get_json() == {"status": "requires_capture", "id": intent}
    assert (life.status(order), life.net(intent)) == ("on-hold", 600)
    assert life.capture(order, intent).get_json() == {"status": "succeeded", "id": intent}
    assert life.status(order) == "processing"
    refunded_in_three(life, order, 100, 200, 23)
    disputed_and(life, order, intent, "lost")
    book = all_books_agree(life, order, intent)
    assert (book["captured"], book["refunded"], book["disputed"]) == (1023, 323, 700)
    assert (life.net(intent), life.status(order)) == (0, "refunded")


def test_captured_in_part_refunded_in_three_and_the_rest_is_the_payers(life: Life) -> None:
    order, intent = authorised_and_captured(life, amount=600)
    refunded_in_three(life, order, 100, 200, 23)
    assert life.refund(order_id=order, amount=278).status_code == 500
    book = all_books_agree(life, order, intent)
    assert (book["captured"], book["refunded"], life.net(intent)) == (600, 323, 277)
    assert book["released"] == 423
    refunded_in_three(life, order, 277)
    assert all_books_agree(life, order, intent)["refunded"] == 600
    assert life.net(intent) == 0


def test_refunded_whole_in_three_an_order_is_refunded(life: Life) -> None:
    order, intent = authorised_and_captured(life)
    refunded_in_three(life, order, 1, 1, 1021)
    assert life.refund(order_id=order, amount=1).status_code == 500
    assert all_books_agree(life, order, intent)["refunded"] == 1023
    assert (life.status(order), life.net(intent)) == ("refunded", 0)


def test_voided_nothing_moves(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    assert life.at("cancel_authorization", order, intent).status_code == 200
    life.work()
    assert life.refund(order_id=order, amount=1).status_code == 500
    assert (life.status(order), life.net(intent), life.refunds(order)) == ("cancelled", 0, [])
    assert life.get(f"transactions?order_id={order}")["data"] == []


def test_a_hold_that_nobody_captures_runs_out_in_every_book(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    if life.kind == "sandbox":
        life.local.clock.advance(7 * 24 * 3600.0)
    else:
        life.stripe.expire(intent)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("failed", 0)
    assert life.get(f"payment_intents/{intent}")["status"] == "canceled"
    assert intent not in [one["payment_intent_id"] for one in life.get("authorizations")["data"]]
    assert timeline(life, order) == ["authorization_expired", "authorized"]
    assert refusal(life.capture(order, intent))[:2] == (409, "wcpay_payment_uncapturable")


@pytest.mark.parametrize("kind", KINDS)
def test_the_mobile_apps_take_a_payment_in_person(live: LiveIn, kind: str) -> None:
    """As Woo's apps do it: customer, token, intent, card, capture with a trailing slash; WooPayments' answers."""
    life = live(kind)
    order = life.order()
    customer = life.at("create_customer", order)
    assert (customer.status_code, list(customer.get_json())) == (200, ["id"])
    assert customer.get_json()["id"].startswith("cus_")
    token = life.local.post("/wp-json/wc/v3/payments/connection_tokens", {})
    assert token.status_code == 200
    assert token.get_json()["secret"].startswith("pst_test_")
    assert token.get_json()["test_mode"] is True
    wanted = {
        "payment_methods": ["card_present"],
        "capture_method": "manual",
        "customer_id": customer.get_json()["id"],
        "metadata": {"paymentintent.storename": "Shop", "paymentintent.orderid": str(order), "reader_ID": "CHB"},
    }
    made = life.at("create_terminal_intent", order, **wanted)
    assert (made.status_code, list(made.get_json())) == (200, ["id"])
    intent = made.get_json()["id"]
    assert life.at("create_terminal_intent", order, **wanted).get_json() == {"id": intent}
    life.work()
    assert life.status(order) == "pending"
    life.present_card(intent)
    assert life.net(intent) == 0
    captured = life.at("capture_terminal_payment/", order, intent)
    assert (captured.status_code, captured.data) == (200, f'{{"status":"succeeded","id":"{intent}"}}'.encode())
    assert life.at("capture_terminal_payment/", order, intent).data == captured.data
    life.work()
    assert all_books_agree(life, order, intent)["captured"] == 1023
    shown = life.shown(order)
    assert (shown["status"], shown["transaction_id"]) == ("completed", intent)
    [line] = life.get(f"transactions?order_id={order}")["data"]
    assert (line["channel"], line["amount"], line["payment_intent_id"]) == ("in_person", 1023, intent)
    life.refund(order_id=order, amount=1023)
    assert (life.net(intent), life.status(order)) == (0, "refunded")
    all_books_agree(life, order, intent)
