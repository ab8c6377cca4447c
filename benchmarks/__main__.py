"""What the bridge costs, against controls of the same run: docs/performance.md tells what is measured and how.

    make bench [ARGS="--quick --only instructions --database sqlite"]

Writes results.json, report.md and plots into a folder, and with --page the figures into docs/performance.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import growth, in_process, instructions, over_server, report
from benchmarks.calls import Failed
from benchmarks.lab import Lab, database, missing, open_lab
from benchmarks.outside import Outside
from benchmarks.over_server import Servers
from benchmarks.processes import cpu_seconds
from benchmarks.results import Results
from benchmarks.subjects import SUBJECTS

PARTS = ("in process", "instructions", "over serve", "paid orders", "slow providers", "growth")
QUICK = {
    "times": 2,
    "rounds": 1,
    "requests": 8,
    "connections": [1, 4],
    "processes": 1,
    "delays": [0, 20],
    "offered": [4],
    "threads": 8,
    "sizes": ["200:10", "400:20"],
}
"""Sizes that prove that everything works, and measure nothing."""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that everything works")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be repeated; default: all")
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"], help="default: both")
    parser.add_argument("--subject", action="append", choices=[each.name for each in SUBJECTS], help="default: all")
    parser.add_argument("--times", type=int, default=20, help="requests of a round in process, default 20")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--requests", type=int, default=400, help="requests of a round over a server, default 400")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64, 128])
    parser.add_argument("--processes", type=int, default=2, help="of each server, default 2")
    parser.add_argument("--delays", type=int, nargs="+", default=[0, 200, 5000], help="of providers, milliseconds")
    parser.add_argument("--offered", type=int, nargs="+", default=[64, 1000], help="creates at once at slow providers")
    parser.add_argument("--threads", type=int, default=500, help="of each process, for slow providers, default 500")
    parser.add_argument(
        "--sizes",
        nargs="+",
        default=["1000:10", "100000:1000", "1000000:10000"],
        help="PAYMENTS:STORES for growth, default 1000:10 100000:1000 1000000:10000",
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="default build/bench")
    parser.add_argument("--page", action="store_true", help="write the figures into docs/performance.md")
    wanted = parser.parse_args()
    if wanted.quick:
        for name, value in QUICK.items():
            if getattr(wanted, name) == parser.get_default(name):
                setattr(wanted, name, value)
    return wanted


class Run:
    """One run of all parts that are wanted."""

    def __init__(self, wanted: argparse.Namespace, results: Results) -> None:
        self._wanted, self._results = wanted, results
        self._subjects = [each for each in SUBJECTS if not wanted.subject or each.name in wanted.subject]
        self._parts = wanted.only or PARTS

    def on(self, kind: str) -> None:
        """All parts on a database of that kind."""
        if why := missing(kind):
            self._results.skipped[kind] = why
            return
        if set(self._parts) != {"growth"}:
            self._in_a_lab(kind, self._all)
        for size in self._wanted.sizes if "growth" in self._parts else ():
            self._in_a_lab(kind, self._growing(kind, *map(int, size.split(":"))))

    def _in_a_lab(self, kind: str, do: Callable[[Lab, Outside, Path, Callable[[], float]], None]) -> None:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wcpay-bench-")))
            outside = stack.enter_context(Outside(folder))
            made = stack.enter_context(database(kind, folder))
            backend = (lambda: cpu_seconds(made.server)) if made.server else (lambda: 0.0)
            do(stack.enter_context(open_lab(made.url, outside)), outside, folder, backend)

    def _all(self, lab: Lab, outside: Outside, folder: Path, backend: Callable[[], float]) -> None:
        wanted, where = self._wanted, {"database": lab.bridge.services.database.url.get_backend_name()}
        found = self._results.rows
        for part in (part for part in PARTS if part in self._parts and part != growth.PART):
            print(f"{where['database']}: {part}", file=sys.stderr, flush=True)
            match part:
                case "in process":
                    found += in_process.measure(lab, outside, self._subjects, where, wanted.times, wanted.rounds)
                case "instructions" if why := instructions.missing():
                    self._results.skipped[part] = why
                case "instructions":
                    found += instructions.measure(lab, outside, self._subjects, where, wanted.times, folder)
                case "over serve":
                    servers = Servers(lab, folder, wanted.processes)
                    sizes = (wanted.connections, wanted.requests, wanted.rounds)
                    found += over_server.measure(servers, outside, self._subjects, where, *sizes, backend)
                case "paid orders":
                    servers = Servers(lab, folder, wanted.processes)
                    found += over_server.paid_orders(servers, outside, where, wanted.requests, wanted.rounds)
                case "slow providers":
                    servers = Servers(lab, folder, wanted.processes, wanted.threads)
                    delays = [delay / 1000 for delay in wanted.delays]
                    found += over_server.slow_providers(servers, outside, where, delays, wanted.offered)

    def _growing(self, kind: str, payments: int, stores: int) -> Callable[..., None]:
        def grow(lab: Lab, outside: Outside, *_: object) -> None:
            print(f"{kind}: growth, {payments} payments in {stores} stores", file=sys.stderr, flush=True)
            where: dict[str, str | int] = {"database": kind, "payments": payments, "stores": stores}
            growth.fill_database(lab, stores, payments)
            self._results.rows += growth.measure(lab, outside, where, payments, self._wanted.times, self._wanted.rounds)

        return grow


def main() -> None:
    wanted, results = options(), Results()
    run = Run(wanted, results)
    try:
        for kind in wanted.database or ("sqlite", "postgresql"):
            run.on(kind)
    except Failed as failed:
        sys.exit(f"Nothing was written: {failed}")
    report.write(results, wanted.out)
    if wanted.page:
        report.write_page(results)
    print((wanted.out / "report.md").read_text(), end="")
    print(f"\nwritten into {wanted.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
