"""docs/security.md: every check has tests, and they exist; systemd takes the lines for its units."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.reader import PROGRAMS, blocks
from tests.plugins.distributions import ROOT
from tests.plugins.tools import require

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


MOST_EXPOSURE = 15
"""In tenths of a point, of what `systemd-analyze security` counts up to 10: it has to reach shops and providers."""


def unit(folder: Path, *, hardened: bool, instead: tuple[str, str] = ("", "")) -> Path:
    """The page's unit with the lines that stand beside it, with what is changed in them `instead`."""
    [text] = [block.text for block in blocks("docs/operations.md") if block.text.startswith("[Unit]")]
    path = folder / "wcpay-bridge.service"
    path.write_text(text.replace("/opt/wcpay-bridge/bin", str(PROGRAMS)))
    if hardened:
        lines = [block.text for block in blocks("docs/security.md") if block.text.startswith("[Service]")]
        assert len(lines) == 2
        path.with_name(f"{path.name}.d").mkdir()
        for number, more in enumerate(lines):
            assert instead[0] in lines[0]
            (folder / f"{path.name}.d" / f"{number}.conf").write_text(more.replace(*instead) if instead[0] else more)
    return path


def complaints(path: Path) -> list[str]:
    """What systemd says of the unit; of the machine's own units it may say something, too."""
    command = [require("systemd"), "verify", "--man=no", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return [line for line in told.stderr.splitlines() if path.name in line]


def test_systemd_takes_the_unit_and_the_lines_beside_it(tmp_path: Path) -> None:
    assert complaints(unit(tmp_path, hardened=True)) == []


@pytest.mark.parametrize("wrong", [("ProtectHome=", "ProtectHouse="), ("@system-service", "@system-servant")])
def test_systemd_complains_of_a_line_that_it_does_not_know(tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert complaints(unit(tmp_path, hardened=True, instead=wrong))


@pytest.mark.parametrize("hardened", [True, False])
def test_the_lines_take_away_what_the_bridge_does_not_need(tmp_path: Path, hardened: bool) -> None:
    command = [require("systemd"), "security", "--offline=true", f"--threshold={MOST_EXPOSURE}"]
    path = unit(tmp_path, hardened=hardened)
    told = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False, timeout=60)
    assert "Overall exposure level" in told.stdout
    assert (told.returncode == 0) is hardened, told.stdout
