"""Adding, changing and checking a store, as its owner does: the shop is asked who it is, and the key has to work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bridge.adapters import load
from bridge.domain.errors import ConfigurationError, Refused
from bridge.domain.ports import Adapter, Finding, NamesShop, OrderBook
from bridge.domain.stores import Store
from bridge.inbound.webhook_watch import webhook_findings
from bridge.opened_stores import OpenedStores
from bridge.payments import shops
from bridge.registry import store_keys, stores
from bridge.registry.obstacles import Obstacles
from bridge.services import Services
from bridge.storage.vault import UnreadableReference

WOOPAYMENTS = "woocommerce_payments"
"""WooPayments' own payment method id: ours only where that plugin is not active."""


@dataclass(frozen=True)
class StoreSetup:
    """`public_urls` are the bridge's own, to which a shop sends its messages."""

    services: Services
    opened: OpenedStores
    public_urls: Sequence[str]

    def add(
        self, store: Store, *, shop: str | None = None, who: str = "", unchecked: bool = False, try_query: bool = True
    ) -> Store:
        """As `Bridge.add_store` says. Raises ConfigurationError, Refused, StoreError."""
        store, name = self._presumed(store) if unchecked else self._identified(store, try_query)
        return stores.add(self.services, store, _secret_settings(store), stores.Said(name, shop, who))

    def update(
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
        """As `Bridge.update_store` says. Raises ConfigurationError, Refused, StoreError."""
        store, name = self._presumed(store) if unchecked else self._identified(store, try_query)
        account = {each.name: each.default or "" for each in load(store.adapter).settings if each.account}
        said = stores.Said(name, shop, who)
        store, left = stores.update(self.services, store, _secret_settings(store), account, said, force=force)
        if left and on_left:
            on_left(left)
        return store

    def check(self, store: Store) -> list[Finding]:
        """Ask shop and provider whether everything is set up right."""
        opened = self.opened.connect(self._unsealed(store))
        book = opened.order_book
        found = book.check()
        if all(finding.ok for finding in found[:1]):  # it can be asked
            found += webhook_findings(self.services.at(store), book, self.public_urls)
        found += shops.findings(self.services.at(store))
        return [*found, *_mode_findings(store, opened.adapter), *opened.adapter.check()]

    def _identified(self, store: Store, try_query: bool) -> tuple[Store, str | None]:
        """The store with what its shop says, and what its order book calls the shop, if it shares its orders."""
        opened = self.opened.connect(self._unsealed(store))
        if refused := opened.adapter.refused_settings():
            raise ConfigurationError(*refused)
        identity = opened.order_book.identify()
        store = store_keys.proven(self._order_book, store, try_query=try_query)
        book = self._order_book(store)
        store = replace(store, identity=identity, currency=stores.own_currency(book) or store.currency)
        if store.options["payment_method"] == WOOPAYMENTS:
            opened = self.opened.connect(self._unsealed(store))
            if problems := [finding.text for finding in opened.order_book.check() if not finding.ok]:
                raise Refused("\n".join(problems))
        return store, self._shop_name(store)

    def _presumed(self, store: Store) -> tuple[Store, str | None]:
        """Like `_identified`, of a store that nobody has asked anything: it is taken for what its address says, and
        held until it was asked, unless that is known already."""
        if refused := self.opened.connect(self._unsealed(store)).adapter.refused_settings():
            raise ConfigurationError(*refused)
        known = stores.get(self.services, store.id) if store.id else None
        was_asked = known is not None and known.options["payment_method"] == WOOPAYMENTS
        if store.options["payment_method"] == WOOPAYMENTS and not was_asked:
            raise Refused(f"The bridge has to ask the store whether the payment method {WOOPAYMENTS} is free.")
        if known and known.url == store.url:
            return store, self._shop_name(store)
        from bridge.stores.woocommerce.order_book import normalised

        store = replace(store, identity=known.identity if known else normalised(store.url), awaits_reconcile=True)
        return store, self._shop_name(store)

    def _shop_name(self, store: Store) -> str | None:
        book = self._order_book(store)
        return book.shop(store.identity) if isinstance(book, NamesShop) else None

    def _order_book(self, store: Store) -> OrderBook:
        return self.opened.connect(self._unsealed(store)).order_book

    def _unsealed(self, store: Store) -> Store:
        try:
            return stores.unseal(self.services.vault, store)
        except UnreadableReference as problem:
            raise ConfigurationError(f"Store {store.url}: {problem}.") from None


def _secret_settings(store: Store) -> set[str]:
    return {setting.name for setting in load(store.adapter).settings if setting.secret}


def _mode_findings(store: Store, adapter: Adapter) -> list[Finding]:
    """Rule 15: live and test never mix; where nothing can prove it, the owner is the one who has to know."""
    if adapter.tells_mode:
        return []
    mode = "live" if store.live else "test"
    return [Finding(True, f"The bridge cannot verify that the settings of {adapter.name} are for {mode} money.")]
