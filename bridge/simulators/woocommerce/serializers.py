"""The wire shapes of wc/v3: orders, notes, refunds, webhooks, products, customers; WooCommerce's keys in its order.

`decimals` is how many places amounts have. Times are UTC, the shop's own timezone.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from .catalog import Customer, Image, Product
from .currencies import SYMBOLS
from .orders import BILLING_FIELDS, SHIPPING_FIELDS, Note, Order, Refund, Row, shown
from .state import VERSION, Shop
from .webhooks import Webhook

ADMINISTRATOR = 1


def moment(seconds: float | None) -> str | None:
    """A time as WordPress writes it: `2026-11-20T23:40:26`, without a zone."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def order_shape(shop: Shop, order: Order, home: str, decimals: int | None = None) -> dict[str, Any]:
    """The order with amounts of `decimals` places, else of the order's own, else of the store's."""
    if decimals is None:
        decimals = shop.decimals_of(order)
    sums = shown(order.totals | {"total": shop.total(order)}, decimals)
    created, modified, completed, paid = map(moment, (order.created, order.modified, order.completed, order.paid))
    return {
        "id": order.id,
        "parent_id": 0,
        "status": order.status,
        "currency": order.currency,
        "version": VERSION,
        "prices_include_tax": order.prices_include_tax,
        "date_created": created,
        "date_modified": modified,
        **sums,
        "customer_id": order.customer_id,
        "order_key": order.order_key,
        "billing": {key: order.billing[key] for key in BILLING_FIELDS},
        "shipping": {key: order.shipping[key] for key in SHIPPING_FIELDS},
        "payment_method": order.payment_method,
        "payment_method_title": order.payment_method_title,
        "transaction_id": order.transaction_id,
        "customer_ip_address": order.customer_ip_address,
        "customer_user_agent": "",
        "created_via": order.created_via,
        "customer_note": order.customer_note,
        "date_completed": completed,
        "date_paid": paid,
        "cart_hash": "",
        "number": order.number or str(order.id),
        "meta_data": [dict(row) for row in order.meta],
        "line_items": [_line_item(shop, row, home, decimals) for row in order.lines["line_items"]],
        **{kind: shown(rows, decimals) for kind, rows in order.lines.items() if kind != "line_items"},
        "refunds": [_refund_in_order(refund, decimals) for refund in newest_first(order.refunds)],
        "payment_url": f"{home}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.order_key}",
        "is_editable": order.is_editable,
        "needs_payment": shop.needs_payment(order),
        "needs_processing": order.needs_processing,
        "date_created_gmt": created,
        "date_modified_gmt": modified,
        "date_completed_gmt": completed,
        "date_paid_gmt": paid,
        "currency_symbol": SYMBOLS.get(order.currency, ""),
    }


def _line_item(shop: Shop, row: Row, home: str, decimals: int) -> dict[str, Any]:
    product = shop.products.get(row["product_id"])
    image = product.image if product else None
    public = {key: value for key, value in row.items() if key != "needs_processing"}
    return {
        **shown(public, decimals),
        "price": float(row["total"]) / row["quantity"] if row["quantity"] else 0,
        "image": {"id": str(image.id) if image else "", "src": image_url(image, home) if image else ""},
        "parent_name": None,
    }


def image_url(image: Image, home: str) -> str:
    return f"{home}/wp-content/uploads/{image.file}"


def _refund_in_order(refund: Refund, decimals: int) -> dict[str, Any]:
    return {"id": refund.id, "reason": refund.reason, "total": f"-{_amount(refund, decimals)}"}


def _amount(refund: Refund, decimals: int) -> str:
    return "" if refund.amount is None else shown(refund.amount, decimals)


def newest_first(refunds: list[Refund]) -> list[Refund]:
    return sorted(refunds, key=lambda refund: refund.id, reverse=True)


def refund_shape(shop: Shop, order: Order, refund: Refund, home: str, decimals: int | None = None) -> dict[str, Any]:
    if decimals is None:
        decimals = shop.decimals_of(order)
    return {
        "id": refund.id,
        "date_created": moment(refund.created),
        "date_created_gmt": moment(refund.created),
        "amount": _amount(refund, decimals),
        "reason": refund.reason,
        "refunded_by": ADMINISTRATOR,
        "refunded_payment": refund.refunded_payment,
        "meta_data": [dict(row) for row in refund.meta],
        "line_items": [_line_item(shop, row, home, decimals) for row in refund.line_items],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
    }


def note_shape(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "author": note.author,
        "date_created": moment(note.created),
        "date_created_gmt": moment(note.created),
        "note": note.text,
        "customer_note": note.customer_note,
    }


def webhook_shape(webhook: Webhook) -> dict[str, Any]:
    created, modified = moment(webhook.created), moment(webhook.modified)
    return {
        "id": webhook.id,
        "name": webhook.name,
        "status": webhook.status,
        "topic": webhook.topic,
        "resource": webhook.resource,
        "event": webhook.event,
        "hooks": list(webhook.hooks),
        "delivery_url": webhook.delivery_url,
        "date_created": created,
        "date_created_gmt": created,
        "date_modified": modified,
        "date_modified_gmt": modified,
    }


SIMPLE_PRODUCT: dict[str, Any] = {
    "id": None,
    "name": None,
    "slug": None,
    "permalink": None,
    "date_created": None,
    "date_created_gmt": None,
    "date_modified": None,
    "date_modified_gmt": None,
    "type": "simple",
    "status": "publish",
    "featured": False,
    "catalog_visibility": "visible",
    "description": "",
    "short_description": "",
    "sku": None,
    "price": None,
    "regular_price": None,
    "sale_price": "",
    "date_on_sale_from": None,
    "date_on_sale_from_gmt": None,
    "date_on_sale_to": None,
    "date_on_sale_to_gmt": None,
    "on_sale": False,
    "purchasable": True,
    "total_sales": 0,
    "virtual": None,
    "downloadable": None,
    "downloads": [],
    "download_limit": -1,
    "download_expiry": -1,
    "external_url": "",
    "button_text": "",
    "tax_status": "taxable",
    "tax_class": "",
    "manage_stock": False,
    "stock_quantity": None,
    "backorders": "no",
    "backorders_allowed": False,
    "backordered": False,
    "low_stock_amount": None,
    "sold_individually": False,
    "weight": "",
    "dimensions": {"length": "", "width": "", "height": ""},
    "shipping_required": None,
    "shipping_taxable": None,
    "shipping_class": "",
    "shipping_class_id": 0,
    "reviews_allowed": True,
    "average_rating": "0.00",
    "rating_count": 0,
    "upsell_ids": [],
    "cross_sell_ids": [],
    "parent_id": 0,
    "purchase_note": "",
    "categories": [],
    "tags": [],
    "images": None,
    "attributes": [],
    "default_attributes": [],
    "variations": [],
    "grouped_products": [],
    "menu_order": 0,
    "price_html": "",
    "related_ids": [],
    "meta_data": [],
    "stock_status": "instock",
    "has_options": False,
    "post_password": "",
    "global_unique_id": "",
}


def product_shape(shop: Shop, product: Product, home: str) -> dict[str, Any]:
    """A simple product: what this shop does not know of one is as WooCommerce has it for a new product."""
    created, price = moment(product.created), shown(product.price, shop.price_decimals)
    return {
        **deepcopy(SIMPLE_PRODUCT),
        "id": product.id,
        "name": product.name,
        "slug": product.slug,
        "permalink": f"{home}/product/{product.slug}/",
        "date_created": created,
        "date_created_gmt": created,
        "date_modified": created,
        "date_modified_gmt": created,
        "sku": product.sku,
        "price": price,
        "regular_price": price,
        "virtual": product.virtual,
        "downloadable": product.downloadable,
        "shipping_required": not product.virtual,
        "shipping_taxable": not product.virtual,
        "images": [_image(product.image, created, home)] if product.image else [],
    }


def _image(image: Image, created: str | None, home: str) -> dict[str, Any]:
    return {
        "id": image.id,
        "date_created": created,
        "date_created_gmt": created,
        "date_modified": created,
        "date_modified_gmt": created,
        "src": image_url(image, home),
        "name": image.name,
        "alt": "",
    }


def customer_shape(shop: Shop, customer: Customer) -> dict[str, Any]:
    created = moment(customer.created)
    orders = [order for order in shop.orders.values() if order.customer_id == customer.id]
    return {
        "id": customer.id,
        "date_created": created,
        "date_created_gmt": created,
        "date_modified": created,
        "date_modified_gmt": created,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "role": "customer",
        "username": customer.username,
        "billing": dict(customer.billing),
        "shipping": dict(customer.shipping),
        "is_paying_customer": any(order.paid is not None for order in orders),
        "avatar_url": "",
        "meta_data": [],
    }
