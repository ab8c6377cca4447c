"""Rows of `stores`. Secrets are ciphertexts or references here; `bridge.payments.stores` resolves them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.storage.tables import stores


def add(connection: Connection, row: Mapping[str, Any]) -> bool:
    """False if the id is taken."""
    try:
        with connection.begin_nested():
            connection.execute(insert(stores).values(**row))
    except IntegrityError:
        return False
    return True


def get(connection: Connection, store_id: str) -> dict[str, Any] | None:
    """The row of a store that was not removed."""
    row = connection.execute(select(stores).where(stores.c.id == store_id, stores.c.removed.is_(None))).first()
    return dict(row._mapping) if row else None


def everything(connection: Connection) -> list[dict[str, Any]]:
    query = select(stores).where(stores.c.removed.is_(None)).order_by(stores.c.created)
    return [dict(row._mapping) for row in connection.execute(query)]


def change(connection: Connection, store_id: str, **values: Any) -> None:
    connection.execute(update(stores).where(stores.c.id == store_id).values(**values))
