"""The inside of a child: a subject, and what its process does when it is told to."""

import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import reduction
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from bridge.selftest.failpoints import Failpoints
from bridge.selftest.postgresql_faults import Disturbance
from bridge.selftest.system_under_test import Answer, BridgeSubject, Call, Subject, clock_of, find_subject

WORK = "work"
Step = Call | str
"""A request, or WORK: all that is due."""
NO_ANSWER = Answer(599, "no answer", {})
"""What stands for an answer where a subject raised an error instead."""


@dataclass(frozen=True)
class Failure:
    """What the child raised that no subject may raise."""

    text: str


class _Life:
    """The life of one child, from its fork until its connection ends."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection
        place, seed, name = connection.recv()
        self._source = Random(seed)
        self._points = Failpoints(lambda point: self._connection.send(("dying", point)))
        self._subject = find_subject(name)(place, clock_of(place), self._source, self._points.make_session)
        self._disturbance: Disturbance | None = None
        if isinstance(self._subject, BridgeSubject):
            self._points.watch(self._subject)
            database = self._subject.bridge.services.database
            if not database.is_sqlite:
                self._disturbance = Disturbance(database, Random(f"{seed}/disturbance"))

    def live(self) -> None:
        self._connection.send(("answer", None))
        while True:
            verb, what = self._connection.recv()
            if verb == "fork":
                self._fork(what)
            else:
                self._connection.send(("answer", self._do(verb, what)))

    def _fork(self, seed: str) -> None:
        """Parent and child have no connection to anything in common."""
        handle = reduction.recv_handle(self._connection)
        self._points.close_sessions()
        if isinstance(self._subject, BridgeSubject):
            self._subject.bridge.services.database.engine.dispose()
        if os.fork() == 0:
            self._connection.close()
            self._connection = Connection(handle)
            self._source.seed(seed)
        else:
            os.close(handle)
            self._connection.send(("answer", None))

    def _do(self, verb: str, what: Any) -> Any:
        try:
            if verb == "arm":
                return self._points.arm(what)
            if verb == "points":
                self._points.disarm()
                return self._points.names
            if verb == "request":
                return self._subject.request(what)
            if verb == "together":
                return _together(self._subject, what)
            if verb in ("employ", "dismiss"):
                return getattr(self._subject, verb)()
            if verb == "pid":
                return os.getpid()
            if verb == "disturb":
                return self._disturb(what)
            return self._subject.work()
        except Exception as error:  # noqa: BLE001 whatever it is, it is told
            return Failure(f"{type(error).__name__}: {error}")

    def _disturb(self, rate: float) -> int:
        if self._disturbance is None:
            return 0
        self._disturbance.rate = rate
        return self._disturbance.struck


def live(connection: "Connection[Any, Any]") -> None:
    """Live until the connection ends, and end the process."""
    code = 0
    try:
        _Life(connection).live()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _together(subject: Subject, steps: Sequence[Step]) -> list[Answer]:
    answers = [NO_ANSWER] * len(steps)
    barrier = threading.Barrier(len(steps))

    def run(index: int) -> None:
        step = steps[index]
        barrier.wait()
        began = time.monotonic()
        try:
            answer = Answer(200, subject.work(), {}) if isinstance(step, str) else subject.request(step)
        except Exception as error:  # noqa: BLE001 whatever it is, it is told
            answer = Answer(NO_ANSWER.status, f"{type(error).__name__}: {error}", {})
        answers[index] = replace(answer, seconds=time.monotonic() - began)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
