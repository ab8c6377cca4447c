"""Rows of `refusals`: how often credentials and messages were refused, by reason, and by the store or endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.storage.compiled import Connection
from bridge.storage.tables import inbox, refusals

EVERYBODY = ""
"""The subject under which all are counted."""
Cause = tuple[str, str, str]
"""Subject (a store's id or an endpoint), kind and reason."""
Tally = tuple[int, float]
"""How many, and when the last one was (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """`last` is Unix seconds."""

    subject: str
    kind: str
    reason: str
    count: int
    last: float


def add(connection: Connection, tallies: Mapping[Cause, Tally]) -> None:
    """Count so many more. In one order, so that two processes do not wait for each other."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for (subject, kind, reason), (count, last) in sorted(tallies.items()):
        added = insert(refusals).values(subject=subject, kind=kind, reason=reason, count=count, last=last)
        more = {"count": refusals.c.count + count, "last": last}
        connection.execute(added.on_conflict_do_update(index_elements=refusals.primary_key, set_=more))


def totals(connection: Connection) -> list[Refused]:
    """All, by kind and reason."""
    return [Refused(*row) for row in connection.execute(_TOTALS, {"subject": EVERYBODY})]


def recent(connection: Connection, kind: str, since: float, limit: int) -> list[Refused]:
    """Of those since then (Unix seconds), by subject, the newest first."""
    return [Refused(*row) for row in connection.execute(_RECENT, {"kind": kind, "since": since, "some": limit})]


def accepted_since(connection: Connection, endpoint: str, moment: float) -> bool:
    """Whether a message to the endpoint was taken after that."""
    return connection.execute(_ACCEPTED, {"endpoint": endpoint, "moment": moment}).first() is not None


_TOTALS = select(refusals).where(refusals.c.subject == bindparam("subject"))
_RECENT = (
    select(refusals)
    .where(refusals.c.last >= bindparam("since"), refusals.c.kind == bindparam("kind"), refusals.c.subject != EVERYBODY)
    .order_by(refusals.c.last.desc())
    .limit(bindparam("some"))
)
_ACCEPTED = (
    select(inbox.c.id).where(inbox.c.endpoint == bindparam("endpoint"), inbox.c.received > bindparam("moment")).limit(1)
)
