"""Rows of an order: how they are made, taxed, and edited through the REST API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .orders import ZERO, Order, Row, as_stored, money, rounded
from .rest_values import RestError, php_int

if TYPE_CHECKING:
    from .catalog import Product
    from .state import Shop


@dataclass(frozen=True)
class TaxRate:
    """A tax rate of the store. `percent` 21 is 21 %."""

    id: int
    code: str
    label: str
    percent: int

    def of(self, amount: Decimal, decimals: int) -> Decimal:
        return rounded(amount * self.percent / 100, decimals)


VAT = TaxRate(1, "VAT-1", "VAT", 21)


def line_item(
    shop: Shop,
    product: Product | None,
    quantity: int = 1,
    *,
    name: str = "",
    total: Decimal | None = None,
    subtotal: Decimal | None = None,
    rate: TaxRate | None = None,
) -> Row:
    """A line for a product, or for a name alone. `subtotal` is the price before coupons, `total` after, without tax."""
    if subtotal is None:
        subtotal = product.price * quantity if product is not None and total is None else total or ZERO
    row = {
        "id": shop.next_item_id(),
        "name": name or (product.name if product else ""),
        "product_id": product.id if product else 0,
        "variation_id": 0,
        "quantity": quantity,
        "tax_class": "",
        "subtotal": subtotal,
        "subtotal_tax": ZERO,
        "total": subtotal if total is None else total,
        "total_tax": ZERO,
        "taxes": [],
        "meta_data": [],
        "sku": product.sku if product else None,
        "global_unique_id": "",
        "needs_processing": product is not None and not (product.virtual and product.downloadable),
    }
    return taxed(row, rate, shop.price_decimals)


def shipping_line(
    shop: Shop, total: Decimal, *, title: str, method: str, instance: str = "", rate: TaxRate | None = None
) -> Row:
    row = {
        "id": shop.next_item_id(),
        "method_title": title,
        "method_id": method,
        "instance_id": instance,
        "total": total,
        "total_tax": ZERO,
        "taxes": [],
        "tax_status": "taxable",
        "meta_data": [],
    }
    return taxed(row, rate, shop.price_decimals)


def fee_line(shop: Shop, name: str, total: Decimal, rate: TaxRate | None = None) -> Row:
    row = {
        "id": shop.next_item_id(),
        "name": name,
        "tax_class": "",
        "tax_status": "taxable",
        "amount": total,
        "total": total,
        "total_tax": ZERO,
        "taxes": [],
        "meta_data": [],
    }
    return taxed(row, rate, shop.price_decimals)


def coupon_line(shop: Shop, code: str, percent: int, discount: Decimal, discount_tax: Decimal) -> Row:
    return {
        "id": shop.next_item_id(),
        "code": code,
        "discount": discount,
        "discount_tax": discount_tax,
        "meta_data": [],
        "discount_type": "percent",
        "nominal_amount": percent,
        "free_shipping": False,
    }


def tax_line(shop: Shop, order: Order, rate: TaxRate) -> Row:
    """The order's total of one rate."""
    sums = order.sums(shop.decimals_of(order))
    return {
        "id": shop.next_item_id(),
        "rate_code": rate.code,
        "rate_id": rate.id,
        "label": rate.label,
        "compound": False,
        "tax_total": sums["cart_tax"],
        "shipping_tax_total": sums["shipping_tax"],
        "rate_percent": rate.percent,
        "meta_data": [],
    }


def taxed(row: Row, rate: TaxRate | None, decimals: int) -> Row:
    """The row with its taxes as they follow from its amounts."""
    if rate is None:
        return row
    row["total_tax"] = rate.of(row["total"], decimals)
    subtotal = ""
    if "subtotal" in row:
        row["subtotal_tax"] = rate.of(row["subtotal"], decimals)
        subtotal = str(row["subtotal_tax"])
    row["taxes"] = [{"id": rate.id, "total": str(row["total_tax"]), "subtotal": subtotal}]
    return row


def edit(shop: Shop, order: Order, kind: str, posted: Any) -> None:
    """Apply what a client sent for one kind of lines: an id updates, a null reference or quantity 0 removes."""
    rows = order.lines[kind]
    if not posted:
        return
    for item in posted:
        row = next((row for row in rows if item.get("id") and row["id"] == item["id"]), None)
        if item.get("id") and row is None:
            message = "Order item ID provided is not associated with order."
            raise RestError("woocommerce_rest_invalid_item_id", message, 400)
        if _removes(item):
            order.lines[kind] = rows = [other for other in rows if other is not row]
            continue
        if row is None:
            row = CREATORS[kind](shop, item)
            rows.append(row)
        else:
            _change(row, item, EDITABLE_FIELDS[kind])
            taxed(row, VAT if row["taxes"] else None, shop.price_decimals)
        for meta in item.get("meta_data") or []:
            row["meta_data"].append(item_meta(shop, meta.get("key"), meta.get("value")))
    for row in order.lines["tax_lines"]:
        row.update({**tax_line(shop, order, VAT), "id": row["id"]})


def item_meta(shop: Shop, key: Any, value: Any) -> Row:
    value = as_stored(value)
    return {"id": shop.next_meta_id(), "key": key, "value": value, "display_key": key, "display_value": value}


def _removes(item: Row) -> bool:
    references = ("product_id", "method_id", "method_title", "name", "code")
    return item.get("quantity") == 0 or any(key in item and item[key] is None for key in references)


def _change(row: Row, item: Row, fields: tuple[str, ...]) -> None:
    for key in fields:
        if item.get(key) is not None:
            row[key] = money(item[key]) if isinstance(row[key], Decimal) else item[key]
    if "amount" in row:
        row["amount"] = row["total"]
    if "subtotal" in row:
        row["subtotal"] = max(row["subtotal"], row["total"])


def _new_line_item(shop: Shop, item: Row) -> Row:
    if item.get("sku"):
        product = shop.product_by_sku(str(item["sku"]))
    elif item.get("product_id"):
        product = shop.products.get(php_int(item["product_id"]))
    else:
        message = "Product ID or SKU is required."
        raise RestError("woocommerce_rest_required_product_reference", message, 400)
    row = line_item(shop, product, item.get("quantity") or 1)
    _change(row, item, EDITABLE_FIELDS["line_items"])
    return row


def _new_shipping_line(shop: Shop, item: Row) -> Row:
    if not item.get("method_id"):
        message = "Shipping method ID is required."
        raise RestError("woocommerce_rest_invalid_shipping_item", message, 400)
    row = shipping_line(shop, ZERO, title="", method="")
    _change(row, item, EDITABLE_FIELDS["shipping_lines"])
    return row


def _new_fee_line(shop: Shop, item: Row) -> Row:
    if not item.get("name"):
        raise RestError("woocommerce_rest_invalid_fee_item", "Fee name is required.", 400)
    row = fee_line(shop, "", ZERO)
    _change(row, item, EDITABLE_FIELDS["fee_lines"])
    return row


EDITABLE_FIELDS = {
    "line_items": ("name", "quantity", "total", "subtotal", "tax_class"),
    "shipping_lines": ("method_id", "method_title", "total", "instance_id"),
    "fee_lines": ("name", "tax_class", "tax_status", "total"),
}
CREATORS: dict[str, Callable[[Shop, Row], Row]] = {
    "line_items": _new_line_item,
    "shipping_lines": _new_shipping_line,
    "fee_lines": _new_fee_line,
}
