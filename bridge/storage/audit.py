"""The audit trail: append-only, one row for every administrative act, each chained to the one before.

A row's digest covers the row and the digest before it, under a key that the database holds in encrypted form only:
whoever can write the database, and has no secret key, can neither change, remove nor reorder a row unseen. The head,
one row of its own, says where the chain ends, and is the lock on which acts queue.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from bridge.domain.actors import Actor
from bridge.domain.errors import ConfigurationError
from bridge.domain.logs import redact
from bridge.storage.compiled import Connection
from bridge.storage.tables import audit, audit_head
from bridge.storage.vault import Vault

MAX_TEXT = 500
"""Characters of a text that are kept."""
BATCH_ROWS = 1000
"""Rows that are read at a time when the chain is verified."""
_HEAD = select(audit_head.c.number, audit_head.c.digest).where(audit_head.c.id == 1)
_LOCKED_HEAD = _HEAD.with_for_update()
_MOVE = update(audit_head).where(audit_head.c.id == 1)
_ADD = insert(audit)
_AFTER = select(audit).where(audit.c.number > bindparam("after")).order_by(audit.c.number).limit(BATCH_ROWS)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the chain: the number of an act (0: before the first one) and its digest."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


BEGINNING = Anchor(0, "")
"""Where a trail ends that has no act yet."""


def append(
    connection: Connection, vault: Vault, at: float, actor: Actor, act: str, subject: str, detail: dict[str, Any]
) -> Anchor:
    """Add an act, `at` Unix seconds, in the transaction of the act itself.

    Must be the last that the transaction locks: acts wait for each other here. `detail` must hold no secret; what looks
    like one is hidden all the same. Raises ConfigurationError if somebody has removed the head.
    """
    head = connection.execute(_LOCKED_HEAD).first()
    if head is None:
        raise ConfigurationError(
            "The audit trail is damaged, and nothing is done that it cannot record: wcpay-bridge audit verify"
        )
    row = {
        "number": head.number + 1,
        "at": float(at),
        "kind": actor.kind,
        "who": _text(actor.name),
        "origin": _text(actor.origin),
        "act": act,
        "subject": _text(subject),
        "detail": json.dumps(_plain(detail), sort_keys=True),
    }
    digest = _digest(vault, head.digest, row)
    connection.execute(_ADD, row | {"digest": digest})
    connection.execute(_MOVE.values(number=row["number"], digest=digest))
    return Anchor(head.number + 1, digest)


def latest(
    connection: Connection, limit: int, act: str | None = None, subject: str | None = None
) -> list[dict[str, Any]]:
    """The newest acts, newest first; of one kind or about one thing only."""
    query = select(audit).order_by(audit.c.number.desc()).limit(limit)
    if act:
        query = query.where(audit.c.act == act)
    if subject:
        query = query.where(audit.c.subject == subject)
    return [dict(row._mapping) | {"detail": json.loads(row.detail)} for row in connection.execute(query)]


def end(connection: Connection) -> Anchor | None:
    """Where the chain ends; None if somebody has removed the head."""
    row = connection.execute(_HEAD).first()
    return Anchor(row.number, row.digest) if row else None


def verify(
    connection: Connection, vault: Vault, *, newest: int | None = None, known: Anchor | None = None
) -> Iterator[str]:
    """What is wrong with the chain, a sentence each; nothing if nothing is. Of the `newest` acts only, if said.

    `known` is a place that was noted elsewhere: without one nobody can tell a chain from which the newest acts are
    missing, the head included, from one that never had them.
    """
    head = end(connection)
    if head is None:
        yield "The head of the audit trail is missing."
    first = max(0, head.number - newest) if head and newest is not None else 0
    before = _start(connection, first)
    if known and known.number == 0 and known.digest:
        yield "0 is not an act: an anchor has the number and the digest of an act."
    for row in _after(connection, first):
        expected = before.number + 1
        if row["number"] != expected:
            yield f"{_acts(expected, row['number'] - 1)} missing from the audit trail."
        elif _digest(vault, before.digest, row) != row["digest"]:
            yield f"Act {row['number']} was changed, or is not where it was written ({row['act']} {row['subject']})."
        before = Anchor(row["number"], row["digest"])
        if known and known.number == before.number and known.digest != before.digest:
            yield f"Act {known.number} is not the one that was noted."
    if head and (head.number, head.digest) != (before.number, before.digest):
        gone = head.number - before.number
        yield (
            f"{_acts(before.number + 1, head.number)} missing at the end of the audit trail."
            if gone > 0
            else "The audit trail does not end where its head says."
        )
    if known and known.number > before.number:
        yield f"{_acts(before.number + 1, known.number)} missing: the trail was longer when the anchor was noted."


def _start(connection: Connection, number: int) -> Anchor:
    """The act before those that are verified. One that is missing is told by the gap after it."""
    row = connection.execute(select(audit.c.number, audit.c.digest).where(audit.c.number == number)).first()
    return Anchor(row.number, row.digest) if row else Anchor(number, "")


def _after(connection: Connection, number: int) -> Iterator[dict[str, Any]]:
    while rows := connection.execute(_AFTER, {"after": number}).all():
        yield from (dict(row._mapping) for row in rows)
        number = rows[-1].number


def _acts(first: int, last: int) -> str:
    return f"Act {first} is" if first == last else f"Acts {first} to {last} are"


def _digest(vault: Vault, before: str, row: dict[str, Any]) -> str:
    names = ("number", "at", "kind", "who", "origin", "act", "subject", "detail")
    return vault.audit_digest(json.dumps([before, *(row[name] for name in names)]))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    """Fit for any database, and without what looks like a secret."""
    clean = value.replace("\0", "").encode("utf-8", "backslashreplace").decode()
    return redact(clean)[:MAX_TEXT]
