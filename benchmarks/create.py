"""What a create costs: CPU of one `POST payment_intents`, as a ratio to a flask-smorest no-op with the same schemas.

    python benchmarks/create.py [--requests 400] [--rounds 5]

Both run in this process and in turn, so that a machine that changes its speed changes it for both. The orders are
made up and the provider is the sandbox; the database is a real SQLite file with durable commits. Quoted are medians.
"""

import argparse
import base64
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import flask_smorest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bridge import Bridge, create_app
from bridge.domain.orders import Address, Delivery, Order, OrderUpdate
from bridge.domain.ports import Finding
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys
from bridge.schemas.woopayments import CreatedIntent, Parameters

PATH = "/wp-json/wc/v3/payments/payment_intents"


class Orders:
    """An order book that costs nothing."""

    def read(self, order_id: int) -> Order:
        billing = Address("John", "Doe", "123 Random St", "-", "San Francisco", "CA", "94101", "US", "j@example.com")
        return Order(order_id, str(order_id), f"key-{order_id}", "pending", "USD", "10.23", True, billing=billing)

    def deliver(self, update: OrderUpdate, *, first: bool) -> Delivery:  # noqa: ARG002
        return Delivery(True, "")

    def identify(self) -> str:
        return "https://shop.example"

    def check(self) -> list[Finding]:
        return []


def no_op() -> Flask:
    """The control: the same schemas, nothing between them."""
    app = Flask("no-op")
    blueprint = flask_smorest.Blueprint("no_op", "no_op")
    answer = {"id": "pi_1", "amount": 1023, "currency": "USD", "created": 1, "status": "succeeded"}

    @blueprint.route(PATH, methods=["POST"])
    @blueprint.arguments(Parameters)
    @blueprint.response(200, CreatedIntent)
    def create(parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
        return answer

    app.register_blueprint(blueprint)
    return app


def bridge_app(folder: str) -> tuple[Flask, str]:
    database_url = f"sqlite:///{Path(folder) / 'bridge.sqlite'}"
    key = secrets.token_hex(20)
    bridge = Bridge(secret_key=key, database_url=database_url, local_http=True, order_book=lambda _store: Orders())
    store = bridge.add_store(
        Store("", "https://shop.example", "sandbox", False, "automatic", "", options=dict(STORE_OPTIONS))
    )
    pair = keys.create(bridge.services, store.id, Permissions.READ_WRITE)
    token = base64.b64encode(f"{pair.consumer_key}:{pair.consumer_secret}".encode()).decode()
    return create_app(bridge), f"Basic {token}"


def requests(app: Flask, authorization: str, ids: "count[int]") -> Callable[[], None]:
    def send() -> None:
        body = json.dumps({"order_id": next(ids), "customer": "cus_1", "payment_method": "pm_card_visa"})
        environ = EnvironBuilder(
            PATH,
            base_url="http://127.0.0.1",
            method="POST",
            data=body,
            content_type="application/json",
            headers={"Authorization": authorization},
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        ).get_environ()
        answer, status, _ = run_wsgi_app(app, environ)
        b"".join(answer)
        assert status.startswith("200"), status

    return send


def milliseconds(send: Callable[[], None], times: int) -> float:
    """CPU, user and system, of one request."""
    started = time.process_time()
    for _ in range(times):
        send()
    return (time.process_time() - started) / times * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app, authorization = bridge_app(folder)
        contenders = {"no-op": requests(no_op(), "", count(1)), "create": requests(app, authorization, count(1))}
        for send in contenders.values():
            milliseconds(send, 50)
        measured: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(options.rounds):
            for name, send in contenders.items():
                measured[name].append(milliseconds(send, options.requests))
    ratios = [create / control for create, control in zip(measured["create"], measured["no-op"], strict=True)]
    for name, values in measured.items():
        print(f"{name:8} {statistics.median(values):6.3f} ms CPU a request")
    print(f"ratio    {statistics.median(ratios):6.2f}  (min {min(ratios):.2f}, max {max(ratios):.2f})")


if __name__ == "__main__":
    main()
