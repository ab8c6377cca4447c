"""The whole local world of `demo`, and what it prints: addresses, and commands to paste.

Shops and providers that are simulated, and a real bridge with its worker in front of them.
"""

import os
import secrets
import shutil
import ssl
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bridge.app import Bridge, create_app
from bridge.cli.demo import FOLDER
from bridge.cli.demo_providers import (
    CUSTOMER,
    PLANS,
    FortePayments,
    FortePlatform,
    Plan,
    Provider,
    Stripe,
    webhook_path,
)
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.operations import webhook_registration
from bridge.registry import keys as key_cases
from bridge.settings import Settings
from bridge.simulators.certificates import LOCAL_HOSTS, Certificates
from bridge.simulators.fault_routes import with_routes
from bridge.simulators.faults import Faults
from bridge.simulators.server import Server, serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import migrate
from bridge.version import __version__

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
"""Hosts that are not an address to call, and one to call instead."""


class World:
    """Everything that `demo` starts: the bridge on `host`, what is simulated on the loopback, in a temporary directory
    that goes when it is closed.

    Raises OSError if the port is busy.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, directory: Path | None = None) -> None:
        self._stack = ExitStack()
        self._app: Flask | None = None
        with self._stack:
            self.directory = directory or Path(tempfile.mkdtemp(prefix=FOLDER))
            if directory is None:
                self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
            front = self._enter(serve(self._answer, host=host, port=port))
            self.certificates = Certificates.create(self.directory, list(dict.fromkeys([*LOCAL_HOSTS, host])))
            self._tls = (self.certificates.cert_file, self.certificates.key_file)
            secure_front = self._enter(serve(self._answer, host=host, tls=self._tls))
            self._front, self._secure_front = (_address(each, host) for each in (front, secure_front))
            self._simulate()
            self.bridge = self._make_bridge()
            self._stack.callback(self.bridge.close)
            self.stores = {name: self._make_store(name, plan) for name, plan in PLANS.items()}
            shown = [
                {"name": name, "adapter": PLANS[name].adapter, "url": store["store_url"]}
                for name, store in self.stores.items()
            ]
            self._app = create_app(self.bridge, worker=True, shown_stores=shown)
            for server in (front, secure_front):
                self._stack.callback(server.close)
            for simulator in (*self.shops.values(), *(provider.simulator for provider in self.providers.values())):
                simulator.start_deliveries()
                self._stack.callback(simulator.close)
            self._stack = self._stack.pop_all()

    def info(self) -> dict[str, Any]:
        """What `demo --info` writes."""
        providers = {provider.name: self._provider_urls[adapter] for adapter, provider in self.providers.items()}
        return {
            "version": __version__,
            "base_url": self._front,
            "https_base_url": self._secure_front,
            "ca_file": str(self.certificates.ca_file),
            "store_url": self.stores["sandbox"]["store_url"],
            "simulators": {"woocommerce": self._shops.url, **providers},
            "database_url": self.bridge.settings.database_url,
            "secret_key": f"file:{self.directory / 'secret.key'}",
            "pid": os.getpid(),
            "keys": self.stores["sandbox"]["keys"],
            "orders": self.stores["sandbox"]["orders"],
            "stores": self.stores,
        }

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        assert self._app is not None
        return self._app(environ, start_response)

    def _enter(self, server: Server) -> Server:
        return self._stack.enter_context(server)

    def _simulate(self) -> None:
        """Providers, by the adapter that speaks to each, and a shop for each store."""
        self.providers: dict[str, Provider] = {
            "stripe_connect": Stripe(self._front, self.directory),
            "forte_payments": FortePayments(self._front, self.directory),
            "forte_platform": FortePlatform(self._front, self.directory),
        }
        self._provider_urls = {
            adapter: self._enter(serve(provider.app())).url for adapter, provider in self.providers.items()
        }
        trust = ssl.create_default_context(cafile=self.certificates.ca_file)
        self.shops = {name: WooCommerceSimulator(name, delivery_tls=trust) for name in PLANS}
        mounts: dict[str, Any] = {f"/{name}": shop for name, shop in self.shops.items()}
        shops = DispatcherMiddleware(Flask("shops"), mounts)
        self._shops = self._enter(serve(with_routes(Faults(shops)), tls=self._tls))

    def _make_bridge(self) -> Bridge:
        key_file = self.directory / "secret.key"
        key_file.touch(mode=0o600)
        key_file.write_text(secrets.token_urlsafe(48))
        database_url = f"sqlite:///{self.directory / 'bridge.sqlite'}"
        migrate(database_url)
        settings = Settings.load(
            secret_key=f"file:{key_file}",
            database_url=database_url,
            public_url=[self._front, self._secure_front],
            allow_private_urls=True,
            local_http=True,
        )
        return Bridge(settings)

    def _make_store(self, name: str, plan: Plan) -> dict[str, Any]:
        shop, services = self.shops[name], self.bridge.services
        orders = shop.seed_demo_orders()
        consumer_key, consumer_secret = shop.add_key()
        provider = self.providers.get(plan.adapter)
        settings = dict(plan.settings)
        if provider:
            settings |= provider.settings(self._provider_urls[plan.adapter])
        store = self.bridge.add_store(
            Store(
                id="",
                url=f"{self._shops.url}/{name}",
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
        webhook_secrets = {provider.name: settings[provider.proof]} if provider else {}
        webhook_secrets["woocommerce"] = services.vault.shop_secret(store.id)
        if provider:
            provider.connect(self.bridge, services.stores.store(store.id))
        webhook_registration.register_webhooks(services.store(store.id), self._front)
        return {
            "id": store.id,
            "store_url": store.url,
            "webhook_url": self._front + webhook_path(settings.get("webhook_endpoint") or store.id),
            "customer": CUSTOMER,
            "keys": self._make_keys(shop, store.id),
            "orders": orders,
            "webhook_secrets": webhook_secrets,
        }

    def _make_keys(self, shop: WooCommerceSimulator, store_id: str) -> dict[str, dict[str, str]]:
        """Keys of the shop that the bridge takes as well, as the clients of a store use them."""
        services = self.bridge.services
        made = {}
        for name, permissions in (*((p.value, p) for p in Permissions), ("revoked", Permissions.READ_WRITE)):
            pair = key_cases.import_pair(services, store_id, *shop.add_key(permissions), permissions, f"demo {name}")
            made[name] = {"consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}
        shop.revoke_key(pair.consumer_key)
        key_cases.revoke(services, pair.key.id)
        return {name: made[name] for name in ("read_write", "read", "write", "revoked")}


def _address(server: Server, host: str) -> str:
    """Where a server can be called that listens on `host`."""
    return server.url.replace(host, ANYWHERE.get(host, host), 1)


INTENTS = "/wp-json/wc/v3/payments/payment_intents"
PRETTY = "python3 -m json.tool"
"""The bridge writes addresses as PHP does, with a backslash before each slash: not so that they can be opened."""
AT_A_PAGE = {
    "forte_payments_widget": "Forte Payments, in its widget (code 947293, card 4111111111111111)",
    "forte_payments_redirect": "Forte Payments, on its hosted page",
    "forte_platform": "Forte Platforms (card 4242424242424242)",
}


def welcome(info: Mapping[str, Any], program: str = "wcpay-bridge") -> str:
    """For the person who started the demo; `info` is what `demo --info` writes, `program` how to run commands."""
    sandbox = info["stores"]["sandbox"]
    order = sandbox["orders"]["payable"]
    at_a_page = "\n\n".join(
        f"  {title}:\n{_charge(info, name, 'virtual', 'curl -sS', '    ')} | {PRETTY}"
        for name, title in AT_A_PAGE.items()
    )
    return f"""\
The demo is ready. No money moves, and nothing is kept.

  bridge  {info["base_url"]}  (https: {info["https_base_url"]})
  shop    {info["store_url"]}
  docs    {info["base_url"]}/bridge/v1/docs

Charge order {order}:

{_charge(info, "sandbox", "payable")}

Read its story, or run any other command:

  export BRIDGE_DATABASE_URL={info["database_url"]}
  export BRIDGE_SECRET_KEY={info["secret_key"]} BRIDGE_ALLOW_PRIVATE_URLS=yes
  {program} why {order}

Let a buyer pay: open the pay_url of the answer in a browser.

{at_a_page}

Ctrl-C ends it."""


def _charge(info: Mapping[str, Any], store: str, order: str, curl: str = "curl", indent: str = "  ") -> str:
    """A curl that charges an order of a store."""
    pair = info["stores"][store]["keys"]["read_write"]
    body = (
        f'{{"payment_method":"pm_card_visa","customer":"{info["stores"][store]["customer"]}",'
        f'"order_id":"{info["stores"][store]["orders"][order]}"}}'
    )
    lines = [
        f"{curl} -u {pair['consumer_key']}:{pair['consumer_secret']} \\",
        "  -H 'Content-Type: application/json' \\",
        f"  -d '{body}' \\",
        f"  {info['base_url']}{INTENTS}",
    ]
    return "\n".join(indent + line for line in lines)
