"""Finding out what became of an attempt, or of a payment, whose outcome is not known.

"Not found" at the provider counts only when the request can no longer be on its way; a proven no frees the order, the
passing of time never does.
"""

from functools import partial

from bridge.domain import logs
from bridge.domain.deadlines import ON_ITS_WAY
from bridge.domain.errors import Declined, OutcomeUnknown, ProviderError
from bridge.domain.intents import Attempt, Operation, PaymentIntent, Status
from bridge.domain.outcomes import Outcome
from bridge.domain.ports import Adapter
from bridge.payments import leases
from bridge.payments.attempts import call_adapter, conclude, send_cancel, send_create, sending_again
from bridge.payments.checkout_attempts import cancel_if_unpayable, has_aged, payable_attempts, record_checkout
from bridge.payments.record import WAITING, record
from bridge.payments.refund_matching import match_refunds
from bridge.payments.unresolved import CANNOT_ASK, abandon, flag_intent, postpone
from bridge.services import Services, StoreHandle
from bridge.storage import intents


def resolve(store: StoreHandle, attempt: Attempt, *, resend: bool) -> bool:
    """Find out what became of an unresolved attempt. False if that is still unknown, or somebody else is working on it.

    With `resend` the same request goes out again under the same key, while the provider still knows the key; without,
    the provider is only asked where it can be, so that no money moves behind the back of whoever was told "unknown".
    """
    end = leases.lease_end(store, leases.LOOK_UP_TIMEOUTS)
    if not intents.take(store.database, attempt.id, store.clock(), end):
        return False
    logs.name(attempt_id=attempt.id)
    with leases.within_lease(store, end):
        return _settle(store, attempt, resend=resend)


def _settle(store: StoreHandle, attempt: Attempt, *, resend: bool) -> bool:
    """`attempt` as its sender has left it: its lease is theirs."""
    adapter, now = store.adapter, store.clock()
    try:
        if attempt.operation == Operation.CANCEL:
            send_cancel(store, attempt)
        elif attempt.operation in (Operation.CAPTURE, Operation.REFUND):
            _look(store, adapter, attempt)
        elif attempt.operation == Operation.OPEN:
            _look_at_opening(store, adapter, attempt)
        elif now < attempt.sent_at + adapter.replay_window and (resend or "find" not in adapter.operations):
            send_create(store, sending_again(store, attempt), again=True)
        elif "find" in adapter.operations:
            _find(store, adapter, attempt)
        else:
            postpone(store, attempt, flag=CANNOT_ASK)
    except OutcomeUnknown:
        return False
    except ProviderError:
        postpone(store, attempt)
        return False
    except Declined:
        return True
    with store.database.read() as connection:
        return not intents.is_unsettled(connection, attempt.intent_id)


def poll_payment(store: StoreHandle, intent_id: str) -> PaymentIntent:
    """Ask the provider how a payment stands, or each of its openings, and record it. Raises ProviderError.

    Raises OutcomeUnknown while it is not known which payment at the provider it is.
    """
    adapter = store.adapter
    with store.database.read() as connection:
        intent = intents.get(connection, intent_id)
        created, *openings = intents.attempts_of(connection, intent_id)
    if created.reference is None and not intent.unknown:
        return _look_without_reference(store, adapter, intent, created, openings)
    if created.reference is None:
        raise OutcomeUnknown("The provider has not identified this payment yet.", attempt_id=created.id)
    reference = created.reference
    intent = record(store, intent_id, call_adapter(lambda: adapter.fetch(reference)))
    store.wake()
    return intent


def _look_without_reference(
    services: Services, adapter: Adapter, intent: PaymentIntent, created: Attempt, openings: list[Attempt]
) -> PaymentIntent:
    """A create that made no payment, as far as we were told: nobody can be asked, and it does not wait forever.

    After PAYABLE_SECONDS it is given up if it was never more than offered to a buyer, else an operator has to look.
    """
    now = services.clock()
    found = [opening for opening in payable_attempts(openings, now) if opening.reference]
    for opening in found:
        reference = str(opening.reference)
        intent = record_checkout(services, opening, call_adapter(partial(adapter.fetch, reference)))
    if has_aged(created, now) and intent.status in WAITING:
        return cancel_if_unpayable(services, intent, "no payment was made within a day") or intent
    if has_aged(created, now) and intent.holding and not intent.flag and not intent.charge:
        return flag_intent(services, intent.id, "The provider has never identified this payment.")
    if not found and not created.exposed:
        with services.database.write() as connection:
            intents.change(connection, intent.id, look_at=None)
    return intent


def _find(store: StoreHandle, adapter: Adapter, attempt: Attempt) -> None:
    since = attempt.sent_at - ON_ITS_WAY
    outcome = call_adapter(lambda: adapter.find(attempt.request, attempt.key, since))
    if outcome is not None:
        conclude(store, attempt, outcome)
    else:
        _not_there(store, attempt, "The provider does not have this payment.")


def _look(services: Services, adapter: Adapter, attempt: Attempt) -> None:
    """Ask how the payment stands, and whether that shows what the attempt was to do."""
    outcome = call_adapter(lambda: adapter.fetch(attempt.request["reference"]))
    if attempt.operation == Operation.REFUND:
        with services.database.read() as connection:
            intent = intents.get(connection, attempt.intent_id)
            outcome = match_refunds(services, connection, intent, outcome)
        shown = any(refund.operation_id == attempt.id for refund in outcome.refunds)
    else:
        shown = is_captured(attempt, outcome)
    record(services, attempt.intent_id, outcome, attempt if shown else None)
    if not shown:
        _not_there(services, attempt, f"The provider does not show this {attempt.operation}.")


def _look_at_opening(services: Services, adapter: Adapter, attempt: Attempt) -> None:
    """One that was submitted under its key, as the provider says: which payment that is, only a message can tell."""
    if attempt.reference:
        record_checkout(services, attempt, call_adapter(lambda: adapter.fetch(str(attempt.reference))))
    else:
        is_old = services.clock() > attempt.last_sent_at + services.provider_timeout + ON_ITS_WAY
        postpone(services, attempt, flag=CANNOT_ASK if is_old else "")


def is_captured(attempt: Attempt, outcome: Outcome) -> bool:
    """Whether the payment shows what this capture was to take, or waits for no capture any more."""
    taken = outcome.charge.amount_captured if outcome.charge else 0
    due = attempt.request["taken"] + attempt.request["amount"]
    return outcome.status is not Status.REQUIRES_CAPTURE or taken >= due


def _not_there(services: Services, attempt: Attempt, why: str) -> None:
    """Rule 3: "not found" proves something only once the last sending, whoever made it, can no longer arrive."""
    with services.database.read() as connection:
        known = intents.attempt(connection, attempt.id)
    if services.clock() > known.last_sent_at + services.provider_timeout + ON_ITS_WAY:
        abandon(services, attempt, "not_found", why)
    else:
        postpone(services, attempt)
