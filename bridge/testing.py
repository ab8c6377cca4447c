"""Fixtures for the tests of an app that a bridge is mounted into: `pytest_plugins = ["bridge.testing"]`.

The fixture `app` is yours, and gives the app; `bridge_config` is what it should have in its config, so that nothing is
shared between tests. A test that asks for `store` has a store in the app's bridge, a shop with orders behind it (unless
the bridge has an order book of yours) and the `provider` who moves the money; `faults` makes him fail. Everything but
your app and the bridge is simulated, on the loopback. Needs pytest: `pip install 'wcpay-bridge[testing]'`.
"""

import secrets
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from bridge.app import EXTENSION, Bridge
from bridge.cli.demo_providers import CUSTOMER, FortePayments, FortePlatform, Stripe
from bridge.cli.demo_providers import Provider as Kind
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.worker.runner import run_once

__all__ = ["Fault", "ProviderForTests", "StoreForTests"]

KINDS: dict[str, type[Stripe] | type[FortePayments] | type[FortePlatform]] = {
    "stripe_connect": Stripe,
    "forte_payments": FortePayments,
    "forte_platform": FortePlatform,
}
API = "/wp-json/wc/v3/payments"
LIVE = "/bridge/v1/health/live"


@dataclass(frozen=True)
class ProviderForTests:
    """A simulated provider: `simulator` has his books and what can happen there, `url` is where he is called."""

    simulator: Any
    faults: Faults
    url: str
    kind: Kind = field(repr=False)

    def deliver(self) -> None:
        """Send what he has to tell the bridge, now."""
        self.simulator.deliver_due()


@dataclass(frozen=True)
class StoreForTests:
    """A store in the app's bridge. `api` is where its routes are, for a test client; `auth` its client's key pair.

    `orders` are ids by name (`payable`, `paid`, `jpy` ...) in `shop`, the simulated WooCommerce; both are empty where
    the bridge has an order book of yours.
    """

    id: str
    api: str
    auth: tuple[str, str]
    customer: str
    orders: dict[str, int]
    shop: WooCommerceSimulator | None
    _app: Flask = field(repr=False)
    _bridge: Bridge = field(repr=False)

    def create(self, order: str | int = "payable", payment_method: str = "pm_card_visa", **more: Any) -> Any:
        """Charge an order, by its name or id: the bridge's answer to a client on this machine."""
        order_id = self.orders[order] if isinstance(order, str) else order
        body = {"order_id": order_id, "customer": self.customer, "payment_method": payment_method, **more}
        return self._app.test_client().post(f"{self.api}/payment_intents", json=body, auth=self.auth)

    def work(self) -> None:
        """Let a worker do all that is due: deliver what shops have to hear of, work on messages, settle."""
        with self._app.app_context():
            while run_once(self._bridge.services):
                pass


@pytest.fixture
def bridge_config(tmp_path: Path) -> dict[str, Any]:
    """What the app should have in its config: a key and a database of the test's own."""
    return {
        "BRIDGE_SECRET_KEY": secrets.token_hex(20),
        "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'bridge.sqlite'}",
        "BRIDGE_ALLOW_PRIVATE_URLS": True,
        "BRIDGE_LOCAL_HTTP": True,
    }


@pytest.fixture
def bridge(app: Flask) -> Iterator[Bridge]:
    """The Bridge that is mounted in your `app`, its database open. It is closed at the end of the test."""
    mounted: Bridge = app.extensions[EXTENSION]
    with app.app_context():
        mounted.open()
    yield mounted
    mounted.close()


@pytest.fixture
def adapter() -> str:
    """Who moves the money: give another one by a fixture of that name, or by `parametrize`."""
    return "stripe_connect"


@pytest.fixture
def provider(app: Flask, adapter: str, tmp_path: Path) -> Iterator[ProviderForTests | None]:
    """The simulated provider of `adapter`, who tells the bridge of what happens when `deliver` is called; None for the
    sandbox, which is its own."""
    if adapter not in KINDS:
        yield None
        return
    with serve(app) as front:
        kind = KINDS[adapter](front.url + _mount(app), tmp_path)
        made = kind.faults()
        with serve(made) as served:
            yield ProviderForTests(kind.simulator, made, served.url, kind)


@pytest.fixture
def faults(provider: ProviderForTests | None) -> Faults:
    """What the provider does wrong next: `faults.next(Fault.DROPPED, match="POST /v1/payment_intents")`."""
    assert provider is not None, "the sandbox makes its faults by payment method: see docs/adapters/sandbox.md"
    return provider.faults


@pytest.fixture
def store(
    app: Flask, bridge: Bridge, adapter: str, provider: ProviderForTests | None, tmp_path: Path
) -> Iterator[StoreForTests]:
    """A store of the app's bridge, with a key for its clients."""
    with ExitStack() as stack:
        shop, url, ca_file = None, "https://shop.example", None
        if not bridge.has_own_orders:
            certificates = Certificates.create(tmp_path)
            tls = (certificates.cert_file, certificates.key_file)
            shop = WooCommerceSimulator(delivery_tls=ssl.create_default_context(cafile=certificates.ca_file))
            url, ca_file = stack.enter_context(serve(shop, tls=tls)).url, str(certificates.ca_file)
        settings = provider.kind.settings(provider.url) if provider else {"books": str(tmp_path / "sandbox.sqlite")}
        shop_key, shop_secret = shop.add_key() if shop else ("", "")
        wanted = Store(
            id="",
            url=url,
            adapter=adapter,
            live=False,
            capture="automatic",
            identity="",
            ca_file=ca_file,
            consumer_key=shop_key,
            consumer_secret=shop_secret,
            settings=settings,
            options=dict(STORE_OPTIONS),
        )
        with app.app_context():
            added = bridge.add_store(wanted)
            pair = keys.create(bridge.services, added.id, Permissions.READ_WRITE)
            if provider:
                provider.kind.connect(bridge, bridge.services.stores.store(added.id))
        orders = shop.seed_demo_orders() if shop else {}
        auth = (pair.consumer_key, pair.consumer_secret)
        yield StoreForTests(added.id, _mount(app) + API, auth, CUSTOMER, orders, shop, app, bridge)


def _mount(app: Flask) -> str:
    """The prefix that the bridge is mounted at."""
    [rule] = [rule.rule for rule in app.url_map.iter_rules(f"{EXTENSION}.live")]
    return rule.removesuffix(LIVE)
