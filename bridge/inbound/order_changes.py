"""The other direction: what staff did to an order in the store. A store's message is a hint; the order is read again.

A payment follows its order: what waits for a buyer is closed, an authorization is voided or captured, as WooPayments
does. A refund that staff made moves money only where the store says so; otherwise an operator is told. What the store
says about our own writes does not ask for anything, and so changes nothing.
"""

import hashlib
from dataclasses import replace

from bridge.domain.actors import STAFF, Actor
from bridge.domain.card_data import without_card_data
from bridge.domain.errors import InProgress, OrderNotFound, Refused
from bridge.domain.intents import PaymentIntent, Status
from bridge.domain.money import Money
from bridge.domain.orders import Order, StoreRefund
from bridge.payments import flags
from bridge.payments.follow_order import follow_order
from bridge.payments.orders import made_by_staff, refunds_in_store
from bridge.payments.record import WAITING
from bridge.payments.refunds import refund
from bridge.services import StoreHandle
from bridge.storage import intents, jobs, outbox, refunds, sweeps


def apply_order_event(store: StoreHandle, order_id: int) -> str | None:
    """Read an order and do what its state asks for; the id of its intent. Raises BridgeError to be called again."""
    return order_read(store, order_id, _read(store, order_id))


def order_read(store: StoreHandle, order_id: int, order: Order | None) -> str | None:
    """The same for an order that was just read, None if the store does not have it. The store's messages and the sweep
    of paid orders act on it here."""
    with store.database.read() as connection:
        known = intents.of_order(connection, store.id, order_id)
    about = None
    for intent in known:
        is_another = order is not None and intent.order_key != order.key
        if not intent.holding or (is_another and intent.status is Status.SUCCEEDED):
            continue
        if order is None and intent.status in WAITING:  # once is not proof that it was deleted: the sweep looks twice
            _hurry(store, intent)
            about = about or intent.id
            continue
        after = follow_order(store, intent, order)
        if order is not None and not is_another:
            about = after.id
            _match_refunds(store, after, order)
        about = about or after.id
    return about


def _read(store: StoreHandle, order_id: int) -> Order | None:
    try:
        return store.order_book.read(order_id)
    except OrderNotFound:
        return None


def _hurry(store: StoreHandle, intent: PaymentIntent) -> None:
    with store.database.write() as connection:
        sweeps.swept(connection, [intent.id], 0.0)
        jobs.hurry_sweep(connection, store.id, store.clock())


def _match_refunds(store: StoreHandle, intent: PaymentIntent, order: Order) -> None:
    """Only once the store has received everything: it writes our refunds down a little before their ids, and until it
    has answered, one of ours looks like staff's."""
    has_refunds = order.refunded  # the order itself says whether it has any
    if intent.only_known or not (intent.charge and intent.charge.captured and has_refunds):
        return
    with store.database.read() as connection:
        if outbox.is_owed(connection, store.id, order.id):
            raise InProgress(f"The store has yet to receive an update about order {order.number}.")
    for made in made_by_staff(intent, refunds_in_store(store, order) or []):
        _match(store, intent, made)


def _match(store: StoreHandle, intent: PaymentIntent, made: StoreRefund) -> None:
    """A refund in the store that we did not write: carry it out, or tell an operator."""
    known = hashlib.sha256(f"{store.id} {intent.id} {made.id}".encode()).hexdigest()[:32]
    with store.database.read() as connection:
        known_refunds = refunds.of_intent(connection, intent.id)
    if any(one.operation_id == known for one in known_refunds):
        return
    amount = Money.parse(made.amount, intent.currency, rounding=True).amount
    if store.config.options["store_refunds"] != "execute":
        flags.flag(
            store,
            intent.id,
            f"The shop has a refund of {Money(amount, intent.currency)} ({made.id}) for which no money was sent back.",
            flags.put_once,
        )
        return
    staff = Actor(STAFF, store.id, f"the shop's refund {made.id}")
    try:
        refund(
            replace(store, actor=lambda: staff),
            charge_id=intent.charge.id if intent.charge else None,
            amount=amount,
            reason=without_card_data(made.reason),  # the shop keeps what its staff wrote; nobody else gets it
            origin=f"store:{made.id}",
            attempt_id=known,
        )
    except Refused as error:
        flags.flag(store, intent.id, f"The shop's refund {made.id} could not be carried out: {error}", flags.put_once)
