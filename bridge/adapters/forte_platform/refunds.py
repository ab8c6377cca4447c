"""Refunds through Forte's API: `POST .../payments/{paymentId}/refund`, whose only parameter is in the query.

Source: the SDK's operation refundPayment. The answer is the payment: the new refund is the one that was not there.
"""

from typing import Any

from bridge.adapters.forte_platform.answers import read_payment, refunds_of
from bridge.adapters.forte_platform.client import Client
from bridge.adapters.forte_platform.errors import NONSENSE, refuse
from bridge.adapters.forte_platform.payments import Payments
from bridge.adapters.forte_platform.settings import Options
from bridge.domain.errors import ProviderConfused
from bridge.domain.intents import Refund
from bridge.domain.outcomes import RefundRequest


def refund(client: Client, payments: Payments, options: Options, request: RefundRequest) -> Refund:
    """Refund `request.amount`, and return the refund that this created: the newest. Raises ProviderError."""
    before = payments.one(request.reference)
    if before["currency"].upper() != request.currency.upper():
        raise refuse("provider_refused", "The refund is in another currency than the payment.")
    query = {"refundAmountCents": str(request.amount)}
    if options.refunds == "full":
        if request.amount != before["amountCents"]:
            raise refuse("only_whole_refunds", "Forte can refund only the whole payment (setting refunds).")
        query = {}
    path = options.path("/users/{user}/payments/{payment}/refund", user=before["userId"], payment=before["id"])
    after = read_payment(client.write("POST", path, query=query), id=before["id"], userId=before["userId"])
    return _new_one(before, after, request)


def _new_one(before: dict[str, Any], after: dict[str, Any], request: RefundRequest) -> Refund:
    known = {one.id for one in refunds_of(before)}
    new = [one for one in refunds_of(after) if one.id not in known and one.amount == request.amount]
    if not new:
        raise ProviderConfused(NONSENSE)
    made = new[-1]
    return Refund(
        id=made.id,
        charge_id=request.charge_id,
        amount=made.amount,
        status=made.status,
        reason=request.reason,
        operation_id=request.operation_id,
        created=made.created,
    )
