"""What becomes of openings: the payments that the provider has made for a buyer who came to its page (redirect mode).

An opening whose address has left us (`exposed`) may be paid until the provider says that it is over, or for
PAYABLE_SECONDS. Nobody can pay one whose address never left.
"""

from collections.abc import Sequence
from dataclasses import asdict

from bridge.domain.deadlines import DAY
from bridge.domain.intents import Attempt, AttemptState, JournalKind, Operation, PaymentIntent, Status
from bridge.domain.outcomes import Outcome
from bridge.payments.record import SOURCE_POLL, WAITING, record
from bridge.payments.unresolved import cancel_unpayable
from bridge.services import Services
from bridge.storage import Connection, intents, journal

PAYABLE_SECONDS = DAY
"""Seconds. No provider says how long its page can be paid; a day is longer than any of them is known to wait."""


def payable_attempts(attempts: Sequence[Attempt], now: float) -> list[Attempt]:
    """The openings that can still be paid, and those that are being made right now; oldest first."""
    return [
        attempt
        for attempt in attempts
        if attempt.operation == Operation.OPEN
        and attempt.state is AttemptState.DONE
        and (attempt.busy_until > now or (attempt.exposed and attempt.created > now - PAYABLE_SECONDS))
    ]


def has_aged(created: Attempt, now: float) -> bool:
    """Whether a create that has made no payment at the provider, as far as it says, is too old to become one."""
    return created.exposed and created.reference is None and created.created <= now - PAYABLE_SECONDS


def nobody_can_pay(attempts: Sequence[Attempt], now: float) -> bool:
    """Whether no payment of an intent, whose attempts these are, is left at the provider that could be paid."""
    made = [attempt for attempt in attempts if attempt.operation == Operation.CREATE]
    nothing = all(each.reference is None and (not each.exposed or has_aged(each, now)) for each in made)
    return nothing and not payable_attempts(attempts, now)


def record_checkout(
    services: Services, attempt: Attempt, outcome: Outcome, *, source: str = SOURCE_POLL
) -> PaymentIntent:
    """Record what the provider says about one opening. If one is over, that says nothing about the others, nor about
    the order.

    Raises ProviderConfused for another amount.
    """
    over = outcome.decline is not None or outcome.status is Status.CANCELED
    now = services.clock()
    with services.database.write() as connection:
        intent = intents.get(connection, attempt.intent_id, lock=True)
        known = intents.attempt(connection, attempt.id)
        if outcome.reference and known.reference is None:
            intents.change_attempt(connection, attempt.id, reference=outcome.reference)
        if known.state is AttemptState.UNKNOWN:
            intents.change_attempt(connection, attempt.id, state=AttemptState.DONE)
            intents.change(connection, intent.id, unknown=intents.is_unsettled(connection, intent.id))
        if over and known.state in (AttemptState.DONE, AttemptState.UNKNOWN):
            _end(connection, now, intents.get(connection, intent.id), attempt, outcome)
    if not over:
        intent = record(services, intent.id, outcome, source=source)
        services.wake()
    return intent


def find_checkout(connection: Connection, intent_id: str, *names: str | None) -> Attempt | None:
    """The opening of an intent that has one of these as its id or reference."""
    wanted = set(filter(None, names))
    for attempt in intents.attempts_of(connection, intent_id):
        if attempt.operation == Operation.OPEN and {attempt.id, attempt.reference} & wanted:
            return attempt
    return None


def _end(connection: Connection, now: float, intent: PaymentIntent, attempt: Attempt, outcome: Outcome) -> None:
    """It was declined or has run out. The payment still waits for the buyer."""
    intents.change_attempt(connection, attempt.id, state=AttemptState.ABANDONED)
    why = outcome.decline.message if outcome.decline else "it has run out"
    journal.write(connection, now, intent.id, JournalKind.OPEN_ENDED, attempt_id=attempt.id, why=why)
    may_still_be_paid = payable_attempts(intents.attempts_of(connection, intent.id), now)
    if outcome.decline and intent.status in WAITING and not may_still_be_paid:
        error = {"type": "card_error", **asdict(outcome.decline)}
        intents.change(connection, intent.id, status=Status.REQUIRES_PAYMENT_METHOD, last_error=error, updated=now)


def cancel_if_unpayable(services: Services, intent: PaymentIntent, why: str) -> PaymentIntent | None:
    """End an intent of which the provider has nothing that could be paid; None if that is not proven."""
    with services.database.write() as connection:
        intent = intents.get(connection, intent.id, lock=True)
        attempts = intents.attempts_of(connection, intent.id)
        if intent.unknown or intent.status not in WAITING or not nobody_can_pay(attempts, services.clock()):
            return None
        return cancel_unpayable(services, connection, intent, why)
