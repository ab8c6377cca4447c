"""What the store is told of a change: kind, note and meta, as WooPayments has them, in one place."""

import time
from dataclasses import replace

from bridge.domain.intents import Dispute, PaymentIntent, Refund, RefundStatus, Status
from bridge.domain.money import Money
from bridge.domain.orders import PAIRED, OrderUpdate, UpdateKind
from bridge.domain.outcomes import Outcome

AUTHORIZED = (UpdateKind.AUTHORIZED, "A payment of {money} was authorized using {title} ({id}).")
STARTED = (UpdateKind.STARTED, "A payment of {money} was started using {title} ({id}).")
CHARGED = (UpdateKind.PAID, "A payment of {money} was successfully charged using {title} ({id}).")
CAPTURED = (UpdateKind.PAID, "A payment of {money} was successfully captured using {title} ({id}).{released}")
PART_CAPTURED = (
    UpdateKind.NOTE,
    "A payment of {money} was successfully captured using {title} ({id}). {left} is still authorized.",
)
VOIDED = (UpdateKind.CANCELLED, "Payment authorization was successfully cancelled ({id}).")
EXPIRED = (UpdateKind.FAILED, "Payment authorization has expired ({id}).")
DECLINED = (UpdateKind.NOTE, "A payment of {money} failed using {title} ({id}). {reason}")
FAILED = (UpdateKind.FAILED, DECLINED[1])
HELD_NOW = (UpdateKind.AUTHORIZED, "")
CAPTURE_FAILED = (UpdateKind.NOTE, "A capture of {money} failed to complete using {title} ({id}). {reason}")
VOID_FAILED = (UpdateKind.NOTE, "Canceling authorization failed to complete with the following message: {reason}")
DUPLICATE = (
    UpdateKind.NOTE,
    "A second payment of {money} was made for this order using {title} ({reference}). It has to be refunded.",
)
LATE = (
    UpdateKind.NOTE,
    "A payment of {money} using {title} ({reference}) was made after all, although it was recorded as cancelled. "
    "Nothing was done for this order: somebody has to decide.",
)
REFUNDED = (UpdateKind.REFUNDED, "A refund of {money} was successfully processed using {title}{because} ({refund}).")
REFUND_PENDING = (UpdateKind.REFUNDED, "A refund of {money} is pending using {title}{because} ({refund}).")
REFUND_ARRIVED = (UpdateKind.NOTE, REFUNDED[1])
"""Of a refund that the store has recorded already."""
REFUND_REFUSED = (UpdateKind.NOTE, "A refund of {money} failed to complete using {title}: {reason}")
REFUND_UNDONE = (UpdateKind.REFUND_FAILED, "A refund of {money} was unsuccessful using {title} ({refund}).")
DISPUTED = (UpdateKind.DISPUTED, 'Payment has been disputed for {money} with reason "{reason}" ({dispute}).{due}')
DISPUTE_UPDATED = (UpdateKind.NOTE, "Payment dispute has been updated: {reason} ({dispute}).{due}")
DISPUTE_WON = (UpdateKind.DISPUTE_WON, "Payment dispute has been closed with status {reason} ({dispute}).")
DISPUTE_LOST = (UpdateKind.DISPUTE_LOST, "Payment dispute has been closed with status {reason} ({dispute}).")

_REACHED = {
    Status.REQUIRES_CAPTURE: AUTHORIZED,
    Status.PROCESSING: AUTHORIZED,
    Status.REQUIRES_PAYMENT_METHOD: STARTED,
    Status.REQUIRES_ACTION: STARTED,
    Status.REQUIRES_CONFIRMATION: STARTED,
    Status.SUCCEEDED: CHARGED,
}
_REFUND_STATUS = {
    REFUND_PENDING: "pending",
    REFUNDED: "successful",
    REFUND_ARRIVED: "successful",
    REFUND_REFUSED: "failed",
    REFUND_UNDONE: "failed",
}
_WAITING = frozenset({Status.REQUIRES_ACTION, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_PAYMENT_METHOD})
_ENDED = frozenset({UpdateKind.CANCELLED, UpdateKind.FAILED})

IN_PERSON, IN_PERSON_STATUS = "WooCommerce In-Person Payments", "completed"
"""What an order shows that was paid at a card reader, and where it goes then: who pays there takes the goods along."""
CAPTURED_PART = "_wcpay_bridge_captured"
"""Order meta: what was captured, in major units, where that is less than was authorized."""

Words = tuple[UpdateKind, str]


def of_payment(before: PaymentIntent, after: PaymentIntent, outcome: Outcome, first: bool) -> Words | None:
    """Of a change of the intent's status; `first` is the first answer to its create."""
    if first:
        return DECLINED if outcome.decline else reached(after)
    if after.status is before.status:
        return PART_CAPTURED if captured_now(before, after) and after.status is Status.REQUIRES_CAPTURE else None
    if before.status is Status.REQUIRES_CAPTURE:
        if after.status is Status.CANCELED:
            return EXPIRED if outcome.expired else VOIDED
        return CAPTURED
    if before.status is Status.PROCESSING:
        return _of_processing(after, outcome)
    if after.status is Status.CANCELED and (outcome.decline or outcome.expired) and not _was_told(before):
        return FAILED if after.channel == "online" else DECLINED
    if after.status in _WAITING and before.status in _WAITING:
        return FAILED if outcome.decline and after.channel == "online" else None
    return reached(after)


def captured_now(before: PaymentIntent, after: PaymentIntent) -> int:
    """Minor units."""
    known, told = (intent.charge.amount_captured if intent.charge else 0 for intent in (before, after))
    return told - known


def _was_told(before: PaymentIntent) -> bool:
    """Whether the store has been told of a decline already, after which the payment was only voided."""
    return before.status is Status.REQUIRES_PAYMENT_METHOD and before.last_error is not None


def _of_processing(after: PaymentIntent, outcome: Outcome) -> Words | None:
    """Of the end of a payment for which the order waits on hold."""
    if after.status is Status.REQUIRES_CAPTURE:
        return HELD_NOW
    if outcome.decline and after.status is not Status.SUCCEEDED:
        return FAILED
    return (EXPIRED if outcome.expired else VOIDED) if after.status is Status.CANCELED else reached(after)


def reached(after: PaymentIntent) -> Words | None:
    """Of a payment that has come so far, whatever it was before. A card reader's payment means nothing to its order
    until a card is presented."""
    if after.channel == "terminal" and after.status in _WAITING:
        return None
    return _REACHED.get(after.status)


def of_refund(before: Refund | None, after: Refund) -> Words | None:
    """Of a refund that was not known, or whose status has changed.

    One that began in the store is recorded there already.
    """
    is_pending = after.status is RefundStatus.PENDING
    if before is None or not before.id:
        return (REFUND_PENDING if is_pending else REFUNDED) if after.status.counts else REFUND_REFUSED
    if before.status is RefundStatus.PENDING and after.status is RefundStatus.SUCCEEDED:
        return REFUND_ARRIVED
    return REFUND_UNDONE if before.status.counts and not after.status.counts else None


def of_dispute(before: Dispute | None, after: Dispute) -> list[Words]:
    """Of a dispute that was not known, or whose status has changed."""
    words = [DISPUTED] if before is None else []
    if after.is_closed and not (before and before.is_closed):
        words.append(DISPUTE_LOST if after.status == "lost" else DISPUTE_WON)
    if before and not after.is_closed and before.status != after.status:
        words.append(DISPUTE_UPDATED)
    return words


def build(
    operation_id: str,
    title: str,
    intent: PaymentIntent,
    words: Words,
    amount: int | None = None,
    total: int | None = None,
    read_at: float = 0.0,
    currency: str = "",
    **more: str,
) -> OrderUpdate:
    """The update. In minor units: `amount` is what the note speaks of, of `currency` if that is not the payment's, and
    `total` what the order should come to. `read_at` is when the order was read, if it may be written to without another
    look.

    `more` are other words of the note.
    """
    kind, note = words
    money = Money(intent.amount if amount is None else amount, currency or intent.currency)
    reason = more.pop("reason", (intent.last_error or {}).get("message", ""))
    in_person = intent.channel == "terminal"
    title = IN_PERSON if in_person else title
    return OrderUpdate(
        operation_id=operation_id,
        kind=kind,
        order_id=intent.order_id,
        order_key=intent.order_key,
        amount=intent.amount - intent.tip if total is None else total,
        currency=intent.currency,
        transaction_id=intent.shown_id,
        meta=_meta_of(words, intent),
        note=note.format(
            money=money,
            title=title,
            id=intent.shown_id,
            reason=reason,
            released=_released(intent),
            left=_left(intent),
            **more,
        ).strip()
        + _tipped(words, intent),
        deducted=intent.deducted,
        read_at=read_at,
        status=IN_PERSON_STATUS if in_person and kind is UpdateKind.PAID else "",
        title=title if in_person else "",
    )


def build_refund(
    operation_id: str,
    title: str,
    intent: PaymentIntent,
    words: Words,
    refund: Refund,
    origin: str,
    *,
    over: bool = False,
) -> OrderUpdate:
    """`over`: nothing is left of what was captured. `origin` is `store:` and the store's own id of a refund that staff
    began: the order's meta then pairs the two."""
    because = f". Reason: {refund.reason}." if refund.reason else ""
    update = build(
        operation_id,
        title,
        intent,
        words,
        refund.amount,
        because=because,
        refund=refund.id,
        reason=refund.failure or "the provider refused it",
    )
    shops, _, shop_id = origin.partition(":")
    meta = update.meta
    if shops == "store" and words[0] is UpdateKind.REFUNDED:
        meta = meta | {f"{PAIRED}{shop_id}": refund.id}
    booked = min(refund.amount, update.amount)  # a tip is nothing of which the order could have a refund
    return replace(update, refund_id=refund.id, refund_amount=booked, refund_reason=refund.reason, meta=meta, over=over)


def build_dispute(operation_id: str, title: str, intent: PaymentIntent, words: Words, dispute: Dispute) -> OrderUpdate:
    reason = dispute.reason if words is DISPUTED else dispute.status
    due = ""
    if dispute.due_by and not dispute.is_closed:
        due = f" Response due by {time.strftime('%Y-%m-%d', time.gmtime(dispute.due_by))}."
    currency = dispute.money(intent.currency).currency
    update = build(
        operation_id,
        title,
        intent,
        words,
        dispute.amount,
        currency=currency,
        dispute=dispute.id,
        reason=reason,
        due=due,
    )
    update = replace(update, refund_id=dispute.id)
    if words is not DISPUTE_LOST:
        return update
    other = currency if currency != intent.currency else ""
    booked = dispute.amount if other else min(dispute.amount, update.amount)
    return replace(update, refund_amount=booked, refund_currency=other, refund_reason="Dispute lost.")


def _captured_part(intent: PaymentIntent) -> int | None:
    """Minor units that were captured, if that is not all that was authorized."""
    charge = intent.charge
    return charge.amount_captured if charge and charge.captured and charge.amount_captured < charge.amount else None


def _released(intent: PaymentIntent) -> str:
    part = _captured_part(intent)
    return "" if part is None else f" The rest, {Money(intent.amount - part, intent.currency)}, was released."


def _tipped(words: Words, intent: PaymentIntent) -> str:
    """What the payer added at a reader: it is not owed by the order."""
    is_told = intent.tip and words in (AUTHORIZED, CHARGED, CAPTURED)
    return f" {Money(intent.tip, intent.currency)} of it is a tip." if is_told else ""


def _left(intent: PaymentIntent) -> Money:
    """What is authorized and was not captured."""
    taken = intent.charge.amount_captured if intent.charge else 0
    return Money(intent.amount - taken, intent.currency)


def _meta_of(words: Words, intent: PaymentIntent) -> dict[str, str]:
    kind, _ = words
    if words in _REFUND_STATUS:
        return {"_wcpay_refund_status": _REFUND_STATUS[words]}
    if kind in _ENDED:
        return {"_intention_status": intent.status.value}
    return _meta(intent) if kind in (UpdateKind.PAID, UpdateKind.AUTHORIZED) else {}


def _meta(intent: PaymentIntent) -> dict[str, str]:
    """WooPayments' order meta, and ours of a capture in part."""
    meta = {
        "_intent_id": intent.shown_id,
        "_charge_id": intent.charge.id if intent.charge else "",
        "_payment_method_id": intent.payment_method,
        "_intention_status": intent.status.value,
        "_stripe_customer_id": intent.customer,
        "_wcpay_intent_currency": intent.currency,
        "_wcpay_mode": "prod" if intent.live else "test",
    }
    if intent.charge and intent.charge.balance_transaction:
        meta["_wcpay_payment_transaction_id"] = intent.charge.balance_transaction
    if intent.charge and intent.charge.application_fee_amount:
        fee = Money(intent.charge.application_fee_amount, intent.currency)
        meta["_wcpay_transaction_fee"] = str(fee.decimal)
    if intent.charge and intent.charge.outcome:
        meta["_charge_risk_level"] = str(intent.charge.outcome.get("risk_level") or "")
    if intent.channel == "terminal":
        meta["_wcpay_fraud_meta_box_type"] = "terminal_payment"
    if (part := _captured_part(intent)) is not None:
        meta[CAPTURED_PART] = str(Money(part, intent.currency).decimal)
    return {key: value for key, value in meta.items() if value}
