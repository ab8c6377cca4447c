"""How a plugin that filters answers leaves their lists: as PHP's arrays with holes, or as objects.

PHP writes an array as a JSON list only while its keys are 0, 1, 2, ... A filter that takes a row out (`unset`,
`array_filter`) and does not count anew makes it an object, `{"0": ..., "2": ...}`, and a cast to an object makes an
empty one `{}`. Sources: woocommerce pull request 34966 and issue 14184.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class ListShape(StrEnum):
    """`holes`: the second row was taken out again (the first, where there is only one); `object`: all are cast."""

    LIST = "list"
    HOLES = "holes"
    OBJECT = "object"


class PhpObject(dict[str, Any]):
    """An object that stays one while it is empty."""


def shaped(value: Any, shape: ListShape) -> Any:
    """An answer whose lists, at any depth, have that shape. Links are made after all filters."""
    if shape is ListShape.LIST:
        return value
    if isinstance(value, dict):
        return {key: item if key == "_links" else shaped(item, shape) for key, item in value.items()}
    if not isinstance(value, list | tuple):
        return value
    rows = [shaped(item, shape) for item in value]
    if shape is ListShape.OBJECT:
        return PhpObject((str(index), row) for index, row in enumerate(rows))
    keys = [1] if len(rows) == 1 else [0, *range(2, len(rows) + 1)]
    return {str(key): row for key, row in zip(keys, rows, strict=True)} if rows else rows
