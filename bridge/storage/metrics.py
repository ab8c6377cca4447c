"""Counts and ages of what is under way. Every query goes by an index of just those rows: none grows with the tables."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal_column, select

from bridge.domain.deadlines import DAY
from bridge.domain.intents import FINAL, UNSETTLED
from bridge.storage.compiled import Connection
from bridge.storage.intents import is_called
from bridge.storage.keys import has_problem
from bridge.storage.payment_tables import attempts, intents
from bridge.storage.tables import EMPTY, api_keys, inbox, outbox, stores, word, words

RECENT_SECONDS = DAY
"""Seconds back to which payments that are over are counted."""

_is_flagged = intents.c.flag != literal_column("''")


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait, since when the oldest does (Unix seconds), and how many dead letters there are."""

    waiting: int
    oldest: float | None
    dead: int


def open_intents(connection: Connection) -> dict[str, int]:
    """Intents that are not over, by status."""
    query = select(intents.c.status, func.count().label("number")).where(intents.c.status.not_in(words(FINAL)))
    return {row.status: row.number for row in connection.execute(query.group_by(intents.c.status))}


def recent_intents(connection: Connection, now: float) -> dict[str, int]:
    """Intents that were begun within RECENT_SECONDS seconds, by status."""
    query = select(intents.c.status, func.count().label("number")).where(intents.c.created >= now - RECENT_SECONDS)
    return {row.status: row.number for row in connection.execute(query.group_by(intents.c.status))}


def unsettled(connection: Connection, now: float) -> Queue:
    """Attempts whose outcome nobody knows and whose sender does not wait any more; none is dead."""
    waiting = (attempts.c.state.in_(words(UNSETTLED)), attempts.c.busy_until <= now)
    count, oldest = connection.execute(select(func.count(), func.min(attempts.c.sent_at)).where(*waiting)).one()
    return Queue(count, oldest, 0)


def unsettled_intents(connection: Connection, now: float, limit: int) -> list[dict[str, Any]]:
    """Those attempts, oldest first, with their intents."""
    query = (
        select(
            attempts.c.id,
            attempts.c.operation,
            attempts.c.sent_at,
            attempts.c.checks,
            intents.c.public_id,
            intents.c.store_id,
            intents.c.order_id,
            intents.c.order_number,
            intents.c.flag,
        )
        .join(intents, intents.c.id == attempts.c.intent_id)
        .where(attempts.c.state.in_(words(UNSETTLED)), attempts.c.busy_until <= now)
        .order_by(attempts.c.sent_at)
        .limit(limit)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def flagged(connection: Connection) -> int:
    """Intents that a person has to look at."""
    return int(connection.execute(select(func.count()).where(_is_flagged)).scalar_one())


def flagged_intents(connection: Connection, limit: int, order: str | None = None) -> list[dict[str, Any]]:
    """Those intents, the one that waits longest first; of one `order` (id or number) only."""
    names = ("id", "public_id", "store_id", "order_id", "order_number", "flag", "updated")
    query = select(*(intents.c[name] for name in names)).where(_is_flagged)
    if order is not None:
        query = query.where(is_called(order))
    query = query.order_by(intents.c.updated).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]


def troubled_stores(connection: Connection) -> tuple[int, int, int]:
    """How many stores have an account that takes no payments, how many a webhook endpoint of the wrong scope, and how
    many keys of clients their stores refuse, or let do less."""
    problems = (stores.c.account_problem, stores.c.webhook_problem)
    counts = [
        select(func.count()).select_from(stores).where(problem != EMPTY, stores.c.removed.is_(None)).scalar_subquery()
        for problem in problems
    ]
    of_keys = select(func.count()).select_from(api_keys).where(has_problem).scalar_subquery()
    unable, misdirected, keys = connection.execute(select(counts[0], counts[1], of_keys)).one()
    return unable, misdirected, keys


def inbox_queue(connection: Connection) -> Queue:
    return Queue(*_waiting(connection, inbox, "new", inbox.c.received), _dead(connection, inbox))


def outbox_queue(connection: Connection) -> Queue:
    return Queue(*_waiting(connection, outbox, "pending", outbox.c.created), _dead(connection, outbox))


def _waiting(connection: Connection, table: Any, state: str, since: Any) -> tuple[int, float | None]:
    count, oldest = connection.execute(select(func.count(), func.min(since)).where(table.c.state == word(state))).one()
    return count, oldest


def _dead(connection: Connection, table: Any) -> int:
    return int(connection.execute(select(func.count()).where(table.c.state == word("dead"))).scalar_one())
