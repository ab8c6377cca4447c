"""What an idle bridge does, counted: statements and SQLite's own steps of a worker's round and of a scrape.

Nothing is timed: whoever reads every store takes more steps with more stores, on any machine.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from bridge.app import Bridge, create_app
from bridge.selftest.fill_database import QUIET, fill
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext
from bridge.selftest.system_under_test import METRICS_TOKEN
from bridge.selftest.world import SECRET_KEY, sqlite_url
from bridge.storage import migrate
from bridge.worker.periodic_jobs import claim_job, claim_sweep, run_common, run_jobs, write_heartbeat
from bridge.worker.runner import run_once

NOW = 1_790_000_000.0
NOBODY = "https://127.0.0.1:9/shop-*"
"""Where no store is, and none is asked: the address is a private one."""
FEW = (30, 3_000)
"""Stores and payments of the bridge that the large one is held against."""
RESOLUTION = 10
"""SQLite's virtual machine tells of every so manieth instruction."""
GROWTH = 2.0
"""By how much the steps may grow: an index of ten times as many rows has a level more."""


@dataclass(frozen=True)
class Cost:
    """`steps` are instructions of SQLite's virtual machine."""

    statements: int
    steps: int


def compare(context: RunContext, report: Report, stores: int, payments: int) -> None:
    """A round and a scrape cost the same with so many stores and payments as with few."""
    few, many = _costs(context, *FEW), _costs(context, stores, payments)
    for name, cost in many.items():
        report.runs += 1
        report.figures[f"{name} at {stores} idle stores, {payments} payments"] = (
            f"{cost.statements} statements, {cost.steps} steps (at {FEW[0]} stores {few[name].steps})"
        )
        if cost.statements > few[name].statements or cost.steps > GROWTH * few[name].steps:
            report.violate(f"seed {context.seed}", Fault("wrong", f"{name} grows with the stores: {few[name]}, {cost}"))


def _costs(context: RunContext, stores: int, payments: int) -> dict[str, Cost]:
    url = sqlite_url(context.new_folder())
    migrate(url)
    bridge = Bridge(secret_key=SECRET_KEY, database_url=url, metrics_token=METRICS_TOKEN, clock=lambda: NOW)
    client = create_app(bridge).test_client()
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    look = {"base_url": "http://127.0.0.1", "headers": headers}

    def scrape() -> None:
        if METRICS_TOKEN and client.get("/bridge/v1/metrics", **look).status_code != 200:
            raise RuntimeError("the metrics are not there")

    try:
        fill(bridge.services.database, stores, payments, NOW, NOBODY, QUIET)
        while run_once(bridge.services) or run_jobs(bridge.services):
            pass
        return {"a worker's round": _cost(bridge, lambda: _round(bridge)), "a scrape": _cost(bridge, scrape)}
    finally:
        bridge.close()


def _round(bridge: Bridge) -> None:
    services = bridge.services
    if (
        run_once(services)
        or write_heartbeat(services)
        or run_common(services)
        or claim_job(services)
        or claim_sweep(services)
    ):
        raise RuntimeError("it is not idle")


def _cost(bridge: Bridge, do: Callable[[], object]) -> Cost:
    do()  # statements are compiled, the schema is read
    with _counting(bridge) as counts:
        do()
    return Cost(counts["statements"], counts["steps"])


@contextmanager
def _counting(bridge: Bridge) -> Iterator[dict[str, int]]:
    """A connection that is in the pool already is watched from its next check-out on."""
    counts = {"statements": 0, "steps": 0}
    database = bridge.services.database
    engine = database.engine

    def step() -> int:
        counts["steps"] += RESOLUTION
        return 0

    def check_out(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(step, RESOLUTION)

    def execute(*_: Any) -> None:
        counts["statements"] += 1

    event.listen(engine, "checkout", check_out)
    before = database.watchers
    database.watchers = [*before, execute]
    try:
        yield counts
    finally:
        database.watchers = before
        event.remove(engine, "checkout", check_out)
