"""Write down what a provider said.

Attempt, intent, charge, journal and what the store must hear of it, in one transaction.
"""

from dataclasses import asdict, replace
from typing import Any

from bridge.domain.errors import ProviderConfused
from bridge.domain.intents import UNSETTLED, Attempt, AttemptState, PaymentIntent, Status, may_become
from bridge.domain.money import Money
from bridge.domain.orders import OrderUpdate, UpdateKind
from bridge.domain.outcomes import Outcome
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import journal, outbox

CHECK_DELAYS = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds between looks at an unknown outcome; the last one repeats."""
PATIENCE = 24 * 3600.0
"""Seconds after which an unknown outcome is flagged for a person. It stays unknown, and is still looked at."""

_NOTES = {
    Status.REQUIRES_CAPTURE: (UpdateKind.AUTHORIZED, "A payment of {money} was authorized using {title} ({id})."),
    Status.PROCESSING: (UpdateKind.AUTHORIZED, "A payment of {money} was authorized using {title} ({id})."),
    Status.REQUIRES_ACTION: (UpdateKind.STARTED, "A payment of {money} was started using {title} ({id})."),
    Status.REQUIRES_CONFIRMATION: (UpdateKind.STARTED, "A payment of {money} was started using {title} ({id})."),
    Status.SUCCEEDED: (UpdateKind.PAID, "A payment of {money} was successfully charged using {title} ({id})."),
}
_MONEY = frozenset({Status.SUCCEEDED, Status.REQUIRES_CAPTURE})
_FAILED = (UpdateKind.NOTE, "A payment of {money} failed using {title} ({id}). {reason}")


def record(services: Services, attempt: Attempt, outcome: Outcome) -> PaymentIntent:
    """Record an answer; a second one for the same state changes nothing. Raises ProviderConfused for another amount."""
    now = services.clock()
    title = services.connections.store(attempt.store_id).options["payment_method_title"]
    with services.database.write() as connection:
        before = rows.get(connection, attempt.intent_id, lock=True)
        if (outcome.amount, outcome.currency.upper()) != (before.amount, before.currency):
            raise ProviderConfused("The payment provider's answer is about another amount.")
        first = attempt.operation == "create" and rows.attempt(connection, attempt.id).state in UNSETTLED
        rows.change_attempt(
            connection, attempt.id, state=AttemptState.DONE, reference=outcome.reference, busy_until=0.0
        )
        changes = _changes(services, before, outcome, first) | {"updated": now}
        changes["unknown"] = not first and rows.is_unsettled(connection, before.id)
        rows.change(connection, before.id, **changes)
        if outcome.charge:
            rows.put_charge(connection, before, outcome.charge)
        after = replace(before, **changes, charge=outcome.charge or before.charge)
        if first or after.status is not before.status:
            _write_journal(connection, now, before.id, attempt, outcome)
            declined = first and outcome.decline is not None
            if update := _order_update(services.ids.attempt(), title, after, declined):
                outbox.add(connection, now, after.store_id, after.id, update)
    return after


def _changes(services: Services, before: PaymentIntent, outcome: Outcome, first: bool) -> dict[str, Any]:
    """What the answer changes about the intent. `first` is the first answer to its create."""
    status = outcome.status if may_become(before.status, outcome.status) else before.status
    changes: dict[str, Any] = {"status": status, "holding": status is not Status.CANCELED}
    if first:
        changes["public_id"] = outcome.public_id or services.ids.public("pi_")
        changes["payment_method"] = outcome.payment_method or before.payment_method
        changes["created"] = outcome.created or before.created
    if before.status is Status.CANCELED and outcome.status in _MONEY:
        changes["flag"] = f"The provider reports {outcome.status.value} for a payment that was taken as canceled."
    if outcome.decline:
        changes["last_error"] = {"type": "card_error", **asdict(outcome.decline)}
    return changes


def mark_unknown(services: Services, attempt: Attempt, why: str) -> None:
    """No usable answer: the order stays held, and the worker will ask."""
    now = services.clock()
    with services.database.write() as connection:
        rows.change_attempt(
            connection,
            attempt.id,
            state=AttemptState.UNKNOWN,
            busy_until=0.0,
            next_check_at=now + _delay(attempt),
            checks=attempt.checks + 1,
        )
        rows.change(connection, attempt.intent_id, unknown=True, updated=now)
        journal.write(connection, now, attempt.intent_id, "outcome_unknown", attempt_id=attempt.id, why=why)


def postpone(services: Services, attempt: Attempt, flag: str = "") -> None:
    """Look again later; flag it for a person when it takes too long."""
    now = services.clock()
    if not flag and now - attempt.sent_at > PATIENCE:
        flag = "The outcome of this payment is unknown for more than a day."
    with services.database.write() as connection:
        rows.change_attempt(
            connection,
            attempt.id,
            state=AttemptState.UNKNOWN,
            busy_until=0.0,
            next_check_at=now + _delay(attempt),
            checks=attempt.checks + 1,
        )
        if flag and rows.get(connection, attempt.intent_id, lock=True).flag != flag:
            rows.change(connection, attempt.intent_id, flag=flag, updated=now)
            journal.write(connection, now, attempt.intent_id, "flagged", attempt_id=attempt.id, why=flag)


def abandon(services: Services, attempt: Attempt, reason: str, why: str) -> None:
    """It is proven that the attempt came to nothing: the order is free again."""
    now = services.clock()
    with services.database.write() as connection:
        intent = rows.get(connection, attempt.intent_id, lock=True)
        rows.change_attempt(connection, attempt.id, state=AttemptState.ABANDONED, busy_until=0.0)
        error = {"type": reason, "code": reason, "message": why}
        rows.change(
            connection,
            intent.id,
            status=Status.CANCELED,
            holding=False,
            unknown=False,
            last_error=intent.last_error or error,
            updated=now,
        )
        journal.write(connection, now, intent.id, "abandoned", attempt_id=attempt.id, reason=reason, why=why)


def _delay(attempt: Attempt) -> float:
    return CHECK_DELAYS[min(attempt.checks, len(CHECK_DELAYS) - 1)]


def _write_journal(connection: Any, now: float, intent_id: str, attempt: Attempt, outcome: Outcome) -> None:
    detail: dict[str, Any] = {"status": outcome.status, "reference": outcome.reference}
    if outcome.charge:
        detail["charge"] = outcome.charge.id
    if outcome.decline:
        detail |= asdict(outcome.decline)
    journal.write(connection, now, intent_id, f"{attempt.operation}_answered", attempt_id=attempt.id, **detail)


def _order_update(operation_id: str, title: str, intent: PaymentIntent, declined: bool) -> OrderUpdate | None:
    kind_and_note = _FAILED if declined else _NOTES.get(intent.status)
    if kind_and_note is None:
        return None
    kind, note = kind_and_note
    return OrderUpdate(
        operation_id=operation_id,
        kind=kind,
        order_id=intent.order_id,
        order_key=intent.order_key,
        amount=intent.amount,
        currency=intent.currency,
        transaction_id=intent.shown_id,
        meta=_meta(intent) if kind in (UpdateKind.PAID, UpdateKind.AUTHORIZED) else {},
        note=note.format(
            money=Money(intent.amount, intent.currency),
            title=title,
            id=intent.shown_id,
            reason=(intent.last_error or {}).get("message", ""),
        ).strip(),
        read_at=intent.order_read,
    )


def _meta(intent: PaymentIntent) -> dict[str, str]:
    """WooPayments' order meta."""
    meta = {
        "_intent_id": intent.shown_id,
        "_charge_id": intent.charge.id if intent.charge else "",
        "_payment_method_id": intent.payment_method,
        "_intention_status": intent.status.value,
        "_stripe_customer_id": intent.customer,
        "_wcpay_intent_currency": intent.currency.lower(),
        "_wcpay_mode": "prod" if intent.live else "test",
    }
    if intent.charge and intent.charge.balance_transaction:
        meta["_wcpay_payment_transaction_id"] = intent.charge.balance_transaction
    if intent.charge and intent.charge.application_fee_amount:
        fee = Money(intent.charge.application_fee_amount, intent.currency)
        meta["_wcpay_transaction_fee"] = str(fee.decimal)
    return {key: value for key, value in meta.items() if value}
