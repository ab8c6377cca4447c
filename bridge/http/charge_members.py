"""A charge with the members of Stripe's that WooPayments hands on, in the kinds that WooCommerce's apps decode.

What is not known is null; where an app decodes no null it is Stripe's word `unknown`, or an empty text.

Sources: Stripe, "The Charge object", "The BalanceTransaction object"; the decoders of the apps, WCPayCharge
(woocommerce-ios) and WCPaymentChargeApiResult (FluxC, woocommerce-android).
"""

from collections.abc import Sequence
from typing import Any

from bridge.domain.intents import Charge, PaymentIntent

Json = dict[str, Any]
UNKNOWN = "unknown"
BRANDS = ("amex", "diners", "discover", "interac", "jcb", "mastercard", "unionpay", "visa", UNKNOWN)
FUNDINGS = ("credit", "debit", "prepaid", "checking", "savings", UNKNOWN)
STATUSES = ("succeeded", "pending", "failed")
"""The only words that the iOS app decodes, for brands, fundings and statuses."""
_READ = (
    *("amount_authorized", "brand", "capture_before", "cardholder_name", "country", "emv_auth_data", "exp_month"),
    *("exp_year", "fingerprint", "funding", "generated_card", "last4", "network", "overcapture_supported"),
    *("preferred_locales", "read_method", "receipt"),
)
_CARDS: dict[str, tuple[str, ...]] = {
    "card": (
        *("amount_authorized", "brand", "capture_before", "checks", "country", "exp_month", "exp_year", "fingerprint"),
        *("funding", "installments", "last4", "mandate", "network", "three_d_secure", "wallet"),
    ),
    "card_present": _READ,
    "interac_present": _READ,
}
_CHECKS = ("address_line1_check", "address_postal_code_check", "cvc_check")
_RECEIPT = (
    *("account_type", "application_cryptogram", "application_preferred_name", "authorization_code"),
    *("authorization_response_code", "cardholder_verification_method", "dedicated_file_name"),
    *("terminal_verification_results", "transaction_status_information"),
)
_BALANCE = (
    *("id", "object", "amount", "available_on", "created", "currency", "description", "exchange_rate", "fee"),
    *("fee_details", "net", "reporting_category", "source", "status", "type"),
)
_OUTCOME = ("network_status", "reason", "risk_level", "seller_message", "type")
_DETAILS = (
    *("application", "application_fee", "calculated_statement_descriptor", "description", "failure_code"),
    *("failure_message", "fraud_details", "on_behalf_of", "receipt_number", "receipt_url", "statement_descriptor"),
    *("statement_descriptor_suffix", "transfer_data", "transfer_group"),
)
_NEVER = ("invoice", "level3", "paydown", "receipt_email", "review", "shipping", "source", "source_transfer")
"""What the bridge does not know of any charge."""


def shown_charge(intent: PaymentIntent, charge: Charge) -> Json:
    """All members but those that are its order's, its refunds' and its dispute's."""
    details = charge.details or {}
    return {
        **dict.fromkeys(_NEVER),
        **{name: details.get(name) for name in _DETAILS},
        **_failure(intent, charge),
        "id": charge.id,
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount_refunded,
        "application_fee_amount": charge.application_fee_amount,
        "authorization_code": _authorization_code(charge.card or {}),
        "balance_transaction": _balance_transaction(intent, charge),
        "captured": charge.captured,
        "created": charge.created or int(intent.created),
        "currency": intent.currency.lower(),
        "customer": intent.customer or None,
        "destination": (details.get("transfer_data") or {}).get("destination"),
        "livemode": intent.live,
        "metadata": {name: str(value) for name, value in intent.metadata.items()},
        "outcome": {**dict.fromkeys(_OUTCOME), **charge.outcome} if charge.outcome else None,
        "paid": charge.status == "succeeded",
        "payment_intent": intent.shown_id,
        "payment_method": intent.payment_method,
        "payment_method_details": _payment_method_details(charge),
        "refunded": 0 < charge.amount_captured == charge.amount_refunded,
        "status": _one_of(STATUSES, charge.status, "pending"),
    }


def _payment_method_details(charge: Charge) -> Json:
    kind, card = charge.payment_method_type, charge.card or {}
    if kind not in _CARDS:
        return {kind: card, "type": kind}
    members = {name: card.get(name) for name in _CARDS[kind]}
    members["brand"] = _one_of(BRANDS, card.get("brand"))
    members["funding"] = _one_of(FUNDINGS, card.get("funding"))
    members["last4"] = card.get("last4") or ""
    if kind == "card":
        members["checks"] = {**dict.fromkeys(_CHECKS), **(card.get("checks") or {})}
    else:
        receipt = {**dict.fromkeys(_RECEIPT), **(card.get("receipt") or {})}
        members["receipt"] = receipt | {"account_type": _one_of(FUNDINGS, receipt["account_type"])}
    return {kind: members, "type": kind}


def _balance_transaction(intent: PaymentIntent, charge: Charge) -> Json | None:
    """As the provider has shown it, if it did; else what is certain of it: the fee is not."""
    if not charge.balance_transaction:
        return None
    said = (charge.details or {}).get("balance_transaction") or {}
    certain = {
        "id": charge.balance_transaction,
        "object": "balance_transaction",
        "source": charge.id,
        "type": "charge",
        "reporting_category": "charge",
    }
    if said.get("id") != charge.balance_transaction:
        said = {"amount": charge.amount_captured, "currency": intent.currency.lower()}
    return {**dict.fromkeys(_BALANCE), **certain, **said}


def _failure(intent: PaymentIntent, charge: Charge) -> Json:
    """Why it failed, in the words of the payment's last error where the charge itself has none."""
    error, details = intent.last_error or {}, charge.details or {}
    if charge.status != "failed":
        return {}
    return {
        "failure_code": details.get("failure_code") or error.get("code"),
        "failure_message": details.get("failure_message") or error.get("message"),
    }


def _authorization_code(card: Json) -> Any:
    return card.get("authorization_code") or (card.get("receipt") or {}).get("authorization_code")


def _one_of(words: Sequence[str], word: Any, otherwise: str = UNKNOWN) -> str:
    return word if word in words else otherwise
