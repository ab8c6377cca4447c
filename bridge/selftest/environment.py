"""A world without sockets with its subject in the same process, for what takes thousands of runs."""

from pathlib import Path
from random import Random
from shutil import copy
from signal import SIGKILL

from bridge.selftest.failpoints import Crash, Failpoints, Killed
from bridge.selftest.judge import Judge
from bridge.selftest.system_under_test import BRIDGE, INTENTS, Answer, BridgeSubject, Call, Subject, find_subject
from bridge.selftest.world import Template, World, sqlite_url

TICK = 3700.0
"""Seconds between two ticks of a worker that looks after unknown outcomes: longer than the longest delay."""
DAY = 24 * 3600.0


class Environment:
    """One world, one subject, one thread. The seed decides everything: ids, chance, and what the wire does.

    `skew` is by how many seconds the subject's clock is ahead of everybody else's. With a `template` it can begin anew.
    """

    def __init__(self, folder: Path, seed: str, *, subject: str = BRIDGE, template: Template | None = None) -> None:
        self.folder = folder
        self._template = template
        self._points = Failpoints(_die, lambda **options: self.wire.make_session(**options))
        self._open = find_subject(subject)
        self._source = Random()
        self._make_world(seed)
        self.subject = self._start()

    def begin(self, seed: str) -> None:
        """Another world at the same place, and a subject that has forgotten the last one: faster than another lab."""
        self.subject.forget()
        self.world.close()
        self._make_world(seed)

    def request(self, call: Call) -> Answer:
        return self.subject.request(call)

    def create(self, outlet: str, order: int, card: str = "pm_card_visa") -> Answer:
        customer = self.world.place.outlets[outlet].customer
        return self.request(
            Call("POST", INTENTS, {"order_id": order, "customer": customer, "payment_method": card}, outlet)
        )

    def pass_time(self, seconds: float) -> None:
        self.wire.pass_time(seconds)

    def tick(self, seconds: float = TICK) -> None:
        """Time passes, and the worker does all that is due."""
        self.pass_time(seconds)
        self.subject.work()

    def day(self) -> None:
        """A tick of a day, with the jobs of that day."""
        self.tick(DAY + TICK)
        self.subject.keep_house()
        self.subject.work()

    def restart(self) -> None:
        self.subject.close()
        self.subject = self._start()

    def kill_next(self, point: int) -> None:
        """Let the subject die when it has passed so many points more; `survive` what it does then."""
        self._points.arm(Crash(point, SIGKILL))

    def spare(self) -> None:
        """It lives on, after all."""
        self._points.disarm()

    def survive(self, call: Call | None) -> Answer | None:
        """The answer to a call, None if the subject died of it; then it is another one. Without a call it works."""
        answer = None
        try:
            if call is None:
                self.subject.work()
                self.subject.keep_house()
            else:
                answer = self.request(call)
        except Killed:
            self.kills += 1
            self.subject.forget()
        finally:
            self._points.disarm()
        return answer

    def close(self) -> None:
        self.subject.close()
        self.world.close()

    def __enter__(self) -> "Environment":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make_world(self, seed: str) -> None:
        self.random = Random(seed)
        self._source.seed(f"{seed}/ids")
        self.kills, self.skew = 0, 0.0
        if self._template:
            for file in self.folder.glob("bridge.sqlite*"):
                file.unlink()
            copy(self._template.database, self.folder / "bridge.sqlite")
        self.world = World(self.folder, sqlite_url(self.folder, "bridge"), seed, served=False, template=self._template)
        self.clock, self.wire, self.judge = self.world.clock, self.world.wire, Judge(self.world)

    def _start(self) -> Subject:
        clock, make_session = lambda: self.clock() + self.skew, self._points.make_session
        subject = self._open(self.world.place, clock, self._source, make_session, lambda s: self.clock.advance(s))
        if isinstance(subject, BridgeSubject):
            self._points.watch(subject)
        return subject


def _die(_point: str) -> None:
    raise Killed
