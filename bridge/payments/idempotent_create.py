"""A create that is asked for again under its key: what became of the payment that it began, and of no other."""

from typing import Any

from bridge.domain.errors import Declined, InProgress, IntentNotFound, OrderNotFound, OrderNotPayable, StoreError
from bridge.domain.intents import FINAL, PaymentIntent, Status
from bridge.domain.judgement import misfit
from bridge.payments.create import MAX_ROUNDS, as_stored, resolve_first, with_fresh_material
from bridge.payments.follow_order import require_payable_by
from bridge.payments.intents import IntentView, view_intent
from bridge.payments.orders import terms
from bridge.payments.record import WAITING
from bridge.services import StoreHandle
from bridge.storage import intents


def repeat_create(store: StoreHandle, attempt_id: str) -> IntentView | None:
    """How the payment stands that began with this attempt; an unknown one is settled first.

    None if nothing was ever made of it. Raises Declined, InProgress, OutcomeUnknown, and for one that waits for its
    buyer OrderNotPayable, StoreError.
    """
    for _ in range(MAX_ROUNDS):
        with store.database.read() as connection:
            intent = intents.find(connection, store.id, attempt_id)
            attempt = intents.unsettled(connection, intent.id) if intent else None
        if intent is None:
            return None
        if attempt is None:
            return _settled(store, intent, attempt_id)
        resolve_first(store, attempt, same=_may_resend(store, intent))
    raise InProgress("The payment is being settled by another request.", outcome="unknown", attempt_id=attempt_id)


def _may_resend(store: StoreHandle, intent: PaymentIntent) -> bool:
    """Whether the order could still be paid by it: then the same request may be sent again, else the provider is only
    asked. Raises StoreError."""
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:
        return False
    with store.database.read() as connection:
        return misfit(order, terms(connection, store.config, intent)) is None


def running_attempt(store: StoreHandle, order_id: int) -> str | None:
    """The try that somebody is at for an order, if there is one."""
    with store.database.read() as connection:
        of_order = intents.of_order(connection, store.id, order_id)
        attempts = [intents.unsettled(connection, intent.id) for intent in of_order]
    return next((attempt.id for attempt in reversed(attempts) if attempt), None)


def one_time_material(store: StoreHandle, intent_id: str) -> dict[str, Any] | None:
    """What a create has answered once and what is stored nowhere, as far as the provider tells it again.

    None if nobody may pay it any more. While the store cannot be asked there is nothing to pay with.
    """
    try:
        intent = view_intent(store, intent_id).intent
    except IntentNotFound:
        return {}
    if intent.status in FINAL:
        return None if intent.closed else {}
    try:
        if intent.status in WAITING and not intent.unknown:
            require_payable_by(store, intent)
    except OrderNotPayable:
        return None
    except StoreError:
        return {}
    shown = with_fresh_material(store, store.adapter, intent)
    return {
        "client_secret": shown.client_secret,
        "next_action": shown.next_action,
        "provider_data": shown.provider_data,
    }


def _settled(store: StoreHandle, intent: PaymentIntent, attempt_id: str) -> IntentView | None:
    error = intent.last_error
    if intent.status is Status.CANCELED and error:
        if error["type"] != "card_error":
            return None
        raise Declined(
            f"Error: {error['message']}",
            decline_code=error.get("decline_code") or error["code"],
            code=error["code"],
            outcome="failed",
            attempt_id=attempt_id,
            payment_intent=intent.shown_id,
            provider=store.config.adapter,
        )
    if intent.status in FINAL or intent.status is Status.REQUIRES_CAPTURE:
        return as_stored(store, intent)
    if intent.status in WAITING:
        require_payable_by(store, intent)
    return with_fresh_material(store, store.adapter, intent)
