"""What Forte says about a payment, as an Outcome. Pure; trusts nothing: an answer that is not about our payment is not
an answer.

Sources: Forte's guide "Creating Payments" (the table of states), the SDK's type PaymentObject.
"""

import re
from collections.abc import Mapping
from typing import Any

from bridge.adapters.forte_platform.errors import NONSENSE
from bridge.adapters.forte_platform.request import ATTEMPT, NAMES, OFF_SESSION, ON_TOP, TAX
from bridge.domain import logs
from bridge.domain.errors import ProviderConfused
from bridge.domain.intents import MONEY, Charge, Refund, RefundStatus, Status
from bridge.domain.outcomes import Decline, Outcome
from bridge.schemas.forte_platform import MethodsSchema, PaymentSchema

log = logs.logger(__name__)
Json = dict[str, Any]

STATES: dict[str, Status] = {
    "DRAFT": Status.REQUIRES_PAYMENT_METHOD,
    "PROCESSING": Status.PROCESSING,
    "COMPLETED": Status.SUCCEEDED,
    "CANCELLED": Status.CANCELED,
    "FAILED": Status.CANCELED,
    "REFUNDED": Status.SUCCEEDED,
    "PARTIALLY_REFUNDED": Status.SUCCEEDED,
}
"""One that is not here means `processing`."""
_DRAFTS = {
    status.value: status
    for status in (
        Status.REQUIRES_PAYMENT_METHOD,
        Status.REQUIRES_CONFIRMATION,
        Status.REQUIRES_ACTION,
        Status.REQUIRES_CAPTURE,
    )
}
"""Stripe's statuses that Forte calls DRAFT alike."""
_FAILED = Decline("payment_failed", "The payment failed. Forte does not say why.")
_PAYMENT = PaymentSchema()
_METHODS = MethodsSchema()
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def read_payment(answer: Any, **expected: Any) -> Json:
    """A PaymentObject that has what it must have, at least. Raises ProviderConfused."""
    try:
        payment = _PAYMENT.read(answer)
    except ValueError:
        raise ProviderConfused(NONSENSE) from None
    payment["currency"] = payment["currency"].lower()  # what Forte answers has any case
    if any(payment[name] != value for name, value in expected.items()):
        raise ProviderConfused(NONSENSE)
    return payment


def read_methods(answer: Any) -> list[Json]:
    """Saved cards in Stripe's shape; other methods are not listed. Raises ProviderConfused."""
    try:
        methods = _METHODS.read({"methods": answer})["methods"]
    except ValueError:
        raise ProviderConfused(NONSENSE) from None
    payer = {"address": dict.fromkeys(_ADDRESS), "email": None, "name": None, "phone": None}
    return [
        {
            "id": method["id"],
            "type": "card",
            "billing_details": payer,
            "card": {
                "brand": method["brand"],
                "last4": method["last4"],
                "exp_month": method["expMonth"],
                "exp_year": method["expYear"],
            },
        }
        for method in methods
        if method["type"] == "card"
    ]


def attempt_of(payment: Mapping[str, Any]) -> str | None:
    """Our attempt's id, of a payment that is ours."""
    attempt = payment["metadata"].get(ATTEMPT)
    return attempt if isinstance(attempt, str) and re.fullmatch(r"\w{1,64}", attempt, re.ASCII) else None


def outcome_of(payment: Mapping[str, Any], **more: Any) -> Outcome:
    """A payment that was read, as an Outcome.

    If the payment says that Forte's tax came on top, its amount is the order's, without the tax; the charge has both.
    """
    status = status_of(payment)
    amount = payment["amountCents"]
    if payment["metadata"].get(TAX) == ON_TOP and payment["subtotalCents"] == amount - payment["taxCents"]:
        amount = payment["subtotalCents"]
    return Outcome(
        status=status,
        reference=payment["id"],
        public_id=payment["stripePaymentIntentId"],
        amount=amount,
        currency=payment["currency"].upper(),
        charge=_charge(payment, status),
        decline=_FAILED if payment["state"] == "FAILED" else None,
        refunds=refunds_of(payment),
        attempt_id=attempt_of(payment),
        metadata={ours: payment["metadata"][name] for ours, name in NAMES.items() if name in payment["metadata"]},
        created=payment["createdAt"],
        raw={name: payment[name] for name in _KEPT},
        **more,
    )


_KEPT = (
    *("id", "state", "stripeStatus", "stripePaymentIntentId", "subtotalCents", "taxCents", "amountCents"),
    *("currency", "refundedAmountCents", "createdAt", "updatedAt"),
)


def status_of(payment: Mapping[str, Any]) -> Status:
    """Forte's state decides. Stripe's status only says which kind of DRAFT it is; if the two contradict each other,
    nobody knows yet."""
    state, stripe = payment["state"], payment["stripeStatus"]
    if state == "DRAFT" and OFF_SESSION in payment["metadata"]:
        return Status.PROCESSING  # rule 3: no buyer can confirm it, but Forte may be charging it now
    if state not in STATES:
        log.warning("payment %s is %s at Forte: not one of the states that it documents", payment["id"], state[:40])
    if state == "DRAFT" and stripe:
        return _DRAFTS.get(stripe, Status.PROCESSING)
    return STATES.get(state, Status.PROCESSING)


def refunds_of(payment: Mapping[str, Any]) -> tuple[Refund, ...]:
    """What was refunded. A version of the API without a history says only that all of it was."""
    charge = charge_id(payment)
    records = payment["refundHistory"]
    if not records and payment["state"] == "REFUNDED":
        records = [{"amountCents": payment["amountCents"], "timestamp": payment["updatedAt"], "stripeRefundId": ""}]
    return tuple(
        Refund(
            id=record["stripeRefundId"] or f"{charge.replace('ch_', 're_', 1)}_{number}",
            charge_id=charge,
            amount=record["amountCents"],
            status=RefundStatus.SUCCEEDED,
            created=int(record["timestamp"] or 0),
        )
        for number, record in enumerate(records, 1)
    )


def charge_id(payment: Mapping[str, Any]) -> str:
    """Forte does not return Stripe's id of the charge: ours is derived from the payment's."""
    return "ch_" + re.sub(r"\W", "", str(payment["id"]).removeprefix("pay_"), flags=re.ASCII)


def changed_at(payment: Mapping[str, Any]) -> float:
    """When it was last changed, in Unix seconds; 0 if Forte does not say."""
    moments = [record["timestamp"] for record in (*payment["stateHistory"], *payment["refundHistory"])]
    return float(max(payment["updatedAt"] or 0, payment["createdAt"] or 0, *moments, 0))


def _charge(payment: Mapping[str, Any], status: Status) -> Charge | None:
    if status not in MONEY:
        return None
    amount, captured = payment["amountCents"], status is Status.SUCCEEDED
    sent_back = sum(refund.amount for refund in refunds_of(payment))
    moments = [record["timestamp"] for record in payment["stateHistory"] if record["state"] == "COMPLETED"]
    return Charge(
        id=charge_id(payment),
        amount=amount,
        status="succeeded",
        captured=captured,
        amount_captured=amount if captured else 0,
        amount_refunded=min(max(sent_back, payment["refundedAmountCents"]), amount),
        billing_details=_billing_details(payment["customerAddress"]),
        created=int(moments[0] if moments else payment["updatedAt"] or payment["createdAt"] or 0),
    )


def _billing_details(address: Mapping[str, str] | None) -> Json | None:
    if address is None:
        return None
    names = {"postal_code": "postalCode"}
    shown = {part: address[names.get(part, part)] or None for part in _ADDRESS}
    return {"address": shown, "email": None, "name": None, "phone": None}
