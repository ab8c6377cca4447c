"""Nothing of WooPayments' own tests is missing: each is played by a test of this folder, or a documented difference."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

from tests.lifecycle.cases import CASES, COMPATIBILITY, Case

EXPECTED = {
    "payment intents controller": 4,
    "orders controller": 47,
    "refunds controller": 1,
    "customer controller": 1,
    "webhook controller": 3,
    "webhook processing": 38,
    "order service": 56,
    "gateway: refunds": 18,
    "gateway: capture and cancel": 13,
    "amounts": 5,
    "line items": 11,
    "metadata": 2,
    "create intention": 6,
}
"""How many tests WooPayments 8.4.0 has of each, under tests/unit."""


def test_the_table_has_every_case() -> None:
    assert Counter(case.group for case in CASES.values()) == EXPECTED


def test_every_case_is_played_or_is_a_documented_difference() -> None:
    played: set[str] = set()
    for path in Path(__file__).parent.glob("test_case_*.py"):
        module = importlib.import_module(f"tests.lifecycle.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                played |= getattr(test, "cases", set())
    assert played == {name for name, case in CASES.items() if case.played}


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.difference], ids=lambda case: case.name)
def test_a_difference_is_documented(case: Case) -> None:
    rows = [line for line in COMPATIBILITY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert sum(row.startswith(f"| {case.difference}") for row in rows) == 1
