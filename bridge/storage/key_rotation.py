"""Ciphertexts of older keys become ciphertexts of the first one, so that the older keys can be thrown away."""

from typing import Any

from sqlalchemy import Column, Table, and_, select, update

from bridge.storage.compiled import Connection
from bridge.storage.engine import Database
from bridge.storage.payment_tables import attempts
from bridge.storage.tables import api_keys, idempotency, inbox, secrets, stores
from bridge.storage.vault import Vault

COLUMNS: tuple[tuple[Table, str], ...] = (
    (secrets, "value"),
    (api_keys, "secret"),
    (api_keys, "consumer_key"),
    (attempts, "material"),
    (inbox, "body"),
    (idempotency, "answer"),
)
"""What is wholly a ciphertext."""
BATCH_ROWS = 200


def rekey(database: Database, vault: Vault, prefix: str, now: float) -> int:
    """Encrypt everything with the first key; how many ciphertexts were of another. Stores mark theirs with `prefix`.

    Raises ConfigurationError for one that no key opens.
    """
    total = sum(_column(database, vault, table, table.c[name]) for table, name in COLUMNS)
    with database.write() as connection:
        return total + _stores(connection, vault, prefix, now)


def _column(database: Database, vault: Vault, table: Table, column: Column[Any]) -> int:
    key, total = list(table.primary_key.columns), 0
    old = select(*key, column.label("sealed")).where(column.is_not(None), ~column.startswith(vault.current))
    while True:
        with database.write() as connection:
            rows = connection.execute(old.limit(BATCH_ROWS)).all()
            for row in rows:
                this = and_(*(part == getattr(row, part.name) for part in key), column == row.sealed)
                renewed = vault.encrypt(vault.decrypt(row.sealed))
                connection.execute(update(table).where(this).values({column.name: renewed}))
        total += len(rows)
        if len(rows) < BATCH_ROWS:
            return total


def _stores(connection: Connection, vault: Vault, prefix: str, now: float) -> int:
    total = 0
    for row in connection.execute(select(stores)).all():
        known = {"consumer_key": row.consumer_key, "consumer_secret": row.consumer_secret, **row.settings}
        stale = {
            name: prefix + vault.encrypt(vault.decrypt(value.removeprefix(prefix)))
            for name, value in known.items()
            if value.startswith(prefix) and not value.startswith(prefix + vault.current)
        }
        if stale:
            settings = {name: stale.get(name, value) for name, value in row.settings.items()}
            own = {name: value for name, value in stale.items() if name not in row.settings}
            values = {"settings": settings, "updated": max(now, row.updated + 0.001), **own}
            connection.execute(update(stores).where(stores.c.id == row.id).values(values))
            total += len(stale)
    return total
