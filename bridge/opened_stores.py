"""The stores of this process with their edges: adapter and order book, made when they are first needed."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.adapters import AdapterContext, construct, load
from bridge.domain.ports import Adapter, Clock, Ids, OrderBook
from bridge.domain.stores import Store
from bridge.registry import stores
from bridge.services import Services
from bridge.settings import Settings, data_directory
from bridge.stores.base import completed

if TYPE_CHECKING:
    import requests

OrderBookFactory = Callable[[Store], OrderBook]
LoadAdapter = Callable[[str], type[Adapter]]
FRESH_SECONDS = 5.0
"""How long a process goes on with what it knows of a store before it looks whether the row was changed."""


@dataclass
class OpenedStore:
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


class OpenedStores:
    """The stores of this process, read again when their rows change."""

    def __init__(self, settings: Settings, clock: Clock, ids: Ids, order_book: OrderBookFactory | None) -> None:
        self.services: Services
        self.ids = ids
        self._settings = settings
        self._clock = clock
        self._factory = order_book or self._woocommerce
        self._load: LoadAdapter = cache(load)  # looking through all installed packages takes milliseconds
        self._known: dict[str, OpenedStore] = {}
        self._closers: list[Callable[[], None]] = []
        self._lock = threading.RLock()

    def store(self, store_id: str, updated: float | None = None) -> Store:
        return self._opened(store_id, updated).store

    def adapter(self, store: Store) -> Adapter:
        opened = self._opened(store.id, None)
        with self._lock:
            return opened.adapter

    def order_book(self, store: Store) -> OrderBook:
        opened = self._opened(store.id, None)
        with self._lock:
            return opened.order_book

    def connect(self, store: Store) -> OpenedStore:
        """The edges of a store that is not stored (yet), its secrets in clear."""
        return OpenedStore(
            store, store.created, self._clock(), self._settings, self._context(), self._factory, self._load
        )

    def forget(self) -> None:
        """Make every edge anew: what is open towards shops and providers is another process's, which has forked."""
        self._lock = threading.RLock()
        self._closers, self._known = [], {}

    def close(self) -> None:
        """Close what is kept open towards shops and providers."""
        with self._lock:
            for close in self._closers:
                close()
            self._closers.clear()
            self._known.clear()

    def _opened(self, store_id: str, updated: float | None) -> OpenedStore:
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
        from bridge.outbound.transport import make_session

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
