"""Refunds: of a charge or of an intent's charge, in parts, never more than was captured.

Sources: https://docs.stripe.com/api/refunds and, for transfers and fees, https://docs.stripe.com/connect/charges.
"""

from .balance import note, transaction
from .errors import ApiError, Json, invalid
from .listing import page
from .state import Call, State, merged_metadata


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
    if params.get("reverse_transfer") and transfer is not None:
        back = _take_back(transfer, "amount_reversed", "reversed", charge)
        line = transaction(state, state.platform, "transfer_refund", transfer, back)
        refund["transfer_reversal"] = _reversal(state, transfer, refund, back, line)["id"]
        note(state, "transfer_reversed", transfer, intent, back, charge, **facts)
    if params.get("refund_application_fee") and fee is not None:
        back = _take_back(fee, "amount_refunded", "refunded", charge)
        transaction(state, state.platform, "application_fee_refund", fee, -back)
        note(state, "fee_refunded", fee, intent, back, charge, **facts)
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
    state = call.state
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
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "reason": call.params.get("reason"),
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        },
    )
    refund["balance_transaction"] = transaction(state, call.account, "refund", refund, -amount)
    return refund


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
    refund["metadata"] = merged_metadata(refund["metadata"], call.params.get("metadata"))
    return refund


def list_all(call: Call) -> Json:
    wanted = {name: call.params[name] for name in ("charge", "payment_intent") if name in call.params}
    every = call.state.all(call.account, "refund")
    found = [refund for refund in every if all(refund[name] == value for name, value in wanted.items())]
    return page(found, call.params, "/v1/refunds")
