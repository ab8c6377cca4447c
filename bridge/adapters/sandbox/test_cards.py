"""Which payment method does what; anything else that looks like a payment method is a Visa card that works."""

from dataclasses import dataclass

from bridge.domain.errors import ProviderRefused
from bridge.domain.intents import RefundStatus, Status
from bridge.domain.outcomes import Decline

DAY = 24 * 3600
AUTHORIZATION_SECONDS = 7 * DAY
ANSWER_SECONDS = 7 * DAY
"""How long a dispute waits for an answer, which the sandbox never gives."""
LATER_SECONDS = 60
"""Seconds until something happens that happens later."""
NOBODY = "nobody"
"""What `sandbox_present` says where no card is presented to the reader."""


@dataclass(frozen=True, slots=True)
class DisputePlan:
    """A dispute as it begins, and how it ends after so many `seconds`. Words: Stripe, "The Dispute object"."""

    reason: str = "fraudulent"
    begins: str = "needs_response"
    ends: str = "lost"
    seconds: int = ANSWER_SECONDS


@dataclass(frozen=True, slots=True)
class TestCard:
    """What a payment method does: `status` if the payer's bank has nothing against it, else `decline`.

    `refund` is what a refund is at first and what it becomes soon, `quarrel` the dispute that follows the payment.
    """

    brand: str = "visa"
    last4: str = "4242"
    status: Status = Status.SUCCEEDED
    decline: Decline | None = None
    fault: str = ""
    refund: tuple[RefundStatus, RefundStatus] = (RefundStatus.SUCCEEDED, RefundStatus.SUCCEEDED)
    quarrel: DisputePlan | None = None


def _declines(code: str, message: str, decline_code: str | None = None, last4: str = "0002") -> TestCard:
    return TestCard(last4=last4, status=Status.REQUIRES_PAYMENT_METHOD, decline=Decline(code, message, decline_code))


_DECLINED = "Your card was declined."
TEST_CARDS: dict[str, TestCard] = {
    "pm_card_visa": TestCard(),
    "pm_card_mastercard": TestCard("mastercard", "4444"),
    "pm_card_amex": TestCard("amex", "8431"),
    "pm_card_discover": TestCard("discover", "9424"),
    "pm_card_chargeDeclined": _declines("card_declined", _DECLINED, "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": _declines(
        "card_declined", "Your card has insufficient funds.", "insufficient_funds", "9995"
    ),
    "pm_card_chargeDeclinedLostCard": _declines("card_declined", _DECLINED, "lost_card", "9987"),
    "pm_card_chargeDeclinedStolenCard": _declines("card_declined", _DECLINED, "stolen_card", "9979"),
    "pm_card_chargeDeclinedFraudulent": _declines("card_declined", _DECLINED, "fraudulent", "0019"),
    "pm_card_chargeDeclinedExpiredCard": _declines("expired_card", "Your card has expired.", None, "0069"),
    "pm_card_chargeDeclinedIncorrectCvc": _declines(
        "incorrect_cvc", "Your card's security code is incorrect.", None, "0127"
    ),
    "pm_card_chargeDeclinedProcessingError": _declines(
        "processing_error", "An error occurred while processing your card. Try again in a little bit.", None, "0119"
    ),
    "pm_card_authenticationRequired": TestCard(last4="3184", status=Status.REQUIRES_ACTION),
    "pm_card_threeDSecure2Required": TestCard(last4="3220", status=Status.REQUIRES_ACTION),
    "pm_card_pendingRefund": TestCard(last4="7726", refund=(RefundStatus.PENDING, RefundStatus.SUCCEEDED)),
    "pm_card_refundFail": TestCard(last4="5126", refund=(RefundStatus.SUCCEEDED, RefundStatus.FAILED)),
    "pm_card_createDispute": TestCard(last4="0259", quarrel=DisputePlan()),
    "pm_card_createDisputeProductNotReceived": TestCard(last4="2685", quarrel=DisputePlan("product_not_received")),
    "pm_card_createDisputeInquiry": TestCard(
        last4="1976", quarrel=DisputePlan(begins="warning_needs_response", ends="warning_closed")
    ),
    "pm_sandbox_processing": TestCard(status=Status.PROCESSING),
    "pm_sandbox_unreachable": TestCard(fault="unreachable"),
    "pm_sandbox_lost_answer": TestCard(fault="lost_answer"),
    "pm_sandbox_refund_fails": TestCard(refund=(RefundStatus.PENDING, RefundStatus.FAILED)),
    "pm_sandbox_dispute_won": TestCard(quarrel=DisputePlan(ends="won", seconds=LATER_SECONDS)),
    "pm_sandbox_dispute_lost": TestCard(quarrel=DisputePlan(seconds=LATER_SECONDS)),
}
"""Source of the `pm_card_` names.

Stripe, "Testing". `pm_card_visa_` and `pm_card_` decline alike. The `pm_sandbox_` names are ours.
"""


def test_card_of(payment_method: str) -> TestCard:
    """What it does. Raises ProviderRefused for a name that could be magic and is not."""
    name = payment_method.replace("pm_card_visa_", "pm_card_")
    if name not in TEST_CARDS and name.startswith(("pm_card_", "pm_sandbox_")):
        sentence = f"Error: No such PaymentMethod: '{payment_method}'"
        raise ProviderRefused(sentence, code="resource_missing", status=400)
    return TEST_CARDS.get(name, TestCard())
