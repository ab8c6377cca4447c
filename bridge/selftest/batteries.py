"""The batteries by name, and how they are run."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bridge.selftest import (
    crash,
    drill,
    nonsense,
    outage,
    races,
    restarts,
    simulation,
    skew,
    soak,
    stalls,
    storms,
    streams,
    troubles,
)
from bridge.selftest.bench import Bench
from bridge.selftest.beside import battery as beside
from bridge.selftest.judge import Fault
from bridge.selftest.subject import BRIDGE
from bridge.selftest.tally import BROKEN, Tally

Battery = Callable[[Bench, Tally], None]
BATTERIES: Mapping[str, tuple[str, Battery]] = {
    "B1": ("killed at every point", crash.run),
    "B2": ("a provider in trouble", troubles.run),
    "B3": ("identical requests with one key", races.identical_with_a_key),
    "B3B": ("identical requests without a key", races.identical_without_a_key),
    "B5": ("messages doubled, shuffled, lost, early", streams.run),
    "B6": ("refunds at once", races.refunds),
    "B7": ("capture against cancel and such", races.duels),
    "B8": ("the shop is away for a day", outage.run),
    "B9": ("a database in trouble", storms.run),
    "B12": ("thirty simulated days", simulation.run),
    "B13": ("clocks that are wrong", skew.run),
    "B14": ("restarts under load", restarts.run),
    "B15": ("failovers under load", drill.run),
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
