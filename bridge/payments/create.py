"""Create: collect what an order owes once, however often and by however many callers it is requested.

Read the Order, claim it with an attempt row (committed), ask the provider, record what it said. A repeat joins the
intent that holds the order: it gets the same answer, or resolves what is unknown, or is refused. It never starts a
second payment.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bridge.domain.errors import (
    InProgress,
    InvalidAmount,
    OrderLocked,
    OrderNotFound,
    OutcomeUnknown,
    ProviderError,
)
from bridge.domain.intents import UNSETTLED, Attempt, AttemptState, JournalKind, Operation, PaymentIntent, Status
from bridge.domain.judgement import bar, misfit
from bridge.domain.orders import Order
from bridge.domain.outcomes import Payment
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments import flags
from bridge.payments.attempts import call_adapter, cancel_open_payment, new_attempt, send_create, sending_again
from bridge.payments.close_checkout import close_payment, reopen_payment
from bridge.payments.customers import require_own_customer
from bridge.payments.intents import IntentView, new_intent
from bridge.payments.orders import agreed_for, amount_due, in_the_way, names_of, not_payable, others_of
from bridge.payments.outcomes import poll_payment, resolve
from bridge.payments.record import WAITING, record
from bridge.payments.shops import entry_of
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, intents, journal, order_locks, outbox, refunds

MAX_ROUNDS = 4
"""How many times a create starts over because another payment took the order meanwhile."""
JOIN_POLLS, JOIN_POLL_SECONDS = 60, 0.05
"""How many times, and how many seconds apart, a repeat checks whether the earlier request has its answer."""

_REPLACEABLE = frozenset({Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION})


def _nothing_to_say(_order_id: int) -> None:
    """Let every payment begin."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one request asks for, validated, with the provider's request ready to send."""

    order: Order
    payment: Payment
    request: dict[str, Any]
    read_at: float

    def same_as(self, intent: PaymentIntent) -> bool:
        return (intent.amount, intent.currency, intent.customer, intent.requested_payment_method) == (
            self.payment.amount,
            self.payment.currency,
            self.payment.customer,
            self.payment.payment_method,
        )


def create_payment_intent(
    store: StoreHandle,
    *,
    order_id: Any,
    customer: Any,
    payment_method: Any,
    attempt_id: str | None = None,
    before_start: Callable[[int], None] = _nothing_to_say,
) -> IntentView:
    """Charge an order of this store. Parameters are as they came: they are validated here and by the adapter.

    `attempt_id`, a fresh one, is the id of the attempt if one is made. `before_start` is told the order's id before a
    payment begins, and may raise: then none does.

    Raises Refused, Declined, InProgress, OutcomeUnknown, ProviderError or StoreError.
    """
    adapter = store.adapter
    read_at = store.clock()
    order = store.order_book.read(_order_id(order_id))
    close_unfit_payments(store, order)
    wanted = _check(store, adapter, order, read_at, customer, payment_method, attempt_id)
    for _ in range(MAX_ROUNDS):
        with store.database.read() as connection:
            known = intents.of_shops_order(connection, store.id, store.config.live, order.id)
            existing = _first([one for one in known if one.holding and one.order_key == order.key], store.config)
            attempt = intents.unsettled(connection, existing.id) if existing else None
            ending = not existing and outbox.cancels(connection, store.id, order.id, read_at)
        found = bar(order, names_of(known, order.key), others=others_of(known, order.key))
        if existing is None:
            if found:
                raise not_payable(order.number, found)
            require_no_earlier_payment(store, known, order)
            if ending:
                told = f"Order {order.number} is being cancelled. Ask again in a moment."
                raise InProgress(told, provider=store.config.adapter)
            before_start(order.id)
            shown = _start(store, adapter, wanted)
        elif attempt is not None:
            entry = entry_of(store, existing)
            is_wanted = entry is store and found is None and wanted.same_as(existing)
            resolve_first(entry, attempt, is_wanted, _through(entry, store))
            shown = None
        elif existing.unknown:  # it was answered between the two reads
            shown = None
        else:
            shown = _join(store, adapter, existing, wanted)
        if shown is not None:
            return shown
    raise InProgress(f"Order {order.number} is being paid by another request.", outcome="unknown")


def close_unfit_payments(store: StoreHandle, order: Order) -> None:
    """Close payments that wait for a buyer and can no longer pay the order as it was just read, whichever entry of the
    shop began them. Raises InProgress, OrderLocked."""
    with store.database.read() as connection:
        known = intents.of_shops_order(connection, store.id, store.config.live, order.id)
    for intent in known:
        if intent.status not in WAITING or intent.unknown:
            continue
        entry = entry_of(store, intent)
        agreed = agreed_for(entry.config, intent, known)
        if found := misfit(order, agreed):
            close_payment(entry, intent, found)
        elif intent.closed:
            reopen_payment(store, intent)


def require_no_earlier_payment(services: Services, known: Sequence[PaymentIntent], order: Order) -> None:
    """An earlier payment of the same order number under another key holds the order until it is over (rule 2): the
    order may be the same one, with a new key. Raises OrderLocked."""
    other = in_the_way(known, order.key)
    if other is None:
        return
    why = f"Order {order.number} has another key now, and the payment {other.shown_id} of the earlier one is not over"
    with services.database.write() as connection:
        flags.put_unless_graver(connection, other.id, f"{flags.ORDER_FLAG}{why}.", services.clock())
    raise OrderLocked(
        f"{why}; it cannot be charged before that.",
        reason="order_has_payment",
        payment_intent=other.shown_id,
        provider=other.adapter,
    )


def _check(
    store: StoreHandle,
    adapter: Adapter,
    order: Order,
    read_at: float,
    customer: Any,
    payment_method: Any,
    attempt_id: str | None,
) -> _Wanted:
    """In WooPayments' order: order, currency, amount, then what the adapter asks of customer and payment method."""
    money = amount_due(store.config, adapter, order)
    if money.amount <= 0:
        if Decimal(order.total) > 0 and (found := bar(order)):  # its refunds have eaten it: its status says so better
            raise not_payable(order.number, found)
        raise InvalidAmount(
            f"Invalid number passed. Number {money.amount} needs to be larger than 0 "
            f"(the total of order {order.number}).",
            amount=money.amount,
        )
    payment = Payment(
        attempt_id=attempt_id or store.ids.attempt(),
        order=order,
        amount=money.amount,
        currency=money.currency,
        customer=customer,
        payment_method=payment_method,
        capture=store.config.capture,
        metadata=metadata_of(store, order),
        description=describe_payment(store.config, order),
    )
    request = adapter.prepare(payment)
    require_own_customer(store, adapter, str(customer or ""))
    return _Wanted(order, payment, request, read_at)


def _order_id(value: Any) -> int:
    if value is None or value == "":
        raise OrderNotFound("Order not found (order_id is missing).")
    text = str(value).strip()
    if isinstance(value, (bool, list, dict)) or not re.fullmatch(r"0*[1-9]\d{0,17}", text, re.ASCII):
        raise OrderNotFound("Order not found (order_id is not the number of an order).")
    return int(text)


def describe_payment(store: Store, order: Order) -> str:
    """What the provider's own pages show of the payment, in WooPayments' words."""
    return f"Online Payment for Order #{order.number} for {urlsplit(store.identity).hostname}"


def metadata_of(store: StoreHandle, order: Order) -> dict[str, Any]:
    """WooPayments' ten keys, in its order."""
    return {
        "customer_name": order.billing.name,
        "customer_email": order.billing.email,
        "site_url": store.config.identity,
        "order_id": order.id,
        "order_number": order.number,
        "order_key": order.key,
        "payment_type": "single",
        "checkout_type": order.created_via,
        "client_version": store.version,
        "subscription_payment": "no",
    }


def _start(store: StoreHandle, adapter: Adapter, wanted: _Wanted) -> IntentView | None:
    """Claim the order and ask the provider. None if somebody else claimed it first."""
    payment, now = wanted.payment, store.clock()
    attempt = new_attempt(store, payment.attempt_id, payment.attempt_id, Operation.CREATE, wanted.request)
    intent = replace(
        new_intent(store.config, payment, now), order_read=0.0 if wanted.order.refunded else wanted.read_at
    )
    asked = {
        "provider": adapter.name,
        "order": intent.order_number,
        "amount": intent.amount,
        "currency": intent.currency,
        "customer": intent.customer,
        "payment_method": intent.requested_payment_method,
    }
    if "open" in adapter.operations:  # the provider hears of it when the buyer opens the page
        intent = replace(intent, public_id=store.ids.public("pi_"), status=Status.REQUIRES_ACTION, unknown=False)
        attempt = replace(attempt, state=AttemptState.DONE, exposed=False, busy_until=0.0)
    if not order_locks.claim(store.database, intent, attempt, asked, generation=store.config.generation):
        return None
    if attempt.state is AttemptState.DONE:
        return IntentView(intent, attempt.id)
    return send_create(store, attempt)


def resolve_first(store: StoreHandle, attempt: Attempt, same: bool, through: str = "") -> None:
    """An earlier try, of this store, is not resolved: wait for it, or find out. Then look again.

    The same request is sent again only for somebody who wants just that. `through` names the store to whoever asks
    another entry of its shop. Raises InProgress, OutcomeUnknown.
    """
    if attempt.busy_until > store.clock():
        if wait_for_answer(store, attempt):
            return
        raise InProgress(
            f"A payment for this order is being made{through} right now. Ask again in a moment.",
            outcome="unknown",
            attempt_id=attempt.id,
            provider=store.config.adapter,
        )
    if not resolve(store, attempt, resend=same) and _is_left_open(store, attempt):
        raise OutcomeUnknown(
            f"An earlier payment for this order{through} has no known outcome yet. "
            "It is being resolved; nothing new was started.",
            outcome="unknown",
            attempt_id=attempt.id,
            provider=store.config.adapter,
        )


def _is_left_open(services: Services, attempt: Attempt) -> bool:
    """Whether nobody has resolved it meanwhile, and nobody is working on it."""
    with services.database.read() as connection:
        known = intents.attempt(connection, attempt.id)
    return known.state in UNSETTLED and known.busy_until <= services.clock()


def wait_for_answer(services: Services, attempt: Attempt) -> bool:
    """Wait a little for the request that is working on it, so that a double click gets one answer twice."""
    for _ in range(JOIN_POLLS):
        services.pause(JOIN_POLL_SECONDS)
        with services.database.read() as connection:
            if intents.attempt(connection, attempt.id).busy_until <= services.clock():
                return True
    return False


def _join(store: StoreHandle, adapter: Adapter, existing: PaymentIntent, wanted: _Wanted) -> IntentView | None:
    """The order has a resolved intent: answer it, or put it away and look again (None), or refuse.

    One that another entry of the shop has begun is never the answer: what that entry's adapter cannot put away is in
    the way.
    """
    if release_refunded(store, existing, wanted.order):
        return None
    entry = entry_of(store, existing)
    if existing.only_known:
        raise _locked(existing, entry, store)
    is_closed = bool(existing.closed) and existing.status in WAITING
    if is_closed and (found := bar(wanted.order, {existing.shown_id})):
        raise not_payable(wanted.order.number, found)
    replaceable = existing.status in _REPLACEABLE
    declined = existing.status is Status.REQUIRES_PAYMENT_METHOD and existing.last_error is not None
    if entry is store and wanted.same_as(existing) and not declined and not is_closed:
        return with_fresh_material(store, adapter, existing) if replaceable else as_stored(store, existing)
    if replaceable:
        existing = poll_payment(entry, existing.id)
    if existing.status in _REPLACEABLE:
        cancel_open_payment(entry, existing)
    elif existing.holding:
        raise _locked(existing, entry, store)
    return None


def release_refunded(services: Services, paid: PaymentIntent, order: Order) -> bool:
    """Release an order whose payment was refunded in full, once its shop asks for another; False for any other."""
    if paid.status is not Status.SUCCEEDED or not order.needs_payment:
        return False
    with services.database.read() as connection:
        if not _is_sent_back(connection, paid):
            return False
    with services.database.write() as connection:
        paid = intents.get(connection, paid.id, lock=True)
        if not _is_sent_back(connection, paid):
            return False
        intents.change(connection, paid.id, holding=False)
        journal.write(connection, services.clock(), paid.id, JournalKind.RELEASED, why="refunded, and to be paid again")
    return True


def _is_sent_back(connection: Connection, paid: PaymentIntent) -> bool:
    return paid.charge is not None and refunds.left(connection, paid.store_id, paid.charge.id) == 0


def as_stored(services: Services, intent: PaymentIntent) -> IntentView:
    with services.database.read() as connection:
        return IntentView(intent, intents.attempts_of(connection, intent.id)[-1].id)


def with_fresh_material(services: Services, adapter: Adapter, intent: PaymentIntent) -> IntentView:
    """An open intent as the provider has it now, with what the buyer needs.

    A create that made no payment, because something stood against the buyer, is asked for again under its own key.
    """
    with services.database.read() as connection:
        attempt = intents.attempts_of(connection, intent.id)[0]
    outcome = None
    with suppress(ProviderError):
        if attempt.reference is not None:
            outcome = call_adapter(lambda: adapter.fetch(str(attempt.reference)))
            intent = record(services, intent.id, outcome)
        elif attempt.exposed and services.clock() < attempt.sent_at + adapter.replay_window:
            attempt = sending_again(services, attempt)
            outcome = call_adapter(partial(adapter.create, attempt.request, attempt.key))
            intent = record(services, intent.id, outcome, attempt)
    if not intent.closed and outcome and (outcome.client_secret or outcome.provider_data or outcome.next_action):
        return IntentView(intent, attempt.id, outcome.next_action, outcome.client_secret, outcome.provider_data)
    return _with_material(services, intent, attempt)


def _with_material(services: Services, intent: PaymentIntent, attempt: Attempt) -> IntentView:
    """An intent with what its first answer had for the buyer, as long as it waits for one."""
    if attempt.material is None or intent.status not in WAITING or intent.closed:
        return IntentView(intent, attempt.id)
    kept = json.loads(services.vault.decrypt(attempt.material))
    return IntentView(intent, attempt.id, kept["next_action"], kept["client_secret"], kept["provider_data"])


def _first(held: Sequence[PaymentIntent], store: Store) -> PaymentIntent | None:
    """The payment to be reckoned with of those that hold an order. Several do only if two entries of its shop had begun
    them before they were known as such: first what only a proven no ends, then what another entry has to put away."""
    return min(
        held, key=lambda one: (one.status in _REPLACEABLE and not one.unknown, one.store_id == store.id), default=None
    )


def _through(entry: StoreHandle, store: StoreHandle) -> str:
    return "" if entry is store else f" through the entry {entry.id}"


def _locked(existing: PaymentIntent, entry: StoreHandle, store: StoreHandle) -> OrderLocked:
    words, reason = {
        Status.SUCCEEDED: ("is already paid", "order_paid"),
        Status.REQUIRES_CAPTURE: ("has an authorized payment", "order_authorized"),
    }.get(existing.status, ("has a payment under way", "order_has_payment"))
    told = f"Order {existing.order_number} {words}{_through(entry, store)} ({existing.shown_id})"
    return OrderLocked(
        f"{told}; it cannot be charged again.",
        reason=reason,
        payment_intent=existing.shown_id,
        provider=existing.adapter,
    )
