"""docs/security.md: every check has tests, and they exist."""

import re

import pytest

from tests.plugins.distributions import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
CHECKS = {int(number): told for number, _, told in ROW.findall(PAGE)}


def test_there_are_the_26_checks() -> None:
    assert list(CHECKS) == list(range(1, 27))


@pytest.mark.parametrize("number", CHECKS)
def test_each_check_has_tests_that_exist(number: int) -> None:
    named = TEST.findall(CHECKS[number])
    assert named
    for path, name in named:
        assert f"\ndef {name}(" in (ROOT / path).read_text(), f"{path}::{name}"


def test_every_battery_that_is_named_is_one() -> None:
    from bridge.selftest.batteries import BATTERIES

    named = set(re.findall(r"\b([BS]\d+)\b", "\n".join(CHECKS.values()))) - {"B19"}  # what all of them wear
    assert named
    assert named <= set(BATTERIES)


def test_every_chapter_of_the_standard_is_judged() -> None:
    assert re.findall(r"^\| V(\d+) ", PAGE, re.MULTILINE) == [str(number) for number in range(1, 18)]
