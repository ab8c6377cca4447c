"""Requests over `serve`'s own server, the controls by the same: CPU of its processes, rates, latencies.

Clients, simulators and server share the machine: rates and latencies are of all of them, ratios of one round.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.calls import PAYMENTS, Call, Failed, Step, get
from benchmarks.controls import BY_HAND_AND_UPDATE, CONTROLS
from benchmarks.lab import BRIDGE, EXPENSIVE, Lab, create, environment
from benchmarks.load import Outcome, Probe, ask_all, ask_beside, quantile
from benchmarks.outside import Outside
from benchmarks.processes import PROGRAM, Server, cpu_seconds, memory, served
from benchmarks.results import Row, in_turn, rows
from benchmarks.subjects import CREATE, PAID_ORDER, Subject
from bridge.selftest.serving import wait_for

PART, PAID, SLOW = "over serve", "paid orders, with serve's own worker", "slow providers"
CPU, BACKEND = "CPU ms", "database CPU ms"
WARM_UP = 8
"""Requests of each connection pool before the first that counts."""
PATIENCE = 600.0
"""Seconds that the worker has for what it still has to deliver."""
PAUSE = 0.1
"""Seconds between two requests of the neighbor."""


@dataclass(frozen=True)
class Servers:
    """Of a lab's bridge and of the controls, each with so many processes and threads."""

    lab: Lab
    folder: Path
    processes: int
    threads: int = 64

    def bridge(self, *options: str) -> AbstractContextManager[Server]:
        own = ["serve", "--bind", "{bind}", "--workers", str(self.processes), "--threads", str(self.threads), *options]
        return served(["-c", PROGRAM, *own], self.folder, environment(self.lab.site))

    def control(self, name: str) -> AbstractContextManager[Server]:
        place = self.folder / "place.json"
        place.touch(mode=0o600)
        place.write_text(json.dumps(self.lab.site.place))
        own = [name, "{bind}", str(self.processes), str(self.threads), str(place)]
        return served(["-m", "benchmarks.controls", *own], self.folder)


def _creates(lab: Lab, outside: Outside, count: int) -> list[Call]:
    return _calls([create(lab, EXPENSIVE, order) for order in outside.new_orders(EXPENSIVE, count)])


def _calls(steps: Sequence[Step]) -> list[Call]:
    return [step for step in steps if isinstance(step, Call)]


def measure(
    servers: Servers,
    outside: Outside,
    subjects: Sequence[Subject],
    where: Mapping[str, str | int],
    connections: Sequence[int],
    requests: int,
    rounds: int,
    backend: Callable[[], float],
) -> list[Row]:
    """Raises Failed."""
    known = {subject.name: subject for subject in subjects if subject.is_served}
    made: list[Row] = []
    with ExitStack() as stack:
        opened = {BRIDGE: stack.enter_context(servers.bridge("--no-worker"))}
        for name in known.keys() & CONTROLS.keys():
            opened[name] = stack.enter_context(servers.control(name))
        for count in connections:

            def once(name: str, count: int = count) -> dict[str, float]:
                subject, times = known[name], max(requests, 4 * count)
                server = opened[subject.app]
                calls = _calls(subject.make(servers.lab, outside, WARM_UP + times))
                ask_all(server, calls[:WARM_UP], min(count, WARM_UP))
                before, database_before = cpu_seconds(server.pid), backend()
                outcome = ask_all(server, calls[WARM_UP:], count)
                used = {CPU: cpu_seconds(server.pid) - before, BACKEND: backend() - database_before}
                return {figure: seconds / times * 1000 for figure, seconds in used.items()} | outcome.figures

            made += rows(PART, {**where, "connections": count}, in_turn(list(known), rounds, once), CPU)
    return made


def paid_orders(
    servers: Servers, outside: Outside, where: Mapping[str, str | int], requests: int, rounds: int
) -> list[Row]:
    """One client after the other, until the shop knows of all: `serve` with its worker, and the handler that tells the
    shop itself. Raises Failed."""
    lab = servers.lab
    lab.work()
    with servers.bridge() as ours, servers.control(BY_HAND_AND_UPDATE) as by_hand:
        opened = {PAID_ORDER: ours, BY_HAND_AND_UPDATE: by_hand}

        def once(name: str) -> dict[str, float]:
            server = opened[name]
            calls = _creates(lab, outside, WARM_UP + requests)
            ask_all(server, calls[:WARM_UP], 1)
            _wait_until_told(lab)
            before = cpu_seconds(server.pid)
            outcome = ask_all(server, calls[WARM_UP:], 1)
            _wait_until_told(lab)
            return {CPU: (cpu_seconds(server.pid) - before) / requests * 1000} | outcome.figures

        return rows(PAID, where, in_turn(list(opened), rounds, once), CPU)


def _wait_until_told(lab: Lab) -> None:
    def is_empty() -> bool:
        with lab.bridge.services.database.read() as connection:
            return not connection.execute(text("select count(*) from outbox where state = 'pending'")).scalar_one()

    if not wait_for(is_empty, PATIENCE):
        raise Failed("the worker does not deliver")


def slow_providers(
    servers: Servers,
    outside: Outside,
    where: Mapping[str, str | int],
    delays: Sequence[float],
    offered: Sequence[int],
) -> list[Row]:
    """So many creates at once while Stripe takes so long (seconds); a client of another store looks around meanwhile.
    Raises Failed."""
    made = []
    with servers.bridge("--no-worker") as server:
        for delay in delays:
            for count in offered:
                figures = _at_once(servers.lab, outside, server, delay, count)
                made.append(Row(SLOW, CREATE, {**where, "provider ms": round(delay * 1000), "offered": count}, figures))
    return made


def _at_once(lab: Lab, outside: Outside, server: Server, delay: float, count: int) -> dict[str, float]:
    calls = _creates(lab, outside, count)
    probe = Probe(get(f"{PAYMENTS}/authorizations", lab.site.clients["sandbox"].pair))
    ask_all(server, [probe.call], 1)
    before = memory(server.pid)
    outside.hold(delay)
    try:
        outcome: Outcome = ask_beside(server, calls, count, probe, PAUSE)
        held = outside.most_held()
    finally:
        outside.hold(0.0)
    figures: dict[str, Any] = outcome.figures | {"held at the provider": float(held)}
    if probe.latencies:
        figures["another store's GET, p99 ms"] = quantile(probe.latencies, 0.99) * 1000
    figures["KiB more for each"] = max(memory(server.pid) - before, 0.0) * 1024 / count
    return figures
