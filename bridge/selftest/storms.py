"""B9: the database is full, read-only or cut off, or everybody writes at once."""

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from sqlalchemy import create_engine, event, text

from bridge.selftest.bench import Bench, Size
from bridge.selftest.judge import Fault
from bridge.selftest.lab import Lab
from bridge.selftest.player import WORK, Step
from bridge.selftest.races import DOCUMENTED, Ring, open_ring
from bridge.selftest.subject import PAYMENTS, Answer, BridgeSubject, Call
from bridge.selftest.tally import Tally
from bridge.selftest.world import STRIPE_HOST

SIZES: dict[Size, tuple[int, int]] = {"slice": (1, 1), "small": (3, 2), "full": (100, 60)}
"""Rounds of each trouble of a disk, and rounds of a storm."""
PROCESSES, THREADS = 8, 16
FULL, READ_ONLY = "a full disk", "a read-only database"
UNAVAILABLE = 503


def run(bench: Bench, tally: Tally) -> None:
    disks, storms = SIZES[bench.size]
    for number in range(disks):
        with bench.lab(f"{bench.seed}/{number}") as lab:
            for trouble in (FULL, READ_ONLY):
                tally.judge(f"seed {bench.seed}/{number}, {trouble}", partial(_unusable, lab, trouble))
                tally.judge(f"seed {bench.seed}/{number}, {trouble} half-way", partial(_half_way, lab, trouble))
                tally.faults += 2
    for kind in bench.present(tally):
        with open_ring(bench, kind, PROCESSES) as ring:
            seconds: list[float] = []
            for number in range(storms):
                tally.judge(f"seed {bench.seed}, {kind}, storm {number}", partial(_storm, ring, seconds, kind))
            tally.figures[f"{kind}, a round of {PROCESSES * THREADS} requests at once"] = (
                f"{max(seconds):.1f} s at most"
            )
            tally.faults += storms
        tally.progress(kind)


@contextmanager
def _crippled(lab: Lab, trouble: str) -> Iterator[None]:
    """Meanwhile nothing can be written: this process may make no file longer than nothing, or SQLite may not write."""
    if trouble == FULL:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    if not isinstance(lab.subject, BridgeSubject):
        raise RuntimeError("the subject has no database")
    engine = lab.subject.bridge.services.database.engine

    def cripple(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=on").close()

    engine.dispose()
    event.listen(engine, "connect", cripple)
    try:
        yield
    finally:
        event.remove(engine, "connect", cripple)
        engine.dispose()


def _unusable(lab: Lab, trouble: str) -> list[Fault]:
    """Nothing can be written: whatever is asked for is turned away, and the provider hears of nothing."""
    held = lab.world.new_order("manual")
    intent = lab.create("manual", held).body["id"]
    paid = lab.world.new_order("automatic")
    lab.create("automatic", paid)
    lab.subject.work()
    order, event_id = lab.world.new_order("automatic"), lab.world.events()[-1][0]
    path = f"{PAYMENTS}/orders/{held}"
    wanted = {"payment_intent_id": intent}
    before = len(lab.world.stripe.ledger.entries())
    with _crippled(lab, trouble):
        answers = {
            "create": lab.create("automatic", order),
            "capture": lab.request(Call("POST", f"{path}/capture_authorization", wanted, "manual")),
            "cancel": lab.request(Call("POST", f"{path}/cancel_authorization", wanted, "manual")),
            "refund": lab.request(Call("POST", f"{PAYMENTS}/refund", {"order_id": paid, "amount": 100})),
            "message": lab.request(lab.world.event(event_id, "automatic")),
        }
        shown = lab.request(Call("GET", f"{PAYMENTS}/payment_intents/{intent}", outlet="manual"))
    faults = [Fault("wrong", f"{name}: {one}") for name, one in answers.items() if one.status != UNAVAILABLE]
    if shown.status != 200:
        faults.append(Fault("wrong", f"what is there cannot be looked at: {shown}"))
    if moved := lab.world.stripe.ledger.entries()[before:]:
        faults.append(Fault("double", f"money moved without being written down: {moved}"))
    return faults + _recovered(lab, "automatic", order)


def _half_way(lab: Lab, trouble: str) -> list[Fault]:
    """Nothing more can be written once the provider has done it."""
    order = lab.world.new_order("automatic")
    crippled = _crippled(lab, trouble)

    def cripple(host: str, request: requests.PreparedRequest) -> None:
        if host == STRIPE_HOST and request.method == "POST":
            lab.wire.arrived = None
            crippled.__enter__()

    lab.wire.arrived = cripple
    answer = lab.create("automatic", order)
    crippled.__exit__(None, None, None)
    faults = [] if answer.status == UNAVAILABLE else [Fault("wrong", f"half-way: {answer}")]
    for _ in range(2):
        lab.tick()
    return faults + lab.judge.faults("automatic", order) + _recovered(lab, "automatic", order)


def _recovered(lab: Lab, outlet: str, order: int) -> list[Fault]:
    """With space again the order can be paid, once."""
    answer = lab.create(outlet, order)
    lab.subject.work()
    faults = lab.judge.faults(outlet, order)
    if answer.status != 200 or len(lab.judge.facts(outlet, order).live) != 1:
        faults.append(Fault("stuck", f"not paid afterwards: {answer}"))
    return faults


def _storm(ring: Ring, seconds: list[float], kind: str) -> list[Fault]:
    """Every thread of every process writes at once; on PostgreSQL connections are cut meanwhile."""
    orders = [ring.world.new_order("automatic") for _ in range(PROCESSES * THREADS // 2)]
    steps: list[Step] = [ring.create("automatic", order) for order in orders for _ in range(2)]
    ring.random.shuffle(steps)
    began = time.monotonic()
    with _cuts(ring.world.place.database_url) if kind == "postgresql" else _calm():
        answers = ring.together([*steps, WORK, WORK])
    seconds.append(time.monotonic() - began)
    strange = [answer for answer in answers[: len(steps)] if not _is_documented(answer)]
    faults = [Fault("wrong", f"an answer that is not documented: {answer}") for answer in strange]
    ring.settle()
    ring.settle()
    for order in orders:
        ring.players[0].request(ring.create("automatic", order))
    ring.players[0].work()
    for order in orders:
        faults += ring.judge.faults("automatic", order)
        if len(ring.judge.facts("automatic", order).live) != 1:
            faults.append(Fault("stuck", f"order {order} is not paid"))
    return faults


def _is_documented(answer: Answer) -> bool:
    reason = answer.told.get("reason")
    return answer.status == 200 or reason in DOCUMENTED or (answer.status, reason) == (503, "database_unavailable")


@contextmanager
def _calm() -> Iterator[None]:
    yield


@contextmanager
def _cuts(url: str) -> Iterator[None]:
    """Somebody ends the sessions of everybody else, a few times in a row."""
    ended = threading.Event()
    engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def cut() -> None:
        while not ended.wait(0.1):
            with engine.connect() as connection:
                connection.execute(text(_CUT))

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        engine.dispose()


_CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and random() < 0.05
"""
