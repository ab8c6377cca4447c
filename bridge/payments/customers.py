"""Customers of the provider: made or updated from an order, and what they have saved to pay with."""

import hashlib
from dataclasses import asdict
from typing import Any

from bridge.domain import logs
from bridge.domain.errors import OrderNotPayable, ProviderRefused, StoreError, Unsupported
from bridge.domain.orders import Order, OrderUpdate, UpdateKind
from bridge.domain.outcomes import CustomerDetails
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments.attempts import call_adapter
from bridge.payments.orders import read_order
from bridge.payments.shops import is_address
from bridge.services import StoreHandle
from bridge.storage import customers

log = logs.logger(__name__)

CUSTOMER_META = "_stripe_customer_id"
"""Order meta: the provider's customer."""
CLOSED_STATUSES = frozenset({"completed", "cancelled", "refunded", "failed"})
"""Orders that need no customer any more, as WooPayments has it."""


def create_customer(store: StoreHandle, order_id: int) -> str:
    """The provider's customer of the order's shopper, made now or brought up to date; its id.

    Raises OrderMissing, OrderNotPayable (a closed order), Unsupported, ProviderError or StoreError.
    """
    order = read_order(store, order_id)
    if order.status in CLOSED_STATUSES:
        raise OrderNotPayable("Invalid order status", reason="invalid_order_status")
    adapter = store.adapter
    if "customers" not in adapter.operations:
        raise Unsupported("create_customer", adapter.name)
    shopper = f"user:{order.customer_id}" if order.customer_id else f"order:{order.id}"
    with store.database.read() as connection:
        known = customers.find(connection, store.id, shopper)
    details = _details(store.config, order)
    key = f"{store.id}:{shopper}:{known or 'new'}:{store.ids.attempt() if known else _digest(details)}"
    customer = call_adapter(lambda: adapter.save_customer(details, known, key))
    if customer != known:
        with store.database.write() as connection:
            customers.put(connection, store.id, shopper, customer)
    if order.meta.get(CUSTOMER_META) != customer:
        _tell_the_order(store, order, customer)
    return customer


def _tell_the_order(store: StoreHandle, order: Order, customer: str) -> None:
    """Write the customer to the order's meta, as WooPayments does. The customer exists even if the store cannot be
    updated: the payment's update says the same again."""
    update = OrderUpdate(
        store.ids.attempt(), UpdateKind.NOTE, order.id, order.key, 0, order.currency, meta={CUSTOMER_META: customer}
    )
    try:
        store.order_book.deliver(update, first=True)
    except StoreError as error:
        log.warning("order %s of store %s was not updated with its customer: %s", order.number, store.id, error)


def payment_methods(store: StoreHandle, customer: str) -> list[dict[str, Any]]:
    """What a customer has saved, as the provider has it; nothing of one that is not known to be this store's.

    Stores that share a platform account share its customers. One that the bridge did not make is this store's only if
    the provider keeps the store's address with it. Raises Unsupported or ProviderError.
    """
    adapter = store.adapter
    if "payment_methods" not in adapter.operations:
        raise Unsupported("payment_methods", adapter.name)
    with store.database.read() as connection:
        owners = customers.owners(connection, customer)
    if not owners:
        site = call_adapter(lambda: adapter.customer_site(customer))
        owners = {store.id} if site is None or is_address(store, site) else set()
    return call_adapter(lambda: adapter.payment_methods(customer)) if store.id in owners else []


def require_own_customer(store: StoreHandle, adapter: Adapter, customer: str) -> None:
    """Raises ProviderRefused, as for nobody, for whom the bridge made for another store of a shared account.

    ProviderError if the provider is to say whether the account is a platform's, and cannot be asked. On an account of
    one's own, the other entries of the shop may charge its customers; two shops may still share one.
    """
    with store.database.read() as connection:
        owners = customers.owners(connection, customer)
        if not owners or store.id in owners:
            return
        is_of_the_shop = store.config.shop_id in customers.owning_shops(connection, customer)
    if is_of_the_shop and call_adapter(lambda: adapter.customer_site(customer)) is None:
        return
    known = {"status": 400, "param": "customer", "outcome": "failed", "provider": adapter.name}
    raise ProviderRefused(f"Error: No such customer: '{customer}'", code="resource_missing", **known)


def _digest(details: CustomerDetails) -> str:
    """The same shopper is created once, however often that is requested at the same time. An update has a fresh key:
    within a day a provider replays its answer to what a key came with before, and would not change back what was
    changed since.
    """
    return hashlib.sha256(repr(sorted(asdict(details).items())).encode()).hexdigest()[:32]


def _details(store: Store, order: Order) -> CustomerDetails:
    billing = order.billing
    shopper = str(order.customer_id) if order.customer_id else "guest"
    return CustomerDetails(
        name=billing.name,
        email=billing.email,
        phone=billing.phone,
        address=billing,
        metadata={"site_url": store.identity, "wc_customer_id": shopper},
    )
