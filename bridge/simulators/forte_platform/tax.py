"""A small table of sales tax rates, always added on top of the price; rounding is half up, line by line.

Source of the Californian figure: Forte's guide, whose example taxes 2500 cents in South San Francisco with 219.
"""

import re
from collections.abc import Mapping

from .errors import ForteError, Json

_NO_TAX = "txcd_00000000"
_RATES: Mapping[tuple[str, ...], int] = {
    ("US", "CA", "94080"): 875,
    ("US", "CA"): 725,
    ("US", "TX"): 625,
    ("US", "WA"): 650,
    ("DE",): 1900,
    ("FR",): 2000,
    ("GB",): 2000,
}
"""Hundredths of a percent, by country, state and postal code; the longest key that fits counts, elsewhere it is 0."""


def rate(address: Json) -> int:
    """The rate at an address, in hundredths of a percent. ForteError PAYMENT_TAX_ADDRESS_INVALID if it is no place:
    no upper-case two-letter country, or one in the United States without state and five-digit ZIP code."""
    country, state, postal_code = address["country"], address.get("state", ""), address["postalCode"]
    if not re.fullmatch("[A-Z]{2}", country):
        raise ForteError("PAYMENT_TAX_ADDRESS_INVALID", "The country is not an ISO code of two letters.")
    if country == "US" and not (re.fullmatch("[A-Z]{2}", state) and re.fullmatch(r"\d{5}(-\d{4})?", postal_code)):
        message = "An address in the United States needs a state of two letters and a ZIP code."
        raise ForteError("PAYMENT_TAX_ADDRESS_INVALID", message)
    place = (country, state, postal_code[:5])
    return next((_RATES[place[:length]] for length in (3, 2, 1) if place[:length] in _RATES), 0)


def line_tax(amount: int, hundredths: int, code: str | None) -> int:
    """The tax on a line of `amount` minor units."""
    return 0 if code == _NO_TAX else (amount * hundredths + 5000) // 10000
