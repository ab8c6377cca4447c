"""The routes of an order, and Stripe's side of what they do."""

from typing import Any

from werkzeug.test import TestResponse

from tests.plugins.local import Local

PAYMENTS = "/wp-json/wc/v3/payments"
CAPTURE_FAILED = "Payment capture failed to complete with the following message: "
CANCEL_FAILED = "Payment cancel failed to complete with the following message: "
MISSING = {"code": "wcpay_missing_order", "message": "Order not found"}
REFUNDED = "wcpay_refunded_order_uncapturable"
UNCAPTURABLE, MISMATCH = "wcpay_payment_uncapturable", "wcpay_intent_order_mismatch"
CAPTURES = ("capture_authorization", "capture_terminal_payment")


def at(local: Local, route: str, order: str | int, intent: str | None = None, **more: Any) -> TestResponse:
    order_id = local.orders.get(order, order) if isinstance(order, str) else order
    named = {} if intent is None else {"payment_intent_id": intent}
    return local.post(f"{PAYMENTS}/orders/{order_id}/{route}", named | more)


def authorized(local: Local, order: str = "payable") -> str:
    created = local.create(order).get_json()
    assert created["status"] == "requires_capture"
    local.work()
    return str(created["id"])


def presented(local: Local, order: str | int = "payable", card: str = "pm_card_visa", **wanted: Any) -> str:
    """A terminal intent that a card was held to the reader for."""
    assert local.stripe
    intent = at(local, "create_terminal_intent", order, **wanted).get_json()["id"]
    local.stripe.present_card(intent, card)
    return str(intent)


def taken(local: Local) -> list[int]:
    """What Stripe's own book says was captured."""
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries() if entry.kind == "captured"]


def asked(local: Local, verb: str) -> int:
    """How often Stripe was asked to do it."""
    assert local.stripe
    return sum(record.method == "POST" and record.path.endswith(f"/{verb}") for record in local.stripe.requests)


def hint(local: Local, intent: str) -> None:
    """Let the bridge look at a payment now."""
    body = {"type": "payment_intent.amount_capturable_updated", "data": {"object": {"id": intent}}}
    assert local.post(f"{PAYMENTS}/webhook", body).status_code == 200
