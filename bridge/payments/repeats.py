"""A create that is asked for again under its key: what became of the payment that it began, and of no other."""

from typing import Any

from bridge.domain.errors import Declined, InProgress, IntentNotFound
from bridge.domain.intents import FINAL, PaymentIntent, Status
from bridge.domain.stores import Store
from bridge.payments.create import ROUNDS, as_stored, refreshed, settle_first
from bridge.payments.intents import Shown, show
from bridge.payments.services import Services
from bridge.storage import intents as rows


def carry_on(services: Services, store: Store, attempt_id: str) -> Shown | None:
    """How the payment stands that began with this attempt; an unknown one is settled first.

    None if nothing was ever made of it. Raises Declined, InProgress, OutcomeUnknown.
    """
    for _ in range(ROUNDS):
        with services.database.read() as connection:
            intent = rows.find(connection, store.id, attempt_id)
            attempt = rows.unsettled(connection, intent.id) if intent else None
        if intent is None:
            return None
        if attempt is None:
            return _settled(services, store, intent, attempt_id)
        settle_first(services, store, attempt, same=True)
    raise InProgress("The payment is being settled by another request.", outcome="unknown", attempt_id=attempt_id)


def attempt_at_work(services: Services, store: Store, order_id: int) -> str | None:
    """The try that somebody is at for an order, if there is one."""
    with services.database.read() as connection:
        attempts = [rows.unsettled(connection, intent.id) for intent in rows.of_order(connection, store.id, order_id)]
    return next((attempt.id for attempt in reversed(attempts) if attempt), None)


def one_time_material(services: Services, store: Store, intent_id: str) -> dict[str, Any]:
    """What a create has answered once and what is stored nowhere, as far as the provider tells it again."""
    try:
        intent = show(services, store, intent_id).intent
    except IntentNotFound:
        return {}
    shown = refreshed(services, services.connections.adapter(store), intent)
    return {
        "client_secret": shown.client_secret,
        "next_action": shown.next_action,
        "provider_data": shown.provider_data,
    }


def _settled(services: Services, store: Store, intent: PaymentIntent, attempt_id: str) -> Shown | None:
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
            provider=store.adapter,
        )
    if intent.status in FINAL or intent.status is Status.REQUIRES_CAPTURE:
        return as_stored(services, intent)
    return refreshed(services, services.connections.adapter(store), intent)
