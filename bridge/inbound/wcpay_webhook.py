"""Hints: somebody with a key says that something happened to a payment. Nothing in them is believed.

The bridge asks the provider for the payment. The messages are those that WooPayments' platform sends to a store.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.domain.errors import EventRefused, IntentNotFound, OutcomeUnknown
from bridge.domain.intents import PaymentIntent
from bridge.domain.orders import is_order_id
from bridge.domain.stores import Store
from bridge.payments.outcomes import poll_payment, resolve
from bridge.services import StoreHandle
from bridge.storage import Connection, intents

IGNORED_EVENTS = frozenset({"payment_intent.canceled", "payment_intent.amount_capturable_updated"})
"""Messages that mean nothing for a payment that is not here."""


def apply_webhook(store: StoreHandle, message: Any) -> None:
    """Ask the provider for the payment that a message names, if it is of the store's mode and about a payment.

    Raises EventRefused for one that lacks what it must have, IntentNotFound, ProviderError or OutcomeUnknown.
    """
    kind = _part(message, "type", str)
    if message.get("livemode") not in (None, store.config.live):
        return
    if not kind.startswith(("payment_intent.", "charge.")):
        return
    about = _part(_part(message, "data", Mapping), "object", Mapping)
    found = _find(store, about)
    if found is not None:
        _look(store, found)
    elif kind.startswith("charge.dispute."):
        raise EventRefused(f"Could not find order via charge ID: {about.get('charge')}")
    elif kind not in IGNORED_EVENTS:
        raise IntentNotFound("Could not find order.")


def _part(message: Any, name: str, kind: type) -> Any:
    part = message.get(name) if isinstance(message, Mapping) else None
    if not isinstance(part, kind):
        raise EventRefused(f"{name} not found in array")
    return part


def _find(store: StoreHandle, about: Mapping[str, Any]) -> PaymentIntent | None:
    with store.database.read() as connection:
        for name in _names(about):
            if found := intents.find(connection, store.id, name) or intents.by_charge(connection, store.id, name):
                return found
        return _waiting(connection, store.config, about)


def _waiting(connection: Connection, store: Store, about: Mapping[str, Any]) -> PaymentIntent | None:
    """The order's payment whose id the provider has not told us yet."""
    metadata = about.get("metadata")
    order = str(metadata.get("order_id") or "") if isinstance(metadata, Mapping) else ""
    candidates = intents.of_order(connection, store.id, int(order)) if is_order_id(order) else []
    return next((intent for intent in candidates if intent.holding and intent.public_id is None), None)


def _look(store: StoreHandle, intent: PaymentIntent) -> None:
    """Find out its state, and with that the outcome of a request that was unknown."""
    with store.database.read() as connection:
        attempt = intents.unsettled(connection, intent.id)
    if attempt is None:
        poll_payment(store, intent.id)
    elif not resolve(store, attempt, resend=False):
        raise OutcomeUnknown("It is not known yet what became of this payment.", attempt_id=attempt.id)


def _names(about: Mapping[str, Any]) -> Iterator[str]:
    """Ids that a PaymentIntent, Charge, Refund or Dispute has, the payment's own first."""
    for member in ("payment_intent", "charge", "id"):
        named = about.get(member)
        name = named.get("id") if isinstance(named, Mapping) else named
        if isinstance(name, str) and 0 < len(name) <= 255 and name.isprintable():
            yield name
