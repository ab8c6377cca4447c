"""The story of a payment, for people and for programs."""

from dataclasses import asdict
from typing import Any

from bridge.domain.errors import Refused
from bridge.domain.intents import Attempt, PaymentIntent
from bridge.domain.money import Money
from bridge.payments.unresolved import NEVER_DUE
from bridge.services import Services
from bridge.storage import Connection, intents, journal, outbox, refunds, reports, shops


def why(services: Services, name: str) -> list[dict[str, Any]]:
    """Everything that is known about an order (by its id or number) or an intent (by any of its ids), one dict per
    intent, oldest first.

    Raises Refused if there is nothing.
    """
    with services.database.read() as connection:
        found = intents.named(connection, name)
        stories = [
            _story(
                intent,
                intents.unsettled(connection, intent.id),
                journal.read(connection, intent.id),
                outbox.of_intent(connection, intent.id),
            )
            | _money(connection, intent)
            | {"other_entries": shops.beside(connection, [intent.store_id]).get(intent.store_id, [])}
            for intent in found
        ]
    if not stories:
        raise Refused(f"There is no payment for {name}.")
    return stories


def _story(
    intent: PaymentIntent, unsettled: Attempt | None, events: list[dict[str, Any]], updates: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "payment_intent": intent.shown_id,
        "store": intent.store_id,
        "provider": intent.adapter,
        "live": intent.live,
        "order": {"id": intent.order_id, "number": intent.order_number},
        "amount": intent.amount,
        "currency": intent.currency,
        "money": str(Money(intent.amount, intent.currency)),
        "channel": intent.channel,
        "customer": intent.customer,
        "payment_method": intent.payment_method,
        "status": intent.status.value,
        "outcome": "unknown" if intent.unknown else "known",
        "unsettled": _unsettled(unsettled) if unsettled else None,
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


def _money(connection: Connection, intent: PaymentIntent) -> dict[str, Any]:
    """What was taken, refunded and disputed, in minor units."""
    made = refunds.of_intent(connection, intent.id)
    told = ("id", "amount", "status", "reason", "failure", "created")
    return {
        "captured": intent.charge.amount_captured if intent.charge else 0,
        "refunded": sum(refund.amount for refund in made if refund.status.counts),
        "refunds": [{name: asdict(refund)[name] for name in told} for refund in made],
        "disputes": [asdict(dispute) for dispute in reports.disputes_of(connection, intent.id)],
    }


def _unsettled(attempt: Attempt) -> dict[str, Any]:
    """What is not known, since when, and when the provider is asked next (None: the bridge has stopped asking)."""
    return {
        "attempt_id": attempt.id,
        "operation": attempt.operation,
        "sent_at": attempt.sent_at,
        "checks": attempt.checks,
        "next_check_at": attempt.next_check_at if attempt.next_check_at < NEVER_DUE else None,
    }
