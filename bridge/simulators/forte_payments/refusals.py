"""Buyers whom Forte refuses or asks for more, and the magic inputs by which a request names one of them.

The codes are Forte's (https://docs.fortepayments.io, create payment intent), the magic inputs are this simulator's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KYC_CODE = "ERR06"
SUBMITTED_AMOUNT = "409.04"  # answers as if the payment had been submitted before
MESSAGES = {
    "ERR01": "You cannot pay here. Please contact the support.",
    "ERR03": "Payments are not possible from your country.",
    KYC_CODE: "Please verify your identity before you pay.",
    "ERR15": "Your wallet's address cannot be used. Please choose another wallet.",
}


@dataclass(frozen=True)
class Refusal:
    """An `error_code`, and whether an intent is made all the same."""

    code: str
    with_intent: bool = False


_BY_MAILBOX = {
    "banned": Refusal("ERR01"),
    "sanctioned": Refusal("ERR03"),
    "kyc": Refusal(KYC_CODE),
    "kyc.intent": Refusal(KYC_CODE, with_intent=True),
}


def refusal_of(buyer: Mapping[str, Any]) -> Refusal | None:
    """What stands against the buyer: by the e-mail's part before the @, or by a wallet address that ends in `dead`."""
    mailbox = buyer.get("email", "").partition("@")[0].lower()
    if mailbox in _BY_MAILBOX:
        return _BY_MAILBOX[mailbox]
    if buyer.get("wallet", {}).get("address", "").lower().endswith("dead"):
        return Refusal("ERR15")
    return None
