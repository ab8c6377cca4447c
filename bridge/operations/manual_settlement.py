"""The manual way out of an unknown outcome. What the operator says is checked where it can be, and written down with
name and reason; only what is unknown can be settled so."""

from dataclasses import dataclass, replace

from bridge.domain.card_data import refuse_card_data
from bridge.domain.deadlines import ON_ITS_WAY
from bridge.domain.errors import (
    Declined,
    ProviderError,
    ProviderRefused,
    Refused,
    Unsupported,
)
from bridge.domain.intents import MONEY, Attempt, Charge, JournalKind, Operation, PaymentIntent, RefundStatus, Status
from bridge.domain.outcomes import Outcome
from bridge.payments import leases, order_updates
from bridge.payments.attempts import call_adapter, conclude
from bridge.payments.outcomes import is_captured
from bridge.payments.record import SOURCE_STAFF, IntentWriter, record
from bridge.payments.unresolved import UNKNOWN_FLAGS, abandon
from bridge.services import Services, StoreHandle
from bridge.storage import intents, refunds


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an operator says became of it.

    `paid`: the money moved (of a refund: back to the buyer). `reference` is the provider's id of it. `unchecked` takes
    the operator's word where the provider cannot be asked. `who` and `reason` are for the record.
    """

    paid: bool
    who: str
    reason: str
    reference: str = ""
    unchecked: bool = False


def settle_manually(services: Services, name: str, verdict: Verdict) -> PaymentIntent:
    """Settle the unknown outcome of an intent, named by any of its ids.

    Raises Refused for card data in the verdict, if there is none, if somebody is working on it right now, or if the
    provider says otherwise.
    """
    if not verdict.reason.strip():
        raise Refused("Give a reason: it is kept with the payment.")
    refuse_card_data(verdict.reason, verdict.reference)
    intent, attempt = _unknown(services, name)
    store = services.store(intent.store_id)
    end = leases.lease_end(services, leases.LOOK_UP_TIMEOUTS)
    if not intents.take(services.database, attempt.id, services.clock(), end):
        raise Refused("The bridge is asking the provider about it right now. Try again in a minute.")
    settle = _paid if verdict.paid else _not_paid
    try:
        with leases.within_lease(services, end):
            settle(store, intent, attempt, verdict)
    finally:
        _let_go(services, attempt)
    services.wake()
    with services.database.read() as connection:
        return intents.get(connection, intent.id)


def _unknown(services: Services, name: str) -> tuple[PaymentIntent, Attempt]:
    with services.database.read() as connection:
        found = intents.everywhere(connection, name)
        if len(found) != 1:
            raise Refused(f"There is no payment {name}." if not found else f"{name} names several payments.")
        attempt = intents.unsettled(connection, found[0].id)
    if attempt is None:
        raise Refused(
            f"The outcome of {name} is known: it is {found[0].status.value}. Only an unknown outcome can be settled."
        )
    return found[0], attempt


def _paid(store: StoreHandle, intent: PaymentIntent, attempt: Attempt, verdict: Verdict) -> None:
    if attempt.operation == Operation.REFUND:
        _refunded(store, intent, attempt, verdict)
        return
    reference = verdict.reference or _reference(store, intent)
    if not reference:
        raise Refused("Give the provider's id of the payment: --reference.")
    outcome = _checked(store, intent, attempt, reference, verdict)
    _write_down(store, intent, attempt, verdict)
    if attempt.operation == Operation.CANCEL:  # it came to nothing: the payment stands
        abandon(store, attempt, "settled_by_hand", verdict.reason)
        record(store, intent.id, outcome, source=SOURCE_STAFF)
    elif attempt.operation == Operation.CREATE:
        try:
            conclude(store, attempt, outcome)
        except Declined as declined:
            raise Refused(f"The provider says that it was declined. {declined}") from None
    else:
        record(store, intent.id, outcome, attempt)


def _checked(store: StoreHandle, intent: PaymentIntent, attempt: Attempt, reference: str, verdict: Verdict) -> Outcome:
    """The payment as the provider has it. Raises Refused unless it is this one and has money."""
    with store.database.read() as connection:
        other = intents.find(connection, store.id, reference)
    if other is not None and other.id != intent.id:
        raise Refused(f"{reference} is the payment of another order ({other.order_number}).")
    adapter = store.adapter
    try:
        outcome = call_adapter(lambda: adapter.fetch(reference))
    except ProviderRefused as error:
        raise Refused(f"The provider does not know the payment {reference}. {error}") from None
    except (ProviderError, Unsupported) as error:
        if not verdict.unchecked:
            raise Refused(
                f"The provider could not be asked for {reference}: {error} Try again, or use --unchecked."
            ) from None
        return _word(store, intent, attempt, reference)
    if outcome.attempt_id not in (None, attempt.id, intent.id):
        raise Refused(f"{reference} belongs to another attempt ({outcome.attempt_id}).")
    if outcome.currency and (outcome.amount, outcome.currency.upper()) != (intent.amount, intent.currency):
        raise Refused(
            f"{reference} is about {outcome.amount} {outcome.currency.upper()} (minor units), a different amount."
        )
    if outcome.status not in MONEY:
        raise Refused(f"The provider says that {reference} is {outcome.status.value}.")
    if attempt.operation == Operation.CAPTURE and not is_captured(attempt, outcome):
        raise Refused(f"The provider does not show that {reference} was captured: it is {outcome.status.value}.")
    return outcome


def _word(store: StoreHandle, intent: PaymentIntent, attempt: Attempt, reference: str) -> Outcome:
    """What an operator says of a payment that nobody can ask for."""
    amount = 0 if intent.capture == "manual" else intent.amount
    if attempt.operation == Operation.CAPTURE:
        amount = attempt.request["taken"] + attempt.request["amount"]
    in_parts = "multicapture" in store.adapter.operations
    is_over = amount == intent.amount or (amount > 0 and not in_parts)
    charge = intent.charge or Charge(reference, intent.amount, "succeeded", False, created=int(store.clock()))
    taken = Charge(
        id=charge.id,
        amount=charge.amount,
        status="succeeded",
        captured=amount > 0,
        amount_captured=amount,
        amount_refunded=charge.amount_refunded,
        billing_details=charge.billing_details,
        card=charge.card,
        created=charge.created,
    )
    status = Status.SUCCEEDED if is_over else Status.REQUIRES_CAPTURE
    return Outcome(status, reference, intent.amount, intent.currency, charge=taken)


def _refunded(store: StoreHandle, intent: PaymentIntent, attempt: Attempt, verdict: Verdict) -> None:
    """The provider shows refunds with their payment: one of ours by its operation, else by the reference."""
    with store.database.read() as connection:
        ours = {refund.operation_id: refund for refund in refunds.of_intent(connection, intent.id)}
    adapter = store.adapter
    wanted, shown = ours[attempt.id], None
    try:
        outcome = call_adapter(lambda: adapter.fetch(str(attempt.request["reference"])))
        named = (verdict.reference, attempt.id)
        shown = next((r for r in outcome.refunds if r.id in named or r.operation_id == attempt.id), None)
        if shown is None or shown.amount != wanted.amount or not shown.status.counts:
            raise Refused("The provider does not show such a refund of this payment.")
    except (ProviderError, Unsupported) as error:
        if not verdict.unchecked:
            raise Refused(f"The provider could not be asked: {error} Try again, or use --unchecked.") from None
    if shown is None and not verdict.reference:
        raise Refused("Give the provider's id of the refund: --reference.")
    done = shown or replace(wanted, id=verdict.reference, status=RefundStatus.SUCCEEDED)
    _write_down(store, intent, attempt, verdict)
    with store.database.write() as connection:
        locked = intents.get(connection, intent.id, lock=True)
        intents.answer(connection, attempt.id, store.clock(), done.id)
        IntentWriter(store, connection, locked, store.clock()).put_refund(
            replace(done, operation_id=attempt.id), "bridge"
        )
        unknown = intents.is_unsettled(connection, intent.id)
        flag = "" if locked.flag in UNKNOWN_FLAGS and not unknown else locked.flag
        intents.change(connection, intent.id, unknown=unknown, flag=flag)


def _not_paid(store: StoreHandle, intent: PaymentIntent, attempt: Attempt, verdict: Verdict) -> None:
    _require_nothing_there(store, intent, attempt, verdict)
    _write_down(store, intent, attempt, verdict)
    if attempt.operation == Operation.CANCEL:
        reference = _reference(store, intent)
        record(store, intent.id, Outcome(Status.CANCELED, reference, intent.amount, intent.currency), attempt)
        return
    abandon(store, attempt, "settled_by_hand", verdict.reason)
    if attempt.operation == Operation.CREATE:
        with store.database.write() as connection:
            locked = intents.get(connection, intent.id, lock=True)
            why = f"It was settled by hand as not paid: {verdict.reason}"
            IntentWriter(store, connection, locked, store.clock()).notify_store(order_updates.DECLINED, reason=why)


def _require_nothing_there(store: StoreHandle, intent: PaymentIntent, attempt: Attempt, verdict: Verdict) -> None:
    """Raises Refused if the provider shows that it happened, or cannot be asked and the operator's word is not
    enough."""
    adapter = store.adapter
    reference = _reference(store, intent) or verdict.reference
    try:
        if reference:
            outcome: Outcome | None = call_adapter(lambda: adapter.fetch(reference))
        elif "find" in adapter.operations and attempt.operation == Operation.CREATE:
            outcome = call_adapter(lambda: adapter.find(attempt.request, attempt.key, attempt.sent_at - ON_ITS_WAY))
        else:
            raise Unsupported("find", adapter.name)
    except (ProviderError, Unsupported) as error:
        if not verdict.unchecked:
            raise Refused(f"The provider could not be asked: {error} Try again, or use --unchecked.") from None
        return
    if outcome is None:
        return
    if attempt.operation == Operation.REFUND:
        happened = any(refund.operation_id == attempt.id and refund.status.counts for refund in outcome.refunds)
    elif attempt.operation == Operation.CAPTURE:
        happened = outcome.status in MONEY and is_captured(attempt, outcome)
    else:
        happened = outcome.status is not Status.CANCELED
    if happened:
        raise Refused(
            f"The provider shows it: {outcome.reference} is {outcome.status.value}. Settle it as paid, or void it."
        )


def _reference(services: Services, intent: PaymentIntent) -> str:
    with services.database.read() as connection:
        return intents.attempts_of(connection, intent.id)[0].reference or ""


def _write_down(services: Services, intent: PaymentIntent, attempt: Attempt, verdict: Verdict) -> None:
    with services.database.write() as connection:
        intents.get(connection, intent.id, lock=True)
        IntentWriter(services, connection, intent, services.clock()).log(
            JournalKind.SETTLED_BY_HAND,
            attempt.id,
            operation=attempt.operation,
            verdict="paid" if verdict.paid else "not-paid",
            reference=verdict.reference,
            unchecked=verdict.unchecked,
            who=verdict.who,
            why=verdict.reason,
        )
        services.audit_act(
            connection,
            "settle",
            intent.shown_id,
            attempt=attempt.id,
            operation=attempt.operation,
            verdict="paid" if verdict.paid else "not-paid",
            reference=verdict.reference,
            unchecked=verdict.unchecked,
            why=verdict.reason,
        )


def _let_go(services: Services, attempt: Attempt) -> None:
    with services.database.write() as connection:
        if intents.is_unsettled(connection, attempt.intent_id):
            intents.change_attempt(connection, attempt.id, busy_until=0.0)
