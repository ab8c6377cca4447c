"""Card numbers and security codes are refused at the door, wherever in a request they stand."""

import re
from collections.abc import Iterable
from typing import Any

from bridge.domain.errors import CardDataRefused
from bridge.http.wordpress.error_table import CARD_DATA
from bridge.http.wordpress.php_input import walk

MIN_DIGITS, MAX_DIGITS = 13, 19
"""Digits of a card number. Source: ISO/IEC 7812."""

_SECRET_NAMES = re.compile(
    "(card|cc|creditcard)?(cvc2?|cvv2?|csc|cvn|securitycode|verificationvalue)|(card|cc|creditcard)(number|no|num)|pan"
)
_WORD = re.compile(r"[^\W_]+")
_GAP = re.compile(r"[\s\-\u2010-\u2015]{1,2}")


def refuse_card_data(values: Iterable[Any]) -> None:
    """Raises CardDataRefused, which says nothing of what was found."""
    if any(_is_card_data(node) for value in values for _, node in walk(value)):
        raise CardDataRefused(CARD_DATA)


def _is_card_data(node: Any) -> bool:
    if isinstance(node, dict):
        names = {re.sub(r"[^a-z0-9]", "", str(name).lower()) for name in node}
        return any(map(_SECRET_NAMES.fullmatch, names)) or (
            "number" in names and any(name.startswith("exp") for name in names)
        )
    if isinstance(node, (int, float)) and not isinstance(node, bool):
        return _holds_card_number(f"{node:.0f}" if isinstance(node, float) else str(node))
    return isinstance(node, str) and _holds_card_number(node)


def _holds_card_number(text: str) -> bool:
    """Whether some neighbouring groups of digits are one. Digits inside a longer word, such as an id, do not count."""
    groups: list[str] = []
    end = 0
    for word in _WORD.finditer(text):
        if not _GAP.fullmatch(text, end, word.start()):
            groups = []
        end = word.end()
        groups = [*groups[-MAX_DIGITS:], word[0]] if word[0].isdecimal() else []
        candidate = ""
        for group in reversed(groups):
            candidate = group + candidate
            if len(candidate) > MAX_DIGITS:
                break
            if len(candidate) >= MIN_DIGITS and _is_card_number(candidate):
                return True
    return False


def _is_card_number(digits: str) -> bool:
    """Luhn's check, for the first digits that cards have; 0 and 1 would take times in milliseconds for cards."""
    numbers = [int(digit) for digit in reversed(digits)]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[1::2])
    return numbers[-1] > 1 and (sum(numbers[::2]) + sum(doubled)) % 10 == 0
