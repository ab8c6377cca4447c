"""One delivery of one OrderUpdate: what it may ask the order, and how it writes and notes.

Notes carry a reference of the operation, so that a repeated delivery recognises what an earlier one has done.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from bridge.domain import judgement
from bridge.domain.judgement import Bar, Terms
from bridge.domain.orders import HOLD, Delivery, OrderUpdate, UpdateKind
from bridge.stores.woocommerce.orders import Orders, OrderState

ANOTHER_ORDER = "this is another order now"


def reference(operation_id: str) -> str:
    """What stands in every note of an operation, and tells that it is there already."""
    return f"[ref {sha256(operation_id.encode()).hexdigest()[:12]}]"


@dataclass(frozen=True)
class OrderDelivery:
    """One delivery of one update: `first` if it was never tried, `fresh` if moreover the order was just read.

    `options` are the store's.
    """

    orders: Orders
    update: OrderUpdate
    options: Mapping[str, str]
    first: bool
    fresh: bool

    def look(self) -> OrderState:
        return self.orders.look(self.update.order_id)

    def write(self, meta: Mapping[str, str] | None = None, **changes: Any) -> OrderState:
        """Write `changes`, with the update's meta unless there is other `meta`."""
        return self.orders.write(self.update.order_id, changes, self.meta if meta is None else meta)

    def pay(self, **changes: Any) -> OrderState:
        """Write `changes` with all that shows by what the order was paid."""
        return self.write(
            **changes,
            transaction_id=self.update.transaction_id,
            payment_method=self.options["payment_method"],
            payment_method_title=self.update.title or self.options["payment_method_title"],
        )

    @property
    def meta(self) -> dict[str, str]:
        """The order meta that the update brings, with our own mark of an authorisation."""
        meta = {key: str(value) for key, value in self.update.meta.items()}
        if self.update.kind is UpdateKind.AUTHORIZED:
            meta[HOLD] = self.update.transaction_id
        return meta

    def write_meta(self, order: OrderState, **more: str) -> OrderState:
        """Make sure that the order has the update's meta and `more`; the order after that."""
        meta = self.meta | more
        if all(order.meta.get(key) == value for key, value in meta.items()):
            return order
        return self.write(meta)

    def holds(self, order: OrderState) -> bool:
        return order.meta.get(HOLD) == self.update.transaction_id

    def shows(self, order: OrderState) -> bool:
        return order.transaction_id == self.update.transaction_id

    def concerns(self, order: OrderState) -> bool:
        """Whether it is the order that the payment was for: an id can come back with another one."""
        return order.key == self.update.order_key

    @property
    def terms(self) -> Terms:
        """The payment, as the judge of orders sees it."""
        return judgement.terms_of_update(self.update, rounds=self.options["rounding"] == "half_up")

    def bar(self, order: OrderState) -> Bar | None:
        """Why the order cannot take the payment as it stands."""
        return judgement.misfit(order, self.terms, held=self.update.kind is UpdateKind.AUTHORIZED)

    def is_handed_out(self, order: OrderState) -> bool:
        """Whether the payment was made at a card reader for an order that is to be paid on delivery: it has a status of
        its own by then."""
        return self.terms.in_person and judgement.is_handed_out_unpaid(order)

    def difference(self, order: OrderState) -> str:
        """What about the order is no longer as it was when the payment began."""
        found = judgement.difference(order, self.terms)
        if found is None:
            return ""
        if not self.concerns(order):
            return ANOTHER_ORDER
        less = f", of which {order.refunded} are refunded," if judgement.deduction(order) else ""
        return f"the order's total is {order.total} {order.currency}{less} now"

    def is_worth(self, sum_: Decimal, amount: int) -> bool:
        """Whether the provider's `amount` (minor units) is what the store means by `sum_` (major units)."""
        return judgement.is_worth(sum_, self.terms, amount)

    @cached_property
    def notes(self) -> list[str]:
        return self.orders.notes(self.update.order_id)

    @property
    def is_noted(self) -> bool:
        """Whether an earlier delivery has left its note. A first one does not look."""
        return not self.first and any(reference(self.update.operation_id) in note for note in self.notes)

    @property
    def is_named_by_the_store(self) -> bool:
        """Whether a note of the store's own names the transaction: "Payment via TITLE (TXN)."."""
        return any(self.update.transaction_id in note and "[ref " not in note for note in self.notes)

    def note(self, text: str) -> None:
        """Say it once. Staff read notes as HTML."""
        if text and not self.is_noted:
            self.orders.add_note(
                self.update.order_id, f"{html.escape(text, quote=False)} {reference(self.update.operation_id)}"
            )

    def flagged(self, detail: str, sentence: str) -> Delivery:
        """Done as far as we can do it: a person has to look."""
        return Delivery(True, detail, f"Order {self.update.order_id}: {sentence}")
