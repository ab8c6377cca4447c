"""Rows of `shops`: which entries (stores) share their orders, the addresses of a shop, and who has changed what."""

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields

from sqlalchemy import ScalarSelect, Select, and_, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.shops import Change
from bridge.storage.compiled import Connection
from bridge.storage.payment_tables import intents
from bridge.storage.tables import shop_addresses, shop_history, shops, stores


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a shop. At `removed` (Unix seconds) it was; None for one that is served."""

    id: str
    live: bool
    adapter: str
    url: str
    identity: str
    removed: float | None


@dataclass(frozen=True, slots=True)
class Address:
    """Of a shop that answers there, or did until `until` (Unix seconds)."""

    shop_id: str
    until: float | None


def shop_of(store: str) -> ScalarSelect[str]:
    """The shop of the entry that the statement's parameter `store` names, removed or not."""
    return select(stores.c.shop_id).where(stores.c.id == bindparam(store)).scalar_subquery()


def entries_of(store: str) -> Select[tuple[str]]:
    """Ids of all entries of that shop that are served."""
    return select(stores.c.id).where(stores.c.shop_id == shop_of(store), stores.c.removed.is_(None))


def add(connection: Connection, now: float) -> str:
    """A new shop; its id says nothing."""
    shop_id = secrets.token_hex(16)
    connection.execute(insert(shops).values(id=shop_id, created=now))
    return shop_id


def at_address(connection: Connection, address: str) -> Address | None:
    columns = shop_addresses.c.shop_id, shop_addresses.c.until
    row = connection.execute(select(*columns).where(shop_addresses.c.address == address)).first()
    return Address(row.shop_id, row.until) if row else None


def addresses(connection: Connection, shop_id: str) -> list[str]:
    """Those at which it answers, the first one first."""
    known = (shop_addresses.c.shop_id == shop_id, shop_addresses.c.until.is_(None))
    query = select(shop_addresses.c.address).where(*known).order_by(shop_addresses.c.since, shop_addresses.c.address)
    return list(connection.execute(query).scalars())


def claim_address(connection: Connection, address: str, shop_id: str, now: float) -> bool:
    """Let a shop answer at an address that no shop has ever had. False if somebody else was first: whoever does so at
    the same moment is waited for."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = make(shop_addresses).values(address=address, shop_id=shop_id, since=now).on_conflict_do_nothing()
    return connection.execute(added.returning(shop_addresses.c.address)).first() is not None


def take_address(connection: Connection, address: str, shop_id: str, now: float) -> None:
    """Let a shop answer at an address that it, or another one, has left."""
    known = shop_addresses.c.address == address
    connection.execute(update(shop_addresses).where(known).values(shop_id=shop_id, since=now, until=None))


def leave_address(connection: Connection, address: str, now: float) -> None:
    """It answers there no more. That it did is kept: who comes to that address next has to say who it is."""
    connection.execute(update(shop_addresses).where(shop_addresses.c.address == address).values(until=now))


def forget(connection: Connection, shop_id: str) -> None:
    """A shop that nobody has heard of."""
    connection.execute(delete(shops).where(shops.c.id == shop_id))


def lock(connection: Connection, *shop_ids: str) -> None:
    """Nobody else adds or moves an entry of these until this transaction ends. SQLite has one writer anyway."""
    if connection.dialect.name != "sqlite":
        known = select(shops.c.id).where(shops.c.id.in_(shop_ids)).order_by(shops.c.id)
        connection.execute(known.with_for_update()).all()


def of_entry(connection: Connection, store_id: str) -> str | None:
    """The shop of an entry, removed or not."""
    return connection.execute(select(stores.c.shop_id).where(stores.c.id == store_id)).scalar()


def entries(connection: Connection, shop_id: str) -> list[Entry]:
    """The oldest first, those that were removed included."""
    columns = [stores.c[f.name] for f in fields(Entry)]
    query = select(*columns).where(stores.c.shop_id == shop_id).order_by(stores.c.created, stores.c.id)
    return [Entry(**row._mapping) for row in connection.execute(query)]


def left_behind(connection: Connection, url: str, identity: str, live: bool) -> list[str]:
    """Shops of which an entry of just this kind was removed, the last one first."""
    alike = (stores.c.url == url, stores.c.identity == identity, stores.c.live.is_(live), stores.c.removed.is_not(None))
    query = select(stores.c.shop_id).where(*alike).order_by(stores.c.removed.desc())
    return list(dict.fromkeys(connection.execute(query).scalars()))


def beside(connection: Connection, store_ids: Collection[str]) -> dict[str, list[str]]:
    """Of each of these entries, the others that are served for the same shop in the same mode; none is left out that
    has some."""
    found: dict[str, list[str]] = {}
    for row in connection.execute(_BESIDE, {"ids": [*store_ids, ""]}):
        found.setdefault(row.id, []).append(row.other)
    return found


def join(connection: Connection, store_id: str, shop_id: str) -> list[str]:
    """Make an entry one of another shop's, with its payments. Ids of those whose order that shop has a payment of: they
    go on holding it beside each other.

    No payment may begin meanwhile: its row would miss where its entry is now.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("lock table intents in share row exclusive mode"))
    moved, names = intents.alias("moved"), {"entry": store_id, "shop": shop_id}
    is_rival = (
        intents.c.shop_id == bindparam("shop"),
        intents.c.live == moved.c.live,
        intents.c.order_id == moved.c.order_id,
        intents.c.order_key == moved.c.order_key,
        intents.c.holding,
    )
    query = (
        select(moved.c.id, (moved.c.rival + 1 + func.max(intents.c.rival)).label("rival"))
        .join_from(moved, intents, and_(*is_rival))
        .where(moved.c.store_id == bindparam("entry"), moved.c.holding)
        .group_by(moved.c.id, moved.c.rival)
    )
    rivals = {row.id: row.rival for row in connection.execute(query, names)}
    for intent_id, rival in rivals.items():
        connection.execute(update(intents).where(intents.c.id == intent_id).values(rival=rival))
    of_entry = update(intents).where(intents.c.store_id == store_id)
    connection.execute(of_entry.values(shop_id=shop_id))
    connection.execute(update(stores).where(stores.c.id == store_id).values(shop_id=shop_id))
    return list(rivals)


def rivals(connection: Connection) -> int:
    """How many payments hold an order beside another one, because their entries were not known as one shop's."""
    held = (intents.c.rival > text("0"), intents.c.holding)
    return int(connection.execute(select(func.count()).select_from(intents).where(*held)).scalar_one())


def write(connection: Connection, shop_id: str, change: Change) -> None:
    """Add a line to the shop's history."""
    connection.execute(insert(shop_history).values(shop_id=shop_id, **asdict(change)))


def history(connection: Connection, shop_id: str) -> list[Change]:
    """The oldest first."""
    columns = [shop_history.c[f.name] for f in fields(Change)]
    query = select(*columns).where(shop_history.c.shop_id == shop_id).order_by(shop_history.c.id)
    return [Change(**row._mapping) for row in connection.execute(query)]


_other = stores.alias("other")
_BESIDE = (
    select(stores.c.id, _other.c.id.label("other"))
    .join_from(
        stores,
        _other,
        (_other.c.shop_id == stores.c.shop_id) & (_other.c.live == stores.c.live) & (_other.c.id != stores.c.id),
    )
    .where(stores.c.id.in_(bindparam("ids", expanding=True)), _other.c.removed.is_(None))
    .order_by(stores.c.id, _other.c.created, _other.c.id)
)
