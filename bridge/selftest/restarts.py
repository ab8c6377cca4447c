"""B14: the server is restarted again and again while clients pay, and no request notices."""

import signal
import threading
import time

from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import Kind, RunContext, Size
from bridge.selftest.serving import OK, Site, serving, wait_for
from bridge.simulators.faults import Fault as Trouble

SIZES: dict[Size, tuple[int, float]] = {"slice": (1, 1.0), "small": (2, 3.0), "full": (20, 60.0)}
"""How many restarts, and how many seconds between them."""
RATE = 50.0
HELD = 2.0
"""Seconds for which the provider holds back one payment at every restart, so that one is always under way."""
DRAINED = 30.0
"""Seconds in which a server that is told to end has to be done, and in which the shop has to hear of everything."""


def run(context: RunContext, report: Report) -> None:
    for kind in context.present(report):
        _rolling(context, kind, report)
        report.progress(kind)


def _rolling(context: RunContext, kind: Kind, report: Report) -> None:
    restarts, pause = SIZES[context.size]
    with serving(context, kind, RATE) as site:
        with site.traffic.flowing():
            for _ in range(restarts):
                time.sleep(pause)
                _restart(site)
                report.faults += 1
            time.sleep(pause)
        for told in site.traffic.told:
            if told.says != OK:
                report.violate(f"seed {context.seed}, {kind}", Fault("wrong", f"a client noticed: {told.says}"))
        site.settle(DRAINED)
        site.judge_all(report)
        began = time.monotonic()
        site.server.send(signal.SIGTERM)
        if not wait_for(site.server.has_ended, DRAINED):
            report.violate(f"seed {context.seed}, {kind}", Fault("stuck", "it does not end"))
        report.figures[f"{kind}, {len(site.traffic.last)} payments"] = f"drained in {time.monotonic() - began:.1f} s"


def _restart(site: Site) -> None:
    """While a payment is under way: whether anybody notices must not depend on when the others happen to come."""
    faults, released = site.world.provider_faults, threading.Event()
    before, asked = len(faults.injected), len(site.traffic.told)
    faults.next(Trouble.STALLED, match="POST /v1/payment_intents", until=released)
    try:
        if not wait_for(lambda: len(faults.injected) > before, DRAINED):
            raise RuntimeError("no client pays")
        site.server.send(signal.SIGHUP)
        wait_for(lambda: any(told.says != OK for told in site.traffic.told[asked:]), HELD)
    finally:
        released.set()
