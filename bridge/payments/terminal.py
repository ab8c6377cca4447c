"""In-person payments: an intent that a card reader confirms, then its capture."""

import json
import re
from contextlib import suppress
from typing import Any

from bridge.domain.errors import InProgress, IntentNotFound, InvalidParameter, ProviderError, Uncapturable, Unsupported
from bridge.domain.intents import FINAL, MONEY, Attempt, Operation, PaymentIntent, Status
from bridge.domain.orders import Order
from bridge.domain.outcomes import IN_PERSON, Payment
from bridge.domain.ports import Adapter
from bridge.payments import takeover
from bridge.payments.attempts import call_adapter, cancel_open_payment, new_attempt, send_create
from bridge.payments.captures import capture, named_intent, require_not_refunded
from bridge.payments.create import (
    close_unfit_payments,
    describe_payment,
    metadata_of,
    release_refunded,
    require_no_earlier_payment,
)
from bridge.payments.customers import require_own_customer
from bridge.payments.intents import IntentView, new_intent
from bridge.payments.orders import amount_due, read_order, require_payable
from bridge.payments.outcomes import poll_payment, resolve
from bridge.payments.shops import entry_of
from bridge.payments.takeover import match_named_payment
from bridge.services import StoreHandle
from bridge.storage import intents, order_locks

CAPTURE_METHODS = frozenset({"manual", "automatic"})
"""What `payment_methods` and `capture_method` may name."""
NOT_CAPTURABLE = "The payment cannot be captured for completed or processed orders."


def create_terminal_intent(
    store: StoreHandle,
    order_id: int,
    *,
    payment_methods: Any = None,
    metadata: Any = None,
    customer_id: Any = None,
    capture_method: Any = None,
) -> IntentView:
    """An unconfirmed intent over what the order owes; one that was made for just the same is answered again.

    Raises OrderMissing, InvalidParameter, Unsupported, Refused, ProviderError, OutcomeUnknown or StoreError.
    """
    order = read_order(store, order_id)
    adapter = _adapter(store, "create_terminal_intent")
    methods, capture, extra = _checked(payment_methods, metadata, capture_method)
    close_unfit_payments(store, order)
    amount = amount_due(store.config, adapter, order).amount
    if amount <= 0:
        raise InvalidParameter("order_id", f"Order {order.number} has nothing to pay.")
    attempt_id = store.ids.attempt()
    own = {**metadata_of(store, order), "order_id": order.id}
    payment = Payment(
        attempt_id=attempt_id,
        order=order,
        amount=amount,
        currency=order.currency,
        customer=str(customer_id or ""),
        payment_method="",
        capture=capture,
        metadata={**extra, **own},
        description=describe_payment(store.config, order),
    )
    request = adapter.prepare_terminal(payment, methods, payment.metadata)
    require_own_customer(store, adapter, payment.customer)
    attempt = new_attempt(store, attempt_id, attempt_id, Operation.CREATE, request)
    open_intent = _open_intent(store, order, attempt)
    if open_intent is not None:
        return open_intent
    with store.database.read() as connection:
        known = intents.of_shops_order(connection, store.id, store.config.live, order.id)
    require_payable(order, known, in_person=True)
    require_no_earlier_payment(store, known, order)
    takeover.mark_readers_used(store)
    intent = new_intent(store.config, payment, store.clock(), channel="terminal")
    asked = {"provider": adapter.name, "order": order.number, "amount": amount, "currency": order.currency}
    asked |= {"customer": payment.customer, "payment_method": "card reader"}
    if not order_locks.claim(store.database, intent, attempt, asked, generation=store.config.generation):
        raise Uncapturable("The order has another payment.", reason="order_has_payment")
    return send_create(store, attempt)


def capture_terminal_payment(store: StoreHandle, order_id: int, payment_intent_id: str) -> PaymentIntent:
    """Take what a card reader has authorized. One that the reader's network took already (Interac) is answered. A
    payment that an app has made by itself, as WooCommerce's do, is taken over.

    The checks come in WooPayments' order. Raises as `capture_authorization`.
    """
    order = read_order(store, order_id)
    _adapter(store, "capture_terminal_payment")
    _meet(store, order, payment_intent_id)
    require_not_refunded(store, order)
    with store.database.read() as connection:
        held = order_locks.holding(connection, store.id, store.config.live, order.id, order.key)
        named = intents.find(connection, store.id, payment_intent_id)
    if held and (named is None or held.id != named.id) and _has_money(store, held, named):
        raise Uncapturable(NOT_CAPTURABLE, reason="status")
    intent = named_intent(store, order, payment_intent_id)
    if intent.status not in FINAL:
        intent = poll_payment(store, intent.id)
    if intent.channel != "terminal":
        if intent.status in (*MONEY, Status.PROCESSING):
            raise Uncapturable(NOT_CAPTURABLE, reason="status")
        raise Uncapturable("The payment cannot be captured", reason="order_mismatch")
    if intent.status is Status.SUCCEEDED:
        return intent
    if intent.status is not Status.REQUIRES_CAPTURE:
        sentence = NOT_CAPTURABLE if intent.status is Status.PROCESSING else "The payment cannot be captured"
        raise Uncapturable(sentence, reason="status")
    return capture(store, order, intent)


def _meet(store: StoreHandle, order: Order, payment_intent_id: str) -> None:
    """Learn of a payment that an app has made before anything is said about it: whatever stands against a capture, its
    money is there. Why it fits nothing is said when it is its turn. Raises InProgress, StoreError, ProviderError."""
    with store.database.read() as connection:
        named = intents.find(connection, store.id, payment_intent_id)
    if named is None:
        with suppress(IntentNotFound):
            match_named_payment(store, order, payment_intent_id)


def _has_money(store: StoreHandle, held: PaymentIntent, named: PaymentIntent | None) -> bool:
    """Whether the order is paid or authorized by its payment. Where it is, an app takes the refusal for a capture that
    was made before: an order whose payment is merely open must not be refused in the same way.

    The provider is asked only if the `named` intent does not settle it by being another order's.
    """
    is_anothers = named is not None and (named.order_id, named.order_key) != (held.order_id, held.order_key)
    if held.status not in FINAL and not is_anothers:
        held = poll_payment(entry_of(store, held), held.id)
    return held.status in MONEY


def connection_token(store: StoreHandle) -> dict[str, Any]:
    """What a reader's app needs to connect. Raises Unsupported or ProviderError."""
    adapter = _adapter(store, "connection_tokens")
    takeover.mark_readers_used(store)
    return call_adapter(adapter.connection_token)


def _adapter(store: StoreHandle, route: str) -> Adapter:
    """The store's adapter, if it supports card readers. Raises Unsupported."""
    adapter = store.adapter
    if "terminal" not in adapter.operations:
        raise Unsupported(route, adapter.name)
    return adapter


def _checked(methods: Any, metadata: Any, capture: Any) -> tuple[list[str], str, dict[str, Any]]:
    methods = ["card_present"] if methods is None else methods
    if not isinstance(methods, list) or not methods or not IN_PERSON.issuperset(map(str, methods)):
        raise InvalidParameter("payment_methods", "payment_methods must be a list of card_present and interac_present.")
    capture = "manual" if capture is None else capture
    if not isinstance(capture, str) or capture not in CAPTURE_METHODS:
        raise InvalidParameter("capture_method", "capture_method must be manual or automatic.")
    metadata = {} if metadata is None or metadata == [] else metadata
    if not isinstance(metadata, dict) or not all(re.fullmatch(r"[\w.-]{1,40}", str(name)) for name in metadata):
        raise InvalidParameter("metadata", "metadata must be an object of short names and strings.")
    texts = {str(name): _text(value) for name, value in metadata.items() if value is not None}
    return [str(method) for method in methods], str(capture), texts


def _text(value: Any) -> str:
    """A value of the caller's metadata as JSON writes it; null is left out before. Raises InvalidParameter."""
    if isinstance(value, (list, dict)):
        raise InvalidParameter("metadata", "A value of metadata must be a string, a number, true or false.")
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:500].replace("\0", "")  # which no database takes


def _open_intent(store: StoreHandle, order: Order, wanted: Attempt) -> IntentView | None:
    """The order's intent, if it was made by just the same request; another one that is open is voided first.

    None if the order is free now. Raises Uncapturable, InProgress, ProviderError or OutcomeUnknown.
    """
    with store.database.read() as connection:
        held = order_locks.holding(connection, store.id, store.config.live, order.id, order.key)
        if held is None:
            return None
        unsettled = intents.unsettled(connection, held.id)
        attempts = intents.attempts_of(connection, held.id)
    if unsettled:
        _settle(entry_of(store, held), held, unsettled)
        return _open_intent(store, order, wanted)
    if release_refunded(store, held, order):
        return _open_intent(store, order, wanted)
    entry = entry_of(store, held)
    if entry is store and held.channel == "terminal" and _told(attempts[0]) == _told(wanted):
        return IntentView(held, attempts[-1].id)
    held = poll_payment(entry, held.id)  # a card may have been held to the reader since
    if held.status in (Status.SUCCEEDED, Status.REQUIRES_CAPTURE, Status.PROCESSING):
        raise Uncapturable("The order has another payment.", reason="order_has_payment")
    after = cancel_open_payment(entry, held)
    if after.status is not Status.CANCELED:
        raise ProviderError("The order's earlier payment could not be voided yet.")
    return _open_intent(store, order, wanted)  # unless several entries have one, the order is free now


def _settle(store: StoreHandle, held: PaymentIntent, unsettled: Attempt) -> None:
    """Raises InProgress while nobody knows what became of it. What is sent again moves no money by itself."""
    is_ours = unsettled.busy_until <= store.clock()
    if not (is_ours and resolve(store, unsettled, resend=held.channel == "terminal")):
        raise InProgress(
            "An earlier payment for this order is not resolved yet. Ask again in a moment.",
            outcome="unknown",
            attempt_id=unsettled.id,
            provider=store.config.adapter,
        )


def _told(attempt: Attempt) -> str:
    """What the provider is told, but for the name of the attempt."""
    return json.dumps(attempt.request, sort_keys=True).replace(attempt.id, "")
