"""Rows of `inbox`: messages of providers whose senders are proven, kept before they are acknowledged."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import and_, bindparam, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bridge.domain.outcomes import EventKind, ProviderEvent
from bridge.storage.compiled import Connection, Row
from bridge.storage.engine import Database
from bridge.storage.tables import inbox, word


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A stored message. `received` and `busy_until` are Unix seconds, `tries` counts looks begun, this one included."""

    id: str
    endpoint: str
    event: ProviderEvent
    received: float
    busy_until: float
    tries: int
    state: str
    last_error: str
    intent_id: str | None


def add(
    database: Database, now: float, row_id: str, endpoint: str, event: ProviderEvent, digest: str, body: str
) -> bool:
    """False if it is here already. The `body` is encrypted."""
    try:
        with database.write() as connection:
            connection.execute(
                insert(inbox),
                {
                    "id": row_id,
                    "endpoint": endpoint,
                    "event_id": event.id,
                    "digest": digest,
                    "event": asdict(event),
                    "body": body,
                    "state": "new",
                    "tries": 0,
                    "due": now,
                    "busy_until": 0.0,
                    "last_error": "",
                    "received": now,
                },
            )
    except IntegrityError:
        return False
    return True


def first(connection: Connection, now: float, busy: Collection[str] = (), shops: Collection[str] = ()) -> str | None:
    """The endpoint of the message that `claim` would take."""
    row = connection.execute(_READY, _wanted(now, busy, shops)).first()
    return row.endpoint if row else None


def claim(
    database: Database, now: float, lease: float, busy: Collection[str] = (), shops: Collection[str] = ()
) -> InboxMessage | None:
    """Take the one that is due first for `lease` seconds: nobody else gets it meanwhile, and somebody else after.

    Not one of the endpoints in `busy`, nor one of a shop's own in `shops`.
    """
    wanted = _wanted(now, busy, shops)
    with database.read() as connection:
        if connection.execute(_READY, wanted).first() is None:
            return None
    with database.write() as connection:
        position = connection.execute(_READY.with_for_update(skip_locked=True), wanted).scalar()
        if position is None:
            return None
        values = {"the_position": position, "now": now, "busy_until": now + lease}
        row = connection.execute(_CLAIM, values).first()
    return _letter(row) if row else None


def change(connection: Connection, row_id: str, **values: Any) -> None:
    connection.execute(update(inbox).where(inbox.c.id == row_id).values(**values))


def renew(database: Database, now: float, endpoint: str, event_id: str, digest: str, pause: float) -> None:
    """A message has come again: it is to be worked on once more, `pause` seconds after the last time at the earliest.
    Somebody who is at it right now finds that out by `finish`."""
    values = {"now": now, "soon": now + pause, "pause": pause}
    names = {"the_endpoint": endpoint, "the_event": event_id, "the_digest": digest}
    with database.write() as connection:
        connection.execute(_RENEW, values | names)


def finish(connection: Connection, message: InboxMessage, again: float, values: dict[str, Any]) -> None:
    """A try ends with these `values`, unless its lease ran out and somebody else is at it.

    If the message has come again meanwhile, the values are of the past: it is new, and due at `again` (Unix seconds).
    """
    mine = (inbox.c.id == message.id) & (inbox.c.busy_until == message.busy_until)
    known = mine & (inbox.c.tries == message.tries)
    if not connection.execute(update(inbox).where(known).values(**values)).rowcount:
        connection.execute(update(inbox).where(mine).values(due=again, busy_until=0.0))


def latest(connection: Connection, state: str | None, limit: int) -> list[InboxMessage]:
    """The newest messages, of one state or of all, for people."""
    query = select(inbox).order_by(inbox.c.position.desc()).limit(limit)
    if state:
        query = query.where(inbox.c.state == word(state))
    return [_letter(row) for row in connection.execute(query)]


def one(connection: Connection, row_id: str) -> tuple[InboxMessage, str] | None:
    """A message by our id or its own, with its encrypted body."""
    row = connection.execute(select(inbox).where((inbox.c.id == row_id) | (inbox.c.event_id == row_id))).first()
    return (_letter(row), row.body) if row else None


def _wanted(now: float, busy: Collection[str], shops: Collection[str]) -> dict[str, Any]:
    return {"now": now, "busy": [*busy, ""], "shops": [*shops, ""], "of_shops": EventKind.ORDER.value}


def _letter(row: Row) -> InboxMessage:
    event = ProviderEvent(**row.event | {"kind": EventKind(row.event["kind"])})
    return InboxMessage(
        row.id,
        row.endpoint,
        event,
        row.received,
        row.busy_until,
        row.tries,
        row.state,
        row.last_error,
        row.intent_id,
    )


_READY = (
    select(inbox.c.position, inbox.c.endpoint)
    .where(
        inbox.c.state == word("new"),
        inbox.c.due <= bindparam("now"),
        inbox.c.busy_until <= bindparam("now"),
        inbox.c.endpoint.not_in(bindparam("busy", expanding=True)),
        or_(
            inbox.c.endpoint.not_in(bindparam("shops", expanding=True)),
            inbox.c.event["kind"].as_string() != bindparam("of_shops"),
        ),
    )
    .order_by(inbox.c.due, inbox.c.position)
    .limit(1)
)
_is_waiting = inbox.c.state == word("new")
_RENEW = (
    update(inbox)
    .where(
        inbox.c.event_id == bindparam("the_event"),
        inbox.c.endpoint == bindparam("the_endpoint"),
        inbox.c.digest == bindparam("the_digest"),
    )
    .values(
        state="new",
        tries=0,
        received=bindparam("now"),
        due=case(
            (and_(_is_waiting, inbox.c.due <= bindparam("soon")), inbox.c.due),
            (_is_waiting, bindparam("soon")),
            (inbox.c.due + bindparam("pause") > bindparam("now"), inbox.c.due + bindparam("pause")),
            else_=bindparam("now"),
        ),
        busy_until=case((_is_waiting, inbox.c.busy_until), else_=0.0),
    )
)
"""The `due` of one that is done with is when it was."""
_CLAIM = (
    update(inbox)
    .where(
        inbox.c.position == bindparam("the_position"),
        inbox.c.state == word("new"),
        inbox.c.busy_until <= bindparam("now"),
    )
    .values(tries=inbox.c.tries + 1, busy_until=bindparam("busy_until"))
    .returning(*inbox.c)
)
