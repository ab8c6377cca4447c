"""WooPayments' own unit tests, by name, and what becomes of each of them here: the table in woopayments_cases.txt.

A line is a case's name. After a `|` stands how a row of docs/compatibility.md begins, where the bridge differs on
purpose; after `| -` the case is not played, because what it is about does not exist here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

TABLE = Path(__file__).with_name("woopayments_cases.txt")
COMPATIBILITY = Path(__file__).parents[2] / "docs" / "compatibility.md"
Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Case:
    """`difference` is the beginning of a row of docs/compatibility.md, or empty."""

    group: str
    name: str
    difference: str
    played: bool


def read_cases() -> dict[str, Case]:
    """Every case by `group: name`."""
    cases: dict[str, Case] = {}
    group = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            group = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, difference = (part.strip() for part in line.partition("|"))
            unplayed = difference.startswith("- ")
            case = Case(group, name, difference.removeprefix("- "), not unplayed)
            assert f"{group}: {name}" not in cases
            cases[f"{group}: {name}"] = case
    return cases


CASES = read_cases()


def plays(group: str, *names: str) -> Callable[[Test], Test]:
    """Marks a test as what plays these cases here. KeyError for one that is not in the table, or not to be played."""
    for name in names:
        if not CASES[f"{group}: {name}"].played:
            raise KeyError(name)

    def mark(test: Test) -> Test:
        test.cases = {f"{group}: {name}" for name in names} | getattr(test, "cases", set())  # type: ignore[attr-defined]
        return test

    return mark
