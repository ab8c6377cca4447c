"""Buyers whom Forte Payments refuses or asks for more: answers carry it, orders stay payable, nothing hangs."""

import json
from base64 import b64decode
from typing import Any

import pytest

from bridge.payments.checkout_attempts import PAYABLE_SECONDS
from tests.forte.conftest import Shop, edit_order, hear, story
from tests.web.conftest import CLIENT_SECRET

CREDENTIALS = {"client_id": "shop-7", "client_secret": CLIENT_SECRET}
REFUSED = [("banned@example.com", "ERR01"), ("sanctioned@example.com", "ERR03"), ("kyc@example.com", "ERR06")]
WALLET = {
    "_forte_wallet_address": "0x52908400098527886E0F7030069857D2E4169dead",
    "_forte_wallet_blockchain": "ethereum",
}


def sell_to(shop: Shop, email: str = "", meta: dict[str, str] | None = None) -> dict[str, Any]:
    changes: dict[str, Any] = {"meta": meta} if meta else {}
    if email:
        changes["billing"] = {"email": email}
    shop.local.shop.update_order(shop.local.orders["virtual"], **changes)
    return shop.create()


def identify(shop: Shop, created: dict[str, Any]) -> None:
    """The buyer proves in the widget who they are."""
    token = json.loads(b64decode(created["provider_data"]["data"]["widget_data"]))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert shop.session.post(f"{shop.provider}/widget/v1/identity", headers=headers, timeout=10).status_code == 200


@pytest.mark.parametrize(("email", "code"), REFUSED)
def test_25_28_31_what_stands_against_a_buyer_is_carried_and_never_raised(widget: Shop, email: str, code: str) -> None:
    created = sell_to(widget, email)
    assert created["status"] == "requires_action"
    assert created["next_action"]["forte_widget"]["data"]["error_code"] == code
    assert created["provider_data"]["error_code"] == code
    assert (created["last_payment_error"]["type"], created["last_payment_error"]["code"]) == ("forte_error", code)
    assert "outcome" not in created
    assert "charge" not in created
    assert widget.show(created["id"])["last_payment_error"]["code"] == code
    assert widget.forte.intents == ()
    assert widget.status() == "pending"


def test_28_31_a_flagged_wallet_is_carried_out_of_the_orders_meta(widget: Shop) -> None:
    created = sell_to(widget, meta=WALLET)
    assert created["last_payment_error"]["code"] == "ERR15"
    [sent] = widget.door.to("/payments/v2/intent")
    assert sent.body["buyer"]["wallet"] == {"address": WALLET["_forte_wallet_address"], "blockchain": "ethereum"}
    assert sent.body["buyer"]["email"]
    assert widget.status() == "pending"


def test_30_who_has_to_be_identified_keeps_the_intent_and_can_pay(widget: Shop) -> None:
    created = sell_to(widget, "kyc.intent@example.com")
    assert (created["status"], created["last_payment_error"]["code"]) == ("requires_action", "ERR06")
    [intent] = widget.forte.intents
    widget.forte.approve(intent.id)
    hear(widget)
    shown = widget.show(created["id"])
    assert shown["status"] == "succeeded"
    assert "last_payment_error" not in shown
    assert widget.status() == "processing"


def test_30_a_buyer_who_was_identified_gets_the_intent_with_the_next_create(widget: Shop) -> None:
    created = sell_to(widget, "kyc@example.com")
    identify(widget, created)
    again = widget.create()
    assert again["id"] == created["id"]
    assert again["provider_data"]["error_code"] is None
    first, second = widget.door.to("/payments/v2/intent")
    assert first.content == second.content
    [intent] = widget.forte.intents
    widget.forte.approve(intent.id)
    hear(widget)
    assert widget.status() == "processing"


@pytest.mark.parametrize(("email", "code"), REFUSED)
def test_31_a_create_without_an_intent_ages_out_and_is_not_looked_at_for_ever(
    widget: Shop, email: str, code: str
) -> None:
    created = sell_to(widget, email)
    asked = len(widget.door.sent)
    for _ in range(3):
        widget.local.clock.advance(PAYABLE_SECONDS / 4)
        widget.local.work()
    assert widget.show(created["id"])["status"] == "requires_action"
    widget.local.clock.advance(PAYABLE_SECONDS / 4)
    widget.local.work()
    ended = widget.show(created["id"])
    assert (ended["status"], ended["last_payment_error"]["code"]) == ("canceled", code)
    assert len(widget.door.sent) == asked
    widget.local.clock.advance(30 * PAYABLE_SECONDS)
    widget.local.work()
    assert len(widget.door.sent) == asked
    assert "given_up" in {event["kind"] for event in story(widget, created["id"])["events"]}
    assert widget.status() == "pending"
    assert sell_to(widget, "ann@example.com")["id"] != created["id"]


def test_25_money_that_comes_after_all_is_flagged_and_not_lost(widget: Shop) -> None:
    created = sell_to(widget, "kyc@example.com")
    [sent] = widget.door.to("/payments/v2/intent")
    identify(widget, created)
    widget.local.clock.advance(PAYABLE_SECONDS)
    widget.local.work()
    headers = {"Accept": "application/json"}
    tokens = f"{widget.provider}/auth/v1/oauth2/tokens"
    token = widget.session.post(tokens, json=CREDENTIALS, headers=headers, timeout=10).json()["data"]["access_token"]
    headers["Authorization"] = f"Bearer {token}"
    widget.session.post(f"{widget.provider}/payments/v2/intent", json=sent.body, headers=headers, timeout=10)
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    assert "succeeded" in story(widget, created["id"])["flag"]
    assert widget.status() == "pending"


def test_the_same_create_again_gives_the_widget_its_data_again(widget: Shop) -> None:
    created = sell_to(widget, "ann@example.com")
    again = widget.create()
    assert again["provider_data"] == created["provider_data"]
    assert again["next_action"] == created["next_action"]
    assert len(widget.door.to("/payments/v2/intent")) == 1
    assert "provider_data" not in widget.show(created["id"])


def test_the_kind_of_the_payment_is_forte(widget: Shop) -> None:
    created = widget.create()
    assert widget.show(created["id"])["payment_method_types"] == ["forte"]
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    assert widget.show(created["id"])["payment_method_types"] == ["forte"]


def test_23_an_order_that_is_shipped_free_of_charge_is_refused(widget: Shop) -> None:
    edit_order(widget, shipping_lines=[{"method_id": "free_shipping", "method_title": "Free", "total": "0.00"}])
    answer = widget.local.create("virtual")
    assert answer.status_code == 500
    assert answer.json["data"]["reason"] == "physical_goods"
    assert widget.door.sent == []
