"""Charges: an issuer's yes or no, the hold, and the capture. Every step is a fact in the ledger.

Source: https://docs.stripe.com/api/charges. What a partial capture or a cancellation releases is not a refund (since
the API version 2025-03-31.basil).
"""

from functools import partial

from . import details
from .balance import note, stripe_fee, transaction
from .cards import Decline
from .connect import apply_fee, pass_on
from .descriptors import calculated, payee
from .disputes import begin_if_possible
from .errors import Json, invalid
from .events import publish
from .listing import page
from .payment_methods import billing_details
from .state import Call, State, merged_metadata


def make(state: State, account: str, intent: Json, method: Json, authenticated: bool = False) -> Json:
    """A new charge for the intent, neither accepted nor declined yet."""
    return state.add(
        account,
        {
            "id": state.mint("ch"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": intent["application"],
            "application_fee": None,
            "application_fee_amount": intent["application_fee_amount"],
            "balance_transaction": None,
            "billing_details": billing_details(method["billing_details"]),
            "calculated_statement_descriptor": calculated(
                state, payee(account, intent), intent["statement_descriptor_suffix"]
            ),
            "captured": False,
            "created": state.now(),
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": intent["on_behalf_of"],
            "outcome": _outcome("authorized", "approved_by_network", "Payment complete."),
            "paid": True,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": details.describe(state, intent, method, authenticated),
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": intent["shipping"],
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": "succeeded",
            "transfer_data": intent["transfer_data"],
            "transfer_group": intent["transfer_group"],
        },
    )


def _outcome(kind: str, network_status: str, seller_message: str) -> Json:
    unknown = dict.fromkeys(("advice_code", "network_advice_code", "network_decline_code", "reason"))
    risk = {"risk_level": "normal", "risk_score": 20}
    return {**unknown, "network_status": network_status, **risk, "seller_message": seller_message, "type": kind}


def pend(state: State, charge: Json) -> None:
    """The issuer has not answered yet."""
    charge.update(paid=False, status="pending")
    publish(state, "charge.pending", charge)


def decline(state: State, charge: Json, reason: Decline) -> None:
    """The issuer refused: the charge stays, failed."""
    fraud = reason.decline_code == "fraudulent"
    outcome = _outcome("blocked" if fraud else "issuer_declined", "declined_by_network", reason.message)
    charge["outcome"] = {**outcome, "reason": reason.decline_code, "advice_code": reason.advice_code}
    charge.update(paid=False, status="failed", failure_code=reason.code, failure_message=reason.message)
    if "amount_authorized" in details.of(charge):
        details.of(charge)["amount_authorized"] = None
    publish(state, "charge.failed", charge)


def hold(state: State, intent: Json, charge: Json, until: int | None = None) -> None:
    """The issuer accepted: money is held for the charge, until then (Unix seconds) if it waits to be captured."""
    intent["latest_charge"] = charge["id"]
    charge.update(paid=True, status="succeeded")
    if charge["payment_method_details"]["type"] == "card_present":
        details.generate_card(state, charge)
    if until is not None:
        details.of(charge)["capture_before"] = until
    note(state, "authorised", intent, intent, intent["amount"], charge)


def capture(state: State, intent: Json, charge: Json, amount: int, final: bool = True) -> None:
    """Take `amount` of what is held, let the rest go if it is `final`, and share it out."""
    if not charge["captured"]:
        _dispute_later(state, charge)
    taken = charge["amount_captured"] + amount
    charge.update(captured=True, amount_captured=taken, application_fee_amount=intent["application_fee_amount"])
    note(state, "captured", intent, intent, amount, charge)
    if final:
        release(state, intent, charge)
    account = state.owner(intent["id"])
    fee = intent["application_fee_amount"] or 0
    if intent["transfer_data"]:
        charge["balance_transaction"] = transaction(state, account, "charge", charge, amount, stripe_fee(amount))
        payment = pass_on(state, intent, charge, amount)
        if fee:
            apply_fee(state, intent, charge, payment, fee)
    else:
        txn = transaction(state, account, "charge", charge, amount, stripe_fee(amount), fee)
        charge["balance_transaction"] = txn
        if fee:
            apply_fee(state, intent, charge, charge, fee)


def release(state: State, intent: Json, charge: Json) -> None:
    """Let go what is held beyond the captures."""
    rest = charge["amount"] - charge["amount_captured"]
    if rest:
        note(state, "released", intent, intent, rest, charge)


def _dispute_later(state: State, charge: Json) -> None:
    """Some cards dispute what they have paid, by themselves."""
    card = state.cards[charge["payment_method"]]
    if card.dispute:
        state.later(0, partial(begin_if_possible, state, charge, card.dispute, card.inquiry))


def update(call: Call) -> Json:
    charge, params = call.find("charge", "charge"), call.params
    unknown = [
        name for name in params if name not in ("description", "expand", "metadata", "receipt_email", "shipping")
    ]
    if unknown:
        raise invalid(f"This simulator does not change a charge's {unknown[0]}.", unknown[0])
    before = {name: charge[name] for name in params if name != "expand"}
    charge["metadata"] = merged_metadata(charge["metadata"], params.get("metadata"))
    for name in ("description", "receipt_email", "shipping"):
        if name in params:
            charge[name] = params[name] or None
    publish(call.state, "charge.updated", charge, **before)
    return charge


def list_all(call: Call) -> Json:
    found = call.state.all(call.account, "charge", **call.given("customer", "payment_intent", "transfer_group"))
    return page(found, call.params, "/v1/charges")
