"""What is forgotten, and how: it is looked for without a lock, and then dropped key by key, if it still is to be.

So a database of which nothing is to be forgotten is only read, and nobody waits for a search.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, Table, Update, bindparam, delete, select, update

from bridge.domain.intents import FINAL
from bridge.storage.engine import Database
from bridge.storage.idempotency import OWES_NOTHING
from bridge.storage.payment_tables import attempts, intents
from bridge.storage.tables import idempotency, inbox, oauth_nonces, outbox, word, words


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows that may go once they are old. Built by `_rule`; both statements are bound to `before` (Unix seconds)."""

    look: Select[Any]
    drop: Delete | Update


def find(database: Database, rule: Rule, before: float, limit: int) -> list[dict[str, Any]]:
    """Keys of some rows from before then (Unix seconds)."""
    with database.read() as connection:
        rows = connection.execute(rule.look, {"before": before, "limit": limit})
        return [{f"the_{name}": value for name, value in row._mapping.items()} for row in rows]


def drop(database: Database, rule: Rule, keys: list[dict[str, Any]], before: float) -> int:
    """Forget those that have not changed since they were found; how many."""
    with database.write() as connection:
        return connection.execute(rule.drop, [{**key, "before": before} for key in keys]).rowcount


def _rule(table: Table, *may_go: ColumnElement[bool], forget: dict[str, Any] | None = None) -> Rule:
    """Rows go whole, or only the values of the columns to `forget`."""
    key = list(table.primary_key.columns)
    mine = [column == bindparam(f"the_{column.name}") for column in key]
    statement = update(table).values(forget) if forget else delete(table)
    return Rule(select(*key).where(*may_go).limit(bindparam("limit")), statement.where(*mine, *may_go))


_before: Any = bindparam("before")
_is_over = select(intents.c.id).where(intents.c.id == attempts.c.intent_id, intents.c.status.in_(words(FINAL))).exists()

MESSAGES = _rule(
    inbox, inbox.c.intent_id.is_(None), inbox.c.state.in_(words(["done", "foreign"])), inbox.c.received < _before
)
"""Messages that are done with and were about no payment of ours, by when they came."""
UPDATES = _rule(outbox, outbox.c.state == word("delivered"), outbox.c.delivered < _before)
"""What shops have heard of, by when they did. The journal keeps that they have."""
MATERIAL = _rule(
    attempts, attempts.c.material.is_not(None), attempts.c.created < _before, _is_over, forget={"material": None}
)
"""What the buyer's page needed of payments that are over, by when they began."""
KEYS = _rule(idempotency, idempotency.c.created < _before, OWES_NOTHING)
"""Idempotency keys whose callers wait for no outcome, by when they were first used."""
NONCES = _rule(oauth_nonces, oauth_nonces.c.timestamp < _before)
"""Nonces, by their timestamps."""
