"""Reads compose.yaml, with the values of an environment in it."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.plugins.distributions import ROOT

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}")


class MissingValue(Exception):
    """`${NAME:?...}` without a value."""


def load(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file's services. Raises MissingValue."""

    def value(found: re.Match[str]) -> str:
        given = environment.get(found["name"], "")
        if not given and found["kind"] == "?":
            raise MissingValue(found["name"])
        return given or (found["word"] if found["kind"] == "-" else "") or ""

    document = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return _filled(document, value)["services"]


def _filled(node: Any, value: Any) -> Any:
    if isinstance(node, dict):
        return {key: _filled(child, value) for key, child in node.items()}
    if isinstance(node, list):
        return [_filled(child, value) for child in node]
    return VARIABLE.sub(value, node) if isinstance(node, str) else node


def variables() -> set[str]:
    """All that can stand in .env."""
    return {found["name"] for found in VARIABLE.finditer((ROOT / "compose.yaml").read_text())}
