"""A host's order book is a shop of its own, unless it says which shop it is."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bridge import Bridge
from bridge.domain.errors import Refused
from bridge.domain.orders import Delivery, Order, OrderUpdate
from bridge.domain.ports import Finding
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys, stores
from tests.plugins.local import INTENTS

BODY = {"order_id": 5, "customer": "cus_1", "payment_method": "pm_card_visa"}


class Book:
    """The orders of a host, which are never paid: the bridge alone knows what it has charged."""

    def read(self, order_id: int) -> Order:
        return Order(
            id=order_id,
            number=str(order_id),
            key=f"key-{order_id}",
            status="pending",
            currency="USD",
            total="7.50",
            needs_payment=True,
        )

    def deliver(self, update: OrderUpdate, *, first: bool) -> Delivery:
        return Delivery(True, "")

    def identify(self) -> str:
        return "https://host.example"

    def check(self) -> list[Finding]:
        return [Finding(True, "It is in memory.")]


class Warehouse(Book):
    """One of several books over the same orders."""

    def shop(self, identity: str) -> str:
        return f"{identity}/warehouse"


class Host:
    """A bridge on orders of a host's own."""

    def __init__(self, database_url: str, book: Book, folder: Path) -> None:
        self.folder = folder
        key = secrets.token_hex(20)
        self.bridge = Bridge(secret_key=key, database_url=database_url, local_http=True, order_book=lambda _: book)
        self.app = Flask("host")
        self.bridge.init_app(self.app, url_prefix="/pay")

    def add(self, url: str = "https://host.example", **more: Any) -> Store:
        """Each has an account of its own at the provider."""
        settings = {"books": str(self.folder / f"{secrets.token_hex(4)}.sqlite")}
        wanted = Store("", url, "sandbox", False, "automatic", "", settings=settings, options=dict(STORE_OPTIONS))
        return self.bridge.add_store(wanted, **more)

    def create(self, store: Store) -> Any:
        pair = keys.create(self.bridge.services, store.id, Permissions.READ_WRITE)
        auth, local = (pair.consumer_key, pair.consumer_secret), {"REMOTE_ADDR": "127.0.0.1"}
        return self.app.test_client().post(f"/pay{INTENTS}", json=BODY, auth=auth, environ_overrides=local).get_json()


MakeHost = Callable[[Book], Host]


@pytest.fixture
def make_host(database_url: str, tmp_path: Path) -> Iterator[MakeHost]:
    with ExitStack() as stack:

        def make(book: Book) -> Host:
            host = Host(database_url, book, tmp_path)
            stack.callback(host.bridge.close)
            return host

        yield make


def test_tenants_of_a_host_with_equal_orders_are_shops_of_their_own(make_host: MakeHost) -> None:
    host = make_host(Book())
    tenants = [host.add() for _ in range(2)]
    assert len({tenant.shop_id for tenant in tenants}) == 2
    paid = [host.create(tenant) for tenant in tenants]
    assert [answer["status"] for answer in paid] == ["succeeded", "succeeded"]
    assert paid[0]["id"] != paid[1]["id"]


def test_books_that_name_one_shop_share_its_orders(make_host: MakeHost) -> None:
    host = make_host(Warehouse())
    first = host.add()
    with pytest.raises(Refused, match="has an entry for test payments already"):
        host.add("https://other.example")
    second = host.add("https://other.example", shop=first.id)
    assert second.shop_id == first.shop_id
    assert host.create(first)["status"] == "succeeded"
    refused = host.create(second)["data"]
    assert refused["reason"] == "order_paid"


def test_a_store_that_is_removed_and_added_again_finds_its_orders_held(make_host: MakeHost) -> None:
    host = make_host(Book())
    store, other = host.add(), host.add("https://other.example")
    assert host.create(store)["status"] == "succeeded"
    for each in (store, other):
        stores.remove(host.bridge.services, each.id, force=True)
    again, apart, new = host.add(), host.add("https://other.example"), host.add()
    assert (again.shop_id, apart.shop_id) == (store.shop_id, other.shop_id)
    assert new.shop_id not in (store.shop_id, other.shop_id)
    assert host.create(again)["data"]["reason"] == "order_paid"
    assert host.create(apart)["status"] == "succeeded"


def test_a_store_can_be_said_to_be_of_another_ones_shop(make_host: MakeHost) -> None:
    host = make_host(Book())
    first = host.add()
    second = host.add(shop=first.id)
    assert host.create(first)["status"] == "succeeded"
    assert host.create(second)["data"]["reason"] == "order_paid"
