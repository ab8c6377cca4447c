"""What WooCommerce's mobile apps decode of a charge, written down anew from their decoders.

Sources: github.com/woocommerce/woocommerce-ios at 2077debb97b5, Networking/Model: WCPayCharge, WCPayChargeStatus,
WCPayPaymentMethodDetails, WCPayCardPaymentDetails, WCPayCardPresentPaymentDetails, WCPayCardPresentReceiptDetails,
WCPayCardBrand, WCPayCardFunding; FluxC (github.com/woocommerce/woocommerce-android, libs/fluxc-plugin), model.payments.
inperson.WCPaymentChargeApiResult. October 2024.

A shape is a kind of JSON value, a set of words, `Maybe` (null will do, too), `[shape]` for a list of them, or a dict of
the members of an object. All members of a shape have to be there: the bridge leaves none out.
"""

from dataclasses import dataclass
from typing import Any

ANY = object
Shape = Any


@dataclass(frozen=True)
class Maybe:
    shape: Shape


TEXT, NUMBER, FLAG = Maybe(str), Maybe(int), Maybe(bool)
BRAND = {"amex", "diners", "discover", "interac", "jcb", "mastercard", "unionpay", "visa", "unknown"}
FUNDING = {"credit", "debit", "prepaid", "checking", "savings", "unknown"}
_IOS_CARD = {"brand": BRAND, "last4": str, "funding": FUNDING}
_IOS_RECEIPT = {"account_type": FUNDING, "application_preferred_name": TEXT, "dedicated_file_name": TEXT}
_IOS_DETAILS = {
    "card": _IOS_CARD,
    "card_present": {**_IOS_CARD, "receipt": _IOS_RECEIPT},
    "interac_present": {**_IOS_CARD, "receipt": _IOS_RECEIPT},
}
IOS: Shape = {
    "id": str,
    "amount": int,
    "amount_captured": int,
    "amount_refunded": int,
    "authorization_code": TEXT,
    "captured": bool,
    "created": int,
    "currency": str,
    "paid": bool,
    "payment_intent": TEXT,
    "payment_method": str,
    "refunded": bool,
    "status": {"succeeded", "pending", "failed"},
}
"""Without `payment_method_details`: of any other type than these three the app decodes the type alone."""

_ANDROID_CARD = {
    **dict.fromkeys(("brand", "cardholder_name", "country", "emv_auth_data", "fingerprint", "funding"), TEXT),
    **dict.fromkeys(("generated_card", "last4", "network", "read_method"), TEXT),
    **dict.fromkeys(("amount_authorized", "exp_month", "exp_year"), NUMBER),
    "overcapture_supported": FLAG,
    "receipt": {
        **dict.fromkeys(("account_type", "application_cryptogram", "application_preferred_name"), TEXT),
        **dict.fromkeys(("authorization_response_code", "cardholder_verification_method", "dedicated_file_name"), TEXT),
        **dict.fromkeys(("terminal_verification_results", "transaction_status_information"), TEXT),
        "authorization_code": ANY,
    },
}
_ANDROID_BALANCE = {
    **dict.fromkeys(
        ("currency", "description", "id", "object", "reporting_category", "source", "status", "type"), TEXT
    ),
    **dict.fromkeys(("amount", "available_on", "created", "fee", "net"), NUMBER),
    "exchange_rate": ANY,
    "fee_details": Maybe([ANY]),
}
_ANDROID_BILLING = {
    "address": Maybe(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), ANY)),
    "email": ANY,
    "formatted_address": TEXT,
    "name": ANY,
    "phone": ANY,
}
_ANDROID_OUTCOME = dict.fromkeys(("network_status", "risk_level", "seller_message", "type"), TEXT) | {"reason": ANY}
_ANDROID_REFUNDS = {"data": [ANY], "has_more": FLAG, "object": TEXT, "total_count": NUMBER, "url": TEXT}
ANDROID: Shape = {
    **dict.fromkeys(("amount", "amount_captured", "amount_refunded", "application_fee_amount", "created"), NUMBER),
    **dict.fromkeys(("application", "application_fee", "authorization_code", "calculated_statement_descriptor"), TEXT),
    **dict.fromkeys(("currency", "customer", "description", "id", "object", "payment_intent", "payment_method"), TEXT),
    **dict.fromkeys(("receipt_url", "statement_descriptor", "status"), TEXT),
    **dict.fromkeys(("captured", "disputed", "livemode", "paid", "refunded"), FLAG),
    **dict.fromkeys(("destination", "dispute", "failure_code", "failure_message", "invoice", "on_behalf_of"), ANY),
    **dict.fromkeys(("receipt_email", "receipt_number", "review", "shipping", "source", "source_transfer"), ANY),
    **dict.fromkeys(("statement_descriptor_suffix", "transfer_data", "transfer_group"), ANY),
    "balance_transaction": Maybe(_ANDROID_BALANCE),
    "billing_details": Maybe(_ANDROID_BILLING),
    "fraud_details": Maybe([ANY]),
    "level3": Maybe({}),
    "metadata": {},
    "order": {"customer_url": TEXT, "number": TEXT, "subscriptions": [ANY], "url": TEXT},
    "outcome": Maybe(_ANDROID_OUTCOME),
    "payment_method_details": {"type": TEXT},
    "refunds": _ANDROID_REFUNDS,
}


def undecodable(charge: dict[str, Any]) -> list[str]:
    """Where either app would stumble."""
    details = charge.get("payment_method_details") or {}
    kind = details.get("type")
    readers = {each: _ANDROID_CARD for each in ("card_present", "interac_present") if each == kind}
    own = {"payment_method_details": {"type": str, **({kind: _IOS_DETAILS[kind]} if kind in _IOS_DETAILS else {})}}
    return [
        *_wrong(IOS | own, charge, "iOS: charge"),
        *_wrong(ANDROID, charge, "Android: charge"),
        *_wrong(readers, details, "Android: payment_method_details"),
        *_wrong(dict.fromkeys(charge.get("metadata") or {}, str), charge.get("metadata"), "Android: metadata"),
    ]


def _wrong(shape: Shape, value: Any, at: str) -> list[str]:
    if isinstance(shape, Maybe):
        return [] if value is None else _wrong(shape.shape, value, at)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{at} is not an object: {value!r}"]
        absent = [f"{at}.{name} is absent" for name in shape if name not in value]
        return absent + [
            fault for name in shape if name in value for fault in _wrong(shape[name], value[name], f"{at}.{name}")
        ]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{at} is not a list: {value!r}"]
        return [fault for each in value for fault in _wrong(shape[0], each, f"{at}[]")]
    fits = value in shape if isinstance(shape, set) else shape is ANY or type(value) is shape
    return [] if fits else [f"{at} is {value!r}"]
