"""A bridge with a store of each kind, in front of what is outside, and the controls beside it."""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask

from benchmarks.calls import INTENTS, Step, answers, post
from benchmarks.controls import CONTROLS
from benchmarks.outside import Outside
from bridge import Bridge, create_app
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys
from bridge.selftest.postgresql import PostgreSql, find_server
from bridge.selftest.world import sqlite_url
from bridge.storage import migrate
from bridge.worker.runner import run_once

BRIDGE = "bridge"
"""The app that is measured, beside those of CONTROLS."""
LIMITS: dict[str, Any] = dict.fromkeys(
    ("rate_limit", "key_limit", "store_limit", "order_decline_limit", "address_decline_limit"), "1000000000/minute"
)
"""As in life everything is counted against a limit; nobody reaches it."""
EXPENSIVE = "stripe_connect"
"""The store that the controls do without a bridge."""


@dataclass(frozen=True)
class Client:
    """Of one store. `pair` are consumer key and secret."""

    store_id: str
    customer: str
    pair: tuple[str, str] = field(repr=False)


@dataclass(frozen=True)
class Site:
    """All that another process has to know to open the same bridge and controls."""

    database_url: str
    secret_key: str = field(repr=False)
    clients: dict[str, Client]
    place: dict[str, Any] = field(repr=False)

    def write(self, file: Path) -> None:
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, file: Path) -> "Site":
        told = json.loads(file.read_text())
        clients = {
            name: Client(each["store_id"], each["customer"], tuple(each["pair"]))
            for name, each in told.pop("clients").items()
        }
        return cls(clients=clients, **told)


class Lab:
    """The site, opened in this process."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.bridge = open_bridge(site.database_url, site.secret_key)
        self.apps: dict[str, Flask] = {BRIDGE: create_app(self.bridge)}
        self.apps |= {name: make(site.place) for name, make in CONTROLS.items()}

    def ask(self, steps: Sequence[Step]) -> list[Any]:
        """The bridge, and not as a part of what is measured. Raises Failed."""
        return answers(self.apps[BRIDGE], self.bridge, steps)

    def work(self) -> None:
        """Let the worker do all that is due."""
        while run_once(self.bridge.services):
            pass

    def close(self) -> None:
        self.bridge.close()


def open_bridge(database_url: str, secret_key: str) -> Bridge:
    return Bridge(
        secret_key=secret_key,
        database_url=database_url,
        allow_private_urls=True,
        local_http=True,
        public_url="http://127.0.0.1",
        **LIMITS,
    )


def environment(site: Site) -> dict[str, str]:
    """The same settings for a `serve`."""
    return {
        "BRIDGE_DATABASE_URL": site.database_url,
        "BRIDGE_SECRET_KEY": site.secret_key,
        "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
        "BRIDGE_LOCAL_HTTP": "yes",
        "BRIDGE_PUBLIC_URL": "http://127.0.0.1",
        **{f"BRIDGE_{name.upper()}": rate for name, rate in LIMITS.items()},
    }


@dataclass(frozen=True)
class NewDatabase:
    """Empty. `server` is the process of a server of its own, or 0."""

    url: str
    server: int = 0


@contextmanager
def database(kind: str, folder: Path) -> Iterator[NewDatabase]:
    """One whose commits survive a power cut."""
    if kind == "sqlite":
        yield NewDatabase(sqlite_url(folder))
        return
    with PostgreSql(durable=True) as server:
        yield NewDatabase(server.new_url(), server.pid)


def missing(kind: str) -> str:
    """Why there is no such database here; nothing if there is."""
    return "" if kind == "sqlite" or find_server() else "PostgreSQL is not installed"


@contextmanager
def open_lab(url: str, outside: Outside) -> Iterator[Lab]:
    """On an empty database."""
    migrate(url)
    secret_key = secrets.token_hex(20)
    with ExitStack() as stack:
        bridge = open_bridge(url, secret_key)
        try:
            clients = {name: _add_store(bridge, outside, name) for name in outside.shops}
        finally:
            bridge.close()
        lab = Lab(Site(url, secret_key, clients, _place(outside, clients)))
        stack.callback(lab.close)
        lab.site.place["answer"].update(_whole_answer(lab, outside))
        yield lab


def _add_store(bridge: Bridge, outside: Outside, name: str) -> Client:
    shop = outside.shops[name]
    store = bridge.add_store(
        Store(
            id="",
            url=shop.url,
            adapter=shop.adapter,
            live=False,
            capture=shop.capture,
            identity="",
            ca_file=outside.ca_file,
            consumer_key=shop.key[0],
            consumer_secret=shop.key[1],
            settings=dict(shop.settings),
            options=dict(STORE_OPTIONS),
        )
    )
    pair = keys.create(bridge.services, store.id, Permissions.READ_WRITE)
    return Client(store.id, shop.customer, (pair.consumer_key, pair.consumer_secret))


def _place(outside: Outside, clients: dict[str, Client]) -> dict[str, Any]:
    """What the controls have to know. Their answer is a real create's, as soon as there is one."""
    shop = outside.shops[EXPENSIVE]
    return {
        "answer": {},
        "shop_url": shop.url,
        "shop_key": shop.key,
        "ca_file": outside.ca_file,
        "secret_key": shop.settings["secret_key"],
        "account": shop.settings["account"],
        "api_base": shop.settings["api_base"],
        "key": clients[EXPENSIVE].pair,
    }


def create(lab: Lab, store: str, order: int, **headers: str) -> Step:
    client = lab.site.clients[store]
    wanted = {"order_id": order, "customer": client.customer, "payment_method": "pm_card_visa"}
    return post(INTENTS, wanted, client.pair, **headers)


def _whole_answer(lab: Lab, outside: Outside) -> dict[str, Any]:
    (order,) = outside.new_orders(EXPENSIVE, 1)
    (answer,) = lab.ask([create(lab, EXPENSIVE, order)])
    return dict(answer)
