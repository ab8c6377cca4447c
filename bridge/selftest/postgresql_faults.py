"""What a busy PostgreSQL does to its clients: it cannot serialise, it finds a deadlock, it is gone.

The server itself raises it, in the middle of the bridge's own transactions: the harness sends the statement that makes
it do so before one of the bridge's. A commit may also be done, and its answer lost.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import exc

from bridge.storage import Connection, Database

_RAISE = "do $$ begin raise exception 'an injected fault' using errcode = '{}'; end $$"
TROUBLES = (
    _RAISE.format("40001"),  # serialization_failure
    _RAISE.format("40P01"),  # deadlock_detected
    "select pg_terminate_backend(pg_backend_pid())",
)


class Disturbance:
    """So many (`rate`) of the statements and commits get into trouble; `struck` counts them."""

    def __init__(self, database: Database, random: Random) -> None:
        self.rate = 0.0
        self.struck = 0
        self._random = random
        self._write = database.write
        database.write = self._commit  # type: ignore[method-assign]
        database.watchers = [*database.watchers, self._disturb]

    def _disturb(self, connection: Connection, _text: str, _values: Any) -> None:
        if self._strikes():
            connection.driver.execute(self._random.choice(TROUBLES))

    @contextmanager
    def _commit(self) -> Iterator[Connection]:
        with self._write() as connection:
            yield connection
        if self._strikes():
            raise exc.OperationalError("COMMIT", None, ConnectionError("the answer to a commit was lost"))

    def _strikes(self) -> bool:
        strikes = self._random.random() < self.rate
        self.struck += strikes
        return strikes
