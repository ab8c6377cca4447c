"""A process with a subject in it, that can be killed.

Children are forked from one parent process, which has imported everything and holds no thread and no database; it
ends when its standard input does. A child does what it is told over its connection, and says so before it dies.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, cached_property
from multiprocessing import Pipe, reduction
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bridge.outbound import transport
from bridge.selftest.child_main import NO_ANSWER, Failure, Step, live
from bridge.selftest.failpoints import Crash
from bridge.selftest.leaks import LEAKS, listen
from bridge.selftest.system_under_test import BRIDGE, INTENTS, Answer, Call, Place

STARTING = 30.0
"""Seconds."""


class Died(RuntimeError):
    """The child ended at a point, or (without one) in some other way."""

    def __init__(self, point: str | None) -> None:
        super().__init__(point or "nobody knows where")
        self.point = point


class ChildProcess:
    """The hand on one such process."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection = connection

    def arm(self, crash: Crash | None) -> None:
        """Count failpoints from here, and die at one if a crash is given."""
        self._ask("arm", crash)

    def points(self) -> list[str]:
        """The failpoints passed since `arm`, which are not counted any more."""
        names: list[str] = self._ask("points", None)
        return names

    def request(self, call: Call) -> Answer:
        answer: Answer = self._ask("request", call)
        return answer

    def play(self, steps: Sequence[Step]) -> Answer | None:
        """One step after the other; the last answer. Raises Died."""
        answer = None
        for step in steps:
            if isinstance(step, str):
                self.work()
            else:
                answer = self.request(step)
        return answer

    def work(self) -> int:
        done: int = self._ask("work", None)
        return done

    def begin_together(self, steps: Sequence[Step]) -> None:
        """Start all of them at once, each in a thread of its own; `end_together` has the answers."""
        self._connection.send(("together", list(steps)))

    def end_together(self) -> list[Answer]:
        answers: list[Answer] = self._answer()
        return answers

    def fork(self, seed: str) -> "ChildProcess":
        """A process like this one as it is now, warm, which shares nothing with it and draws other ids."""
        ours, theirs = Pipe()
        self._connection.send(("fork", seed))
        reduction.send_handle(self._connection, theirs.fileno(), None)
        self._answer()
        theirs.close()
        return ChildProcess(ours)

    def employ(self) -> None:
        """Let a worker of the bridge's own run in threads beside what else is asked for."""
        self._ask("employ", None)

    def dismiss(self) -> bool:
        """End that worker; whether it was still alive."""
        survived: bool = self._ask("dismiss", None)
        return survived

    def disturb(self, rate: float) -> int:
        """Let that share of what is asked of a PostgreSQL database get into trouble; how often it did so far."""
        struck: int = self._ask("disturb", rate)
        return struck

    @cached_property
    def pid(self) -> int:
        """Ask for it before it is busy."""
        number: int = self._ask("pid", None)
        return number

    def kill(self) -> None:
        """At once, whatever it does. Its `pid` has to be known."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, verb: str, what: Any) -> Any:
        self._connection.send((verb, what))
        return self._answer()

    def _answer(self) -> Any:
        point = None
        try:
            while True:
                kind, value = self._connection.recv()
                if kind == "answer":
                    break
                point = value
        except (EOFError, OSError):
            self._connection.close()
            raise Died(point) from None
        if isinstance(value, Failure):
            raise RuntimeError(value.text)
        return value


class ChildProcesses:
    """Where children come from."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "children"
        self._count = 0
        parent = f"import sys; from {__name__} import main; main(sys.argv[1])"
        command = [sys.executable, "-c", parent, str(self._path)]
        self._mother = subprocess.Popen(command, stdin=subprocess.PIPE)
        deadline = time.monotonic() + STARTING
        while not self._path.exists():
            if self._mother.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the parent process did not start")
            time.sleep(0.02)

    def start(self, place: Place, seed: str, subject: str = BRIDGE) -> ChildProcess:
        """A new process with a subject in the place. Every one draws other ids."""
        self._count += 1
        connection = Client(str(self._path), "AF_UNIX")
        connection.send((place, f"{seed}/{self._count}", subject))
        child = ChildProcess(connection)
        child._answer()
        return child

    def close(self) -> None:
        if self._mother.stdin:
            self._mother.stdin.close()
        self._mother.wait(STARTING)

    def __enter__(self) -> "ChildProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main(path: str) -> None:
    """The parent process."""
    listen(Path(path).with_name(LEAKS))
    _warm_up()
    transport._tls_context = cache(transport._tls_context)  # 40 ms of each child's life
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    unready = f"{path}.unready"
    listener = Listener(unready, "AF_UNIX", backlog=64)
    os.rename(unready, path)
    socket = listener._listener._socket  # type: ignore[attr-defined]
    while socket in wait([socket, sys.stdin.fileno()]):
        connection = listener.accept()
        if os.fork() == 0:
            live(connection)
        connection.close()
    os.unlink(path)
    os._exit(0)


def _warm_up() -> None:
    """Do once what would cost every child its first second: imports, compiled statements, certificates."""
    from bridge.selftest.environment import Environment

    with suppress(ImportError):
        import psycopg  # noqa: F401
    with TemporaryDirectory() as folder, Environment(Path(folder), "warm") as environment:
        order, outlet = environment.world.new_order("automatic"), environment.world.place.outlets["automatic"]
        wanted = {"order_id": order, "customer": outlet.customer, "payment_method": "pm_card_visa"}
        environment.request(Call("POST", INTENTS, wanted))
        environment.subject.work()


def together(children: Sequence[ChildProcess], steps: Sequence[Step]) -> list[Answer]:
    """All steps at once, dealt out to the children in turn; the answers in the order of the steps."""
    hands = [steps[number :: len(children)] for number in range(len(children))]
    for child, hand in zip(children, hands, strict=True):
        child.begin_together(hand)
    answers = [NO_ANSWER] * len(steps)
    for number, child in enumerate(children):
        answers[number :: len(children)] = child.end_together()
    return answers
