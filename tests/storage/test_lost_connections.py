"""PostgreSQL ends a connection, as when it is restarted: before its first statement, between two, and at COMMIT.

Before the first one nothing was done, and nobody notices. Later it is trouble, and an order is paid once all the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, make_url, select, text
from sqlalchemy.exc import OperationalError

from bridge.storage import Connection, Database
from bridge.storage.tables import secrets
from tests.payments.providers import creates, shop_at, taken
from tests.plugins.databases import Server
from tests.plugins.statements import sent, watched
from tests.web.conftest import OpenShop, Shop, open_shop

__all__ = ["open_shop"]

ROW = {"name": "a", "value": "b"}
Use = Callable[[Database], object]


@dataclass
class Axe:
    """Ends connections of one database, from outside."""

    url: str
    ended: int = 0
    _admin: psycopg.Connection[Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        address = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._admin = psycopg.connect(address, autocommit=True)

    def end(self, connection: Connection) -> None:
        self._end("pid = %s", connection.driver.info.backend_pid)

    def end_all(self) -> None:
        self._end("datname = current_database() and pid <> %s", self._admin.info.backend_pid)

    def _end(self, condition: str, pid: int) -> None:
        told = self._admin.execute(
            f"select pg_terminate_backend(pid, 30000) from pg_stat_activity where {condition}", [pid]
        )
        gone = told.fetchall()
        assert all(done for (done,) in gone)
        self.ended += len(gone)

    def close(self) -> None:
        self._admin.close()


@pytest.fixture
def axe(postgres_url: str) -> Iterator[Axe]:
    axe = Axe(postgres_url)
    yield axe
    axe.close()


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.close()


def look(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(secrets.c.name)).scalars())


def look_at_one_moment(database: Database) -> list[str]:
    with database.snapshot() as connection:
        return list(connection.execute(select(secrets.c.name)).scalars())


def add(database: Database) -> list[str]:
    with database.write() as connection:
        connection.execute(insert(secrets), ROW)
    return look(database)


@contextmanager
def open_connections(database: Database, number: int) -> Iterator[None]:
    """So many are in the pool, and not in use."""
    held = [database.read() for _ in range(number)]
    for each in held:
        each.__enter__().execute(text("select 1"))
    for each in held:
        each.__exit__(None, None, None)
    yield


@pytest.mark.parametrize("use", [look, look_at_one_moment, add])
def test_after_a_restart_whoever_comes_first_gets_a_new_connection(database: Database, axe: Axe, use: Use) -> None:
    with open_connections(database, 5):
        axe.end_all()
    assert axe.ended == 5
    assert use(database) == (["a"] if use is add else [])
    assert axe.ended == 5


@pytest.mark.parametrize("use", [look, look_at_one_moment, add])
def test_a_connection_is_replaced_once_and_only_before_anything_was_done(
    database: Database, axe: Axe, use: Use
) -> None:
    def strike(connection: Connection, _text: str, _values: Any) -> None:
        axe.end(connection)

    with watched(database, strike), pytest.raises(OperationalError):
        use(database)
    assert axe.ended == 2
    assert look(database) == []


def test_what_may_have_changed_something_is_not_sent_again(database: Database, axe: Axe) -> None:
    def strike(connection: Connection, _text: str, _values: Any) -> None:
        axe.end(connection)

    with watched(database, strike), pytest.raises(OperationalError), database.read() as connection:
        connection.execute(insert(secrets), ROW)
    assert axe.ended == 1
    assert look(database) == []


def test_a_transaction_that_is_cut_leaves_nothing_and_its_connection_is_not_used_again(
    database: Database, axe: Axe
) -> None:
    with pytest.raises(OperationalError) as caught:
        cut_half_way(database, axe, add_canary)
    assert "canary" not in str(caught.value)
    assert add(database) == ["a"]


def test_a_transaction_that_is_cut_after_an_error_of_its_own_tells_that_error(database: Database, axe: Axe) -> None:
    with pytest.raises(IndexError):
        cut_half_way(database, axe, lambda _connection: [].pop())
    assert add(database) == ["a"]


def cut_half_way(database: Database, axe: Axe, then: Callable[[Connection], object]) -> None:
    with database.write() as connection:
        connection.execute(insert(secrets), ROW)
        axe.end(connection)
        then(connection)


def add_canary(connection: Connection) -> None:
    connection.execute(insert(secrets), {"name": "canary", "value": "canary"})


@pytest.mark.parametrize("is_done", [False, True])
def test_a_commit_that_is_cut_is_trouble_whether_or_not_it_was_done(
    database: Database, axe: Axe, is_done: bool
) -> None:
    def strike(connection: Connection, statement: str, _values: Any) -> None:
        if statement == "COMMIT":
            if is_done:
                connection.driver.execute("COMMIT")
            axe.end(connection)

    with watched(database, strike), pytest.raises(OperationalError):
        add(database)
    assert look(database) == (["a"] if is_done else [])


def test_a_server_that_is_not_there_is_trouble(postgres_server: Server) -> None:
    database = Database(postgres_server.url("nowhere"))
    for use in (look, look_at_one_moment, add):
        with pytest.raises(OperationalError):
            use(database)
    database.close()


def more_orders(shop: Shop) -> list[int]:
    """Like the one that the shop is about."""
    like = shop.local.order(shop.order)
    lines = [{"product_id": like["line_items"][0]["product_id"], "quantity": 1}]
    return [shop.local.shop.add_order(lines=lines, billing=like["billing"]) for _ in range(40)]


@pytest.mark.parametrize("is_done", [False, True])
def test_an_order_is_paid_once_whatever_statement_of_its_payment_is_cut(
    open_shop: OpenShop, postgres_url: str, axe: Axe, is_done: bool
) -> None:
    """Each in turn, for an order of its own: `is_done` is a COMMIT of which only the answer is lost."""
    shop = shop_at(open_shop, "stripe", database_url=postgres_url)
    local, database = shop.local, shop.local.bridge.services.database
    orders = iter(more_orders(shop))
    shop.local.create(next(orders))
    with sent(database) as texts:
        assert local.create(next(orders)).status_code == 200
    assert texts.count("COMMIT") >= 2
    for number, statement in enumerate(texts):
        if is_done and statement != "COMMIT":
            continue
        order, before = next(orders), len(taken(shop))
        answered = cut(database, axe, number, is_done, lambda order=order: local.create(order))
        assert answered.status_code in (200, 503), (number, statement, answered.get_data())
        local.work()
        for _ in range(2):
            local.clock.advance(3600)
            local.work()
        again = local.create(order)
        local.work()
        assert again.status_code == 200, (number, statement, again.get_data())
        assert len(taken(shop)) == before + 1, (number, statement)
        assert local.shop.order(order)["status"] in ("processing", "completed"), (number, statement)
    assert max(creates(shop).values()) <= 2
    assert axe.ended >= (2 if is_done else len(texts))


def cut(database: Database, axe: Axe, number: int, is_done: bool, do: Callable[[], Any]) -> Any:
    """End the connection before the statement with this number, counted from 0."""
    count = iter(range(1_000_000))

    def strike(connection: Connection, statement: str, _values: Any) -> None:
        if next(count) == number:
            if is_done and statement == "COMMIT":
                connection.driver.execute("COMMIT")
            axe.end(connection)

    with watched(database, strike):
        return do()
