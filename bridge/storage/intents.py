"""Rows of `intents`, `attempts` and `charges`."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bridge.domain.intents import UNSETTLED, Attempt, AttemptState, Charge, PaymentIntent, Status
from bridge.storage.engine import Database
from bridge.storage.tables import attempts, charges, intents

_INTENT_FIELDS = [f.name for f in fields(PaymentIntent) if f.name not in ("charge", "metadata")]
_CHARGE_FIELDS = [f.name for f in fields(Charge)]
_unsettled = attempts.c.state.in_(sorted(UNSETTLED))


def add(connection: Connection, intent: PaymentIntent, attempt: Attempt) -> bool:
    """Claim the order. False if another intent holds it; then nothing was written."""
    values = {name: getattr(intent, name) for name in _INTENT_FIELDS} | {"meta": intent.metadata}
    try:
        with connection.begin_nested():
            connection.execute(insert(intents).values(**values))
            add_attempt(connection, attempt)
    except IntegrityError:
        if holding(connection, intent.store_id, intent.order_id, intent.order_key) is None:
            raise
        return False
    return True


def add_attempt(connection: Connection, attempt: Attempt) -> None:
    connection.execute(insert(attempts).values(**asdict(attempt)))


def holding(connection: Connection, store_id: str, order_id: int, order_key: str) -> PaymentIntent | None:
    """The intent that holds the order, if there is one."""
    return _one(
        connection,
        and_(
            intents.c.store_id == store_id,
            intents.c.order_id == order_id,
            intents.c.order_key == order_key,
            intents.c.holding,
        ),
    )


def get(connection: Connection, intent_id: str, *, lock: bool = False) -> PaymentIntent:
    """By our own id. With `lock` nobody else writes it until this transaction ends."""
    if lock:
        connection.execute(select(intents.c.id).where(intents.c.id == intent_id).with_for_update())
    intent = _one(connection, intents.c.id == intent_id)
    if intent is None:
        raise LookupError(intent_id)
    return intent


def find(connection: Connection, store_id: str, name: str) -> PaymentIntent | None:
    """By public id, attempt id or any reference, within one store."""
    of_attempt = (
        select(attempts.c.intent_id)
        .where(attempts.c.store_id == store_id, or_(attempts.c.id == name, attempts.c.reference == name))
        .limit(1)
        .scalar_subquery()
    )
    return _one(connection, and_(intents.c.store_id == store_id, intents.c.public_id == name)) or _one(
        connection, and_(intents.c.store_id == store_id, intents.c.id == of_attempt)
    )


def of_order(connection: Connection, order_id: int, store_id: str | None = None) -> list[PaymentIntent]:
    """All intents of an order, oldest first, of one store or of all."""
    condition = intents.c.order_id == order_id
    if store_id:
        condition = and_(condition, intents.c.store_id == store_id)
    rows = connection.execute(_with_charge().where(condition).order_by(intents.c.created)).all()
    return list({row.id: _intent(row) for row in rows}.values())


def everywhere(connection: Connection, name: str) -> list[PaymentIntent]:
    """Like `find`, over all stores: for the owner's own commands only."""
    of_attempt = select(attempts.c.intent_id).where(or_(attempts.c.id == name, attempts.c.reference == name))
    condition = or_(intents.c.public_id == name, intents.c.id.in_(of_attempt))
    return list({row.id: _intent(row) for row in connection.execute(_with_charge().where(condition))}.values())


def change(connection: Connection, intent_id: str, **values: Any) -> None:
    connection.execute(update(intents).where(intents.c.id == intent_id).values(**values))


def change_attempt(connection: Connection, attempt_id: str, **values: Any) -> None:
    connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(**values))


def attempt(connection: Connection, attempt_id: str) -> Attempt:
    row = connection.execute(select(attempts).where(attempts.c.id == attempt_id)).one()
    return _attempt(row)


def attempts_of(connection: Connection, intent_id: str) -> list[Attempt]:
    """Oldest first."""
    query = select(attempts).where(attempts.c.intent_id == intent_id).order_by(attempts.c.created, attempts.c.sent_at)
    return [_attempt(row) for row in connection.execute(query)]


def unsettled(connection: Connection, intent_id: str) -> Attempt | None:
    """The attempt of this intent whose outcome nobody knows yet."""
    query = select(attempts).where(attempts.c.intent_id == intent_id, _unsettled).order_by(attempts.c.created)
    row = connection.execute(query).first()
    return _attempt(row) if row else None


def due_attempts(connection: Connection, now: float, limit: int = 20) -> list[Attempt]:
    """Unsettled attempts that nobody is at and that should be looked at."""
    query = (
        select(attempts)
        .where(_unsettled, attempts.c.next_check_at <= now, attempts.c.busy_until <= now)
        .order_by(attempts.c.next_check_at)
        .limit(limit)
    )
    return [_attempt(row) for row in connection.execute(query)]


def take(database: Database, attempt_id: str, now: float, until: float) -> bool:
    """Be the only one at an attempt until `until` (Unix seconds). False if somebody else is, or it is settled."""
    statement = (
        update(attempts)
        .where(attempts.c.id == attempt_id, _unsettled, attempts.c.busy_until <= now)
        .values(busy_until=until)
    )
    with database.write() as connection:
        return connection.execute(statement).rowcount == 1


def put_charge(connection: Connection, intent: PaymentIntent, charge: Charge) -> None:
    """Insert or replace what we know of a charge."""
    known = connection.execute(
        update(charges).where(charges.c.store_id == intent.store_id, charges.c.id == charge.id).values(**asdict(charge))
    )
    if not known.rowcount:
        connection.execute(insert(charges).values(store_id=intent.store_id, intent_id=intent.id, **asdict(charge)))


def _with_charge() -> Any:
    columns = [charges.c[name].label(f"charge_{name}") for name in _CHARGE_FIELDS]
    return select(intents, *columns).outerjoin(charges, charges.c.intent_id == intents.c.id)


def _one(connection: Connection, condition: Any) -> PaymentIntent | None:
    """The intent with its newest charge."""
    row = connection.execute(_with_charge().where(condition).order_by(charges.c.created.desc()).limit(1)).first()
    return _intent(row) if row else None


def _intent(row: Row[Any]) -> PaymentIntent:
    known = row._mapping
    charge = None
    if known["charge_id"] is not None:
        charge = Charge(**{name: known[f"charge_{name}"] for name in _CHARGE_FIELDS})
    values = {name: known[name] for name in _INTENT_FIELDS} | {"status": Status(known["status"])}
    return PaymentIntent(**values, metadata=known["meta"], charge=charge)


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(**dict(row._mapping) | {"state": AttemptState(row.state)})
