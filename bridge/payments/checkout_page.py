"""The buyer's page: a signed link to the payment of one order, its state, and what the buyer may do.

Whoever has the link may pay and see what the order costs, and nothing else. Only the provider says whether it was paid.
"""

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from bridge.domain import logs
from bridge.domain.errors import BridgeError, OrderNotPayable, Refused, StoreError, Unsupported
from bridge.domain.intents import Attempt, Operation, PaymentIntent, Status
from bridge.domain.outcomes import Opening, Outcome
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments.attempts import call_adapter, reference_of
from bridge.payments.checkout_attempts import payable_attempts
from bridge.payments.create import create_payment_intent
from bridge.payments.follow_order import require_payable_by
from bridge.payments.hosted_checkout import MAX_OPEN_CHECKOUTS, NOT_NOW, open_checkout
from bridge.payments.outcomes import poll_payment
from bridge.payments.record import WAITING
from bridge.services import Services
from bridge.storage import intents, jobs, order_locks, stores

log = logs.logger(__name__)

PURPOSE = "pay"
LINK_INVALID = "link_invalid"
"""The reason of a link that was not made here."""
STORE_REMOVED = "store_removed"
DAY_SECONDS = 24 * 3600
LINK_DAYS = 7
"""How many days a link works at least; it is the same link for a day."""
POLL_INTERVAL_SECONDS = 3.0
"""Seconds for which one answer from the provider is reused, however many ask."""
ORDER_READ_INTERVAL_SECONDS = 10.0
"""Seconds for which one read of the order is reused to show its page, however many want to see it."""
MAX_TRIES = 10
"""How many payments of one order the page starts automatically before it stops."""

REDIRECT, WIDGET, ELEMENTS, SANDBOX, LINK = "redirect", "forte_widget", "stripe_elements", "sandbox", "link"
"""How a buyer pays: what adapters say in `provider_data["kind"]`, and two that do not depend on them."""


class Stage(StrEnum):
    """Where the buyer is. `opened`: at the provider, as far as we know. `declined` can be tried again."""

    OPEN = "open"
    OPENED = "opened"
    DECLINED = "declined"
    PROCESSING = "processing"
    PAID = "paid"
    ENDED = "ended"


_STAGES = {
    Status.PROCESSING: Stage.PROCESSING,
    Status.REQUIRES_CAPTURE: Stage.PAID,
    Status.SUCCEEDED: Stage.PAID,
    Status.CANCELED: Stage.ENDED,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """A buyer's view of one payment. `opened` counts the openings that may still be paid, `made` all that were made.

    With `may_retry` the buyer may have the payment of the order started anew. `closed` says why its order cannot be
    paid now; with `unasked` the store could not be asked whether it can, and the page takes no payment.

    `provider_data`, `next_action` and `client_secret` are one-time material for the page, empty when it needs none.
    """

    intent: PaymentIntent
    store: Store
    stage: Stage
    kind: str
    opened: int = 0
    made: int = 0
    may_retry: bool = False
    closed: str = ""
    unasked: bool = False
    provider_data: dict[str, Any] = field(default_factory=dict, repr=False)
    next_action: dict[str, Any] = field(default_factory=dict, repr=False)
    client_secret: str = field(default="", repr=False)

    @property
    def may_open_again(self) -> bool:
        return self.opened < MAX_OPEN_CHECKOUTS


@runtime_checkable
class Authenticates(Protocol):
    """An adapter that plays the payer's bank, as the sandbox does."""

    def authenticate(self, reference: str, success: bool) -> Outcome:
        """The payer answers the bank's question, or fails to. Raises ProviderRefused if nothing was asked."""
        ...


def token_for(services: Services, intent: PaymentIntent) -> str | None:
    """What a link to the buyer's page ends in; None if the payment does not wait for a buyer at a screen."""
    if intent.unknown or intent.closed or intent.status not in WAITING or intent.channel != "online":
        return None
    return _token(services, intent)


def visit(services: Services, token: str) -> Visit:
    """The payment that a link leads to: the one that holds the order now, if its own does not any more.

    Raises Refused (reason `link_invalid`, `link_expired`, STORE_REMOVED), ConfigurationError.
    """
    intent_id, _, expires = (services.vault.unsign(token, PURPOSE) or "").partition(".")
    if not expires:
        raise Refused("This link is not one of ours.", reason=LINK_INVALID)
    if int(expires, 16) <= services.clock():
        raise Refused("This link has expired.", reason="link_expired")
    with services.database.read() as connection:
        try:
            intent = intents.get(connection, intent_id)
        except LookupError:
            raise Refused("The payment of this link is no longer kept.", reason="link_expired") from None
        if stores.get(connection, intent.store_id) is None:
            raise Refused("The store of this link was removed.", reason=STORE_REMOVED)
        if not intent.holding:
            held = order_locks.holding(connection, intent.store_id, intent.live, intent.order_id, intent.order_key)
            intent = held or intent
        attempts = intents.attempts_of(connection, intent.id)
    return _visit(services, intent, attempts)


def shown(services: Services, token: str) -> Visit:
    """The same for somebody who is about to see it: its order is read, unless that was done within
    ORDER_READ_INTERVAL_SECONDS.

    Raises Refused, ConfigurationError.
    """
    seen = visit(services, token)
    if not _waits(seen) or not _take_read(services, seen.intent.id, seen.store.id):
        return seen
    try:
        require_payable_by(services.at(seen.store), seen.intent)
    except OrderNotPayable as error:
        return _cannot_be_paid(visit(services, token), str(error))
    except StoreError as error:
        log.info("order %s cannot be read for its page: %s", seen.intent.order_number, error)
        with services.database.write() as connection:
            intents.change(connection, seen.intent.id, order_seen=0.0)
        return replace(seen, kind="", may_retry=False, unasked=True)
    return visit(services, token)


def confirm(services: Services, token: str) -> Visit:
    """The buyer is about to confirm at the provider: the order is read once more. What comes back with `closed` must
    not be confirmed. Raises Refused, ConfigurationError, StoreError.
    """
    seen = visit(services, token)
    if not _waits(seen):
        return seen
    try:
        require_payable_by(services.at(seen.store), seen.intent)
    except OrderNotPayable as error:
        return _cannot_be_paid(visit(services, token), str(error))
    return visit(services, token)


def may_confirm(seen: Visit) -> bool:
    """Whether the buyer may go on to pay."""
    return not seen.closed and seen.stage in (Stage.OPEN, Stage.DECLINED)


def onward(services: Services, token: str) -> str:
    """Where the provider wants the buyer to go on, right after the order was read. Raises Refused, StoreError."""
    seen = confirm(services, token)
    url = str((seen.next_action.get("redirect_to_url") or {}).get("url") or "")
    schemes = ("https",) if seen.store.live else ("https", "http")
    if not may_confirm(seen) or urlsplit(url).scheme not in schemes:
        raise Refused("This cannot be done with the payment as it is now.", reason=NOT_NOW)
    return url


def refresh(services: Services, token: str) -> Visit:
    """The same, after asking the provider, unless somebody did so within POLL_INTERVAL_SECONDS.

    Raises Refused, ConfigurationError.
    """
    seen = visit(services, token)
    if seen.stage in (Stage.PAID, Stage.ENDED) or seen.intent.unknown or not _take_turn(services, seen.intent.id):
        return seen
    _look(services, seen)
    return visit(services, token)


def open_redirect(services: Services, token: str, *, again: bool = False, seen: int | None = None) -> Opening:
    """Where to send the buyer, once: a payment of its own at the provider. `seen` and errors as of `open_checkout`."""
    found = visit(services, token)
    _require(found, REDIRECT, Stage.OPEN, Stage.OPENED, Stage.DECLINED)
    return open_checkout(services.at(found.store), found.intent, again=again, seen=seen)


def decide(services: Services, token: str, *, approve: bool) -> None:
    """The buyer presses a button of the sandbox. The bridge then asks for the result, as it asks any provider.

    Raises Refused, OrderNotPayable, StoreError, ProviderError or OutcomeUnknown: then nothing was pressed.
    """
    seen = visit(services, token)
    _require(seen, SANDBOX, Stage.OPEN, Stage.DECLINED)
    if approve:
        require_payable_by(services.at(seen.store), seen.intent)
    adapter = services.stores.adapter(seen.store)
    if not isinstance(adapter, Authenticates):
        raise Unsupported("authenticate", seen.store.adapter)
    with services.database.read() as connection:
        reference = reference_of(connection, seen.intent.id)
    call_adapter(lambda: adapter.authenticate(reference, approve))
    _look(services, seen)


def try_again(services: Services, token: str) -> str:
    """Start the order's payment anew after one that has ended; the token of the new one.

    It is a create like any other, of an adapter whose creates take no money, and raises what those raise.
    """
    seen = visit(services, token)
    if not seen.may_retry:
        raise Refused("This payment cannot be restarted.", reason=NOT_NOW)
    intent = seen.intent
    with services.database.read() as connection:
        tries = intents.of_order(connection, intent.store_id, intent.order_id)
    if len(tries) >= MAX_TRIES:
        raise Refused("Payment of this order was tried too often.", reason="tried_too_often")
    shown = create_payment_intent(
        services.at(seen.store),
        order_id=intent.order_id,
        customer=intent.customer,
        payment_method=intent.requested_payment_method,
    )
    return _token(services, shown.intent)


def _token(services: Services, intent: PaymentIntent) -> str:
    expires = (int(services.clock()) // DAY_SECONDS + 1 + LINK_DAYS) * DAY_SECONDS
    return services.vault.sign(f"{intent.id}.{expires:x}", PURPOSE)


def _visit(services: Services, intent: PaymentIntent, attempts: list[Attempt]) -> Visit:
    store = services.store(intent.store_id)
    opened = payable_attempts(attempts, services.clock())
    stage = _stage(intent, bool(opened))
    if intent.closed and stage not in (Stage.PAID, Stage.PROCESSING):
        return Visit(intent, store.config, Stage.ENDED, "", closed=intent.closed)
    adapter = store.adapter
    if stage not in (Stage.OPEN, Stage.OPENED, Stage.DECLINED):
        may_retry = adapter.confirmed_by_buyer and stage is Stage.ENDED and intent.charge is None
        return Visit(intent, store.config, stage, "", may_retry=may_retry)
    sealed = next((attempt.material for attempt in reversed(attempts) if attempt.material), None)
    material = json.loads(services.vault.decrypt(sealed)) if sealed else {}
    provider_data, next_action = material.get("provider_data") or {}, material.get("next_action") or {}
    kind = _kind(adapter, provider_data, next_action)
    return Visit(
        intent=intent,
        store=store.config,
        stage=stage,
        kind=kind,
        opened=len(opened),
        made=sum(attempt.operation == Operation.OPEN for attempt in attempts),
        may_retry=adapter.confirmed_by_buyer and stage is Stage.DECLINED and kind == WIDGET,
        provider_data=provider_data,
        next_action=next_action,
        client_secret=material.get("client_secret") or "",
    )


def _stage(intent: PaymentIntent, opened: bool) -> Stage:
    if intent.unknown:
        return Stage.PROCESSING
    if intent.status in WAITING:
        if opened:
            return Stage.OPENED
        declined = intent.status is Status.REQUIRES_PAYMENT_METHOD and intent.last_error
        return Stage.DECLINED if declined else Stage.OPEN
    return _STAGES[intent.status]


def _kind(adapter: Adapter, provider_data: dict[str, Any], next_action: dict[str, Any]) -> str:
    if "open" in adapter.operations:
        return REDIRECT
    if isinstance(kind := provider_data.get("kind"), str):
        return kind
    return LINK if (next_action.get("redirect_to_url") or {}).get("url") else ""


def _waits(seen: Visit) -> bool:
    """Whether the buyer could pay it here, or could once its order can be paid again."""
    return not seen.intent.unknown and seen.intent.status in WAITING


def _cannot_be_paid(seen: Visit, why: str) -> Visit:
    """Also of an order that is only not there right now, which closes nothing."""
    if seen.closed or seen.stage in (Stage.PAID, Stage.PROCESSING):
        return seen
    return Visit(seen.intent, seen.store, Stage.ENDED, "", closed=why)


def _take_read(services: Services, intent_id: str, store_id: str) -> bool:
    """Whether we are the one to read the order for its page."""
    now = services.clock()
    with services.database.write() as connection:
        if 0 <= now - intents.get(connection, intent_id, lock=True).order_seen < ORDER_READ_INTERVAL_SECONDS:
            return False
        intents.change(connection, intent_id, order_seen=now)
        jobs.hurry_sweep(connection, store_id, now)
    return True


def _take_turn(services: Services, intent_id: str) -> bool:
    """Whether we are the one to ask the provider: nothing was written about the payment for a while."""
    now = services.clock()
    with services.database.write() as connection:
        if now - intents.get(connection, intent_id, lock=True).updated < POLL_INTERVAL_SECONDS:
            return False
        intents.change(connection, intent_id, updated=now)
    return True


def _look(services: Services, seen: Visit) -> None:
    """Ask the provider and record what it says. If that is not possible now, the worker asks later."""
    try:
        poll_payment(services.at(seen.store), seen.intent.id)
    except BridgeError as error:
        log.info("intent %s cannot be looked at now: %s", seen.intent.id, error)


def _require(seen: Visit, kind: str, *stages: Stage) -> None:
    """Raises Refused if the buyer cannot do this now."""
    if seen.kind != kind or seen.stage not in stages:
        raise Refused("This cannot be done with the payment as it is now.", reason=NOT_NOW)
