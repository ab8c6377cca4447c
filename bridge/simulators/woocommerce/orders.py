"""An order as WooCommerce keeps it: addresses, lines, meta, notes, refunds, and the sums that follow from its lines.

Amounts are Decimals, times Unix seconds. A line ("row") is a dict with the wire's keys in the wire's order.

Lines keep every decimal that they were given; the order's sums are rounded to the store's decimals when they are set.
Sources: `WC_Abstract_Order::calculate_totals`, `::set_total` and `wc_format_decimal` in WooCommerce's public source;
recorded of a fee of 1.236 KWD in a store of two decimals, and of one of 27.50 USD in a store of none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

Row = dict[str, Any]

STATUS_NAMES = {
    "auto-draft": "Auto Draft",
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}
SUMS = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total", "total_tax")
LINE_KINDS = ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines")
SHIPPING_FIELDS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "phone",
)
BILLING_FIELDS = (*SHIPPING_FIELDS[:-1], "email", "phone")
ZERO = Decimal(0)


EXACT = Decimal(10) ** 15
"""Above that many steps of the last place, PHP's round() leaves a float alone. Source: `_php_math_round`, PHP 8.2."""


def money(value: Any) -> Decimal:
    """An amount as wc_format_decimal reads it: all but digits, minus and the last point is dropped (so `1,50` is 150),
    and what is not a number after that is 0."""
    try:
        return Decimal(re.sub(r"\.(?![^.]+$)|[^0-9.\-]", "", str(value)) or 0)
    except InvalidOperation:
        return ZERO


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Half up, away from zero, as PHP rounds."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def shown(value: Any, decimals: int) -> Any:
    """A row or an amount as the wire has it: Decimals become strings with `decimals` places."""
    if isinstance(value, Decimal):
        if abs(value).scaleb(decimals) >= EXACT:
            return f"{float(value):.{decimals}f}"  # recorded: 100000000.10 is 100000000.09999999 with dp=8
        places = rounded(value, decimals)
        return f"{places if places else abs(places):f}"
    if isinstance(value, dict):
        return {key: shown(item, decimals) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item, decimals) for item in value]
    return value


@dataclass
class Note:
    id: int
    author: str
    created: float
    text: str
    customer_note: bool


@dataclass
class Refund:
    """`amount` None is a refund that was made without one: WooCommerce keeps it, and shows an empty amount."""

    id: int
    order_id: int
    created: float
    amount: Decimal | None
    reason: str
    refunded_payment: bool
    meta: list[Row]
    line_items: list[Row] = field(default_factory=list)


@dataclass
class Order:
    """`decimals` is what a plugin's filter on `wc_get_price_decimals` says of this order: where it is not None, the
    store has that many decimals for it, whatever its setting. `number` is what a plugin's filter on
    `woocommerce_order_number` shows instead of the id, if it is not empty. `totals` are its sums as they were set last.
    """

    id: int
    order_key: str = field(repr=False)
    currency: str
    created: float
    decimals: int | None = None
    number: str = ""
    status: str = "pending"
    before_trash: str = ""
    modified: float = 0.0
    completed: float | None = None
    paid: float | None = None
    customer_id: int = 0
    billing: dict[str, str] = field(default_factory=lambda: dict.fromkeys(BILLING_FIELDS, ""))
    shipping: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SHIPPING_FIELDS, ""))
    payment_method: str = ""
    payment_method_title: str = ""
    transaction_id: str = ""
    customer_ip_address: str = ""
    created_via: str = ""
    customer_note: str = ""
    prices_include_tax: bool = False
    meta: list[Row] = field(default_factory=list)
    lines: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in LINE_KINDS})
    refunds: list[Refund] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SUMS, ZERO))

    def sums(self, decimals: int) -> dict[str, Decimal]:
        """What the lines come to in a store with so many decimals, in the wire's order. Items and postage are rounded
        one by one, fees as a whole (`WC_Item_Totals::round_item_subtotal`; not so if taxes are rounded per subtotal).
        """
        items, fees, shipping = (self.lines[kind] for kind in ("line_items", "fee_lines", "shipping_lines"))
        cart, before = _sum(items, "total", decimals), _sum(items, "subtotal", decimals)
        cart_tax = rounded(_sum(items, "total_tax") + _sum(fees, "total_tax"), decimals)
        postage, postage_tax = _sum(shipping, "total", decimals), rounded(_sum(shipping, "total_tax"), decimals)
        return {
            "discount_total": before - cart,
            "discount_tax": rounded(_sum(items, "subtotal_tax") - _sum(items, "total_tax"), decimals),
            "shipping_total": postage,
            "shipping_tax": postage_tax,
            "cart_tax": cart_tax,
            "total": rounded(cart + _sum(fees, "total") + postage + cart_tax + postage_tax, decimals),
            "total_tax": cart_tax + postage_tax,
        }

    @property
    def sum_of_lines(self) -> Decimal:
        """What the lines come to before anything is rounded."""
        sums = (self.lines[kind] for kind in ("line_items", "fee_lines", "shipping_lines"))
        return sum((_sum(rows, "total") + _sum(rows, "total_tax") for rows in sums), ZERO)

    @property
    def sent_back(self) -> Decimal:
        return sum((refund.amount or ZERO for refund in self.refunds), ZERO)

    @property
    def is_editable(self) -> bool:
        return self.status in ("pending", "on-hold", "auto-draft")

    @property
    def needs_processing(self) -> bool:
        """Whether anything is left to do once it is paid: false only if all that is known is a download."""
        return any(row["needs_processing"] for row in self.lines["line_items"])

    def update_meta(self, key: Any, value: Any, row_id: int, next_id: Callable[[], int]) -> None:
        """Set, add or (value None) delete one meta row, by id if there is one, else by key."""
        value = as_stored(value)
        same = [row for row in self.meta if (row["id"] == row_id if row_id else row["key"] == key)]
        if value is None:
            self.meta = [row for row in self.meta if row not in same]
        elif same:
            same[0].update(key=key, value=value)
            self.meta = [row for row in self.meta if row not in same[1:]]
        else:
            self.meta.append({"id": next_id(), "key": key, "value": value})


def as_stored(value: Any) -> Any:
    """What comes back of a meta value: the table's column is text, and only lists and objects are serialised.

    Recorded: 5 comes back as "5". Source: `WC_Data_Store_WP::add_meta`, which stores `maybe_serialize($value)`.
    """
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _sum(rows: list[Row], key: str, decimals: int | None = None) -> Decimal:
    """The rows' sum, each of them rounded first if there are `decimals`."""
    return sum((row[key] if decimals is None else rounded(row[key], decimals) for row in rows), ZERO)
