"""A shop's state in memory, and what happens to its orders: status changes, payment, notes, refunds.

One id series for posts (products, images, orders, refunds) and one each for order lines, notes and meta rows,
as in WordPress' tables. Not thread-safe: whoever owns a Shop holds the lock.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from .catalog import GATEWAYS, WOOPAYMENTS, WOOPAYMENTS_GATEWAY, Customer, Gateway, Image, Plugin, Product, plugin
from .lists import ListShape
from .orders import STATUS_NAMES, ZERO, Note, Order, Refund, Row, rounded
from .rest_values import RestError
from .webhooks import REFUNDED, TRASHED, UNTRASHED, UPDATED, Webhooks

VERSION = "10.5.0"
FIRST_POST_ID = 10  # WordPress' and WooCommerce's own pages come first
FIRST_CUSTOMER_ID = 2  # user 1 is the shop's administrator
PAYABLE = ("pending", "failed", "checkout-draft")
"""`WC_Order::needs_payment`, with what DraftOrders appends to `woocommerce_valid_order_statuses_for_payment`."""
PAYABLE_LATE = (*PAYABLE, "on-hold", "cancelled")
"""`WC_Order::payment_complete`, with what DraftOrders appends to its list of statuses."""
SET_TO_REFUNDED = (
    "Order status set to refunded. To return funds to the customer you will need to issue a refund through your "
    "payment gateway."
)
AUTOMATIC_REFUNDS = "The payment gateway for this order does not support automatic refunds."


class Shop:
    def __init__(
        self,
        name: str,
        *,
        currency: str,
        price_decimals: int,
        plugins: Sequence[str],
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.name = name
        self.site_url = ""
        self.currency = currency
        self.price_decimals = price_decimals
        self.plugins: list[Plugin] = [plugin(file) for file in plugins]
        self.clock = clock
        self.products: dict[int, Product] = {}
        self.customers: dict[int, Customer] = {}
        self.orders: dict[int, Order] = {}
        self.gateway_refund_error: str | None = None
        self.list_shape = ListShape.LIST
        self.webhooks = Webhooks(clock, random)
        self._random = random
        self.next_post_id = itertools.count(FIRST_POST_ID).__next__
        self.next_customer_id = itertools.count(FIRST_CUSTOMER_ID).__next__
        self.next_item_id = itertools.count(1).__next__
        self.next_note_id = itertools.count(1).__next__
        self.next_meta_id = itertools.count(1).__next__

    @property
    def has_woopayments(self) -> bool:
        return any(plugin.file == WOOPAYMENTS for plugin in self.plugins)

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        return (*GATEWAYS, WOOPAYMENTS_GATEWAY) if self.has_woopayments else GATEWAYS

    def gateway(self, gateway_id: str) -> Gateway | None:
        return next((gateway for gateway in self.gateways if gateway.id == gateway_id), None)

    def decimals_of(self, order: Order) -> int:
        """How many places the order's amounts have."""
        return self.price_decimals if order.decimals is None else order.decimals

    def keep(self, order: Order) -> Order:
        """Set the order's sums from its lines and save it."""
        order.totals = order.sums(self.decimals_of(order))
        self.orders[order.id] = order
        return order

    def total(self, order: Order) -> Decimal:
        """The total as it is read: `set_total` rounds it once more, to what the store has now. Recorded: 27.50 that is
        stored reads as 28 while the store has no decimals, and as 27.50 when it has two again.
        """
        return rounded(order.totals["total"], self.decimals_of(order))

    def refundable(self, order: Order) -> Decimal:
        """Source: `WC_Order::get_remaining_refund_amount`."""
        return rounded(self.total(order) - order.sent_back, self.decimals_of(order))

    def needs_payment(self, order: Order) -> bool:
        return order.status in PAYABLE and self.total(order) > 0

    def paid_status(self, order: Order) -> str:
        """What an order becomes when it is paid. Cash on delivery is paid when the order is completed.

        Sources: `WC_Order::payment_complete`, `WC_Gateway_COD::change_payment_complete_order_status`.
        """
        return "processing" if order.needs_processing and order.payment_method != "cod" else "completed"

    def product_by_sku(self, sku: str) -> Product | None:
        return next((product for product in self.products.values() if product.sku == sku), None)

    def add_product(self, name: str, sku: str, price: Decimal, *, image: str | None = None, **kind: bool) -> Product:
        """`image` is a path below wp-content/uploads/; `kind` is virtual or downloadable."""
        picture = Image(self.next_post_id(), image, name) if image else None
        product = Product(self.next_post_id(), name, sku, price, self.clock(), image=picture, **kind)
        self.products[product.id] = product
        return product

    def add_customer(self, email: str, first_name: str = "", last_name: str = "", **addresses: Any) -> Customer:
        customer = Customer(self.next_customer_id(), email, first_name, last_name, self.clock(), **addresses)
        self.customers[customer.id] = customer
        return customer

    def new_order(self, **fields: Any) -> Order:
        """A pending order without lines. It belongs to the shop once it is in `orders`."""
        now = self.clock()
        key = "wc_order_" + "".join(self._random.choices(string.ascii_letters + string.digits, k=13))
        fields = {"currency": self.currency, **fields}
        return Order(id=self.next_post_id(), order_key=key, created=now, modified=now, **fields)

    def note(self, order: Order, text: str, *, customer_note: bool = False, author: str = "WooCommerce") -> Note:
        """Write a note. `wp_insert_comment` takes slashes off: a backslash that is not doubled is lost."""
        text = re.sub(r"\\(.?)", r"\1", text, flags=re.DOTALL)
        note = Note(self.next_note_id(), author, self.clock(), text, customer_note)
        order.notes.append(note)
        return note

    def set_status(self, order: Order, status: str, *, noted: bool = True) -> None:
        """Change the status with all that follows: dates, the note, and a refund for "refunded".

        The date of payment is set once, when the order becomes what it would be once it is paid or goes past that:
        `WC_Order::maybe_set_date_paid`. So cash on delivery has none while it is `processing`, nor has an order without
        anything to process (a fee alone); both are recorded.
        """
        before, order.status = order.status, status
        if before == status:
            return
        if order.paid is None and status in (self.paid_status(order), "completed"):
            order.paid = self.clock()
        if status == "completed":
            order.completed = self.clock()
        if status == "refunded" and (left := self.refundable(order)) > 0:
            self.refund(order, left, reason="Order fully refunded.")
            self.note(order, SET_TO_REFUNDED)  # wc_order_fully_refunded, before the note about the status
        if noted:
            was = STATUS_NAMES.get(before, before)
            self.note(order, f"Order status changed from {was} to {STATUS_NAMES.get(status, status)}.")

    def payment_complete(self, order: Order, transaction_id: str) -> None:
        """A payment has arrived: the order is paid, whoever says so."""
        if order.status not in PAYABLE_LATE:
            return
        order.transaction_id = transaction_id or order.transaction_id
        order.paid = order.paid or self.clock()
        told = order.payment_method_title and order.transaction_id
        note = f"Payment via {order.payment_method_title} ({order.transaction_id})." if told else "Payment complete."
        self.set_status(order, self.paid_status(order), noted=False)
        self.note(order, note)

    def refund(
        self,
        order: Order,
        amount: Decimal | None,
        *,
        reason: str = "",
        by_gateway: bool = False,
        line_items: Sequence[Row] = (),
    ) -> Refund:
        """Send money back, through the order's gateway or only on paper. Raises RestError."""
        refundable = self.refundable(order)
        if (amount or ZERO) > refundable:
            raise refund_refused("Invalid refund amount.")
        return self.put_refund(
            order, amount, (amount or ZERO) >= refundable, reason=reason, by_gateway=by_gateway, line_items=line_items
        )

    def put_refund(
        self,
        order: Order,
        amount: Decimal | None,
        whole: bool,
        *,
        reason: str = "",
        by_gateway: bool = False,
        line_items: Sequence[Row] = (),
    ) -> Refund:
        """A refund whose amount nobody checks. The amount keeps its decimals: recorded of 1.25 in a store of none."""
        if by_gateway:
            self._check_gateway(order)
        meta = {"id": self.next_meta_id(), "key": "_refund_type", "value": "full" if whole else "partial"}
        refund_id, now = self.next_post_id(), self.clock()
        refund = Refund(refund_id, order.id, now, amount, reason, by_gateway, [meta], list(line_items))
        order.refunds.append(refund)
        order.modified = self.clock()
        if whole:
            self.set_status(order, "refunded")
        for hook in (UPDATED, REFUNDED):
            self.webhooks.fired(hook, order.id)
        return refund

    def trash(self, order: Order) -> None:
        """Move an order to the trash: it can still be read, with the status "trash"."""
        order.before_trash, order.status, order.modified = order.status, "trash", self.clock()
        self.webhooks.fired(TRASHED, order.id)

    def restore(self, order: Order) -> None:
        """Bring an order back from the trash."""
        order.status, order.modified = order.before_trash or order.status, self.clock()
        self.webhooks.fired(UNTRASHED, order.id)

    def _check_gateway(self, order: Order) -> None:
        gateway = self.gateway(order.payment_method)
        if gateway is None:
            raise refund_refused("The payment gateway for this order does not exist.")
        if "refunds" not in gateway.supports:
            raise refund_refused(AUTOMATIC_REFUNDS)
        if self.gateway_refund_error is not None:
            raise refund_refused(self.gateway_refund_error)


def refund_refused(message: str) -> RestError:
    return RestError.bare("woocommerce_rest_cannot_create_order_refund", message, 500)
