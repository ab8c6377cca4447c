"""A world without sockets in which every kind of adapter has a shop: six stores, four providers, one bridge, one clock.

What the shops' webhooks and a Forte's messages bring goes straight to the bridge, through whatever is broken there.
"""

import sqlite3
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bridge.app import Bridge
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.inbound import store_events
from bridge.registry import keys
from bridge.selftest.clock import START, SharedClock
from bridge.selftest.leaks import canary
from bridge.selftest.network import Wire
from bridge.selftest.system_under_test import (
    Answer,
    Call,
    Outlet,
    Place,
    Subject,
    find_subject,
    send_out_through,
    settings_of,
)
from bridge.selftest.world import ACCOUNT, SECRET_KEY, STRIPE_HOST, STRIPE_KEY, TIMEOUT, WEBHOOK_SECRET, pair_of
from bridge.simulators.forte_payments import FortePaymentsSimulator
from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import migrate

BRIDGE_URL = "http://127.0.0.1"
"""What the bridge takes for its public address."""
SHOPS, PLATFORM_HOST = "shops.test", "platform.test"
PLATFORM_KEY = canary("forte_test_", "platform")
FORTE_SECRET = canary("", "forte")
BILLING = {"first_name": "Ann", "last_name": "Doe", "email": "ann@example.com", "country": "US"}


@dataclass(frozen=True)
class Kind:
    """A store: who moves its money, and how. `is_virtual`: all that it sells is."""

    adapter: str
    capture: str = "automatic"
    mode: str = ""
    card: str = "pm_card_visa"
    is_virtual: bool = False


KINDS: Mapping[str, Kind] = {
    "automatic": Kind("stripe_connect"),
    "manual": Kind("stripe_connect", capture="manual"),
    "widget": Kind("forte_payments", mode="widget", is_virtual=True),
    "redirect": Kind("forte_payments", mode="redirect", is_virtual=True),
    "platform": Kind("forte_platform"),
    "sandbox": Kind("sandbox"),
}
"""The outlets by name."""


class Town:
    """Begins at `START`. With a `template` (a migrated SQLite database that has the stores, and its outlets) it need
    not be set up. `mail` says what becomes of a shop's webhook: the status that stands in its way, None if it arrives.
    """

    def __init__(self, folder: Path, database_url: str, seed: str, subject: str, template: Mapping[str, Outlet] | None):
        self.random = Random(seed)
        self.clock = SharedClock(folder / "clock", START)
        self.wire = Wire(self.clock, Random(f"{seed}/wire"))
        self.mail: Callable[[str], int | None] = lambda _outlet: None
        self.books_file = folder / "sandbox.sqlite"
        self._seed = seed
        self._make_providers()
        self.shops = {
            name: WooCommerceSimulator(name, clock=self.clock, random=Random(name), post=self._carry) for name in KINDS
        }
        self.wire.apps = self._apps()
        self.shop_keys = {name: shop.add_key(pair=pair_of(f"shop {name}")) for name, shop in self.shops.items()}
        base = Place(
            database_url=database_url,
            secret_key=SECRET_KEY,
            clock_file=str(folder / "clock"),
            stripe_url=f"https://{STRIPE_HOST}",
            stripe_key=STRIPE_KEY,
            account=ACCOUNT,
            timeout=TIMEOUT,
            ca_file=None,
            outlets={},
        )
        outlets = self._set_up(base, template)
        self.place = replace(
            base, outlets={name: replace(each, customer=self._customer) for name, each in outlets.items()}
        )
        self.subject: Subject = find_subject(subject)(
            self.place, self.clock, Random(f"{seed}/ids"), self.wire.make_session, self.clock.advance
        )
        self._told = 0

    def request(self, call: Call) -> Answer:
        return self.subject.request(call)

    def work(self) -> None:
        """All that is due now, of the queues and of the jobs."""
        self.subject.work()
        self.subject.keep_house()
        self.subject.work()

    def new_order(self, outlet: str, total: str) -> int:
        shop = self.shops[outlet]
        if KINDS[outlet].is_virtual:
            virtual = next(each["id"] for each in shop.products() if each["virtual"])
            lines = [{"product_id": virtual, "total": total}]
            return shop.add_order(lines=lines, created_via="checkout", billing=BILLING)
        return shop.add_order(total=total, created_via="checkout", billing=BILLING)

    def post_messages(self, share: float = 1.0) -> None:
        """Deliver what is due of the shops' webhooks and the providers' messages, some share of the latter."""
        for shop in self.shops.values():
            shop.deliver_due()
        events = self._stripe_events()
        for event_id, outlet in events[self._told :]:
            if self.random.random() < share:
                message = self.stripe.signed(event_id, self._endpoint)
                path = f"/bridge/v1/webhooks/{self.place.outlets[outlet].store_id}"
                self.request(Call("POST", path, raw=message.body, headers=message.headers, outlet=outlet))
        self._told = len(events)
        for forte in self.fortes.values():
            forte.deliver_due()

    def sandbox_rows(self) -> Iterator[tuple[str, int, int, str]]:
        """Kind, order, minor units and reference of every line of the sandbox's own ledger, oldest first."""
        if self.books_file.exists():
            with closing(sqlite3.connect(self.books_file)) as books:
                yield from books.execute("select kind, order_id, amount, reference from ledger order by seq").fetchall()

    def close(self) -> None:
        self.subject.close()
        for shop in self.shops.values():
            shop.close()
        for forte in self.fortes.values():
            forte.close()
        self.platform.close()
        self.clock.close()

    def __enter__(self) -> "Town":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_providers(self) -> None:
        self.stripe = StripeSimulator(
            secret_key=STRIPE_KEY, accounts=[ACCOUNT], clock=self.clock, random=Random(f"{self._seed}/stripe")
        )
        self._endpoint = self.stripe.add_webhook_endpoint(
            "http://127.0.0.1:9/never", connect=True, secrets=[WEBHOOK_SECRET]
        ).id
        self._customer = self.stripe.add_customer(ACCOUNT)
        self.fortes = {
            name: FortePaymentsSimulator(
                client_id=name, client_secret=FORTE_SECRET, clock=self.clock, random=Random(name), post=self._carry
            )
            for name, kind in KINDS.items()
            if kind.adapter == "forte_payments"
        }
        self.platform = FortePlatformSimulator(api_key=PLATFORM_KEY, clock=self.clock, random=Random("platform"))
        self._project = self.platform.add_project()
        self._user = self.platform.add_user(self._project, "ann@example.com")
        self._signing = {
            name: forte.subscribe(f"{BRIDGE_URL}/bridge/v1/webhooks/{name}").signing_key
            for name, forte in self.fortes.items()
        }

    def _apps(self) -> dict[str, Any]:
        mounted: dict[str, Any] = {f"/{name}": shop for name, shop in self.shops.items()}
        fortes = {f"{name}.test": forte for name, forte in self.fortes.items()}
        shops = DispatcherMiddleware(Flask("shops"), mounted)
        return {STRIPE_HOST: self.stripe, SHOPS: shops, PLATFORM_HOST: self.platform, **fortes}

    def _settings(self, name: str) -> dict[str, str]:
        kind = KINDS[name]
        if kind.adapter == "stripe_connect":
            url = f"https://{STRIPE_HOST}"
            pages = {"publishable_key": self.stripe.publishable_key, "script_url": f"{url}/stripe-elements.js"}
            account = {"secret_key": STRIPE_KEY, "account": ACCOUNT, "webhook_secret": WEBHOOK_SECRET}
            return {**account, **pages, "api_base": url, "off_session": "no"}
        if kind.adapter == "forte_payments":
            url = f"https://{name}.test"
            signed = {"signature_header": "X-Forte-Signature", "signature_payload": "{timestamp}.{body}"}
            return {
                "client_id": name,
                "client_secret": FORTE_SECRET,
                "mode": kind.mode,
                "api_base": url,
                "widget_script": f"{url}/forte-payments-widget.js",
                "webhook_secret": self._signing[name],
                "webhook_endpoint": name,
                "timestamp_header": "X-Forte-Timestamp",
                **signed,
            }
        if kind.adapter == "forte_platform":
            url = f"https://{PLATFORM_HOST}"
            script = {"stripe_script_url": f"{url}/stripe-elements.js"}
            return {
                "api_key": PLATFORM_KEY,
                "project": self._project,
                "default_user": self._user,
                "host": url,
                **script,
            }
        return {"books": str(self.books_file)}

    def _set_up(self, place: Place, template: Mapping[str, Outlet] | None) -> Mapping[str, Outlet]:
        """The stores, added as their owners would; and what the shops are to tell us."""
        if template is None:
            migrate(place.database_url)
        bridge = Bridge(settings_of(place), clock=self.clock)
        send_out_through(bridge, self.wire.make_session)
        try:
            outlets = template or {name: self._add_store(bridge, name) for name in KINDS}
            for outlet in outlets.values():
                store = bridge.services.connections.store(outlet.store_id)
                store_events.register(bridge.services, store, BRIDGE_URL)
        finally:
            bridge.close()
        return outlets

    def _add_store(self, bridge: Bridge, name: str) -> Outlet:
        kind = KINDS[name]
        store = bridge.add_store(
            Store(
                id="",
                url=f"https://{SHOPS}/{name}",
                adapter=kind.adapter,
                live=False,
                capture=kind.capture,
                identity="",
                ca_file=None,
                consumer_key=self.shop_keys[name][0],
                consumer_secret=self.shop_keys[name][1],
                settings=self._settings(name),
                options=dict(STORE_OPTIONS),
            )
        )
        key = pair_of(f"client {name}")
        keys.import_pair(bridge.services, store.id, *key, Permissions.READ_WRITE)
        return Outlet(store.id, kind.capture, store.url, "", self.shop_keys[name], key, kind.adapter)

    def _stripe_events(self) -> list[tuple[str, str]]:
        """Ids of Stripe's events, oldest first, each with the outlet that is told."""
        state = self.stripe._state
        with state.lock:
            state.catch_up()
            events = state.everywhere("event")
        sites = [(event["data"]["object"].get("metadata") or {}).get("site_url", "") for event in events]
        named = [site.rpartition("/")[2] or "automatic" for site in sites]
        return list(zip([event["id"] for event in events], named, strict=True))

    def _carry(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout: float,  # noqa: ARG002 no time passes on the way
        context: ssl.SSLContext | None = None,  # noqa: ARG002
    ) -> tuple[int | None, str | None]:
        """A message on its way to the bridge."""
        name = urlsplit(url).path.rpartition("/")[2]
        outlet = next((each for each, known in self.place.outlets.items() if known.store_id == name), "")
        if outlet and (broken := self.mail(outlet)):
            return broken, None
        return self.request(Call("POST", urlsplit(url).path, raw=body, headers=headers)).status, None
