"""Refunds and disputes: what Stripe is sent for a refund, and what it says about what came after a charge. Pure.

Sources: Stripe, "The Refund object", "Create a refund", "The Dispute object"; for fees and transfers "Create direct
charges" and "Create destination charges".
"""

import re
from collections.abc import Iterable
from typing import Any

from bridge.adapters.stripe_connect.answers import id_of, read_list, read_object, require
from bridge.adapters.stripe_connect.request import ATTEMPT
from bridge.domain.intents import Dispute, Refund, RefundStatus
from bridge.domain.outcomes import RefundRequest

Json = dict[str, Any]
REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})
RELEASED = "expired_uncaptured_charge"
"""The reason of a refund that is not one: money that was held for too long was released."""


def build_refund(charge: Json, request: RefundRequest, *, fee_back: bool) -> Json:
    """The parameters. What the charge gave away comes back with it: what was transferred and, if the platform gives it
    (`fee_back`), its fee."""
    params: Json = {"charge": charge["id"], "amount": request.amount}
    if request.reason in REASONS:
        params["reason"] = request.reason
    params["metadata"] = {ATTEMPT: request.operation_id}
    if charge.get("transfer") or charge.get("transfer_data"):
        params["reverse_transfer"] = True
    if fee_back and (charge.get("application_fee") or charge.get("application_fee_amount")):
        params["refund_application_fee"] = True
    return params


def read_refund(answer: Any, **expected: Any) -> Refund:
    """A refund with what it must have, at least. Raises ProviderConfused."""
    refund = read_object(answer, "refund", **expected)
    require(type(refund.get("amount")) is int)
    metadata = refund.get("metadata")
    return Refund(
        id=refund["id"],
        charge_id=id_of(refund.get("charge")) or "",
        amount=refund["amount"],
        status=RefundStatus.of(refund.get("status") or ""),
        reason=refund.get("reason") or "",
        operation_id=str(metadata.get(ATTEMPT) or "") if isinstance(metadata, dict) else "",
        created=refund.get("created") or 0,
        failure=refund.get("failure_reason") or "",
    )


def shown_refunds(charge: Json) -> tuple[list[Any], bool]:
    """The refunds that came with a charge, if they were asked for, and whether there are more. Newest first."""
    return read_list(charge["refunds"]) if charge.get("refunds") is not None else ([], False)


def read_dispute(disputes: Iterable[Any]) -> Dispute | None:
    """The dispute that counts: one that is open, else the newest. Raises ProviderConfused."""
    read = [_read_dispute(dispute) for dispute in disputes]
    return next((dispute for dispute in read if not dispute.is_closed), read[0] if read else None)


def _read_dispute(answer: Any) -> Dispute:
    dispute = read_object(answer, "dispute")
    require(type(dispute.get("amount")) is int and type(dispute.get("status")) is str)
    currency = dispute.get("currency")
    require(type(currency) is str and re.fullmatch("[A-Za-z]{3}", currency) is not None)
    details = dispute.get("evidence_details")
    due_by = details.get("due_by") if isinstance(details, dict) else None
    return Dispute(
        id=dispute["id"],
        charge_id=id_of(dispute.get("charge")) or "",
        amount=dispute["amount"],
        status=dispute["status"],
        reason=dispute.get("reason") or "",
        due_by=due_by if type(due_by) is int else None,
        created=dispute.get("created") or 0,
        currency=str(currency).upper(),
    )
