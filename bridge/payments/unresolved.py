"""What is recorded when there is no usable answer, and when it is proven that nothing happened."""

from bridge.domain.deadlines import DAY
from bridge.domain.intents import Attempt, AttemptState, JournalKind, Operation, PaymentIntent, RefundStatus, Status
from bridge.payments import flags
from bridge.services import Services
from bridge.storage import Connection, intents, journal, refunds

POLL_DELAYS = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds between looks at an unknown outcome, plus up to a tenth; the last one repeats until POLL_END_SECONDS is
over."""
FLAG_AFTER_SECONDS = DAY
"""Seconds after which an unknown outcome is flagged for an operator. It stays unknown, and is looked at once a day."""
POLL_END_SECONDS = 30 * DAY
"""Seconds after which the bridge stops asking: a message from the provider, or an operator, has to settle it."""
NEVER_DUE = float("inf")
UNKNOWN_TOO_LONG = "The outcome of this payment is unknown for more than a day."
CANNOT_ASK = "The provider cannot be asked what became of this payment."
UNKNOWN_FLAGS = frozenset({UNKNOWN_TOO_LONG, CANNOT_ASK})
"""What an operator no longer has to look at once the outcome is known."""


def mark_unknown(services: Services, attempt: Attempt, why: str) -> None:
    """No usable answer: the order stays held, and the worker will ask."""
    now = services.clock()
    with services.database.write() as connection:
        _look_again(services, connection, attempt)
        intents.change(connection, attempt.intent_id, unknown=True, updated=now)
        journal.write(connection, now, attempt.intent_id, JournalKind.OUTCOME_UNKNOWN, attempt_id=attempt.id, why=why)


def postpone(services: Services, attempt: Attempt, flag: str = "") -> None:
    """Look again later; flag it for an operator when it takes too long."""
    now = services.clock()
    if not flag and now - attempt.sent_at > FLAG_AFTER_SECONDS:
        flag = UNKNOWN_TOO_LONG
    with services.database.write() as connection:
        _look_again(services, connection, attempt)
        if flag:
            flags.put(connection, attempt.intent_id, flag, now)


def abandon(services: Services, attempt: Attempt, reason: str, why: str, reference: str | None = None) -> None:
    """It is proven that the attempt came to nothing, or that nobody can pay what it made (`reference`).

    A create frees its order, a refund its amount; everything else stays as it was.
    """
    now = services.clock()
    with services.database.write() as connection:
        intent = intents.get(connection, attempt.intent_id, lock=True)
        intents.change_attempt(connection, attempt.id, state=AttemptState.ABANDONED, busy_until=0.0)
        if reference:
            intents.change_attempt(connection, attempt.id, reference=reference, exposed=False)
        changes: dict[str, object] = {"unknown": intents.is_unsettled(connection, intent.id), "updated": now}
        if intent.flag in UNKNOWN_FLAGS and not changes["unknown"]:
            changes["flag"] = ""
        if attempt.operation == Operation.CREATE:
            error = {"type": reason, "code": reason, "message": why}
            changes |= {"status": Status.CANCELED, "holding": False, "last_error": intent.last_error or error}
        if attempt.operation == Operation.REFUND:
            refunds.change(connection, attempt.id, status=RefundStatus.FAILED, failure=why)
        intents.change(connection, intent.id, **changes)
        journal.write(
            connection,
            now,
            intent.id,
            JournalKind.ABANDONED,
            attempt_id=attempt.id,
            operation=attempt.operation,
            why=why,
        )


def cancel_unpayable(services: Services, connection: Connection, intent: PaymentIntent, why: str) -> PaymentIntent:
    """End an intent, locked by this transaction, that nobody can pay. Its order is free."""
    now = services.clock()
    changes = {"status": Status.CANCELED, "holding": False, "look_at": None, "updated": now}
    intents.change(connection, intent.id, **changes)
    intents.forget_material(connection, intent.id)
    journal.write(connection, now, intent.id, JournalKind.GIVEN_UP, why=why)
    return intents.get(connection, intent.id)


def flag_intent(services: Services, intent_id: str, flag: str) -> PaymentIntent:
    """An operator has to look at it; the bridge has stopped asking."""
    now = services.clock()
    with services.database.write() as connection:
        flags.put(connection, intent_id, flag, now)
        intents.change(connection, intent_id, look_at=None, updated=now)
        return intents.get(connection, intent_id)


def _look_again(services: Services, connection: Connection, attempt: Attempt) -> None:
    now = services.clock()
    delay = POLL_DELAYS[min(attempt.checks, len(POLL_DELAYS) - 1)]
    if now - attempt.sent_at > FLAG_AFTER_SECONDS:
        delay = DAY if now - attempt.sent_at <= POLL_END_SECONDS else NEVER_DUE
    intents.change_attempt(
        connection,
        attempt.id,
        state=AttemptState.UNKNOWN,
        busy_until=0.0,
        next_check_at=now + delay * (1 + services.jitter() / 10),
        checks=attempt.checks + 1,
    )
