"""The JSON of messages from outside, read so that every value can be computed with and stored."""

import json
import math
from dataclasses import fields
from typing import Any

from bridge.domain.errors import EventRefused
from bridge.domain.outcomes import ProviderEvent

UNREADABLE = "unreadable"
LONGEST_INTEGER = 19
"""Digits; Python is asked to read no longer ones as integers."""
LONGEST_ID = 255
"""Characters of an event's id that can be stored."""


def read_json(body: bytes) -> Any:
    """What a message says. Raises EventRefused for what is not JSON in UTF-8 (RFC 8259), for numbers that overflow, for
    text that is not valid (half a character) and for what is nested too deep."""
    try:
        message = json.loads(body.decode("utf-8"), parse_int=_integer, parse_float=_number, parse_constant=_no_number)
        json.dumps(message, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise EventRefused("The message is not readable JSON.", cause=UNREADABLE) from None
    return message


def require_storable(event: ProviderEvent) -> None:
    """Raises EventRefused for an event that no database can store, whichever adapter has read it."""
    texts = [value for each in fields(event) if isinstance(value := getattr(event, each.name), str)]
    if not all(_is_text(text) for text in texts) or not event.id or len(event.id) > LONGEST_ID:
        raise EventRefused("The message has a text or an id that cannot be stored.", cause=UNREADABLE)
    if not math.isfinite(event.at):
        raise EventRefused("The message has a time that is not valid.", cause=UNREADABLE)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits.lstrip("-")) <= LONGEST_INTEGER else _number(digits)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number that is too large")
    return number


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
