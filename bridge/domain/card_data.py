"""What card data looks like, so that it is refused wherever it appears: docs/compatibility.md says what is refused.

A card number has the length and the first digits of a network's, passes Luhn's check and is written as one: its digits
are adjacent, whatever is next to them, or in groups with anything between them. A long run of digits is not one, nor is
a piece of an id (a UUID, a hexadecimal word). Names of security codes and tracks count whatever their value is.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from bridge.domain.errors import CardDataRefused

CARD_DATA = "Card data must not be sent here. Send the id of a payment method that the provider made of it."
MIN_DIGITS, MAX_DIGITS = 13, 19
"""Digits of a card number. Source: ISO/IEC 7812."""
MAX_GROUPS = 500
"""Groups of digits in long rows of them that one request may have. Of so many, each tenth that begins like a card
number would pass Luhn's check by chance, so that more are refused unread: reading takes bounded time."""

MAX_NAME = 100
"""Characters of a name that are looked at."""

_LONG = (
    "62|81|65|6011|64[4-9]|35(?:2[89]|[3-8])|3(?:0[0-5]|095|[689])|5018|5020|5038|5893|6304|6759|676|220[0-5]"
    "|50(?:609|61|786|79)|636"
)
"""UnionPay, RuPay, Discover, JCB, Diners Club, Maestro, Mir, Verve, InterPayment: 16 to 19 digits."""
_NETWORKS = {
    length: re.compile(first_digits)
    for length, first_digits in {
        13: "4(?!3[67]|91[5-7])",  # Visa; not Austria's and Germany's mobile phones
        14: "30[0-5]|3095|3[689]",  # Diners Club
        15: "3[47]",  # American Express
        16: "[456]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|8600|9704|9792|9860|" + _LONG,  # Visa, Mastercard, local ones
        17: _LONG,
        18: _LONG,
        19: "4|9704|" + _LONG,
    }.items()
}
"""First digits of the networks, by length. None begins with 0 or 1: UATP's and GPN's would be taken for times in
microseconds. Source: https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)"""
_FIRST_DIGITS = frozenset("2345689")
_ON_CARDS = {(4, 4, 4, 4), *((4, 4, 4, 4, rest) for rest in (1, 2, 3)), (4, 6, 5), (4, 6, 4), (4, 3, 3, 3)}
"""How many digits stand together on cards: whatever separates them is a separator."""

_GAP = r"(?:\s++(?=[0-9])|(?![,;]\s)[\W_]{1,4}+)"
"""Between groups. A comma and a space are between the members of a list."""
_ROW = re.compile(rf"(?=[0-9](?:{_GAP}?+[0-9]){{12}})[0-9]++(?:{_GAP}[0-9]++){{0,{MAX_GROUPS}}}+")
_GROUP = re.compile("[0-9]+")
_CLOSE = re.compile(r"[\s\-\u00ad\u200b-\u200d\u2010-\u2015\u2060\ufeff]+")
"""Separators with which people group a number as they please."""
_LETTERED = re.compile(
    r"(?<![0-9])[0-9]{4}[A-Za-z](?:[0-9]{4}[A-Za-z][0-9]{4}[A-Za-z][0-9]{4}(?:[A-Za-z][0-9]{1,3}(?![0-9]))?"
    r"|[0-9]{6}[A-Za-z][0-9]{4,5})(?![0-9])"
)
"""Groups as on cards, with a letter between them."""
_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{16,}+|[0-9A-F]{16,}+)"
    r"(?![0-9A-Za-z])"
)
_APART = "\0" * 8
"""Between texts that are looked at together: no gap is so long."""

_CARD = "(?:(?:credit|debit|payment|bank|billing)?(?:card|cc))"
_CODE = "(?:i?cvc|d?cvv|csc|cvn|cvd|cvx|ccv|cav|cid)[123]?"
_NAMES = re.compile(
    rf"{_CARD}?{_CODE}(?:code|value|number|num|no|data)?"
    rf"|{_CARD}?securitycode|{_CARD}(?:security|verification|validation|identification)(?:code|value|number|digits?)?"
    rf"|verificationvalue|signaturepanelcode|{_CARD}code"
    rf"|{_CARD}(?:number|no|num|nr|digits|pan)|[fd]?pan|(?:pan|cardpan)(?:number|data)|(?:primary|card)accountnumber"
    rf"|{_CARD}?(?:raw|encrypted)?(?:tracks|track(?:[123]|one|two|three)?data|track(?:[123]|one|two|three))"
    r"|track2equivalent(?:data)?|equivalenttrack2data"
    rf"|{_CARD}?(?:magstripe|magneticstripe)(?:data|track[123])?|(?:card|msr)?swipedata|msrdata|cardswipe"
    r"|(?:encrypted)?pinblock|cardpin|encryptedpin"
)
_WORD_OF_A_NAME = re.compile(
    r"(?:^|_)(?:cvc|cvv|ccv|cvn|cvd)[123]?(?:_|$)"
    r"(?!.*(?:check|failure|match|optional|provided|required|response|result|status|token)$)"
)
"""Not what became of the code: `cvc_check`."""
_EXPIRY = re.compile("exp(?:iry|ires|iration)?(?:date|month|year|mm?|yy?)?")
_HALVES = re.compile(r"(?:credit|debit|payment|bank)?card|cc|security|track")
"""Names whose members' names are read together with theirs: `card[number]`, `security[code]`."""
_TOLD = re.compile(r"(?:cvc|cvv)[12]?\b\W{0,3}(?:is\W|code\W|number\W)?\W{0,3}[0-9]{3,4}\b")


def refuse_card_data(*values: Any) -> None:
    """Raises CardDataRefused, which does not reveal what was found."""
    if holds_card_data(*values):
        raise CardDataRefused(CARD_DATA)


def holds_card_data(*values: Any) -> bool:
    """Whether a text, a number or a name in `values` (however deep) is or holds card data. Takes linear time."""
    texts: list[str] = []
    waiting: list[tuple[str, Any]] = [("", value) for value in values]
    while waiting:
        within, node = waiting.pop()
        if isinstance(node, dict):
            if _names_card_data(within, node):
                return True
            texts += map(str, node)
            waiting += [(str(name), item) for name, item in node.items()]
        elif isinstance(node, list):
            waiting += [(within, item) for item in node]
        elif isinstance(node, str):
            texts.append(node)
        elif isinstance(node, (int, float)) and abs(node) >= 10 ** (MIN_DIGITS - 1):
            texts.append(f"{node:.0f}" if isinstance(node, float) else str(node))
    return _holds_number_or_code(_APART.join(text for text in texts if len(text) > 5))


def _names_card_data(within: str, node: dict[Any, Any]) -> bool:
    names = {_joined(name) for name in node}
    if "number" in names and any(map(_EXPIRY.fullmatch, names)):
        return True
    whole = _joined(within)
    if _HALVES.fullmatch(whole):
        names |= {whole + name for name in names}
    said = [node.get(name) for name in ("key", "name", "field")] if "value" in node else []
    spelled = [*map(str, node), *(name for name in said if isinstance(name, str))]
    return any(map(_NAMES.fullmatch, names | set(map(_joined, spelled)))) or any(
        _WORD_OF_A_NAME.search(_words(name)) for name in spelled
    )


def _joined(name: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", str(name)[:MAX_NAME]).lower())


def _words(name: str) -> str:
    """`cardCvc` and `card-cvc` as `card_cvc`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:MAX_NAME]).lower())


def _with_plain_digits(text: str) -> str:
    """The text with all digits of Unicode, also those in circles and the like, as 0 to 9."""
    if text.isascii():
        return text
    digits = {ord(each): str(unicodedata.digit(each, each)) for each in set(text)}
    return text.translate(digits)


def _holds_number_or_code(text: str) -> bool:
    text = _with_plain_digits(text)
    lowered = text.lower()
    if ("cvc" in lowered or "cvv" in lowered) and _TOLD.search(lowered):
        return True
    if not (_ROW.search(text) or _LETTERED.search(text)):
        return False
    return _holds_card_number(_ID.sub(_without_id, text))


def _without_id(found: re.Match[str]) -> str:
    """A hexadecimal word of a usual length is an id if it has letters as ids have: one in twelve, or more."""
    word = found[0]
    letters = sum(map(word.lower().count, "abcdef"))
    is_id = "-" in word or (len(word) % 8 == 0 and letters * 12 >= len(word))
    return _APART if is_id else word


def _holds_card_number(text: str) -> bool:
    seen = 0
    for row in _ROW.finditer(text):
        groups, gaps = _GROUP.findall(row[0]), _GROUP.split(row[0])
        seen += len(groups)
        if seen > MAX_GROUPS or _is_in_row(groups, [text[row.start() - 1 : row.start()], *gaps[1:-1]]):
            return True
    for lettered in _LETTERED.finditer(text):
        groups = _GROUP.findall(lettered[0])
        seen += len(groups)
        if seen > MAX_GROUPS or any(map(_is_card_number, ("".join(groups), "".join(groups[:4])))):
            return True
    return False


def _is_in_row(groups: Sequence[str], gaps: Sequence[str]) -> bool:
    """Whether neighboring groups are a card number; `gaps` stand before each group."""
    for start, first in enumerate(groups):
        if first[0] not in _FIRST_DIGITS:
            continue
        digits = ""
        for end in range(start, len(groups)):
            digits += groups[end]
            if len(digits) > MAX_DIGITS:
                break
            is_phone = gaps[start].endswith("+") and len(digits) <= 15  # ITU-T E.164
            is_fraction = start == end > 0 and gaps[start] == "."
            if not is_phone and not is_fraction and _is_card_number(digits):
                sizes = tuple(map(len, groups[start : end + 1]))
                if _is_written_as_card(sizes, set(gaps[start + 1 : end + 1])):
                    return True
    return False


def _is_written_as_card(sizes: tuple[int, ...], gaps: set[str]) -> bool:
    """Else it is a list of amounts, a time or an address: those have other groups, or several separators."""
    if len(sizes) == 1 or sizes in _ON_CARDS or set(sizes) == {1}:
        return True
    if len(gaps) > 1 or sum(sizes) == MIN_DIGITS:  # 13 digits are grouped by whoever writes down a phone number
        return False
    is_even = len(sizes) > 2 and len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
    gap = next(iter(gaps))
    return is_even or gap.isspace() or (max(sizes) <= 8 and _CLOSE.fullmatch(gap) is not None)


def _is_card_number(digits: str) -> bool:
    network = _NETWORKS.get(len(digits))
    if network is None or not network.match(digits) or not _passes_luhn(digits):
        return False
    return len(digits) != MIN_DIGITS or not _is_product(digits)


def _passes_luhn(digits: str) -> bool:
    """Source: ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(doubled)) % 10 == 0


def _is_product(digits: str) -> bool:
    """EAN-13, as on what is sold; those of Germany begin like a Visa number. Source: GS1 General Specifications, 7.9"""
    return (sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


def without_card_data(text: str) -> str:
    """The text, or nothing if it holds card data: of texts that somebody else has stored already."""
    return "" if holds_card_data(text) else text
