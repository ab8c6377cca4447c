"""B14: the server is restarted again and again while clients pay, and no request notices."""

import signal
import time

from bridge.selftest.bench import Bench, Kind, Size
from bridge.selftest.judge import Fault
from bridge.selftest.serving import OK, serving, wait_for
from bridge.selftest.tally import Tally

SIZES: dict[Size, tuple[int, float]] = {"slice": (1, 1.0), "small": (2, 3.0), "full": (20, 60.0)}
"""How many restarts, and how many seconds between them."""
RATE = 50.0
DRAINED = 30.0
"""Seconds in which a server that is told to end has to be done, and in which the shop has to hear of everything."""


def run(bench: Bench, tally: Tally) -> None:
    for kind in bench.present(tally):
        _rolling(bench, kind, tally)
        tally.progress(kind)


def _rolling(bench: Bench, kind: Kind, tally: Tally) -> None:
    restarts, pause = SIZES[bench.size]
    with serving(bench, kind, RATE) as site:
        with site.traffic.flowing():
            for _ in range(restarts):
                time.sleep(pause)
                site.server.send(signal.SIGHUP)
                tally.faults += 1
            time.sleep(pause)
        for told in site.traffic.told:
            if told.says != OK:
                tally.violate(f"seed {bench.seed}, {kind}", Fault("wrong", f"a client noticed: {told.says}"))
        site.settle(DRAINED)
        site.judge_all(tally)
        began = time.monotonic()
        site.server.send(signal.SIGTERM)
        if not wait_for(site.server.has_ended, DRAINED):
            tally.violate(f"seed {bench.seed}, {kind}", Fault("stuck", "it does not end"))
        tally.figures[f"{kind}, {len(site.traffic.last)} payments"] = f"drained in {time.monotonic() - began:.1f} s"
