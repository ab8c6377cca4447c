"""Rows of `outbox`: what we owe the stores, in order per order, claimed by one worker at a time."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import String, and_, bindparam, exists, insert, literal_column, or_, select, union, update

from bridge.domain.orders import OrderUpdate, UpdateKind
from bridge.storage.compiled import Connection
from bridge.storage.engine import Database
from bridge.storage.intents import is_called
from bridge.storage.payment_tables import intents
from bridge.storage.shops import entries_of
from bridge.storage.tables import jobs, outbox, word

MANY = 2**31 - 1
_ADD = insert(outbox)


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """An OrderUpdate on its way. `tries` counts deliveries begun, this one included."""

    store_id: str
    intent_id: str
    update: OrderUpdate
    tries: int


def add(connection: Connection, now: float, store_id: str, intent_id: str, order_update: OrderUpdate) -> None:
    connection.execute(
        _ADD,
        {
            "id": order_update.operation_id,
            "store_id": store_id,
            "intent_id": intent_id,
            "order_id": order_update.order_id,
            "payload": asdict(order_update),
            "state": "pending",
            "tries": 0,
            "due": now,
            "busy_until": 0.0,
            "created": now,
        },
    )


def claim(
    database: Database, now: float, lease: float, busy: Collection[str] = (), *, retries: bool = True
) -> OutboxMessage | None:
    """Take one that is due for `lease` seconds: nobody else gets it meanwhile, and somebody else after.

    Never one before an older one of its order, nor one of the stores in `busy`, nor of one whose open payments are
    being swept: a store gets one request at a time. Without `retries` only one that was never tried.
    """
    wanted = {"now": now, "busy": [*busy, ""], "most_tries": MANY if retries else 0}
    with database.read() as connection:
        if connection.execute(_READY, wanted).first() is None:
            return None
    with database.write() as connection:
        ready = connection.execute(_READY.with_for_update(skip_locked=True, of=outbox), wanted).first()
        if ready is None:
            return None
        # a sweep that is being claimed is waited for, and seen; one that comes after this waits for us
        if (connection.execute(_SWEPT_UNTIL, {"sweep": f"sweep:{ready.store_id}"}).scalar() or 0.0) > now:
            return None
        row = connection.execute(
            _CLAIM, {"the_position": ready.position, "now": now, "busy_until": now + lease}
        ).first()
    return OutboxMessage(row.store_id, row.intent_id, _order_update(row.payload), row.tries) if row else None


def delivered(connection: Connection, operation_id: str, now: float) -> None:
    _set(connection, operation_id, state="delivered", delivered=now, last_error="")


def postponed(connection: Connection, message: OutboxMessage, due: float, error: str) -> None:
    """Try it again at `due`, unless somebody else is at it, because the lease ran out."""
    mine = (outbox.c.id == message.update.operation_id, outbox.c.tries == message.tries)
    connection.execute(update(outbox).where(*mine).values(due=due, busy_until=0.0, last_error=error))


def hold_back(connection: Connection, store_id: str, now: float, until: float) -> None:
    """Let everything that a shop has to hear of wait until then, but for what somebody is delivering right now."""
    waiting = (outbox.c.store_id == store_id, outbox.c.state == word("pending"), outbox.c.busy_until <= now)
    connection.execute(update(outbox).where(*waiting, outbox.c.due < until).values(due=until))


def known_by_the_shop(connection: Connection, intent_id: str, now: float) -> None:
    """Nothing of it has to be delivered: the shop shows it already."""
    waiting = (outbox.c.intent_id == intent_id, outbox.c.state == word("pending"), outbox.c.tries == 0)
    connection.execute(update(outbox).where(*waiting).values(state="delivered", delivered=now))


def dead(connection: Connection, operation_id: str, error: str) -> None:
    """Give up on it, and let the later updates of its order go on."""
    _set(connection, operation_id, state="dead", last_error=error)


def of_intent(connection: Connection, intent_id: str) -> list[dict[str, Any]]:
    """The intent's updates, oldest first, for people."""
    columns = [outbox.c[name] for name in ("id", "payload", "state", "tries", "due", "last_error", "delivered")]
    query = select(*columns).where(outbox.c.intent_id == intent_id).order_by(outbox.c.position)
    return [dict(row._mapping) for row in connection.execute(query)]


def is_owed(connection: Connection, store_id: str, order_id: int) -> bool:
    """Whether the shop has still to hear of something about the order, through whichever entry."""
    return connection.execute(_OWED, {"store": store_id, "order": order_id}).first() is not None


def cancels(connection: Connection, store_id: str, order_id: int, since: float) -> bool:
    """Whether the shop has still to hear that the order is cancelled, or has heard it since then (Unix seconds),
    through whichever entry."""
    heard = connection.execute(_HEARD, {"store": store_id, "order": order_id, "since": since}).scalars()
    return any(payload["kind"] == UpdateKind.CANCELLED for payload in heard)


def dead_of_order(connection: Connection, store_id: str, order_id: int) -> list[str]:
    """Ids of the order's dead letters, oldest first."""
    dead = (outbox.c.store_id == store_id, outbox.c.order_id == order_id, outbox.c.state == word("dead"))
    return list(connection.execute(select(outbox.c.id).where(*dead).order_by(outbox.c.position)).scalars())


def _set(connection: Connection, operation_id: str, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == operation_id).values(**values))


def _order_update(payload: dict[str, Any]) -> OrderUpdate:
    return OrderUpdate(**payload | {"kind": UpdateKind(payload["kind"])})


def latest(connection: Connection, state: str | None, limit: int, order: str | None = None) -> list[dict[str, Any]]:
    """The newest updates, of one state or of all, of one `order` (id or number) or of all, for people."""
    names = ("id", "store_id", "order_id", "intent_id", "payload", "state", "tries", "due", "last_error", "created")
    query = select(*(outbox.c[name] for name in names), intents.c.order_number).join(intents)
    if state:
        query = query.where(outbox.c.state == word(state))
    if order is not None:
        query = query.where(is_called(order))
    query = query.order_by(outbox.c.position.desc()).limit(limit)
    return [dict(row._mapping) for row in connection.execute(query)]


def retry(connection: Connection, now: float, name: str | None) -> int:
    """Make what is not delivered due now: one update, all of an order (by its id or number), or else all dead letters
    there are; how many."""
    statement = update(outbox).values(state="pending", due=now, busy_until=0.0, tries=1)
    if name:
        idle = or_(outbox.c.state == word("dead"), and_(outbox.c.state == word("pending"), outbox.c.busy_until <= now))
        of_order = select(intents.c.id).where(is_called(name))
        meant = union(
            select(outbox.c.id).where(outbox.c.id == name), select(outbox.c.id).where(outbox.c.intent_id.in_(of_order))
        )
        statement = statement.where(outbox.c.id.in_(meant), idle)
    else:
        statement = statement.where(outbox.c.state == word("dead"))
    return connection.execute(statement).rowcount


_of_shops_order = and_(outbox.c.store_id.in_(entries_of("store")), outbox.c.order_id == bindparam("order"))
_OWED = select(outbox.c.position).where(_of_shops_order, outbox.c.state == word("pending")).limit(1)
_HEARD = select(outbox.c.payload).where(
    _of_shops_order,
    or_(outbox.c.state == word("pending"), outbox.c.delivered >= bindparam("since")),
)

_older = outbox.alias()
_sweep = jobs.alias()
_SWEPT_UNTIL = select(jobs.c.busy_until).where(jobs.c.name == bindparam("sweep")).with_for_update(read=True)
_READY = (
    select(outbox.c.position, outbox.c.store_id)
    .where(
        outbox.c.state == word("pending"),
        outbox.c.due <= bindparam("now"),
        outbox.c.busy_until <= bindparam("now"),
        outbox.c.store_id.not_in(bindparam("busy", expanding=True)),
        outbox.c.tries <= bindparam("most_tries"),
        ~exists().where(
            _older.c.store_id == outbox.c.store_id,
            _older.c.order_id == outbox.c.order_id,
            _older.c.state == word("pending"),
            _older.c.position < outbox.c.position,
        ),
        ~exists().where(
            _sweep.c.name == literal_column("'sweep:'", String).concat(outbox.c.store_id),
            _sweep.c.busy_until > bindparam("now"),
        ),
    )
    .order_by(outbox.c.due, outbox.c.position)
    .limit(1)
)
_CLAIM = (
    update(outbox)
    .where(
        outbox.c.position == bindparam("the_position"),
        outbox.c.state == word("pending"),
        outbox.c.busy_until <= bindparam("now"),
    )
    .values(busy_until=bindparam("busy_until"), tries=outbox.c.tries + 1)
    .returning(outbox.c.store_id, outbox.c.intent_id, outbox.c.payload, outbox.c.tries)
)
