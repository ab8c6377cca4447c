"""The other direction: what staff did to an order in the shop. A shop's message is a hint; the order is read again.

An open authorisation is voided when its order was cancelled and captured when it was completed, as WooPayments does. A
refund that staff made moves money only where the store says so; otherwise a person is told. What the shop says about
our own writes asks for nothing, and so changes nothing.
"""

import hashlib
from decimal import Decimal

from bridge.domain.errors import CaptureFailed, InProgress, OrderNotFound, Refused
from bridge.domain.intents import PaymentIntent, Status
from bridge.domain.money import Money
from bridge.domain.orders import Order, StoreRefund
from bridge.domain.stores import Store
from bridge.payments import flags
from bridge.payments.captures import cancel_authorization, capture_authorization
from bridge.payments.refunds import refund
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import outbox
from bridge.storage import refunds as refund_rows


def order_changed(services: Services, store: Store, order_id: int) -> str | None:
    """Read an order and do what its state asks for; the id of its intent. Raises BridgeError to be asked again."""
    try:
        order = services.connections.order_book(store).read(order_id)
    except OrderNotFound:
        return _gone(services, store, order_id)
    with services.database.read() as connection:
        intent = rows.holding(connection, store.id, order.id, order.key)
    if intent is None:
        return None
    if intent.status is Status.REQUIRES_CAPTURE:
        _follow(services, store, order, intent)
    if intent.charge and intent.charge.captured:
        _require_told(services, store, order)
        for made in services.connections.order_book(store).refunds(order.id):
            _match(services, store, intent, made)
    return intent.id


def _require_told(services: Services, store: Store, order: Order) -> None:
    """Raises InProgress, to be asked again, while the shop has still to hear of something.

    It writes our refunds down a little before their ids: until it has answered, one of ours looks like staff's.
    """
    with services.database.read() as connection:
        if outbox.is_owed(connection, store.id, order.id):
            raise InProgress(f"The shop has still to hear of something about order {order.number}.")


def register(services: Services, store: Store, address: str) -> list[str]:
    """Have the shop tell us about its orders. `address` is the bridge's public one. Raises StoreError."""
    url = f"{address}/bridge/v1/webhooks/{store.id}"
    secret = services.vault.shop_secret(store.id)
    return services.connections.order_book(store).register_webhooks(url, secret)


def _follow(services: Services, store: Store, order: Order, intent: PaymentIntent) -> None:
    """An authorisation follows its order."""
    try:
        if order.status == "cancelled":
            cancel_authorization(services, store, order.id, intent.shown_id)
        elif order.status == "completed":
            capture_authorization(services, store, order.id, intent.shown_id)
        elif order.status == "trash":
            _flag(services, intent, f"{flags.HELD}Order {order.number} is in the trash, and has an authorised payment.")
    except (CaptureFailed, Refused) as error:
        _flag(services, intent, f"Order {order.number} is {order.status}, but: {error}")


def _gone(services: Services, store: Store, order_id: int) -> str | None:
    with services.database.read() as connection:
        held = [intent for intent in rows.of_order(connection, store.id, order_id) if intent.holding]
    for intent in held:
        about = flags.HELD if intent.status is Status.REQUIRES_CAPTURE else ""
        _flag(
            services, intent, f"{about}Order {intent.order_number} was deleted, and has the payment {intent.shown_id}."
        )
    return held[-1].id if held else None


def _match(services: Services, store: Store, intent: PaymentIntent, made: StoreRefund) -> None:
    """A refund in the shop that we did not write down: carry it out, or tell a person."""
    if made.refund_id or made.refunded_payment or not made.amount or Decimal(made.amount) <= 0:
        return
    known = hashlib.sha256(f"{store.id} {intent.id} {made.id}".encode()).hexdigest()[:32]
    with services.database.read() as connection:
        refunds = refund_rows.of_intent(connection, intent.id)
    if any(one.operation_id == known for one in refunds):
        return
    amount = Money.parse(made.amount, intent.currency, rounding=True).amount
    if store.options["store_refunds"] != "execute":
        _flag(
            services,
            intent,
            f"The shop has a refund of {Money(amount, intent.currency)} ({made.id}) for which no money was sent back.",
        )
        return
    try:
        refund(
            services,
            store,
            charge_id=intent.charge.id if intent.charge else None,
            amount=amount,
            reason=made.reason,
            origin=f"store:{made.id}",
            attempt_id=known,
        )
    except Refused as error:
        _flag(services, intent, f"The shop's refund {made.id} could not be carried out: {error}")


def _flag(services: Services, intent: PaymentIntent, why: str) -> None:
    with services.database.write() as connection:
        flags.put(connection, intent.id, why, services.clock())
