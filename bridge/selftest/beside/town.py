"""A world without sockets in which every kind of adapter has a shop: four providers, one bridge, one clock.

What the shops' webhooks and a Forte's messages bring goes straight to the bridge, through whatever is broken there.
"""

import sqlite3
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bridge.selftest.beside.kinds import (
    BRIDGE_URL,
    FORTE_SECRET,
    KINDS,
    OTHER_ACCOUNT,
    PLATFORM_HOST,
    PLATFORM_KEY,
    SHOPS,
    shop_name,
)
from bridge.selftest.beside.office import Office
from bridge.selftest.clock import START, SharedClock
from bridge.selftest.network import Wire
from bridge.selftest.system_under_test import Answer, Call, Outlet, Place, Subject, find_subject
from bridge.selftest.world import ACCOUNT, SECRET_KEY, STRIPE_HOST, STRIPE_KEY, TIMEOUT, WEBHOOK_SECRET, pair_of
from bridge.simulators.forte_payments import FortePaymentsSimulator
from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator

BILLING = {"first_name": "Ann", "last_name": "Doe", "email": "ann@example.com", "country": "US"}


class Town:
    """Begins at `START`. With a `template` (a migrated SQLite database that has the stores, and its outlets) it need
    not be set up. `mail` says what becomes of a shop's webhook: the status that stands in its way, None if it arrives.
    Stripe's messages about what is `unheard` (ids of payments) never come. `outlets` are the entries that are there.
    """

    def __init__(self, folder: Path, database_url: str, seed: str, subject: str, template: Mapping[str, Outlet] | None):
        self.random = Random(seed)
        self.clock = SharedClock(folder / "clock", START)
        self.wire = Wire(self.clock, Random(f"{seed}/wire"))
        self.mail: Callable[[str], int | None] = lambda _outlet: None
        self.unheard: set[str] = set()
        self._folder = folder
        self._seed = seed
        self._make_providers()
        own = {name: self._make_shop(name) for name, kind in KINDS.items() if not kind.shop}
        self.shops = {name: own[shop_name(name)] for name in KINDS}
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
        self.outlets: dict[str, Outlet] = {}
        self._store_ids: dict[str, list[str]] = {}
        self.place = replace(base, outlets=self.outlets)
        self.office = Office(self)
        self.office.open(template)
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

    def stores_of(self, outlet: str) -> list[str]:
        """Ids of all entries of its shop, those included that were removed."""
        return self._store_ids.get(shop_name(outlet), [])

    def new_order(self, outlet: str, total: str, currency: str = "USD") -> int:
        shop = self.shops[outlet]
        if KINDS[outlet].is_virtual:
            virtual = next(each["id"] for each in shop.products() if each["virtual"])
            lines = [{"product_id": virtual, "total": total}]
            return shop.add_order(lines=lines, created_via="checkout", billing=BILLING)
        return shop.add_order(total=total, currency=currency, created_via="checkout", billing=BILLING)

    def post_messages(self, share: float = 1.0) -> None:
        """Deliver what is due of the shops' webhooks and the providers' messages, some share of the latter."""
        for shop in dict.fromkeys(self.shops.values()):
            shop.deliver_due()
        events = self._stripe_events()
        for event_id, name, intent in events[self._told :]:
            if self.random.random() < share and intent not in self.unheard:
                self._post_to_all(event_id, name)
        self._told = len(events)
        for forte in self.fortes.values():
            forte.deliver_due()

    def sandbox_rows(self, outlet: str) -> Iterator[tuple[str, int, int, str]]:
        """Kind, order, minor units and reference of every line of a sandbox's own ledger, oldest first."""
        if (file := self.books_file(outlet)).exists():
            with closing(sqlite3.connect(file)) as books:
                yield from books.execute("select kind, order_id, amount, reference from ledger order by seq").fetchall()

    def close(self) -> None:
        self.subject.close()
        for shop in set(self.shops.values()):
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
        chance, accounts = Random(f"{self._seed}/stripe"), [ACCOUNT, OTHER_ACCOUNT]
        self.stripe = StripeSimulator(secret_key=STRIPE_KEY, accounts=accounts, clock=self.clock, random=chance)
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
        self.project = self.platform.add_project()
        self.user = self.platform.add_user(self.project, "ann@example.com")
        self.signing = {
            name: forte.subscribe(f"{BRIDGE_URL}/bridge/v1/webhooks/{name}").signing_key
            for name, forte in self.fortes.items()
        }

    def _apps(self) -> dict[str, Any]:
        mounted: dict[str, Any] = {f"/{name}": shop for name, shop in self.shops.items()}
        fortes = {f"{name}.test": forte for name, forte in self.fortes.items()}
        shops = DispatcherMiddleware(Flask("shops"), mounted)
        return {STRIPE_HOST: self.stripe, SHOPS: shops, PLATFORM_HOST: self.platform, **fortes}

    def books_file(self, outlet: str) -> Path:
        """A sandbox's own ledger."""
        return self._folder / f"sandbox-{outlet}.sqlite"

    def _make_shop(self, name: str) -> WooCommerceSimulator:
        return WooCommerceSimulator(name, clock=self.clock, random=Random(name), post=self._carry)

    def let_in(self, name: str, outlet: Outlet) -> None:
        """From now on its clients and providers know where it is."""
        self.outlets[name] = replace(outlet, customer=self._customer)
        self._store_ids.setdefault(shop_name(name), []).append(outlet.store_id)

    def _stripe_events(self) -> list[tuple[str, str, str]]:
        """Ids of Stripe's events, oldest first, each with the shop that it is about and the payment."""
        state = self.stripe._state
        with state.lock:
            state.catch_up()
            events = state.everywhere("event")
        return [_told(event) for event in events]

    def _post_to_all(self, event_id: str, shop: str) -> None:
        """Each entry at Stripe has an endpoint of its own there."""
        for name, outlet in self.outlets.items():
            if shop_name(name) == shop and KINDS[name].adapter == "stripe_connect":
                message = self.stripe.signed(event_id, self._endpoint)
                path = f"/bridge/v1/webhooks/{outlet.store_id}"
                self.request(Call("POST", path, raw=message.body, headers=message.headers, outlet=name))

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


def _told(event: Mapping[str, Any]) -> tuple[str, str, str]:
    about = event["data"]["object"]
    site = (about.get("metadata") or {}).get("site_url", "")
    return event["id"], site.rpartition("/")[2] or "automatic", about.get("payment_intent") or about["id"]
