"""B9: the database is full or read-only, everybody writes at once, or PostgreSQL refuses one statement in twenty."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bridge.selftest.child_main import Step
from bridge.selftest.concurrency import DOCUMENTED, Ring, open_ring
from bridge.selftest.disk_faults import FULL, READ_ONLY, UNAVAILABLE, half_way, unusable
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import Kind, RunContext, Size
from bridge.selftest.system_under_test import Answer

SIZES: dict[Size, tuple[int, int]] = {"slice": (1, 1), "small": (3, 1), "full": (100, 60)}
"""Rounds of each trouble of a disk, and rounds of each storm."""
PROCESSES, THREADS, WORKERS = 8, 16, 2
TROUBLED = 0.05
"""So many of PostgreSQL's statements and commits get into trouble."""


def run(context: RunContext, report: Report) -> None:
    disks, storms = SIZES[context.size]
    for number in range(disks):
        with context.lab(f"{context.seed}/{number}") as environment:
            for trouble in (FULL, READ_ONLY):
                report.judge(f"seed {context.seed}/{number}, {trouble}", partial(unusable, environment, trouble))
                report.judge(
                    f"seed {context.seed}/{number}, {trouble} half-way", partial(half_way, environment, trouble)
                )
                report.faults += 2
    for kind in context.present(report):
        with open_ring(context, kind, PROCESSES) as ring:
            _storms(ring, kind, 0.0, storms, report)
            if kind == "postgresql":
                _storms(ring, kind, TROUBLED, storms, report)
        report.progress(kind)


def _storms(ring: Ring, kind: Kind, rate: float, rounds: int, report: Report) -> None:
    seconds: list[float] = []
    name = f"{kind}, {rate:.0%} troubled" if rate else kind
    for number in range(rounds):
        report.judge(f"seed {report.seed}, {name}, storm {number}", partial(_storm, ring, rate, seconds))
    struck = sum(child.disturb(0.0) for child in ring.children)
    if rate and not struck:
        report.violate(f"seed {report.seed}, {name}", Fault("wrong", "nothing got into trouble"))
    report.faults += rounds + struck
    slowest = sorted(seconds)[len(seconds) * 99 // 100]
    report.figures[f"{name}, {PROCESSES * THREADS} requests at once"] = f"99 % within {slowest:.1f} s"


def _storm(ring: Ring, rate: float, seconds: list[float]) -> list[Fault]:
    """Every thread of every process writes at once: two equal requests for each order, with a key and without."""
    orders = [ring.world.new_order("automatic") for _ in range(PROCESSES * THREADS // 2)]
    keys = {order: f"key-{order}" if order % 2 else "" for order in orders}
    steps: list[Step] = [ring.create("automatic", order, key=keys[order]) for order in orders for _ in range(2)]
    ring.random.shuffle(steps)
    faults: list[Fault] = []
    with _workers(ring, faults), _trouble(ring, rate):
        answers = ring.together(steps)
    seconds += [answer.seconds for answer in answers]
    strange = [answer for answer in answers if not _is_documented(answer)]
    faults += [Fault("wrong", f"an answer that is not documented: {answer}") for answer in strange]
    ring.settle()
    ring.settle()
    for order in orders:
        ring.children[0].request(ring.create("automatic", order))
    ring.children[0].work()
    for order in orders:
        faults += ring.judge.faults("automatic", order)
        if len(ring.judge.facts("automatic", order).live) != 1:
            faults.append(Fault("stuck", f"order {order} is not paid"))
    return faults


def _is_documented(answer: Answer) -> bool:
    reason = answer.told.get("reason")
    return (
        answer.status == 200 or reason in DOCUMENTED or (answer.status, reason) == (UNAVAILABLE, "database_unavailable")
    )


@contextmanager
def _trouble(ring: Ring, rate: float) -> Iterator[None]:
    for child in ring.children:
        child.disturb(rate)
    try:
        yield
    finally:
        for child in ring.children:
            child.disturb(0.0)


@contextmanager
def _workers(ring: Ring, faults: list[Fault]) -> Iterator[None]:
    """Workers work meanwhile, and survive it."""
    employers = ring.children[:WORKERS]
    for child in employers:
        child.employ()
    try:
        yield
    finally:
        survived = [child.dismiss() for child in employers]
        if not all(survived):
            faults.append(Fault("stuck", "a worker did not survive"))
