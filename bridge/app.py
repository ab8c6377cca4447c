"""The composition root: settings, database and edges become a Bridge; a Bridge becomes a blueprint or a Flask app."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask

from bridge.adapters import AdapterContext, construct, load
from bridge.domain.errors import ConfigurationError, Refused
from bridge.domain.ids import RandomIds
from bridge.domain.ports import Adapter, Clock, Finding, Ids, NamesShop, OrderBook
from bridge.domain.stores import Store
from bridge.http.blueprint import make_blueprint
from bridge.http.wordpress.errors import handle_outside
from bridge.inbound.store_webhooks import webhook_findings
from bridge.payments import shops
from bridge.refusals import Refusals
from bridge.registry import store_keys, stores
from bridge.registry.obstacles import Obstacles
from bridge.services import Queue, Services
from bridge.settings import Settings, data_directory
from bridge.storage import Database
from bridge.storage.vault import UnreadableReference, Vault
from bridge.stores.base import completed
from bridge.version import __version__
from bridge.web.front import add_front_page
from bridge.worker.runner import Worker

if TYPE_CHECKING:
    import requests

OrderBookFactory = Callable[[Store], OrderBook]
LoadAdapter = Callable[[str], type[Adapter]]
EXTENSION = "wcpay_bridge"
WOOPAYMENTS = "woocommerce_payments"
"""WooPayments' own payment method id: ours only where that plugin is not active."""
FRESH_SECONDS = 5.0
"""How long a process goes on with what it knows of a store before it looks whether the row was changed."""


class Bridge:
    """One bridge: a database, its stores and their edges. Mount it into any number of Flask apps, under any prefix.

    `order_book` makes the OrderBook of a store, for hosts whose orders live elsewhere than behind WooCommerce's REST
    API.
    Raises ConfigurationError with everything that is wrong.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        clock: Clock = time.time,
        ids: Ids | None = None,
        order_book: OrderBookFactory | None = None,
        **keywords: Any,
    ) -> None:
        self.settings = settings or Settings.load(config, **keywords)
        database = Database(self.settings.database_url)
        try:
            database.require_current()
            vault = Vault(self.settings.secret_key, database)
        except ConfigurationError:
            database.close()
            raise
        connections = _Connections(self.settings, clock, ids or RandomIds(), order_book)
        self._worker: Worker | None = None
        self.services = Services(
            database=database,
            vault=vault,
            clock=clock,
            ids=connections.ids,
            stores=connections,
            provider_timeout=self.settings.provider_timeout,
            version=__version__,
            refusals=Refusals(database, clock),
            max_sweeps=self.settings.max_sweeps,
            wake=self._wake,
        )
        connections.services = self.services
        self._connections = connections

    @property
    def has_own_orders(self) -> bool:
        """Whether the host has brought an order book of its own: its stores need no key of WooCommerce's."""
        return self._connections.has_own_orders

    def blueprint(self, name: str = EXTENSION) -> Blueprint:
        """A fresh blueprint. Two bridges in one app need two names."""
        return make_blueprint(self.services, self.settings, name=name)

    def init_app(self, app: Flask, *, url_prefix: str = "", name: str = EXTENSION, worker: bool = False) -> None:
        """Mount into `app` below `url_prefix`; with `worker` also deliver and settle in a thread of this process."""
        app.register_blueprint(self.blueprint(name), url_prefix=url_prefix or None)
        app.extensions.setdefault(EXTENSION, self)
        if worker:
            self.start_worker()

    def start_worker(self) -> None:
        """Deliver the outbox and settle what is unknown in a thread of this process."""
        if self._worker is None:
            self._worker = Worker(self.services)
            self._worker.start()

    def add_store(
        self, store: Store, *, shop: str | None = None, who: str = "", unchecked: bool = False, try_query: bool = True
    ) -> Store:
        """Ask the shop who it is and record it, and prove that its key works. Its secrets may be in clear or
        references; settings are checked. With `try_query` the option `auth` may come back as `query`, where the key
        arrives only so. `unchecked` is for a shop that cannot be asked: until it was, none of its money moves.

        A shop that has an entry for this mode gets one more only if `shop` names an entry of it; `new` is one that no
        entry is of. `who` does so, for the shop's history.

        Raises ConfigurationError, Refused, StoreError.
        """
        store, name = self._presumed(store) if unchecked else self._identified(store, try_query)
        return stores.add(self.services, store, _secret_settings(store), stores.Said(name, shop, who))

    def update_store(
        self,
        store: Store,
        *,
        shop: str | None = None,
        who: str = "",
        unchecked: bool = False,
        try_query: bool = True,
        force: bool = False,
        on_left: Callable[[Obstacles], object] | None = None,
    ) -> Store:
        """Like `add_store`, for one that is there. Its shop stays the same, wherever it is now, unless `shop` names an
        entry of the shop that it is an entry of as well. With `unchecked` it keeps its identity; if its address is
        another one, no money moves until the shop was asked. With `force` payments that are not over are left behind at
        another adapter, mode or account, instead of standing in the way: `on_left` is told of them."""
        store, name = self._presumed(store) if unchecked else self._identified(store, try_query)
        account = {each.name: each.default or "" for each in load(store.adapter).settings if each.account}
        said = stores.Said(name, shop, who)
        store, left = stores.update(self.services, store, _secret_settings(store), account, said, force=force)
        if left and on_left:
            on_left(left)
        return store

    def check_store(self, store: Store) -> list[Finding]:
        """Ask shop and provider whether everything is set up right."""
        connection = self._connections.connect(self._unsealed(store))
        book = connection.order_book
        found = book.check()
        if all(finding.ok for finding in found[:1]):  # it can be asked
            found += webhook_findings(self.services.at(store), book, self.settings.public_urls)
        found += shops.findings(self.services.at(store))
        return [*found, *_mode_findings(store, connection.adapter), *connection.adapter.check()]

    def _identified(self, store: Store, try_query: bool) -> tuple[Store, str | None]:
        """The store with what its shop says, and what its order book calls the shop, if it shares its orders."""
        connection = self._connections.connect(self._unsealed(store))
        if refused := connection.adapter.refused_settings():
            raise ConfigurationError(*refused)
        identity = connection.order_book.identify()
        store = store_keys.proven(self._order_book, store, try_query=try_query)
        book = self._order_book(store)
        store = replace(store, identity=identity, currency=stores.own_currency(book) or store.currency)
        if store.options["payment_method"] == WOOPAYMENTS:
            connection = self._connections.connect(self._unsealed(store))
            if problems := [finding.text for finding in connection.order_book.check() if not finding.ok]:
                raise Refused("\n".join(problems))
        return store, self._shop_name(store)

    def _presumed(self, store: Store) -> tuple[Store, str | None]:
        """Like `_identified`, of a store that nobody has asked anything: it is taken for what its address says, and
        held until it was asked, unless that is known already."""
        if refused := self._connections.connect(self._unsealed(store)).adapter.refused_settings():
            raise ConfigurationError(*refused)
        known = stores.get(self.services, store.id) if store.id else None
        was_asked = known is not None and known.options["payment_method"] == WOOPAYMENTS
        if store.options["payment_method"] == WOOPAYMENTS and not was_asked:
            raise Refused(f"The shop has to be asked whether the payment method {WOOPAYMENTS} is free.")
        if known and known.url == store.url:
            return store, self._shop_name(store)
        from bridge.stores.woocommerce.order_book import normalised

        store = replace(store, identity=known.identity if known else normalised(store.url), awaits_reconcile=True)
        return store, self._shop_name(store)

    def _shop_name(self, store: Store) -> str | None:
        book = self._order_book(store)
        return book.shop(store.identity) if isinstance(book, NamesShop) else None

    def _order_book(self, store: Store) -> OrderBook:
        return self._connections.connect(self._unsealed(store)).order_book

    def _unsealed(self, store: Store) -> Store:
        try:
            return stores.unseal(self.services.vault, store)
        except UnreadableReference as problem:
            raise ConfigurationError(f"Store {store.url}: {problem}.") from None

    def close(self) -> None:
        """Stop the worker, if there is one, and close the database."""
        if self._worker:
            self._worker.stop()
            self._worker = None
        self._connections.close()
        self.services.refusals.write(every=0.0)
        self.services.database.close()

    def _wake(self, queue: Queue = Queue.DELIVERIES, /) -> None:
        if self._worker:
            self._worker.wake(queue)


def create_app(
    bridge: Bridge | None = None,
    *,
    worker: bool = False,
    shown_stores: Sequence[Mapping[str, str]] = (),
    **keywords: Any,
) -> Flask:
    """A plain Flask app with a bridge at its root; `keywords` are settings for a new one.

    `shown_stores` (`name`, `adapter`, `url`) stand on the page at `/`, for everybody to see.
    """
    app = Flask("bridge", static_folder=None)
    app.url_map.merge_slashes = False
    bridge = bridge or Bridge(**keywords)
    bridge.init_app(app, worker=worker)
    add_front_page(app, shown_stores)
    handle_outside(app)
    return app


@dataclass
class _Connection:
    """A store as it was at `updated`, with its edges made when they are first needed."""

    store: Store
    updated: float
    looked_at: float
    settings: Settings
    context: AdapterContext
    factory: OrderBookFactory
    load: LoadAdapter

    @cached_property
    def adapter(self) -> Adapter:
        adapter = self.load(self.store.adapter)
        return construct(adapter, self.store.settings, live=self.store.live, context=self.context)

    @cached_property
    def order_book(self) -> OrderBook:
        return completed(self.factory(self.store))


def _mode_findings(store: Store, adapter: Adapter) -> list[Finding]:
    """Rule 15: live and test never mix; where nothing can prove it, the owner is the one who has to know."""
    if adapter.tells_mode:
        return []
    mode = "live" if store.live else "test"
    return [Finding(True, f"Nothing but your word says that the settings of {adapter.name} are for {mode} money.")]


def _secret_settings(store: Store) -> set[str]:
    return {setting.name for setting in load(store.adapter).settings if setting.secret}


class _Connections:
    """The stores of this process, read again when their rows change."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids, order_book: OrderBookFactory | None) -> None:
        self.services: Services
        self.ids = ids
        self._settings = settings
        self._clock = clock
        self.has_own_orders = order_book is not None
        self._factory = order_book or self._woocommerce
        self._load: LoadAdapter = cache(load)  # looking through all installed packages takes milliseconds
        self._known: dict[str, _Connection] = {}
        self._closers: list[Callable[[], None]] = []
        self._lock = threading.RLock()

    def store(self, store_id: str, updated: float | None = None) -> Store:
        return self._connection(store_id, updated).store

    def adapter(self, store: Store) -> Adapter:
        connection = self._connection(store.id, None)
        with self._lock:
            return connection.adapter

    def order_book(self, store: Store) -> OrderBook:
        connection = self._connection(store.id, None)
        with self._lock:
            return connection.order_book

    def connect(self, store: Store) -> _Connection:
        """The edges of a store that is not stored (yet), its secrets in clear."""
        return _Connection(
            store, store.created, self._clock(), self._settings, self._context(), self._factory, self._load
        )

    def close(self) -> None:
        """Close what is kept open towards shops and providers."""
        with self._lock:
            for close in self._closers:
                close()
            self._closers.clear()
            self._known.clear()

    def _connection(self, store_id: str, updated: float | None) -> _Connection:
        now = self._clock()
        known = self._known.get(store_id)
        if known and (known.updated == updated or (updated is None and now - known.looked_at < FRESH_SECONDS)):
            return known
        store, row_updated = stores.opened(self.services, store_id)
        with self._lock:
            known = self._known.get(store_id)
            if known is None or known.updated != row_updated:
                known = self.connect(store)
                known.updated = row_updated
                self._known[store_id] = known
            known.looked_at = now
            return known

    def _context(self) -> AdapterContext:
        database = self.services.database.url
        beside = Path(str(database.database)).parent if self.services.database.is_sqlite else data_directory()
        return AdapterContext(
            clock=self._clock,
            ids=self.ids,
            timeout=self._settings.provider_timeout,
            allow_private_urls=self._settings.allow_private_urls,
            directory=beside,
            make_session=self._make_session,
        )

    def _make_session(self, **options: Any) -> "requests.Session":
        from bridge.adapters.transport import make_session

        session = make_session(**options)
        session.headers["User-Agent"] = self._settings.user_agent  # firewalls of hosts refuse that of `requests`
        self._closers.append(session.close)
        return session

    def _woocommerce(self, store: Store) -> OrderBook:
        from bridge.stores.woocommerce.order_book import WooCommerceOrderBook

        session = self._make_session(
            timeout=self._settings.provider_timeout,
            ca_file=store.ca_file,
            allow_private=self._settings.allow_private_urls,
        )
        return WooCommerceOrderBook(store, session, self._clock, self.ids)
