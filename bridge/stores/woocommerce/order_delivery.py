"""Who writes what to an order of the store: the rule of every kind of update.

WooCommerce has no conditional writes: between a look and the write that follows it, or during the first write, somebody
else may change the order. So every kind has its rule, which writes only from statuses that permit it, knows its own
traces (notes, meta, refunds), and tells a person where it cannot tell by itself.
"""

from collections.abc import Callable, Mapping

from bridge.domain.errors import OrderNotFound
from bridge.domain.orders import Delivery, UpdateKind
from bridge.stores.woocommerce import disputes, payments, refunds
from bridge.stores.woocommerce.delivery_steps import OrderDelivery

RULES: Mapping[UpdateKind, Callable[[OrderDelivery], Delivery]] = {
    UpdateKind.PAID: payments.paid,
    UpdateKind.AUTHORIZED: payments.authorized,
    UpdateKind.CANCELLED: payments.cancelled,
    UpdateKind.FAILED: payments.failed,
    UpdateKind.STARTED: payments.noted,
    UpdateKind.NOTE: payments.noted,
    UpdateKind.REFUNDED: refunds.refunded,
    UpdateKind.REFUND_FAILED: refunds.refund_failed,
    UpdateKind.DISPUTED: disputes.disputed,
    UpdateKind.DISPUTE_WON: disputes.won,
    UpdateKind.DISPUTE_LOST: disputes.lost,
}


def deliver(delivery: OrderDelivery) -> Delivery:
    """Apply the update once in effect, however often it is delivered.

    Raises StoreUnreachable or StoreRefused; then it is to be done again, and is no longer the first.
    """
    try:
        return RULES[delivery.update.kind](delivery)
    except OrderNotFound:
        has_money = delivery.update.kind in payments.ARRIVALS
        flag = payments.stray(delivery, "the order does not exist any more") if has_money else ""
        return Delivery(True, "the order is gone", flag)
