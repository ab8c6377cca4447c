"""Orders of a host's own: the order book of docs/mounting.md, as it is printed there, in a Flask app with a worker."""

import importlib.util
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

import bridge.stores
from bridge import BaseOrderBook, Bridge, OrderBook
from bridge.cli import group
from bridge.domain.errors import OrderNotFound
from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.storage import jobs, outbox
from bridge.worker.periodic_jobs import run_jobs
from bridge.worker.runner import run_once
from tests.plugins.clock import Time
from tests.plugins.local import INTENTS

PAGE = (Path(__file__).parents[2] / "docs/mounting.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"<!-- file: shop_orders.py -->\n```python\n(.*?)```", PAGE, re.DOTALL)
ORDER = 5


@dataclass
class Host:
    """A Flask app with the bridge, one store of the host's orders, and a client of it."""

    bridge: Bridge
    app: Flask
    clock: Time
    database: Path
    store: str = ""
    auth: tuple[str, str] = ("", "")

    def command(self, *arguments: str, code: int = 0) -> Result:
        told = self.app.test_cli_runner().invoke(group, arguments)
        if told.exception and not isinstance(told.exception, SystemExit):
            raise told.exception
        assert told.exit_code == code, told.output
        return told

    def post(self, path: str, **body: Any) -> Mapping[str, Any]:
        local = {"REMOTE_ADDR": "127.0.0.1"}
        answer = self.app.test_client().post(f"/pay{path}", json=body, auth=self.auth, environ_overrides=local)
        return dict(answer.get_json())

    def create(self, **more: Any) -> Mapping[str, Any]:
        return self.post(INTENTS, order_id=ORDER, customer="cus_1", payment_method="pm_card_visa", **more)

    def work(self, seconds: float = 0.0) -> None:
        """Everything that is due then, jobs included, none of which may fail."""
        self.clock.advance(seconds)
        while run_jobs(self.bridge.services) or run_once(self.bridge.services):
            pass
        with self.bridge.services.database.read() as connection:
            assert jobs.failing(connection, 10) == []

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with sqlite3.connect(self.database) as connection:
            found = connection.execute(statement, values).fetchall()
        connection.close()
        return found

    @property
    def order(self) -> tuple[Any, ...]:
        [found] = self.sql("select status, paid_by from orders where id = ?", ORDER)
        return tuple(found)


def printed() -> Any:
    """The page's module."""
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("shop_orders", loader=None))  # type: ignore[arg-type]
    exec(compile(EXAMPLE, "shop_orders.py", "exec"), vars(module))
    return module


def derived(path: str) -> OrderBook:
    return printed().ShopOrders(path)  # type: ignore[no-any-return]


def with_four_methods(path: str) -> OrderBook:
    """A book of a class that derives from nothing."""
    inner = derived(path)

    class FourMethods:
        read, deliver, identify, check = inner.read, inner.deliver, inner.identify, inner.check

    return FourMethods()  # type: ignore[return-value]


@pytest.fixture(params=[derived, with_four_methods])
def host(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> Iterator[Host]:
    make: Callable[[str], OrderBook] = request.param
    database, clock = tmp_path / "shop.sqlite", Time(1_700_000_000.0)
    mounted = Bridge(
        local_http=True,
        secret_key=secrets.token_hex(20),
        database_url=sqlite_url,
        public_url="https://shop.example/pay",
        clock=clock,
        order_book=lambda _: make(str(database)),
    )
    app = Flask("host")
    mounted.init_app(app, url_prefix="/pay")
    host = Host(mounted, app, clock, database)
    books = f"books={tmp_path / 'books.sqlite'}"
    host.command("stores", "add", "--url", "https://shop.example", "--adapter", "sandbox", "--test", "--set", books)
    (host.store,) = (line.split("\t")[0] for line in host.command("stores", "list").stdout.splitlines())
    pair = keys.create(mounted.services, host.store, Permissions.READ_WRITE)
    host.auth = (pair.consumer_key, pair.consumer_secret)
    with pytest.raises(OrderNotFound):
        make(str(database)).read(ORDER)
    host.sql("insert into orders values (?, 'key-5', 'pending', '7.50', null, null)", ORDER)
    yield host
    mounted.close()


def test_a_store_of_the_hosts_orders_needs_no_keys_of_woocommerce(host: Host) -> None:
    shown = host.command("stores", "show", host.store).stdout
    assert "consumer_key: -\nconsumer_secret: -\n" in shown
    host.command("stores", "update", host.store, "--capture", "manual")
    assert "capture: manual" in host.command("stores", "show", host.store).stdout


def test_an_order_is_paid_and_told_so_once(host: Host) -> None:
    paid = host.create()
    assert paid["status"] == "succeeded"
    for _ in range(2):
        host.work(60)
    assert host.order == ("processing", paid["id"])
    assert host.create()["id"] == paid["id"]
    [(count,)] = host.sql("select count(*) from news where note like '%successfully charged%'")
    assert count == 1


def test_an_update_that_comes_twice_has_one_effect(host: Host) -> None:
    host.create()
    message = outbox.claim(host.bridge.services.database, host.clock(), 60.0, frozenset(), retries=True)
    assert message is not None
    book = host.bridge.services.store(host.store).order_book
    first = book.deliver(message.update, first=True)
    again = book.deliver(message.update, first=False)
    assert (first.done, again.done, again.flag) == (True, True, "")
    assert host.sql("select count(*) from news") == [(1,)]


def test_money_for_an_order_that_has_changed_pays_nothing_and_is_flagged(host: Host) -> None:
    host.create()
    host.sql("update orders set total = '9.00'")
    host.work()
    assert host.order == ("pending", None)
    told = host.command("flags", "list").stdout
    assert "S-5 comes to 9.00 USD now" in told


def test_a_refund_is_told_once_and_reconcile_owes_nothing(host: Host) -> None:
    paid = host.create()
    host.work()
    refunded = host.post("/wp-json/wc/v3/payments/refund", charge_id=paid["charge"]["id"], amount=750)
    assert refunded["status"] == "succeeded"
    for _ in range(3):
        host.work(60)
        host.command("reconcile", "--store", host.store)
    host.work()
    [(count,)] = host.sql("select count(*) from news where note like '%refund of %'")
    assert count == 1


def test_a_payment_follows_an_order_that_was_cancelled(host: Host) -> None:
    host.command("stores", "update", host.store, "--capture", "manual")
    assert host.create()["status"] == "requires_capture"
    host.work()
    host.sql("update orders set status = 'cancelled'")
    for _ in range(4):
        host.work(1800)
    assert host.sql("select count(*) from news where note like '%authorization was successfully cancelled%'") == [(1,)]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("stores", "check", "{store}"), "The orders are in"),
        (("webhooks", "register", "{store}"), "This store does not send messages about its orders"),
        (("reconcile", "--store", "{store}"), "1 orders"),
    ],
)
def test_every_command_works_with_it(host: Host, command: tuple[str, ...], told: str) -> None:
    host.create()
    host.work()
    done = host.command(*(word.format(store=host.store) for word in command))
    assert told in done.output


def test_doctor_finds_nothing_wrong_with_it(host: Host) -> None:
    host.create()
    host.work()
    told = host.app.test_cli_runner().invoke(group, ["doctor"]).output
    assert host.store in told
    assert [line for line in told.splitlines() if line.startswith("NO") and host.store in line] == []


def test_a_message_in_the_name_of_the_shop_is_refused(host: Host) -> None:
    answer = host.app.test_client().post(f"/pay/bridge/v1/webhooks/{host.store}", data=b"{}")
    assert answer.status_code == 400


def test_a_woocommerce_store_still_needs_its_keys(cli: Any) -> None:
    cli.run("init")
    told = cli.run("stores", "add", "--url", "https://shop.example", "--adapter", "sandbox", "--test", code=2)
    assert "--consumer-key" in told.output


def test_the_page_names_every_kind_and_every_method() -> None:
    assert [kind.name for kind in bridge.stores.UpdateKind if f"`{kind.name}`" not in PAGE] == []
    wanted = {name for name in {*vars(OrderBook), *vars(BaseOrderBook)} if not name.startswith("_")}
    assert [name for name in sorted(wanted) if not re.search(rf"\b{name}\b", PAGE)] == []
    assert SimpleNamespace(**vars(bridge.stores)).BaseOrderBook is BaseOrderBook
    assert len([line for line in EXAMPLE.splitlines() if line]) <= 60
