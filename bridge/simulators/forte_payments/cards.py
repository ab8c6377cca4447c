"""The sandbox's test cards, one-time code and 3-D Secure password.

Source: https://docs.fortepayments.io/payments/testing.
"""

from dataclasses import dataclass

ONE_TIME_CODE = "947293"
CHALLENGE_PASSWORD = "1234"  # noqa: S105 (public)


@dataclass(frozen=True)
class Card:
    number: str
    brand: str
    challenged: bool
    approved: bool

    @property
    def label(self) -> str:
        secure = "3-D Secure" if self.challenged else "no 3-D Secure"
        return f"{self.brand}, {secure}, {'approved' if self.approved else 'declined'}"


CARDS = (
    Card("5204247750001471", "Mastercard", challenged=False, approved=True),
    Card("5200000000001104", "Mastercard", challenged=True, approved=True),
    Card("4111111111111111", "Visa", challenged=False, approved=True),
    Card("4005562231212123", "Visa", challenged=True, approved=False),
    Card("4000020000000000", "Visa", challenged=True, approved=True),
    Card("5424180000000171", "Mastercard", challenged=False, approved=False),
)


def find_card(number: str) -> Card | None:
    """The test card with this number, in which spaces and hyphens do not count."""
    digits = number.replace(" ", "").replace("-", "")
    return next((card for card in CARDS if card.number == digits), None)
