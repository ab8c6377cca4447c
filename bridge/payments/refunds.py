"""Refunds: refund money, never more than was captured, however many requests come at once."""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from bridge.domain.errors import (
    InProgress,
    InvalidParameter,
    OutcomeUnknown,
    ProviderError,
    ProviderRefused,
    RefundRefused,
    Unsupported,
)
from bridge.domain.intents import (
    UNSETTLED,
    Attempt,
    JournalKind,
    Operation,
    PaymentIntent,
    Refund,
    RefundStatus,
    Status,
)
from bridge.domain.money import Money
from bridge.domain.outcomes import RefundRequest
from bridge.payments import leases, order_updates
from bridge.payments.attempts import (
    call_within_lease,
    failure_of,
    mark_and_raise_unknown,
    new_attempt,
    reference_of,
    sending_again,
)
from bridge.payments.captures import REPEAT_SECONDS
from bridge.payments.create import wait_for_answer
from bridge.payments.intents import require_made_here
from bridge.payments.orders import read_order
from bridge.payments.outcomes import resolve
from bridge.payments.poll_schedule import FIRST_POLL_SECONDS
from bridge.payments.record import IntentWriter
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, intents, journal, refunds

NOT_CAPTURED = "The payment has not been captured yet, so there is nothing to refund."
PROVIDER_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


@dataclass(frozen=True, slots=True)
class RefundResult:
    """A refund as the provider has it. `repeated` if an earlier request has made it."""

    refund: Refund
    repeated: bool = False


def refund(
    store: StoreHandle,
    *,
    order_id: Any = None,
    charge_id: Any = None,
    amount: Any = None,
    reason: Any = "",
    origin: str = "bridge",
    attempt_id: str | None = None,
) -> RefundResult:
    """Refund `amount` minor units of the charge or of the order's payment.

    Under one `attempt_id` only once: the refund that was begun under it is carried on. Without one, the same refund
    within ten minutes of the first one's answer is that one.

    Raises RefundRefused, InvalidParameter, InProgress, OutcomeUnknown, Unsupported, ProviderError or StoreError.
    """
    wanted = _amount(amount)
    reason = str(reason or "")[:500].replace("\0", "")  # which no database takes
    intent = _charged(store, order_id, charge_id)
    adapter = store.adapter
    if "refund" not in adapter.operations:
        raise Unsupported("refund", adapter.name)
    require_made_here(intent)
    if not charge_id:
        _require_decimals(store, intent, wanted)
    claimed = _claim(store, intent, wanted, reason, origin, attempt_id)
    if isinstance(claimed, Attempt):
        return RefundResult(_send(store, claimed, intent, origin))
    return RefundResult(_carry_on(store, claimed, intent, origin, resend=bool(attempt_id)), not attempt_id)


def _claim(
    store: StoreHandle,
    intent: PaymentIntent,
    amount: int,
    reason: str,
    origin: str,
    attempt_id: str | None,
) -> Attempt | Refund:
    """Reserve the amount, with the attempt, in one transaction that nobody else of this intent is in.

    The refund that is meant, if it was begun before; then nothing is written.
    """
    with store.database.write() as connection:
        intent = intents.get(connection, intent.id, lock=True)
        charge = intent.charge
        if charge is None or not charge.captured:
            raise RefundRefused(NOT_CAPTURED, reason="not_captured")
        reserved = Refund("", charge.id, amount, RefundStatus.PENDING, reason, attempt_id or store.ids.attempt())
        if attempt_id:
            earlier = refunds.begun(connection, attempt_id)
        else:
            earlier = refunds.repeated(connection, intent, reserved, store.clock() - REPEAT_SECONDS)
        if earlier:
            return earlier
        _require_undisputed(connection, intent)
        attempt_id = reserved.operation_id
        if amount > refunds.left(connection, store.id, charge.id):
            raise RefundRefused("Invalid refund amount.", reason="amount_too_large")
        request = RefundRequest(
            reference=reference_of(connection, intent.id),
            charge_id=charge.id,
            amount=amount,
            currency=intent.currency,
            reason=reason,
            operation_id=attempt_id,
        )
        attempt = new_attempt(store, attempt_id, intent.id, Operation.REFUND, asdict(request))
        intents.add_attempt(connection, attempt)
        refunds.add(connection, intent, reserved, attempt_id, origin, attempt.created)
        journal.write(
            connection,
            attempt.created,
            intent.id,
            JournalKind.REFUND_SENT,
            attempt_id=attempt_id,
            amount=amount,
            reason=reason,
        )
        told = {"attempt": attempt_id, "amount": amount, "currency": intent.currency, "order": intent.order_number}
        store.audit_act(connection, "refund", intent.shown_id, **told, store=store.id, origin=origin)
    return attempt


def _require_undisputed(connection: Connection, intent: PaymentIntent) -> None:
    """What a bank has already taken back is not refunded a second time: the provider would refuse it, and the store
    would have a refund for which no money moved. An inquiry lets a refund through, which may close it. Raises
    RefundRefused."""
    for dispute in refunds.disputes_of(connection, intent.id):
        if not dispute.is_closed and not dispute.is_inquiry:
            raise RefundRefused(
                f"The payment is disputed ({dispute.id}), and the payer's bank decides about the money: nothing can be "
                "refunded before the dispute is closed.",
                reason="disputed",
            )


def _send(store: StoreHandle, attempt: Attempt, intent: PaymentIntent, origin: str, *, again: bool = False) -> Refund:
    """Send a refund that is committed. When it is sent `again`, a refusal proves nothing about the first time."""
    adapter = store.adapter
    request = RefundRequest(**attempt.request)
    asked = replace(request, reason=request.reason if request.reason in PROVIDER_REASONS else "")
    try:
        answer = call_within_lease(store, attempt, lambda: adapter.refund(asked, attempt.key))
    except ProviderError as error:
        raised = mark_and_raise_unknown(store, attempt, error) if again else failure_of(store, attempt, error)
        if not isinstance(raised, OutcomeUnknown):
            _refused(store, intent, request.amount, str(error))
        raise raised from error
    done = replace(answer, operation_id=attempt.id, reason=request.reason)
    _record(store, attempt, done, origin, will_tell="events" in adapter.operations)
    store.wake()
    return done


def _carry_on(store: StoreHandle, earlier: Refund, intent: PaymentIntent, origin: str, *, resend: bool) -> Refund:
    """The state of a refund that was begun before. One that is unknown is resolved first.

    With `resend` by the same request under the same key, while the provider knows it; else the provider is only asked.
    """
    with store.database.read() as connection:
        attempt = intents.attempt(connection, earlier.operation_id)
    told = {"outcome": "unknown", "attempt_id": attempt.id, "provider": store.config.adapter}
    now = store.clock()
    if attempt.busy_until > now and not wait_for_answer(store, attempt):
        raise InProgress("This refund is being made right now. Ask again in a moment.", **told)
    if resend and now < attempt.sent_at + store.adapter.replay_window:
        end = leases.lease_end(store)
        if intents.take(store.database, attempt.id, now, end):
            attempt = sending_again(store, replace(attempt, busy_until=end))
            return _send(store, attempt, intent, origin, again=True)
    elif attempt.state in UNSETTLED:
        resolve(store, attempt, resend=False)
    with store.database.read() as connection:
        attempt = intents.attempt(connection, attempt.id)
        known = refunds.begun(connection, attempt.id) or earlier
    if attempt.state in UNSETTLED:
        raise OutcomeUnknown("It is not known yet whether this refund was made; it is being resolved.", **told)
    if not known.id:
        raise ProviderRefused(known.failure or "The refund was not made.", **told | {"outcome": "failed"})
    return known


def _record(services: Services, attempt: Attempt, done: Refund, origin: str, *, will_tell: bool) -> None:
    """The provider is asked again what became of it if it is pending, or if the provider does not notify us."""
    with services.database.write() as connection:
        intent = intents.get(connection, attempt.intent_id, lock=True)
        before = refunds.begun(connection, attempt.id)
        intents.answer(connection, attempt.id, services.clock(), done.id)
        IntentWriter(services, connection, intent, services.clock()).put_refund(done, origin)
        if done.status is RefundStatus.PENDING or not will_tell:
            intents.change(connection, intent.id, look_at=services.clock() + FIRST_POLL_SECONDS)
        if intent.charge and done.status.counts and not (before and before.id):
            sent_back = min(intent.charge.amount_refunded + done.amount, intent.charge.amount_captured)
            intents.put_charge(connection, intent, replace(intent.charge, amount_refunded=sent_back))
        if intent.unknown:
            intents.change(connection, intent.id, unknown=intents.is_unsettled(connection, intent.id))


def _refused(services: Services, intent: PaymentIntent, amount: int, why: str) -> None:
    """The store is told that a refund did not work."""
    with services.database.write() as connection:
        IntentWriter(services, connection, intent, services.clock()).notify_store(
            order_updates.REFUND_REFUSED, amount, reason=why
        )
    services.wake()


def _charged(store: StoreHandle, order_id: Any, charge_id: Any) -> PaymentIntent:
    """The intent whose money is to be refunded. Raises RefundRefused if there is none."""
    with store.database.read() as connection:
        if charge_id:
            found = intents.by_charge(connection, store.id, str(charge_id))
            if found is None:
                raise RefundRefused(f"Error: No such charge: '{str(charge_id)[:60]}'", reason="charge_missing")
            if order_id not in (None, "") and str(order_id).lstrip("0") != str(found.order_id):
                raise RefundRefused("The charge does not belong to this order.", reason="order_mismatch")
            return found
        if order_id in (None, "") or not re.fullmatch(r"[0-9]{1,18}", str(order_id)):
            raise InvalidParameter("order_id", "A refund needs the order_id or the charge_id of a payment.")
        candidates = [intent for intent in intents.of_order(connection, store.id, int(order_id)) if intent.charge]
    paid = [i for i in candidates if i.status is Status.SUCCEEDED] or candidates
    if not paid:
        raise RefundRefused(_not_paid_here(store, int(order_id)), reason="no_payment")
    return paid[-1]


def _not_paid_here(store: StoreHandle, order_id: int) -> str:
    """Another entry of the shop may have the order's money: it can be refunded only there."""
    with store.database.read() as connection:
        known = intents.of_shops_order(connection, store.id, store.config.live, order_id)
    other = next((intent for intent in known if intent.holding and intent.charge), None)
    if other is None:
        return f"Order {order_id} has no payment that could be refunded."
    return f"Order {order_id} was paid through the entry {other.store_id} ({other.shown_id}): refund it there."


def _amount(value: Any) -> int:
    text = str(value).strip()
    if (
        value is None
        or isinstance(value, (bool, float))
        or not (text.isascii() and text.isdecimal())
        or len(text) > 15
        or int(text) == 0
    ):
        raise RefundRefused("The refund amount is not valid.", reason="invalid_amount")
    return int(text)


def _require_decimals(store: StoreHandle, intent: PaymentIntent, amount: int) -> None:
    """The store could not record an amount with more decimals than its own."""
    order = read_order(store, intent.order_id)
    decimals = len(order.total.partition(".")[2])
    major = Money(amount, intent.currency).decimal
    if major != round(major, decimals):
        raise RefundRefused(
            f"The store cannot express a refund of {major} {intent.currency}.", reason="not_representable"
        )
