"""Words that stand in a statement's text instead of among its values.

SQLite uses a partial index only if the statement itself says what the index holds: `state in (?, ?)` reads the whole
table, `state in ('sent', 'unknown')` the few rows that are meant.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, String, literal_column

EMPTY = literal_column("''", String)
"""No text."""


def word(value: str) -> ColumnElement[str]:
    """A state or status of ours. Never anything that came from outside: it is not escaped."""
    if not value.replace("_", "").isalpha():
        raise ValueError(value)
    return literal_column(f"'{value!s}'", String)


def words(values: Iterable[str]) -> list[ColumnElement[str]]:
    """In the order of the alphabet, as in the indexes: SQLite compares the texts."""
    return [word(value) for value in sorted(values)]
