"""A small language for request schemas, and the check of a JSON value against one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Text:
    """A string: at most `longest` characters, one of `choices`, matching `pattern` as a whole, which `wanted` names."""

    longest: int | None = None
    shortest: int = 0
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    wanted: str = ""


@dataclass(frozen=True)
class Listing:
    """An array of `least` to `most` items of one shape."""

    item: "Shape"
    least: int
    most: int


@dataclass(frozen=True)
class Thing:
    """An object. All of `required` must be there, and at least one of `either` if that is not empty."""

    fields: "Mapping[str, Shape]"
    required: tuple[str, ...] = ()
    either: tuple[str, ...] = ()


Shape = Text | Listing | Thing


def problems(shape: Shape, value: Any, *, strict: bool, where: str = "") -> Iterator[str]:
    """What is wrong with the value, one sentence each; `strict` refuses fields that the shape does not have."""
    name = where or "the body"
    match shape:
        case Text():
            problem = _text_problem(shape, value)
            if problem:
                yield f"{name} {problem}"
        case Listing(item, least, most):
            if not isinstance(value, list):
                yield f"{name} is not an array"
            elif not least <= len(value) <= most:
                yield f"{name} has {len(value)} items, not {least} to {most}"
            else:
                for index, one in enumerate(value):
                    yield from problems(item, one, strict=strict, where=f"{where}[{index}]")
        case Thing():
            if isinstance(value, dict):
                yield from _thing_problems(shape, value, strict, where)
            else:
                yield f"{name} is not an object"


def _thing_problems(shape: Thing, value: Mapping[str, Any], strict: bool, where: str) -> Iterator[str]:
    def path(name: str) -> str:
        return f"{where}.{name}" if where else name

    yield from (f"{path(name)} is missing" for name in shape.required if name not in value)
    if shape.either and not any(name in value for name in shape.either):
        yield f"{where or 'the body'} needs {' or '.join(shape.either)}"
    for name, one in value.items():
        if name in shape.fields:
            yield from problems(shape.fields[name], one, strict=strict, where=path(name))
        elif strict:
            yield f"{path(name)} is not a known field"


def _text_problem(shape: Text, value: Any) -> str | None:
    if not isinstance(value, str):
        return "is not a string"
    if shape.choices and value not in shape.choices:
        return f"is not one of {', '.join(shape.choices)}"
    if len(value) < shape.shortest:
        return f"has less than {shape.shortest} characters"
    if shape.longest is not None and len(value) > shape.longest:
        return f"has more than {shape.longest} characters"
    if shape.pattern is not None and not re.fullmatch(shape.pattern, value):
        return f"is not {shape.wanted}"
    return None
