"""The shop holds an order, whichever of its entries has begun the payment.

Entries of one address become one shop's; an entry of a host's own order book is a shop of its own. Payments of one
order that two entries had begun go on holding it, both of them, numbered by `rival`, and a person is told.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from bridge.domain.shops import address_of

revision, down_revision = "0013", "0012"

SEALED = "encrypted:"
SHORT = 120
"""Characters of a sealed consumer key that is shorter than any of WooCommerce's: orders of a host have none. Nothing
makes one of 109, `ck_` and 40 digits one of 149."""
WHO = "migration 0013"
MONEY = ("succeeded", "requires_capture")
RIVALS = """
select id, number from (
    select id, row_number() over (partition by shop_id, live, order_id, order_key order by created, id) - 1 as number,
        count(*) over (partition by shop_id, live, order_id, order_key) as number_of_all
    from intents where holding
) as ranked where number_of_all > 1 order by id
"""


def upgrade() -> None:
    _make_tables()
    empty = sa.text("''")
    op.add_column("stores", sa.Column("shop_id", sa.String(length=32), server_default=empty, nullable=False))
    op.add_column("intents", sa.Column("shop_id", sa.String(length=32), server_default=empty, nullable=False))
    op.add_column("intents", sa.Column("rival", sa.Integer(), server_default=sa.text("0"), nullable=False))
    connection = op.get_bind()
    _find_shops(connection)
    op.drop_index("uq_intents_holding", "intents")
    op.drop_index("ix_intents_order", "intents")
    connection.execute(
        sa.text("update intents set shop_id = (select shop_id from stores where stores.id = intents.store_id)")
    )
    _keep_rivals(connection)
    _make_indexes()
    if connection.dialect.name == "postgresql":
        for table in ("stores", "intents"):  # what a process of the version before would write is refused
            op.alter_column(table, "shop_id", server_default=None)


def _make_tables() -> None:
    op.create_table(
        "shops",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shops")),
    )
    op.create_table(
        "shop_addresses",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double()),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_shop_addresses_shop_id")),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_shop_addresses")),
    )
    op.create_index("ix_shop_addresses_shop_id", "shop_addresses", ["shop_id"])
    op.create_table(
        "shop_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("shop_id", sa.String(length=32), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name=op.f("fk_shop_history_shop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_history")),
    )
    op.create_index("ix_shop_history_shop_id", "shop_history", ["shop_id"])


def _make_indexes() -> None:
    op.create_index("ix_stores_shop", "stores", ["shop_id"])
    op.create_index("ix_intents_order", "intents", ["order_id", "shop_id", "created"])
    where = sa.text("rival > 0")
    op.create_index("ix_intents_rival", "intents", ["rival"], sqlite_where=where, postgresql_where=where)
    columns, where = ["shop_id", "live", "order_id", "order_key", "rival"], sa.text("holding")
    op.create_index("uq_intents_holding", "intents", columns, unique=True, sqlite_where=where, postgresql_where=where)


def _find_shops(connection: sa.Connection) -> None:
    now = time.time()
    query = "select id, url, identity, live, consumer_key, created, removed from stores order by created, id"
    found = [dict(row._mapping) for row in connection.execute(sa.text(query))]
    shops, addresses = dict[str, str](), dict[str, dict[str, Any]]()
    for entry, shop in _grouped(found):
        shops[entry["id"]] = shop
        if not _is_hosts(entry):
            address = address_of(entry["identity"])
            addresses.setdefault(address, {"address": address, "shop": shop, "since": entry["created"]})
    _all(connection, "insert into shops (id, created) values (:id, :now)", [
        {"id": shop, "now": now} for shop in dict.fromkeys(shops.values())
    ])  # fmt: skip
    _all(
        connection,
        "insert into shop_addresses (address, shop_id, since) values (:address, :shop, :since)",
        list(addresses.values()),
    )
    _all(connection, "update stores set shop_id = :shop where id = :id", [
        {"id": entry, "shop": shop} for entry, shop in shops.items()
    ])  # fmt: skip
    _all(
        connection,
        "insert into shop_history (shop_id, store_id, at, who, what, before, after)"
        " values (:shop, :id, :now, :who, 'found', '', :identity)",
        [
            {"shop": shops[entry["id"]], "id": entry["id"], "now": now, "who": WHO, "identity": entry["identity"]}
            for entry in found
        ],
    )


def _grouped(entries: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each entry with its shop. One of a host that was removed and added again is the same shop's."""
    of_address, left = dict[str, str](), dict[tuple[Any, ...], list[tuple[float, str]]]()
    for entry in entries:
        if not _is_hosts(entry):
            yield entry, of_address.setdefault(address_of(entry["identity"]), _shop_id(entry))
            continue
        name = (entry["url"], entry["identity"], bool(entry["live"]))
        free = [each for each in left.setdefault(name, []) if each[0] <= entry["created"]]
        shop = max(free)[1] if free else _shop_id(entry)
        left[name] = [each for each in left[name] if each[1] != shop]
        if entry["removed"] is not None:
            left[name].append((entry["removed"], shop))
        yield entry, shop


def _shop_id(entry: dict[str, Any]) -> str:
    """As good as random, and the same each time that the migration is run."""
    return hashlib.sha256(f"shop {entry['id']}".encode()).hexdigest()[:32]


def _is_hosts(entry: dict[str, Any]) -> bool:
    """Whether its orders are those of a host's own book: there is no key of WooCommerce's to read them with."""
    sealed = entry["consumer_key"].removeprefix(SEALED)
    return not sealed or (sealed != entry["consumer_key"] and len(sealed) < SHORT)


def _keep_rivals(connection: sa.Connection) -> None:
    """Payments of one order through two entries: all go on holding it until each is over, and a person is told."""
    numbers: dict[str, int] = {row.id: row.number for row in connection.execute(sa.text(RIVALS))}
    if not numbers:
        return
    _all(
        connection,
        "update intents set rival = :number where id = :id",
        [{"id": each, "number": number} for each, number in numbers.items() if number],
    )
    query = sa.text(
        "select id, coalesce(public_id, id) as name, store_id, shop_id, live, order_id, order_key, order_number, status"
        " from intents where id in :ids order by order_id, rival, id"
    ).bindparams(sa.bindparam("ids", expanding=True))
    orders = dict[tuple[Any, ...], list[Any]]()
    ids = list(numbers)
    for start in range(0, len(ids), 500):
        for row in connection.execute(query, {"ids": ids[start : start + 500]}):
            orders.setdefault((row.shop_id, row.live, row.order_id, row.order_key), []).append(row)
    now = time.time()
    told = [{"id": each, "flag": why, "now": now} for rivals in orders.values() for each, why in _told(rivals)]
    _all(connection, "update intents set flag = :flag, updated = :now where id = :id and flag = ''", told)
    _all(
        connection,
        "insert into journal (intent_id, at, kind, detail) values (:id, :now, 'flagged', :detail)",
        [{"id": each["id"], "now": now, "detail": json.dumps({"why": each["flag"]})} for each in told],
    )


def _told(rivals: list[Any]) -> Iterator[tuple[str, str]]:
    """What the flag of each payment of one order says."""
    is_twice = sum(each.status in MONEY for each in rivals) > 1
    for each in rivals:
        others = [other for other in rivals if other is not each]
        names = " and ".join(f"{other.name} through the entry {other.store_id}" for other in others)
        told = f"Order {each.order_number} has another payment: {names}."
        yield each.id, f"paid twice: {told} Send one back." if is_twice else f"order: {told}"


def _all(connection: sa.Connection, statement: str, values: list[dict[str, Any]]) -> None:
    if values:
        connection.execute(sa.text(statement), values)
