"""The routes of an order's refunds. Most of their errors carry a bare number, and so come with HTTP 500."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .lines import item_meta
from .orders import ZERO, Order, Refund, Row, as_stored, money, shown
from .paging import page_of
from .rest_values import Answer, RestError, RestRequest, php_int
from .serializers import newest_first, refund_shape
from .state import Shop, refund_refused
from .validation import NUMERIC

LITERAL_LOCATION = "/wc/v3/orders/(?P<order_id>[\\d]+)/refunds"


def _order(shop: Shop, request: RestRequest) -> Order:
    order = shop.orders.get(request.number("order_id"))
    if order is None:
        raise RestError.bare("woocommerce_rest_invalid_order_id", "Invalid order ID.", 404)
    return order


def _refund(shop: Shop, request: RestRequest) -> Refund:
    refunds = (refund for order in shop.orders.values() for refund in order.refunds)
    refund = next((refund for refund in refunds if refund.id == request.number("id")), None)
    if refund is None:
        raise RestError("woocommerce_rest_shop_order_refund_invalid_id", "Invalid ID.", 404)
    if refund.order_id != _order(shop, request).id:
        raise RestError.bare("woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.", 404)
    return refund


def _answer(shop: Shop, request: RestRequest, refund: Refund) -> Answer:
    above = f"/wc/v3/orders/{refund.order_id}"
    shape = refund_shape(shop, shop.orders[refund.order_id], refund, request.home, request.get("dp"))
    return Answer(shape, links=request.links(f"{above}/refunds/{refund.id}", f"{above}/refunds", up=above))


def list_all(shop: Shop, request: RestRequest) -> Answer:
    order = shop.orders.get(request.number("order_id"))
    refunds = newest_first(order.refunds) if order is not None else []
    places = shop.price_decimals if request.get("dp") is None else request.get("dp")
    spelled = {"dp": places, "context": request.get("context")}
    collection = f"/wc/v3/orders/{request.number('order_id')}/refunds"
    return page_of(refunds, request, collection, lambda refund: _answer(shop, request, refund), spelled)


def read(shop: Shop, request: RestRequest) -> Answer:
    return _answer(shop, request, _refund(shop, request))


def create(shop: Shop, request: RestRequest) -> Answer:
    order = _order(shop, request)
    items = [row for item in request.get("line_items") or [] for row in _refunded_line(shop, order, item)]
    amount, whole = _amount(shop, order, request.get("amount"), items)
    refund = shop.put_refund(
        order,
        amount,
        whole,
        reason=request.get("reason") or "",
        by_gateway=request.get("api_refund"),
        line_items=items,
    )
    for meta in request.get("meta_data") or []:
        value = as_stored(meta.get("value"))
        refund.meta.append({"id": shop.next_meta_id(), "key": meta.get("key"), "value": value})
    created = _answer(shop, request, refund)
    created.status = 201
    created.headers["Location"] = request.url(f"{LITERAL_LOCATION}/{refund.id}")
    return created


def _amount(shop: Shop, order: Order, given: str | None, items: list[Row]) -> tuple[Decimal | None, bool]:
    """What was asked for, or what the lines add up to, or nothing at all, which WooCommerce accepts; and whether that
    is all that was left. Raises RestError for what is below zero or too much, as PHP 8 compares strings.

    A string that is not a number is compared as text: "" is below "0", "abc" above any amount, and "1,50" below
    "25.00", and so passes, to be kept as 150 (recorded). Source: `wc_create_refund`,
    `WC_REST_Order_Refunds_Controller`.
    """
    if given is None:
        amount = -sum((row["total"] for row in items), ZERO) if items else None
        return amount, _checked(shop, order, amount or ZERO)
    if NUMERIC.fullmatch(given):
        return money(given), _checked(shop, order, Decimal(given.strip()))
    if given < "0":
        raise _negative()
    refundable = shop.refundable(order)
    if given > shown(refundable, shop.decimals_of(order)):
        raise refund_refused("Invalid refund amount.")
    return money(given), php_int(given) >= refundable


def _negative() -> RestError:
    return RestError.bare("woocommerce_rest_invalid_order_refund", "Refund amount must be greater than zero.", 400)


def _checked(shop: Shop, order: Order, amount: Decimal) -> bool:
    """Whether it is all that is left. Raises RestError."""
    if amount < 0:
        raise _negative()
    if amount > shop.refundable(order):
        raise refund_refused("Invalid refund amount.")
    return amount >= shop.refundable(order)


def _refunded_line(shop: Shop, order: Order, item: dict[str, Any]) -> list[Row]:
    """A refund's copy of an order line: negative quantity and amounts, and which line it was."""
    line = next((row for row in order.lines["line_items"] if row["id"] == item.get("id")), None)
    if line is None:
        return []
    total = -money(item.get("refund_total") or 0)
    meta = [item_meta(shop, "_refunded_item_id", str(line["id"]))]
    amounts = {"subtotal": total, "total": total, "subtotal_tax": ZERO, "total_tax": ZERO, "taxes": []}
    return [{**line, **amounts, "id": shop.next_item_id(), "quantity": -(item.get("quantity") or 0), "meta_data": meta}]


def delete(shop: Shop, request: RestRequest) -> Answer:
    refund = _refund(shop, request)
    gone = _answer(shop, request, refund)
    shop.orders[refund.order_id].refunds.remove(refund)
    return gone
