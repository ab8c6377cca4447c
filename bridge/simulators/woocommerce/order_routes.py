"""The routes of orders: list, read, create, update, trash and delete, batch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from .lines import edit
from .orders import Order
from .paging import page_of
from .rest_values import Answer, RestError, RestRequest, text_field
from .serializers import moment, order_shape
from .state import Shop
from .webhooks import NEW, UPDATED

COLLECTION = "/wc/v3/orders"
PLAIN_FIELDS = ("currency", "customer_id", "customer_note", "payment_method", "payment_method_title", "transaction_id")
INTERNAL_META = {
    "_transaction_id": "transaction_id",
    "_payment_method": "payment_method",
    "_payment_method_title": "payment_method_title",
    "_order_currency": "currency",
}
RECALCULATING = ("billing", "shipping", "line_items", "shipping_lines", "fee_lines", "coupon_lines")
"""What a write has to hold for the sums to be set again. Source: `WC_REST_Orders_Controller::save_object`."""
SORT_FIELDS = {"date": "created", "modified": "modified"}


def invalid_id(status: int) -> RestError:
    return RestError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", status)


def answer(shop: Shop, request: RestRequest, order: Order, status: int = 200) -> Answer:
    places = request.get("dp")
    others = {"customer": f"/wc/v3/customers/{order.customer_id}"} if order.customer_id else {}
    return Answer(
        order_shape(shop, order, request.home, None if places is None else abs(places)),
        status,
        links=request.links(f"{COLLECTION}/{order.id}", COLLECTION, **others),
    )


def read(shop: Shop, request: RestRequest) -> Answer:
    order = shop.orders.get(request.number("id"))
    if order is None:
        raise invalid_id(404)
    return answer(shop, request, order)


def list_all(shop: Shop, request: RestRequest) -> Answer:
    found = [order for order in shop.orders.values() if _listed(order, request)]
    by = SORT_FIELDS.get(request.get("orderby"), "id")
    found.sort(key=lambda order: (getattr(order, by), order.id), reverse=request.get("order") == "desc")
    places = shop.price_decimals if request.get("dp") is None else abs(request.get("dp"))
    spelled = {"status": request.get("status"), "dp": places, "context": request.get("context")}
    return page_of(found, request, COLLECTION, lambda order: answer(shop, request, order), spelled)


def _listed(order: Order, request: RestRequest) -> bool:
    """Source: `WC_REST_Orders_Controller::prepare_objects_query`; recorded with `include` and each kind of status."""
    statuses, created = request.get("status"), moment(order.created) or ""
    if "any" in statuses:  # and whatever else is named: recorded of `any,trash`
        in_status = order.status not in ("trash", "auto-draft")
    else:
        in_status = order.status in statuses and order.status != "auto-draft"  # it is looked up as wc-auto-draft
    customer, product = request.get("customer"), request.get("product")
    after, before, search = (request.get(name) for name in ("after", "before", "search"))
    words = " ".join([str(order.id), order.transaction_id, *order.billing.values()]).lower()
    return (
        in_status
        and (customer is None or order.customer_id == customer)
        and (not product or any(row["product_id"] == product for row in order.lines["line_items"]))
        and (after is None or created > after[:19])
        and (before is None or created < before[:19])
        and (search is None or search.lower() in words)
    )


def create(shop: Shop, request: RestRequest) -> Answer:
    if request.get("id"):
        raise RestError("woocommerce_rest_shop_order_exists", "Cannot create existing shop_order.", 400)
    order = shop.new_order(created_via="rest-api", customer_ip_address="")
    _apply(shop, order, request, creating=True)
    created = answer(shop, request, order, 201)
    created.headers["Location"] = request.url(f"{COLLECTION}/{order.id}")
    return created


def update(shop: Shop, request: RestRequest) -> Answer:
    order = shop.orders.get(request.number("id"))
    if order is None:
        raise invalid_id(400)
    order = deepcopy(order)  # an error half-way leaves the order as it was
    _apply(shop, order, request, creating=False)
    return answer(shop, request, order)


def _apply(shop: Shop, order: Order, request: RestRequest, *, creating: bool) -> None:
    """Write what the request holds, then the status, then the payment: WooCommerce's own order of things."""
    for name in PLAIN_FIELDS:
        if request.get(name) is not None:
            setattr(order, name, request.get(name))
    order.payment_method_title = text_field(order.payment_method_title)
    if order.customer_id and order.customer_id not in shop.customers:
        raise RestError("woocommerce_rest_invalid_customer_id", "Customer ID is invalid.", 400)
    for address, fields in ((order.billing, request.get("billing")), (order.shipping, request.get("shipping"))):
        address.update({key: value or "" for key, value in (fields or {}).items() if key in address})
    for meta in request.get("meta_data") or []:
        _set_meta(shop, order, meta)
    for kind in ("line_items", "shipping_lines", "fee_lines"):
        edit(shop, order, kind, request.get(kind) or [])
    _check_coupons(order, request.get("coupon_lines") or [])
    if creating or any(request.get(name) is not None for name in RECALCULATING):
        order.totals = order.sums(shop.decimals_of(order))
    if request.get("status") is not None:
        shop.set_status(order, request.get("status"))
    order.modified = shop.clock()
    shop.orders[order.id] = order
    if request.get("set_paid") and (creating or shop.needs_payment(order)):
        shop.payment_complete(order, request.get("transaction_id") or "")
    for hook in (NEW, UPDATED) if creating else (UPDATED,):
        shop.webhooks.fired(hook, order.id)


def _set_meta(shop: Shop, order: Order, meta: dict[str, Any]) -> None:
    key, value = meta.get("key"), meta.get("value")
    if key in INTERNAL_META and isinstance(value, str):
        setattr(order, INTERNAL_META[key], value)
    else:
        order.update_meta(key, value, meta.get("id") or 0, shop.next_meta_id)


def _check_coupons(order: Order, coupons: list[dict[str, Any]]) -> None:
    """The shop has no coupons of its own: only one that the order already has can be named again."""
    applied = {row["code"] for row in order.lines["coupon_lines"]}
    for coupon in coupons:
        code = coupon.get("code")
        if coupon.get("id"):
            raise RestError("woocommerce_rest_coupon_item_id_readonly", "Coupon item ID is readonly.", 400)
        if not code:
            raise RestError("woocommerce_rest_invalid_coupon", "Coupon code is required.", 400)
        if code not in applied:
            raise RestError("woocommerce_rest_invalid_coupon", f'Coupon "{code}" does not exist!', 400)


def delete(shop: Shop, request: RestRequest) -> Answer:
    order = shop.orders.get(request.number("id"))
    if order is None:
        raise invalid_id(404)
    before = answer(shop, request, order)
    if request.get("force"):
        del shop.orders[order.id]
    elif order.status == "trash":
        message = "The shop_order has already been deleted."
        raise RestError("woocommerce_rest_already_trashed", message, 410)
    else:
        shop.trash(order)
    return before
