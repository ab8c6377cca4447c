"""Redirect mode: every time a person opens the buyer's page, the provider makes one more payment, as an attempt.

The row is committed before the provider is asked. The address that it answers leaves us once and is stored nowhere. An
opening whose address has left us (`exposed`) may be paid until the provider says that it is over, or for MAY_BE_PAID
seconds: until then another one needs the buyer's word, because both could be paid. One whose address never left is
nothing that anybody could pay: no opening is ever unsettled, and one whose answer was lost is just asked for again.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

from bridge.domain.errors import BridgeError, OrderNotPayable, ProviderConfused, Refused
from bridge.domain.intents import Attempt, AttemptState, PaymentIntent, Status
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.outcomes import Opening, Outcome, Payment
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments.attempts import ask, new_attempt
from bridge.payments.create import describe, require_payable
from bridge.payments.record import WAITING, record
from bridge.payments.services import Services
from bridge.storage import Connection, journal
from bridge.storage import intents as rows

OPEN = "open"
"""The operation of such an attempt."""
MAY_BE_PAID = 24 * 3600.0
"""Seconds. No provider says how long its page can be paid; a day is longer than any of them is known to wait."""
MOST = 5
"""How many openings of one payment may be payable at the same time."""
NOT_NOW, OPENED_BEFORE = "not_now", "opened_before"
"""Reasons of a Refused: the payment is past that; the buyer has to say that it shall be done again."""


def payable(attempts: Sequence[Attempt], now: float) -> list[Attempt]:
    """The openings that somebody could still pay, and those that are being made right now; oldest first."""
    return [
        attempt
        for attempt in attempts
        if attempt.operation == OPEN
        and attempt.state is AttemptState.DONE
        and (attempt.busy_until > now or (attempt.exposed and attempt.created > now - MAY_BE_PAID))
    ]


def open_payment(services: Services, store: Store, intent: PaymentIntent, *, again: bool) -> Opening:
    """Make a place where the buyer pays. With `again` also if an earlier one may still be paid: the buyer wants it so.

    Raises Refused (reason NOT_NOW, OPENED_BEFORE, `opened_too_often`, `order_changed`), OrderNotPayable, ProviderError
    or StoreError.
    """
    adapter = services.connections.adapter(store)
    payment = _payment(services, store, adapter, intent)
    attempt = _begin(services, store, adapter, intent, payment, again)
    try:
        opening = ask(lambda: adapter.open(attempt.request, attempt.key))
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


def heard(services: Services, attempt: Attempt, outcome: Outcome) -> PaymentIntent:
    """Write down what the provider says of one opening. That one is over says nothing of the others, nor of the order.

    Raises ProviderConfused for another amount.
    """
    over = outcome.decline is not None or outcome.status is Status.CANCELED
    now = services.clock()
    with services.database.write() as connection:
        intent = rows.get(connection, attempt.intent_id, lock=True)
        known = rows.attempt(connection, attempt.id)
        if outcome.reference and known.reference is None:
            rows.change_attempt(connection, attempt.id, reference=outcome.reference)
        if over and known.state is AttemptState.DONE:
            _end(connection, now, intent, attempt, outcome)
    if not over:
        intent = record(services, intent.id, outcome)
        services.wake()
    return intent


def look_at(services: Services, store: Store, intent_id: str) -> None:
    """Ask the provider about every opening that may be paid and whose name at the provider we have heard.

    Raises ProviderError.
    """
    adapter = services.connections.adapter(store)
    with services.database.read() as connection:
        attempts = rows.attempts_of(connection, intent_id)
    for attempt in payable(attempts, services.clock()):
        if attempt.reference:
            heard(services, attempt, ask(partial(adapter.fetch, attempt.reference)))


def named(connection: Connection, intent_id: str, *names: str | None) -> Attempt | None:
    """The opening of an intent that has one of these as its id or reference."""
    wanted = set(filter(None, names))
    for attempt in rows.attempts_of(connection, intent_id):
        if attempt.operation == OPEN and {attempt.id, attempt.reference} & wanted:
            return attempt
    return None


def _payment(services: Services, store: Store, adapter: Adapter, intent: PaymentIntent) -> Payment:
    """What is still owed, for an attempt of its own. The order is read again: it may have changed since."""
    order = services.connections.order_book(store).read(intent.order_id)
    if order.key != intent.order_key:
        raise OrderNotPayable(f"Order {intent.order_number} is another one by now.", reason="order_changed")
    require_payable(order)
    if _owed(store, adapter, order) != (intent.amount, intent.currency):
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


def _owed(store: Store, adapter: Adapter, order: Order) -> tuple[int, str]:
    rounding = store.options.get("rounding") == "half_up"
    money = Money.parse(order.total, order.currency, rounding=rounding, smallest=adapter.smallest(order.currency))
    return money.amount, money.currency


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
            rows.change_attempt(connection, attempt.id, busy_until=fresh.busy_until)
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


def _end(connection: Connection, now: float, intent: PaymentIntent, attempt: Attempt, outcome: Outcome) -> None:
    """It was declined or has run out. The payment still waits for the buyer."""
    rows.change_attempt(connection, attempt.id, state=AttemptState.ABANDONED)
    why = outcome.decline.message if outcome.decline else "it has run out"
    journal.write(connection, now, intent.id, "open_ended", attempt_id=attempt.id, why=why)
    if outcome.decline and intent.status in WAITING:
        error = {"type": "card_error", **asdict(outcome.decline)}
        rows.change(connection, intent.id, status=Status.REQUIRES_PAYMENT_METHOD, last_error=error, updated=now)
