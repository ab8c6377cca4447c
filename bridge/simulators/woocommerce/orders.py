"""An order as WooCommerce keeps it: addresses, lines, meta, notes, refunds, and the sums that follow from its lines.

Amounts are Decimals, times Unix seconds. A line ("row") is a dict with the wire's keys in the wire's order.
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


def money(value: Any) -> Decimal:
    """An amount as wc_format_decimal reads it: everything but digits, point and minus is dropped, nonsense is 0."""
    try:
        return Decimal(re.sub(r"[^0-9.\-]", "", str(value)) or 0)
    except InvalidOperation:
        return ZERO


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Half up, away from zero, as PHP rounds."""
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def shown(value: Any, decimals: int) -> Any:
    """A row or an amount as the wire has it: Decimals become strings with `decimals` places."""
    if isinstance(value, Decimal):
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
    """`decimals` overrides the store's price decimals, as a multi-currency plugin does; None follows the store."""

    id: int
    order_key: str = field(repr=False)
    currency: str
    created: float
    decimals: int | None = None
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

    def sums(self) -> dict[str, Decimal]:
        """The order's amounts, in the wire's order."""
        items, fees, shipping = (self.lines[kind] for kind in ("line_items", "fee_lines", "shipping_lines"))
        cart_tax = _sum(items, "total_tax") + _sum(fees, "total_tax")
        shipping_total, shipping_tax = _sum(shipping, "total"), _sum(shipping, "total_tax")
        return {
            "discount_total": _sum(items, "subtotal") - _sum(items, "total"),
            "discount_tax": _sum(items, "subtotal_tax") - _sum(items, "total_tax"),
            "shipping_total": shipping_total,
            "shipping_tax": shipping_tax,
            "cart_tax": cart_tax,
            "total": _sum(items, "total") + _sum(fees, "total") + shipping_total + cart_tax + shipping_tax,
            "total_tax": cart_tax + shipping_tax,
        }

    @property
    def total(self) -> Decimal:
        return self.sums()["total"]

    @property
    def refundable(self) -> Decimal:
        return self.total - sum((refund.amount or ZERO for refund in self.refunds), ZERO)

    @property
    def needs_payment(self) -> bool:
        return self.status in ("pending", "failed") and self.total > 0

    @property
    def is_editable(self) -> bool:
        return self.status in ("pending", "on-hold", "auto-draft")

    @property
    def needs_processing(self) -> bool:
        """Whether anything is left to do once it is paid: false only if all that is known is a download."""
        return any(row["needs_processing"] for row in self.lines["line_items"])

    def update_meta(self, key: Any, value: Any, row_id: int, next_id: Callable[[], int]) -> None:
        """Set, add or (value None) delete one meta row, by id if there is one, else by key."""
        same = [row for row in self.meta if (row["id"] == row_id if row_id else row["key"] == key)]
        if value is None:
            self.meta = [row for row in self.meta if row not in same]
        elif same:
            same[0].update(key=key, value=value)
            self.meta = [row for row in self.meta if row not in same[1:]]
        else:
            self.meta.append({"id": next_id(), "key": key, "value": value})


def _sum(rows: list[Row], key: str) -> Decimal:
    return sum((row[key] for row in rows), ZERO)
