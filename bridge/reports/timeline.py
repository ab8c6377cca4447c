"""The timeline of a payment, from its journal, in the words of WooPayments' own timeline.

What that has no word for (unknown outcomes, deliveries, flags) is told by `bridge.operations.why`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.domain.errors import IntentNotFound
from bridge.domain.intents import PaymentIntent, RefundStatus, Status
from bridge.domain.orders import is_order_id
from bridge.services import StoreHandle
from bridge.storage import intents, journal, reports

Json = dict[str, Any]

STARTED = frozenset(
    {Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION, Status.PROCESSING}
)
DISPUTES = {
    "needs_response": "dispute_needs_response",
    "warning_needs_response": "dispute_needs_response",
    "under_review": "dispute_in_review",
    "warning_under_review": "dispute_in_review",
    "won": "dispute_won",
    "lost": "dispute_lost",
    "warning_closed": "dispute_warning_closed",
}
"""By Stripe's word for a dispute's status."""


def timeline(store: StoreHandle, name: str) -> list[Json]:
    """What happened to an intent (by any of its ids) or to all intents of an order (by its id), newest first.

    Raises IntentNotFound.
    """
    with store.database.read() as connection:
        intent = intents.find(connection, store.id, name)
        order = [] if intent or not is_order_id(name) else reports.intents_of_order(connection, store.id, int(name))
        names = [intent.id] if intent else order
        stories = [(intents.get(connection, each), journal.read(connection, each)) for each in names]
    if not stories:
        raise IntentNotFound(f"No such payment_intent: '{name}'", id=name)
    events = [event for of_intent, lines in stories for event in _events(of_intent, lines)]
    return sorted(events, key=lambda event: event["datetime"])[::-1]


def _events(intent: PaymentIntent, lines: list[Json]) -> Iterator[Json]:
    """Oldest first."""
    payment = _Payment(intent).tell
    tellers = {"refund": _Refunds(intent).tell, "dispute": _Disputes().tell, "news": payment}
    for line in lines:
        tell = payment if line["kind"].endswith("_answered") else tellers.get(line["kind"])
        if tell and (told := tell(line["detail"])):
            yield {"type": told.pop("type"), "datetime": int(line["at"]), "currency": intent.currency} | told


class _Payment:
    """Changes of the payment itself."""

    def __init__(self, intent: PaymentIntent) -> None:
        self._intent = intent
        self._before: Status | None = None

    def tell(self, detail: Mapping[str, Any]) -> Json | None:
        status, before = Status.of(detail.get("status", "")), self._before
        self._before = status
        amount = self._intent.amount
        if "decline_code" in detail and status is not Status.CANCELED:
            return {"type": "failed", "amount": amount, "reason": detail.get("code")}
        if status is before:
            return None
        if status is Status.SUCCEEDED:
            return self._captured()
        if status is Status.REQUIRES_CAPTURE:
            return {"type": "authorized", "amount": amount}
        if status is Status.CANCELED and before is Status.REQUIRES_CAPTURE:
            return {"type": f"authorization_{'expired' if detail.get('expired') else 'voided'}", "amount": amount}
        return {"type": "started"} if status in STARTED and before not in STARTED else None

    def _captured(self) -> Json:
        charge, currency, amount = self._intent.charge, self._intent.currency, self._intent.amount
        captured = charge.amount_captured if charge else amount
        fee = (charge.application_fee_amount if charge else None) or 0
        sides = {
            f"{side}_{name}": value
            for side in ("customer", "store")
            for name, value in (
                ("currency", currency),
                ("amount", amount),
                ("amount_captured", captured),
                ("fee", fee),
            )
        }
        return {
            "type": "captured",
            "amount": amount,
            "amount_captured": captured,
            "fee": fee,
            "deposit": None,
            "transaction_details": sides,
        }


class _Refunds:
    """Each refund when its money went, and when it came back."""

    def __init__(self, intent: PaymentIntent) -> None:
        charge = intent.charge
        self._captured = charge.amount_captured if charge else intent.amount
        self._gone: dict[str, int] = {}

    def tell(self, detail: Mapping[str, Any]) -> Json | None:
        name, amount = detail["operation_id"], detail["amount"]
        if RefundStatus(detail["status"]).counts:
            if name in self._gone:
                return None
            self._gone[name] = amount
            kind = "full_refund" if sum(self._gone.values()) >= self._captured else "partial_refund"
            return {"type": kind, "amount_refunded": amount, "deposit": None}
        self._gone.pop(name, None)
        return {"type": "refund_failed", "amount_refunded": amount, "failure_reason": detail["failure"] or "unknown"}


class _Disputes:
    """Each dispute when its status changed to one that has a word."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def tell(self, detail: Mapping[str, Any]) -> Json | None:
        name, status = detail["id"], detail["status"]
        kind = DISPUTES.get(status)
        if kind is None or self._seen.get(name) == kind:
            return None
        self._seen[name] = kind
        asked_only = status.startswith("warning_")
        told = {"type": kind, "amount": None if asked_only else detail["amount"], "fee": None if asked_only else 0}
        told |= {"deposit": None, "dispute_id": name, "reason": detail["reason"]}
        told |= {"currency": detail["currency"]} if detail.get("currency") else {}
        return told | ({"evidence_due_by": detail["due_by"]} if kind == "dispute_needs_response" else {})
