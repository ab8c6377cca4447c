"""`make_door`: a bridge with the sandbox and an OrderBook in memory, on a real database, with a clock that stands.

What is tested here is the way in and out; stores and providers over sockets are tested elsewhere.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from bridge import Bridge, create_app
from bridge.domain.errors import OrderNotFound
from bridge.domain.orders import Address, Delivery, Line, LineKind, Order, OrderUpdate
from bridge.domain.ports import Finding
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys, stores
from bridge.registry.keys import KeyPair
from tests.plugins.clock import Time
from tests.plugins.local import INTENTS, UNLIMITED

HTTPS, HTTP = "https://shop.example", "http://shop.example"
BILLING = Address(
    "John", "Doe", "123 Random St", "-", "San Francisco", "CA", "94101", "US", "random.email@example.com", "5555555555"
)
ORDER = Order(
    id=19,
    number="19",
    key="wc_order_1",
    status="pending",
    currency="USD",
    total="10.23",
    needs_payment=True,
    created_via="rest-api",
    billing=BILLING,
    lines=(Line(LineKind.PRODUCT, "Hat", Decimal(1), Decimal("10.23"), Decimal("10.23"), Decimal(0), product_id=7),),
)
BODY = {"payment_method": "pm_card_visa", "customer": "cus_OUQoHGzJLw87Tk", "order_id": 19}


@dataclass
class Shelf:
    """An OrderBook in memory. `raises` makes the next reads fail."""

    orders: dict[int, Order] = field(default_factory=lambda: {ORDER.id: ORDER})
    raises: Exception | None = None
    reads: int = 0

    def read(self, order_id: int) -> Order:
        self.reads += 1
        if self.raises:
            raise self.raises
        if order_id not in self.orders:
            raise OrderNotFound("Order not found")
        return self.orders[order_id]

    def deliver(self, update: OrderUpdate, *, first: bool) -> Delivery:
        return Delivery(True, "delivered")

    def check(self) -> list[Finding]:
        return []

    def put(self, order_id: int, **changes: Any) -> None:
        own = {"id": order_id, "number": str(order_id), "key": f"wc_order_{order_id}"}
        self.orders[order_id] = replace(ORDER, **own | changes)


@dataclass
class Door:
    """One bridge, its app, and the keys of its one store by what they may do."""

    bridge: Bridge
    app: Flask
    clock: Time
    shelf: Shelf
    store: Store
    pairs: dict[str, KeyPair]

    def open(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "read_write",
        base_url: str = HTTPS,
        peer: str = "203.0.113.9",
        **kwargs: Any,
    ) -> TestResponse:
        """A request from a peer far away, over https, with Basic credentials of the named pair."""
        if key:
            kwargs.setdefault("auth", self.secrets(key))
        environ = {"REMOTE_ADDR": peer, **kwargs.pop("environ_overrides", {})}
        client = Client(self.app, use_cookies=False)
        return client.open(path, method=method, base_url=base_url, environ_overrides=environ, **kwargs)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.open("GET", path, **kwargs)

    def post(self, path: str = INTENTS, **kwargs: Any) -> TestResponse:
        return self.open("POST", path, **kwargs)

    def create(self, **kwargs: Any) -> TestResponse:
        return self.post(json=BODY | kwargs.pop("body", {}), **kwargs)

    def secrets(self, key: str) -> tuple[str, str]:
        return self.pairs[key].consumer_key, self.pairs[key].consumer_secret


MakeDoor = Callable[..., Door]


def make_pairs(bridge: Bridge, store_id: str) -> dict[str, KeyPair]:
    pairs = {word.value: keys.create(bridge.services, store_id, word) for word in Permissions}
    revoked = keys.create(bridge.services, store_id, Permissions.READ_WRITE)
    keys.revoke(bridge.services, revoked.key.id)
    return {**pairs, "revoked": revoked}


@pytest.fixture
def make_door(sqlite_url: str, tmp_path: Path) -> Iterator[MakeDoor]:
    with ExitStack() as stack:

        def make(
            app: Flask | None = None, *, name: str = "wcpay_bridge", url_prefix: str = "", **settings: Any
        ) -> Door:
            clock, shelf = Time(), Shelf()
            settings = {"database_url": sqlite_url, "secret_key": "k" * 32, "public_url": (HTTPS, HTTP)} | settings
            settings = {"local_http": True, **UNLIMITED} | settings
            bridge = Bridge(clock=clock, order_book=lambda store: shelf, **settings)
            stack.callback(bridge.close)
            books = {"books": str(tmp_path / "sandbox.sqlite")}
            store = Store("", HTTPS, "sandbox", False, "automatic", HTTPS, settings=books, options=STORE_OPTIONS)
            store = stores.add(bridge.services, store, ())
            if app is None:
                app = create_app(bridge)
            else:
                bridge.init_app(app, url_prefix=url_prefix, name=name)
            return Door(bridge, app, clock, shelf, store, make_pairs(bridge, store.id))

        yield make


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door()
