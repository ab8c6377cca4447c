"""The bridge against the store: what the store should show of a payment and does not, the bridge owes it again."""

import html

from bridge.domain.errors import InProgress, OrderNotFound, OutcomeUnknown, ProviderError, StoreError
from bridge.domain.intents import MONEY, PaymentIntent, RefundStatus, Status
from bridge.domain.judgement import PAID, UNCAPTURED, Terms, is_paid_by, misfit, misfit_of_paid
from bridge.domain.money import Money
from bridge.domain.orders import HOLD, NOT_BOOKED, Order
from bridge.payments import flags, order_updates
from bridge.payments.follow_order import ORDER_GONE, check_notes, follow_order, hold_trouble, notify_again, told_of_paid
from bridge.payments.orders import made_by_staff, refunds_in_store, terms
from bridge.payments.record import WAITING
from bridge.payments.takeover import watch
from bridge.reconcile.provider import changed
from bridge.reconcile.report import Report
from bridge.services import Services, StoreHandle
from bridge.storage import outbox, reconcile, refunds


def compare(store: StoreHandle, report: Report) -> None:
    """Read the order of every payment that has, or had, money or waits for it, and was changed since then. Raises
    Ending."""
    for intent in changed(store, report.since):
        has_money = intent.charge and intent.status in MONEY
        try:
            if intent.only_known and intent.has_or_holds_money:
                _compare_others(store, intent, report)
            elif intent.holding and (has_money or (intent.status in WAITING and not intent.unknown)):
                _compare_one(store, intent, report)
        except StoreError as error:
            report.problems.append(f"Order {intent.order_number} could not be read. {error}")


def _compare_one(store: StoreHandle, intent: PaymentIntent, report: Report) -> None:
    report.orders += 1
    with store.database.read() as connection:
        owed = outbox.is_owed(connection, store.id, intent.order_id)
        dead = outbox.dead_of_order(connection, store.id, intent.order_id)
        agreed = terms(connection, store.config, intent)
    if owed:
        return  # the shop will hear of it; what it shows meanwhile says nothing
    if dead:
        with store.database.write() as connection:
            for update in dead:
                outbox.retry(connection, store.clock(), update)
        store.wake()
        report.found("undelivered", intent, f"the store was never updated ({len(dead)} dead letters)", healed=True)
        return
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:
        if intent.status in MONEY:
            is_paid = intent.status is Status.SUCCEEDED
            why = (
                told_of_paid(intent, ORDER_GONE)
                if is_paid
                else f"Order {intent.order_number} {ORDER_GONE.words}, and is held."
            )
            _for_a_person(store, intent, report, "order", why)
        return
    if intent.status in WAITING:
        _close(store, intent, order, report)
    elif order.key != intent.order_key:
        _for_a_person(store, intent, report, "order", "The store has another order under this number.")
    elif order.needs_payment and order.transaction_id == intent.shown_id and order.date_paid is not None:
        why = f"The store shows the order as {order.status}, although it shows the payment {intent.shown_id}, too."
        _for_a_person(store, intent, report, "unpaid", why)
    elif order.needs_payment and misfit(order, agreed) is None and not _was_told(intent, order):
        notify_again(store, intent)
        report.found("unpaid", intent, f"the store shows the order as {order.status}, and money is held", healed=True)
    elif intent.status is Status.SUCCEEDED:
        _compare_paid(store, intent, agreed, order, report)
    else:
        _compare_held(store, intent, agreed, order, report)


def _compare_others(store: StoreHandle, intent: PaymentIntent, report: Report) -> None:
    """What somebody else has made is theirs to tell the store; an operator is told if they have not."""
    report.orders += 1
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:
        order = None
    after = watch(store, intent, order)
    if after.flag:
        report.found("unpaid", after, after.flag, healed=False)


def _was_told(intent: PaymentIntent, order: Order) -> bool:
    """Whether an order has failed that knew of its authorization: somebody has moved it since."""
    return order.status == "failed" and order.meta.get(HOLD) == intent.shown_id


def _close(store: StoreHandle, intent: PaymentIntent, order: Order, report: Report) -> None:
    """What waits for a buyer, and can no longer pay its order. To void it moves no money."""
    try:
        after = follow_order(store, intent, order)
    except (InProgress, OutcomeUnknown, ProviderError) as error:
        report.problems.append(f"The payment {intent.shown_id} could not be closed. {error}")
        return
    if after.closed and not intent.closed:
        report.found("closed", after, after.closed, healed=True)


def _compare_held(store: StoreHandle, intent: PaymentIntent, agreed: Terms, order: Order, report: Report) -> None:
    """Money that is only authorized. It is neither captured nor voided here: an operator is told what the store's order
    says."""
    found = hold_trouble(store.config, order, agreed)
    if found:
        what = {"order_cancelled": "cancelled, still held", UNCAPTURED: f"{order.status}, not captured"}
        kind = what.get(found.reason, "order")
        why = f"{flags.AUTHORIZED_FLAG}Order {intent.order_number} {found.words} ({intent.shown_id})."
        _for_a_person(store, intent, report, "held" if found.reason in what else "order", why, f"{kind}: {why}")


def _compare_paid(store: StoreHandle, intent: PaymentIntent, agreed: Terms, order: Order, report: Report) -> None:
    taken = intent.charge.amount_captured if intent.charge else intent.amount
    found = misfit_of_paid(order, agreed, taken)
    if found is None and order.needs_payment:  # it cannot take the money that is there
        found = misfit(order, agreed)
    if found:
        kind = "duplicate" if found.reason == PAID else "order"
        _for_a_person(store, intent, report, kind, told_of_paid(intent, found))
    else:
        if is_paid_by(order, {intent.shown_id}):
            check_notes(store, intent, order)
        _compare_refunds(store, intent, order, report)


def _compare_refunds(store: StoreHandle, intent: PaymentIntent, order: Order, report: Report) -> None:
    with store.database.read() as connection:
        ours = refunds.of_intent(connection, intent.id)
        origins = reconcile.origins(connection, intent.id)
    sent_back = [refund for refund in ours if refund.status is RefundStatus.SUCCEEDED]
    in_shop = refunds_in_store(store, order) if order.refunded or sent_back else []
    if in_shop is None:
        return
    shown = {refund.refund_id for refund in in_shop}
    missing = [refund for refund in sent_back if refund.id not in shown]
    notes = store.order_book.notes(intent.order_id) if missing else []
    for refund in missing:
        is_noted = any(refund.id in note.text and NOT_BOOKED in html.unescape(note.text) for note in notes if note.ours)
        if is_noted or origins[refund.operation_id].startswith("store:"):  # staff have deleted what they had begun
            money = Money(refund.amount, intent.currency)
            why = f"The store does not show the refund of {money} ({refund.id}), and it cannot be added there."
            _for_a_person(store, intent, report, "refund", why)
            continue
        with store.database.write() as connection:
            title, origin = store.config.options["payment_method_title"], origins[refund.operation_id]
            update = order_updates.build_refund(
                store.ids.attempt(), title, intent, order_updates.REFUNDED, refund, origin
            )
            outbox.add(connection, store.clock(), store.id, intent.id, update)
        store.wake()
        money = Money(refund.amount, intent.currency)
        report.found("refund", intent, f"the store does not show the refund of {money} ({refund.id})", healed=True)
    for made in made_by_staff(intent, in_shop):
        why = f"The shop has a refund of {made.amount} {intent.currency} ({made.id}) for which no money was sent back."
        _for_a_person(store, intent, report, "shop_refund", why)


def _for_a_person(
    services: Services, intent: PaymentIntent, report: Report, kind: str, why: str, told: str = ""
) -> None:
    """`told` is what the report says, if that is not just the flag."""
    with services.database.write() as connection:
        if intent.status is not Status.SUCCEEDED or not flags.was_cleared(connection, intent.id, why):
            flags.put(connection, intent.id, why, services.clock())
    report.found(kind, intent, told or why, healed=False)
