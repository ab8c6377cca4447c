"""The journal: append-only, one line for everything that happened to an intent."""

from typing import Any

from sqlalchemy import insert, select

from bridge.domain.intents import JournalKind
from bridge.storage.compiled import Connection
from bridge.storage.payment_tables import journal

_ADD = insert(journal)


def write(
    connection: Connection,
    at: float,
    intent_id: str,
    kind: JournalKind,
    *,
    attempt_id: str | None = None,
    **detail: Any,
) -> None:
    """Add a line. `detail` must hold no secret and no one-time material."""
    line = {"intent_id": intent_id, "attempt_id": attempt_id, "at": at, "kind": kind, "detail": detail}
    connection.execute(_ADD, line)


def read(connection: Connection, intent_id: str) -> list[dict[str, Any]]:
    """The lines of one intent, oldest first: `at`, `kind`, `attempt_id`, `detail`."""
    query = (
        select(journal.c.at, journal.c.kind, journal.c.attempt_id, journal.c.detail)
        .where(journal.c.intent_id == intent_id)
        .order_by(journal.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]
