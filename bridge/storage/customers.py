"""Rows of `customers`: which customer of the provider a shopper is."""

from sqlalchemy import Connection, bindparam, insert, select, update

from bridge.storage.tables import customers


def find(connection: Connection, store_id: str, shopper: str) -> str | None:
    query = select(customers.c.customer).where(customers.c.store_id == store_id, customers.c.shopper == shopper)
    return connection.execute(query).scalar()


def put(connection: Connection, store_id: str, shopper: str, customer: str) -> None:
    key = (customers.c.store_id == store_id) & (customers.c.shopper == shopper)
    if not connection.execute(update(customers).where(key).values(customer=customer)).rowcount:
        connection.execute(insert(customers), {"store_id": store_id, "shopper": shopper, "customer": customer})


def owners(connection: Connection, customer: str) -> set[str]:
    """Ids of the stores for which the bridge has made or kept this customer."""
    return set(connection.execute(_OWNERS, {"customer": customer}).scalars())


_OWNERS = select(customers.c.store_id).where(customers.c.customer == bindparam("customer"))
