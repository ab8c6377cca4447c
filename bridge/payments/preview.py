"""Preview: what an order or a cart would cost. Nothing is stored, journaled or made anywhere.

An adapter that quotes is asked. For every other one the sums are computed here, from the store's order or the cart: the
provider would charge just that. An order's lines are never negative and always sum to what would be charged.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bridge.domain.errors import AmountNotRepresentable, InvalidAmount, InvalidParameter
from bridge.domain.money import Money, minor
from bridge.domain.orders import Address, Line, LineKind, Order
from bridge.domain.outcomes import Cart, Quote, QuoteLine
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments.orders import amount_due, require_currency, rounds_amounts
from bridge.services import StoreHandle

MAX_LINES = 49
"""Lines of an order that are quoted one by one. Forte takes fifty, and the store's tax becomes one more."""
MAX_AMOUNT = 10**15
"""Minor units. A larger amount is not a real cart, and not a number that every client can read."""
SHIPPING_CODE = "txcd_92010001"
"""Source: Stripe, "Product tax codes": shipping."""


def preview(store: StoreHandle, *, order_id: int | None, cart: Mapping[str, Any], customer: str = "") -> Quote:
    """What the order, or the cart (`currency`, `line_items`, `address`, as their schema has them), would cost now.

    Raises Refused, StoreError, and what the adapter raises.
    """
    adapter = store.adapter
    if order_id is not None:
        if cart:
            raise InvalidParameter("order_id", f"Name an order or a cart, not order_id and {next(iter(cart))}.")
        wanted = _order_as_cart(store.order_book.read(order_id), store.config, adapter)
    else:
        wanted = _read_cart(cart, store.config, adapter)
    if wanted.total > MAX_AMOUNT:
        raise InvalidAmount(f"The total is larger than {MAX_AMOUNT}.")
    if "preview" in adapter.operations:
        return adapter.preview(wanted, customer)
    return wanted.as_quote()


def order_lines(order: Order, amount: int, currency: str) -> tuple[QuoteLine, ...]:
    """An order as lines that sum to `amount` minor units.

    What cannot be a line of its own (a fee below zero, the fiftieth line, a sum that the rounding of lines exceeds)
    makes one line of all goods and fees.
    """
    goods = tuple(_line(line, currency) for line in order.lines)
    postage, its_tax = minor(order.shipping_total, currency), minor(order.shipping_tax, currency)
    shipping = (QuoteLine("Shipping", postage, 1, its_tax, SHIPPING_CODE),) if postage or its_tax else ()
    rest = amount - _total((*goods, *shipping))
    rounding = (QuoteLine("Rounding", rest, 1),) if rest else ()
    lines = (*goods, *shipping, *rounding)
    if 0 < len(lines) <= MAX_LINES and _possible(lines) and rest <= len(lines):
        return lines
    tax = sum(line.tax for line in goods)
    lines = (QuoteLine(_name(order), amount - _total(shipping) - tax, 1, tax), *shipping)
    if _possible(lines):
        return lines
    tax += its_tax
    tax = tax if 0 <= tax <= amount else 0
    return (QuoteLine(_name(order), amount - tax, 1, tax),)


def _order_as_cart(order: Order, store: Store, adapter: Adapter) -> Cart:
    """The order with the amount that a create would charge."""
    money = amount_due(store, adapter, order)
    if money.amount < 0:
        raise InvalidAmount(f"The total of order {order.number} is below zero.", amount=money.amount)
    return Cart(money.currency, order_lines(order, money.amount, money.currency), order.billing, order)


def _read_cart(cart: Mapping[str, Any], store: Store, adapter: Adapter) -> Cart:
    for name in ("currency", "line_items"):
        if not cart.get(name):
            raise InvalidParameter(name, f"A preview needs an order_id, or a cart; the cart has no {name}.")
    currency = str(cart["currency"]).upper()
    require_currency(currency)
    smallest = adapter.smallest(currency)
    lines = tuple(QuoteLine(**line) for line in cart["line_items"])
    total = _total(lines)
    if total % smallest:
        exact = Money(total, currency)
        if not rounds_amounts(store):
            raise AmountNotRepresentable(str(exact.decimal), currency)
        rounded = Money.parse(str(exact.decimal), currency, rounding=True, smallest=smallest)
        lines = (*lines, QuoteLine("Rounding", rounded.amount - total, 1))
    address = cart.get("address")
    return Cart(currency, lines, Address(**address) if address else None)


def _line(line: Line, currency: str) -> QuoteLine:
    """One that its quantity does not divide is quoted once."""
    total, tax, quantity = minor(line.total, currency), minor(line.tax, currency), line.quantity
    if quantity >= 1 and quantity == quantity.to_integral_value() and total % int(quantity) == 0:
        return QuoteLine(line.name, total // int(quantity), int(quantity), tax)
    return QuoteLine(f"{line.name} \u00d7 {quantity.normalize():f}", total, 1, tax)


def _name(order: Order) -> str:
    pieces = sum((line.quantity for line in order.lines if line.kind is LineKind.PRODUCT), Decimal(0)).normalize()
    count = f" ({pieces:f} {'item' if pieces == 1 else 'items'})" if pieces else ""
    return f"Order #{order.number}{count}"


def _total(lines: Sequence[QuoteLine]) -> int:
    return sum(line.total for line in lines)


def _possible(lines: Sequence[QuoteLine]) -> bool:
    return all(line.unit_amount >= 0 and line.tax >= 0 for line in lines)
