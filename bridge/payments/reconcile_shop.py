"""The bridge against the shop: what the shop should show of a payment and does not, it is owed again."""

from decimal import Decimal

from bridge.domain.errors import OrderNotFound, StoreError
from bridge.domain.intents import MONEY, PaymentIntent, RefundStatus, Status
from bridge.domain.money import Money
from bridge.domain.orders import PAID_STATUSES, Order
from bridge.domain.stores import Store
from bridge.payments import updates
from bridge.payments.findings import Report, flag
from bridge.payments.reconcile_provider import changed
from bridge.payments.record import Scribe
from bridge.payments.services import Services
from bridge.storage import comparing, outbox
from bridge.storage import intents as rows
from bridge.storage import refunds as refund_rows


def compare(services: Services, store: Store, report: Report) -> None:
    """Read the order of every payment that has, or had, money and was changed since then. Raises Ending."""
    for intent in changed(services, store, report.since):
        if intent.holding and intent.charge and intent.status in MONEY:
            try:
                _compare_one(services, store, intent, report)
            except StoreError as error:
                report.problems.append(f"Order {intent.order_number} could not be read. {error}")


def _compare_one(services: Services, store: Store, intent: PaymentIntent, report: Report) -> None:
    report.orders += 1
    with services.database.read() as connection:
        owed = outbox.is_owed(connection, store.id, intent.order_id)
        dead = outbox.dead_of_order(connection, store.id, intent.order_id)
    if owed:
        return  # the shop will hear of it; what it shows meanwhile says nothing
    if dead:
        with services.database.write() as connection:
            for letter in dead:
                outbox.retry(connection, services.clock(), letter)
        services.wake()
        report.found("undelivered", intent, f"the shop was never told ({len(dead)} dead letters)", healed=True)
        return
    try:
        order = services.connections.order_book(store).read(intent.order_id)
    except OrderNotFound:
        _for_a_person(services, intent, report, "order", "The order is not in the shop any more, and has a payment.")
        return
    if order.key != intent.order_key:
        _for_a_person(services, intent, report, "order", "The shop has another order under this number.")
    elif order.needs_payment and order.transaction_id == intent.shown_id:
        why = f"The shop shows the order as {order.status}, although it shows the payment {intent.shown_id}, too."
        _for_a_person(services, intent, report, "unpaid", why)
    elif order.needs_payment:
        _owe_payment(services, intent)
        report.found("unpaid", intent, f"the shop shows the order as {order.status}, and money is held", healed=True)
    elif _is_paid_otherwise(order, intent):
        why = f"The order shows the payment {order.transaction_id}, and the bridge has {intent.shown_id} for it, too."
        _for_a_person(services, intent, report, "duplicate", why)
    elif intent.status is Status.SUCCEEDED:
        _compare_refunds(services, store, intent, report)


def _is_paid_otherwise(order: Order, intent: PaymentIntent) -> bool:
    return order.status in PAID_STATUSES and order.transaction_id not in ("", intent.shown_id)


def _owe_payment(services: Services, intent: PaymentIntent) -> None:
    words = updates.AUTHORIZED
    if intent.status is Status.SUCCEEDED:
        words = updates.CAPTURED if intent.capture == "manual" else updates.CHARGED
    now = services.clock()
    with services.database.write() as connection:
        locked = rows.get(connection, intent.id, lock=True)
        rows.change(connection, intent.id, order_read=0.0)  # so that the order is looked at before it is written
        charge = locked.charge
        part = charge.amount_captured if charge and words is updates.CAPTURED else None
        scribe = Scribe(services, connection, rows.get(connection, intent.id), now)
        scribe.tell(words, part)
        scribe.log("owed_again", None, what=words[0])
    services.wake()


def _compare_refunds(services: Services, store: Store, intent: PaymentIntent, report: Report) -> None:
    with services.database.read() as connection:
        ours = refund_rows.of_intent(connection, intent.id)
        origins = comparing.origins(connection, intent.id)
    in_shop = services.connections.order_book(store).refunds(intent.order_id)
    shown = {refund.refund_id for refund in in_shop}
    for refund in ours:
        if refund.status is not RefundStatus.SUCCEEDED or refund.id in shown:
            continue
        with services.database.write() as connection:
            title, origin = store.options["payment_method_title"], origins[refund.operation_id]
            update = updates.build_refund(services.ids.attempt(), title, intent, updates.REFUNDED, refund, origin)
            outbox.add(connection, services.clock(), store.id, intent.id, update)
        services.wake()
        money = Money(refund.amount, intent.currency)
        report.found("refund", intent, f"the shop does not show the refund of {money} ({refund.id})", healed=True)
    for made in in_shop:
        if made.refund_id or made.refunded_payment or not made.amount or Decimal(made.amount) <= 0:
            continue
        why = f"The shop has a refund of {made.amount} {intent.currency} ({made.id}) for which no money was sent back."
        _for_a_person(services, intent, report, "shop_refund", why)


def _for_a_person(services: Services, intent: PaymentIntent, report: Report, kind: str, why: str) -> None:
    flag(services, intent.id, why)
    report.found(kind, intent, why, healed=False)
