"""Rows of `intents`, `attempts` and `charges`.

Statements are built once, at the end of this file; values go in as parameters.
"""

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    union,
    update,
)

from bridge.domain.errors import AwaitsReconcile, InProgress, Refused
from bridge.domain.intents import (
    UNSETTLED,
    Attempt,
    AttemptState,
    Charge,
    Operation,
    PaymentIntent,
    Status,
)
from bridge.domain.orders import is_order_id
from bridge.storage import jobs
from bridge.storage.compiled import Connection, Row
from bridge.storage.engine import Database
from bridge.storage.payment_tables import OWN_NUMBER, attempts, charges, intents
from bridge.storage.shops import shop_of
from bridge.storage.stores import AWAITS
from bridge.storage.tables import stores, words

_INTENT_FIELDS = [f.name for f in fields(PaymentIntent) if f.name != "charge"]
_ATTEMPT_FIELDS = [f.name for f in fields(Attempt)]
_CHARGE_FIELDS = [f.name for f in fields(Charge)]


def add_intent(connection: Connection, intent: PaymentIntent) -> None:
    """IntegrityError if another one holds its order: `order_locks.claim` is the way in."""
    connection.execute(_ADD_INTENT, _values(intent, _INTENT_FIELDS) | {"entry": intent.store_id})


def add_attempt(
    connection: Connection, attempt: Attempt, generation: int | None = None, *, moves_money: bool = True
) -> None:
    """Begin something at the provider; its list is read soon, in case that no message tells what became of it.

    Not at a store that was removed or, of a new payment, has another account than it was made for: whoever changes the
    store locks its row, to which the attempt refers, so that one of the two sees the other. Raises Refused, InProgress.
    Nor, if it `moves_money`, at one that awaits its reconciliation, whatever this process knows of the store yet:
    raises AwaitsReconcile. An attempt that stands for what the provider has already moves none.
    """
    connection.execute(_ADD_ATTEMPT, _values(attempt, _ATTEMPT_FIELDS))
    jobs.hurry(connection, attempt.store_id, attempt.created)
    store = connection.execute(_STORE, {"store": attempt.store_id}).one()
    if store.removed is not None:
        raise Refused("The store was removed.", reason="store_removed")
    if generation is not None and store.generation != generation:
        raise InProgress("The store has just changed. Ask again in a moment.", outcome="none")
    if store.awaits and moves_money:
        raise AwaitsReconcile("No money moves through this store until it has been reconciled.")


def get(connection: Connection, intent_id: str, *, lock: bool = False) -> PaymentIntent:
    """By our own id. With `lock` nobody else writes it until this transaction ends."""
    if lock and connection.dialect.name != "sqlite":
        connection.execute(_LOCK, {"intent": intent_id})
    intent = first(connection, _BY_ID, intent=intent_id)
    if intent is None:
        raise LookupError(intent_id)
    return intent


def find(connection: Connection, store_id: str, name: str) -> PaymentIntent | None:
    """By public id, attempt id or any reference, within one store."""
    names = {"store": store_id, "name": name}
    return first(connection, _BY_PUBLIC_ID, **names) or first(connection, _BY_ATTEMPT, **names)


def by_charge(connection: Connection, store_id: str, charge_id: str) -> PaymentIntent | None:
    """The intent of a charge, with that charge."""
    return first(connection, _BY_CHARGE, store=store_id, charge=charge_id)


def first_look(connection: Connection, now: float, busy: Collection[str] = ()) -> str | None:
    """The store of the intent that `claim_look` would take."""
    row = connection.execute(_LOOK, {"now": now, "busy": [*busy, ""]}).first()
    return row.store_id if row else None


def claim_look(database: Database, now: float, again: float, busy: Collection[str] = ()) -> tuple[str, str] | None:
    """Take the intent that should be looked at first, but for the stores in `busy`; its id and its store's.

    Nobody else gets it before `again` (Unix seconds), unless what is recorded of it says otherwise.
    """
    wanted = {"now": now, "busy": [*busy, ""]}
    with database.read() as connection:
        if connection.execute(_LOOK, wanted).first() is None:
            return None
    with database.write() as connection:
        row = connection.execute(_LOOK.with_for_update(skip_locked=True), wanted).first()
        if row is None:
            return None
        change(connection, row.id, look_at=again)
        return row.id, row.store_id


def of_order(connection: Connection, store_id: str, order_id: int) -> list[PaymentIntent]:
    """All intents of one store's order, oldest first."""
    return _every(connection, _of_order, intents.c.store_id == bindparam("store"), store=store_id, order=order_id)


def of_shops_order(connection: Connection, store_id: str, live: bool, order_id: int) -> list[PaymentIntent]:
    """All intents of one order of the store's shop in one mode, whichever entries have begun them, oldest first."""
    return _every(connection, _of_order, intents.c.live.is_(live), store=store_id, order=order_id)


def of_order_everywhere(connection: Connection, order_id: int) -> list[PaymentIntent]:
    """All intents of an order number, whatever their store, oldest first: for the owner's own commands only."""
    return _every(connection, intents.c.order_id == order_id)


def everywhere(connection: Connection, name: str) -> list[PaymentIntent]:
    """Like `find`, over all stores: for the owner's own commands only."""
    found = (
        select(intents.c.id).where(intents.c.public_id == name),
        select(attempts.c.intent_id).where(attempts.c.id == name),
        select(attempts.c.intent_id).where(attempts.c.reference == name),
    )
    return _every(connection, intents.c.id.in_(union(*found)))


def named(connection: Connection, name: str) -> list[PaymentIntent]:
    """What an owner may call so: the intent with this id, of any kind, else all of the orders with this id or number,
    with a # or without; oldest first. For the owner's own commands only."""
    return everywhere(connection, name) or _every(connection, is_called(name))


def is_called(order: str) -> ColumnElement[bool]:
    """Whether the order of an intent has this id or number, with a # or without."""
    number = order.removeprefix("#")
    of_its_own: ColumnElement[bool] = literal_column(OWN_NUMBER)
    found = [select(intents.c.id).where(intents.c.order_number == number, of_its_own)]
    if is_order_id(number):
        found.append(select(intents.c.id).where(intents.c.order_id == int(number)))
    return intents.c.id.in_(union(*found))


def change(connection: Connection, intent_id: str, **values: Any) -> None:
    connection.execute(_CHANGE_INTENT, {"the_id": intent_id, **values})


def change_attempt(connection: Connection, attempt_id: str, **values: Any) -> None:
    connection.execute(_CHANGE_ATTEMPT, {"the_id": attempt_id, **values})


def answer(
    connection: Connection, attempt_id: str, now: float, reference: str | None, material: str | None = None
) -> None:
    """The attempt is done, and the provider calls what came of it so. When that was first known stays."""
    connection.execute(_ANSWER, {"the_id": attempt_id, "now": now, "said": reference, "sealed": material})


def attempt(connection: Connection, attempt_id: str) -> Attempt:
    return _attempt(connection.execute(_ATTEMPT, {"attempt": attempt_id}).one())


def attempts_of(connection: Connection, intent_id: str) -> list[Attempt]:
    """Oldest first; the create is the first one even if the clock was set back since."""
    return [_attempt(row) for row in connection.execute(_ATTEMPTS, {"intent": intent_id})]


def unsettled(connection: Connection, intent_id: str) -> Attempt | None:
    """The attempt of this intent whose outcome nobody knows yet."""
    row = connection.execute(_UNSETTLED, {"intent": intent_id}).first()
    return _attempt(row) if row else None


def is_unsettled(connection: Connection, intent_id: str) -> bool:
    """Whether nobody knows the outcome of one of this intent's attempts."""
    return bool(connection.execute(_IS_UNSETTLED, {"intent": intent_id}).scalar())


def due_attempt(connection: Connection, now: float, busy: Collection[str] = ()) -> Attempt | None:
    """The unsettled attempt that nobody is at and that should be looked at first, but for the stores in `busy`."""
    row = connection.execute(_DUE, {"now": now, "busy": [*busy, ""]}).first()
    return _attempt(row) if row else None


def forget_material(connection: Connection, intent_id: str) -> None:
    """Drop what the buyer's page would need."""
    connection.execute(_FORGET, {"the_intent": intent_id, "material": None})


def take(database: Database, attempt_id: str, now: float, until: float) -> bool:
    """Be the only one at an attempt until `until` (Unix seconds). False if somebody else is, or it is settled."""
    with database.write() as connection:
        taken = connection.execute(_TAKE, {"the_id": attempt_id, "now": now, "busy_until": until})
        return taken.rowcount == 1


def put_charge(connection: Connection, intent: PaymentIntent, charge: Charge) -> None:
    """Insert or replace what we know of a charge."""
    if charge == intent.charge:
        return
    values = _values(charge, _CHARGE_FIELDS)
    if intent.charge is not None:
        replaced = connection.execute(_CHANGE_CHARGE, {"the_store": intent.store_id, "the_id": charge.id, **values})
        if replaced.rowcount:
            return
    connection.execute(_ADD_CHARGE, {"store_id": intent.store_id, "intent_id": intent.id, **values})


def _values(thing: PaymentIntent | Attempt | Charge, names: list[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def first(connection: Connection, query: Select[Any], **values: Any) -> PaymentIntent | None:
    """The first row of a query of WITH_CHARGE."""
    row = connection.execute(query, values).first()
    return _intent(row) if row else None


def _every(connection: Connection, *conditions: Any, **values: Any) -> list[PaymentIntent]:
    rows = connection.execute(WITH_CHARGE.where(*conditions).order_by(intents.c.created, charges.c.created), values)
    return list({row.id: _intent(row) for row in rows}.values())


def _intent(row: Row) -> PaymentIntent:
    known = row._mapping
    charge = None
    if known["charge_id"] is not None:
        charge = Charge(**{name: known[f"charge_{name}"] for name in _CHARGE_FIELDS})
    values = {name: known[name] for name in _INTENT_FIELDS} | {"status": Status(known["status"])}
    return PaymentIntent(**values, charge=charge)


def _attempt(row: Row) -> Attempt:
    return Attempt(**dict(row._mapping) | {"operation": Operation(row.operation), "state": AttemptState(row.state)})


def _newest(*conditions: Any) -> Select[Any]:
    """The intent with its newest charge."""
    return WITH_CHARGE.where(*conditions).order_by(charges.c.created.desc()).limit(1)


_BOTH: tuple[Any, ...] = (intents, *(charges.c[name].label(f"charge_{name}") for name in _CHARGE_FIELDS))
WITH_CHARGE: Select[Any] = select(*_BOTH).outerjoin(charges, charges.c.intent_id == intents.c.id)
_unsettled = attempts.c.state.in_(words(UNSETTLED))
_of_intent = attempts.c.intent_id == bindparam("intent")

_ADD_INTENT = insert(intents).values(shop_id=shop_of("entry"))
_ADD_ATTEMPT, _ADD_CHARGE = insert(attempts), insert(charges)
_CHANGE_INTENT = update(intents).where(intents.c.id == bindparam("the_id"))
_CHANGE_ATTEMPT = update(attempts).where(attempts.c.id == bindparam("the_id"))
_ANSWER = _CHANGE_ATTEMPT.values(
    state=AttemptState.DONE,
    busy_until=0.0,
    reference=bindparam("said"),
    material=bindparam("sealed"),
    answered=func.coalesce(attempts.c.answered, bindparam("now")),
)
_CHANGE_CHARGE = update(charges).where(
    charges.c.store_id == bindparam("the_store"), charges.c.id == bindparam("the_id")
)
_TAKE = update(attempts).where(
    attempts.c.id == bindparam("the_id"), _unsettled, attempts.c.busy_until <= bindparam("now")
)
_LOCK = select(intents.c.id).where(intents.c.id == bindparam("intent")).with_for_update()
_BY_ID = _newest(intents.c.id == bindparam("intent"))
_of_order = and_(intents.c.shop_id == shop_of("store"), intents.c.order_id == bindparam("order"))
_BY_PUBLIC_ID = _newest(intents.c.store_id == bindparam("store"), intents.c.public_id == bindparam("name"))
_BY_ATTEMPT = _newest(
    intents.c.store_id == bindparam("store"),
    intents.c.id
    == select(attempts.c.intent_id)
    .where(
        attempts.c.store_id == bindparam("store"),
        or_(attempts.c.id == bindparam("name"), attempts.c.reference == bindparam("name")),
    )
    .limit(1)
    .scalar_subquery(),
)
_STORE = select(stores.c.removed, stores.c.generation, AWAITS).where(stores.c.id == bindparam("store"))
_ATTEMPT = select(attempts).where(attempts.c.id == bindparam("attempt"))
_ATTEMPTS = (
    select(attempts)
    .where(_of_intent)
    .order_by(attempts.c.id != attempts.c.intent_id, attempts.c.created, attempts.c.sent_at)
)
_UNSETTLED = select(attempts).where(_of_intent, _unsettled).order_by(attempts.c.created)
_IS_UNSETTLED = select(exists().where(and_(_of_intent, _unsettled)))
_DUE = (
    select(attempts)
    .where(_unsettled, attempts.c.next_check_at <= bindparam("now"), attempts.c.busy_until <= bindparam("now"))
    .where(attempts.c.store_id.not_in(bindparam("busy", expanding=True)))
    .order_by(attempts.c.next_check_at)
    .limit(1)
)
_BY_CHARGE = (
    select(*_BOTH)
    .select_from(charges.join(intents, intents.c.id == charges.c.intent_id))
    .where(charges.c.store_id == bindparam("store"), charges.c.id == bindparam("charge"))
    .limit(1)
)
_LOOK = (
    select(intents.c.id, intents.c.store_id)
    .where(intents.c.look_at <= bindparam("now"), intents.c.store_id.not_in(bindparam("busy", expanding=True)))
    .order_by(intents.c.look_at)
    .limit(1)
)
_FORGET = update(attempts).where(attempts.c.intent_id == bindparam("the_intent"), attempts.c.material.is_not(None))
