"""Every answer that is sent as its view has made it is what its schema makes of it: the same members in the same order,
of the same kinds. So no test passes whose bridge, in this process, has answered anything else."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import Schema

from bridge.http import smorest

_MISSHAPEN: list[str] = []


def _held_against(schema: Schema | None, value: Any) -> Any:
    if schema is not None and (found := difference(schema, value)):
        _MISSHAPEN.append(found)
    return value


def difference(schema: Schema, value: Any) -> str:
    """What is wrong with an answer; "" if nothing is."""
    given, expected = json.dumps(value), json.dumps(schema.dump(value))
    return "" if given == expected else f"{type(schema).__name__}: {given} is not {expected}"


def pytest_configure() -> None:
    smorest.in_shape = _held_against


@pytest.fixture(autouse=True)
def _answers_have_their_shape() -> Iterator[None]:
    _MISSHAPEN.clear()
    yield
    assert _MISSHAPEN == []
