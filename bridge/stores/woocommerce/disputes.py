"""What a dispute does to an order: it waits on hold until the dispute is closed, and is refunded if that was lost.

Our mark on the order (DISPUTE) says that it was us who put it on hold, and which dispute is over: what staff did with
the order since stays, and news that come late or again change nothing.
"""

from bridge.domain.orders import Delivery
from bridge.stores.woocommerce.order_delivery import ANOTHER_ORDER, Errand
from bridge.stores.woocommerce.refunds import book

DISPUTE = "_wcpay_bridge_dispute"
"""Order meta: the dispute for which we put the order on hold; with ` closed` behind it, the one that is over."""
BEFORE = "_wcpay_bridge_status_before_dispute"
"""Order meta: the status that the order had before that: it goes back there when the dispute is won."""
LOST = "Dispute lost."


def disputed(errand: Errand) -> Delivery:
    """Only a paid order of ours is put on hold. A person is told in any case: the payer's bank wants an answer."""
    order = errand.look()
    if not errand.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    is_news = order.meta.get(DISPUTE) not in (_open(errand), _closed(errand))
    if is_news and order.is_paid and errand.shows(order):
        order = errand.write(errand.meta | {DISPUTE: _open(errand), BEFORE: order.status}, status="on-hold")
    errand.note(errand.update.note)
    sentence = f"its payment {errand.update.transaction_id} is disputed, and somebody has to answer."
    return errand.flagged(f"the order is {order.status}", sentence)


def won(errand: Errand) -> Delivery:
    order = errand.look()
    if not errand.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    if order.status == "on-hold" and order.meta.get(DISPUTE) == _open(errand):
        before = str(order.meta.get(BEFORE) or "completed")
        order = errand.write(errand.meta | {DISPUTE: _closed(errand)}, status=before)
    else:
        order = errand.write_meta(order, **{DISPUTE: _closed(errand)})
    errand.note(errand.update.note)
    return Delivery(True, f"the order is {order.status}")


def lost(errand: Errand) -> Delivery:
    """What was lost is a refund. WooCommerce itself makes an order of which nothing is left `refunded`."""
    order = errand.look()
    if not errand.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    gap = book(errand, order, errand.update.refund_reason or LOST)
    order = errand.write_meta(order, **{DISPUTE: _closed(errand)})
    if gap:
        return gap
    errand.note(errand.update.note)
    if order.refundable > 0:
        sentence = f"a dispute about a part of it was lost; it is {order.status}."
        return errand.flagged(f"the order is {order.status}", sentence)
    return Delivery(True, f"the order is {order.status}")


def _open(errand: Errand) -> str:
    """The dispute's id; where the update has none, the payment's: it has one dispute as a rule."""
    return errand.update.refund_id or errand.update.transaction_id


def _closed(errand: Errand) -> str:
    return f"{_open(errand)} closed"
