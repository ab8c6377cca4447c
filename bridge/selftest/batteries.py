"""The batteries by name, and how they are run."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bridge.selftest import (
    card_data,
    concurrency,
    crash,
    credentials,
    database_faults,
    event_order,
    failover,
    nonsense,
    provider_faults,
    restarts,
    simulation,
    skew,
    soak,
    stalls,
    store_outage,
)
from bridge.selftest.beside import battery as beside
from bridge.selftest.judge import Fault
from bridge.selftest.report import BROKEN, Report
from bridge.selftest.run_context import RunContext
from bridge.selftest.system_under_test import BRIDGE

Battery = Callable[[RunContext, Report], None]
BATTERIES: Mapping[str, tuple[str, Battery]] = {
    "B1": ("killed at every point", crash.run),
    "B2": ("a provider in trouble", provider_faults.run),
    "B3": ("identical requests with one key", concurrency.identical_with_a_key),
    "B3B": ("identical requests without a key", concurrency.identical_without_a_key),
    "B5": ("messages doubled, shuffled, lost, early", event_order.run),
    "B6": ("refunds at once", concurrency.refunds),
    "B7": ("capture against cancel and such", concurrency.duels),
    "B8": ("the shop is away for a day", store_outage.run),
    "B9": ("a database in trouble", database_faults.run),
    "B12": ("thirty simulated days", simulation.run),
    "B13": ("clocks that are wrong", skew.run),
    "B14": ("restarts under load", restarts.run),
    "B15": ("failovers under load", failover.run),
    "B16": ("hours of load", soak.run),
    "B17": ("beside", beside.run),
    "S1": ("nothing stalls", stalls.run),
    "S2": ("malformed requests", nonsense.run),
    "S3": ("card data", card_data.run),
    "S4": ("who may do what", credentials.run),
}
CHAOS = ("B1", "B2", "B8", "B9", "B12", "B14", "B15", "S1")
"""Those that kill processes and break connections."""


def run(context: RunContext, names: Iterable[str], tell: Callable[[str], None] = lambda _: None) -> Iterator[Report]:
    """One battery after the other; `tell` is told how far it is."""
    for name in names:
        title, battery = BATTERIES[name]
        report = Report(name, title, context.seed, tell=tell, options=_options(context))
        with context.listening(report):
            try:
                battery(context, report)
            except BROKEN as error:
                report.violate(f"seed {context.seed}", Fault("wrong", f"the battery broke: {error!r}"))
        yield report.end()


def _options(context: RunContext) -> str:
    size = f" --size {context.size}" if context.size != "small" else ""
    return size + ("" if context.subject == BRIDGE else " --naive")
