"""What the shop must hear of a change: kind, note and meta, as WooPayments has them, in one place."""

from dataclasses import replace

from bridge.domain.intents import Dispute, PaymentIntent, Refund, Status
from bridge.domain.money import Money
from bridge.domain.orders import OrderUpdate, UpdateKind
from bridge.domain.outcomes import Outcome

AUTHORIZED = (UpdateKind.AUTHORIZED, "A payment of {money} was authorized using {title} ({id}).")
STARTED = (UpdateKind.STARTED, "A payment of {money} was started using {title} ({id}).")
CHARGED = (UpdateKind.PAID, "A payment of {money} was successfully charged using {title} ({id}).")
CAPTURED = (UpdateKind.PAID, "A payment of {money} was successfully captured using {title} ({id}).")
VOIDED = (UpdateKind.CANCELLED, "Payment authorization was successfully cancelled ({id}).")
EXPIRED = (UpdateKind.FAILED, "Payment authorization has expired ({id}).")
DECLINED = (UpdateKind.NOTE, "A payment of {money} failed using {title} ({id}). {reason}")
CAPTURE_FAILED = (UpdateKind.NOTE, "A capture of {money} failed to complete using {title} ({id}). {reason}")
VOID_FAILED = (UpdateKind.NOTE, "Canceling authorization failed to complete with the following message: {reason}")
DUPLICATE = (
    UpdateKind.NOTE,
    "A second payment of {money} was made for this order using {title} ({second}). It has to be sent back.",
)
REFUNDED = (UpdateKind.REFUNDED, "A refund of {money} was successfully processed using {title}{because} ({refund}).")
REFUND_REFUSED = (UpdateKind.NOTE, "A refund of {money} failed to complete using {title}: {reason}")
REFUND_UNDONE = (UpdateKind.REFUND_FAILED, "A refund of {money} was unsuccessful using {title} ({refund}).")
DISPUTED = (UpdateKind.DISPUTED, 'Payment has been disputed for {money} with reason "{reason}" ({dispute}).')
DISPUTE_WON = (UpdateKind.DISPUTE_WON, "Payment dispute has been closed with status {reason} ({dispute}).")
DISPUTE_LOST = (UpdateKind.DISPUTE_LOST, "Payment dispute has been closed with status {reason} ({dispute}).")

_FIRST = {
    Status.REQUIRES_CAPTURE: AUTHORIZED,
    Status.PROCESSING: AUTHORIZED,
    Status.REQUIRES_ACTION: STARTED,
    Status.REQUIRES_CONFIRMATION: STARTED,
    Status.SUCCEEDED: CHARGED,
}

PAIRED = "_wcpay_bridge_refund_"
"""Order meta: with the id of a shop's refund behind it, the provider's id of the same refund."""
Words = tuple[UpdateKind, str]


def of_payment(before: PaymentIntent, after: PaymentIntent, outcome: Outcome, first: bool) -> Words | None:
    """Of a change of the intent's status; `first` is the first answer to its create."""
    if first and outcome.decline:
        return DECLINED
    if not first and after.status is before.status:
        return None
    if before.status is Status.REQUIRES_CAPTURE:
        if after.status is Status.CANCELED:
            return EXPIRED if outcome.expired else VOIDED
        return CAPTURED
    if after.status is Status.CANCELED and not before.last_error and (outcome.decline or outcome.expired):
        return DECLINED
    return _FIRST.get(after.status)


def of_refund(before: Refund | None, after: Refund) -> Words | None:
    """Of a refund that was not known, or whose status has changed.

    One that began in the shop is written there already.
    """
    if before is None or not before.id:
        return REFUNDED if after.status.counts else REFUND_REFUSED
    return REFUND_UNDONE if before.status.counts and not after.status.counts else None


def of_dispute(before: Dispute | None, after: Dispute) -> list[Words]:
    """Of a dispute that was not known, or whose status has changed."""
    words = [DISPUTED] if before is None else []
    if after.is_closed and not (before and before.is_closed):
        words.append(DISPUTE_LOST if after.status == "lost" else DISPUTE_WON)
    return words


def build(
    operation_id: str,
    title: str,
    intent: PaymentIntent,
    words: Words,
    amount: int | None = None,
    total: int | None = None,
    **more: str,
) -> OrderUpdate:
    """The update. In minor units: `amount` is what the note speaks of, `total` what the order should come to.

    `more` are other words of the note.
    """
    kind, note = words
    money = Money(intent.amount if amount is None else amount, intent.currency)
    reason = more.pop("reason", (intent.last_error or {}).get("message", ""))
    return OrderUpdate(
        operation_id=operation_id,
        kind=kind,
        order_id=intent.order_id,
        order_key=intent.order_key,
        amount=intent.amount if total is None else total,
        currency=intent.currency,
        transaction_id=intent.shown_id,
        meta=_meta(intent) if kind in (UpdateKind.PAID, UpdateKind.AUTHORIZED) else {},
        note=note.format(money=money, title=title, id=intent.shown_id, reason=reason, **more).strip(),
        read_at=intent.order_read,
    )


def build_refund(
    operation_id: str, title: str, intent: PaymentIntent, words: Words, refund: Refund, origin: str
) -> OrderUpdate:
    """`origin` is `store:` and the shop's own id of a refund that staff began: the order's meta then pairs the two."""
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
    meta = {f"{PAIRED}{shop_id}": refund.id} if shops == "store" and words is REFUNDED else {}
    return replace(update, refund_id=refund.id, refund_amount=refund.amount, refund_reason=refund.reason, meta=meta)


def build_dispute(operation_id: str, title: str, intent: PaymentIntent, words: Words, dispute: Dispute) -> OrderUpdate:
    reason = dispute.status if dispute.is_closed and words is not DISPUTED else dispute.reason
    update = build(operation_id, title, intent, words, dispute.amount, dispute=dispute.id, reason=reason)
    update = replace(update, refund_id=dispute.id)
    if words is not DISPUTE_LOST:
        return update
    return replace(update, refund_amount=dispute.amount, refund_reason="Dispute lost.")


def _meta(intent: PaymentIntent) -> dict[str, str]:
    """WooPayments' order meta."""
    meta = {
        "_intent_id": intent.shown_id,
        "_charge_id": intent.charge.id if intent.charge else "",
        "_payment_method_id": intent.payment_method,
        "_intention_status": intent.status.value,
        "_stripe_customer_id": intent.customer,
        "_wcpay_intent_currency": intent.currency.lower(),
        "_wcpay_mode": "prod" if intent.live else "test",
    }
    if intent.charge and intent.charge.balance_transaction:
        meta["_wcpay_payment_transaction_id"] = intent.charge.balance_transaction
    if intent.charge and intent.charge.application_fee_amount:
        fee = Money(intent.charge.application_fee_amount, intent.currency)
        meta["_wcpay_transaction_fee"] = str(fee.decimal)
    return {key: value for key, value in meta.items() if value}
