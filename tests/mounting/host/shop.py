"""A host application with its own pages, error pages, sorted JSON and orders, that mounts two bridges."""

import secrets

import schemas
from flask import Flask, Response, jsonify

from bridge import Bridge
from bridge.domain.errors import OrderNotFound
from bridge.domain.orders import Delivery, Order, OrderUpdate
from bridge.domain.ports import Finding
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys


class Book:
    """The host's orders: a dict."""

    def __init__(self) -> None:
        self.paid: dict[int, str] = {}

    def read(self, order_id: int) -> Order:
        if order_id > 100:
            raise OrderNotFound("Order not found")
        return Order(
            id=order_id,
            number=f"H-{order_id}",
            key=f"key-{order_id}",
            status="processing" if order_id in self.paid else "pending",
            currency="EUR",
            total="7.50",
            needs_payment=order_id not in self.paid,
        )

    def deliver(self, update: OrderUpdate, *, first: bool) -> Delivery:
        self.paid[update.order_id] = update.transaction_id
        return Delivery(True, "written to the host's dict")

    def identify(self) -> str:
        return "https://host.example"

    def check(self) -> list[Finding]:
        return [Finding(True, "It is a dict.")]


def make(folder: str, name: str, worker: bool = False) -> tuple[Bridge, Book, tuple[str, str]]:
    book = Book()
    bridge = Bridge(
        secret_key=secrets.token_hex(20),
        database_url=f"sqlite:///{folder}/{name}.db",
        local_http=True,
        order_book=lambda _store: book,
    )
    store = bridge.add_store(
        Store("", "https://host.example", "sandbox", False, "automatic", "", options=dict(STORE_OPTIONS))
    )
    pair = keys.create(bridge.services, store.id, Permissions.READ_WRITE)
    return bridge, book, (pair.consumer_key, pair.consumer_secret)


def create_host(folder: str) -> Flask:
    app = Flask("host")
    app.json.sort_keys = True
    first, app.first_book, app.first_pair = make(folder, "first")
    second, app.second_book, app.second_pair = make(folder, "second")
    first.init_app(app, url_prefix="/pay", worker=True)
    second.init_app(app, url_prefix="/other/pay", name="second_bridge")
    app.bridges = [first, second]

    @app.get("/")
    def home() -> Response:
        return jsonify(zebra=1, apple=schemas.GREETING)

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("the host's own bug")

    for code in (400, 401, 404, 405, 413, 415, 500):
        app.register_error_handler(
            code, lambda error: (f"<h1>The host's page: {getattr(error, 'code', 500)}</h1>", 418)
        )
    return app
