"""The batteries by name, and how they are run."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bridge.selftest import (
    concurrency,
    crash,
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
from bridge.selftest.report import BROKEN, Tally
from bridge.selftest.run_context import Bench
from bridge.selftest.system_under_test import BRIDGE

Battery = Callable[[Bench, Tally], None]
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
}
CHAOS = ("B1", "B2", "B8", "B9", "B12", "B14", "B15", "S1")
"""Those that kill processes and break connections."""


def run(bench: Bench, names: Iterable[str], tell: Callable[[str], None] = lambda _: None) -> Iterator[Tally]:
    """One battery after the other; `tell` is told how far it is."""
    for name in names:
        title, battery = BATTERIES[name]
        tally = Tally(name, title, bench.seed, tell=tell, options=_options(bench))
        with bench.listening(tally):
            try:
                battery(bench, tally)
            except BROKEN as error:
                tally.violate(f"seed {bench.seed}", Fault("wrong", f"the battery broke: {error!r}"))
        yield tally.end()


def _options(bench: Bench) -> str:
    size = f" --size {bench.size}" if bench.size != "small" else ""
    return size + ("" if bench.subject == BRIDGE else " --naive")
