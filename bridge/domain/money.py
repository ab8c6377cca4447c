"""Money: integers in minor units, converted here and nowhere else.

Exponents are those of the payment providers, not of ISO 4217: what counts is how many minor units a provider
charges for "1". Source: Stripe, "Supported currencies" (zero-decimal, three-decimal and special cases).
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from bridge.domain.errors import AmountNotRepresentable

ZERO_DECIMAL = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
THREE_DECIMAL = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])

# Amounts in these currencies have two decimals on the wire, but only whole units can be charged: multiples of 100.
# Source: Stripe, "Supported currencies", special cases (ISK, UGX: "two decimals for backward compatibility";
# HUF and TWD are whole only for payouts, so they are not here).
WHOLE_UNITS_ONLY = frozenset({"ISK", "UGX"})


def exponent(currency: str) -> int:
    """The number of decimals of `currency` (any case): 0, 2 or 3."""
    code = currency.upper()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """The smallest difference between two amounts that can be charged, in minor units.

    Three-decimal currencies end in 0 and ISK and UGX in 00 (source: Stripe, "Supported currencies").
    """
    code = currency.upper()
    if code in THREE_DECIMAL:
        return 10
    return 100 if code in WHOLE_UNITS_ONLY else 1


LARGEST = 2**63 - 1
"""The most minor units that a database stores."""
_DIGITS = 19


class AmountTooLarge(ValueError):
    """A number that is not an amount of money in any currency."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` minor units of `currency` (upper case).

    May be zero or negative: what can be charged is checked elsewhere.
    """

    amount: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str, *, rounding: bool = False, smallest: int = 1) -> "Money":
        """Read a decimal string such as `"10.23"`.

        `smallest` is the provider's step in minor units. With `rounding` half a step is rounded away from zero; without
        it an amount that is not a multiple of the step raises AmountNotRepresentable. Raises ValueError for what is not
        a number, AmountTooLarge (also a ValueError) for what no database stores.
        """
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise ValueError(f"{text!r} is not a decimal number") from None
        if not value.is_finite():
            raise ValueError(f"{text!r} is not a finite number")
        if value.adjusted() > _DIGITS:  # before any arithmetic: that has 28 digits, and raises its own errors
            raise AmountTooLarge(f"{text[:40]!r} is too large")
        if value.adjusted() < -_DIGITS and not rounding:
            raise AmountNotRepresentable(text[:40], currency)
        steps = value.scaleb(exponent(currency)) / smallest
        whole = steps.quantize(Decimal(1), ROUND_HALF_UP)
        if whole != steps and not rounding:
            raise AmountNotRepresentable(text, currency)
        amount = int(whole) * smallest
        if abs(amount) > LARGEST:
            raise AmountTooLarge(f"{text[:40]!r} is too large")
        return cls(amount, currency.upper())

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimals."""
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"


def minor(value: Decimal, currency: str) -> int:
    """`value` (major units) as minor units, half away from zero.

    For line-item information, never for what is charged.
    """
    return int(value.scaleb(exponent(currency)).quantize(Decimal(1), ROUND_HALF_UP))
