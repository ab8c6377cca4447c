"""Charges: an issuer's yes or no, the hold, and the capture. Every step is a fact in the ledger.

Source: https://docs.stripe.com/api/charges. What a partial capture or a cancellation releases is no refund (since the
API version 2025-03-31.basil).
"""

from .balance import note, stripe_fee, transaction
from .cards import Decline
from .connect import apply_fee, pass_on
from .errors import Json
from .listing import page
from .payment_methods import billing_details
from .state import Call, State

HOLD = 7 * 24 * 3600
"""Seconds for which an uncaptured card authorisation is held: https://docs.stripe.com/payments/place-a-hold."""


def make(state: State, account: str, intent: Json, method: Json, authenticated: bool = False) -> Json:
    """A new charge for the intent, neither accepted nor declined yet."""
    card = state.cards[method["id"]]
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
            "calculated_statement_descriptor": "WCPAY-BRIDGE",
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
            "payment_method_details": {
                "card": _card_details(method, card.brand, intent["amount"], authenticated),
                "type": "card",
            },
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


def _card_details(method: Json, network: str, amount: int, authenticated: bool) -> Json:
    same = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    return {
        **{name: method["card"][name] for name in same},
        "amount_authorized": amount,
        "authorization_code": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": network,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": secure if authenticated else None,
    }


def decline(charge: Json, reason: Decline) -> None:
    """The issuer refused: the charge stays, failed."""
    fraud = reason.decline_code == "fraudulent"
    outcome = _outcome("blocked" if fraud else "issuer_declined", "declined_by_network", reason.message)
    charge["outcome"] = {**outcome, "reason": reason.decline_code, "advice_code": reason.advice_code}
    charge.update(paid=False, status="failed", failure_code=reason.code, failure_message=reason.message)
    charge["payment_method_details"]["card"]["amount_authorized"] = None


def hold(state: State, intent: Json, charge: Json) -> None:
    """The issuer accepted: money is held for the charge."""
    intent["latest_charge"] = charge["id"]
    if intent["capture_method"] == "manual":
        charge["payment_method_details"]["card"]["capture_before"] = state.now() + HOLD
    note(state, "authorised", intent, intent, intent["amount"], charge)


def capture(state: State, intent: Json, charge: Json, amount: int) -> None:
    """Take `amount` of what is held, let the rest go, and share it out."""
    rest = charge["amount"] - amount
    charge.update(captured=True, amount_captured=amount, application_fee_amount=intent["application_fee_amount"])
    note(state, "captured", intent, intent, amount, charge)
    if rest:
        note(state, "released", intent, intent, rest, charge)
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


def list_all(call: Call) -> Json:
    wanted = {
        name: call.params[name] for name in ("customer", "payment_intent", "transfer_group") if name in call.params
    }
    every = call.state.all(call.account, "charge")
    found = [charge for charge in every if all(charge[name] == value for name, value in wanted.items())]
    return page(found, call.params, "/v1/charges")
