"""An intent, as a create begins it and as a caller is shown it."""

from dataclasses import dataclass, field, replace
from typing import Any

from bridge.domain.errors import IntentNotFound, Refused
from bridge.domain.intents import PaymentIntent, Status
from bridge.domain.judgement import deduction
from bridge.domain.orders import Order
from bridge.domain.outcomes import Outcome, Payment
from bridge.domain.stores import Store
from bridge.services import StoreHandle
from bridge.storage import intents


@dataclass(frozen=True, slots=True)
class IntentView:
    """An intent for the caller.

    The rest is one-time material: for the answer to a create, never stored, never in GET.
    """

    intent: PaymentIntent
    attempt_id: str
    next_action: dict[str, Any] | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    provider_data: dict[str, Any] | None = field(default=None, repr=False)
    payment_method_type: str = "card"


def new_intent(store: Store, payment: Payment, now: float, *, channel: str = "online") -> PaymentIntent:
    """What a create begins with: it holds its order, which was read `now`, and nobody has been told of it yet."""
    return PaymentIntent(
        id=payment.attempt_id,
        public_id=None,
        store_id=store.id,
        adapter=store.adapter,
        live=store.live,
        order_id=payment.order.id,
        order_number=payment.order.number,
        order_key=payment.order.key,
        amount=payment.amount,
        currency=payment.currency,
        customer=payment.customer,
        payment_method=payment.payment_method,
        requested_payment_method=payment.payment_method,
        channel=channel,
        capture=payment.capture,
        status=Status.PROCESSING,
        unknown=True,
        holding=True,
        order_read=0.0 if payment.order.refunded else now,
        look_at=None,
        created=now,
        updated=now,
        metadata=payment.metadata,
        deducted=deduction(payment.order),
    )


def found_intent(
    store: Store, order: Order, outcome: Outcome, attempt_id: str, now: float, capture: str
) -> PaymentIntent:
    """What is written of a payment that was found at the provider: it was there since `created`, whoever made it, and
    its order was read only now."""
    payment = Payment(
        attempt_id=attempt_id,
        order=order,
        amount=outcome.amount,
        currency=outcome.currency.upper(),
        customer=outcome.customer or "",
        payment_method=outcome.payment_method or "",
        capture="manual" if outcome.status is Status.REQUIRES_CAPTURE else capture,
        metadata=outcome.metadata,
        description="",
    )
    intent = new_intent(store, payment, now, channel="terminal" if outcome.is_in_person else "online")
    return replace(intent, order_read=0.0, created=outcome.created or now)


def view_intent(store: StoreHandle, name: str) -> IntentView:
    """An intent of this store by public id, attempt id or reference. Raises IntentNotFound."""
    with store.database.read() as connection:
        intent = intents.find(connection, store.id, name)
        if intent is None:
            raise IntentNotFound(f"No such payment_intent: '{name}'", id=name)
        attempts = intents.attempts_of(connection, intent.id)
    kind = store.adapter.payment_method_type
    return IntentView(intent, attempts[-1].id, payment_method_type=kind)


def require_made_here(intent: PaymentIntent) -> None:
    """Rule 13: what is only known is its maker's to capture, void and refund. Raises Refused."""
    if intent.only_known:
        told = f"The payment {intent.shown_id} was not made here: whoever has made it can capture, void or refund it."
        raise Refused(told, reason="payment_of_others", payment_intent=intent.shown_id, provider=intent.adapter)
