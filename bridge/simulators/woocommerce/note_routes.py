"""The routes of an order's notes."""

from __future__ import annotations

from .orders import Note, Order
from .rest_values import Answer, Links, RestError, RestRequest
from .serializers import note_shape
from .state import Shop


def _order(shop: Shop, request: RestRequest) -> Order:
    order = shop.orders.get(request.number("order_id"))
    if order is None:
        raise RestError("woocommerce_rest_order_invalid_id", "Invalid order ID.", 404)
    return order


def _note(shop: Shop, request: RestRequest) -> tuple[Order, Note]:
    order = _order(shop, request)
    note = next((note for note in order.notes if note.id == request.number("id")), None)
    if note is None:
        raise RestError("woocommerce_rest_invalid_id", "Invalid resource ID.", 404)
    return order, note


def _links(request: RestRequest, order: Order, note: Note) -> Links:
    above = f"/wc/v3/orders/{order.id}"
    return request.links(f"{above}/notes/{note.id}", f"{above}/notes", up=above)


def list_all(shop: Shop, request: RestRequest) -> Answer:
    """Newest first by the second; notes of the same second in the order in which they were made."""
    order = shop.orders.get(request.number("order_id"))
    if order is None:
        raise RestError("woocommerce_rest_shop_order_invalid_id", "Invalid order ID.", 404)
    wanted = {"any": (True, False), "customer": (True,), "internal": (False,)}[request.get("type")]
    notes = sorted(order.notes, key=lambda note: (-int(note.created), note.id))
    return Answer(
        [{**note_shape(note), "_links": _links(request, order, note)} for note in notes if note.customer_note in wanted]
    )


def read(shop: Shop, request: RestRequest) -> Answer:
    order, note = _note(shop, request)
    return Answer(note_shape(note), links=_links(request, order, note))


def create(shop: Shop, request: RestRequest) -> Answer:
    order = _order(shop, request)
    author = "admin" if request.get("added_by_user") else "WooCommerce"
    note = shop.note(order, request.get("note"), customer_note=request.get("customer_note"), author=author)
    headers = {"Location": request.url(f"/wc/v3/orders/{order.id}/notes/{note.id}")}
    return Answer(note_shape(note), 201, headers, _links(request, order, note))


def delete(shop: Shop, request: RestRequest) -> Answer:
    if not request.get("force"):
        raise RestError("woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501)
    order, note = _note(shop, request)
    order.notes.remove(note)
    return Answer(note_shape(note), links=_links(request, order, note))
