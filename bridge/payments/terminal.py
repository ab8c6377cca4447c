"""In-person payments: an intent that a card reader confirms, then its capture."""

import re
from typing import Any

from bridge.domain.errors import InvalidParameter, ProviderError, Uncapturable, Unsupported
from bridge.domain.intents import PaymentIntent, Status
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.outcomes import Payment
from bridge.domain.stores import Store
from bridge.payments.attempts import ask, cancel_open, look_at, new_attempt, send_create
from bridge.payments.captures import CAPTURABLE, capture_authorization, read_order
from bridge.payments.create import describe, metadata_of, require_payable
from bridge.payments.intents import Shown
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import refunds as refund_rows

METHODS = frozenset({"card_present", "interac_present"})
CAPTURES = frozenset({"manual", "automatic"})
"""What `payment_methods` and `capture_method` may name."""


def create_terminal_intent(
    services: Services,
    store: Store,
    order_id: int,
    *,
    payment_methods: Any = None,
    metadata: Any = None,
    customer_id: Any = None,
    capture_method: Any = None,
) -> Shown:
    """An unconfirmed intent over what the order owes; one that is open for the same sum is answered again.

    Raises OrderMissing, InvalidParameter, Unsupported, Refused, ProviderError, OutcomeUnknown or StoreError.
    """
    order = read_order(services, store, order_id)
    adapter = services.connections.adapter(store)
    if "terminal" not in adapter.operations:
        raise Unsupported("create_terminal_intent", adapter.name)
    methods, capture, extra = _checked(payment_methods, metadata, capture_method)
    amount = Money.parse(order.total, order.currency, smallest=adapter.smallest(order.currency)).amount
    if amount <= 0:
        raise InvalidParameter("order_id", f"Order {order.number} has nothing to pay.")
    attempt_id = services.ids.attempt()
    own = {**metadata_of(services, store, order), "order_id": order.id}
    payment = Payment(
        attempt_id=attempt_id,
        order=order,
        amount=amount,
        currency=order.currency,
        customer=str(customer_id or ""),
        payment_method="",
        capture=capture,
        metadata={**extra, **own},
        description=describe(store, order),
    )
    open_intent = _open_intent(services, store, order, payment)
    if open_intent is not None:
        return open_intent
    require_payable(order)
    request = adapter.prepare_terminal(payment, methods, payment.metadata)
    attempt = new_attempt(services, store, attempt_id, attempt_id, "create", request)
    intent = _intent(services, store, payment)
    asked = {"provider": adapter.name, "order": order.number, "amount": amount, "currency": order.currency}
    asked |= {"customer": payment.customer, "payment_method": "card reader"}
    if not rows.claim(services.database, intent, attempt, asked):
        raise Uncapturable("The order has another payment.", reason="order_has_payment")
    return send_create(services, store, attempt)


def capture_terminal_payment(services: Services, store: Store, order_id: int, payment_intent_id: str) -> PaymentIntent:
    """Take what a card reader has authorised. One that the reader's network took already (Interac) is answered.

    Raises as `capture_authorization`.
    """
    order = read_order(services, store, order_id)
    with services.database.read() as connection:
        held = rows.holding(connection, store.id, order.id, order.key)
        intent = rows.find(connection, store.id, payment_intent_id)
        refunded = intent and any(r.status.counts for r in refund_rows.of_intent(connection, intent.id))
    if refunded or order.status == "refunded":
        raise Uncapturable("Payment cannot be captured for partially or fully refunded orders.", reason="refunded")
    if intent and (intent.order_id, intent.order_key) != (order.id, order.key):
        raise Uncapturable("The payment cannot be captured", reason="order_mismatch")
    if held and (intent is None or held.id != intent.id or held.channel != "terminal"):
        raise Uncapturable("The payment cannot be captured for completed or processed orders.", reason="status")
    if intent and intent.status not in (Status.SUCCEEDED, Status.CANCELED):
        intent = look_at(services, store, intent.id)
    if intent and intent.status not in CAPTURABLE:
        raise Uncapturable("The payment cannot be captured", reason="status")
    if intent and intent.status is Status.SUCCEEDED:
        return intent
    return capture_authorization(services, store, order_id, payment_intent_id)


def connection_token(services: Services, store: Store) -> dict[str, Any]:
    """What a reader's app needs to connect. Raises Unsupported or ProviderError."""
    adapter = services.connections.adapter(store)
    if "terminal" not in adapter.operations:
        raise Unsupported("connection_tokens", adapter.name)
    return ask(adapter.connection_token)


def _checked(methods: Any, metadata: Any, capture: Any) -> tuple[list[str], str, dict[str, Any]]:
    methods = ["card_present"] if methods is None else methods
    if not isinstance(methods, list) or not methods or not METHODS.issuperset(map(str, methods)):
        raise InvalidParameter("payment_methods", "payment_methods is a list of card_present and interac_present.")
    capture = "manual" if capture is None else capture
    if not isinstance(capture, str) or capture not in CAPTURES:
        raise InvalidParameter("capture_method", "capture_method is manual or automatic.")
    metadata = {} if metadata is None or metadata == [] else metadata
    if not isinstance(metadata, dict) or not all(re.fullmatch(r"[\w.-]{1,40}", str(name)) for name in metadata):
        raise InvalidParameter("metadata", "metadata is an object of short names and texts.")
    return [str(method) for method in methods], str(capture), {k: str(v)[:500] for k, v in metadata.items()}


def _open_intent(services: Services, store: Store, order: Order, payment: Payment) -> Shown | None:
    """The order's intent that a reader can still confirm, if it is over the same sum; another one is voided first."""
    with services.database.read() as connection:
        held = rows.holding(connection, store.id, order.id, order.key)
        if held is None:
            return None
        attempts = rows.attempts_of(connection, held.id)
    fits = (held.amount, held.currency, held.capture, held.channel) == (
        payment.amount,
        payment.currency,
        payment.capture,
        "terminal",
    )
    if fits and held.status is not Status.CANCELED and attempts[0].reference:
        return Shown(held, attempts[-1].id)
    if held.status in (Status.SUCCEEDED, Status.REQUIRES_CAPTURE, Status.PROCESSING):
        raise Uncapturable("The order has another payment.", reason="order_has_payment")
    after = cancel_open(services, store, held)
    if after.status is not Status.CANCELED:
        raise ProviderError("The order's earlier payment could not be voided yet.")
    return None


def _intent(services: Services, store: Store, payment: Payment) -> PaymentIntent:
    now = services.clock()
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
        payment_method="",
        requested_payment_method="",
        channel="terminal",
        capture=payment.capture,
        status=Status.PROCESSING,
        unknown=True,
        holding=True,
        order_read=now,
        look_at=None,
        created=now,
        updated=now,
        metadata=payment.metadata,
    )
