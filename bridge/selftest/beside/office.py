"""What the owners of a town's stores do with the bridge's commands: add, change and remove them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bridge.app import Bridge
from bridge.domain.errors import BridgeError
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.operations import webhook_registration
from bridge.registry import keys, stores
from bridge.selftest.beside.kinds import BRIDGE_URL, FORTE_SECRET, KINDS, PLATFORM_HOST, PLATFORM_KEY, SHOPS, shop_name
from bridge.selftest.clock import SharedClock
from bridge.selftest.network import Wire
from bridge.selftest.system_under_test import Outlet, Place, send_out_through, settings_of
from bridge.selftest.world import ACCOUNT, STRIPE_HOST, STRIPE_KEY, WEBHOOK_SECRET, pair_of
from bridge.simulators.stripe import StripeSimulator
from bridge.storage import migrate

OWNER = "the owner"


class Premises(Protocol):
    """What the commands work on: a town."""

    place: Place
    clock: SharedClock
    wire: Wire
    outlets: dict[str, Outlet]
    shop_keys: dict[str, tuple[str, str]]
    stripe: StripeSimulator
    signing: dict[str, str]
    project: str
    user: str

    def let_in(self, name: str, outlet: Outlet) -> None: ...

    def books_file(self, outlet: str) -> Path: ...


class Office:
    """Every command is a process of its own, with the town's database, clock and network."""

    def __init__(self, town: Premises) -> None:
        self._town = town

    def open(self, template: Mapping[str, Outlet] | None) -> None:
        """Add the stores, or take those that the `template` of the database has; and have all shops send messages."""
        if template is None:
            migrate(self._town.place.database_url)
        with self._command() as bridge:
            for name in [name for name, kind in KINDS.items() if not kind.is_later]:
                self._town.let_in(name, template[name] if template else self._added(bridge, name))
                self._register(bridge, name)

    def add(self, name: str) -> None:
        """A store is added while the town lives, for the first time or again, and its clients are let in."""
        with self._command() as bridge:
            self._town.let_in(name, self._added(bridge, name))
            self._register(bridge, name)

    def change(self, name: str, change: Callable[[Store], Store], *, force: bool = False) -> bool:
        """Whether that was done; else it was refused. What comes of it is what was stored, secrets sealed."""
        try:
            with self._command() as bridge:
                store = change(stores.get(bridge.services, self._town.outlets[name].store_id))
                bridge.update_store(store, who=OWNER, force=force)
        except BridgeError:
            return False
        return True

    def remove(self, name: str, *, force: bool = False) -> bool:
        """Whether that was done; else it was refused."""
        try:
            with self._command() as bridge:
                stores.remove(bridge.services, self._town.outlets[name].store_id, OWNER, force=force)
        except BridgeError:
            return False
        return True

    @contextmanager
    def _command(self) -> Iterator[Bridge]:
        bridge = Bridge(settings_of(self._town.place), clock=self._town.clock)
        send_out_through(bridge, self._town.wire.make_session)
        try:
            yield bridge
        finally:
            bridge.close()

    def _register(self, bridge: Bridge, name: str) -> None:
        store = bridge.services.store(self._town.outlets[name].store_id)
        webhook_registration.register_webhooks(store, BRIDGE_URL)

    def _added(self, bridge: Bridge, name: str) -> Outlet:
        town, kind = self._town, KINDS[name]
        store = bridge.add_store(
            Store(
                id="",
                url=f"https://{SHOPS}/{shop_name(name)}",
                adapter=kind.adapter,
                live=False,
                capture=kind.capture,
                identity="",
                ca_file=None,
                consumer_key=town.shop_keys[name][0],
                consumer_secret=town.shop_keys[name][1],
                settings=self._settings(name),
                options=dict(STORE_OPTIONS),
            ),
            shop=town.outlets[kind.shop].store_id if kind.shop else None,
            who=OWNER,
        )
        key = pair_of(f"client {name}")
        keys.import_pair(bridge.services, store.id, *key, Permissions.READ_WRITE)
        return Outlet(store.id, kind.capture, store.url, "", town.shop_keys[name], key, kind.adapter)

    def _settings(self, name: str) -> dict[str, str]:
        town, kind = self._town, KINDS[name]
        if kind.adapter == "stripe_connect":
            url = f"https://{STRIPE_HOST}"
            pages = {"publishable_key": town.stripe.publishable_key, "script_url": f"{url}/stripe-elements.js"}
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
                "webhook_secret": town.signing[name],
                "webhook_endpoint": name,
                "timestamp_header": "X-Forte-Timestamp",
                **signed,
            }
        if kind.adapter == "forte_platform":
            url = f"https://{PLATFORM_HOST}"
            script = {"stripe_script_url": f"{url}/stripe-elements.js"}
            return {
                "api_key": PLATFORM_KEY,
                "project": town.project,
                "default_user": town.user,
                "host": url,
                **script,
            }
        return {"books": str(town.books_file(name))}
