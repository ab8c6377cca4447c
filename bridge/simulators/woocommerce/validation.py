"""Checks and cleans one value against a JSON schema, with WordPress' leniency and WordPress' sentences.

Source: the REST API handbook's schema chapter, developer.wordpress.org/rest-api/extending-the-rest-api/schema/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Schema = Mapping[str, Any]

NUMERIC = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}(:\d{2})?)?")
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class InvalidValueError(Exception):
    """Why a value is refused: `code`, `message` and, for a wrong type, the `data` that WordPress adds."""

    def __init__(self, code: str, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    @property
    def details(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "data": self.data}


def cleaned(value: Any, schema: Schema, name: str) -> Any:
    """The value as its schema's type, or InvalidValueError. `name` is what the sentences call it."""
    kinds = schema.get("type", "mixed")
    kind = next((kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if FITS[kind](value)), None)
    if kind is None:
        wanted = kinds if isinstance(kinds, str) else ",".join(kinds)
        raise InvalidValueError("rest_invalid_type", f"{name} is not of type {wanted}.", {"param": name})
    if kind == "array":
        value = _items(value, schema.get("items", {}), name)
    elif kind == "object":
        value = _properties(value, schema.get("properties", {}), name)
    elif kind in CONVERSIONS:
        value = CONVERSIONS[kind](value)
    return _checked(value, schema, name)


def _checked(value: Any, schema: Schema, name: str) -> Any:
    if "enum" in schema and value not in schema["enum"]:
        raise InvalidValueError("rest_not_in_enum", f"{name} is not one of {_spoken(schema['enum'])}.")
    if schema.get("format") == "email" and value is not None and not EMAIL.fullmatch(value):
        raise InvalidValueError("rest_invalid_email", "Invalid email address.")
    if schema.get("format") == "date-time" and not _is_moment(value):
        raise InvalidValueError("rest_invalid_date", "Invalid date.")
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidValueError("rest_out_of_bounds", _bounds(name, low, high))
    return value


def _is_moment(value: str) -> bool:
    """Source: WordPress' rest_parse_date."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return MOMENT.fullmatch(value) is not None


def _bounds(name: str, low: float | None, high: float | None) -> str:
    if high is None:
        return f"{name} must be greater than or equal to {low}"
    if low is None:
        return f"{name} must be less than or equal to {high}"
    return f"{name} must be between {low} (inclusive) and {high} (inclusive)"


def _spoken(words: tuple[str, ...]) -> str:
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and NUMERIC.fullmatch(value) is not None)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and float(value).is_integer()


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, int | str) and str(value).lower() in BOOLEANS)


def _is_array(value: Any) -> bool:
    return isinstance(value, list | str | int | float) or value == {}


def _is_object(value: Any) -> bool:
    return isinstance(value, dict | list) or value == ""


def _integer(value: Any) -> int:
    return int(value) if str(value).strip().lstrip("+-").isdigit() else int(float(value))


def _boolean(value: Any) -> bool:
    return BOOLEANS[str(value).lower()]


def _items(value: Any, schema: Schema, name: str) -> list[Any]:
    if not isinstance(value, list | dict):
        value = [part for part in re.split(r"[\s,]+", str(value)) if part]
    return [cleaned(item, schema, f"{name}[{index}]") for index, item in enumerate(value)]


def _properties(value: Any, known: Mapping[str, Schema], name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        value = {str(index): item for index, item in enumerate(value)}
    return {key: cleaned(item, known.get(key, {}), f"{name}[{key}]") for key, item in value.items()}


FITS: Mapping[str, Callable[[Any], bool]] = {
    "mixed": lambda _: True,
    "null": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": _is_boolean,
    "array": _is_array,
    "object": _is_object,
}
CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {"integer": _integer, "number": float, "boolean": _boolean}
