"""What a dispute does to an order: it waits on hold until the dispute is closed, and is refunded if that was lost.

Our mark on the order (DISPUTE) says that it was us who put it on hold, and which dispute is over: what staff did with
the order since stays, and news that come late or again change nothing.
"""

from bridge.domain.orders import Delivery
from bridge.stores.woocommerce.delivery_steps import ANOTHER_ORDER, OrderDelivery
from bridge.stores.woocommerce.refunds import book

DISPUTE = "_wcpay_bridge_dispute"
"""Order meta: the dispute for which we put the order on hold; with ` closed` behind it, the one that is over."""
BEFORE = "_wcpay_bridge_status_before_dispute"
"""Order meta: the status that the order had before that: it goes back there when the dispute is won."""
LOST = "Dispute lost."


def disputed(delivery: OrderDelivery) -> Delivery:
    """Only a paid order of ours is put on hold. A person is told in any case: the payer's bank wants an answer."""
    order = delivery.look()
    if not delivery.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    is_news = order.meta.get(DISPUTE) not in (_open(delivery), _closed(delivery))
    if is_news and order.is_paid and delivery.shows(order):
        order = delivery.write(delivery.meta | {DISPUTE: _open(delivery), BEFORE: order.status}, status="on-hold")
    delivery.note(delivery.update.note)
    sentence = f"its payment {delivery.update.transaction_id} is disputed, and somebody has to answer."
    return delivery.flagged(f"the order is {order.status}", sentence)


def won(delivery: OrderDelivery) -> Delivery:
    order = delivery.look()
    if not delivery.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    if order.status == "on-hold" and order.meta.get(DISPUTE) == _open(delivery):
        before = str(order.meta.get(BEFORE) or "completed")
        order = delivery.write(delivery.meta | {DISPUTE: _closed(delivery)}, status=before)
    else:
        order = delivery.write_meta(order, **{DISPUTE: _closed(delivery)})
    delivery.note(delivery.update.note)
    return Delivery(True, f"the order is {order.status}")


def lost(delivery: OrderDelivery) -> Delivery:
    """What was lost is a refund. WooCommerce itself makes an order of which nothing is left `refunded`."""
    order = delivery.look()
    if not delivery.concerns(order):
        return Delivery(True, ANOTHER_ORDER)
    gap = book(delivery, order, delivery.update.refund_reason or LOST)
    order = delivery.write_meta(order, **{DISPUTE: _closed(delivery)})
    if gap:
        return gap
    delivery.note(delivery.update.note)
    if order.refundable > 0:
        sentence = f"a dispute about a part of it was lost; it is {order.status}."
        return delivery.flagged(f"the order is {order.status}", sentence)
    return Delivery(True, f"the order is {order.status}")


def _open(delivery: OrderDelivery) -> str:
    """The dispute's id; where the update has none, the payment's: it has one dispute as a rule."""
    return delivery.update.refund_id or delivery.update.transaction_id


def _closed(delivery: OrderDelivery) -> str:
    return f"{_open(delivery)} closed"
