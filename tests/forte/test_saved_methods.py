"""Saved payment methods at Forte Platforms, charged off session through the bridge's API; case D8."""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.forte.conftest import Shop, makes_a_payment
from tests.plugins.local import INTENTS


def body(shop: Shop, method: str) -> dict[str, Any]:
    local = shop.local
    return {"customer": local.customer, "order_id": local.orders["payable"], "payment_method": method}


def save(shop: Shop, name: str = "pm_card_visa") -> str:
    """A card that the user has saved who pays here."""
    return shop.platform.add_payment_method(shop.local.store.settings["default_user"], name)


def taken(shop: Shop) -> list[int]:
    return [entry.amount for entry in shop.platform.ledger.entries("captured")]


def test_d8_a_create_that_names_a_saved_method_has_paid_the_order(platform: Shop) -> None:
    method = save(platform)
    for _ in range(2):
        answer = platform.local.post(INTENTS, body(platform, method))
        assert (answer.status_code, answer.get_json()["status"]) == (200, "succeeded")
        assert answer.get_json().get("client_secret") is None
        platform.local.work()
    assert platform.local.order()["status"] in ("processing", "completed")
    assert taken(platform) == [1023]


def test_d8_a_decline_leaves_the_order_to_be_paid_again(platform: Shop) -> None:
    declined = platform.local.post(INTENTS, body(platform, save(platform, "pm_card_chargeDeclined")))
    assert declined.status_code == 500
    assert declined.get_json()["data"]["decline_code"] == "card_declined"
    assert platform.local.post(INTENTS, body(platform, save(platform))).get_json()["status"] == "succeeded"
    assert taken(platform) == [1023]


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_chargeDeclined"])
def test_d8_a_lost_answer_is_settled_and_nobody_pays_twice(platform: Shop, card: str) -> None:
    method = save(platform, card)
    platform.faults.next(Fault.DROPPED, match=makes_a_payment)
    unknown = platform.local.post(INTENTS, body(platform, method)).get_json()
    assert unknown["data"]["outcome"] == "unknown"
    for _ in range(4):
        platform.local.clock.advance(1200)
        platform.local.work()
    again = platform.local.post(INTENTS, body(platform, method if card == "pm_card_visa" else save(platform)))
    assert (again.status_code, again.get_json()["status"]) == (200, "succeeded")
    assert taken(platform) == [1023]
