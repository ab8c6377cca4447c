"""The public test cards: what each of them does when it is charged. No other card exists here.

Names, numbers and effects: https://docs.stripe.com/testing; decline codes: https://docs.stripe.com/declines/codes.
"""

from dataclasses import dataclass
from enum import Enum


class Refund(Enum):
    """What becomes of a refund to the card: at once, or after a while."""

    SUCCEEDS = "succeeded"
    SUCCEEDS_LATER = "pending, then succeeded"
    FAILS_LATER = "succeeded, then failed"


class Authentication(Enum):
    """When the cardholder has to authenticate (3-D Secure)."""

    NEVER = "never"
    UNLESS_SET_UP = "on session always, off session unless the card was set up for it"
    ALWAYS = "always"


@dataclass(frozen=True)
class Decline:
    """An issuer's no: Stripe's error code, decline code, message, advice and the card detail that is to blame."""

    code: str
    decline_code: str
    message: str = "Your card was declined."
    advice_code: str | None = "try_again_later"
    param: str | None = None


@dataclass(frozen=True)
class Card:
    """A test card. `attachable` is whether it can be saved for a customer: most cards that decline cannot. `dispute` is
    the reason with which it disputes what it paid, which is no more than an `inquiry` at first."""

    number: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    authentication: Authentication = Authentication.NEVER
    attachable: bool = True
    refund: Refund = Refund.SUCCEEDS
    dispute: str | None = None
    inquiry: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]


GENERIC = Decline("card_declined", "generic_decline")
INSUFFICIENT_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", advice_code="do_not_try_again")
STOLEN = Decline("card_declined", "stolen_card", advice_code="do_not_try_again")
FRAUDULENT = Decline("card_declined", "fraudulent", advice_code=None)
VELOCITY = Decline(
    "card_declined", "card_velocity_exceeded", "Your card was declined for making repeated attempts too frequently."
)
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "confirm_card_data", "exp_month")
INCORRECT_CVC = Decline(
    "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "confirm_card_data", "cvc"
)
PROCESSING_ERROR = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    None,
)
AUTHENTICATION_NOT_HANDLED = Decline(
    "authentication_required",
    "authentication_not_handled",
    "This payment required an authentication action to complete, but `error_on_requires_action` was set.",
    None,
)


def _declined(number: str, decline: Decline) -> Card:
    return Card(number, decline=decline, attachable=False)


_SECURE = Authentication.ALWAYS
_CARDS = {
    "visa": Card("4242424242424242"),
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard": Card("5555555555554444", "mastercard"),
    "mastercard_debit": Card("5200828282828210", "mastercard", funding="debit"),
    "mastercard_prepaid": Card("5105105105105100", "mastercard", funding="prepaid"),
    "amex": Card("378282246310005", "amex"),
    "discover": Card("6011111111111117", "discover"),
    "diners": Card("3056930009020004", "diners"),
    "jcb": Card("3566002020360505", "jcb", "JP"),
    "unionpay": Card("6200000000000005", "unionpay", "CN"),
    "us": Card("4242424242424242"),
    "ca": Card("4000001240000000", country="CA"),
    "gb": Card("4000008260000000", country="GB"),
    "de": Card("4000002760000016", country="DE"),
    "fr": Card("4000002500000003", country="FR"),
    "jp": Card("4000003920000003", country="JP"),
    "visa_chargeDeclined": _declined("4000000000000002", GENERIC),
    "visa_chargeDeclinedInsufficientFunds": _declined("4000000000009995", INSUFFICIENT_FUNDS),
    "visa_chargeDeclinedLostCard": _declined("4000000000009987", LOST),
    "visa_chargeDeclinedStolenCard": _declined("4000000000009979", STOLEN),
    "visa_chargeDeclinedVelocityLimitExceeded": _declined("4000000000006975", VELOCITY),
    "chargeDeclinedFraudulent": _declined("4100000000000019", FRAUDULENT),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", EXPIRED),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", INCORRECT_CVC),
    "chargeDeclinedProcessingError": _declined("4000000000000119", PROCESSING_ERROR),
    "chargeCustomerFail": Card("4000000000000341", decline=GENERIC),
    "authenticationRequired": Card("4000002760003184", country="DE", authentication=_SECURE),
    "authenticationRequiredOnSetup": Card(
        "4000002500003155", country="FR", authentication=Authentication.UNLESS_SET_UP
    ),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178", country="GB", authentication=_SECURE, decline=INSUFFICIENT_FUNDS
    ),
    "threeDSecure2Required": Card("4000000000003220", authentication=_SECURE),
    "threeDSecureRequired": Card("4000000000003063", authentication=_SECURE),
    "threeDSecureRequiredChargeDeclined": Card("4000008400001629", authentication=_SECURE, decline=GENERIC),
    "threeDSecureRequiredProcessingError": Card("4000008400001280", authentication=_SECURE, decline=PROCESSING_ERROR),
    "createDispute": Card("4000000000000259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card("4000000000002685", dispute="product_not_received"),
    "createDisputeInquiry": Card("4000000000001976", dispute="fraudulent", inquiry=True),
    "pendingRefund": Card("4000000000007726", refund=Refund.SUCCEEDS_LATER),
    "refundFail": Card("4000000000005126", refund=Refund.FAILS_LATER),
}
_INTERAC = Card("4506445006931933", "interac", "CA", "debit", attachable=False)
"""The one test card that only a reader takes: https://docs.stripe.com/terminal/references/testing."""

_OLDER_SPELLINGS = {
    name.replace("visa_chargeDeclined", "chargeDeclined"): card
    for name, card in _CARDS.items()
    if name.startswith("visa_chargeDeclined")
}
_NAMES = {**_OLDER_SPELLINGS, **_CARDS}
_NUMBERS = {card.number: card for card in _CARDS.values()}


def by_name(name: str) -> Card | None:
    """The card of a public test name, `pm_card_visa` or `tok_visa`; None for any other id."""
    for prefix in ("pm_card_", "tok_"):
        if name.startswith(prefix):
            return _NAMES.get(name.removeprefix(prefix))
    return None


def at_reader(name: str) -> Card | None:
    """The card of a public test name that is presented to a reader, `pm_card_interac` included."""
    return _INTERAC if name == "pm_card_interac" else by_name(name)


def by_number(number: str) -> Card | None:
    """The test card with this number, spaces and dashes aside; None if it is not a test card."""
    return _NUMBERS.get(number.replace(" ", "").replace("-", ""))
