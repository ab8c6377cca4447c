"""What the batteries count, and the table of it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from requests import RequestException

from bridge.selftest.judge import Fault, Kind

BROKEN = (RuntimeError, LookupError, TypeError, ValueError, AttributeError, RequestException)
"""What a subject may make of a run that should have worked."""
SHOWN = 20
"""So many violations of one battery are told, the rest is counted."""


def tell_nobody(_: str) -> None:
    """Unlike a lambda it can be sent to another process."""


@dataclass
class Report:
    """One battery's figures. `settled` counts what was settled within two ticks of the worker, of `to_settle`;
    `flagged` payments were left to a person, who was told.

    `skipped` says why it did not run; `tell` is told how far it is. `options` of the
    command belong to a replay too.
    """

    battery: str
    title: str
    seed: int
    runs: int = 0
    faults: int = 0
    settled: int = 0
    to_settle: int = 0
    flagged: int = 0
    violations: list[str] = field(default_factory=list)
    counts: dict[Kind, int] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    skipped: str = ""
    options: str = ""
    tell: Callable[[str], None] = field(default=tell_nobody, repr=False)
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def violate(self, where: str, *faults: Fault) -> None:
        """Count what is wrong. `where` tells the seed and the circumstances that replay it."""
        for fault in faults:
            self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
            self.violations.append(f"{fault.kind}: {fault.text} [{where}]")
            self.tell(f"{self.battery} {self.violations[-1]}")

    def add(self, part: "Report") -> None:
        """What somebody else has counted of the same battery."""
        self.runs += part.runs
        self.faults += part.faults
        self.settled += part.settled
        self.to_settle += part.to_settle
        self.flagged += part.flagged
        self.violations += part.violations
        for kind, count in part.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        for violation in part.violations:
            self.tell(f"{self.battery} {violation}")

    def judge(self, where: str, run: Callable[[], Iterable[Fault]]) -> None:
        """One run, which tells what was wrong with it. What a subject raises on the way is wrong too."""
        self.runs += 1
        try:
            faults = list(dict.fromkeys(run()))
        except BROKEN as error:
            faults = [Fault("wrong", f"the run broke: {error!r}")]
        self.settle(not any(fault.kind in ("stuck", "lost") for fault in faults))
        self.violate(where, *faults)

    def progress(self, done: str) -> None:
        """Tell somebody who waits how far it is."""
        self.tell(f"{self.battery} {done}: {self.runs} runs, {self.faults} faults, {len(self.violations)} violations")

    def settle(self, settled: bool) -> None:
        self.to_settle += 1
        self.settled += settled

    def end(self) -> "Report":
        self.seconds = time.monotonic() - self.began
        return self

    @property
    def is_good(self) -> bool:
        return not self.violations


HEAD = ("battery", "runs", "faults", "double", "lost", "stuck", "leaked", "wrong", "flagged", "settled", "time", "")


def table(reports: Iterable[Report]) -> str:
    """One line for each, and below it what went wrong."""
    rows: list[tuple[str, ...]] = [HEAD]
    said: list[str] = []
    for report in reports:
        rows.append(_row(report))
        said += [f"{report.battery}: {name}: {figure}" for name, figure in report.figures.items()]
        said += [f"{report.battery}: {violation}" for violation in report.violations[:SHOWN]]
        if len(report.violations) > SHOWN:
            said.append(f"{report.battery}: and {len(report.violations) - SHOWN} more")
        if not report.is_good:
            said.append(
                f"replay: wcpay-bridge selftest --battery {report.battery} --seed {report.seed}{report.options}"
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *([""] if said else []), *said])


def _row(report: Report) -> tuple[str, ...]:
    name = f"{report.battery} {report.title}"
    if report.skipped:
        return (name, *[""] * (len(HEAD) - 2), f"skipped: {report.skipped}")
    kinds: tuple[Kind, ...] = ("double", "lost", "stuck", "leaked", "wrong")
    share = f"{100 * report.settled / report.to_settle:.1f} %" if report.to_settle else "-"
    return (
        name,
        str(report.runs),
        str(report.faults),
        *(str(report.counts.get(kind, 0)) for kind in kinds),
        str(report.flagged),
        share,
        f"{report.seconds:.0f} s",
        "ok" if report.is_good else "FAILED",
    )
