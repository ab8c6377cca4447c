"""A world to test in: shops and a provider that keep their own books, a database, a clock, and stores that are set up.

Everything here lives in the process of the harness, which is never killed.
"""

import secrets
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from bridge.app import Bridge
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys
from bridge.selftest.clock import START, SharedClock
from bridge.selftest.leaks import canary
from bridge.selftest.network import Wire
from bridge.selftest.system_under_test import Call, Outlet, Place, send_out_through, settings_of
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import migrate

ACCOUNT = "acct_selftest00000000"
STRIPE_KEY, WEBHOOK_SECRET = canary("sk_test_", "provider"), canary("whsec_", "messages")
SECRET_KEY = canary("", "vault")
CAPTURES = ("automatic", "manual")
TIMEOUT = 30.0
"""The provider's, in seconds."""
STRIPE_HOST, SHOP_HOST = "stripe.test", "shop.test"
"""Where they are in a world without sockets."""


@dataclass(frozen=True)
class Template:
    """A database with its stores, to begin other worlds with that have the same addresses."""

    database: Path
    outlets: Mapping[str, Outlet]


class World:
    """One provider account, a shop and a store for each way to capture, and a clock that begins at `start`.

    With `served` they are on sockets, for other processes; else at the end of a `wire`. `database_url` is of an empty
    or migrated database. A `template` of a world without sockets saves making the stores.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        seed: str,
        *,
        served: bool = True,
        template: Template | None = None,
        timeout: float = TIMEOUT,
        start: float = START,
    ) -> None:
        self.folder = folder
        self.clock = SharedClock(folder / "clock", start)
        self.stripe = StripeSimulator(
            secret_key=STRIPE_KEY, accounts=[ACCOUNT], clock=self.clock, random=Random(f"{seed}/stripe")
        )
        self.shops = {name: WooCommerceSimulator(name, clock=self.clock, random=Random(name)) for name in CAPTURES}
        self.provider_faults = Faults(self.stripe)
        self.shop_faults = Faults(
            DispatcherMiddleware(Flask("shops"), {f"/{name}": shop for name, shop in self.shops.items()})
        )
        self._stack = ExitStack()
        self._stack.callback(self.clock.close)
        self.wire = Wire(self.clock, Random(f"{seed}/wire"))
        self.wire.apps = {STRIPE_HOST: self.provider_faults, SHOP_HOST: self.shop_faults}
        self.stripe_url, self.shops_url = f"https://{STRIPE_HOST}", f"https://{SHOP_HOST}"
        ca_file = self._serve() if served else None
        customer = self.stripe.add_customer(ACCOUNT)
        base = Place(
            database_url=database_url,
            secret_key=SECRET_KEY,
            clock_file=str(folder / "clock"),
            stripe_url=self.stripe_url,
            stripe_key=STRIPE_KEY,
            account=ACCOUNT,
            timeout=timeout,
            ca_file=ca_file,
            outlets={},
        )
        shop_keys = {name: shop.add_key(pair=pair_of(f"shop {name}")) for name, shop in self.shops.items()}
        outlets = template.outlets if template else self._set_up(base, shop_keys)
        outlets = {name: replace(outlet, customer=customer) for name, outlet in outlets.items()}
        self.place = replace(base, outlets=outlets)
        self.endpoint = self.stripe.add_webhook_endpoint(
            "http://127.0.0.1:9/never", connect=True, secrets=[WEBHOOK_SECRET]
        ).id

    def new_order(self, outlet: str, total: str = "10.23", **fields: Any) -> int:
        return self.shops[outlet].add_order(total=total, created_via="checkout", **fields)

    def event(self, event_id: str, outlet: str) -> Call:
        """The provider's message as it would be sent now to the outlet's store."""
        message = self.stripe.signed(event_id, self.endpoint)
        path = f"/bridge/v1/webhooks/{self.place.outlets[outlet].store_id}"
        return Call("POST", path, raw=message.body, headers=message.headers, outlet=outlet)

    def events(self, after: int = 0) -> list[tuple[str, str, str]]:
        """Those of the provider after the first so many: id, kind, and the outlet that is told."""
        state = self.stripe._state
        with state.lock:
            state.catch_up()
            return [_told(event) for event in state.everywhere("event")[after:]]

    def at_stripe(self, path: str, **form: Any) -> Any:
        """What somebody does at the provider's own dashboard."""
        headers = {"Authorization": f"Bearer {STRIPE_KEY}", "Stripe-Account": ACCOUNT}
        answer = Client(self.stripe).post(f"/v1/{path}", data=form, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.get_data(as_text=True)}")
        return answer.get_json()

    def template(self, file: Path) -> Template:
        """Keep the SQLite database as it is; nobody may have it open."""
        shutil.copy(self.place.database_url.removeprefix("sqlite:///"), file)
        return Template(file, self.place.outlets)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> str:
        certificates = Certificates.create(self.folder)
        tls = (certificates.cert_file, certificates.key_file)
        self.stripe_url = self._stack.enter_context(serve(self.provider_faults)).url
        self.shops_url = self._stack.enter_context(serve(self.shop_faults, tls=tls)).url
        return str(certificates.ca_file)

    def _set_up(self, place: Place, shop_keys: Mapping[str, tuple[str, str]]) -> dict[str, Outlet]:
        """The stores, added as their owner would."""
        migrate(place.database_url)
        bridge = Bridge(settings_of(place), clock=self.clock)
        if place.ca_file is None:
            send_out_through(bridge, self.wire.make_session)
        try:
            return {name: self._outlet(bridge, place, name, shop_keys[name]) for name in CAPTURES}
        finally:
            bridge.close()

    def _outlet(self, bridge: Bridge, place: Place, capture: str, shop_key: tuple[str, str]) -> Outlet:
        store = bridge.add_store(
            Store(
                id="",
                url=f"{self.shops_url}/{capture}",
                adapter="stripe_connect",
                live=False,
                capture=capture,
                identity="",
                ca_file=place.ca_file,
                consumer_key=shop_key[0],
                consumer_secret=shop_key[1],
                settings={
                    "secret_key": STRIPE_KEY,
                    "account": ACCOUNT,
                    "api_base": self.stripe_url,
                    "webhook_secret": WEBHOOK_SECRET,
                    "off_session": "no",
                },
                options=dict(STORE_OPTIONS),
            )
        )
        key = pair_of(f"client {capture}")
        keys.import_pair(bridge.services, store.id, *key, Permissions.READ_WRITE)
        return Outlet(store.id, capture, store.url, "", shop_key, key)


def pair_of(name: str) -> tuple[str, str]:
    return canary("ck_", name), canary("cs_", name)


def sqlite_url(folder: Path, name: str = "") -> str:
    """A new SQLite database in the folder."""
    return f"sqlite:///{folder / (name or secrets.token_hex(4))}.sqlite"


def _told(event: Mapping[str, Any]) -> tuple[str, str, str]:
    site = (event["data"]["object"].get("metadata") or {}).get("site_url", "")
    return event["id"], event["type"], site.rpartition("/")[2] or CAPTURES[0]
