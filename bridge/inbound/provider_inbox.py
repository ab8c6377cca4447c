"""What providers report unasked. A message is proven, stored, acknowledged, and only then processed.

It is a hint: whatever it says, the provider is asked for the payment, and that answer is recorded. So it does not
matter in which order messages come, how often, or before which answer of ours.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from bridge.domain import logs
from bridge.domain.errors import (
    BridgeError,
    ConfigurationError,
    EndpointGone,
    EventRefused,
    NotOurs,
    ProviderRefused,
    Unsupported,
)
from bridge.domain.intents import Attempt, Operation, PaymentIntent
from bridge.domain.messages import UNREADABLE, require_storable
from bridge.domain.money import Money
from bridge.domain.outcomes import EventKind, Outcome, ProviderEvent
from bridge.inbound.order_changes import apply_order_event
from bridge.payments import leases
from bridge.payments.attempts import call_adapter, conclude
from bridge.payments.checkout_attempts import find_checkout, record_checkout
from bridge.payments.record import SOURCE_MESSAGE, flag_amount_mismatch, record
from bridge.payments.takeover import Site, match_payment
from bridge.payments.unresolved import flag_intent
from bridge.registry import accounts, stores
from bridge.services import NO_EXCLUSIONS, Exclusions, Queue, Services, StoreHandle, Work
from bridge.storage import inbox, intents
from bridge.storage.inbox import InboxMessage

log = logs.logger(__name__)
Shown = TypeVar("Shown")

RETRY_DELAYS = (5.0, 30.0, 120.0, 600.0, 3600.0)
"""Seconds before a message that could not be processed is tried again; the last one repeats."""
MESSAGE_RETENTION = 72 * 3600.0
"""Seconds that a message is tried, or waits for a payment that it could be about."""
SECONDS_BETWEEN_READS = 30.0
"""Seconds between processing a store's message and processing the same one again: only its body is signed, so that
whoever has one delivery can send it as often as they like."""
MIN_TRIES = 20
"""However old a message is, it is tried so often: time in which nobody worked does not count against it."""


REJECTED_BY = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What an adapter of somebody else's may raise about a message that makes no sense."""
UNKNOWN_ENDPOINT = "unknown_endpoint"
STORE_REMOVED = "store_removed"
TELLING = (UNREADABLE, "too_old", "wrong_signature", "wrong_sender", "unsigned", "no_secret")
"""Of the causes that several stores have, the one that tells most comes first."""


@dataclass(frozen=True, slots=True)
class Received:
    """`new` is False for a message that is here already."""

    id: str
    new: bool


def receive(services: Services, endpoint: str, headers: Mapping[str, str], body: bytes) -> Received:
    """Prove who sent a message and keep it. `endpoint` is the id of a store, or a name that stores share.

    Raises EventRefused if no store of the endpoint can prove it; header names may have any case. The owner is told.
    """
    try:
        return _receive(services, endpoint, headers, body)
    except EventRefused as refusal:
        reason = str(refusal.details.get("cause", "refused"))
        services.refusals.message(endpoint, reason, str(refusal), known=reason != UNKNOWN_ENDPOINT)
        raise


def _receive(services: Services, endpoint: str, headers: Mapping[str, str], body: bytes) -> Received:
    lowered = {name.lower(): value for name, value in headers.items()}
    if lowered.get("user-agent", "").startswith("WooCommerce/"):
        said = _of_shop(services, endpoint, lowered, body)
        if said is None:
            return Received("", False)
        event = said
    else:
        event = _proven(services, endpoint, lowered, body)
    require_storable(event)
    row_id, digest = services.ids.attempt(), hashlib.sha256(body).hexdigest()
    sealed = services.vault.encrypt(body.decode("utf-8", "replace"))  # a client secret may be in it
    now = services.clock()
    new = inbox.add(services.database, now, row_id, endpoint, event, digest, sealed)
    if not new and event.kind is EventKind.ORDER:
        inbox.renew(services.database, now, endpoint, event.id, digest, SECONDS_BETWEEN_READS)
    services.wake(Queue.MESSAGES)
    return Received(row_id, new)


def claim_message(services: Services, room: Exclusions = NO_EXCLUSIONS) -> Work | None:
    """The message that is due first; None if there is none."""
    now = services.clock()
    busy = room.busy(services.database, lambda connection, busy: inbox.first(connection, now, busy, room.shops))
    if busy is None:
        return None
    end = leases.lease_end(services, leases.DELIVERY_TIMEOUTS)
    message = inbox.claim(
        services.database, now, leases.lease_seconds(services, leases.DELIVERY_TIMEOUTS), busy, room.shops
    )
    if message is None:
        return None
    shop = message.endpoint if message.event.kind is EventKind.ORDER else ""
    return Work(Queue.MESSAGES, partial(_work_by, services, message, end), shop=shop, provider=message.endpoint)


def _work_by(services: Services, message: InboxMessage, end: float) -> None:
    try:
        with leases.within_lease(services, end):
            _work(services, message)
    except BridgeError as error:
        _later(services, message, str(error))
    except Exception:
        log.exception("message %s could not be processed", message.id)
        _later(services, message, "The bridge failed; its log says why.")


def _proven(services: Services, endpoint: str, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
    """Raises EventRefused with what every store of the endpoint has against it."""
    refusals: list[BridgeError] = []
    for store in stores.of_endpoint(services, endpoint):
        adapter = services.store(store.id).adapter
        try:
            return adapter.receive(headers, body)
        except (EventRefused, Unsupported) as refusal:
            refusals.append(refusal)
        except REJECTED_BY as fault:
            said = f"The adapter {store.adapter} cannot read the message: {type(fault).__name__}."
            refusals.append(EventRefused(said, cause=UNREADABLE))
    if not refusals:
        raise _nobody(services, endpoint)
    causes = {str(refusal.details.get("cause", "refused")) for refusal in refusals}
    telling = min(causes, key=lambda cause: TELLING.index(cause) if cause in TELLING else len(TELLING))
    raise EventRefused(" ".join(dict.fromkeys(map(str, refusals))), cause=telling)


def _of_shop(services: Services, endpoint: str, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
    """A store's own webhook, as an event about one of its orders; None for one that asks for nothing.

    Its delivery id is not signed, and a new one makes no new message: topic and body do. One that comes again is
    processed again, because `order.deleted` always has the same body.
    """
    try:
        store = services.store(endpoint)
    except ConfigurationError:
        raise _nobody(services, endpoint) from None
    secret = services.vault.shop_secret(store.id)
    said = store.order_book.receive(headers, body, secret)
    if said is None:
        return None
    return ProviderEvent(said.topic, said.topic, EventKind.ORDER, services.clock(), reference=str(said.order_id))


def _nobody(services: Services, endpoint: str) -> EventRefused:
    """Why an endpoint serves no store. If one was removed, the answer says so: a sender that hears 410 stops, and tells
    its owner, instead of trying for days; an acknowledgment would hide that the payment goes unnoticed."""
    if stores.was_removed(services, endpoint):
        return EndpointGone("The store of this endpoint was removed: delete it at the sender.", cause=STORE_REMOVED)
    return EventRefused("There is no such endpoint.", cause=UNKNOWN_ENDPOINT)


def _work(services: Services, message: InboxMessage) -> None:
    event = message.event
    if event.kind is not EventKind.ORDER and (wrong := accounts.misdirected(_served(services, message), event)):
        _finish(services, message, "foreign", error=wrong)
    elif event.kind is EventKind.ACCOUNT:
        _finish(services, message, "done", error=accounts.look(_served(services, message), event))
    elif event.kind is EventKind.ORDER and event.reference:
        store = services.store(message.endpoint)
        _finish(services, message, "done", apply_order_event(store, int(event.reference)))
    elif event.kind is EventKind.OTHER:
        _finish(services, message, "done")
    elif (found := _addressee(services, message)) is None:
        _meet(services, message)
    else:
        event, owner, intent, attempt = found
        _hear(owner, replace(message, event=event), intent, attempt)


def _served(services: Services, message: InboxMessage) -> list[StoreHandle]:
    """The stores of a message's endpoint, with their secrets in plain text."""
    return [services.store(store.id) for store in stores.of_endpoint(services, message.endpoint)]


def _hear(store: StoreHandle, message: InboxMessage, intent: PaymentIntent, attempt: Attempt | None) -> None:
    """Ask the provider for the payment that a message is about, unless the message is about a different one or a
    different amount."""
    event = message.event
    is_opening = attempt is not None and attempt.operation == Operation.OPEN
    known = attempt.reference if attempt and is_opening else _known_reference(store, intent)
    if known and event.reference and known != event.reference:
        log.warning("message %s names a different payment than %s has", message.id, intent.shown_id)
        _finish(store, message, "dead", intent.id, "The message is about a different payment.")
        return
    reference = event.reference or known
    if reference is None:
        _later(store, message, "The message does not say which payment it is about.")
        return
    if (said := _another_sum(event, intent)) is not None:
        flag_amount_mismatch(store, intent.id, said)
        _finish(store, message, "dead", intent.id, "The message names a different amount.")
        return
    outcome = call_adapter(lambda: store.adapter.fetch(reference))
    try:
        _write_down(store, intent, attempt, outcome)
    except NotOurs as error:
        flag_intent(store, intent.id, str(error))
        _finish(store, message, "dead", intent.id, str(error))
    else:
        _finish(store, message, "done", intent.id)


def _write_down(store: StoreHandle, intent: PaymentIntent, attempt: Attempt | None, outcome: Outcome) -> None:
    """What the provider has said of the intent, or of the opening or the unresolved create that `attempt` is."""
    if attempt is None:
        record(store, intent.id, outcome, source=SOURCE_MESSAGE)
    elif attempt.operation == Operation.OPEN:
        record_checkout(store, attempt, outcome, source=SOURCE_MESSAGE)
    else:
        try:
            conclude(store, attempt, outcome)
        except BridgeError as told:
            log.info("attempt %s was resolved by a message: %s", attempt.id, told)


def _another_sum(event: ProviderEvent, intent: PaymentIntent) -> Money | None:
    """What a message says was paid, if it says it and it is not what we asked for."""
    amount, currency = event.amount, event.currency or intent.currency
    if (intent.amount if amount is None else amount, currency) == (intent.amount, intent.currency):
        return None
    return Money(intent.amount if amount is None else amount, currency)


def _known_reference(services: Services, intent: PaymentIntent) -> str | None:
    with services.database.read() as connection:
        return intents.attempts_of(connection, intent.id)[0].reference


def _addressee(
    services: Services, message: InboxMessage
) -> tuple[ProviderEvent, StoreHandle, PaymentIntent, Attempt | None] | None:
    """The store by its account, then the intent by our attempt's id or the provider's, and the message about it.

    Its create if that is unresolved.
    """
    for store in _served(services, message):
        adapter = store.adapter
        if not adapter.owns(message.event):
            continue
        event = _looked_up(partial(adapter.resolved, message.event), message.event)
        with services.database.read() as connection:
            for name in filter(None, (event.attempt_id, event.reference)):
                if intent := intents.find(connection, store.id, name):
                    attempt = intents.unsettled(connection, intent.id)
                    is_create = attempt is not None and attempt.operation == Operation.CREATE
                    opening = find_checkout(connection, intent.id, event.attempt_id, event.reference)
                    return event, store, intent, attempt if is_create else opening
    return None


def _meet(services: Services, message: InboxMessage) -> None:
    """A message about no payment of ours: it may be about one that somebody else has made for an order (rule 13). Ours
    carry the names of their attempts, so that what the provider shows without one is not one of ours that is still to
    come."""
    misfit = ""
    for store in _served(services, message):
        adapter = store.adapter
        if not (adapter.owns(message.event) and adapter.names_orders):
            continue
        event = _looked_up(partial(adapter.resolved, message.event), message.event)
        if event.reference is None or event.attempt_id is not None or event.names_no_order:
            continue
        outcome = _looked_up(partial(adapter.fetch, event.reference), None)
        if outcome is None or outcome.attempt_id is not None:
            continue
        met = match_payment(store, outcome, Site(store))
        if found := met.intent or met.holder:
            _finish(services, message, "done", found.id)
            return
        if met.misfit:
            misfit = f"A payment for order {met.misfit.order} that was not made here: {met.misfit.why}."
    if misfit:
        _finish(services, message, "foreign", error=misfit)
    else:
        _park(services, message)


def _looked_up(ask: Callable[[], Shown], otherwise: Shown) -> Shown:
    """What the provider shows; `otherwise` for what it does not have (any more), which is nobody's payment."""
    try:
        return call_adapter(ask)
    except ProviderRefused as error:
        if error.code != "resource_missing":
            raise
        return otherwise


def _park(services: Services, message: InboxMessage) -> None:
    """It may be early: our own answer may still be on its way. One that stays foreign has no effect."""
    if services.clock() - message.received > MESSAGE_RETENTION:
        _finish(services, message, "foreign")
    else:
        _later(services, message, "no payment of ours yet")


def _later(services: Services, message: InboxMessage, why: str) -> None:
    now = services.clock()
    if now - message.received > MESSAGE_RETENTION and message.tries >= MIN_TRIES:
        _finish(services, message, "dead", error=why)
        return
    due = now + RETRY_DELAYS[min(message.tries, len(RETRY_DELAYS)) - 1] * (1 + services.jitter() / 10)
    with services.database.write() as connection:
        inbox.finish(
            connection, message, now + SECONDS_BETWEEN_READS, {"due": due, "busy_until": 0.0, "last_error": why}
        )


def _finish(
    services: Services, message: InboxMessage, state: str, intent_id: str | None = None, error: str = ""
) -> None:
    now = services.clock()
    with services.database.write() as connection:
        done = {"state": state, "intent_id": intent_id, "last_error": error}
        if message.event.kind is EventKind.ORDER:
            inbox.finish(connection, message, now + SECONDS_BETWEEN_READS, {"due": now, **done})
        else:
            inbox.change(connection, message.id, **done)
