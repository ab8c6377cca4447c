"""The arguments that each route takes, as JSON schemas: WooCommerce's REST API documentation, v3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .currencies import CODES
from .orders import BILLING_FIELDS, SHIPPING_FIELDS, STATUS_NAMES
from .webhooks import STATUSES as WEBHOOK_STATUSES

Arguments = Mapping[str, Mapping[str, Any]]

STRING = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}
INTEGER = {"type": "integer"}
BOOLEAN = {"type": "boolean"}
MIXED = {"type": "mixed"}
IDS = {"type": "array", "items": INTEGER, "default": []}
CONTEXT = {"type": "string", "enum": ("view", "edit"), "default": "view"}
FORCE = {"type": "boolean", "default": False}
STATUSES = tuple(STATUS_NAMES)

META = {
    "type": "array",
    "items": {"type": "object", "properties": {"id": INTEGER, "key": STRING, "value": MIXED}},
}


def rows(**properties: Any) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": "object", "properties": {"id": INTEGER, "meta_data": META, **properties}},
    }


LINE_ITEMS = rows(
    name=MIXED,
    product_id=MIXED,
    variation_id=INTEGER,
    quantity=INTEGER,
    tax_class=STRING,
    subtotal=STRING,
    total=STRING,
    sku=MIXED,
)
EMAIL = {"type": ("string", "null"), "format": "email"}

ORDER: Arguments = {
    "parent_id": INTEGER,
    "status": {"type": "string", "enum": STATUSES},
    "currency": {"type": "string", "enum": CODES},
    "customer_id": INTEGER,
    "customer_note": STRING,
    "billing": {"type": "object", "properties": {**dict.fromkeys(BILLING_FIELDS, STRING), "email": EMAIL}},
    "shipping": {"type": "object", "properties": dict.fromkeys(SHIPPING_FIELDS, STRING)},
    "payment_method": STRING,
    "payment_method_title": STRING,
    "transaction_id": STRING,
    "meta_data": META,
    "line_items": LINE_ITEMS,
    "shipping_lines": rows(method_title=MIXED, method_id=MIXED, instance_id=STRING, total=STRING),
    "fee_lines": rows(
        name=MIXED,
        tax_class=STRING,
        tax_status={"type": "string", "enum": ("taxable", "none")},
        total=STRING,
    ),
    "coupon_lines": rows(code=MIXED),
    "set_paid": BOOLEAN,
}
ORDER_CREATED: Arguments = {
    **ORDER,
    "status": {**ORDER["status"], "default": "pending"},
    "customer_id": {**INTEGER, "default": 0},
    "set_paid": {**BOOLEAN, "default": False},
}
ORDER_READ: Arguments = {"id": INTEGER, "context": CONTEXT, "dp": INTEGER}
ORDER_UPDATED: Arguments = {"id": INTEGER, "dp": INTEGER, **ORDER}
DELETED: Arguments = {"id": INTEGER, "force": FORCE}

PAGING: Arguments = {
    "context": CONTEXT,
    "page": {"type": "integer", "default": 1, "minimum": 1},
    "per_page": {"type": "integer", "default": 10, "minimum": 1, "maximum": 100},
    "search": STRING,
    "exclude": IDS,
    "include": IDS,
    "offset": INTEGER,
    "order": {"type": "string", "default": "desc", "enum": ("asc", "desc")},
}
ORDER_LIST: Arguments = {
    **PAGING,
    "after": MOMENT,
    "before": MOMENT,
    "orderby": {"type": "string", "default": "date", "enum": ("date", "id", "include", "title", "slug", "modified")},
    "customer": INTEGER,
    "product": INTEGER,
    "dp": INTEGER,
    "status": {"type": "array", "default": ["any"], "items": {"type": "string", "enum": ("any", "trash", *STATUSES)}},
}
PRODUCT_LIST: Arguments = {**PAGING, "sku": STRING, "virtual": BOOLEAN}
CUSTOMER_LIST: Arguments = {
    **PAGING,
    "order": {"type": "string", "default": "asc", "enum": ("asc", "desc")},
    "email": {"type": "string", "format": "email"},
}
BATCH: Arguments = {"create": {"type": "array"}, "update": {"type": "array"}, "delete": {"type": "array"}}

NOTE_LIST: Arguments = {
    "order_id": INTEGER,
    "context": CONTEXT,
    "type": {"type": "string", "default": "any", "enum": ("any", "customer", "internal")},
}
NOTE_READ: Arguments = {"order_id": INTEGER, "id": INTEGER, "context": CONTEXT}
NOTE_CREATED: Arguments = {
    "order_id": INTEGER,
    "note": {"type": "string", "required": True},
    "customer_note": {"type": "boolean", "default": False},
    "added_by_user": {"type": "boolean", "default": False},
}
NOTE_DELETED: Arguments = {"order_id": INTEGER, **DELETED}

REFUND_LIST: Arguments = {"order_id": INTEGER, **PAGING, "dp": INTEGER}
REFUND_READ: Arguments = {"order_id": INTEGER, "id": INTEGER, "context": CONTEXT, "dp": INTEGER}
REFUND_CREATED: Arguments = {
    "order_id": INTEGER,
    "amount": STRING,
    "reason": STRING,
    "meta_data": META,
    "line_items": rows(quantity=INTEGER, refund_total={"type": "number"}),
    "api_refund": {"type": "boolean", "default": True},
    "api_restock": {"type": "boolean", "default": True},
}
REFUND_DELETED: Arguments = {"order_id": INTEGER, "id": INTEGER, "force": {"type": "boolean", "default": True}}

WEBHOOK_LIST: Arguments = {
    **PAGING,
    "after": MOMENT,
    "before": MOMENT,
    "orderby": {"type": "string", "default": "date", "enum": ("date", "id", "title")},
    "status": {"type": "string", "default": "all", "enum": ("all", *WEBHOOK_STATUSES)},
}
WEBHOOK_UPDATED: Arguments = {
    "id": INTEGER,
    "name": STRING,
    "status": {"type": "string", "enum": WEBHOOK_STATUSES},
    "topic": STRING,
    "secret": STRING,
}
WEBHOOK_CREATED: Arguments = {
    **WEBHOOK_UPDATED,
    "status": {**WEBHOOK_UPDATED["status"], "default": "active"},
    "topic": {**STRING, "required": True},
    "delivery_url": {**STRING, "required": True},
}

READ: Arguments = {"id": INTEGER, "context": CONTEXT}
SETTING_UPDATED: Arguments = {"value": MIXED}
