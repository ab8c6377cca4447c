"""What the SDK's resource types say of an answer: which members an object has, and of what kind, enums closed."""

import ast
import importlib
import inspect
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import stripe
from stripe._object_classes import get_object_class
from werkzeug.wrappers import Request, Response

Json = Any


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    module = sys.modules[kind.__module__]
    return get_type_hints(kind, vars(module), _for_type_checkers(module))


@cache
def _for_type_checkers(module: types.ModuleType) -> Mapping[str, Any]:
    """The names that a module of the SDK imports for type checkers only."""
    imported: dict[str, Any] = {"StripeObject": stripe.StripeObject}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If):
            for statement in node.body:
                if isinstance(statement, ast.ImportFrom) and statement.module:
                    for alias in statement.names:
                        found = getattr(importlib.import_module(statement.module), alias.name)
                        imported[alias.asname or alias.name] = found
    return imported


def wrong(thing: Json, kind: type, path: str) -> Iterator[str]:
    """Where an object is not what the SDK's class says."""
    hints = {name: hint for name, hint in _hints(kind).items() if not name.startswith("_") and name.islower()}
    for name in thing:
        if name not in hints:
            yield f"{path}.{name} is not known"
    for name, hint in hints.items():
        if name in thing:
            yield from _value(thing[name], hint, f"{path}.{name}")


def _value(value: Json, hint: Any, path: str) -> Iterator[str]:
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if value is None:
        if type(None) not in options:
            yield f"{path} is null"
        return
    words = [word for option in options if get_origin(option) is Literal for word in get_args(option)]
    if words and isinstance(value, str):
        if value not in words and not any(isinstance(option, type) and option is not str for option in options):
            yield f"{path} is {value!r}, not one of {', '.join(map(str, words))}"
        return
    found = [list(_of(value, option, path)) for option in options if option is not type(None)]
    if found and [] not in found:
        yield from min(found, key=len)


def _of(value: Json, kind: Any, path: str) -> Iterator[str]:
    origin = get_origin(kind)
    if kind is Any or isinstance(kind, str):
        return
    if origin is list:
        if not isinstance(value, list):
            yield f"{path} is not a list"
            return
        for index, member in enumerate(value):
            yield from _value(member, get_args(kind)[0], f"{path}[{index}]")
    elif origin in (dict, Mapping):
        if not isinstance(value, dict):
            yield f"{path} is no hash"
    elif isinstance(origin, type) and issubclass(origin, stripe.StripeObject):
        if not isinstance(value, dict):
            yield f"{path} is not an object"
    elif isinstance(kind, type) and issubclass(kind, stripe.StripeObject):
        if not isinstance(value, dict):
            yield f"{path} is not an object"
        else:
            yield from wrong(value, kind, path)
    elif isinstance(kind, type) and type(value) is not kind and not (kind is float and type(value) is int):
        yield f"{path} is {value!r}, no {kind.__name__}"


class Typed:
    """A simulator whose answers are held against the SDK's types; `wrong` is what they are not."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.wrong: set[str] = set()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        response = Response.from_app(self._app, environ, buffered=True)
        if Request(environ).path.startswith("/v1/") and response.status_code == 200:
            answer = response.get_json(force=True)
            for thing in answer["data"] if answer.get("object") == "list" else [answer]:
                kind = get_object_class("V1", thing["object"])
                self.wrong.update(wrong(thing, kind, thing["object"]))
        return response(environ, start_response)
