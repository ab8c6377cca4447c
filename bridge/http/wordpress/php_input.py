"""How PHP reads a request: names with brackets become arrays, and json_decode has its own error numbers.

Sources: PHP manual, `parse_str`, `json_decode` and `json_last_error`; `max_input_vars` and `max_input_nesting_level`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

MOST_VARIABLES = 1000
DEEPEST_NAME = 64
DEEPEST_JSON = 512

Pairs = list[tuple[str, str]]


class InvalidJson(ValueError):
    """What json_decode would say: its number and its words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


DEPTH = (1, "Maximum stack depth exceeded")
STATE_MISMATCH = (2, "State mismatch (invalid or malformed JSON)")
CONTROL_CHARACTER = (3, "Control character error, possibly incorrectly encoded")
SYNTAX = (4, "Syntax error")
MALFORMED_UTF8 = (5, "Malformed UTF-8 characters, possibly incorrectly encoded")
LONE_SURROGATE = (10, "Single unpaired high surrogate in Unicode escape")


def query_pairs(text: str) -> Pairs:
    """Names and values of a query string, in order. Bad UTF-8 is replaced."""
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def form_pairs(form: Iterable[tuple[str | None, str]]) -> Pairs:
    """Names and values of a form. PHP ignores parts without a name (source: `main/rfc1867.c`)."""
    return [(name, value) for name, value in form if name]


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b]=1&c[]=2` as `{"a": {"b": "1"}, "c": {"0": "2"}}`.

    Of a repeated name the last value counts; after MOST_VARIABLES nothing does.
    """
    root: dict[str, Any] = {}
    for name, value in islice(pairs, MOST_VARIABLES):
        *parents, last = keys = _keys(name)
        if len(keys) > DEEPEST_NAME or keys == [""]:
            continue
        place = root
        for key in parents:
            key = key or _next_index(place)
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place[last or _next_index(place)] = value
    return root


def lists(value: Any) -> Any:
    """The same with lists where the keys are 0, 1, 2..."""
    if not isinstance(value, dict):
        return value
    inner = {key: lists(item) for key, item in value.items()}
    if inner and list(inner) == [str(index) for index in range(len(inner))]:
        return list(inner.values())
    return inner


def _keys(name: str) -> list[str]:
    head, _, rest = name.lstrip(" ").partition("[")
    if not head or "]" not in rest:
        return [re.sub(r"[ .\[]", "_", name.lstrip(" "))]
    keys, position, rest = [re.sub(r"[ .]", "_", head)], 0, f"[{rest}"
    while match := re.compile(r"\[([^\]]*)\]").match(rest, position):
        keys.append(match[1])
        position = match.end()
    return keys


def _next_index(place: dict[str, Any]) -> str:
    index = len(place)
    while str(index) in place:
        index += 1
    return str(index)


def decode_json(body: bytes) -> Any:
    """Like json_decode with associative arrays. Of a repeated key the last value counts. Raises InvalidJson."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJson(*MALFORMED_UTF8) from None
    try:
        value = json.loads(text, parse_int=_integer, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise InvalidJson(*_kind(error)) from None
    except RecursionError:
        raise InvalidJson(*DEPTH) from None
    for depth, node in walk(value):
        if depth > DEEPEST_JSON:
            raise InvalidJson(*DEPTH)
        if isinstance(node, str) and not _is_text(node):
            raise InvalidJson(*LONE_SURROGATE)
    return value


def walk(value: Any) -> Iterator[tuple[int, Any]]:
    """Every container, key and leaf in a value, however deep, with the number of containers around and including it."""
    waiting = [(0, value)]
    while waiting:
        depth, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(depth + 1, item) for pair in node.items() for item in pair]
        elif isinstance(node, list):
            waiting += [(depth + 1, item) for item in node]
        yield depth + isinstance(node, (dict, list)), node


def _integer(digits: str) -> int | float:
    """Integers that PHP cannot hold become floats."""
    return int(digits) if len(digits) <= 19 else float(digits)


def _no_constant(name: str) -> None:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def _kind(error: json.JSONDecodeError) -> tuple[int, str]:
    if "control character" in error.msg or _ends_inside_a_text(error):
        return CONTROL_CHARACTER
    before, found = error.doc[: error.pos].rstrip(), error.doc[error.pos : error.pos + 1]
    closed_wrongly = "',' delimiter" in error.msg or before[-1:] in ("[", "{")
    return STATE_MISMATCH if found in ("]", "}") and closed_wrongly else SYNTAX


def _ends_inside_a_text(error: json.JSONDecodeError) -> bool:
    """PHP comes upon the NUL behind the last byte; after a backslash it minds that one first.

    Source: PHP, ext/json/json_scanner.re.
    """
    backslashes = len(error.doc) - len(error.doc.rstrip("\\"))
    return error.msg.startswith("Unterminated string") and backslashes % 2 == 0


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
