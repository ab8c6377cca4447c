"""CPU of one request inside this process, user and system: no server, and the clients' work is not counted."""

import time
from collections.abc import Mapping, Sequence

from benchmarks.calls import Prepared
from benchmarks.lab import Lab
from benchmarks.outside import Outside
from benchmarks.results import Row, in_turn, rows
from benchmarks.subjects import Subject

PART = "in process"
CPU = "CPU ms"
WARM_UP = 3
"""Requests before the first that counts: connections, statements and schemas are made."""


def measure(
    lab: Lab, outside: Outside, subjects: Sequence[Subject], where: Mapping[str, str | int], times: int, rounds: int
) -> list[Row]:
    """Raises Failed."""
    known = {subject.name: subject for subject in subjects}

    def once(name: str) -> dict[str, float]:
        subject = known[name]
        steps = subject.make(lab, outside, WARM_UP + times)
        first = WARM_UP * subject.steps
        prepare = [Prepared(lab.apps[subject.app], lab.bridge, part) for part in (steps[:first], steps[first:])]
        prepare[0].run()
        started = time.process_time()
        prepare[1].run()
        return {CPU: (time.process_time() - started) / times * 1000}

    return rows(PART, where, in_turn(list(known), rounds, once), CPU)
