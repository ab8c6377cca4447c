"""Redirect mode: every time a person opens the buyer's page, the provider makes one more payment, as an attempt.

The row is committed before the provider is asked. The address that it answers leaves us once and is stored nowhere.
While an opening may still be paid, another one needs the buyer's word, because both could be paid. No opening is ever
unsettled: one whose answer was lost is just asked for again.
"""

from collections.abc import Sequence
from dataclasses import replace

from bridge.domain.errors import BridgeError, OrderNotPayable, ProviderConfused, Refused
from bridge.domain.intents import Attempt, AttemptState, PaymentIntent, Status
from bridge.domain.money import Money
from bridge.domain.outcomes import Opening, Payment
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments.attempts import ask_about, new_attempt
from bridge.payments.create import describe, require_payable
from bridge.payments.openings import OPEN, payable
from bridge.payments.owed import owed
from bridge.payments.record import WAITING
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import journal

MOST = 5
"""How many openings of one payment may be payable at the same time."""
NOT_NOW, OPENED_BEFORE = "not_now", "opened_before"
"""Reasons of a Refused: the payment is past that; the buyer has to say that it shall be done again."""


def open_payment(services: Services, store: Store, intent: PaymentIntent, *, again: bool) -> Opening:
    """Make a place where the buyer pays. With `again` also if an earlier one may still be paid: the buyer wants it so.

    Raises Refused (reason NOT_NOW, OPENED_BEFORE, `opened_too_often`, `order_changed`), OrderNotPayable, ProviderError
    or StoreError.
    """
    adapter = services.connections.adapter(store)
    payment = _payment(services, store, adapter, intent)
    attempt = _begin(services, store, adapter, intent, payment, again)
    try:
        opening = ask_about(services, attempt, lambda: adapter.open(attempt.request, attempt.key))
        if opening.expires <= services.clock():
            raise ProviderConfused("The payment provider's answer came too late.")
    except BridgeError as error:
        _failed(services, attempt, error)
        raise
    now = services.clock()
    with services.database.write() as connection:
        rows.change_attempt(connection, attempt.id, exposed=True, busy_until=0.0)
        before = rows.get(connection, intent.id, lock=True)
        status = Status.REQUIRES_ACTION if before.status in WAITING else before.status
        rows.change(connection, intent.id, status=status, updated=now)
        journal.write(connection, now, intent.id, "opened", attempt_id=attempt.id, expires=opening.expires)
    return opening


def _payment(services: Services, store: Store, adapter: Adapter, intent: PaymentIntent) -> Payment:
    """What is still owed, for an attempt of its own. The order is read again: it may have changed since."""
    order = services.connections.order_book(store).read(intent.order_id)
    if order.key != intent.order_key:
        raise OrderNotPayable(f"Order {intent.order_number} is another one by now.", reason="order_changed")
    require_payable(order)
    if owed(store, adapter, order) != Money(intent.amount, intent.currency):
        raise Refused(f"Order {order.number} has changed since the payment was started.", reason="order_changed")
    return Payment(
        attempt_id=services.ids.attempt(),
        order=order,
        amount=intent.amount,
        currency=intent.currency,
        customer=intent.customer,
        payment_method=intent.requested_payment_method,
        capture=intent.capture,
        metadata=intent.metadata,
        description=describe(store, order),
    )


def _begin(
    services: Services, store: Store, adapter: Adapter, intent: PaymentIntent, payment: Payment, again: bool
) -> Attempt:
    """Commit what is about to be sent: the request of one whose answer was lost, or a new one."""
    fresh = new_attempt(services, store, payment.attempt_id, intent.id, OPEN, adapter.prepare(payment))
    fresh = replace(fresh, state=AttemptState.DONE, exposed=False)
    now = services.clock()
    with services.database.write() as connection:
        intent = rows.get(connection, intent.id, lock=True)
        if intent.status not in WAITING or intent.unknown:
            raise Refused("This payment does not wait for the buyer any more.", reason=NOT_NOW)
        attempts = rows.attempts_of(connection, intent.id)
        open_now = payable(attempts, now)
        if any(attempt.busy_until > now for attempt in open_now) or (open_now and not again):
            raise Refused("The payment page was opened before and may still be paid.", reason=OPENED_BEFORE)
        if len(open_now) >= MOST:
            raise Refused("The payment page was opened too often.", reason="opened_too_often")
        attempt = _lost(attempts, now, adapter.replay_window)
        if attempt is None:
            attempt = fresh
            rows.add_attempt(connection, fresh)
        else:
            attempt = replace(attempt, busy_until=fresh.busy_until)
            rows.change_attempt(connection, attempt.id, busy_until=attempt.busy_until)
        journal.write(connection, now, intent.id, "open_sent", attempt_id=attempt.id)
    return attempt


def _lost(attempts: Sequence[Attempt], now: float, replay_window: float) -> Attempt | None:
    """The newest opening, if no answer to it has come so far and the provider still knows its key."""
    openings = [attempt for attempt in attempts if attempt.operation == OPEN]
    if not openings or openings[-1].exposed or openings[-1].state is not AttemptState.DONE:
        return None
    return openings[-1] if now < openings[-1].sent_at + replay_window else None


def _failed(services: Services, attempt: Attempt, error: BridgeError) -> None:
    """No address has left us. A refusal is final; whatever else it was, the same may be asked for again."""
    state = AttemptState.DONE if error.retryable else AttemptState.ABANDONED
    now = services.clock()
    with services.database.write() as connection:
        rows.change_attempt(connection, attempt.id, state=state, busy_until=0.0)
        journal.write(connection, now, attempt.intent_id, "open_failed", attempt_id=attempt.id, why=str(error))
