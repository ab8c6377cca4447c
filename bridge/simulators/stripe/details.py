"""How a charge was paid, type by type: the `payment_method_details` of the charge object.

Source: https://docs.stripe.com/api/charges/object and, for in-person payments, https://docs.stripe.com/terminal.
"""

from .errors import Json
from .payment_methods import make
from .state import State, snapshot

MULTICAPTURE_BRANDS = frozenset({"amex", "diners", "discover", "jcb", "mastercard", "unionpay", "visa"})
"""https://docs.stripe.com/payments/multicapture."""

_SAME = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
_RECEIPT = {
    "application_cryptogram": "DCCB8B1BD1A1B6C8",
    "application_preferred_name": "Stripe Test Card",
    "authorization_code": "123456",
    "authorization_response_code": "3030",
    "cardholder_verification_method": "approval",
    "dedicated_file_name": "A000000003101001",
    "terminal_verification_results": "8000008000",
    "transaction_status_information": "6800",
}


def describe(state: State, intent: Json, method: Json, authenticated: bool) -> Json:
    """The details of a new charge of the intent with this method."""
    kind = method["type"]
    network = state.cards[method["id"]].brand
    if kind == "card":
        return {"card": _online(intent, method, network, authenticated), "type": kind}
    present = _present(method, network, *_place(state, state.owner(method["id"])))
    if kind == "card_present":
        present |= {
            "amount_authorized": intent["amount"],
            "incremental_authorization_supported": False,
            "offline": {"stored_at": None, "type": None},
            "overcapture_supported": False,
        }
    return {kind: present, "type": kind}


def of(charge: Json) -> Json:
    """The part of a charge's details that belongs to its type."""
    details = charge["payment_method_details"]
    part: Json = details[details["type"]]
    return part


def generate_card(state: State, charge: Json) -> None:
    """A card that was read in person can be charged online later: the method for that, which can be attached."""
    generated = make(state, state.owner(charge["id"]), state.cards[charge["payment_method"]])
    of(charge)["generated_card"] = generated["id"]
    origin = {"charge": charge["id"], "payment_method_details": snapshot(charge["payment_method_details"])}
    generated["card"]["generated_from"] = {**origin, "setup_attempt": None}


def _online(intent: Json, method: Json, network: str, authenticated: bool) -> Json:
    amount = intent["amount"]
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
        **{name: method["card"][name] for name in (*_SAME, "checks", "wallet")},
        "amount_authorized": amount,
        "authorization_code": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "available" if _captured_often(intent, network) else "unavailable"},
        "network": network,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": secure if authenticated else None,
    }


def _captured_often(intent: Json, network: str) -> bool:
    """Whether it was asked for and can be had: this simulator shares no payment that is captured in parts."""
    asked = (intent["payment_method_options"].get("card") or {}).get("request_multicapture") == "if_available"
    shared = intent["transfer_data"] or intent["application_fee_amount"]
    return asked and not shared and network in MULTICAPTURE_BRANDS


def _present(method: Json, network: str, reader: str, location: str | None) -> Json:
    hash_ = method[method["type"]]
    return {
        **{name: hash_[name] for name in (*_SAME, "cardholder_name", "preferred_locales", "read_method")},
        "description": None,
        "emv_auth_data": None,
        "generated_card": None,
        "iin": None,
        "issuer": None,
        "location": location,
        "network": network,
        "network_transaction_id": None,
        "reader": reader,
        "receipt": {"account_type": hash_["funding"] if network != "interac" else "checking", **_RECEIPT},
    }


def _place(state: State, account: str) -> tuple[str, str | None]:
    """The one reader that an account has, and where it stands: the account's first location, if there is any."""
    if account not in state.readers:
        state.readers[account] = state.mint("tmr")
    locations = state.all(account, "terminal.location")
    return state.readers[account], locations[-1]["id"] if locations else None
