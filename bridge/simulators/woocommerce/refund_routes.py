"""The routes of an order's refunds. Most of their errors carry a bare number, and so come with HTTP 500."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .lines import item_meta
from .orders import ZERO, Order, Refund, Row, money, rounded
from .paging import page_of
from .rest import Answer, RestError, RestRequest
from .shapes import newest_first, refund_shape
from .shop import Shop

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
    amount = _amount(shop, order, request.get("amount"), items)
    if amount is not None and amount < 0:
        message = "Refund amount must be greater than zero."
        raise RestError.bare("woocommerce_rest_invalid_order_refund", message, 400)
    refund = shop.refund(
        order,
        amount,
        reason=request.get("reason") or "",
        by_gateway=request.get("api_refund"),
        line_items=items,
    )
    for meta in request.get("meta_data") or []:
        refund.meta.append({"id": shop.next_meta_id(), "key": meta.get("key"), "value": meta.get("value")})
    created = _answer(shop, request, refund)
    created.status = 201
    created.headers["Location"] = request.url(f"{LITERAL_LOCATION}/{refund.id}")
    return created


def _amount(shop: Shop, order: Order, given: str | None, items: list[Row]) -> Decimal | None:
    """What was asked for, rounded; else what the lines add up to; else nothing at all, which WooCommerce accepts."""
    if given is not None:
        return rounded(money(given), shop.decimals_of(order))
    return -sum((row["total"] for row in items), ZERO) if items else None


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
