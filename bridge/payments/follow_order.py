"""A payment follows its order: given the order as it was just read, act on its payment.

What waits for a buyer is closed as soon as its order can no longer be paid by it. Money that is authorized is voided
for a cancelled order and captured for a completed one; every other end or change of the order is flagged at once, and
such a flag goes when the order is put right. Store events, the sweep and reconciliation ask here; the buyer's page asks
`require_payable_by`.
"""

from bridge.domain import logs
from bridge.domain.errors import CaptureFailed, InProgress, OrderNotFound, Refused
from bridge.domain.intents import JournalKind, PaymentIntent, Status
from bridge.domain.judgement import (
    PAID,
    UNCAPTURED,
    Bar,
    Terms,
    is_paid_by,
    misfit,
    misfit_of_hold,
    misfit_of_paid,
)
from bridge.domain.orders import HOLD, Order
from bridge.domain.stores import Store
from bridge.payments import flags, order_updates
from bridge.payments.captures import capture, void
from bridge.payments.close_checkout import close_payment, reopen_payment, try_to_close
from bridge.payments.orders import not_payable, terms
from bridge.payments.record import WAITING, IntentWriter
from bridge.payments.takeover import watch
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, intents, journal, outbox, refunds, stores

log = logs.logger(__name__)

ORDER_GONE = Bar("order_gone", "is not in the store any more")
NOT_NAMED = "No note of the store's own names {name}: it may have replaced another payment of order {order}."


def follow_order(store: StoreHandle, intent: PaymentIntent, order: Order | None) -> PaymentIntent:
    """How the payment stands after it has followed its order, which is None if the store no longer has it.

    Raises InProgress, to be asked again, while another request about the payment or the order is not resolved, and
    OutcomeUnknown.
    """
    if intent.status is Status.CANCELED:
        return intent
    if intent.only_known:
        return watch(store, intent, order)
    with store.database.read() as connection:
        agreed = terms(connection, store.config, intent)
    if intent.status is Status.SUCCEEDED:
        return _follow_paid(store, intent, agreed, order)
    if intent.unknown and intent.status is not Status.REQUIRES_CAPTURE:
        if order is None or misfit(order, agreed):
            raise InProgress(f"The outcome of {intent.shown_id} is not known yet; its order can no longer take it.")
        return intent
    if intent.status in WAITING:
        found = ORDER_GONE if order is None else misfit(order, agreed)
        if found:
            return close_payment(store, intent, found)
        return reopen_payment(store, intent) if intent.closed else intent
    return _follow_hold(store, intent, agreed, order)


def require_payable_by(store: StoreHandle, intent: PaymentIntent) -> Order:
    """The order as it is right now, if its buyer may pay it by this payment; a payment that does not fit is closed.

    Raises OrderNotPayable, StoreError.
    """
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:  # once is not proof that it was deleted: the sweep looks twice before it closes
        raise not_payable(intent.order_number, ORDER_GONE) from None
    with store.database.write() as connection:
        agreed = terms(connection, store.config, intent)
        intents.change(connection, intent.id, order_seen=store.clock())
    if found := misfit(order, agreed):
        try_to_close(store, intent, found)
        raise not_payable(intent.order_number, found)
    if intent.closed:
        reopen_payment(store, intent)
    return order


def notify_again(services: Services, intent: PaymentIntent) -> None:
    """The store does not show money that it should, and its order can take it: update it again, after another look."""
    words = order_updates.AUTHORIZED
    if intent.status is Status.SUCCEEDED:
        words = order_updates.CAPTURED if intent.capture == "manual" else order_updates.CHARGED
    now = services.clock()
    with services.database.write() as connection:
        locked = intents.get(connection, intent.id, lock=True)
        charge = locked.charge
        part = charge.amount_captured if charge and words is order_updates.CAPTURED else None
        writer = IntentWriter(services, connection, locked, now)
        writer.notify_store(words, part)
        writer.log(JournalKind.OWED_AGAIN, None, what=words[0])
    services.wake()


def is_sent_back(connection: Connection, intent: PaymentIntent) -> bool:
    """Whether nothing is left of what was captured."""
    charge = intent.charge
    return charge is not None and charge.captured and refunds.left(connection, intent.store_id, charge.id) == 0


def hold_trouble(store: Store, order: Order | None, agreed: Terms) -> Bar | None:
    """What an operator has to know about the order of money that is authorized or under way."""
    return ORDER_GONE if order is None else misfit_of_hold(order, agreed, (store.options["payment_method"],))


def _follow_hold(store: StoreHandle, intent: PaymentIntent, agreed: Terms, order: Order | None) -> PaymentIntent:
    found = hold_trouble(store.config, order, agreed)
    is_held = intent.status is Status.REQUIRES_CAPTURE
    try:
        if found and order and is_held and found.reason == "order_cancelled":
            return void(store, intent)
        if found and order and is_held and found.reason == UNCAPTURED and order.status == "completed":
            return capture(store, order, intent)
    except (CaptureFailed, Refused) as error:
        told = f"Order {intent.order_number} {found.words if found else ''}, but: {error}"
        flags.flag(store, intent.id, f"{flags.AUTHORIZED_FLAG}{told}", flags.put_unless_graver)
        return intent
    with store.database.read() as connection:
        is_owed = outbox.is_owed(connection, store.id, intent.order_id)
    if found is None:
        _settle(store, intent, f"order {intent.order_number} fits its payment again")
    elif not (
        found.reason in ("order_failed", "order_on_hold") and is_owed
    ):  # it was so before it heard of the payment
        told = f"Order {intent.order_number} {found.words}; its payment {intent.shown_id} is {intent.status.value}."
        flags.flag(store, intent.id, f"{flags.AUTHORIZED_FLAG}{told}", flags.put_unless_graver)
    return intent


def _follow_paid(store: StoreHandle, intent: PaymentIntent, agreed: Terms, order: Order | None) -> PaymentIntent:
    if order is None:
        flags.flag(store, intent.id, told_of_paid(intent, ORDER_GONE), flags.put_unless_cleared)
        return intent
    with store.database.read() as connection:
        if outbox.is_owed(connection, store.id, order.id):
            raise InProgress(f"The store has yet to receive an update about order {order.number}.")
        is_back = is_sent_back(connection, intent)
    taken = intent.charge.amount_captured if intent.charge else intent.amount
    shows_it = is_paid_by(order, {intent.shown_id})
    if found := misfit_of_paid(order, agreed, taken):
        flags.flag(store, intent.id, told_of_paid(intent, found), flags.put_unless_cleared)
    elif shows_it and not is_back:
        _settle(store, intent, f"order {order.number} is {order.status}, and shows its payment")
    elif is_back and order.status in ("refunded", "cancelled", "trash"):
        _settle(store, intent, f"its money was sent back, and order {order.number} is {order.status}")
    elif not is_back and misfit(order, agreed) is None and _may_be_owed_again(store, intent):
        notify_again(store, intent)
    if shows_it:
        check_notes(store, intent, order)
    return intent


def told_of_paid(intent: PaymentIntent, found: Bar) -> str:
    """What an operator is told of the order of money that was taken, whoever finds it: the flag."""
    kind = flags.PAID_TWICE_FLAG if found.reason == PAID else flags.ORDER_FLAG
    return f"{kind}Order {intent.order_number} {found.words}; it was paid by {intent.shown_id}, too."


def _may_be_owed_again(services: Services, intent: PaymentIntent) -> bool:
    """Once for each time that the order could not take it: staff have put it right since. A store that ignores what it
    is told would be told forever."""
    if not intent.flag.startswith(flags.ORDER_FLAG):
        return False
    with services.database.read() as connection:
        kinds = [line["kind"] for line in journal.read(connection, intent.id)]
    return JournalKind.OWED_AGAIN not in kinds[max(i for i, kind in enumerate(kinds) if kind == JournalKind.FLAGGED) :]


def check_notes(store: StoreHandle, intent: PaymentIntent, order: Order) -> None:
    """A first write that meets another payment replaces its transaction id without a trace but the store's own notes
    (`Payment via TITLE (TXN).`): they are read once for a payment. One that was held has a mark of ours instead."""
    if intent.notes_read:
        return
    if order.meta.get(HOLD) == intent.shown_id:
        named = None
    else:
        notes = store.order_book.notes(order.id)
        named = any(intent.shown_id in note.text for note in notes if not note.ours)
    with store.database.write() as connection:
        intents.change(connection, intent.id, notes_read=True)
        if named and not stores.names_payments(connection, store.id):
            stores.change(connection, store.id, names_payments=True)
        elif named is False and stores.names_payments(connection, store.id):
            why = NOT_NAMED.format(name=intent.shown_id, order=order.number)
            flags.put_unless_graver(connection, intent.id, why, store.clock())


def _settle(services: Services, intent: PaymentIntent, why: str) -> None:
    if intent.flag.startswith((flags.AUTHORIZED_FLAG, flags.ORDER_FLAG)):
        with services.database.write() as connection:
            flags.clear_order_flag(connection, intent.id, why, services.clock())
