"""What was measured, as rows; and the ratios, each of one round to a control of the same round."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.controls import BY_HAND, BY_HAND_AND_UPDATE, B

HELD_AGAINST = {"x b": B, "x by hand": BY_HAND, "x by hand, with the update": BY_HAND_AND_UPDATE}
"""Ratios by name, and the control of each."""


@dataclass(frozen=True)
class Row:
    """`where` says under which circumstances, in the order in which tables name them; figures have names with units."""

    part: str
    subject: str
    where: Mapping[str, str | int]
    figures: Mapping[str, float]


@dataclass
class Results:
    """`skipped` says of parts that were not measured why."""

    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


Figures = Mapping[str, float]
"""Of one subject in one round."""


def in_turn(names: Sequence[str], rounds: int, measure: Callable[[str], Figures]) -> dict[str, list[Figures]]:
    """Measure each once per round: a machine that changes its speed changes it for all of them."""
    found: dict[str, list[Figures]] = {name: [] for name in names}
    for number in range(rounds):
        for name in [*names[number % len(names) :], *names[: number % len(names)]]:
            found[name].append(measure(name))
    return found


def rows(part: str, where: Mapping[str, str | int], found: Mapping[str, Sequence[Figures]], cost: str) -> list[Row]:
    """Medians of all rounds; ratios of `cost` to each control that is among the subjects."""
    made = []
    for name, rounds in found.items():
        figures = {figure: statistics.median(each[figure] for each in rounds) for figure in rounds[0]}
        for ratio, control in HELD_AGAINST.items():
            if control in found and all(each[cost] for each in found[control]):
                pairs = zip(rounds, found[control], strict=True)
                figures[ratio] = statistics.median(own[cost] / other[cost] for own, other in pairs)
        made.append(Row(part, name, where, figures))
    return made
