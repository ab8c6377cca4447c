"""Capture and void what was authorized, for the order that it belongs to.

The checks and their sentences are WooPayments', in its order; what is captured is the intent that was checked.
"""

from bridge.domain.errors import (
    CaptureFailed,
    OutcomeUnknown,
    ProviderError,
    ProviderRefused,
    Uncapturable,
    Unsupported,
)
from bridge.domain.intents import FINAL, Attempt, AttemptState, Operation, PaymentIntent, Status
from bridge.domain.judgement import PAID, bar_of_capture, deduction, due
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.ports import Adapter
from bridge.payments import order_updates
from bridge.payments.attempts import begin_attempt, call_adapter, call_within_lease, failure_of, reference_of
from bridge.payments.orders import read_order, terms
from bridge.payments.outcomes import poll_payment
from bridge.payments.record import IntentWriter, record
from bridge.payments.takeover import match_named_payment
from bridge.services import Services, StoreHandle
from bridge.storage import intents, refunds

CAPTURABLE = frozenset({Status.SUCCEEDED, Status.REQUIRES_CAPTURE, Status.PROCESSING})
CAPTURE_FAILED_PREFIX = "Payment capture failed to complete with the following message: "
REPEAT_SECONDS = 600.0
"""Seconds during which the same capture of a part, or the same refund, means the first one unless it has a name."""
CANCEL_FAILED_PREFIX = "Payment cancel failed to complete with the following message: "


def capture_authorization(
    store: StoreHandle,
    order_id: int,
    payment_intent_id: str,
    amount: int | None = None,
    attempt_id: str | None = None,
) -> PaymentIntent:
    """Take what was authorized: `amount` minor units, else the order's total as it is now. The rest is released, unless
    the adapter can do `multicapture`.

    A capture that has been done is answered again: that of `attempt_id`, else the same within ten minutes of its
    answer.

    Raises OrderMissing, Uncapturable, CaptureFailed, InProgress, OutcomeUnknown, Unsupported or StoreError.
    """
    order = read_order(store, order_id)
    require_not_refunded(store, order)
    intent = _looked_at(store, named_intent(store, order, payment_intent_id))
    if intent.status not in CAPTURABLE:
        raise Uncapturable("The payment cannot be captured", reason="status")
    if intent.status is Status.SUCCEEDED:
        return intent
    return capture(store, order, intent, amount, attempt_id)


def cancel_authorization(store: StoreHandle, order_id: int, payment_intent_id: str) -> PaymentIntent:
    """Void an authorization; the store's order becomes cancelled. One that has been voided is answered again. A void is
    allowed whatever became of the order.

    Raises OrderMissing, Uncapturable, CaptureFailed, InProgress, OutcomeUnknown, Unsupported or StoreError.
    """
    order = read_order(store, order_id)
    with store.database.read() as connection:
        named = intents.find(connection, store.id, payment_intent_id)
    if named is None or named.status is not Status.REQUIRES_CAPTURE:
        require_not_refunded(store, order, "canceled")
    intent = _looked_at(store, named_intent(store, order, payment_intent_id, "canceled"))
    return void(store, intent)


def void(store: StoreHandle, intent: PaymentIntent) -> PaymentIntent:
    """Void an authorization whose order was just looked at. Raises as `cancel_authorization`."""
    adapter = store.adapter
    _require(adapter, "cancel", "cancel_authorization")
    with store.database.write() as connection:
        intent = intents.get(connection, intent.id, lock=True)
        if intent.status is Status.CANCELED and intent.charge:
            return intent
        if intent.status is not Status.REQUIRES_CAPTURE:
            raise Uncapturable("The payment cannot be canceled", reason="status")
        request = {"reference": reference_of(connection, intent.id)}
        attempt = begin_attempt(store, connection, intent, Operation.CANCEL, request)
    try:
        outcome = call_within_lease(store, attempt, lambda: adapter.cancel(request["reference"], attempt.key))
        after = record(store, intent.id, outcome, attempt)
    except ProviderError as error:
        after = _after_failure(store, adapter, attempt, error)
        if after.status is not Status.CANCELED:
            _tell(store, after, order_updates.VOID_FAILED, str(error))
            raise _failure(CANCEL_FAILED_PREFIX, error, 502) from error
    store.wake()
    if after.status is not Status.CANCELED:
        raise CaptureFailed(f"{CANCEL_FAILED_PREFIX}the payment is {after.status.value}.", status=502)
    return after


def capture(
    store: StoreHandle,
    order: Order,
    intent: PaymentIntent,
    amount: int | None = None,
    attempt_id: str | None = None,
) -> PaymentIntent:
    """Take an authorization whose intent and order were just checked; the rest as above."""
    adapter = store.adapter
    _require_takes(store, order, intent)
    total = _due(order)
    _require(adapter, "capture", "capture_authorization")
    with store.database.write() as connection:
        intent = intents.get(connection, intent.id, lock=True)
        if intent.status is Status.SUCCEEDED:
            return intent
        if intent.status is not Status.REQUIRES_CAPTURE:
            raise CaptureFailed(f"{CAPTURE_FAILED_PREFIX}the payment is {intent.status.value}.", status=502)
        taken = _taken(intent)
        captures = [one for one in intents.attempts_of(connection, intent.id) if one.operation == Operation.CAPTURE]
        whole = total + intent.tip
        is_enough = amount is None and whole <= taken
        since = store.clock() - REPEAT_SECONDS
        if taken and (is_enough or _is_done(captures, amount, attempt_id, since)):
            return intent
        amount = _wanted(intent, whole - taken if amount is None else amount)
        reference = reference_of(connection, intent.id)
        request = {"reference": reference, "amount": amount, "taken": taken, "asked_as": attempt_id}
        fresh_id = None if any(one.id == attempt_id for one in captures) else attempt_id
        attempt = begin_attempt(store, connection, intent, Operation.CAPTURE, request, fresh_id)
        intents.change(connection, intent.id, deducted=deduction(order))
    try:
        outcome = call_within_lease(store, attempt, lambda: adapter.capture(reference, amount, attempt.key))
        after = record(store, intent.id, outcome, attempt, total)
    except ProviderError as error:
        after = _after_failure(store, adapter, attempt, error)
        if after.status is not Status.SUCCEEDED:
            _tell(store, after, order_updates.CAPTURE_FAILED, str(error), amount)
            raise _failure(CAPTURE_FAILED_PREFIX, error, 502) from error
    store.wake()
    if after.status is not Status.SUCCEEDED and _taken(after) == taken:
        raise CaptureFailed(f"{CAPTURE_FAILED_PREFIX}the payment is {after.status.value}.", status=502)
    return after


def _looked_at(store: StoreHandle, intent: PaymentIntent) -> PaymentIntent:
    """The intent now; the provider is asked about an open one."""
    if not intent.unknown and intent.status not in (Status.REQUIRES_CAPTURE, *FINAL):
        return poll_payment(store, intent.id)
    return intent


def _require_takes(store: StoreHandle, order: Order, intent: PaymentIntent) -> None:
    """Money is only taken for an order that still owes it to this payment (rule 11). Raises CaptureFailed,
    Uncapturable."""
    if order.currency != intent.currency:
        authorised = Money(intent.amount, intent.currency)
        raise CaptureFailed(
            f"{CAPTURE_FAILED_PREFIX}the order is in {order.currency} now, and {authorised} was authorized.",
            status=502,
        )
    with store.database.read() as connection:
        agreed = terms(connection, store.config, intent)
    found = bar_of_capture(order, agreed, (store.config.options["payment_method"],))
    if found and found.reason == PAID:
        raise Uncapturable(f"The payment cannot be captured: order {order.number} {found.words}.", reason=found.reason)
    if found:  # an app takes "uncapturable" for a capture that was made before
        raise CaptureFailed(f"{CAPTURE_FAILED_PREFIX}order {order.number} {found.words}.", status=409)


def require_not_refunded(store: StoreHandle, order: Order, verb: str = "captured") -> None:
    """Raises Uncapturable for an order if any of its money was refunded, by us or by staff in the store.

    Refunds of an earlier payment, before the store asked for another one, do not count; nor do refunds of an order that
    was never paid: they lower what is left to capture.
    """
    with store.database.read() as connection:
        sent_back = [
            (known, refund.amount)
            for known in intents.of_shops_order(connection, store.id, store.config.live, order.id)
            for refund in refunds.of_intent(connection, known.id)
            if refund.status.counts
        ]
    earlier = sum(amount for known, amount in sent_back if not known.holding)
    of_shop = Money.parse(str(order.refunded), order.currency, rounding=True).amount if order.date_paid else 0
    if any(known.holding for known, _ in sent_back) or of_shop > earlier or order.status == "refunded":
        raise Uncapturable(f"Payment cannot be {verb} for partially or fully refunded orders.", reason="refunded")


def named_intent(store: StoreHandle, order: Order, payment_intent_id: str, verb: str = "captured") -> PaymentIntent:
    """The intent that is named, if it is the order's; one that somebody else has made is taken over if all of it is
    the order's (rule 13).

    Raises IntentNotFound, Uncapturable, CaptureFailed, InProgress, StoreError, ProviderError.
    """
    with store.database.read() as connection:
        intent = intents.find(connection, store.id, payment_intent_id)
    if intent is None or intent.only_known:
        intent = _taken_over(store, order, payment_intent_id, verb)
    if (intent.order_id, intent.order_key) != (order.id, order.key):
        raise Uncapturable(f"The payment cannot be {verb}", reason="order_mismatch")
    return intent


def _taken_over(store: StoreHandle, order: Order, name: str, verb: str) -> PaymentIntent:
    met = match_named_payment(store, order, name)
    if met.intent:
        return met.intent
    if met.holder:
        raise Uncapturable("The payment cannot be captured for completed or processed orders.", reason="status")
    if met.misfit and met.misfit.took_nothing:  # an app takes "uncapturable" for a capture that was made before
        raise CaptureFailed(
            f"{CAPTURE_FAILED_PREFIX if verb == 'captured' else CANCEL_FAILED_PREFIX}{met.misfit.why}.", status=409
        )
    raise Uncapturable(f"The payment cannot be {verb}", reason="order_mismatch")


def _taken(intent: PaymentIntent) -> int:
    """Minor units that were captured already."""
    return intent.charge.amount_captured if intent.charge else 0


def _is_done(captures: list[Attempt], amount: int | None, asked_as: str | None, since: float) -> bool:
    """Whether this capture is one of those, of a payment that is captured in parts: the one that was asked for under
    this attempt's id, else as much of which it is known since then (Unix seconds)."""
    done = [one for one in captures if one.state is AttemptState.DONE]
    if asked_as:
        return any(one.request["asked_as"] == asked_as for one in done)
    return any(one.request["amount"] == amount and (one.answered or 0.0) >= since for one in done)


def _wanted(intent: PaymentIntent, amount: int) -> int:
    """`amount` (minor units), if it can be captured. Raises CaptureFailed."""
    left = intent.amount - _taken(intent)
    if 0 < amount <= left:
        return amount
    raise CaptureFailed(
        f"{CAPTURE_FAILED_PREFIX}the amount {Money(amount, intent.currency)} is not between zero and the authorized "
        f"{Money(left, intent.currency)}.",
        status=502,
    )


def _due(order: Order) -> int:
    """What is left to pay, in minor units."""
    return Money.parse(str(due(order)), order.currency, rounding=True).amount


def _require(adapter: Adapter, operation: str, route: str) -> None:
    if operation not in adapter.operations:
        raise Unsupported(route, adapter.name)


def _after_failure(store: StoreHandle, adapter: Adapter, attempt: Attempt, error: ProviderError) -> PaymentIntent:
    """How the intent stands after a failure that proves something. Raises OutcomeUnknown for one that does not."""
    told = failure_of(store, attempt, error)
    if isinstance(told, OutcomeUnknown):
        raise told from error
    try:
        return record(store, attempt.intent_id, call_adapter(lambda: adapter.fetch(attempt.request["reference"])))
    except ProviderError:
        with store.database.read() as connection:
            return intents.get(connection, attempt.intent_id)


def _tell(
    services: Services, intent: PaymentIntent, words: order_updates.Words, reason: str, amount: int | None = None
) -> None:
    with services.database.write() as connection:
        IntentWriter(services, connection, intent, services.clock()).notify_store(words, amount, reason=reason)
    services.wake()


def _failure(sentence: str, error: ProviderError, status: int) -> CaptureFailed:
    told = error.details.get("status") if isinstance(error, ProviderRefused) else None
    return CaptureFailed(
        f"{sentence}{error or 'Unknown error'}", status=int(told or status), provider=error.details.get("provider")
    )
