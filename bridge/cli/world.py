"""The whole local world of `demo`.

Shops and providers that are simulated, and a real bridge with its worker in front of them.
"""

import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bridge.app import Bridge, create_app
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.payments import keys as key_cases
from bridge.settings import Settings
from bridge.simulators.certificates import Certificates
from bridge.simulators.ledger import Ledger
from bridge.simulators.server import Server, serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import migrate
from bridge.version import __version__

CUSTOMER = "cus_OUQoHGzJLw87Tk"
PLATFORM_KEY = "sk_test_demo"
ACCOUNT = "acct_demo"


@dataclass(frozen=True)
class Plan:
    """A store of the demo: which adapter, with which settings."""

    adapter: str
    capture: str = "automatic"
    settings: tuple[tuple[str, str], ...] = ()


class World:
    """Everything that `demo` starts, on loopback, in a temporary directory that goes when it is closed.

    Raises OSError if the port is busy.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, directory: Path | None = None) -> None:
        self._stack = ExitStack()
        self._app: Flask | None = None
        with self._stack:
            self._front = self._enter(serve(self._answer, host=host, port=port))
            self.directory = directory or Path(tempfile.mkdtemp(prefix="wcpay-bridge-demo-"))
            if directory is None:
                self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            self.certificates = Certificates.create(self.directory)
            tls = (self.certificates.cert_file, self.certificates.key_file)
            self._secure_front = self._enter(serve(self._answer, host=host, tls=tls))
            self.ledger = Ledger(self.directory / "stripe-ledger.jsonl")
            self.stripe = StripeSimulator(
                secret_key=PLATFORM_KEY, accounts=[ACCOUNT], ledger=self.ledger, adopt_customers=True
            )
            self._stripe = self._enter(serve(self.stripe))
            self.shops = {name: WooCommerceSimulator(name) for name in self.plans}
            mounts: dict[str, Any] = {f"/{name}": shop for name, shop in self.shops.items()}
            self._shops = self._enter(serve(DispatcherMiddleware(Flask("shops"), mounts), host=host, tls=tls))
            self.bridge = self._make_bridge()
            self._stack.callback(self.bridge.close)
            self.stores = {name: self._make_store(name, plan) for name, plan in self.plans.items()}
            self._app = create_app(self.bridge, worker=True)
            self.stripe.start_deliveries()
            self._stack.callback(self.stripe.close)
            self._stack = self._stack.pop_all()

    @cached_property
    def plans(self) -> dict[str, Plan]:
        stripe = (("secret_key", PLATFORM_KEY), ("account", ACCOUNT), ("fee", "2.9%+30"), ("country", "US"))
        return {
            "sandbox": Plan("sandbox"),
            "sandbox_manual": Plan("sandbox", capture="manual"),
            "stripe_connect": Plan("stripe_connect", settings=stripe),
            "stripe_connect_destination": Plan("stripe_connect", settings=(*stripe, ("charge_type", "destination"))),
        }

    def info(self) -> dict[str, Any]:
        """What `demo --info` writes."""
        return {
            "version": __version__,
            "base_url": self._front.url,
            "https_base_url": self._secure_front.url,
            "ca_file": str(self.certificates.ca_file),
            "store_url": self._shop_url("sandbox"),
            "simulators": {"woocommerce": self._shops.url, "stripe": self._stripe.url},
            "database_url": self.bridge.settings.database_url,
            "secret_key": f"file:{self.directory / 'secret.key'}",
            "pid": os.getpid(),
            "keys": self.stores["sandbox"]["keys"],
            "orders": self.stores["sandbox"]["orders"],
            "stores": self.stores,
        }

    def welcome(self) -> str:
        """What `demo` prints."""
        pair = self.stores["sandbox"]["keys"]["read_write"]
        order = self.stores["sandbox"]["orders"]["payable"]
        body = f'{{"payment_method":"pm_card_visa","customer":"{CUSTOMER}","order_id":"{order}"}}'
        environment = (
            f"BRIDGE_DATABASE_URL={self.bridge.settings.database_url} BRIDGE_SECRET_KEY={self.info()['secret_key']}"
        )
        return f"""\
The demo is ready. No money moves, and nothing is kept.

  bridge  {self._front.url}  (https: {self._secure_front.url})
  shop    {self._shop_url("sandbox")}
  docs    {self._front.url}/bridge/v1/docs

Charge order {order}:

  curl -u {pair["consumer_key"]}:{pair["consumer_secret"]} \\
    -H 'Content-Type: application/json' \\
    -d '{body}' \\
    {self._front.url}/wp-json/wc/v3/payments/payment_intents

Read its story:

  {environment} \\
    wcpay-bridge why {order}

Ctrl-C ends it."""

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> "World":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        assert self._app is not None
        return self._app(environ, start_response)

    def _enter(self, server: Server) -> Server:
        return self._stack.enter_context(server)

    def _shop_url(self, name: str) -> str:
        return f"{self._shops.url}/{name}"

    def _make_bridge(self) -> Bridge:
        key_file = self.directory / "secret.key"
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_urlsafe(48))
        database_url = f"sqlite:///{self.directory / 'bridge.sqlite'}"
        migrate(database_url)
        settings = Settings.load(
            secret_key=f"file:{key_file}",
            database_url=database_url,
            public_url=[self._front.url, self._secure_front.url],
            allow_private_urls=True,
        )
        return Bridge(settings)

    def _make_store(self, name: str, plan: Plan) -> dict[str, Any]:
        shop = self.shops[name]
        consumer_key, consumer_secret = shop.add_key()
        settings, webhook_secrets = dict(plan.settings), {}
        if plan.adapter == "stripe_connect":
            webhook_secrets = {"stripe": f"whsec_{secrets.token_hex(16)}"}
            settings |= {"api_base": self._stripe.url, "webhook_secret": webhook_secrets["stripe"]}
        store = self.bridge.add_store(
            Store(
                id="",
                url=self._shop_url(name),
                adapter=plan.adapter,
                live=False,
                capture=plan.capture,
                identity="",
                ca_file=str(self.certificates.ca_file),
                consumer_key=consumer_key,
                consumer_secret=consumer_secret,
                settings=settings,
                options=dict(STORE_OPTIONS),
            )
        )
        for secret in webhook_secrets.values():
            self.stripe.add_webhook_endpoint(
                f"{self._front.url}/bridge/v1/webhooks/{store.id}",
                connect=settings.get("charge_type") != "destination",
                secrets=[secret],
            )
        return {
            "id": store.id,
            "store_url": store.url,
            "customer": CUSTOMER,
            "keys": self._make_keys(store.id),
            "orders": shop.seed_demo_orders(),
            "webhook_secrets": webhook_secrets,
        }

    def _make_keys(self, store_id: str) -> dict[str, dict[str, str]]:
        services = self.bridge.services
        made = {}
        for name, permissions in (*((p.value, p) for p in Permissions), ("revoked", Permissions.READ_WRITE)):
            pair = key_cases.create(services, store_id, permissions, f"demo {name}")
            made[name] = {"consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}
        key_cases.revoke(services, pair.key.id)
        return {name: made[name] for name in ("read_write", "read", "write", "revoked")}
