"""What becomes of openings: the payments that the provider has made for a buyer who came to its page (redirect mode).

An opening whose address has left us (`exposed`) may be paid until the provider says that it is over, or for MAY_BE_PAID
seconds. One whose address never left is nothing that anybody could pay.
"""

from collections.abc import Sequence
from dataclasses import asdict

from bridge.domain.intents import Attempt, AttemptState, PaymentIntent, Status
from bridge.domain.outcomes import Outcome
from bridge.payments.record import LOOK, WAITING, record
from bridge.payments.unresolved import give_up
from bridge.services import Services
from bridge.storage import Connection, journal
from bridge.storage import intents as rows

OPEN = "open"
"""The operation of such an attempt."""
MAY_BE_PAID = 24 * 3600.0
"""Seconds. No provider says how long its page can be paid; a day is longer than any of them is known to wait."""


def payable(attempts: Sequence[Attempt], now: float) -> list[Attempt]:
    """The openings that somebody could still pay, and those that are being made right now; oldest first."""
    return [
        attempt
        for attempt in attempts
        if attempt.operation == OPEN
        and attempt.state is AttemptState.DONE
        and (attempt.busy_until > now or (attempt.exposed and attempt.created > now - MAY_BE_PAID))
    ]


def has_aged(created: Attempt, now: float) -> bool:
    """Whether a create that has made no payment at the provider, as far as it says, is too old to become one."""
    return created.exposed and created.reference is None and created.created <= now - MAY_BE_PAID


def nobody_can_pay(attempts: Sequence[Attempt], now: float) -> bool:
    """Whether no payment of an intent, whose attempts these are, is left at the provider that could be paid."""
    made = [attempt for attempt in attempts if attempt.operation == "create"]
    nothing = all(each.reference is None and (not each.exposed or has_aged(each, now)) for each in made)
    return nothing and not payable(attempts, now)


def heard(services: Services, attempt: Attempt, outcome: Outcome, *, source: str = LOOK) -> PaymentIntent:
    """Write down what the provider says of one opening. That one is over says nothing of the others, nor of the order.

    Raises ProviderConfused for another amount.
    """
    over = outcome.decline is not None or outcome.status is Status.CANCELED
    now = services.clock()
    with services.database.write() as connection:
        intent = rows.get(connection, attempt.intent_id, lock=True)
        known = rows.attempt(connection, attempt.id)
        if outcome.reference and known.reference is None:
            rows.change_attempt(connection, attempt.id, reference=outcome.reference)
        if known.state is AttemptState.UNKNOWN:
            rows.change_attempt(connection, attempt.id, state=AttemptState.DONE)
            rows.change(connection, intent.id, unknown=rows.is_unsettled(connection, intent.id))
        if over and known.state in (AttemptState.DONE, AttemptState.UNKNOWN):
            _end(connection, now, rows.get(connection, intent.id), attempt, outcome)
    if not over:
        intent = record(services, intent.id, outcome, source=source)
        services.wake()
    return intent


def named(connection: Connection, intent_id: str, *names: str | None) -> Attempt | None:
    """The opening of an intent that has one of these as its id or reference."""
    wanted = set(filter(None, names))
    for attempt in rows.attempts_of(connection, intent_id):
        if attempt.operation == OPEN and {attempt.id, attempt.reference} & wanted:
            return attempt
    return None


def _end(connection: Connection, now: float, intent: PaymentIntent, attempt: Attempt, outcome: Outcome) -> None:
    """It was declined or has run out. The payment still waits for the buyer."""
    rows.change_attempt(connection, attempt.id, state=AttemptState.ABANDONED)
    why = outcome.decline.message if outcome.decline else "it has run out"
    journal.write(connection, now, intent.id, "open_ended", attempt_id=attempt.id, why=why)
    may_still_be_paid = payable(rows.attempts_of(connection, intent.id), now)
    if outcome.decline and intent.status in WAITING and not may_still_be_paid:
        error = {"type": "card_error", **asdict(outcome.decline)}
        rows.change(connection, intent.id, status=Status.REQUIRES_PAYMENT_METHOD, last_error=error, updated=now)


def end_unpayable(services: Services, intent: PaymentIntent, why: str) -> PaymentIntent | None:
    """End an intent of which the provider has nothing that could be paid; None if that is not proven."""
    with services.database.write() as connection:
        intent = rows.get(connection, intent.id, lock=True)
        attempts = rows.attempts_of(connection, intent.id)
        if intent.unknown or intent.status not in WAITING or not nobody_can_pay(attempts, services.clock()):
            return None
        return give_up(services, connection, intent, why)
