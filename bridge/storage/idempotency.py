"""Rows of `idempotency`: which request a caller's key stands for, who is at it, and what was answered.

A key stands for one request within one store, one mode and one route, and nothing else of it is readable here: the
key and the request are keyed hashes, the answer is encrypted.
"""

from dataclasses import asdict, dataclass, field

from sqlalchemy import and_, bindparam, delete, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.storage.compiled import Connection
from bridge.storage.payment_tables import attempts
from bridge.storage.tables import idempotency


@dataclass(frozen=True, slots=True)
class Entry:
    """One key. `attempt_id` is reserved for the first work under it; until `busy_until` somebody is at it.

    Times are Unix seconds. `answer` is None until there is one that every repeat gets.
    """

    store_id: str
    live: bool
    route: str
    key: str
    fingerprint: str
    attempt_id: str
    created: float
    busy_until: float
    answer: str | None = field(default=None, repr=False)


def find_taken(connection: Connection, wanted: Entry, forget: float) -> Entry | None:
    """What stands under the key if it is not the caller's to work on, as `take` says it, but without a lock.

    None if only `take` can say: nothing is there, or something that is old or that nobody is at.
    """
    row = connection.execute(_FIND, _name(wanted)).first()
    found = Entry(**row._mapping) if row else None
    return found if found and found.created > forget and not _is_free(found, wanted) else None


def take(connection: Connection, wanted: Entry, forget: float) -> tuple[Entry, bool]:
    """What stands under the key, and whether it is now the caller's to work on, until `wanted.busy_until`.

    `wanted` itself if there was nothing, or something from `forget` (Unix seconds) or before whose caller waits for no
    outcome any more. Else what is there: it is the caller's if it is the same request, nobody is at it (at
    `wanted.created`) and it has no answer.
    """
    values, name = asdict(wanted), _name(wanted)
    while not connection.execute(_ADD[connection.dialect.name], values).rowcount:
        row = connection.execute(_LOCK, name).first()
        if row is None:  # it was forgotten between the two statements
            continue
        found = Entry(**row._mapping)
        if found.created <= forget and connection.execute(_OWES_AN_OUTCOME, name).first() is None:
            connection.execute(_CHANGE, values | name)
            break
        free = _is_free(found, wanted)
        if free:
            connection.execute(_CHANGE, name | {"busy_until": wanted.busy_until})
        return found, free
    return wanted, True


def conclude(connection: Connection, entry: Entry, answer: str | None) -> None:
    """Nobody is at it any more. With an `answer`, that is what every repeat gets."""
    connection.execute(_CONCLUDE, _name(entry) | {"the_attempt": entry.attempt_id, "busy_until": 0.0, "answer": answer})


def forget(connection: Connection, entry: Entry) -> None:
    """The key is as if it had never been used."""
    connection.execute(_FORGET, _name(entry) | {"the_attempt": entry.attempt_id})


def _is_free(found: Entry, wanted: Entry) -> bool:
    """Whether it is the same request, nobody is at it, and it has no answer."""
    return found.answer is None and found.busy_until <= wanted.created and found.fingerprint == wanted.fingerprint


def _name(entry: Entry) -> dict[str, str | bool]:
    return {
        "the_store": entry.store_id,
        "the_mode": entry.live,
        "the_route": entry.route,
        "the_key": entry.key,
    }


_named = and_(
    idempotency.c.store_id == bindparam("the_store"),
    idempotency.c.live == bindparam("the_mode"),
    idempotency.c.route == bindparam("the_route"),
    idempotency.c.key == bindparam("the_key"),
)
_ours = and_(_named, idempotency.c.attempt_id == bindparam("the_attempt"), idempotency.c.answer.is_(None))
_ADD = {
    dialect: insert(idempotency).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_FIND = select(idempotency).where(_named)
_LOCK = _FIND.with_for_update()
_CHANGE = update(idempotency).where(_named)
_CONCLUDE = update(idempotency).where(_ours)
_FORGET = delete(idempotency).where(_ours)
_begun = select(attempts.c.id).where(attempts.c.id == idempotency.c.attempt_id).scalar_subquery()
_owed = and_(idempotency.c.answer.is_(None), _begun.is_not(None))  # not EXISTS: PostgreSQL would hash all attempts
"""Something was begun under the key, and its caller has not heard what became of it."""
_OWES_AN_OUTCOME = select(1).select_from(idempotency).where(_named, _owed)
OWES_NOTHING = not_(_owed)
"""Of keys that may be forgotten when they are old."""
