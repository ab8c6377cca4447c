"""Rows of `outbox`: what we owe the stores, in order per order, claimed by one worker at a time."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from bridge.domain.orders import OrderUpdate, UpdateKind
from bridge.storage.engine import Database
from bridge.storage.tables import outbox

_ADD = insert(outbox)


@dataclass(frozen=True, slots=True)
class Parcel:
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


def claim(database: Database, now: float, lease: float, limit: int = 20) -> list[Parcel]:
    """Take what is due for `lease` seconds. Never two of one order, never one before an older one of its order."""
    older = outbox.alias()
    first_of_its_order = ~exists().where(
        older.c.store_id == outbox.c.store_id,
        older.c.order_id == outbox.c.order_id,
        older.c.state == "pending",
        older.c.position < outbox.c.position,
    )
    ready = (
        select(outbox.c.position)
        .where(outbox.c.state == "pending", outbox.c.due <= now, outbox.c.busy_until <= now, first_of_its_order)
        .order_by(outbox.c.due)
        .limit(limit)
    )
    with database.read() as connection:
        if connection.execute(ready.limit(1)).first() is None:
            return []
    with database.write() as connection:
        positions = connection.execute(ready.with_for_update(skip_locked=True)).scalars().all()
        rows = connection.execute(
            update(outbox)
            .where(outbox.c.position.in_(positions), outbox.c.busy_until <= now)
            .values(busy_until=now + lease, tries=outbox.c.tries + 1)
            .returning(outbox.c.store_id, outbox.c.intent_id, outbox.c.payload, outbox.c.tries, outbox.c.position)
        ).all()
    return [
        Parcel(row.store_id, row.intent_id, _order_update(row.payload), row.tries)
        for row in sorted(rows, key=lambda row: row.position)
    ]


def delivered(connection: Connection, operation_id: str, now: float) -> None:
    _set(connection, operation_id, state="delivered", delivered=now, last_error="")


def postponed(connection: Connection, operation_id: str, due: float, error: str) -> None:
    _set(connection, operation_id, due=due, busy_until=0.0, last_error=error)


def dead(connection: Connection, operation_id: str, error: str) -> None:
    """Give up on it, and let the later updates of its order go on."""
    _set(connection, operation_id, state="dead", last_error=error)


def of_intent(connection: Connection, intent_id: str) -> list[dict[str, Any]]:
    """The intent's updates, oldest first, for people."""
    columns = [outbox.c[name] for name in ("id", "payload", "state", "tries", "due", "last_error", "delivered")]
    query = select(*columns).where(outbox.c.intent_id == intent_id).order_by(outbox.c.position)
    return [dict(row._mapping) for row in connection.execute(query)]


def is_owed(connection: Connection, store_id: str, order_id: int) -> bool:
    """Whether the shop has still to hear of something about the order."""
    pending = (outbox.c.store_id == store_id, outbox.c.order_id == order_id, outbox.c.state == "pending")
    return connection.execute(select(outbox.c.position).where(*pending).limit(1)).first() is not None


def next_due(connection: Connection) -> float | None:
    """When the next delivery is due (Unix seconds), if anything is pending."""
    query = select(outbox.c.due).where(outbox.c.state == "pending").order_by(outbox.c.due).limit(1)
    return connection.execute(query).scalar()


def _set(connection: Connection, operation_id: str, **values: Any) -> None:
    connection.execute(update(outbox).where(outbox.c.id == operation_id).values(**values))


def _order_update(payload: dict[str, Any]) -> OrderUpdate:
    return OrderUpdate(**payload | {"kind": UpdateKind(payload["kind"])})


def latest(connection: Connection, state: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest updates, of one state or of all, for people."""
    names = ("id", "store_id", "order_id", "intent_id", "payload", "state", "tries", "due", "last_error", "created")
    query = select(*(outbox.c[name] for name in names)).order_by(outbox.c.position.desc()).limit(limit)
    if state:
        query = query.where(outbox.c.state == state)
    return [dict(row._mapping) for row in connection.execute(query)]


def retry(connection: Connection, now: float, operation_id: str | None) -> int:
    """Make one update that is not delivered, or all dead ones, due now; how many."""
    statement = update(outbox).values(state="pending", due=now, busy_until=0.0, tries=1)
    if operation_id:
        statement = statement.where(outbox.c.id == operation_id, outbox.c.state != "delivered")
    else:
        statement = statement.where(outbox.c.state == "dead")
    return connection.execute(statement).rowcount
