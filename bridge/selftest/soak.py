"""B16: hours of traffic, of which one request per second loses its answer; nothing grows, and nothing grows old."""

import time
from contextlib import closing
from pathlib import Path

from bridge.app import Bridge
from bridge.operations.metrics import collect_metrics
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.serving import Site, serving
from bridge.selftest.system_under_test import settings_of
from bridge.simulators.faults import Fault as Trouble

SIZES: dict[Size, tuple[int, float]] = {"slice": (4, 0.15), "small": (15, 0.10), "full": (7200, 0.05)}
"""How many seconds it takes, and by what share memory may grow after a quarter of them: less, the longer it takes."""
RATE = 20.0
FILES = 40
"""So many more files may be open in the end: connections that are kept."""
OLDEST = 60.0
"""Seconds in which an unknown outcome has to be settled."""
SETTLED = 60.0
PROCESSES = Path("/proc")


def run(context: RunContext, report: Report) -> None:
    if not PROCESSES.is_dir():
        report.skipped = "this system does not tell of its processes in /proc"
        return
    for kind in context.present(report):
        with serving(context, kind, RATE) as site:
            _soak(site, report)
            site.settle(SETTLED)
            site.judge_all(report)
        report.progress(kind)


def _soak(site: Site, report: Report) -> None:
    seconds, allowed = SIZES[site.context.size]
    where, oldest, warm = f"seed {site.context.seed}, {site.kind}", 0.0, (0, 0)
    with site.traffic.flowing(), closing(Bridge(settings_of(site.world.place))) as bridge:
        for second in range(seconds):
            time.sleep(1)
            if second == seconds // 4:
                warm = _weigh(site.server.pid)
            site.world.provider_faults.next(Trouble.DROPPED, match="POST")
            report.faults += 1
            found = collect_metrics(bridge.services)
            oldest = max(oldest, found.age(found.unknown.oldest) or 0.0)
        memory, files = _weigh(site.server.pid)
    drift = memory / warm[0] - 1 if warm[0] else 0.0
    report.figures[f"{site.kind}, {len(site.traffic.last)} payments"] = (
        f"memory {drift:+.1%} to {memory // 1024} MB, {files} files open ({files - warm[1]:+}), "
        f"the oldest unknown outcome {oldest:.0f} s old"
    )
    if drift > allowed:
        report.violate(where, Fault("wrong", f"memory grew by {drift:.1%}"))
    if files > warm[1] + FILES:
        report.violate(where, Fault("wrong", f"{files - warm[1]} more files are open"))
    if oldest > OLDEST:
        report.violate(where, Fault("stuck", f"an outcome was unknown for {oldest:.0f} s"))


def _weigh(pid: int) -> tuple[int, int]:
    """Of a process and its children: memory in KB, and open files."""
    family = [pid, *(int(child) for child in (PROCESSES / f"{pid}/task/{pid}/children").read_text().split())]
    memory = sum(_resident((PROCESSES / f"{member}/status").read_text()) for member in family)
    return memory, sum(len(list((PROCESSES / f"{member}/fd").iterdir())) for member in family)


def _resident(status: str) -> int:
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
