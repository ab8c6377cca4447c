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
from bridge.stores.woocommerce.order_delivery import ANOTHER_ORDER, Errand
from bridge.stores.woocommerce.orders import OrderState

ARRIVALS = {UpdateKind.PAID: "has arrived", UpdateKind.AUTHORIZED: "was authorized"}


def paid(errand: Errand) -> Delivery:
    seen = None if errand.fresh else errand.look()
    order = errand.pay(set_paid=True) if seen is None else seen
    wrote = seen is None
    was_paid = errand.shows(order) and order.paid_at is not None
    if not wrote and not was_paid and errand.bar(order) is None and not errand.holds(order):
        order, wrote = _pay(errand, order), True
    if order.status == "on-hold" and errand.holds(order) and not errand.difference(order) and not errand.is_noted:
        order = errand.pay(status=errand.update.status or "processing")
    if not _is_recorded(errand, order, wrote):
        return _stranded(errand, order)
    # a refund that is there after our own write, and was not before it, was made of an order that nobody had paid
    lowered = wrote and order.refunded != (seen.refunded if seen else 0)
    if lowered or errand.difference(order):
        return _take_back(errand, order)
    if errand.update.status and order.status == "processing" and not errand.is_noted:
        order = errand.write(status=errand.update.status)
    if errand.holds(order) or errand.update.status:
        errand.note(errand.update.note)
    errand.write_meta(order)
    return Delivery(True, f"the order is {order.status}")


def _pay(errand: Errand, order: OrderState) -> OrderState:
    """Have the store take the payment of an order that can be paid. `set_paid` does nothing for one to be paid on
    delivery: it gets its status and, as the store writes no note then that names the payment, our mark."""
    if not errand.is_handed_out(order):
        return errand.pay(set_paid=True)
    mark = errand.meta | {HOLD: errand.update.transaction_id}
    return errand.pay(meta=mark, status=errand.update.status or "completed")


def _is_recorded(errand: Errand, order: OrderState, wrote: bool) -> bool:
    """Whether the store has taken this very payment; what staff did with the order since is their business."""
    if not errand.shows(order):
        return False
    if order.is_paid and (errand.holds(order) or (wrote and not order.paid_earlier)):
        return True
    return errand.is_named_by_the_store


def authorized(errand: Errand) -> Delivery:
    order = errand.look()
    if errand.is_handed_out(order) and errand.bar(order) is None:
        errand.note(errand.update.note)
        return Delivery(True, f"the order is {order.status}, and is to be paid on delivery")
    if errand.bar(order) is None and not errand.holds(order):
        order = errand.pay(status="on-hold")
    if order.is_paid and errand.shows(order):
        return Delivery(True, "the order is paid already")
    if order.status != "on-hold" or not errand.holds(order) or errand.bar(order):
        return _stranded(errand, order)
    errand.write_meta(order)
    errand.note(errand.update.note)
    return Delivery(True, "the order is on hold")


def cancelled(errand: Errand) -> Delivery:
    return _ended(errand, "cancelled")


def failed(errand: Errand) -> Delivery:
    return _ended(errand, "failed")


def _ended(errand: Errand, status: str) -> Delivery:
    """A failure concerns every order that waits for money, a cancellation only one that shows our payment."""
    order = errand.look()
    if not errand.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    is_ours = errand.holds(order) or order.meta.get("_intent_id") == errand.update.transaction_id
    waits = order.status == "pending" and (is_ours or status == "failed")
    if (waits or (order.status == "on-hold" and errand.holds(order))) and not errand.is_noted:
        order = errand.write(errand.meta if is_ours else {}, status=status)
    elif is_ours and not errand.is_noted:
        order = errand.write_meta(order)
    errand.note(errand.update.note)
    flag = ""
    if order.is_paid and errand.shows(order) and order.payment_method in (errand.options["payment_method"], ""):
        flag = f"Order {order.id} is {order.status}, but its payment {order.transaction_id} was {status}."
    return Delivery(True, f"the order is {order.status}", flag)


def noted(errand: Errand) -> Delivery:
    if errand.meta and errand.concerns(order := errand.look()):
        errand.write_meta(order)
    errand.note(errand.update.note)
    return Delivery(True, "noted")


def _stranded(errand: Errand, order: OrderState) -> Delivery:
    """The money is there, and the order is not one that we may fulfil with it."""
    is_twice = False
    if why := errand.difference(order):
        pass
    elif order.is_paid and errand.shows(order):
        is_twice = True
        why = "the order seems to be paid otherwise, by a payment whose transaction id this one has replaced"
    elif order.is_paid or is_paid_otherwise(order, {errand.update.transaction_id}):
        is_twice = True
        why = f"the order is paid otherwise ({order.transaction_id or 'without a transaction id'})"
    else:
        why = f"the order is {order.status}"
    sentence = stray(errand, why)
    errand.note(sentence)
    return replace(errand.flagged("not fulfilled", sentence), is_twice=is_twice)


def _take_back(errand: Errand, order: OrderState) -> Delivery:
    """The store has taken our payment for an order that had changed in the meantime: put it on hold, once."""
    if not (order.is_paid or order.status == "on-hold"):
        return _stranded(errand, order)
    why = errand.difference(order) or f"{order.refunded} {order.currency} of the order were refunded before"
    sentence = stray(errand, f"{why}; it was put on hold")
    if not errand.is_noted:
        errand.write({}, status="on-hold")
        errand.note(sentence)
    return errand.flagged("put on hold", sentence)


def stray(errand: Errand, why: str) -> str:
    """The sentence about money that cannot fulfil its order."""
    update = errand.update
    money = Money(update.amount, update.currency)
    return (
        f"A payment of {money} ({update.transaction_id}) {ARRIVALS[update.kind]}, but {why}. "
        "It was not fulfilled by itself: somebody has to decide."
    )
