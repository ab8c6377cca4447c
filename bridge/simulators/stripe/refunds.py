"""Refunds: of a charge or of an intent's charge, in parts, never more than was captured; some end later, or fail.

Sources: https://docs.stripe.com/api/refunds, https://docs.stripe.com/refunds#failed-refunds and, for transfers and
fees, https://docs.stripe.com/connect/charges.
"""

from functools import partial

from . import cards
from .balance import note, transaction
from .disputes import keeps_money
from .errors import ApiError, Json, invalid
from .events import publish
from .listing import page
from .state import Call, State, merged_metadata

SETTLES_IN = 10.0
"""Seconds after which a test card's refund that ends later does."""
FAILURES = (
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
)
"""Why refunds fail: https://docs.stripe.com/api/refunds/object#refund_object-failure_reason."""


def create(call: Call) -> Json:
    state, params = call.state, call.params
    charge, intent = _charge(call)
    amount = _amount(params, charge)
    transfer = state.anywhere(charge.get("transfer", ""))
    fee = state.anywhere(charge["application_fee"] or "")
    if params.get("reverse_transfer") and transfer is None:
        raise invalid("This charge has no transfer that could be reversed.", "reverse_transfer")
    if params.get("refund_application_fee") and fee is None:
        raise invalid("This charge has no application fee that could be refunded.", "refund_application_fee")
    metadata = merged_metadata({}, params.get("metadata"))
    refund = _make(call, charge, amount, metadata)
    facts = {"metadata": {**intent["metadata"], **metadata}}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    note(state, "refunded", refund, intent, amount, charge, **facts)
    publish(state, "refund.created", refund)
    publish(state, "charge.refunded", charge)
    if params.get("reverse_transfer") and transfer is not None:
        back = _take_back(transfer, "amount_reversed", "reversed", charge)
        line = transaction(state, state.platform, "transfer_refund", transfer, back)
        refund["transfer_reversal"] = _reversal(state, transfer, refund, back, line)["id"]
        note(state, "transfer_reversed", transfer, intent, back, charge, **facts)
        publish(state, "transfer.reversed", transfer)
    if params.get("refund_application_fee") and fee is not None:
        back = _take_back(fee, "amount_refunded", "refunded", charge)
        transaction(state, state.platform, "application_fee_refund", fee, -back)
        note(state, "fee_refunded", fee, intent, back, charge, **facts)
        publish(state, "application_fee.refunded", fee)
    return refund


def _charge(call: Call) -> tuple[Json, Json]:
    """The charge to refund, captured, and its intent. ApiError 400 if there is none."""
    intent, charge = call.refer("payment_intent", "payment_intent"), call.refer("charge", "charge")
    if (intent is None) == (charge is None):
        problem = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid(problem, code="parameter_missing" if intent is None else None)
    if charge is None and intent is not None:
        if intent["latest_charge"] is None:
            raise invalid(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        charge = call.state.find(call.account, "charge", intent["latest_charge"])
    assert charge is not None
    if charge["payment_intent"] is None:
        raise invalid(f"{charge['id']} came by a transfer: refund the charge that it came from.", "charge")
    if not charge["captured"]:
        raise invalid(f"The charge {charge['id']} has not been captured; cancel its PaymentIntent instead.")
    if charge["payment_method_details"]["type"] == "interac_present":
        raise invalid(f"The charge {charge['id']} is of an Interac card: it is refunded at a reader, with the card.")
    if keeps_money(call.state, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise ApiError(400, message, code="charge_disputed", executed=True)
    return charge, intent or call.state.find(call.account, "payment_intent", charge["payment_intent"])


def _amount(params: Json, charge: Json) -> int:
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, message, code="charge_already_refunded", executed=True)
    amount: int = params.get("amount", left)
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
    return amount


def _make(call: Call, charge: Json, amount: int, metadata: dict[str, str]) -> Json:
    state, kind = call.state, _destiny(call.state, charge)
    waits = kind is cards.Refund.SUCCEEDS_LATER
    refund = state.add(
        call.account,
        {
            "id": state.mint("re"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": state.now(),
            "currency": charge["currency"],
            "customer": charge["customer"],
            "customer_account": None,
            "destination_details": {"card": {"type": "pending" if waits else "refund"}, "type": "card"},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "payment_method": charge["payment_method"],
            "reason": call.params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if waits else "succeeded",
            "transfer_reversal": None,
        },
    )
    refund["balance_transaction"] = transaction(state, call.account, "refund", refund, -amount)
    if waits:
        refund["pending_reason"] = "processing"
        state.later(SETTLES_IN, partial(_succeed_if_pending, state, refund))
    elif kind is cards.Refund.FAILS_LATER:
        state.later(SETTLES_IN, partial(_fail_if_sent, state, refund))
    return refund


def _destiny(state: State, charge: Json) -> cards.Refund:
    """What becomes of the refunds of a charge."""
    return state.cards[charge["payment_method"]].refund


def succeed(state: State, refund: Json) -> Json:
    """A pending refund has reached the payer. ValueError if it is not pending."""
    if refund["status"] != "pending":
        raise ValueError(f"{refund['id']} is not pending: it is {refund['status']}")
    refund["status"] = "succeeded"
    del refund["pending_reason"]
    refund["destination_details"]["card"]["type"] = "refund"
    _publish_update(state, refund, "pending")
    return refund


def fail(state: State, refund: Json, reason: str) -> Json:
    """The payer's bank did not take the money: it is the merchant's again, and can be refunded again. What was taken
    back of a transfer or a fee stays so. ValueError for an unknown reason, and if it has failed already."""
    if reason not in FAILURES:
        raise ValueError(f"{reason!r} is not one of the reasons: {', '.join(FAILURES)}")
    before = refund["status"]
    if before == "failed":
        raise ValueError(f"{refund['id']} has failed already")
    account, amount = state.owner(refund["id"]), refund["amount"]
    charge = state.find(account, "charge", refund["charge"])
    intent = state.find(account, "payment_intent", refund["payment_intent"])
    refund.pop("pending_reason", None)
    line = transaction(state, account, "refund_failure", refund, amount)
    refund.update(status="failed", failure_reason=reason, failure_balance_transaction=line)
    charge["amount_refunded"] -= amount
    charge["refunded"] = False
    note(state, "refund_failed", refund, intent, amount, charge)
    _publish_update(state, refund, before)
    publish(state, "refund.failed", refund)
    return refund


def _publish_update(state: State, refund: Json, before: str) -> None:
    for kind in ("refund.updated", "charge.refund.updated"):
        publish(state, kind, refund, status=before)


def _succeed_if_pending(state: State, refund: Json) -> None:
    if refund["status"] == "pending":
        succeed(state, refund)


def _fail_if_sent(state: State, refund: Json) -> None:
    if refund["status"] != "failed":
        fail(state, refund, "expired_or_canceled_card")


def _take_back(thing: Json, counter: str, done: str, charge: Json) -> int:
    """Take back the part of a transfer or fee that belongs to what has been refunded of the charge so far."""
    due = thing["amount"] * charge["amount_refunded"] // charge["amount_captured"]
    back: int = max(due - thing[counter], 0)
    thing[counter] += back
    thing[done] = thing[counter] == thing["amount"]
    return back


def _reversal(state: State, transfer: Json, refund: Json, amount: int, line: str) -> Json:
    return state.add(
        state.platform,
        {
            "id": state.mint("trr"),
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": line,
            "created": state.now(),
            "currency": transfer["currency"],
            "metadata": {},
            "source_refund": refund["id"],
            "transfer": transfer["id"],
        },
    )


def update(call: Call) -> Json:
    refund = call.find("refund")
    before, refund["metadata"] = refund["metadata"], merged_metadata(refund["metadata"], call.params.get("metadata"))
    publish(call.state, "refund.updated", refund, metadata=before)
    return refund


def list_of_charge(call: Call) -> Json:
    charge = call.find("charge", "charge")
    found = call.state.all(call.account, "refund", charge=charge["id"])
    return page(found, call.params, f"/v1/charges/{charge['id']}/refunds")


def list_all(call: Call) -> Json:
    found = call.state.all(call.account, "refund", **call.given("charge", "payment_intent"))
    return page(found, call.params, "/v1/refunds")
