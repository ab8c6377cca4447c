"""Form-encoded parameters as Stripe reads them, checked against the official SDK's own parameter types.

The SDK's TypedDicts say which parameters exist, which are required and what they may hold; nothing is listed here by
hand, so the simulator is as strict as the API version that the installed SDK was generated from.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stripe._request_options import RequestOptions

from .errors import ApiError, Json, invalid
from .limits import check_length

Raw = Any
"""What a form says before types are known: a str, or a dict of str to Raw."""

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INTEGER = re.compile(r"-?\d{1,18}")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Raw]:
    """`a[b][0][c]=v` as nested dicts with string keys; `a[]=v` appends. 400 if a name is both a value and a hash."""
    tree: dict[str, Raw] = {}
    for name, value in pairs:
        match = _NAME.fullmatch(name)
        keys = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [name]
        node = tree
        for key, below in pairwise(keys):
            node = node.setdefault(_index(node, key, below), {})
            if not isinstance(node, dict):
                raise invalid("Invalid hash", name)
        node[_index(node, keys[-1], None)] = value
    return tree


def _index(node: Mapping[str, Raw], key: str, below: str | None) -> str:
    """The key to use: `[]` means a new element, or the last one while that lacks the key `below`."""
    if key:
        return key
    last = str(len(node) - 1)
    return last if below and node and below not in node[last] else str(len(node))


@dataclass(frozen=True)
class _Shape:
    """What one parameter may hold. A closed list of words is written `Literal[...] | str` by the SDK, which has to
    accept words that are newer than itself; the API of one version does not."""

    scalars: frozenset[type]
    words: tuple[str, ...]
    emptiable: bool
    members: type | None
    items: "_Shape | None"
    free_form: bool


@cache
def _shape(hint: Any) -> _Shape:
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    literals = [word for option in options if get_origin(option) is Literal for word in get_args(option)]
    items = next((get_args(option)[0] for option in options if get_origin(option) is list), None)
    shape = _Shape(
        scalars=frozenset(option for option in options if option in (str, int, bool)),
        words=tuple(word for word in literals if word),
        emptiable="" in literals,
        members=next((option for option in options if hasattr(option, "__required_keys__")), None),
        items=None if items is None else _shape(items),
        free_form=any(get_origin(option) is dict for option in options),
    )
    if not (shape.scalars or shape.words or shape.members or shape.items or shape.free_form):
        raise TypeError(f"the SDK has a kind of parameter that is not understood: {hint!r}")
    return shape


@cache
def _members(kind: type) -> tuple[Mapping[str, _Shape], frozenset[str]]:
    """The shapes of a TypedDict's keys, and which are required. The SDK mixes its request options in; they travel as
    headers and are no parameters."""
    hints = get_type_hints(kind, localns={"StripeContext": object, "Mapping": Mapping})
    names = [name for name in hints if name not in RequestOptions.__annotations__]
    required: frozenset[str] = kind.__required_keys__  # type: ignore[attr-defined]
    return {name: _shape(hints[name]) for name in names}, required


def check(kind: type, raw: Mapping[str, Raw], where: str = "") -> Json:
    """The parameters with their types, if `raw` is what the TypedDict `kind` allows; else ApiError 400."""
    shapes, required = _members(kind)
    unknown = [_path(where, name) for name in raw if name not in shapes]
    if "payment_method_types" in unknown and kind.__name__.startswith("PaymentIntent"):
        raise _no_longer_supported()
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise invalid(f"Received unknown parameter{plural}: {', '.join(unknown)}", unknown[0], "parameter_unknown")
    for name in shapes:
        if name in required and name not in raw:
            path = _path(where, name)
            raise invalid(f"Missing required param: {path}.", path, "parameter_missing")
    values = {name: _value(shapes[name], given, _path(where, name)) for name, given in raw.items()}
    for name, value in values.items():
        check_length(kind, name, value, _path(where, name))
    return values


def _path(where: str, name: str) -> str:
    return f"{where}[{name}]" if where else name


def _value(shape: _Shape, raw: Raw, where: str) -> Any:
    if isinstance(raw, dict):
        return _nested(shape, raw, where)
    if raw == "":
        if shape.emptiable:
            return ""
        raise _empty(where)
    if shape.words and raw in shape.words:
        return raw
    if bool in shape.scalars and raw in ("true", "false"):
        return raw == "true"
    if int in shape.scalars and _INTEGER.fullmatch(raw):
        return int(raw)
    if str in shape.scalars and not shape.words:
        return raw
    raise _mistyped(shape, raw, where)


def _nested(shape: _Shape, raw: dict[str, Raw], where: str) -> Any:
    if shape.members is not None:
        return check(shape.members, raw, where)
    if shape.items is not None:
        if not all(key.isdecimal() for key in raw):
            raise invalid("Invalid array", where)
        return [_value(shape.items, raw[key], _path(where, key)) for key in sorted(raw, key=int)]
    if shape.free_form:
        for key, value in raw.items():
            if not isinstance(value, str):
                raise invalid(f"Invalid string: {value}", _path(where, key))
        return dict(raw)
    raise _mistyped(shape, "a hash", where)


def _no_longer_supported() -> ApiError:
    """https://docs.stripe.com/changelog/endive: a parameter that got an error of its own when it was removed."""
    message = "`payment_method_types` is no longer supported: use `allowed_payment_method_types`."
    return invalid(message, "payment_method_types", "payment_method_types_no_longer_supported")


def _empty(where: str) -> ApiError:
    return invalid(
        f"You passed an empty string for '{where}', which would unset it, and '{where}' cannot be unset.",
        where,
        "parameter_invalid_empty",
    )


def _mistyped(shape: _Shape, raw: str, where: str) -> ApiError:
    if shape.words:
        *most, last = shape.words
        return invalid(f"Invalid {where}: must be one of {', '.join(most)}, or {last}", where)
    if int in shape.scalars:
        return invalid(f"Invalid integer: {raw}", where, "parameter_invalid_integer")
    if bool in shape.scalars:
        return invalid(f"Invalid boolean: {raw}", where)
    if str in shape.scalars:
        return invalid(f"Invalid string: {raw}", where)
    return invalid("Invalid array" if shape.items is not None else "Invalid object", where)
