"""What a refund does to an order: the store writes it down once, and no more once the provider takes it back.

WooCommerce neither locks nor knows idempotency keys, so a refund is found again by the provider's id in its meta. It
writes that meta a little after the refund itself, with e-mails between the two: a second try that finds a refund like
ours without any id waits. A refund that staff made in the store cannot be given an id afterwards (there is no route
for it), so the order's meta says which is which (PAIRED).
"""

from collections.abc import Mapping
from decimal import Decimal

from bridge.domain.errors import StoreUnreachable
from bridge.domain.money import Money
from bridge.domain.orders import NOT_BOOKED, PAIRED, Delivery, StoreRefund
from bridge.stores.woocommerce.delivery_steps import ANOTHER_ORDER, OrderDelivery
from bridge.stores.woocommerce.orders import Orders, OrderState, RefundRow

REFUND_ID = "_wcpay_refund_id"
"""Meta of a store's refund: the provider's id."""
ENDED = frozenset({"refunded", "cancelled", "trash"})
"""Where an order goes of which nothing is left."""
NEW_REFUND_SECONDS = 600.0
"""Seconds after which a refund that the store was still making is not going to get its id any more."""


def of_order(orders: Orders, order_id: int) -> list[StoreRefund]:
    """The order's refunds, oldest first. Raises OrderNotFound, StoreUnreachable or StoreRefused."""
    order = orders.look(order_id)
    rows = orders.refunds(order_id) if order.refunds else []
    return [
        StoreRefund(row.id, row.amount, row.reason, provider_id(row, order.meta), row.refunded_payment) for row in rows
    ]


def provider_id(refund: RefundRow, order_meta: Mapping[str, object]) -> str:
    """The provider's id of a store's refund, `""` if nothing says it."""
    return str(refund.meta.get(REFUND_ID) or order_meta.get(f"{PAIRED}{refund.id}") or "")


def refunded(delivery: OrderDelivery) -> Delivery:
    order = delivery.look()
    if not delivery.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    if gap := book(delivery, order, delivery.update.refund_reason):
        return gap
    delivery.write_meta(order)
    delivery.note(delivery.update.note)
    if delivery.update.over:
        order = delivery.look()
        if order.refundable > 0 and order.status not in ENDED:
            left = f"{order.refundable} {order.currency}"
            sentence = f"nothing is left of what was captured, and it is {order.status} with {left} not refunded."
            return delivery.flagged("the order has the refund", sentence)
    return Delivery(True, "the order has the refund")


def refund_failed(delivery: OrderDelivery) -> Delivery:
    """Take the refund out of the store. An order that is refunded and has something left to refund is not refunded."""
    order = delivery.look()
    if not delivery.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    if not delivery.is_noted:
        ours = _ours(delivery, order, _rows(delivery, order))
        for refund in ours:
            delivery.orders.delete_refund(order.id, refund.id)
        order = delivery.look() if ours else order
        if order.status == "refunded" and order.refundable > 0:
            delivery.write(status="failed")
        else:
            delivery.write_meta(order)
        delivery.note(delivery.update.note)
    update = delivery.update
    sentence = f"a refund of {Money(update.refund_amount, update.currency)} ({update.refund_id}) has failed."
    return delivery.flagged("the order no longer has the refund", sentence)


def book(delivery: OrderDelivery, order: OrderState, reason: str) -> Delivery | None:
    """Make sure that the store has the refund, once. None if it has, else what came of it."""
    rows = _rows(delivery, order)
    ours = _ours(delivery, order, rows)
    if not ours:
        if not delivery.shows(order) or order.paid_at is None:
            return _left_out(delivery, "the order was not paid by this payment", is_flagged=False)
        if why := _obstacle(delivery, order) or _doubt(delivery, order, rows, reason):
            return _left_out(delivery, why, is_flagged=True)
        if delivery.is_noted:
            return Delivery(True, "the refund was deleted since")
        amount = f"{_amount(delivery, order):.{order.decimals}f}"
        delivery.orders.add_refund(order.id, amount, reason, {REFUND_ID: _name(delivery)})
        ours = [] if delivery.first else _ours(delivery, order, delivery.orders.refunds(order.id))
    for twin in ours[1:]:
        delivery.orders.delete_refund(order.id, twin.id)
    return None


def _rows(delivery: OrderDelivery, order: OrderState) -> list[RefundRow]:
    return delivery.orders.refunds(order.id) if order.refunds else []


def _ours(delivery: OrderDelivery, order: OrderState, rows: list[RefundRow]) -> list[RefundRow]:
    """Those that are this refund, oldest first. There should be one at the most."""
    meta = {**order.meta, **delivery.meta}
    return [row for row in rows if provider_id(row, meta) == _name(delivery)]


def _name(delivery: OrderDelivery) -> str:
    return delivery.update.refund_id or delivery.update.operation_id


def _amount(delivery: OrderDelivery, order: OrderState) -> Decimal:
    """In major units. All that is left, if that is what a store that rounds has been charged for it."""
    if delivery.is_worth(order.refundable, delivery.update.refund_amount):
        return order.refundable
    return Money(delivery.update.refund_amount, delivery.update.currency).decimal


def _obstacle(delivery: OrderDelivery, order: OrderState) -> str:
    """Why the order cannot have the refund as it stands now."""
    if any(key.startswith(PAIRED) for key in delivery.meta):
        return "it was begun in the store, and deleted there"
    if order.currency != delivery.update.currency.upper():
        return f"the order is in {order.currency} now"
    if delivery.update.refund_currency:  # nobody has agreed to a rate
        theirs = Money(delivery.update.refund_amount, delivery.update.refund_currency)
        return f"it is about {theirs}, and the order is in {order.currency}"
    amount = _amount(delivery, order)
    if amount != round(amount, order.decimals):
        return f"the store's sums have {order.decimals} decimals"
    if amount > order.refundable:
        return f"only {order.refundable} {order.currency} of the order are left to refund"
    return ""


def _doubt(delivery: OrderDelivery, order: OrderState, rows: list[RefundRow], reason: str) -> str:
    """What cannot be told. Raises StoreUnreachable if time will tell."""
    if not delivery.holds(order) and not delivery.is_named_by_the_store:
        return "nothing proves that the order was paid by this payment"
    twins = [] if delivery.first else [row for row in rows if _may_be_ours(delivery, order, row, reason)]
    if any(twin.age < NEW_REFUND_SECONDS for twin in twins):
        raise StoreUnreachable("The store may still be making the refund.")
    return "one like it is there, and nothing says whether it is this one" if twins else ""


def _may_be_ours(delivery: OrderDelivery, order: OrderState, row: RefundRow, reason: str) -> bool:
    is_alike = Decimal(row.amount or 0) == _amount(delivery, order) and row.reason.strip() == reason.strip()
    return is_alike and not provider_id(row, order.meta)


def _left_out(delivery: OrderDelivery, why: str, *, is_flagged: bool) -> Delivery:
    sentence = f"{delivery.update.note} {NOT_BOOKED}: {why}.".strip()
    delivery.note(sentence)
    if is_flagged:
        return delivery.flagged("not among the order's refunds", sentence)
    return Delivery(True, "not among the order's refunds")
