"""What is written when no usable answer came, and when it is proven that nothing happened."""

from bridge.domain.intents import Attempt, AttemptState, RefundStatus, Status
from bridge.payments.services import Services
from bridge.storage import Connection, journal
from bridge.storage import intents as rows
from bridge.storage import refunds as refund_rows

CHECK_DELAYS = (5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds between looks at an unknown outcome; the last one repeats."""
PATIENCE = 24 * 3600.0
"""Seconds after which an unknown outcome is flagged for a person. It stays unknown, and is still looked at."""


def mark_unknown(services: Services, attempt: Attempt, why: str) -> None:
    """No usable answer: the order stays held, and the worker will ask."""
    now = services.clock()
    with services.database.write() as connection:
        _look_again(services, connection, attempt)
        rows.change(connection, attempt.intent_id, unknown=True, updated=now)
        journal.write(connection, now, attempt.intent_id, "outcome_unknown", attempt_id=attempt.id, why=why)


def postpone(services: Services, attempt: Attempt, flag: str = "") -> None:
    """Look again later; flag it for a person when it takes too long."""
    now = services.clock()
    if not flag and now - attempt.sent_at > PATIENCE:
        flag = "The outcome of this payment is unknown for more than a day."
    with services.database.write() as connection:
        _look_again(services, connection, attempt)
        if flag and rows.get(connection, attempt.intent_id, lock=True).flag != flag:
            rows.change(connection, attempt.intent_id, flag=flag, updated=now)
            journal.write(connection, now, attempt.intent_id, "flagged", attempt_id=attempt.id, why=flag)


def abandon(services: Services, attempt: Attempt, reason: str, why: str) -> None:
    """It is proven that the attempt came to nothing.

    A create frees its order, a refund its sum; the rest is as before.
    """
    now = services.clock()
    with services.database.write() as connection:
        intent = rows.get(connection, attempt.intent_id, lock=True)
        rows.change_attempt(connection, attempt.id, state=AttemptState.ABANDONED, busy_until=0.0)
        changes: dict[str, object] = {"unknown": rows.is_unsettled(connection, intent.id), "updated": now}
        if attempt.operation == "create":
            error = {"type": reason, "code": reason, "message": why}
            changes |= {"status": Status.CANCELED, "holding": False, "last_error": intent.last_error or error}
        if attempt.operation == "refund":
            refund_rows.change(connection, attempt.id, status=RefundStatus.FAILED, failure=why)
        rows.change(connection, intent.id, **changes)
        journal.write(
            connection, now, intent.id, "abandoned", attempt_id=attempt.id, operation=attempt.operation, why=why
        )


def _look_again(services: Services, connection: Connection, attempt: Attempt) -> None:
    delay = CHECK_DELAYS[min(attempt.checks, len(CHECK_DELAYS) - 1)]
    rows.change_attempt(
        connection,
        attempt.id,
        state=AttemptState.UNKNOWN,
        busy_until=0.0,
        next_check_at=services.clock() + delay,
        checks=attempt.checks + 1,
    )
