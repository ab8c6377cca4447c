"""A payment that somebody else made and that is only known (rule 13): nobody here acts on it. If its order is still
unpaid some minutes after it has taken money, its maker may have failed to tell the store, and a person is told."""

from bridge.domain import logs
from bridge.domain.errors import OrderNotFound, Refused
from bridge.domain.intents import FINAL, PaymentIntent
from bridge.domain.judgement import is_unpaid_beside
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.outcomes import Outcome
from bridge.payments import flags
from bridge.payments.poll_schedule import MAX_POLL_SECONDS
from bridge.services import Services, StoreHandle
from bridge.storage import intents

log = logs.logger(__name__)

UNPAID_FLAG_SECONDS = 600.0
"""Seconds after which the store should show that its order is paid."""


def require_made_here(intent: PaymentIntent) -> None:
    """Rule 13: what is only known is its maker's to capture, void and refund. Raises Refused."""
    if intent.only_known:
        told = f"The payment {intent.shown_id} was not made here: whoever has made it can capture, void or refund it."
        raise Refused(told, reason="payment_of_others", payment_intent=intent.shown_id, provider=intent.adapter)


def first_watch(outcome: Outcome, now: float) -> float:
    """When the order is looked at (Unix seconds)."""
    return max((outcome.charge.created if outcome.charge else now) + UNPAID_FLAG_SECONDS, now)


def watch_order(store: StoreHandle, intent: PaymentIntent) -> None:
    """Read the order of a payment that was just looked at, and say when to look again. Raises StoreError."""
    order: Order | None
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:
        order = None
    watch(store, intent, order)
    again = None if intent.status in FINAL else store.clock() + MAX_POLL_SECONDS
    with store.database.write() as connection:
        intents.change(connection, intent.id, look_at=again)


def watch(services: Services, intent: PaymentIntent, order: Order | None) -> PaymentIntent:
    """Flag it, or take the flag away, as its order was just read. `order` is None if the store has it no more."""
    now = services.clock()
    is_same = order is not None and order.key == intent.order_key
    if order is None or not is_same or not intent.has_or_holds_money or not is_unpaid_beside(order):
        with services.database.write() as connection:
            flags.clear_order_flag(connection, intent.id, "its order is not unpaid beside it", now)
            return intents.get(connection, intent.id)
    begun = intent.charge.created if intent.charge else intent.created
    if now - begun < UNPAID_FLAG_SECONDS:
        return intent
    money = Money(intent.amount, intent.currency)
    told = f"Order {order.number} is {order.status}, and has a payment of {money} that was not made here"
    with services.database.write() as connection:
        why = f"{flags.ORDER_FLAG}{told} ({intent.shown_id})."
        flags.put_unless_graver(connection, intent.id, why, now)
        return intents.get(connection, intent.id)
