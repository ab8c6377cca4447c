"""Checks of one JSON value, and how they combine to the check of a body. Strict: no conversion, no unknown member.

A check takes the value and its path in the body, and answers the value; ForteError REQUEST_VALIDATION_FAILED if a limit
is broken. A null counts as absent.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .errors import INVALID, ForteError, Json, invalid

Check = Callable[[Any, str], Any]


def text(minimum: int = 0, maximum: int | None = None, pattern: str = ".*") -> Check:
    """A string of `minimum` to `maximum` characters that the whole pattern matches."""
    wanted = re.compile(pattern, re.DOTALL)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise invalid(path, "must be a string")
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            raise invalid(path, f"size must be between {minimum} and {'any' if maximum is None else maximum}")
        if not wanted.fullmatch(value):
            raise invalid(path, f'must match "{pattern}"')
        return value

    return check


def integer(minimum: int, maximum: int | None = None) -> Check:
    """A JSON integer within bounds; 1.0, "1" and true are none."""

    def check(value: Any, path: str) -> Any:
        if type(value) is not int:
            raise invalid(path, "must be an integer")
        if value < minimum:
            raise invalid(path, f"must be greater than or equal to {minimum}")
        if maximum is not None and value > maximum:
            raise invalid(path, f"must be less than or equal to {maximum}")
        return value

    return check


def flag(value: Any, path: str) -> Any:
    """A JSON boolean."""
    if type(value) is not bool:
        raise invalid(path, "must be a boolean")
    return value


def one_of(words: Collection[str]) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, str) or value not in words:
            raise invalid(path, f"must be one of {', '.join(sorted(words))}")
        return value

    return check


def listing(of: Check, minimum: int = 0, maximum: int | None = None) -> Check:
    """An array whose members pass `of`."""

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            raise invalid(path, "must be an array")
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            raise invalid(path, f"size must be between {minimum} and {'any' if maximum is None else maximum}")
        return [of(member, f"{path}[{index}]") for index, member in enumerate(value)]

    return check


def texts(value: Any, path: str) -> Any:
    """An object whose values are strings."""
    if not isinstance(value, dict):
        raise invalid(path, "must be an object")
    for name, member in value.items():
        if not isinstance(member, str):
            raise invalid(f"{path}.{name}", "must be a string")
    return value


def record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with these members and no others."""
    members = {**required, **optional}

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise invalid(path or "body", "must be an object")
        prefix = f"{path}." if path else ""
        for name in value:
            if name not in members:
                raise invalid(f"{prefix}{name}", "is not known")
        given = {name: member for name, member in value.items() if member is not None}
        for name in required:
            if name not in given:
                raise invalid(f"{prefix}{name}", "must not be null")
        return {name: members[name](member, f"{prefix}{name}") for name, member in given.items()}

    return check


def parse(raw: bytes) -> Json:
    """The JSON of a body. ForteError REQUEST_VALIDATION_FAILED if it is none."""
    try:
        return json.loads(raw, parse_constant=_refuse)  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as error:
        raise ForteError(INVALID, "The request body is not readable JSON.") from error


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
