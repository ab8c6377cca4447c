"""Attempts: sending one, concluding it, and settling one whose outcome is unknown.

Only the stored request is ever sent, under the stored key. "Not found" at the provider counts only when the request
can no longer be on its way; a proven no frees the order, the passing of time never does.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from bridge.domain.errors import (
    BridgeError,
    Declined,
    OutcomeUnknown,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
)
from bridge.domain.intents import Attempt, PaymentIntent, Status
from bridge.domain.outcomes import Outcome
from bridge.domain.ports import Adapter
from bridge.domain.stores import Store
from bridge.payments.intents import Shown
from bridge.payments.record import abandon, mark_unknown, postpone, record
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import journal

log = logging.getLogger(__name__)
T = TypeVar("T")

ON_ITS_WAY = 600.0
"""Seconds after the provider timeout during which a request may still arrive: until then, "not found" means nothing."""


def new_attempt(
    services: Services, store: Store, attempt_id: str, intent_id: str, operation: str, request: dict[str, Any]
) -> Attempt:
    """An attempt that is about to be sent by whoever makes it, and is theirs while they wait for the answer."""
    now = services.clock()
    busy_until = now + services.provider_timeout + 2
    return Attempt(
        id=attempt_id,
        intent_id=intent_id,
        store_id=store.id,
        operation=operation,
        request=request,
        key=f"{attempt_id}:{operation}",
        created=now,
        sent_at=now,
        busy_until=busy_until,
        next_check_at=busy_until,
    )


def send_create(services: Services, store: Store, attempt: Attempt, *, again: bool = False) -> Shown:
    """Send a create that is committed, and conclude it. Raises Declined, OutcomeUnknown, ProviderRefused or
    ProviderUnreachable.

    When it is sent `again`, a refusal proves nothing about the first time.
    """
    adapter = services.connections.adapter(store)
    try:
        outcome = _ask(lambda: adapter.create(attempt.request, attempt.key))
    except ProviderError as error:
        if not again and _proves_nothing_happened(error):
            abandon(services, attempt, error.reason, str(error))
            error.details = {**error.details, "outcome": "failed", "attempt_id": attempt.id, "provider": store.adapter}
            raise
        raise _unknown(services, store, attempt, error) from error
    return conclude(services, store, attempt, outcome)


def conclude(services: Services, store: Store, attempt: Attempt, outcome: Outcome) -> Shown:
    """Record the answer to a create.

    A decline is voided at the provider before it frees the order. Raises Declined, OutcomeUnknown.
    """
    try:
        intent = record(services, attempt, outcome)
    except ProviderConfused as error:
        raise _unknown(services, store, attempt, error) from error
    if outcome.decline and intent.status is Status.REQUIRES_PAYMENT_METHOD:
        intent = cancel_open(services, store, intent)
    services.wake()
    if outcome.decline:
        raise Declined(
            f"Error: {outcome.decline.message}",
            decline_code=outcome.decline.decline_code or outcome.decline.code,
            code=outcome.decline.code,
            outcome="failed",
            attempt_id=attempt.id,
            payment_intent=intent.shown_id,
            provider=store.adapter,
        )
    return Shown(intent, attempt.id, outcome.next_action, outcome.client_secret, outcome.provider_data)


def cancel_open(services: Services, store: Store, intent: PaymentIntent) -> PaymentIntent:
    """Void an open intent at the provider, so that its order is free. What cannot be proven now is settled later."""
    with services.database.write() as connection:
        created = rows.attempts_of(connection, intent.id)[0]
        request = {"reference": created.reference}
        attempt = new_attempt(services, store, services.ids.attempt(), intent.id, "cancel", request)
        rows.add_attempt(connection, attempt)
        journal.write(connection, attempt.created, intent.id, "cancel_sent", attempt_id=attempt.id)
    return _send_cancel(services, store, attempt)


def settle(services: Services, store: Store, attempt: Attempt, *, resend: bool) -> bool:
    """Find out what became of an unsettled attempt. False if that is still unknown, or somebody else is at it.

    With `resend` the same request goes out again under the same key, while the provider still knows the key; without,
    a create is only looked up where the provider can be asked, so that no money moves behind the back of whoever was
    told "unknown".
    """
    now = services.clock()
    if not rows.take(services.database, attempt.id, now, now + services.provider_timeout + 2):
        return False
    adapter = services.connections.adapter(store)
    try:
        if attempt.operation == "cancel":
            _send_cancel(services, store, attempt)
        elif now < attempt.sent_at + adapter.replay_window and (resend or "find" not in adapter.operations):
            send_create(services, store, attempt, again=True)
        elif "find" in adapter.operations:
            _find(services, store, adapter, attempt)
        else:
            postpone(services, attempt, flag="The provider cannot be asked what became of this payment.")
    except (OutcomeUnknown, ProviderUnreachable):
        return False
    except (Declined, ProviderRefused):
        return True
    except BridgeError as error:
        log.warning("settling attempt %s: %s", attempt.id, error)
        return False
    with services.database.read() as connection:
        return rows.unsettled(connection, attempt.intent_id) is None


def _find(services: Services, store: Store, adapter: Adapter, attempt: Attempt) -> None:
    try:
        outcome = _ask(lambda: adapter.find(attempt.request, attempt.key, attempt.sent_at - ON_ITS_WAY))
    except ProviderError:
        postpone(services, attempt)
        return
    if outcome is not None:
        conclude(services, store, attempt, outcome)
    elif services.clock() > attempt.sent_at + services.provider_timeout + ON_ITS_WAY:
        abandon(services, attempt, "not_found", "The provider has no such payment.")
    else:
        postpone(services, attempt)


def _send_cancel(services: Services, store: Store, attempt: Attempt) -> PaymentIntent:
    adapter = services.connections.adapter(store)
    try:
        outcome = _ask(lambda: adapter.cancel(attempt.request["reference"], attempt.key))
        return record(services, attempt, outcome)
    except ProviderError as error:
        mark_unknown(services, attempt, str(error))
        with services.database.read() as connection:
            return rows.get(connection, attempt.intent_id)


def _proves_nothing_happened(error: ProviderError) -> bool:
    return isinstance(error, ProviderRefused) or (isinstance(error, ProviderUnreachable) and not error.sent)


def _unknown(services: Services, store: Store, attempt: Attempt, error: ProviderError) -> OutcomeUnknown:
    """Record that no usable answer came, and say so."""
    mark_unknown(services, attempt, str(error))
    services.wake()
    details = {**error.details, "outcome": "unknown", "cause": error.reason}
    return OutcomeUnknown(
        f"{error} It is not known yet whether the payment was made; it is being settled. Do not charge again.",
        **details,
        attempt_id=attempt.id,
        provider=store.adapter,
    )


def _ask(call: Callable[[], T]) -> T:
    """Call an adapter. Whatever it raises that is not in the contract means that nobody knows what happened."""
    try:
        return call()
    except BridgeError:
        raise
    except Exception as error:
        log.exception("an adapter failed")
        raise ProviderConfused("The payment provider's answer could not be understood.") from error
