"""An intent, as a create begins it and as a caller is shown it."""

from dataclasses import dataclass, field
from typing import Any

from bridge.domain.errors import IntentNotFound
from bridge.domain.intents import PaymentIntent, Status
from bridge.domain.judgement import deduction
from bridge.domain.outcomes import Payment
from bridge.domain.stores import Store
from bridge.payments.services import Services
from bridge.storage import intents as rows


@dataclass(frozen=True, slots=True)
class Shown:
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
    """What a create begins with: it holds its order, which was read `now`, and nobody has heard of it yet."""
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


def show(services: Services, store: Store, name: str) -> Shown:
    """An intent of this store by public id, attempt id or reference. Raises IntentNotFound."""
    with services.database.read() as connection:
        intent = rows.find(connection, store.id, name)
        if intent is None:
            raise IntentNotFound(f"No such payment_intent: '{name}'", id=name)
        attempts = rows.attempts_of(connection, intent.id)
    kind = services.connections.adapter(store).payment_method_type
    return Shown(intent, attempts[-1].id, payment_method_type=kind)
