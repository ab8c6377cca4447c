"""The story of a payment, for people and for programs."""

from typing import Any

from bridge.domain.errors import Refused
from bridge.domain.intents import PaymentIntent
from bridge.domain.money import Money
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import journal, outbox


def why(services: Services, name: str) -> list[dict[str, Any]]:
    """Everything known about an order (by its id) or an intent (by any of its ids), one dict per intent, oldest first.

    Raises Refused if there is nothing.
    """
    with services.database.read() as connection:
        found = rows.everywhere(connection, name)
        if not found and name.isdecimal() and len(name) < 19:
            found = rows.of_order(connection, int(name))
        stories = [
            _story(intent, journal.read(connection, intent.id), outbox.of_intent(connection, intent.id))
            for intent in found
        ]
    if not stories:
        raise Refused(f"There is no payment for {name}.")
    return stories


def _story(intent: PaymentIntent, events: list[dict[str, Any]], updates: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "payment_intent": intent.shown_id,
        "store": intent.store_id,
        "provider": intent.adapter,
        "live": intent.live,
        "order": {"id": intent.order_id, "number": intent.order_number},
        "amount": intent.amount,
        "currency": intent.currency,
        "money": str(Money(intent.amount, intent.currency)),
        "customer": intent.customer,
        "payment_method": intent.payment_method,
        "status": intent.status.value,
        "outcome": "unknown" if intent.unknown else "known",
        "holds_order": intent.holding,
        "charge": intent.charge.id if intent.charge else None,
        "last_payment_error": intent.last_error,
        "flag": intent.flag or None,
        "events": events,
        "store_updates": [
            {
                "id": update["id"],
                "kind": update["payload"]["kind"],
                "state": update["state"],
                "tries": update["tries"],
                "last_error": update["last_error"] or None,
                "delivered": update["delivered"],
            }
            for update in updates
        ],
    }
