"""Places where a process may die: before and after every commit and every request that leaves it.

They are put around the database and the sessions that one Subject was handed; the bridge's own code has none.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import requests

from bridge.outbound.transport import make_session
from bridge.selftest.system_under_test import BridgeSubject, MakeSession
from bridge.storage import Connection

TERMINATED = 143


@dataclass(frozen=True)
class Crash:
    """Die at the point of this index, counted from 0, by this signal."""

    index: int
    signal: int


class Killed(BaseException):
    """Nothing catches it: what a kill looks like where subject and harness share a process."""


class Failpoints:
    """Counts the points that are passed while armed. With a `crash` the process ends at one of them.

    `dying` is called with the point's name right before, and may raise Killed to have only the subject die;
    `make` makes the sessions.
    """

    def __init__(self, dying: Callable[[str], None], make: MakeSession = make_session) -> None:
        self.names: list[str] = []
        self._dying = dying
        self._make = make
        self._crash: Crash | None = None
        self._armed = False
        self._sessions: WeakSet[requests.Session] = WeakSet()

    def arm(self, crash: Crash | None) -> None:
        """Count from here; without a crash only record."""
        self.names, self._crash, self._armed = [], crash, True

    def disarm(self) -> None:
        self._armed = False

    def reach(self, name: str) -> None:
        if not self._armed:
            return
        index = len(self.names)
        self.names.append(name)
        if self._crash is None or index != self._crash.index:
            return
        self._armed = False
        self._dying(name)
        if self._crash.signal == signal.SIGTERM:
            signal.signal(signal.SIGTERM, _end)
        os.kill(os.getpid(), self._crash.signal)

    def make_session(self, **options: Any) -> requests.Session:
        """A session of the bridge's own kind with a point before each request and one after its answer."""
        session = self._make(**options)
        inner = session.send

        def send(request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            name = f"{request.method} {urlsplit(request.url or '').path}"
            self.reach(f"before {name}")
            response = inner(request, **kwargs)
            self.reach(f"after {name}")
            return response

        session.send = send  # type: ignore[method-assign]
        self._sessions.add(session)
        return session

    def close_sessions(self) -> None:
        """Close the connections that are kept open; the sessions can still be used."""
        for session in self._sessions:
            session.close()

    def watch(self, subject: BridgeSubject) -> None:
        """Put a point before and one after each commit."""
        database = subject.bridge.services.database
        inner = database.write

        @contextmanager
        def write() -> Iterator[Connection]:
            with inner() as connection:
                yield connection
                self.reach("before commit")
            self.reach("after commit")

        database.write = write  # type: ignore[method-assign]


def _end(_signal: int, _frame: Any) -> None:
    """What a process does that ends in an orderly way wherever it is: everything that is open is unwound."""
    raise SystemExit(TERMINATED)
