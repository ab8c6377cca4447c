"""A small, fixed slice of every battery, and proof that each of them can fail."""

import signal
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from bridge.selftest import crash, simulation
from bridge.selftest.batteries import BATTERIES, run
from bridge.selftest.failpoints import Crash
from bridge.selftest.report import Report, table
from bridge.selftest.run_context import RunContext
from bridge.selftest.world import World, sqlite_url
from tests.repository.directions import modules, read_imports

UNNOTICED = {"B14": ["wrong"], "S2": ["leaked"], "S3": ["wrong"], "S4": ["wrong"]}
"""Where it is not about money: the clients may not notice anything, and no secret may be told."""
NAIVE = "bridge.selftest.naive:open_naive"


@pytest.fixture(scope="module")
def context() -> Iterator[RunContext]:
    with RunContext(size="slice") as context:
        yield context


@pytest.fixture(scope="module")
def naive() -> Iterator[RunContext]:
    with RunContext(size="slice", subject=NAIVE) as context:
        yield context


@pytest.fixture(scope="module")
def slices(context: RunContext) -> Callable[[str], Report]:
    """A slice of a battery by its name, played once."""
    return cache(lambda name: next(run(context, [name])))


@pytest.fixture(scope="module")
def naive_slices(naive: RunContext) -> Callable[[str], Report]:
    """The same, of the handler without guards."""
    return cache(lambda name: next(run(naive, [name])))


@pytest.mark.parametrize("name", BATTERIES)
def test_a_slice_of_each_battery_finds_nothing(slices: Callable[[str], Report], name: str) -> None:
    report = slices(name)
    assert report.violations == []
    assert report.runs > 0
    assert report.settled == report.to_settle


@pytest.mark.parametrize("name", BATTERIES)
def test_each_battery_finds_a_handler_without_guards_out(naive_slices: Callable[[str], Report], name: str) -> None:
    report = naive_slices(name)
    assert report.counts.keys() & {"double", "lost", "stuck", *UNNOTICED.get(name, ())}, table([report])
    assert "the battery broke" not in table([report])


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
    naive_slices: Callable[[str], Report], who: str, verdict: str
) -> None:
    found = [each for each in naive_slices("B17").violations if f", {who}" in each]
    assert any(f": {verdict}: " in each for each in found)


@pytest.mark.parametrize("name", ["B1", "B3B", "B6", "B9", "B17"])
@pytest.mark.needs("postgresql")
def test_a_slice_of_those_that_need_a_database_finds_nothing_on_postgresql(postgres_server: Any, name: str) -> None:
    with RunContext(size="slice", kinds=("postgresql",), postgres_url=postgres_server.admin_url) as context:
        [report] = run(context, [name])
    assert report.violations == []
    assert report.runs > 0


@pytest.mark.needs("postgresql")
def test_a_slice_of_the_failovers_restarts_a_postgresql_of_its_own() -> None:
    with RunContext(size="slice", kinds=("postgresql",)) as context:
        [report] = run(context, ["B15"])
    assert report.violations == []
    assert "postgresql, the database restarts, 1" in report.figures


def test_a_point_that_is_not_reached_fails_the_battery(context: RunContext) -> None:
    report = Report("B1", "", 1)
    folder = context.new_folder()
    with context.listening(Report("", "", 1)), World(folder, sqlite_url(folder), "1") as world:
        stage = crash.Stage(world, context.children, "1", context.subject)
        child = stage.start_child()
        prepare = crash.OPERATIONS["create"]
        crash._crash(stage, child, prepare, Crash(999, signal.SIGKILL), "here", report).close()
    assert report.violations == ["wrong: the point was not reached [here]"]


def test_a_seed_replays_the_same_thirty_days(context: RunContext) -> None:
    with context.listening(Report("", "", 1)):
        first, again, other = (simulation._play(context, seed, Report("", "", 0))[0] for seed in ("7/7", "7/7", "7/8"))
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


def test_a_fifth_of_the_acts_beside_falls_into_each_moment(slices: Callable[[str], Report]) -> None:
    shares = {figure for name, figure in slices("B17").figures.items() if name.startswith("acts ")}
    assert shares == {"5 of 25"}


def test_the_parts_of_beside_say_how_it_went_for_them(slices: Callable[[str], Report]) -> None:
    figures = slices("B17").figures
    for part, count in (("card readers: told of by a message", 6), ("card readers: found in the list", 6)):
        assert 0 < int(figures[part]) < count
    asked = sum(int(figure) for name, figure in figures.items() if name.startswith("second entries: "))
    assert asked == 4
    assert {name for name in figures if name.startswith("owners: ")}


def test_nothing_but_its_command_imports_it() -> None:
    importers = importers_of("bridge.selftest")
    assert {module for module in importers if not module.startswith("bridge.selftest")} == {"bridge.cli.selftest"}
