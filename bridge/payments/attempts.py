"""Attempts: sending and concluding one.

Only the stored request is ever sent, under the stored key. What became of one without a usable answer is found out in
`bridge.payments.outcomes`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bridge.domain import logs
from bridge.domain.errors import (
    AwaitsReconcile,
    BridgeError,
    Declined,
    InProgress,
    OrderLocked,
    OutcomeUnknown,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
)
from bridge.domain.intents import Attempt, Operation, PaymentIntent, Status
from bridge.domain.outcomes import Outcome
from bridge.domain.ports import Adapter
from bridge.payments import leases
from bridge.payments.checkout_attempts import cancel_if_unpayable
from bridge.payments.intents import IntentView, require_made_here
from bridge.payments.record import WAITING, record
from bridge.payments.unresolved import abandon, mark_unknown
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, intents, journal

log = logs.logger(__name__)
T = TypeVar("T")

SUBMITTED = "payment_already_submitted"
"""The reason of an error: the provider has a payment under this key, and does not say which one."""


def new_attempt(
    store: StoreHandle, attempt_id: str, intent_id: str, operation: Operation, request: dict[str, Any]
) -> Attempt:
    """An attempt that is about to be sent by whoever makes it, and is theirs while they wait for the answer.

    Raises AwaitsReconcile while no money may move.
    """
    if store.config.awaits_reconcile:
        raise AwaitsReconcile("No money moves through this store until it has been reconciled.")
    if store.config.awaits_beside:  # rule 2: what the other entry has forgotten may have paid the order
        raise AwaitsReconcile("No money moves through this store until all entries of its shop have been reconciled.")
    now = store.clock()
    busy_until = leases.lease_end(store)
    logs.name(attempt_id=attempt_id)
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


def begin_attempt(
    store: StoreHandle,
    connection: Connection,
    intent: PaymentIntent,
    operation: Operation,
    request: dict[str, Any],
    attempt_id: str | None = None,
) -> Attempt:
    """Record what the provider is about to be asked about an intent that this transaction has locked.

    Raises InProgress while an earlier request about it has no known outcome: two would race at the provider; Refused
    for a payment that somebody else made and that is only known.
    """
    require_made_here(intent)
    if unsettled := intents.unsettled(connection, intent.id):
        raise InProgress(
            "Another request about this payment is not resolved yet. Ask again in a moment.",
            outcome="unknown",
            attempt_id=unsettled.id,
            provider=store.config.adapter,
        )
    attempt = new_attempt(store, attempt_id or store.ids.attempt(), intent.id, operation, request)
    intents.add_attempt(connection, attempt)
    told = {name: value for name, value in request.items() if name in ("amount", "reason")}
    journal.write(connection, attempt.created, intent.id, operation.sent, attempt_id=attempt.id, **told)
    return attempt


def reference_of(connection: Connection, intent_id: str) -> str:
    """The provider's id of an intent's payment. Raises OutcomeUnknown while there is none."""
    created = intents.attempts_of(connection, intent_id)[0]
    if created.reference is None:
        raise OutcomeUnknown("The provider has not identified this payment yet.", attempt_id=created.id)
    return created.reference


def send_create(store: StoreHandle, attempt: Attempt, *, again: bool = False) -> IntentView:
    """Send a create that is committed, and conclude it.

    Raises Declined, OutcomeUnknown, ProviderRefused or ProviderUnreachable. When it is sent `again`, a refusal proves
    nothing about the first time, and the lease is that of whoever resolves it.
    """
    adapter = store.adapter
    send = partial(adapter.create, attempt.request, attempt.key)
    try:
        outcome = call_adapter(send) if again else call_within_lease(store, attempt, send)
    except ProviderError as error:
        known = _submitted(store, adapter, attempt, error)
        if known is None and again:
            raise mark_and_raise_unknown(store, attempt, error) from error
        if known is None:
            raise failure_of(store, attempt, error) from error
        outcome = known
    return conclude(store, attempt, outcome)


def conclude(store: StoreHandle, attempt: Attempt, outcome: Outcome) -> IntentView:
    """Record the answer to a create. A decline is voided at the provider before it frees the order.

    A payment that only its buyer can confirm, and that came without what this takes, has never been exposed: its answer
    was lost, and its secret with it. It is abandoned, and its order is free.

    Raises Declined, OutcomeUnknown.
    """
    nobody_is_at_it = attempt.busy_until <= store.clock()
    if nobody_is_at_it and _never_exposed(store.adapter, attempt, outcome):
        why = "Its answer was lost, and with it what the buyer needs: nobody can pay it."
        abandon(store, attempt, "never_exposed", why, outcome.reference)
        store.wake()
        with store.database.read() as connection:
            return IntentView(intents.get(connection, attempt.intent_id), attempt.id)
    try:
        intent = record(store, attempt.intent_id, outcome, attempt)
    except ProviderConfused as error:
        raise mark_and_raise_unknown(store, attempt, error) from error
    voids = "cancel" in store.adapter.operations
    if outcome.decline and intent.status is Status.REQUIRES_PAYMENT_METHOD and voids:
        intent = cancel_open_payment(store, intent)
    store.wake()
    if outcome.decline:
        raise Declined(
            f"Error: {outcome.decline.message}",
            decline_code=outcome.decline.decline_code or outcome.decline.code,
            code=outcome.decline.code,
            outcome="failed",
            attempt_id=attempt.id,
            payment_intent=intent.shown_id,
            provider=store.config.adapter,
        )
    return IntentView(intent, attempt.id, outcome.next_action, outcome.client_secret, outcome.provider_data)


def cancel_open_payment(
    store: StoreHandle, intent: PaymentIntent, why: str = "the order is to be paid in another way"
) -> PaymentIntent:
    """Void an open intent at the provider, so that its order is free. What cannot be proven now is resolved later.

    What nobody can pay needs no provider, and what is not open any more stays as it is. Raises OrderLocked where the
    provider cannot void.
    """
    if (given_up := cancel_if_unpayable(store, intent, why)) is not None:
        return given_up
    if "cancel" not in store.adapter.operations:
        raise OrderLocked(
            f"Order {intent.order_number} has an open payment ({intent.shown_id}) that {store.config.adapter} cannot "
            "void; it has to be paid or expire.",
            reason="order_has_payment",
            payment_intent=intent.shown_id,
            provider=store.config.adapter,
        )
    with store.database.write() as connection:
        intent = intents.get(connection, intent.id, lock=True)
        if intent.status not in WAITING:
            return intent
        request = {"reference": reference_of(connection, intent.id)}
        attempt = begin_attempt(store, connection, intent, Operation.CANCEL, request)
    try:
        with leases.within_lease(store, attempt.busy_until):
            return send_cancel(store, attempt)
    except ProviderError as error:
        mark_unknown(store, attempt, str(error))
        with store.database.read() as connection:
            return intents.get(connection, attempt.intent_id)


def sending_again(services: Services, attempt: Attempt) -> Attempt:
    """The attempt, its request about to go out once more: that is written down before (rule 1)."""
    now = services.clock()
    with services.database.write() as connection:
        intents.change_attempt(connection, attempt.id, sent_again_at=now)
    return replace(attempt, sent_again_at=now)


def send_cancel(store: StoreHandle, attempt: Attempt) -> PaymentIntent:
    """Void, and record the answer. Raises ProviderError."""
    adapter = store.adapter
    outcome = call_adapter(lambda: adapter.cancel(attempt.request["reference"], attempt.key))
    return record(store, attempt.intent_id, outcome, attempt)


def _never_exposed(adapter: Adapter, attempt: Attempt, outcome: Outcome) -> bool:
    """Stripe's status of a payment that nobody has begun to confirm is requires_payment_method."""
    return (
        attempt.operation == Operation.CREATE
        and adapter.confirmed_by_buyer
        and outcome.status is Status.REQUIRES_PAYMENT_METHOD
        and outcome.decline is None
        and not (outcome.client_secret or outcome.provider_data or outcome.next_action)
    )


def _submitted(services: Services, adapter: Adapter, attempt: Attempt, error: ProviderError) -> Outcome | None:
    """The state of the payment that the provider already has under this key, if a message has told which one it is."""
    if error.reason != SUBMITTED:
        return None
    with services.database.read() as connection:
        reference = intents.attempt(connection, attempt.id).reference
    try:
        return call_adapter(lambda: adapter.fetch(reference)) if reference else None
    except ProviderError as unanswered:
        log.info("attempt %s was submitted, and cannot be looked up: %s", attempt.id, unanswered)
        return None


def failure_of(store: StoreHandle, attempt: Attempt, error: ProviderError) -> BridgeError:
    """What to raise for a request that was sent once and has no good answer: it is proven that nothing was done, or
    unknown."""
    if not (isinstance(error, ProviderRefused) or (isinstance(error, ProviderUnreachable) and not error.sent)):
        return mark_and_raise_unknown(store, attempt, error)
    abandon(store, attempt, error.reason, str(error))
    known = {"outcome": "failed", "attempt_id": attempt.id, "provider": store.config.adapter}
    error.details = {**error.details, **known}
    return error


def mark_and_raise_unknown(store: StoreHandle, attempt: Attempt, error: ProviderError) -> OutcomeUnknown:
    """Record that there is no usable answer; returns what to raise then."""
    mark_unknown(store, attempt, str(error))
    store.wake()
    details = {**error.details, "outcome": "unknown", "cause": error.reason}
    return OutcomeUnknown(
        f"{error} It is not known yet whether the payment was made; it is being resolved. Do not charge again."
        if attempt.operation == Operation.CREATE
        else f"{error} It is not known yet whether the {attempt.operation} was made; it is being resolved.",
        **details,
        attempt_id=attempt.id,
        provider=store.config.adapter,
    )


def call_within_lease(services: Services, attempt: Attempt, call: Callable[[], T]) -> T:
    """Call an adapter for an attempt that was just made, within its lease."""
    with leases.within_lease(services, attempt.busy_until):
        return call_adapter(call)


def call_adapter(call: Callable[[], T]) -> T:
    """Call an adapter. Anything that it raises outside of the contract means that nobody knows what happened."""
    try:
        return call()
    except BridgeError:
        raise
    except Exception as error:
        log.exception("an adapter failed")
        raise ProviderConfused("The payment provider's answer could not be understood.") from error
