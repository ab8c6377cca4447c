"""What is compared with providers and shops after a while, and the marks of a database that was restored."""

from sqlalchemy import ColumnElement, bindparam, case, func, select, update

from bridge.domain.intents import PaymentIntent
from bridge.storage.compiled import Connection
from bridge.storage.intents import get as get_intent
from bridge.storage.payment_tables import intents, journal, refunds
from bridge.storage.tables import stores

PAGE = 200


def changed(connection: Connection, store_id: str, until: float, after: tuple[float, str]) -> list[PaymentIntent]:
    """A page of a store's intents by their last change, which was `until` then (Unix seconds) at the latest.

    `after` is `updated` and id of the last one of the page before; at first, since when, and "".
    """
    updated, intent_id = after
    later = (intents.c.updated > updated) | ((intents.c.updated == updated) & (intents.c.id > intent_id))
    query = (
        select(intents.c.id)
        .where(intents.c.store_id == store_id, intents.c.updated <= until, later)
        .order_by(intents.c.updated, intents.c.id)
        .limit(PAGE)
    )
    return [get_intent(connection, found) for found in connection.execute(query).scalars()]


def origins(connection: Connection, intent_id: str) -> dict[str, str]:
    """Of an intent's refunds: our id of each, and where it began (`bridge`, `provider`, or `store:` and its id)."""
    query = select(refunds.c.id, refunds.c.origin).where(refunds.c.intent_id == bindparam("intent"))
    return {row.id: row.origin for row in connection.execute(query, {"intent": intent_id})}


def last_change(connection: Connection, store_id: str) -> float | None:
    """When something was last written about one of a store's payments (Unix seconds)."""
    return connection.execute(_LAST_CHANGE, {"store": store_id}).scalar()


def newest_line(connection: Connection) -> float | None:
    """When the newest line of the journal was written (Unix seconds)."""
    newest = select(func.max(journal.c.id)).scalar_subquery()
    return connection.execute(select(journal.c.at).where(journal.c.id == newest)).scalar()


def hold_stores(connection: Connection, now: float, only: str | None = None) -> list[str]:
    """No money of any store, or of `only` this one, moves until it is released; the ids of those not held before."""
    free = [stores.c.removed.is_(None), ~stores.c.awaits_reconcile]
    if only:
        free.append(stores.c.id == only)
    held = list(connection.execute(select(stores.c.id).where(*free)).scalars())
    connection.execute(update(stores).where(stores.c.id.in_(held)).values(awaits_reconcile=True))
    _tell_entries(connection, held, now)
    return held


def release_store(connection: Connection, store_id: str, now: float) -> None:
    connection.execute(update(stores).where(stores.c.id == store_id).values(awaits_reconcile=False))
    _tell_entries(connection, [store_id], now)


def _tell_entries(connection: Connection, store_ids: list[str], now: float) -> None:
    """Every process reads them anew, and the other entries of their shops: whether those take money is changed, too."""
    of_shops = select(stores.c.shop_id).where(stores.c.id.in_(store_ids))
    connection.execute(update(stores).where(stores.c.shop_id.in_(of_shops)).values(updated=_later(now)))


def _later(now: float) -> ColumnElement[float]:
    """A time of change that no process has seen yet, so that each reads the store anew."""
    return case((stores.c.updated >= now, stores.c.updated + 0.001), else_=now)


_LAST_CHANGE = (
    select(intents.c.updated)
    .where(intents.c.store_id == bindparam("store"))
    .order_by(intents.c.updated.desc())
    .limit(1)
)
