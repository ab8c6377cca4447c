"""`local`: a bridge in front of a simulated shop and simulated providers, over real sockets.

Its clock stands still until a test moves it.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, Response

from bridge import Bridge, create_app
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys
from bridge.registry.keys import KeyPair
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.worker.runner import run_once
from tests.plugins.clock import Time

UNLIMITED = dict.fromkeys(
    ("rate_limit", "key_limit", "store_limit", "order_decline_limit", "address_decline_limit"), "off"
)
"""Settings of a bridge whose clients may ask, guess and be declined as often as they like."""
INTENTS = "/wp-json/wc/v3/payments/payment_intents"
CREATED = ["id", "amount", "currency", "created", "customer", "payment_method", "status", "charge"]
"""The published members of what create answers, in their order; ours come after them."""
PLATFORM_KEY = "sk_test_0123456789abcdefghijkl"
ACCOUNT = "acct_1PgafTB7WZ01zgkW"


@dataclass
class Local:
    """One shop, one store that serves it, one key pair for its client.

    The client calls the app in this process, unless the bridge listens at `url`.
    """

    bridge: Bridge
    app: Flask
    clock: Time
    shop: WooCommerceSimulator
    shop_faults: Faults
    store: Store
    pair: KeyPair
    orders: dict[str, int]
    stripe: StripeSimulator | None = None
    provider_faults: Faults | None = None
    customer: str = "cus_OUQoHGzJLw87Tk"
    payment_method: str = "pm_card_visa"
    environ: dict[str, str] = field(default_factory=lambda: {"REMOTE_ADDR": "127.0.0.1"})
    url: str = ""

    def post(self, path: str, body: Any, **kwargs: Any) -> Response:
        return self._open(path, method="POST", json=body, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Response:
        return self._open(path, method="GET", **kwargs)

    def create(self, order: str | int | None = "payable", **changes: Any) -> Response:
        """Charge an order, named as the shop's seed names it or by its id."""
        order_id = self.orders[order] if isinstance(order, str) else order
        body = {"payment_method": self.payment_method, "customer": self.customer, "order_id": order_id} | changes
        return self.post(INTENTS, {name: value for name, value in body.items() if value is not ...})

    def show(self, name: str) -> Response:
        return self.get(f"{INTENTS}/{name}")

    def at_stripe(self, path: str, method: str = "POST", **wanted: str | int) -> dict[str, Any]:
        """What somebody does at Stripe's own dashboard, on the account that is charged; Stripe's answer."""
        headers = {"Authorization": f"Bearer {PLATFORM_KEY}"}
        if self.store.settings.get("charge_type") != "destination":
            headers["Stripe-Account"] = ACCOUNT
        url = f"{self.store.settings['api_base']}/v1/{path}"
        answer = requests.request(method, url, data=wanted, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def work(self) -> None:
        """Let a worker do all that is due."""
        while run_once(self.bridge.services):
            pass

    def order(self, name: str = "payable") -> dict[str, Any]:
        return self.shop.order(self.orders[name])

    def notes(self, name: str = "payable") -> list[str]:
        return [note["note"] for note in self.shop.notes(self.orders[name])]

    def meta(self, name: str = "payable") -> dict[str, Any]:
        return {entry["key"]: entry["value"] for entry in self.order(name)["meta_data"]}

    def _open(self, path: str, **kwargs: Any) -> Response:
        pair = (self.pair.consumer_key, self.pair.consumer_secret)
        if self.url:
            answer = requests.request(url=self.url + path, auth=pair, timeout=30, allow_redirects=False, **kwargs)
            return Response(answer.content, answer.status_code, list(answer.headers.items()))
        return self.app.test_client().open(
            path,
            base_url="http://127.0.0.1",
            auth=pair,
            environ_overrides=self.environ,
            **kwargs,
        )


def refusal(answer: Response) -> tuple[int, str, str]:
    """Its status, code and message."""
    body = answer.get_json()
    assert body["data"]["status"] == answer.status_code
    return answer.status_code, body["code"], body["message"]


MakeLocal = Callable[..., Local]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("certificates"))


@contextmanager
def locals_in(tmp_path: Path, certificates: Certificates) -> Iterator[MakeLocal]:
    """Makes a Local on the database of the URL; all are closed in the end."""
    with ExitStack() as stack:

        def make(
            database_url: str,
            adapter: str = "sandbox",
            *,
            capture: str = "automatic",
            settings: dict[str, str] | None = None,
            options: dict[str, str] | None = None,
            customer: str | None = None,
            **bridge_settings: Any,
        ) -> Local:
            clock = Time()
            shop = WooCommerceSimulator("shop", clock=clock)
            shop_faults = Faults(shop)
            tls = (certificates.cert_file, certificates.key_file)
            shop_url = stack.enter_context(serve(shop_faults, tls=tls)).url
            stripe = provider_faults = None
            books = {"books": str(tmp_path / "sandbox.sqlite")} if adapter == "sandbox" else {}
            settings = books | (settings or {})
            if adapter == "stripe_connect":
                stripe = StripeSimulator(secret_key=PLATFORM_KEY, accounts=[ACCOUNT], clock=clock)
                provider_faults = Faults(stripe)
                stripe_url = stack.enter_context(serve(provider_faults)).url
                owner = None if settings.get("charge_type") == "destination" else ACCOUNT
                customer = customer or stripe.add_customer(owner)
                settings = {"secret_key": PLATFORM_KEY, "account": ACCOUNT, "api_base": stripe_url} | settings
            bridge = Bridge(
                clock=clock,
                secret_key=bridge_settings.pop("secret_key", secrets.token_hex(20)),
                database_url=database_url,
                allow_private_urls=True,
                public_url="http://127.0.0.1",
                **{"local_http": True, **UNLIMITED, **bridge_settings},
            )
            stack.callback(bridge.close)
            shop_key, shop_secret = shop.add_key()
            store = bridge.add_store(
                Store(
                    id="",
                    url=shop_url,
                    adapter=adapter,
                    live=False,
                    capture=capture,
                    identity="",
                    ca_file=str(certificates.ca_file),
                    consumer_key=shop_key,
                    consumer_secret=shop_secret,
                    settings=settings,
                    options=STORE_OPTIONS | (options or {}),
                )
            )
            pair = keys.create(bridge.services, store.id, Permissions.READ_WRITE)
            orders = shop.seed_demo_orders()
            local = Local(
                bridge, create_app(bridge), clock, shop, shop_faults, store, pair, orders, stripe, provider_faults
            )
            local.customer = customer or local.customer
            return local

        yield make


@pytest.fixture
def make_local(certificates: Certificates, tmp_path: Path) -> Iterator[MakeLocal]:
    """Makes a Local on the database of the URL; closed at the end of the test."""
    with locals_in(tmp_path, certificates) as make:
        yield make


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str) -> Local:
    """A sandbox store on SQLite."""
    return make_local(sqlite_url)
