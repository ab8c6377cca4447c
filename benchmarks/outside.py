"""The shops and the providers: the real simulators, in a process of their own, so that their work is nobody else's."""

import multiprocessing
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bridge.cli.demo_providers import CUSTOMER, FortePayments, FortePlatform, Plan, Provider, Stripe
from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PLANS = {
    "sandbox": Plan("sandbox"),
    "forte_payments": Plan("forte_payments", settings=(("mode", "widget"),)),
    "forte_platform": Plan("forte_platform"),
    "stripe_connect": Plan("stripe_connect"),
    "stripe_connect, manual": Plan("stripe_connect", capture="manual"),
}
NOWHERE = "http://127.0.0.1:9"
"""Where messages of providers go: none is sent."""
STARTING = 300.0
"""Seconds."""


@dataclass(frozen=True)
class Shop:
    """A shop, and what its owner knows of the provider. `key` is the bridge's own key in it."""

    url: str
    adapter: str
    capture: str
    settings: dict[str, str] = field(repr=False)
    key: tuple[str, str] = field(repr=False)
    customer: str = CUSTOMER


class Slow:
    """WSGI middleware: it holds every POST back for `seconds`. `most` were held at once since they were counted."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._lock = threading.Lock()
        self._held = 0
        self.seconds = 0.0
        self.most = 0

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and self.seconds:
            self._count(1)
            time.sleep(self.seconds)
            self._count(-1)
        return self._app(environ, start_response)

    def _count(self, change: int) -> None:
        with self._lock:
            self._held += change
            self.most = max(self.most, self._held)


class _Simulated:
    """The inside of that process."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        certificates = Certificates.create(folder)
        providers: dict[str, Provider] = {
            "forte_payments": FortePayments(NOWHERE, folder),
            "forte_platform": FortePlatform(NOWHERE, folder),
            "stripe_connect": Stripe(NOWHERE, folder),
        }
        self._slow = {name: Slow(provider.simulator) for name, provider in providers.items()}
        urls = {name: stack.enter_context(serve(app)).url for name, app in self._slow.items()}
        self._shops = {name: WooCommerceSimulator(name) for name in PLANS}
        mounts: dict[str, Any] = {f"/{number}": shop for number, shop in enumerate(self._shops.values())}
        front = DispatcherMiddleware(Flask("shops"), mounts)
        tls = (certificates.cert_file, certificates.key_file)
        shops_url = stack.enter_context(serve(front, tls=tls)).url
        self._like = {name: _first_order(shop) for name, shop in self._shops.items()}
        shops = {}
        for number, (name, plan) in enumerate(PLANS.items()):
            provider = providers.get(plan.adapter)
            settings = dict(plan.settings) | (provider.settings(urls[plan.adapter]) if provider else {})
            if plan.adapter == "sandbox":
                settings["books"] = str(folder / "sandbox.sqlite")
            key = self._shops[name].add_key()
            shops[name] = Shop(f"{shops_url}/{number}", plan.adapter, plan.capture, settings, key)
        self._stripe = providers["stripe_connect"].simulator
        secret = shops["stripe_connect"].settings["webhook_secret"]
        self._endpoint = self._stripe.add_webhook_endpoint(NOWHERE, connect=True, secrets=[secret]).id
        self.told = (str(certificates.ca_file), shops)

    def new_orders(self, shop: str, count: int) -> list[int]:
        return [self._shops[shop].add_order(**self._like[shop]) for _ in range(count)]

    def messages(self, count: int) -> list[tuple[bytes, dict[str, str]]]:
        """Stripe's of the newest payments that succeeded: body and headers."""
        events = [event["id"] for event in self._stripe.events if event["type"] == "payment_intent.succeeded"]
        signed = (self._stripe.signed(event, self._endpoint) for event in events[-count:])
        return [(message.body, dict(message.headers)) for message in signed]

    def hold(self, seconds: float) -> None:
        """Let every provider take so long for a POST, and count anew how many it holds."""
        for each in self._slow.values():
            each.seconds, each.most = seconds, 0

    def most_held(self) -> int:
        return max(each.most for each in self._slow.values())


def _first_order(shop: WooCommerceSimulator) -> dict[str, Any]:
    """What an order is made of like the seed's first one."""
    like = shop.order(shop.seed_demo_orders()["payable"])
    lines = [{"product_id": like["line_items"][0]["product_id"], "quantity": 1}]
    return {"lines": lines, "billing": like["billing"], "created_via": "checkout"}


def _live(connection: "Connection[Any, Any]", folder: str) -> None:
    with ExitStack() as stack:
        simulated = _Simulated(Path(folder), stack)
        connection.send(simulated.told)
        while True:
            try:
                verb, arguments = connection.recv()
            except EOFError:
                return
            connection.send(getattr(simulated, verb)(*arguments))


class Outside:
    """The hand on that process, which ends with it."""

    def __init__(self, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(theirs, str(folder)), daemon=True)
        self._process.start()
        theirs.close()
        if not self._connection.poll(STARTING):
            raise RuntimeError("the simulators do not start")
        self.ca_file: str
        self.shops: dict[str, Shop]
        self.ca_file, self.shops = self._connection.recv()

    def new_orders(self, shop: str, count: int) -> list[int]:
        orders: list[int] = self._ask("new_orders", shop, count)
        return orders

    def messages(self, count: int) -> list[tuple[bytes, dict[str, str]]]:
        messages: list[tuple[bytes, dict[str, str]]] = self._ask("messages", count)
        return messages

    def hold(self, seconds: float) -> None:
        self._ask("hold", seconds)

    def most_held(self) -> int:
        return int(self._ask("most_held"))

    def close(self) -> None:
        self._connection.close()
        self._process.join(STARTING)

    def __enter__(self) -> "Outside":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, verb: str, *arguments: Any) -> Any:
        self._connection.send((verb, arguments))
        return self._connection.recv()
