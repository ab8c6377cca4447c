"""What a database is sent, by the product's own hook for whoever measures."""

from collections.abc import Iterator
from contextlib import contextmanager

from bridge.storage import Database
from bridge.storage.compiled import Watcher


@contextmanager
def watched(database: Database, watcher: Watcher) -> Iterator[None]:
    """It is told of all that is sent meanwhile, by any thread."""
    before = database.watchers
    database.watchers = [*before, watcher]
    try:
        yield
    finally:
        database.watchers = before


@contextmanager
def sent(database: Database) -> Iterator[list[str]]:
    """The texts that are sent meanwhile, those that begin and end transactions too."""
    texts: list[str] = []
    with watched(database, lambda _connection, text, _values: texts.append(text)):
        yield texts
