"""Line items of US merchants, for level 2 and 3 card rates: WooPayments' rules under Stripe's present names. Pure.

Sources: WooPayments 8.4, `Level3_Service`; Stripe, "PaymentIntent: amount_details, payment_details" (limits of each).
"""

import math
import re
from typing import Any

from bridge.domain.money import minor
from bridge.domain.orders import Line, LineKind, Order

Json = dict[str, Any]
MAX_LINES = 200
_CODE, _NAME = 12, 26
_ZIP = re.compile(r"\d{5}(-\d{4})?", re.ASCII)


def line_item_details(order: Order, currency: str, from_postal_code: str) -> Json:
    """The parameters `amount_details` and `payment_details`. Information only: sums that don't add up do no harm."""
    shipping: Json = {"amount": max(0, minor(order.shipping_total + order.shipping_tax, currency))}
    if _ZIP.fullmatch(order.shipping.postal_code):
        shipping["to_postal_code"] = order.shipping.postal_code
    if from_postal_code:
        shipping["from_postal_code"] = from_postal_code
    return {
        "amount_details": {
            "shipping": shipping,
            "line_items": _bundled([_item(line, currency) for line in order.lines]) or [_EMPTY],
            "enforce_arithmetic_validation": False,
        },
        "payment_details": {"order_reference": str(order.id), "customer_reference": str(order.id)},
    }


_EMPTY: Json = {
    "product_code": "empty-order",
    "product_name": "The order is empty",
    "quantity": 1,
    "unit_cost": 0,
    "tax": {"total_tax_amount": 0},
}


def _item(line: Line, currency: str) -> Json:
    """A negative line (a discount as a fee) costs nothing and is all discount."""
    quantity = max(1, math.ceil(line.quantity))
    each = minor(line.subtotal / quantity, currency)
    discount = -each if line.subtotal < 0 else minor(line.subtotal - line.total, currency)
    code = _slug(line.name) if line.kind is LineKind.FEE else str(line.variation_id or line.product_id or "")
    return {
        **({"product_code": code[:_CODE]} if code else {}),
        "product_name": line.name.strip()[:_NAME] or code or "-",
        "quantity": quantity,
        "unit_cost": max(0, each),
        "tax": {"total_tax_amount": max(0, minor(line.tax, currency))},
        **({"discount_amount": discount} if discount > 0 else {}),
    }


def _bundled(items: list[Json]) -> list[Json]:
    """At most 200 items: the last one stands for all that are too many."""
    if len(items) <= MAX_LINES:
        return items
    kept, rest = items[: MAX_LINES - 1], items[MAX_LINES - 1 :]
    return [*kept, bundle(rest)]


def bundle(items: list[Json]) -> Json:
    """One item for all of `items`."""
    discount = sum(item.get("discount_amount", 0) for item in items)
    return {
        "product_code": "more-items",
        "product_name": f"{len(items)} more items",
        "quantity": 1,
        "unit_cost": sum(item["unit_cost"] * item["quantity"] for item in items),
        "tax": {"total_tax_amount": sum(item["tax"]["total_tax_amount"] for item in items)},
        **({"discount_amount": discount} if discount else {}),
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
