"""Redirect mode: every time a buyer opens the page, the provider makes one more payment, as an attempt.

The row is committed before the provider is asked. The address that it answers leaves us once and is stored nowhere.
While an opening may still be paid, another one needs the buyer's word, because both could be paid. One whose answer
was lost is just asked for again, under its key; if the provider says then that it was submitted already, it is
unknown.
"""

from collections.abc import Sequence
from dataclasses import replace

from bridge.domain.errors import BridgeError, OutcomeUnknown, ProviderConfused, Refused
from bridge.domain.intents import Attempt, AttemptState, JournalKind, Operation, PaymentIntent, Status
from bridge.domain.outcomes import Opening, Payment
from bridge.domain.ports import Adapter
from bridge.payments.attempts import SUBMITTED, call_within_lease, new_attempt
from bridge.payments.checkout_attempts import payable_attempts
from bridge.payments.create import JOIN_POLL_SECONDS, JOIN_POLLS, describe_payment
from bridge.payments.follow_order import require_payable_by
from bridge.payments.record import WAITING
from bridge.payments.unresolved import mark_unknown
from bridge.services import Services, StoreHandle
from bridge.storage import intents, journal

DOUBLE_PRESS_SECONDS = 10.0
"""Seconds within which two presses on one page count as one."""
MAX_OPEN_CHECKOUTS = 5
"""How many openings of one payment may be payable at the same time."""
NOT_NOW, ALREADY_OPENED = "not_now", "opened_before"
"""Reasons of a Refused: the payment is past that; the buyer has to confirm doing it again."""


def open_checkout(store: StoreHandle, intent: PaymentIntent, *, again: bool, seen: int | None = None) -> Opening:
    """Make a place where the buyer pays. With `again` also if an earlier one may still be paid: the buyer wants it so.

    `seen` is how many openings the page had when the buyer pressed its button: a second press at the same moment joins
    the opening that the first one has made. Raises OutcomeUnknown, Refused (reason NOT_NOW, ALREADY_OPENED,
    `opened_too_often`, `order_changed`), OrderNotPayable, ProviderError or StoreError.
    """
    adapter = store.adapter
    payment = _payment(store, intent)
    attempt = _begun(store, adapter, intent, payment, again, seen)
    try:
        opening = call_within_lease(store, attempt, lambda: adapter.open(attempt.request, attempt.key))
        if opening.expires <= store.clock():
            raise ProviderConfused("The payment provider's answer came too late.")
    except BridgeError as error:
        raise _failed(store, attempt, error) from error
    now = store.clock()
    with store.database.write() as connection:
        intents.change_attempt(connection, attempt.id, exposed=True, busy_until=0.0)
        before = intents.get(connection, intent.id, lock=True)
        status = Status.REQUIRES_ACTION if before.status in WAITING else before.status
        intents.change(connection, intent.id, status=status, updated=now)
        journal.write(connection, now, intent.id, JournalKind.OPENED, attempt_id=attempt.id, expires=opening.expires)
    return opening


def _payment(store: StoreHandle, intent: PaymentIntent) -> Payment:
    """What is still owed, for an attempt of its own. The order is read again: it may have changed since."""
    order = require_payable_by(store, intent)
    return Payment(
        attempt_id=store.ids.attempt(),
        order=order,
        amount=intent.amount,
        currency=intent.currency,
        customer=intent.customer,
        payment_method=intent.requested_payment_method,
        capture=intent.capture,
        metadata=intent.metadata,
        description=describe_payment(store.config, order),
    )


def _begun(
    store: StoreHandle,
    adapter: Adapter,
    intent: PaymentIntent,
    payment: Payment,
    again: bool,
    seen: int | None,
) -> Attempt:
    """The attempt that is about to be sent. While a press at the same moment is being answered, wait for it."""
    for _ in range(JOIN_POLLS):
        attempt = _begin(store, adapter, intent, payment, again, seen)
        if attempt is not None:
            return attempt
        store.pause(JOIN_POLL_SECONDS)
    raise Refused("The payment page was opened before, and the payment may still be made.", reason=ALREADY_OPENED)


def _begin(
    store: StoreHandle,
    adapter: Adapter,
    intent: PaymentIntent,
    payment: Payment,
    again: bool,
    seen: int | None,
) -> Attempt | None:
    """Commit what is about to be sent: the request of one whose answer was lost, or that another press at the same
    moment has made, or a new one. None while that other press is being answered."""
    fresh = new_attempt(store, payment.attempt_id, intent.id, Operation.OPEN, adapter.prepare(payment))
    fresh = replace(fresh, state=AttemptState.DONE, exposed=False)
    now = store.clock()
    with store.database.write() as connection:
        intent = intents.get(connection, intent.id, lock=True)
        if intent.status not in WAITING or intent.unknown:
            raise Refused("This payment is no longer waiting for the buyer.", reason=NOT_NOW)
        attempts = intents.attempts_of(connection, intent.id)
        twin = _twin(attempts, now, seen)
        if twin and twin.busy_until > now:
            return None
        open_now = [] if twin else payable_attempts(attempts, now)
        if any(attempt.busy_until > now for attempt in open_now) or (open_now and not again):
            raise Refused(
                "The payment page was opened before, and the payment may still be made.", reason=ALREADY_OPENED
            )
        if len(open_now) >= MAX_OPEN_CHECKOUTS:
            raise Refused("The payment page was opened too often.", reason="opened_too_often")
        attempt = twin or _lost(attempts, now, adapter.replay_window)
        if attempt is None:
            attempt = fresh
            intents.add_attempt(connection, fresh)
        else:
            attempt = replace(attempt, busy_until=fresh.busy_until, sent_again_at=now)
            intents.change_attempt(connection, attempt.id, busy_until=attempt.busy_until, sent_again_at=now)
        journal.write(connection, now, intent.id, JournalKind.OPEN_SENT, attempt_id=attempt.id)
    return attempt


def _twin(attempts: Sequence[Attempt], now: float, seen: int | None) -> Attempt | None:
    """The opening that another press at the same moment has made, on the same page: it is not made twice."""
    openings = [attempt for attempt in attempts if attempt.operation == Operation.OPEN]
    if seen is None or len(openings) <= seen or openings[-1].state is not AttemptState.DONE:
        return None
    return openings[-1] if now - openings[-1].created < DOUBLE_PRESS_SECONDS else None


def _lost(attempts: Sequence[Attempt], now: float, replay_window: float) -> Attempt | None:
    """The newest opening, if no answer to it has come so far and the provider still knows its key."""
    openings = [attempt for attempt in attempts if attempt.operation == Operation.OPEN]
    if not openings or openings[-1].exposed or openings[-1].state is not AttemptState.DONE:
        return None
    return openings[-1] if now < openings[-1].sent_at + replay_window else None


def _failed(services: Services, attempt: Attempt, error: BridgeError) -> BridgeError:
    """What to raise. No address has left us now. A refusal is final; whatever else it was, the same may be asked for
    again.

    But what the provider has under this key already was submitted by somebody, and may be paid: that stays unknown
    under its key (rule 3), and no other key is tried.
    """
    if error.reason == SUBMITTED:
        with services.database.write() as connection:
            intents.change_attempt(connection, attempt.id, exposed=True)
        mark_unknown(services, attempt, str(error))
        told = "It is not known yet whether this payment went well. Do not pay again."
        return OutcomeUnknown(told, outcome="unknown", attempt_id=attempt.id)
    state = AttemptState.DONE if error.retryable else AttemptState.ABANDONED
    now = services.clock()
    with services.database.write() as connection:
        intents.change_attempt(connection, attempt.id, state=state, busy_until=0.0)
        journal.write(
            connection, now, attempt.intent_id, JournalKind.OPEN_FAILED, attempt_id=attempt.id, why=str(error)
        )
    return error
