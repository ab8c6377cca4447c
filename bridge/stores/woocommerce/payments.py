"""What a payment's own updates do to an order: paid, authorised, cancelled, failed, noted.

A first PAID goes out without a look, right after the order was read as payable, and its answer tells what became of it;
everything else looks first. That the store has taken *this* payment is proven by its date of payment, if that falls
into our request (to the second), by our own mark of an authorisation (HOLD), or by a note of the store's own that names
the transaction. Without proof a person is told: a second `set_paid` silently replaces the first one's transaction id.
"""

from dataclasses import replace

from bridge.domain.judgement import is_paid_otherwise
from bridge.domain.money import Money
from bridge.domain.orders import HOLD, Delivery, UpdateKind
from bridge.stores.woocommerce.delivery_steps import ANOTHER_ORDER, OrderDelivery
from bridge.stores.woocommerce.orders import OrderState

ARRIVALS = {UpdateKind.PAID: "has arrived", UpdateKind.AUTHORIZED: "was authorized"}


def paid(delivery: OrderDelivery) -> Delivery:
    seen = None if delivery.fresh else delivery.look()
    order = delivery.pay(set_paid=True) if seen is None else seen
    wrote = seen is None
    was_paid = delivery.shows(order) and order.paid_at is not None
    if not wrote and not was_paid and delivery.bar(order) is None and not delivery.holds(order):
        order, wrote = _pay(delivery, order), True
    if order.status == "on-hold" and delivery.holds(order) and not delivery.difference(order) and not delivery.is_noted:
        order = delivery.pay(status=delivery.update.status or "processing")
    if not _is_recorded(delivery, order, wrote):
        return _stranded(delivery, order)
    # a refund that is there after our own write, and was not before it, was made of an order that nobody had paid
    lowered = wrote and order.refunded != (seen.refunded if seen else 0)
    if lowered or delivery.difference(order):
        return _take_back(delivery, order)
    if delivery.update.status and order.status == "processing" and not delivery.is_noted:
        order = delivery.write(status=delivery.update.status)
    if delivery.holds(order) or delivery.update.status:
        delivery.note(delivery.update.note)
    delivery.write_meta(order)
    return Delivery(True, f"the order is {order.status}")


def _pay(delivery: OrderDelivery, order: OrderState) -> OrderState:
    """Have the store take the payment of an order that can be paid. `set_paid` does nothing for one to be paid on
    delivery: it gets its status and, as the store writes no note then that names the payment, our mark."""
    if not delivery.is_handed_out(order):
        return delivery.pay(set_paid=True)
    mark = delivery.meta | {HOLD: delivery.update.transaction_id}
    return delivery.pay(meta=mark, status=delivery.update.status or "completed")


def _is_recorded(delivery: OrderDelivery, order: OrderState, wrote: bool) -> bool:
    """Whether the store has taken this very payment; what staff did with the order since is their business."""
    if not delivery.shows(order):
        return False
    if order.is_paid and (delivery.holds(order) or (wrote and not order.paid_earlier)):
        return True
    return delivery.is_named_by_the_store


def authorized(delivery: OrderDelivery) -> Delivery:
    order = delivery.look()
    if delivery.is_handed_out(order) and delivery.bar(order) is None:
        delivery.note(delivery.update.note)
        return Delivery(True, f"the order is {order.status}, and is to be paid on delivery")
    if delivery.bar(order) is None and not delivery.holds(order):
        order = delivery.pay(status="on-hold")
    if order.is_paid and delivery.shows(order):
        return Delivery(True, "the order is paid already")
    if order.status != "on-hold" or not delivery.holds(order) or delivery.bar(order):
        return _stranded(delivery, order)
    delivery.write_meta(order)
    delivery.note(delivery.update.note)
    return Delivery(True, "the order is on hold")


def cancelled(delivery: OrderDelivery) -> Delivery:
    return _ended(delivery, "cancelled")


def failed(delivery: OrderDelivery) -> Delivery:
    return _ended(delivery, "failed")


def _ended(delivery: OrderDelivery, status: str) -> Delivery:
    """A failure concerns every order that waits for money, a cancellation only one that shows our payment."""
    order = delivery.look()
    if not delivery.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    is_ours = delivery.holds(order) or order.meta.get("_intent_id") == delivery.update.transaction_id
    waits = order.status == "pending" and (is_ours or status == "failed")
    if (waits or (order.status == "on-hold" and delivery.holds(order))) and not delivery.is_noted:
        order = delivery.write(delivery.meta if is_ours else {}, status=status)
    elif is_ours and not delivery.is_noted:
        order = delivery.write_meta(order)
    delivery.note(delivery.update.note)
    flag = ""
    if order.is_paid and delivery.shows(order) and order.payment_method in (delivery.options["payment_method"], ""):
        flag = f"Order {order.id} is {order.status}, but its payment {order.transaction_id} was {status}."
    return Delivery(True, f"the order is {order.status}", flag)


def noted(delivery: OrderDelivery) -> Delivery:
    if delivery.meta and delivery.concerns(order := delivery.look()):
        delivery.write_meta(order)
    delivery.note(delivery.update.note)
    return Delivery(True, "noted")


def _stranded(delivery: OrderDelivery, order: OrderState) -> Delivery:
    """The money is there, and the order is not one that we may fulfil with it."""
    is_twice = False
    if why := delivery.difference(order):
        pass
    elif order.is_paid and delivery.shows(order):
        is_twice = True
        why = "the order seems to be paid otherwise, by a payment whose transaction id this one has replaced"
    elif order.is_paid or is_paid_otherwise(order, {delivery.update.transaction_id}):
        is_twice = True
        why = f"the order is paid otherwise ({order.transaction_id or 'without a transaction id'})"
    else:
        why = f"the order is {order.status}"
    sentence = stray(delivery, why)
    delivery.note(sentence)
    return replace(delivery.flagged("not fulfilled", sentence), is_twice=is_twice)


def _take_back(delivery: OrderDelivery, order: OrderState) -> Delivery:
    """The store has taken our payment for an order that had changed in the meantime: put it on hold, once."""
    if not (order.is_paid or order.status == "on-hold"):
        return _stranded(delivery, order)
    why = delivery.difference(order) or f"{order.refunded} {order.currency} of the order were refunded before"
    sentence = stray(delivery, f"{why}; it was put on hold")
    if not delivery.is_noted:
        delivery.write({}, status="on-hold")
        delivery.note(sentence)
    return delivery.flagged("put on hold", sentence)


def stray(delivery: OrderDelivery, why: str) -> str:
    """The sentence about money that cannot fulfil its order."""
    update = delivery.update
    money = Money(update.amount, update.currency)
    return (
        f"A payment of {money} ({update.transaction_id}) {ARRIVALS[update.kind]}, but {why}. "
        "It was not fulfilled automatically: somebody has to decide."
    )
