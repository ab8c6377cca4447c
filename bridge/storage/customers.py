"""Rows of `customers`: which customer of the provider a shopper is."""

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from bridge.storage.compiled import Connection
from bridge.storage.tables import customers, stores


def find(connection: Connection, store_id: str, shopper: str) -> str | None:
    query = select(customers.c.customer).where(customers.c.store_id == store_id, customers.c.shopper == shopper)
    return connection.execute(query).scalar()


def put(connection: Connection, store_id: str, shopper: str, customer: str) -> None:
    """Insert or replace, whoever else does so at the same moment."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    added = insert(customers).values(store_id=store_id, shopper=shopper, customer=customer)
    connection.execute(added.on_conflict_do_update(index_elements=customers.primary_key, set_={"customer": customer}))


def owners(connection: Connection, customer: str) -> set[str]:
    """Ids of the stores for which the bridge has made or kept this customer."""
    return set(connection.execute(_OWNERS, {"customer": customer}).scalars())


def owning_shops(connection: Connection, customer: str) -> set[str]:
    """The shops of those stores, of removed ones, too."""
    return set(connection.execute(_OWNING_SHOPS, {"customer": customer}).scalars())


_OWNERS = select(customers.c.store_id).where(customers.c.customer == bindparam("customer"))
_OWNING_SHOPS = select(stores.c.shop_id).join(customers).where(customers.c.customer == bindparam("customer"))
