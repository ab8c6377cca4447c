"""Payments in front of the door, and a look at the lists that they end up in."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bridge.adapters.sandbox import SandboxAdapter
from bridge.registry import stores
from tests.http.conftest import BILLING, Door
from tests.plugins.clock import START

PAYMENTS = "/wp-json/wc/v3/payments"
DAY = 86400.0


def capture_by_hand(door: Door) -> None:
    door.clock.advance(10)
    stores.update(door.bridge.services, replace(door.store, capture="manual"), (), {})


def pay(door: Door, order: int, **changes: Any) -> dict[str, Any]:
    body = {"order_id": order, "payment_method": changes.pop("payment_method", "pm_card_visa")}
    door.shelf.put(order, **changes)
    answer = door.create(body=body)
    assert answer.status_code == 200, answer.json
    door.clock.advance(60)
    return dict(answer.json)


def listed(door: Door, path: str) -> list[dict[str, Any]]:
    answer = door.get(f"{PAYMENTS}/{path}")
    assert answer.status_code == 200, answer.json
    assert list(answer.json) == ["data"]
    return list(answer.json["data"])


def pages(door: Door, path: str, size: int) -> Iterator[list[dict[str, Any]]]:
    number = 1
    joint = "&" if "?" in path else "?"
    while page := listed(door, f"{path}{joint}page={number}&pagesize={size}"):
        yield page
        number += 1


def sandbox(door: Door) -> SandboxAdapter:
    adapter = door.bridge.services.stores.adapter(door.store)
    assert isinstance(adapter, SandboxAdapter)
    return adapter


def look(door: Door, intent: str) -> None:
    body = {"type": "charge.updated", "data": {"object": {"payment_intent": intent}}}
    assert door.post(f"{PAYMENTS}/webhook", json=body).json == {"result": "success"}


def fill(door: Door) -> Door:
    """Four payments a day apart, of several people in several currencies; the first was sent back in part."""
    jane = {"first_name": "Jane", "last_name": "Roe", "email": "jane_roe@example.com", "country": "CA"}
    pay(door, 20, total="10.00")
    door.clock.now = START + DAY
    pay(door, 21, total="20.00", billing=BILLING.__class__(**jane))
    door.clock.now = START + 2 * DAY
    pay(door, 22, total="500", currency="JPY")
    door.clock.now = START + 3 * DAY
    pay(door, 23, total="6.00", number="A-23")
    assert door.post(f"{PAYMENTS}/refund", json={"order_id": 20, "amount": 100}).status_code == 200
    return door
