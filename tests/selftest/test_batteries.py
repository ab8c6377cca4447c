"""A small, fixed slice of every battery, and proof that each of them can fail."""

import signal
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from bridge.selftest import crash, simulation
from bridge.selftest.batteries import BATTERIES, run
from bridge.selftest.failpoints import Crash
from bridge.selftest.report import Tally, table
from bridge.selftest.run_context import Bench
from bridge.selftest.world import World, sqlite_url
from tests.repository.directions import modules, read_imports

UNNOTICED = {"B14": ["wrong"], "S2": ["leaked"]}
"""Where it is not about money: the clients may not notice anything, and no secret may be told."""
NAIVE = "bridge.selftest.naive:open_naive"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench(size="slice") as bench:
        yield bench


@pytest.fixture(scope="module")
def naive() -> Iterator[Bench]:
    with Bench(size="slice", subject=NAIVE) as bench:
        yield bench


@pytest.fixture(scope="module")
def slices(bench: Bench) -> Callable[[str], Tally]:
    """A slice of a battery by its name, played once."""
    return cache(lambda name: next(run(bench, [name])))


@pytest.fixture(scope="module")
def naive_slices(naive: Bench) -> Callable[[str], Tally]:
    """The same, of the handler without guards."""
    return cache(lambda name: next(run(naive, [name])))


@pytest.mark.parametrize("name", BATTERIES)
def test_a_slice_of_each_battery_finds_nothing(slices: Callable[[str], Tally], name: str) -> None:
    tally = slices(name)
    assert tally.violations == []
    assert tally.runs > 0
    assert tally.settled == tally.to_settle


@pytest.mark.parametrize("name", BATTERIES)
def test_each_battery_finds_a_handler_without_guards_out(naive_slices: Callable[[str], Tally], name: str) -> None:
    tally = naive_slices(name)
    assert tally.counts.keys() & {"double", "lost", "stuck", *UNNOTICED.get(name, ())}, table([tally])
    assert "the battery broke" not in table([tally])


@pytest.mark.parametrize(
    ("who", "verdict"),
    [
        ("a card reader", "again"),
        ("a card reader", "forgotten"),
        ("a second entry", "again"),
        ("the owner", "again"),
        ("the owner", "left"),
    ],
)
def test_each_part_of_beside_finds_a_handler_without_guards_out(
    naive_slices: Callable[[str], Tally], who: str, verdict: str
) -> None:
    found = [each for each in naive_slices("B17").violations if f", {who}" in each]
    assert any(f": {verdict}: " in each for each in found)


@pytest.mark.parametrize("name", ["B1", "B3B", "B6", "B9", "B17"])
@pytest.mark.needs("postgresql")
def test_a_slice_of_those_that_need_a_database_finds_nothing_on_postgresql(postgres_server: Any, name: str) -> None:
    with Bench(size="slice", kinds=("postgresql",), postgres_url=postgres_server.admin_url) as bench:
        [tally] = run(bench, [name])
    assert tally.violations == []
    assert tally.runs > 0


@pytest.mark.needs("postgresql")
def test_a_slice_of_the_failovers_restarts_a_postgresql_of_its_own() -> None:
    with Bench(size="slice", kinds=("postgresql",)) as bench:
        [tally] = run(bench, ["B15"])
    assert tally.violations == []
    assert "postgresql, the database restarts, 1" in tally.figures


def test_a_point_that_is_not_reached_fails_the_battery(bench: Bench) -> None:
    tally = Tally("B1", "", 1)
    folder = bench.new_folder()
    with bench.listening(Tally("", "", 1)), World(folder, sqlite_url(folder), "1") as world:
        stage = crash.Stage(world, bench.players, "1", bench.subject)
        player = stage.player()
        prepare = crash.OPERATIONS["create"]
        crash._crash(stage, player, prepare, Crash(999, signal.SIGKILL), "here", tally).close()
    assert tally.violations == ["wrong: the point was not reached [here]"]


def test_a_seed_replays_the_same_thirty_days(bench: Bench) -> None:
    with bench.listening(Tally("", "", 1)):
        first, again, other = (simulation._play(bench, seed, Tally("", "", 0))[0] for seed in ("7/7", "7/7", "7/8"))
    assert first == again
    assert first != other


def importers_of(package: str) -> set[str]:
    return {
        module
        for module, path in modules()
        for imported in read_imports(module, path.read_text(), is_package=path.name == "__init__.py")
        if f"{imported.target}.".startswith(f"{package}.")
    }


@pytest.mark.parametrize("package", ["bridge.domain.judgement", "bridge.payments", "bridge.stores"])
def test_the_judge_of_what_is_owed_shares_nothing_with_the_bridges_own(package: str) -> None:
    rooms = ("acts", "books", "verdicts", "lives", "buyers", "stage", "tills", "entries", "owners")
    judges = {f"bridge.selftest.beside.{name}" for name in rooms}
    assert judges <= {module for module, _ in modules()}
    assert not judges & importers_of(package)


def test_a_fifth_of_the_acts_beside_falls_into_each_moment(slices: Callable[[str], Tally]) -> None:
    shares = {figure for name, figure in slices("B17").figures.items() if name.startswith("acts ")}
    assert shares == {"5 of 25"}


def test_the_parts_of_beside_say_how_it_went_for_them(slices: Callable[[str], Tally]) -> None:
    figures = slices("B17").figures
    for part, count in (("card readers: told of by a message", 6), ("card readers: found in the list", 6)):
        assert 0 < int(figures[part]) < count
    asked = sum(int(figure) for name, figure in figures.items() if name.startswith("second entries: "))
    assert asked == 4
    assert {name for name in figures if name.startswith("owners: ")}


def test_nothing_but_its_command_imports_it() -> None:
    importers = importers_of("bridge.selftest")
    assert {module for module in importers if not module.startswith("bridge.selftest")} == {"bridge.cli.selftest"}
