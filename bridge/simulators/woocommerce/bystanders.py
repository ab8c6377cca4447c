"""What changes orders beside the API and the staff: another gateway's plugin, and the store's own clock."""

from __future__ import annotations

import threading

from .orders import STATUS_NAMES
from .state import PAYABLE_LATE, Shop
from .webhooks import UPDATED


class Bystanders:
    """Hands for both, on a simulated store that keeps its state in these attributes. Thread-safe."""

    _shop: Shop
    _changed: threading.Condition

    def pay_by_gateway(self, order_id: int, method: str, title: str, transaction_id: str) -> bool:
        """Another gateway's plugin has taken money for an order; whether the order stands as paid by that now. One that
        is past paying stays as it is. Source: `WC_Order::payment_complete`."""
        with self._changed:
            order = self._shop.orders[order_id]
            takes_it = order.status in PAYABLE_LATE
            if takes_it:
                order.payment_method, order.payment_method_title = method, title
                self._shop.payment_complete(order, transaction_id)
                order.modified = self._shop.clock()
                self._shop.webhooks.fired(UPDATED, order_id)
                self._changed.notify_all()
            return takes_it

    def expire_unpaid(self, order_id: int) -> bool:
        """The time for which stock is held is over: whether that cancelled the order, as it does what still waits to be
        paid and was made at the checkout. Source: `wc_cancel_unpaid_orders`, WooCommerce's own note included."""
        with self._changed:
            order = self._shop.orders[order_id]
            if order.status != "pending" or order.created_via != "checkout":
                return False
            self._shop.set_status(order, "cancelled", noted=False)
            was, now = STATUS_NAMES["pending"], STATUS_NAMES["cancelled"]
            change = f"Order status changed from {was} to {now}."
            self._shop.note(order, f"Unpaid order cancelled - time limit reached. {change}")
            order.modified = self._shop.clock()
            self._shop.webhooks.fired(UPDATED, order_id)
            self._changed.notify_all()
            return True
