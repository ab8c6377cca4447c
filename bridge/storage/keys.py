"""Rows of `api_keys` and `oauth_nonces`."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bridge.domain.stores import ApiKey, Permissions
from bridge.storage.compiled import Connection
from bridge.storage.engine import Database
from bridge.storage.tables import EMPTY, api_keys, oauth_nonces, stores

_BY_HASH = (
    select(api_keys, stores.c.updated.label("store_updated"))
    .join(stores, stores.c.id == api_keys.c.store_id)
    .where(api_keys.c.key_hash == bindparam("key_hash"), stores.c.removed.is_(None))
)
_DUE = or_(api_keys.c.last_used.is_(None), api_keys.c.last_used <= bindparam("before"))
_USE = (
    update(api_keys)
    .where(
        api_keys.c.id.in_(
            select(api_keys.c.id).where(api_keys.c.id == bindparam("key"), _DUE).with_for_update(skip_locked=True)
        )
    )
    .values(last_used=bindparam("now"))
)
has_problem = and_(api_keys.c.store_problem != EMPTY, api_keys.c.revoked.is_(None))
"""Of a key that is not revoked here, and against which its store has something."""
_REMOVED = select(stores.c.id).where(stores.c.id == api_keys.c.store_id, stores.c.removed.is_not(None))
_FORGET_REMOVED = delete(api_keys).where(api_keys.c.key_hash == bindparam("key_hash"), _REMOVED.exists())
NOT_SECRET = [column for column in api_keys.c if column.name not in ("key_hash", "secret", "consumer_key")]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it was found, with its encrypted secret and the version of its store's row, or the encrypted key."""

    key: ApiKey
    secret: str = field(repr=False)
    store_updated: float = 0.0
    consumer_key: str = field(default="", repr=False)


def add(connection: Connection, key: ApiKey, key_hash: str, secret: str, consumer_key: str | None = None) -> bool:
    """False if the consumer key exists already, revoked or not, unless its store was removed."""
    connection.execute(_FORGET_REMOVED, {"key_hash": key_hash})
    values = _row(key)
    try:
        with connection.begin_nested():
            connection.execute(
                insert(api_keys).values(key_hash=key_hash, secret=secret, consumer_key=consumer_key, **values)
            )
    except IntegrityError:
        return False
    return True


def find(connection: Connection, key_hash: str) -> StoredKey | None:
    """The key with this hash, whether or not it may still be used, unless its store was removed."""
    row = connection.execute(_BY_HASH, {"key_hash": key_hash}).first()
    return StoredKey(_key(row._mapping), row.secret, row.store_updated) if row else None


def of_store(connection: Connection, store_id: str | None) -> list[ApiKey]:
    """All keys, or those of one store, oldest first."""
    query = select(*NOT_SECRET).order_by(api_keys.c.created)
    if store_id:
        query = query.where(api_keys.c.store_id == store_id)
    return [_key(row._mapping) for row in connection.execute(query)]


def made_by_the_store(connection: Connection, store_id: str, bridge: str) -> list[StoredKey]:
    """Those of a store that can be asked for, and that are not known to be the `bridge`'s own."""
    query = select(*NOT_SECRET, api_keys.c.secret, api_keys.c.consumer_key).where(
        api_keys.c.store_id == store_id, api_keys.c.consumer_key.is_not(None), api_keys.c.origin != bridge
    )
    found = connection.execute(query.order_by(api_keys.c.created))
    return [StoredKey(_key(row._mapping), row.secret, consumer_key=row.consumer_key) for row in found]


def with_problems(connection: Connection, limit: int) -> list[ApiKey]:
    """Keys that are not revoked here, and against which their store has something."""
    query = select(*NOT_SECRET).where(has_problem).order_by(api_keys.c.store_id).limit(limit)
    return [_key(row._mapping) for row in connection.execute(query)]


def ending(connection: Connection, before: float, limit: int) -> list[ApiKey]:
    """Keys that end, or have ended, `before` then (Unix seconds), those first that end first; not those that are
    revoked, or replaced by others, or of a store that was removed."""
    query = (
        select(*NOT_SECRET)
        .where(api_keys.c.expires < before, api_keys.c.revoked.is_(None), ~api_keys.c.replaced, ~_REMOVED.exists())
        .order_by(api_keys.c.expires)
        .limit(limit)
    )
    return [_key(row._mapping) for row in connection.execute(query)]


def by_name(connection: Connection, name: str, *, lock: bool = False) -> list[ApiKey]:
    """Keys whose id or last characters are `name`; with `lock` nobody else changes them in this transaction."""
    query = select(*NOT_SECRET).where(or_(api_keys.c.id == name, api_keys.c.truncated == name))
    if lock:
        query = query.with_for_update()
    return [_key(row._mapping) for row in connection.execute(query)]


def change(connection: Connection, key_id: str, **values: float | str | None) -> None:
    connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(**values))


def use(database: Database, key_id: str, now: float, before: float, consumer_key: str | None = None) -> bool:
    """Write down that a key was used, unless that was done after `before` (Unix seconds) or is being done right now;
    and the encrypted key, if it is given."""
    with database.write() as connection:
        is_new = connection.execute(_USE, {"key": key_id, "now": now, "before": before}).rowcount == 1
        if is_new and consumer_key:
            change(connection, key_id, consumer_key=consumer_key)
        return is_new


def use_nonce(database: Database, key_id: str, nonce: str, timestamp: int, forget_before: int) -> bool:
    """Remember a nonce; False if it was used before. Timestamps before `forget_before` (Unix seconds) are dropped."""
    try:
        with database.write() as connection:
            connection.execute(delete(oauth_nonces).where(oauth_nonces.c.timestamp < forget_before))
            connection.execute(insert(oauth_nonces).values(key_id=key_id, nonce=nonce, timestamp=timestamp))
    except IntegrityError:
        return False
    return True


def restrict(connection: Connection, key_id: str, **changed: Any) -> None:
    """Write these restrictions, and whether it was replaced; nothing else."""
    if "networks" in changed:
        changed["networks"] = " ".join(changed["networks"])
    change(connection, key_id, **changed)


def _row(key: ApiKey) -> dict[str, Any]:
    values = {column.name: getattr(key, column.name) for column in NOT_SECRET}
    return values | {"networks": " ".join(key.networks)}


def _key(row: Any) -> ApiKey:
    values = {column.name: row[column.name] for column in NOT_SECRET}
    changed = {"permissions": Permissions(values["permissions"]), "networks": tuple(values["networks"].split())}
    return ApiKey(**values | changed)
