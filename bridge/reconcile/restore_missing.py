"""A payment at the provider that carries our name and is not in the database: a restored one has lost it.

It is written down as if its create had just been answered, if its order is there and free; so nobody pays it again.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field

from bridge.domain.errors import BridgeError, InProgress, OrderNotFound, OutcomeUnknown, ProviderError
from bridge.domain.intents import MONEY, Attempt, Operation, PaymentIntent, Status
from bridge.domain.judgement import is_paid_by
from bridge.domain.money import Money
from bridge.domain.orders import Order, is_order_id
from bridge.domain.outcomes import Outcome
from bridge.payments import leases
from bridge.payments.attempts import conclude
from bridge.payments.follow_order import follow_order
from bridge.payments.intents import found_intent
from bridge.payments.record import WAITING, IntentWriter
from bridge.payments.shops import is_address
from bridge.reconcile.report import Difference, Report
from bridge.services import StoreHandle
from bridge.storage import intents, order_locks, outbox


@dataclass(frozen=True, slots=True)
class _Named:
    """The order that a payment was for, as the provider keeps it with the payment."""

    order_id: int
    order_key: str = field(repr=False)
    site: str


def restore_payments(store: StoreHandle, outcome: Outcome, report: Report) -> PaymentIntent | None:
    """Write it down. None if it is not this shop's, or nothing that anybody has to know of.

    Raises StoreError if the store cannot be asked.
    """
    named = _named(outcome)
    if named is None or outcome.status is Status.CANCELED:
        return None
    is_ours = bool(named.site) and is_address(store, named.site)
    if named.site and not is_ours:
        return None
    if outcome.attempt_id is None or not re.fullmatch(r"[0-9a-f]{32}", outcome.attempt_id):
        return None
    with store.database.read() as connection:
        if intents.everywhere(connection, outcome.attempt_id):
            return None  # of another store that uses the same account
    try:
        order = store.order_book.read(named.order_id)
    except OrderNotFound:
        order = None
    if order is None or order.key != named.order_key:
        if outcome.status in MONEY and is_ours:
            _lost(report, outcome, str(named.order_id), "and its order is no longer in the store.")
        return None
    intent, attempt = _written(store, order, outcome)
    asked = {
        "provider": store.config.adapter,
        "order": order.number,
        "amount": intent.amount,
        "currency": intent.currency,
        "customer": intent.customer,
        "payment_method": intent.payment_method,
        "forgotten": True,
    }
    generation = store.config.generation
    if not order_locks.claim(store.database, intent, attempt, asked, generation=generation, moves_money=False):
        _second(store, order, outcome, report)
        return None
    _conclude(store, attempt, outcome)
    if is_paid_by(order, {str(outcome.public_id), str(outcome.reference)}):
        with store.database.write() as connection:
            outbox.known_by_the_shop(connection, intent.id, store.clock())
    with store.database.read() as connection:
        adopted = intents.get(connection, intent.id)
    if adopted.status in WAITING:  # what can no longer pay its order is closed, and voided as soon as money may move
        with suppress(InProgress, OutcomeUnknown, ProviderError):
            follow_order(store, adopted, order)
    text = f"the provider has a payment of {_money(outcome)} ({outcome.status.value}) that the bridge did not know"
    report.found("adopted", adopted, text, healed=not adopted.unknown)
    return adopted


def _named(outcome: Outcome) -> _Named | None:
    kept = outcome.metadata
    order_id = str(kept.get("order_id", ""))
    if not is_order_id(order_id):
        return None
    return _Named(int(order_id), str(kept.get("order_key", "")), str(kept.get("site_url", "")))


def _written(store: StoreHandle, order: Order, outcome: Outcome) -> tuple[PaymentIntent, Attempt]:
    now, attempt_id = store.clock(), str(outcome.attempt_id)
    intent = found_intent(store.config, order, outcome, attempt_id, now, store.config.capture)
    attempt = Attempt(
        id=attempt_id,
        intent_id=attempt_id,
        store_id=store.id,
        operation=Operation.CREATE,
        request={},
        key=f"{attempt_id}:create",
        reference=outcome.reference,
        created=intent.created,
        sent_at=intent.created,
        busy_until=leases.lease_end(store),
        next_check_at=leases.lease_end(store),
    )
    return intent, attempt


def _conclude(store: StoreHandle, attempt: Attempt, outcome: Outcome) -> None:
    try:
        conclude(store, attempt, outcome)
    except BridgeError:  # a decline, or what is settled later: it is written down
        return


def _second(store: StoreHandle, order: Order, outcome: Outcome, report: Report) -> None:
    """Another payment holds the order."""
    if outcome.status not in MONEY or _is_sent_back(outcome):
        return
    now = store.clock()
    with store.database.write() as connection:
        holder = order_locks.holding(connection, store.id, store.config.live, order.id, order.key)
        if holder is not None:
            IntentWriter(store, connection, intents.get(connection, holder.id, lock=True), now).report_second(outcome)
    if holder is None:
        _lost(report, outcome, order.number, "and its order changed hands just now; reconcile again.")
    else:
        text = f"the provider has a second payment for the order: {_money(outcome)} ({outcome.reference})"
        report.found("duplicate", holder, text, healed=False)


def _is_sent_back(outcome: Outcome) -> bool:
    charge = outcome.charge
    return charge is not None and charge.captured and charge.amount_refunded >= charge.amount_captured


def _lost(report: Report, outcome: Outcome, order: str, what: str) -> None:
    text = f"the provider has a payment of {_money(outcome)} that the bridge does not know, {what}"
    report.differences.append(Difference("order", str(outcome.reference), order, text, False))


def _money(outcome: Outcome) -> Money:
    return Money(outcome.amount, outcome.currency.upper())
