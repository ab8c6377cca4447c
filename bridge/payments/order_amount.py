"""What an order owes, as a sum that its provider can charge."""

import re

from bridge.domain.errors import AmountNotRepresentable, CurrencyNotSupported, StoreRefused
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store


def order_amount(store: Store, adapter: Adapter, order: Order) -> Money:
    """The order's total, rounded if the store says so; never what its lines come to, which keep what it has lost.

    A total that the store has rounded in another currency than its own is no sum that anybody has agreed to. Raises
    CurrencyNotSupported, AmountNotRepresentable or StoreRefused.
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
    """Whether a sum that cannot be charged exactly is rounded, and not refused."""
    return store.options.get("rounding") == "half_up"


def require_currency(currency: str) -> None:
    """Raises CurrencyNotSupported for what can be none; whether it can be charged is the adapter's to say."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise CurrencyNotSupported(currency[:60])
