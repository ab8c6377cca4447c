"""What becomes of held money: captured, in parts where the charge allows it, released by a cancellation, or expired.

Sources: https://docs.stripe.com/payments/place-a-hold-on-a-payment-method and, for several captures,
https://docs.stripe.com/payments/multicapture. Amounts are minor units.
"""

from . import charges, details
from .balance import note
from .errors import Json, invalid, unexpected_state
from .events import publish
from .fees import check_parties
from .state import Call, State, merged_metadata

ONLINE_HOLD = 7 * 24 * 3600
IN_PERSON_HOLD = 2 * 24 * 3600
"""Seconds for which an uncaptured authorisation is held: of a card online, and at a reader."""

_CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def capture(call: Call) -> Json:
    state, params, intent = call.state, call.params, call.find("payment_intent", "intent")
    if intent["status"] != "requires_capture":
        message = f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a"
        message += " PaymentIntent with one of the following statuses may be captured: requires_capture."
        raise unexpected_state(message, intent)
    charge = _charge(state, intent)
    amount, final = _amount(params, intent, charge)
    check_parties(call, params, intent)
    intent["metadata"] = merged_metadata(intent["metadata"], params.get("metadata"))
    if params.get("transfer_data"):
        intent["transfer_data"] = {**intent["transfer_data"], **params["transfer_data"]}
    fee = {**intent, **params}["application_fee_amount"]
    intent["application_fee_amount"] = min(fee, amount) if fee else fee
    if amount:
        charges.capture(state, intent, charge, amount, final)
        publish(state, "charge.captured", charge)
    elif final:
        charges.release(state, intent, charge)
    if final:
        _succeed(state, intent, charge)
    else:
        intent["amount_capturable"] -= amount
        intent["amount_received"] += amount
        publish(state, "payment_intent.amount_capturable_updated", intent)
    return intent


def _amount(params: Json, intent: Json, charge: Json) -> tuple[int, bool]:
    """How much to take, and whether that is the last time. ApiError 400 for an amount or a part that cannot be."""
    left: int = intent["amount_capturable"]
    amount: int = params.get("amount_to_capture", left)
    final: bool = params.get("final_capture", True)
    least = 0 if final and charge["captured"] else 1
    if amount < least:
        message = f"This value must be greater than or equal to {least}."
        raise invalid(message, "amount_to_capture", "parameter_invalid_integer")
    if amount > left:
        message = f"The amount to capture, {amount}, is greater than what is capturable, {left}."
        raise invalid(message, "amount_to_capture", "amount_too_large")
    if not final and details.of(charge).get("multicapture", {}).get("status") != "available":
        raise invalid("This payment is not eligible for multicapture.", "final_capture")
    if not final and "application_fee_amount" in params:
        raise invalid("This simulator shares no payment that is captured in parts.", "application_fee_amount")
    return amount, final or amount == left


def _succeed(state: State, intent: Json, charge: Json) -> None:
    intent.update(status="succeeded", amount_capturable=0, amount_received=charge["amount_captured"])
    publish(state, "payment_intent.succeeded", intent)


def cancel(call: Call) -> Json:
    intent = call.find("payment_intent", "intent")
    if intent["status"] not in _CANCELABLE:
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a"
        message += f" PaymentIntent with one of the following statuses may be canceled: {', '.join(_CANCELABLE)}."
        raise unexpected_state(message, intent)
    if intent["amount_received"]:
        message = "This PaymentIntent has been captured in part. Release the rest by a final capture of 0."
        raise unexpected_state(message, intent)
    _cancel(call.state, intent, call.params.get("cancellation_reason"))
    return intent


def expire_if_held(state: State, intent: Json, charge: Json) -> None:
    """The hold of that charge ends: the intent is canceled, or has succeeded with what was captured of it."""
    if intent["status"] != "requires_capture" or intent["latest_charge"] != charge["id"]:
        return
    if intent["amount_received"]:
        charges.release(state, intent, charge)
        _succeed(state, intent, charge)
    else:
        publish(state, "charge.expired", charge)
        _cancel(state, intent, "expired")


def _cancel(state: State, intent: Json, reason: str | None) -> None:
    held = intent["amount_capturable"]
    charge = _charge(state, intent) if intent["latest_charge"] else None
    if intent["status"] == "processing" and charge is not None:
        charge["status"] = "failed"
        publish(state, "charge.failed", charge)
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=state.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    note(state, "canceled", intent, intent, held, charge)
    publish(state, "payment_intent.canceled", intent)


def _charge(state: State, intent: Json) -> Json:
    return state.find(state.owner(intent["id"]), "charge", intent["latest_charge"])
