"""B15: something that the bridge needs is gone for a while, or the bridge itself, while clients pay.

Errors end when the trouble does, nobody notices that a worker is killed, and in the end every order is paid once.
"""

import time
from collections.abc import Callable

from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.serving import OK, STARTING, Site, serving, wait_for
from bridge.simulators.faults import Fault as Trouble

SIZES: dict[Size, tuple[int, float, float]] = {"slice": (1, 0.5, 3.0), "small": (1, 2.0, 6.0), "full": (3, 60.0, 60.0)}
"""How many rounds of every trouble, how many seconds each takes, and the calm after it."""
RATE = 50.0
TIMEOUT = 3.0
"""The provider's, in seconds: what a dead process had in hand waits for several of them."""
RECOVERED = 5.0
"""Seconds after the end of a trouble in which clients may still be told of it."""
SETTLED = 60.0
DROPPED = 5
"""So many payments are made while the provider goes away, and their answers lost."""


def _database(site: Site, _seconds: float) -> None:
    site.context.restart_database()


def _provider(site: Site, seconds: float) -> None:
    faults = site.world.provider_faults
    faults.next(Trouble.DROPPED, DROPPED, "POST")
    faults.next(Trouble.REFUSED, 1_000_000)
    time.sleep(seconds)
    faults.clear()


def _worker(site: Site, seconds: float) -> None:
    if site.worker:
        site.worker.kill()
        time.sleep(seconds)
        site.worker.start()
        wait_for(site.is_working, STARTING)


def _server(site: Site, _seconds: float) -> None:
    site.server.kill()
    site.server.start()
    wait_for(site.is_up, STARTING)


TROUBLES: dict[str, Callable[[Site, float], None]] = {
    "the worker is killed": _worker,
    "the database restarts": _database,
    "the provider is away": _provider,
    "the server is killed": _server,
}


def run(context: RunContext, report: Report) -> None:
    for kind in context.present(report):
        with serving(context, kind, RATE, apart=True, timeout=TIMEOUT) as site:
            _drill(site, report)
            site.settle(SETTLED)
            site.judge_all(report)
        report.progress(kind)


def _drill(site: Site, report: Report) -> None:
    rounds, seconds, calm = SIZES[site.context.size]
    with site.traffic.flowing():
        time.sleep(seconds)
        for number in range(rounds):
            for name, trouble in TROUBLES.items():
                if trouble is _database and not site.context.owns_database(site.kind):
                    continue
                began = time.monotonic()
                trouble(site, seconds)
                noticed_until = began if trouble is _worker else time.monotonic() + RECOVERED
                time.sleep(calm)
                report.faults += 1
                _look(site, report, f"{site.kind}, {name}, {number + 1}", began, noticed_until)


def _look(site: Site, report: Report, name: str, began: float, until: float) -> None:
    """The window in which clients were told of anything but a success, which may last until then."""
    failed = [told.at for told in site.traffic.told if told.says != OK and told.at >= began]
    if not failed:
        report.figures[name] = "nobody noticed"
        return
    first, last = failed[0] - began, failed[-1] - began
    report.figures[name] = f"{len(failed)} errors, from {first:.1f} s to {last:.1f} s after it began"
    if failed[-1] > until:
        report.violate(f"seed {site.context.seed}, {name}", Fault("wrong", f"clients noticed: {report.figures[name]}"))
