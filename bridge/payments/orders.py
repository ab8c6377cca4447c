"""What an order owes as an amount that its provider can charge, and whether it may be paid: the judge of orders
(`bridge.domain.judgement`), asked with a store's options and with the payments that the database has of the order."""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from bridge.domain.errors import (
    AmountNotRepresentable,
    CurrencyNotSupported,
    OrderMissing,
    OrderNotFound,
    OrderNotPayable,
    StoreRefused,
    Unsupported,
)
from bridge.domain.intents import PaymentIntent, Status
from bridge.domain.judgement import Bar, Terms, bar, due, terms_of
from bridge.domain.money import Money
from bridge.domain.orders import Order, StoreRefund
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.services import StoreHandle
from bridge.storage import Connection, intents


def read_order(store: StoreHandle, order_id: int) -> Order:
    """The order that a route names. Raises OrderMissing, StoreError."""
    try:
        return store.order_book.read(order_id)
    except OrderNotFound:
        raise OrderMissing("Order not found") from None


def amount_due(store: Store, adapter: Adapter, order: Order) -> Money:
    """What is left to pay, rounded if the store says so. Raises as `order_amount`."""
    money = order_amount(store, adapter, order)
    left = due(order)
    if left == Decimal(order.total):
        return money
    return order_amount(store, adapter, replace(order, total=str(left)))


def require_payable(order: Order, known: Sequence[PaymentIntent], *, in_person: bool = False) -> None:
    """`known` are the bridge's payments of this order number. Raises OrderNotPayable."""
    found = bar(order, names_of(known, order.key), in_person=in_person, others=others_of(known, order.key))
    if found:
        raise not_payable(order.number, found)


def not_payable(number: str, found: Bar) -> OrderNotPayable:
    return OrderNotPayable(f"Order {number} {found.words}.", reason=found.reason)


def names_of(known: Sequence[PaymentIntent], key: str) -> frozenset[str]:
    """The transaction ids of the bridge's own payments of one order: its number alone does not name it."""
    return frozenset(intent.shown_id for intent in known if intent.order_key == key and not intent.only_known)


def others_of(known: Sequence[PaymentIntent], key: str) -> frozenset[str]:
    """Those of payments of the order that somebody else made and that have or hold money."""
    ours = names_of(known, key)
    has_money = (one for one in known if one.order_key == key and one.has_or_holds_money)
    return frozenset(one.shown_id for one in has_money if one.shown_id not in ours)


def terms(connection: Connection, store: Store, intent: PaymentIntent) -> Terms:
    """What an intent was agreed for, beside the bridge's other payments of the order, of all entries of its shop."""
    known = intents.of_shops_order(connection, intent.store_id, intent.live, intent.order_id)
    return agreed_for(store, intent, known)


def agreed_for(store: Store, intent: PaymentIntent, known: Sequence[PaymentIntent]) -> Terms:
    """The same of an intent that is one of `known`, all of the order's."""
    key = intent.order_key
    return terms_of(intent, names_of(known, key), rounds=rounds_amounts(store), others=others_of(known, key))


def refunds_in_store(store: StoreHandle, order: Order) -> list[StoreRefund] | None:
    """The order's refunds as the store has them; None if its order book lists none, so that nothing can be compared.

    Raises OrderNotFound, StoreError.
    """
    try:
        return store.order_book.refunds(order.id)
    except Unsupported:
        return None


def made_by_staff(intent: PaymentIntent, in_shop: Sequence[StoreRefund]) -> list[StoreRefund]:
    """Refunds in the store (oldest first) of a payment for which no money has been refunded yet, as far as the store
    knows. Those that lowered the unpaid order before it was paid do not count: nothing was taken for them."""
    found, deducted = [], intent.deducted
    for made in in_shop:
        if made.refund_id or made.refunded_payment or not made.amount or Decimal(made.amount) <= 0:
            continue
        amount = Money.parse(made.amount, intent.currency, rounding=True).amount
        if amount <= deducted:
            deducted -= amount
        else:
            found.append(made)
    return found


def in_the_way(known: Sequence[PaymentIntent], key: str) -> PaymentIntent | None:
    """A payment of the same order number under another key, while money may still come of it: the store was restored,
    or its orders were given new keys, and nobody can tell whether it is the same order."""
    over = (Status.SUCCEEDED, Status.CANCELED)
    other = (intent for intent in known if intent.order_key != key)
    return next((intent for intent in other if intent.unknown or intent.status not in over), None)


def order_amount(store: Store, adapter: Adapter, order: Order) -> Money:
    """The order's total, rounded if the store says so; never what its lines come to, which keep what it has lost.

    A total that the store has rounded in another currency than its own is not an amount that anybody has agreed to.
    Raises CurrencyNotSupported, AmountNotRepresentable or StoreRefused.
    """
    require_currency(order.currency)
    if order.total_is_rounded and not rounds_amounts(store):
        raise AmountNotRepresentable(order.total, order.currency, is_rounded=True)
    try:
        return Money.parse(
            order.total, order.currency, rounding=rounds_amounts(store), smallest=adapter.smallest(order.currency)
        )
    except ValueError:
        raise StoreRefused(f"The store gave order {order.number} a total that is not a number.") from None


def rounds_amounts(store: Store) -> bool:
    """Whether an amount that cannot be charged exactly is rounded, and not refused."""
    return store.options.get("rounding") == "half_up"


def require_currency(currency: str) -> None:
    """Raises CurrencyNotSupported for what cannot be one; whether it can be charged is the adapter's to say."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise CurrencyNotSupported(currency[:60])
