"""An order as lines that sum to its amount, to the minor unit. Pure.

Forte takes lines of whole units, never negative, fifty at most. A line that cannot be divided by its quantity is sold
once; what cannot be a line of its own (a discount that is a fee, the fifty-first line) makes one of many.
"""

import html
import re
from decimal import Decimal
from typing import Any

from bridge.domain.money import minor
from bridge.domain.orders import Line, LineKind, Order
from bridge.schemas.forte_platform import LONGEST_LINE, MOST_LINES

Json = dict[str, Any]
TIMES = "\u00d7"
SHIPPING_CODE = "txcd_92010001"
"""Stripe's tax code of shipping, which Forte sums as shipping costs (source: Stripe, "Product tax codes")."""


def order_lines(order: Order, amount: int, currency: str, tax_code: str = "") -> list[Json]:
    """`lineItems` for `amount` minor units of `currency`. `tax_code` is of everything but shipping and tax."""
    goods = [_item(line, currency, tax_code) for line in order.lines]
    shipping, tax = minor(order.shipping_total, currency), minor(_tax(order), currency)
    around = [*_line_of("Shipping", shipping, SHIPPING_CODE), *tax_line(tax)]
    rest = amount - sum(_sum(line) for line in [*goods, *around])
    lines = [*goods, *around, *_line_of("Rounding", rest)]
    if _possible(lines) and rest <= len(goods) + 2:
        return lines
    lines = [_one_of_many(order, amount - shipping - tax, tax_code), *around]
    return lines if _possible(lines) else [_one_of_many(order, amount, tax_code)]


def tax_line(tax: int) -> list[Json]:
    """The store's own tax as a line, if there is any."""
    return _line_of("Tax", tax)


def clean(text: str) -> str:
    """Text as a person reads it: no HTML, no control characters, no gaps."""
    plain = html.unescape(re.sub(r"<[^<>]*>", "", text))
    return " ".join("".join(character if character.isprintable() else " " for character in plain).split())


def cut(text: str, longest: int) -> str:
    """At most `longest` characters of it."""
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip()}..."


def carries_tax(order: Order) -> bool:
    """Whether the store has computed tax for it, or its prices include some."""
    return order.prices_include_tax or order.shipping_tax != 0 or any(line.tax != 0 for line in order.lines)


def _item(line: Line, currency: str, tax_code: str) -> Json:
    name, total = clean(line.name) or "Item", minor(line.total, currency)
    quantity = int(line.quantity) if line.quantity == line.quantity.to_integral_value() else 0
    if quantity == 1 or (quantity > 1 and total % quantity == 0):
        return _line(cut(name, LONGEST_LINE), total // quantity, quantity, tax_code)
    times = f" {TIMES} {line.quantity.normalize():f}"
    return _line(cut(name, LONGEST_LINE - len(times)) + times, total, 1, tax_code)


def _one_of_many(order: Order, total: int, tax_code: str) -> Json:
    items = sum((line.quantity for line in order.lines if line.kind is LineKind.PRODUCT), Decimal(0)).normalize()
    count = f" ({items:f} {'item' if items == 1 else 'items'})" if items else ""
    return _line(cut(f"Order #{clean(order.number)}", LONGEST_LINE - len(count)) + count, total, 1, tax_code)


def _line_of(name: str, total: int, tax_code: str = "") -> list[Json]:
    return [_line(name, total, 1, tax_code)] if total else []


def _line(name: str, unit: int, quantity: int, tax_code: str) -> Json:
    line: Json = {"description": name, "unitAmountCents": unit, "quantity": quantity}
    return {**line, "taxCode": tax_code} if tax_code else line


def _sum(line: Json) -> int:
    return int(line["unitAmountCents"]) * int(line["quantity"])


def _tax(order: Order) -> Decimal:
    return sum((line.tax for line in order.lines), order.shipping_tax)


def _possible(lines: list[Json]) -> bool:
    return 0 < len(lines) <= MOST_LINES and all(line["unitAmountCents"] >= 0 for line in lines)
