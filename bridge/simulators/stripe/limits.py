"""How long a text may be: what the SDK's documentation says of a parameter, and what Stripe's OpenAPI document adds.

The documentation stands in the SDK's own source, below each parameter, so that a new SDK brings its own limits. Some
members that a shop fills from what buyers type have their limit in the OpenAPI document only
(https://github.com/stripe/openapi, `maxLength`); whatever it does not limit further has 5000 characters.
"""

import ast
import inspect
import re
import sys
import threading
from collections.abc import Mapping
from functools import cache

from .errors import invalid

_PARSING = threading.Lock()
"""Python 3.11 fails when two threads parse at a time: https://github.com/python/cpython/issues/106905."""
LONGEST = 5000
"""Characters of any text for which nothing else is said."""
_SPECIFIED: Mapping[tuple[str, str], int] = {
    ("Customer", "name"): 256,
    ("Customer", "phone"): 20,
    ("PaymentIntent", "description"): 1000,
    ("PaymentIntent", "statement_descriptor_suffix"): 22,
}
"""`maxLength` of members of the parameters themselves, by the resource."""
_SAID = re.compile(
    r"(?:up to|at most|maximum|max length,|limit the identifier to) \*?(\d+)(?: alphanumeric)? characters"
    r"|(\d+)-character limit",
    re.IGNORECASE,
)


def check_length(kind: type, name: str, value: object, where: str) -> None:
    """ApiError 400 for a text that is longer than the member `name` of the TypedDict `kind` may be."""
    if isinstance(value, str) and len(value) > (most := longest(kind, name)):
        raise invalid(f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {most} characters", where)


@cache
def longest(kind: type, name: str) -> int:
    """The most characters that the member `name` of the TypedDict `kind` may have."""
    resource = re.match(r"(.+?)(?:Create|Update|Modify|Confirm|Capture)Params$", kind.__name__)
    specified = _SPECIFIED.get((resource[1], name)) if resource else None
    return specified or _documented(kind.__module__).get(kind.__name__, {}).get(name, LONGEST)


@cache
def _documented(module: str) -> Mapping[str, Mapping[str, int]]:
    """The limits that a module of the SDK documents, by class and member."""
    with _PARSING:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: _of_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for member, text in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name)):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str):
            said = _SAID.search(text.value.value)
            if said is not None:
                found[member.target.id] = int(said[1] or said[2])
    return found
