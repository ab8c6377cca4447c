"""Disputes: a payer's bank asks for a charge back, takes the money at once, and returns or keeps it in the end.

An inquiry is a question before that and takes nothing. Sources: https://docs.stripe.com/api/disputes,
https://docs.stripe.com/disputes/how-disputes-work and https://docs.stripe.com/testing#disputes.
"""

from contextlib import suppress
from functools import partial

from stripe import params

from ..ledger import Kind
from . import details
from .balance import note, transaction
from .errors import ApiError, Json
from .events import publish
from .listing import page
from .state import Call, State, merged_metadata, snapshot

FEE = 1500
"""What Stripe keeps for a dispute, in minor units; it comes back with a dispute that is won."""
DAYS_TO_RESPOND = 9

REASONS = {
    "bank_cannot_process": None,
    "check_returned": None,
    "credit_not_processed": "13.6",
    "customer_initiated": None,
    "debit_not_authorized": None,
    "duplicate": "12.6.1",
    "fraudulent": "10.4",
    "general": None,
    "incorrect_account_details": None,
    "insufficient_funds": None,
    "noncompliant": None,
    "product_not_received": "13.1",
    "product_unacceptable": "13.3",
    "subscription_canceled": "13.2",
    "unrecognized": "10.4",
}
"""Why cardholders dispute, and Visa's code for it: https://docs.stripe.com/disputes/categories."""

_OPEN = frozenset({"needs_response", "under_review", "warning_needs_response", "warning_under_review"})
_VERDICTS = {"winning_evidence": True, "losing_evidence": False}


def begin(
    state: State, charge: Json, reason: str, amount: int | None = None, inquiry: bool = False, currency: str = ""
) -> Json:
    """A new dispute of `amount` minor units, by default what has been captured and not refunded. ValueError for an
    unknown reason, for more than that, and for a charge with an open dispute.

    A dispute has a `currency` of its own, the charge's by default: the payer's bank asks for what it had booked. Its
    amount is then held against nothing. Source: docs.stripe.com/api/disputes/object, `amount` and `currency`.
    """
    if charge["payment_intent"] is None:
        raise ValueError(f"{charge['id']} came by a transfer: dispute the charge that it came from")
    left = _left(state, charge)
    amount = left if amount is None else amount
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is not one of the reasons: {', '.join(REASONS)}")
    is_foreign = currency not in ("", charge["currency"])
    if amount <= 0 or (amount > left and not is_foreign):
        raise ValueError(f"{amount} cannot be disputed: what is captured and not refunded is {left}")
    if any(dispute["status"] in _OPEN for dispute in of(state, charge)):
        raise ValueError(f"{charge['id']} is being disputed already")
    dispute = _make(state, charge, reason, amount, inquiry, currency or charge["currency"])
    charge["disputed"] = True
    publish(state, "charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(state, dispute)
    return dispute


def begin_if_possible(state: State, charge: Json, reason: str, inquiry: bool) -> None:
    """What a card does that disputes by itself: nothing, if the charge has been refunded meanwhile."""
    if _left(state, charge) and not charge["disputed"]:
        begin(state, charge, reason, inquiry=inquiry)


def of(state: State, charge: Json) -> list[Json]:
    """The disputes of a charge, newest first."""
    return state.all(state.owner(charge["id"]), "dispute", charge=charge["id"])


def _left(state: State, charge: Json) -> int:
    """What the merchant still has of a charge, for all that has been decided."""
    ended = [dispute for dispute in of(state, charge) if dispute["status"] == "lost"]
    lost = sum(dispute["amount"] for dispute in ended if dispute["currency"] == charge["currency"])
    left: int = charge["amount_captured"] - charge["amount_refunded"] - lost
    return left


def keeps_money(state: State, charge: Json) -> bool:
    """Whether a dispute has taken money that it has not returned, so that the charge cannot be refunded."""
    return any(not dispute["is_charge_refundable"] for dispute in of(state, charge))


def _make(state: State, charge: Json, reason: str, amount: int, inquiry: bool, currency: str) -> Json:
    network, code = details.of(charge)["network"], REASONS[reason]
    return state.add(
        state.owner(charge["id"]),
        {
            "id": state.mint("du"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": state.now(),
            "currency": currency,
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(params.DisputeUpdateParamsEvidence.__annotations__), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": state.now() + DAYS_TO_RESPOND * 86400,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "intended_submission_method": None,
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "network_reason_code": code,
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": network,
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network": network,
                    "network_reason_code": code,
                },
                "type": "card",
            },
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        },
    )


def _withdraw(state: State, dispute: Json) -> None:
    _move(state, dispute, -1)
    _note(state, "disputed", dispute)
    publish(state, "charge.dispute.funds_withdrawn", dispute)


def _move(state: State, dispute: Json, sign: int) -> None:
    """Take the disputed amount and the fee out of the balance, or put them back."""
    line = transaction(
        state,
        state.owner(dispute["id"]),
        "adjustment",
        dispute,
        sign * dispute["amount"],
        -sign * FEE,
        category="dispute" if sign < 0 else "dispute_reversal",
        fee_name="Dispute fee",
    )
    found = state.anywhere(line)
    assert found is not None
    dispute["balance_transactions"].append(snapshot(found))


def _note(state: State, kind: Kind, dispute: Json) -> None:
    charge, intent = state.anywhere(dispute["charge"]), state.anywhere(dispute["payment_intent"])
    assert charge is not None
    assert intent is not None
    note(state, kind, dispute, intent, dispute["amount"], charge)


def close(state: State, dispute: Json, won: bool) -> Json:
    """The bank's last word. An inquiry that ends has taken nothing, whatever the word. ValueError if it has ended."""
    if dispute["status"] not in _OPEN:
        raise ValueError(f"{dispute['id']} is closed: it is {dispute['status']}")
    inquiry = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    if won and not inquiry:
        dispute["is_charge_refundable"] = True
        _move(state, dispute, 1)
    if not inquiry:
        _note(state, "dispute_won" if won else "dispute_lost", dispute)
    publish(state, "charge.dispute.closed", dispute)
    if won and not inquiry:
        publish(state, "charge.dispute.funds_reinstated", dispute)
    return dispute


def escalate(state: State, dispute: Json) -> Json:
    """The answer to an inquiry did not do: it becomes a chargeback. ValueError if it is no open inquiry."""
    before = dispute["status"]
    if before not in _OPEN or not before.startswith("warning_"):
        raise ValueError(f"{dispute['id']} is no open inquiry: it is {before}")
    charge = state.find(state.owner(dispute["id"]), "charge", dispute["charge"])
    if not _left(state, charge):
        raise ValueError(f"{charge['id']} has been refunded: there is nothing to take")
    amount = min(dispute["amount"], _left(state, charge))
    dispute.update(status="needs_response", amount=amount, is_charge_refundable=False)
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    publish(state, "charge.dispute.updated", dispute, status=before)
    _withdraw(state, dispute)
    return dispute


def update(call: Call) -> Json:
    """Evidence, staged or submitted. In a sandbox the text `winning_evidence`, `losing_evidence` or
    `escalate_inquiry_evidence` decides the dispute as soon as it is submitted."""
    dispute, given = call.find("dispute", "dispute"), call.params.get("evidence") or {}
    if given and not dispute["status"].endswith("needs_response"):
        raise _refused(f"This dispute is {dispute['status']}: it takes no evidence any more.")
    dispute["metadata"] = merged_metadata(dispute["metadata"], call.params.get("metadata"))
    dispute["evidence"].update({name: value or None for name, value in given.items()})
    course, before = dispute["evidence_details"], dispute["status"]
    course["has_evidence"] = course["has_evidence"] or bool(given)
    if given and call.params.get("submit", True):
        course.update(submission_count=course["submission_count"] + 1, submission_method="manual")
        dispute["status"] = before.replace("needs_response", "under_review")
        call.state.later(0, partial(_decide, call.state, dispute))
    publish(call.state, "charge.dispute.updated", dispute, status=before)
    return dispute


def _decide(state: State, dispute: Json) -> None:
    word = dispute["evidence"]["uncategorized_text"]
    if dispute["status"] not in _OPEN:
        return
    if word in _VERDICTS:
        close(state, dispute, _VERDICTS[word])
    elif word == "escalate_inquiry_evidence":
        with suppress(ValueError):  # it is not an inquiry, or nothing is left to take
            escalate(state, dispute)


def accept(call: Call) -> Json:
    """The merchant gives in."""
    dispute = call.find("dispute", "dispute")
    if not dispute["status"].endswith("needs_response"):
        raise _refused("This dispute is already closed.")
    return close(call.state, dispute, won=False)


def _refused(message: str) -> ApiError:
    return ApiError(400, message, executed=True)


def list_all(call: Call) -> Json:
    found = call.state.all(call.account, "dispute", **call.given("charge", "payment_intent"))
    return page(found, call.params, "/v1/disputes")
