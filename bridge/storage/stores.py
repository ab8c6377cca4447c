"""Rows of `stores`. Secrets are ciphertexts or references here; `bridge.registry.stores` resolves them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, insert, or_, select, text, union, update
from sqlalchemy.exc import IntegrityError

from bridge.domain.intents import FINAL
from bridge.storage.compiled import Connection
from bridge.storage.payment_tables import intents
from bridge.storage.tables import EMPTY, outbox, stores, word, words

_other = stores.alias("other")
_awaits_beside = exists().where(
    _other.c.shop_id == stores.c.shop_id,
    _other.c.live == stores.c.live,
    _other.c.awaits_reconcile,
    _other.c.removed.is_(None),
    _other.c.id != stores.c.id,
)
AWAITS = or_(stores.c.awaits_reconcile, _awaits_beside).label("awaits")
"""Of a store: whether it, or another entry of its shop, takes no money before it was compared."""


def add(connection: Connection, row: Mapping[str, Any]) -> bool:
    """False if the id is taken."""
    try:
        with connection.begin_nested():
            connection.execute(insert(stores).values(**row))
    except IntegrityError:
        return False
    return True


def get(connection: Connection, store_id: str) -> dict[str, Any] | None:
    """The row of a store that was not removed, with `awaits_beside`: whether another entry of its shop takes no money
    before it was compared."""
    row = connection.execute(
        select(stores, _awaits_beside.label("awaits_beside")).where(stores.c.id == store_id, stores.c.removed.is_(None))
    ).first()
    return dict(row._mapping) if row else None


def everything(connection: Connection) -> list[dict[str, Any]]:
    query = select(stores).where(stores.c.removed.is_(None)).order_by(stores.c.created)
    return [dict(row._mapping) for row in connection.execute(query)]


def of_address(connection: Connection, url: str) -> list[dict[str, Any]]:
    query = select(stores).where(stores.c.url == url, stores.c.removed.is_(None)).order_by(stores.c.created)
    return [dict(row._mapping) for row in connection.execute(query)]


def of_endpoint(connection: Connection, endpoint: str) -> list[dict[str, Any]]:
    """The stores whose providers send to it, oldest first: the one of that id, and those that share it."""
    serves = or_(stores.c.id == endpoint, stores.c.webhook_endpoint == endpoint)
    query = select(stores).where(serves, stores.c.removed.is_(None)).order_by(stores.c.created)
    return [dict(row._mapping) for row in connection.execute(query)]


def was_removed(connection: Connection, endpoint: str) -> bool:
    """Whether a store that was removed had this endpoint."""
    served = or_(stores.c.id == endpoint, stores.c.webhook_endpoint == endpoint)
    query = select(stores.c.id).where(served, stores.c.removed.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def held(connection: Connection, limit: int) -> list[str]:
    """Ids of stores that take no money before they were compared."""
    query = select(stores.c.id).where(text("awaits_reconcile"), stores.c.removed.is_(None)).order_by(stores.c.id)
    return list(connection.execute(query.limit(limit)).scalars())


def troubled(connection: Connection, limit: int) -> list[tuple[str, str]]:
    """Ids of stores with what is wrong with their account or endpoint at the provider."""
    found: list[tuple[str, str]] = []
    for problem in (stores.c.account_problem, stores.c.webhook_problem):
        query = select(stores.c.id, problem).where(problem != EMPTY, stores.c.removed.is_(None)).order_by(stores.c.id)
        found += [(row.id, row[1]) for row in connection.execute(query.limit(limit))]
    return found


def busiest(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Some stores, those first that have something under way: an open payment, or something to hear of."""
    under_way = union(
        select(intents.c.store_id).where(intents.c.status.not_in(words(FINAL))),
        select(outbox.c.store_id).where(outbox.c.state == word("pending")),
    ).limit(limit)
    ids = list(connection.execute(under_way).scalars())
    ids += connection.execute(
        select(stores.c.id).where(stores.c.removed.is_(None)).order_by(stores.c.id).limit(limit)
    ).scalars()
    found = (get(connection, store_id) for store_id in list(dict.fromkeys(ids))[:limit])
    return [row for row in found if row]


def readers_used(connection: Connection, store_id: str) -> float:
    """When a card reader of the store was last used, as far as the bridge knows (Unix seconds; 0 for never)."""
    return float(connection.execute(select(stores.c.readers_used).where(stores.c.id == store_id)).scalar() or 0.0)


def shop_of(connection: Connection, store_id: str) -> str:
    """The shop that a store is an entry of."""
    return str(connection.execute(select(stores.c.shop_id).where(stores.c.id == store_id)).scalar_one())


def names_payments(connection: Connection, store_id: str) -> bool:
    """Whether a note of the store's own has ever named a payment of ours: older ones write no such notes."""
    return bool(connection.execute(select(stores.c.names_payments).where(stores.c.id == store_id)).scalar())


def webhooks_restored(connection: Connection, store_id: str) -> list[float]:
    """When webhooks of the store were put back lately, in Unix seconds."""
    return list(connection.execute(select(stores.c.webhooks_restored).where(stores.c.id == store_id)).scalar() or [])


def change(connection: Connection, store_id: str, **values: Any) -> None:
    connection.execute(update(stores).where(stores.c.id == store_id).values(**values))
