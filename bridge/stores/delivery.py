"""How an OrderUpdate reaches an order: once in effect, however often it is delivered.

WooCommerce has no conditional writes: between a look and the write that follows it, or during the first write, somebody
else may change the order. So a first PAID goes out without a look, right after the order was read as payable, and its
answer tells what became of it; everything else looks first and writes only from statuses that permit it. That
the store has taken *this* payment is proven by its date of payment, if that falls into our request (to the second), by
our own mark of an authorisation (HOLD), or by a note of the store's own that names the transaction ("Payment via TITLE
(TXN)."). Without proof a person is told: a second `set_paid` silently replaces the first one's transaction id.
"""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from bridge.domain.errors import OrderNotFound
from bridge.domain.money import Money, exponent, step
from bridge.domain.orders import Delivery, OrderUpdate, UpdateKind
from bridge.stores.orders import PAYABLE, Orders, OrderState

HOLD = "_wcpay_bridge_authorization"
"""Order meta: the transaction for whose authorisation we put the order on hold. Unlike `_intent_id` a PAID never
writes it, so it still says so after a set_paid that the store ignored."""


def reference(operation_id: str) -> str:
    """What stands in every note of an operation, and tells that it is there already."""
    return f"[ref {sha256(operation_id.encode()).hexdigest()[:12]}]"


@dataclass(frozen=True)
class Errand:
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

    def write(self, **changes: Any) -> OrderState:
        return self.orders.write(self.update.order_id, changes)

    def pay(self, **changes: Any) -> OrderState:
        """Write `changes` with all that shows by what the order was paid."""
        return self.write(
            **changes,
            transaction_id=self.update.transaction_id,
            payment_method=self.options["payment_method"],
            payment_method_title=self.options["payment_method_title"],
            meta_data=_rows(self.meta),
        )

    @property
    def meta(self) -> dict[str, str]:
        meta = {key: str(value) for key, value in self.update.meta.items()}
        if self.update.kind is UpdateKind.AUTHORIZED:
            meta[HOLD] = self.update.transaction_id
        return meta

    def write_meta(self, order: OrderState) -> None:
        """Make sure that the order has it."""
        if any(order.meta.get(key) != value for key, value in self.meta.items()):
            self.write(meta_data=_rows(self.meta))

    def holds(self, order: OrderState) -> bool:
        return order.meta.get(HOLD) == self.update.transaction_id

    def shows(self, order: OrderState) -> bool:
        return order.transaction_id == self.update.transaction_id

    def difference(self, order: OrderState) -> str:
        """What about the order is no longer as it was when the payment began."""
        if order.key != self.update.order_key:
            return "this is another order now"
        if order.currency != self.update.currency.upper() or not self._is_total(Decimal(order.total)):
            return f"the order's total is {order.total} {order.currency} now"
        return ""

    def _is_total(self, total: Decimal) -> bool:
        off = abs(total - Money(self.update.amount, self.update.currency).decimal)
        if self.options["rounding"] == "half_up":
            return 2 * off <= Decimal(step(self.update.currency)).scaleb(-exponent(self.update.currency))
        return off == 0

    @cached_property
    def notes(self) -> list[str]:
        return self.orders.notes(self.update.order_id)

    @property
    def is_noted(self) -> bool:
        """Whether an earlier delivery has left its note. A first one does not look."""
        return not self.first and any(reference(self.update.operation_id) in note for note in self.notes)

    def note(self, text: str) -> None:
        """Say it once. Staff read notes as HTML."""
        if text and not self.is_noted:
            self.orders.add_note(
                self.update.order_id, f"{html.escape(text, quote=False)} {reference(self.update.operation_id)}"
            )


def carry_out(errand: Errand) -> Delivery:
    """Raises StoreUnreachable or StoreRefused; then it is to be done again, and is no longer the first."""
    try:
        return RULES[errand.update.kind](errand)
    except OrderNotFound:
        has_money = errand.update.kind in ARRIVALS
        flag = _sentence(errand, "the order does not exist any more") if has_money else ""
        return Delivery(True, "the order is gone", flag)


def _paid(errand: Errand) -> Delivery:
    order = errand.pay(set_paid=True) if errand.fresh else errand.look()
    wrote = errand.fresh
    was_paid = errand.shows(order) and order.paid_at is not None
    if not wrote and order.status in PAYABLE and not was_paid and not errand.difference(order):
        order, wrote = errand.pay(set_paid=True), True
    if order.status == "on-hold" and errand.holds(order) and not errand.difference(order) and not errand.is_noted:
        order = errand.pay(status="processing")
    if not _is_recorded(errand, order, wrote):
        return _stranded(errand, order)
    if errand.difference(order):
        return _take_back(errand, order)
    if errand.holds(order):
        errand.note(errand.update.note)
    errand.write_meta(order)
    return Delivery(True, f"the order is {order.status}")


def _is_recorded(errand: Errand, order: OrderState, wrote: bool) -> bool:
    """Whether the store has taken this very payment; what staff did with the order since is their business."""
    if not errand.shows(order):
        return False
    if order.is_paid and (errand.holds(order) or (wrote and not order.paid_earlier)):
        return True
    return any(errand.update.transaction_id in note and "[ref " not in note for note in errand.notes)


def _authorized(errand: Errand) -> Delivery:
    order = errand.look()
    if order.status in PAYABLE and not errand.holds(order) and not errand.difference(order):
        order = errand.pay(status="on-hold")
    if order.is_paid and errand.shows(order):
        return Delivery(True, "the order is paid already")
    if order.status != "on-hold" or not errand.holds(order) or errand.difference(order):
        return _stranded(errand, order)
    errand.write_meta(order)
    errand.note(errand.update.note)
    return Delivery(True, "the order is on hold")


def _cancelled(errand: Errand) -> Delivery:
    return _ended(errand, "cancelled")


def _failed(errand: Errand) -> Delivery:
    return _ended(errand, "failed")


def _ended(errand: Errand, status: str) -> Delivery:
    """A failure concerns every order that waits for money, a cancellation only one that shows our payment."""
    order = errand.look()
    if order.key != errand.update.order_key:
        return Delivery(True, "this is another order now")
    is_ours = errand.holds(order) or order.meta.get("_intent_id") == errand.update.transaction_id
    waits = order.status == "pending" and (is_ours or status == "failed")
    if (waits or (order.status == "on-hold" and errand.holds(order))) and not errand.is_noted:
        order = errand.write(status=status, meta_data=_rows(errand.meta))
    errand.note(errand.update.note)
    flag = ""
    if order.is_paid and errand.shows(order):
        flag = f"Order {order.id} is {order.status}, but its payment {order.transaction_id} was {status}."
    return Delivery(True, f"the order is {order.status}", flag)


def _noted(errand: Errand) -> Delivery:
    errand.note(errand.update.note)
    return Delivery(True, "noted")


RULES: Mapping[UpdateKind, Callable[[Errand], Delivery]] = {
    UpdateKind.PAID: _paid,
    UpdateKind.AUTHORIZED: _authorized,
    UpdateKind.CANCELLED: _cancelled,
    UpdateKind.FAILED: _failed,
    UpdateKind.STARTED: _noted,
    UpdateKind.NOTE: _noted,
}
ARRIVALS = {UpdateKind.PAID: "has arrived", UpdateKind.AUTHORIZED: "was authorized"}


def _stranded(errand: Errand, order: OrderState) -> Delivery:
    """The money is there, and the order is not one that we may fulfil with it."""
    if why := errand.difference(order):
        pass
    elif order.is_paid and errand.shows(order):
        why = "the order seems to be paid otherwise, by a payment whose transaction id this one has replaced"
    elif order.is_paid:
        why = f"the order is paid otherwise ({order.transaction_id or 'without a transaction id'})"
    else:
        why = f"the order is {order.status}"
    sentence = _sentence(errand, why)
    errand.note(sentence)
    return Delivery(True, "not fulfilled", f"Order {order.id}: {sentence}")


def _take_back(errand: Errand, order: OrderState) -> Delivery:
    """The store has taken our payment for an order that had changed in the meantime: put it on hold, once."""
    if not (order.is_paid or order.status == "on-hold"):
        return _stranded(errand, order)
    sentence = _sentence(errand, f"{errand.difference(order)}; it was put on hold")
    if not errand.is_noted:
        errand.write(status="on-hold")
        errand.note(sentence)
    return Delivery(True, "put on hold", f"Order {order.id}: {sentence}")


def _sentence(errand: Errand, why: str) -> str:
    update = errand.update
    money = Money(update.amount, update.currency)
    return (
        f"A payment of {money} ({update.transaction_id}) {ARRIVALS[update.kind]}, but {why}. "
        "It was not fulfilled by itself: somebody has to decide."
    )


def _rows(meta: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in meta.items()]
