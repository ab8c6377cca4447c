"""OrderBook for a WooCommerce store: its orders over the REST API, with the store's own key."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import requests

from bridge.domain.errors import StoreRefused
from bridge.domain.money import exponent
from bridge.domain.orders import Delivery, Order, OrderNote, OrderUpdate, StoreEvent, StoreRefund
from bridge.domain.ports import Clock, Finding, Ids, KeyStanding, StoreWebhook
from bridge.domain.stores import STORE_OPTIONS, Store
from bridge.schemas.woocommerce import IndexSchema, SettingSchema
from bridge.stores.woocommerce import order_delivery, refunds, webhooks
from bridge.stores.woocommerce.checks import findings, own_standing, standing
from bridge.stores.woocommerce.delivery_steps import OrderDelivery
from bridge.stores.woocommerce.orders import Orders, decimals
from bridge.stores.woocommerce.rest import RestApi, load
from bridge.stores.woocommerce.webhooks import is_ping, read_event

FRESH_SECONDS = 5.0
"""How long after an order was read its payment may be written without reading it again (rule 7)."""
INDEX = IndexSchema()
SETTING = SettingSchema()
CURRENCY = "wc/v3/settings/general/woocommerce_currency"


class WooCommerceOrderBook:
    """The orders of one store. `session` verifies TLS, has timeouts, and is shared with nobody but other threads.

    The store's `options` say what an order shows as its payment method; `clock` is in Unix seconds. `ids` make the
    addresses of reads new, one by one.
    """

    def __init__(self, store: Store, session: requests.Session, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._options = STORE_OPTIONS | store.options
        self._clock = clock
        self._session = session
        self._fresh = partial(ids.hex, 16)
        self._api = RestApi(store, session, self._fresh)
        self._orders = Orders(self._api)

    def read(self, order_id: int) -> Order:
        """One request. An order in the bin has the status `trash`.

        Raises OrderNotFound, StoreUnreachable, StoreRefused.
        """
        return self._judged(self._orders.read(order_id))

    def _judged(self, order: Order) -> Order:
        return replace(order, total_is_rounded=self._is_rounded(order))

    def _is_rounded(self, order: Order) -> bool:
        """WooCommerce rounds a total to the store's decimals, which it has when no `dp` is asked for, whatever the
        order's currency (`WC_Abstract_Order::set_total`). In the store's own currency that is what it means to be owed;
        in another, or while the store's own is not known, it is not.
        """
        return order.currency != self._store.currency and decimals(order.total) < exponent(order.currency)

    def read_many(self, order_ids: Sequence[int]) -> list[Order]:
        """Those of at most 100 orders that the store lists, the bin included, in one request. What is left out may be
        there all the same: a plugin's own status is not listed.

        Raises StoreUnreachable, StoreRefused.
        """
        return [self._judged(order) for order in self._orders.read_many(order_ids)]

    def deliver(self, update: OrderUpdate, *, first: bool) -> Delivery:
        """Apply `update` once, however often it is called with it. An ordinary success is one request, nothing is more
        than eight.

        Raises StoreUnreachable or StoreRefused; then it is to be called again, with `first` False.
        """
        fresh = first and abs(self._clock() - update.read_at) <= FRESH_SECONDS
        return order_delivery.deliver(OrderDelivery(self._orders, update, self._options, first, fresh))

    def identify(self) -> str:
        """The address of the site, as it says itself without being asked for credentials: what Store.identity records.

        Written with https whatever the site says, in lower case, without default port and trailing slash. Raises
        StoreUnreachable, StoreRefused.
        """
        home, url = self._index()
        return normalised(home or url)

    def addresses(self) -> list[str]:
        """`home`, where the site is seen, and `url`, where WordPress lies, as the site writes them. Apps that were
        logged in to either name it with what they pay. Raises StoreUnreachable, StoreRefused."""
        return [address for address in self._index() if address]

    def _index(self) -> tuple[str, str]:
        index = load(INDEX, self._api.ask("GET", "", query={"_fields": INDEX.names}, anonymous=True).value)
        if "wc/v3" not in index["namespaces"]:
            raise StoreRefused("WooCommerce's REST API (wc/v3) is not there: is WooCommerce active?")
        return index["home"], index["url"]

    def shop(self, identity: str) -> str:
        """A site holds its orders, whoever reads them."""
        return identity

    def currency(self) -> str:
        """The store's own, upper case. Raises StoreUnreachable, StoreRefused."""
        answer = self._api.ask("GET", CURRENCY, query={"_fields": SETTING.names})
        currency: str = load(SETTING, answer.value)["value"].upper()
        if not re.fullmatch("[A-Z]{3}", currency):
            raise StoreRefused("The store does not say what its currency is.")
        return currency

    def receive(self, headers: Mapping[str, str], body: bytes, secret: str) -> StoreEvent | None:
        """What a webhook of the store says; None for its greeting and for what is about no order of ours.

        Header names are lower case. Raises EventRefused.
        """
        return None if is_ping(body) else read_event(headers, body, [secret])

    def refunds(self, order_id: int) -> list[StoreRefund]:
        """The order's refunds in the store, oldest first: those that we wrote down, and those that staff made.

        Raises OrderNotFound, StoreUnreachable, StoreRefused.
        """
        return refunds.of_order(self._orders, order_id)

    def notes(self, order_id: int) -> list[OrderNote]:
        """The order's notes: ours carry a reference. Raises OrderNotFound, StoreUnreachable, StoreRefused."""
        return [OrderNote(text, "[ref " in text) for text in self._orders.notes(order_id)]

    def register_webhooks(self, url: str, secret: str) -> list[str]:
        """Have the store tell `url` what happens to its orders, signed with `secret`. One sentence per subscription.

        Doing it again only updates them. Raises StoreUnreachable, StoreRefused; then some may be made already.
        """
        return webhooks.register(self._api, url, secret)

    def webhooks(self) -> list[StoreWebhook]:
        """All that the store has. Raises StoreUnreachable, StoreRefused."""
        return webhooks.listed(self._api)

    def enable_webhook(self, webhook_id: int) -> None:
        """Have it deliver again. Raises StoreUnreachable, StoreRefused."""
        webhooks.enable(self._api, webhook_id)

    def own_standing(self) -> KeyStanding:
        """Whether the bridge's key may read and change orders, in the words of `check`. Raises StoreUnreachable, and
        StoreRefused for what is not about the key."""
        return own_standing(self._api, self._orders)

    def standing_of(self, consumer_key: str, consumer_secret: str) -> KeyStanding:
        """What the store lets a key of one of its clients do. Raises StoreUnreachable, and StoreRefused for what is not
        about the key."""
        other = replace(self._store, consumer_key=consumer_key, consumer_secret=consumer_secret)
        return standing(RestApi(other, self._session, self._fresh, "the key"))

    def check(self) -> list[Finding]:
        """What `stores check` prints. Changes nothing in the store; never raises StoreError."""
        return findings(self._store, self._options, self._api, self._orders, self.identify)


def normalised(address: str) -> str:
    """A site's address as an identity. Raises StoreRefused for what is none."""
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host, port = "", None
    if not host:
        raise StoreRefused("The store does not say what its address is.")
    host = f"[{host}]" if ":" in host else host
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    return f"https://{where}{parts.path.rstrip('/')}"
