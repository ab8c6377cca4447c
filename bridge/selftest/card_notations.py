"""How people and programs write card data, and what only looks like it. The bridge's own rule has no part in it."""

from collections.abc import Callable, Mapping
from random import Random

NETWORKS = (
    *(("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2223", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16)),
    *(("65", 16), ("3528", 16), ("3566", 16), ("36", 14), ("305", 14), ("62", 16), ("62", 19), ("6304", 19)),
    *(("6759", 18), ("2200", 16), ("508", 16)),
)
"""First digits and length."""
SEPARATORS = (*" -._/,:|\\*+~=\t\n", "\u00b7", "\u2013", "\u00a0", "\u200b", "\u3000", " - ", " . ", "--", "\r\n", "x")
"""What stands between groups of four."""
SCRIPTS = {"Arabic": 0x660, "Persian": 0x6F0, "Devanagari": 0x966, "Thai": 0xE50, "full width": 0xFF10, "bold": 0x1D7CE}
"""Where their digits begin."""
NUMBER_NAMES = ("pan", "PAN", "card_number", "cardNumber", "card-no", "ccnumber", "cc_num", "primary_account_number")
CODE_NAMES = (
    *("cvc", "cvc2", "CVV", "cvv2", "csc", "cid", "cvn", "cvd", "ccv", "card_cvc", "cc-cvv", "cardCvc", "CardCVV2"),
    *("security_code", "card_security_code", "cardSecurityCode", "card_verification_value", "cvv_code", "billing_cvc"),
)
TRACK_NAMES = (
    "track1",
    "track2",
    "track_2",
    "track_data",
    "track2_data",
    "Track1Data",
    "tracks",
    "magstripe",
    "pin_block",
)
NAMES = (*NUMBER_NAMES, *CODE_NAMES, *TRACK_NAMES)
HARMLESS = (
    "2000000000107",
    "1764511893123",
    "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "0f0f4242424242424242f0f0",
    "+49 1512 3456789",
    "2026-11-21T10:36:12.131415+02:00",
    "12.50, 42.99 and 40.00",
    "4006381333931",
    "orders 4242, 4243, 4244, 4245",
    "42424242424242424242",
    "last4 4242",
)


def card_number(random: Random, first: str, length: int) -> str:
    """One that nobody else has, with Luhn's check digit."""
    digits = first + "".join(random.choices("0123456789", k=length - len(first) - 1))
    doubled = "".join(str(int(digit) * 2) if at % 2 == 0 else digit for at, digit in enumerate(reversed(digits)))
    return f"{digits}{-sum(map(int, doubled)) % 10}"


def grouped(number: str, separator: str) -> str:
    """As on the card."""
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(len(number), (4, 4, 4, 4, 3))
    groups, at = [], 0
    for size in sizes:
        groups.append(number[at : at + size])
        at += size
    return separator.join(group for group in groups if group)


def notations() -> Mapping[str, Callable[[str], str]]:
    """Writers of a number, by what they do."""
    written: dict[str, Callable[[str], str]] = {
        "plain": str,
        "in a sentence": lambda n: f"My card is {grouped(n, ' ')}, until 12/30.",
        "with an expiry": lambda n: f"{grouped(n, ' ')} 12 2030",
        "with a number before it": lambda n: f"order 19: {grouped(n, '-')}",
        "a letter before it": lambda n: f"x{n}",
        "a word before it": lambda n: f"card{n}",
        "a word after it": lambda n: f"{n}thanks",
        "words around it": lambda n: f"visa{n}exp",
        "accents around it": lambda n: f"\u00e9{n}\u00e9",
        "a name before it": lambda n: f"cus_{n}",
        "in parentheses": lambda n: f"({n})",
        "mixed separators": lambda n: f"{n[:4]}.{n[4:8]}-{n[8:12]}/{n[12:]}" if len(n) == 16 else grouped(n, "."),
        "pairs": lambda n: ".".join(n[at : at + 2] for at in range(0, len(n), 2)),
        "track 1": lambda n: f"%B{n}^DOE/JOHN^3012101000?",
        "track 2": lambda n: f";{n}=30121010000000000?",
        "track 2, EMV": lambda n: f"{n}D30121010000000000",
    }
    for separator in SEPARATORS:
        written[f"groups, {separator!r}"] = lambda n, s=separator: grouped(n, s)  # type: ignore[misc]
    for separator in (" ", "-", ".", ",", "\u200b", "\n"):
        written[f"single digits, {separator!r}"] = lambda n, s=separator: s.join(n)  # type: ignore[misc]
    for name, zero in SCRIPTS.items():
        written[f"digits: {name}"] = lambda n, zero=zero: "".join(chr(zero + int(digit)) for digit in n)  # type: ignore[misc]
    return written
