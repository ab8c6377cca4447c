"""`make install` fills .venv when it must, and tells in one line what the machine lacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.distributions import ROOT

INPUTS = ("requirements.lock", "setup.cfg", "pyproject.toml")

# Notes its arguments; `-m venv` makes a .venv with the same program in it, which fails where the test says so.
RECORDER = """#!/bin/sh
case "$1" in
  -c) exit 0 ;;
esac
echo "$*" >> "$HOME/calls"
if [ "$1 $2" = "-m venv" ]; then rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python; fi
case "$*" in *--require-hashes*) test ! -e "$HOME/no-network" ;; esac
"""
MAKES_VENV = "-m venv --clear .venv"
FILLS_VENV = [
    "-m pip install --quiet --require-hashes -r requirements.lock",
    "-m pip install --quiet --no-deps --no-build-isolation -e .",
]


class Checkout:
    """A folder with the Makefile and what it reads, and a PATH with nothing but what the test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.home = folder / "checkout", folder / "bin", folder / "home"
        for each in (self.folder, self.bin, self.home):
            each.mkdir()
        shutil.copy(ROOT / "Makefile", self.folder)
        for name in INPUTS:
            (self.folder / name).touch()
        for name in ("make", "sh", "rm", "mkdir", "cp", "touch"):
            (self.bin / name).symlink_to(shutil.which(name) or name)

    def python(self, script: str, name: str = "python3") -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "HOME": str(self.home)}
        command = ["make", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        """What was asked of Python since the last look."""
        log = self.home / "calls"
        told = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return told


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def pretending(statement: str) -> str:
    """A python3 that runs `-c` programs after the statement."""
    return f"""#!/bin/sh\nexec {sys.executable} -c 'import sys; {statement}; exec(sys.argv[2])' "$@"\n"""


@pytest.mark.parametrize(
    ("python", "arguments", "said"),
    [
        (None, [], "python3 is not there: apt-get install python3 python3-venv"),
        (None, ["PYTHON=python3.12"], "python3.12 is not there: apt-get install python3.12 python3.12-venv"),
        (
            pretending("sys.version_info = (3, 9, 2)"),
            [],
            "python3 is older than 3.11: apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11",
        ),
        (
            pretending('sys.modules["ensurepip"] = None'),
            [],
            "python3 cannot make a .venv: apt-get install python3-venv",
        ),
    ],
)
def test_an_unfit_python_gives_one_line_that_names_the_package(
    checkout: Checkout, python: str | None, arguments: list[str], said: str
) -> None:
    if python:
        checkout.python(python)
    for target in ("install", "demo", "test"):
        told = checkout.make(target, *arguments)
        assert told.returncode == 2
        lines = (told.stdout + told.stderr).splitlines()
        assert [line.partition("*** ")[2] for line in lines] == [f"{said}.  Stop."]
    assert not (checkout.folder / ".venv").exists()


def test_install_fills_a_venv_once(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == [MAKES_VENV, *FILLS_VENV]
    told = checkout.make("install")
    assert (told.returncode, told.stderr, checkout.calls()) == (0, "", [])


@pytest.mark.parametrize(
    ("changed", "calls"),
    [
        ("requirements.lock", [MAKES_VENV, *FILLS_VENV]),
        ("setup.cfg", FILLS_VENV),
        ("pyproject.toml", FILLS_VENV),
    ],
)
def test_install_runs_again_when_an_input_changed(checkout: Checkout, changed: str, calls: list[str]) -> None:
    checkout.python(RECORDER)
    checkout.make("install")
    checkout.calls()
    installed = (checkout.folder / ".venv" / ".installed").stat().st_mtime
    os.utime(checkout.folder / changed, (installed + 1, installed + 1))
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == calls


def test_an_interrupted_install_begins_with_an_empty_venv_again(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    (checkout.home / "no-network").touch()
    assert checkout.make("install").returncode == 2
    assert checkout.calls() == [MAKES_VENV, FILLS_VENV[0]]
    (checkout.home / "no-network").unlink()
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == [MAKES_VENV, *FILLS_VENV]


def test_an_interrupted_update_begins_with_an_empty_venv_too(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    checkout.make("install")
    (checkout.home / "no-network").touch()
    installed = (checkout.folder / ".venv" / ".installed").stat().st_mtime
    os.utime(checkout.folder / "setup.cfg", (installed + 1, installed + 1))
    assert checkout.make("install").returncode == 2
    (checkout.home / "no-network").unlink()
    checkout.calls()
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == [MAKES_VENV, *FILLS_VENV]


def test_python_chooses_the_interpreter(checkout: Checkout) -> None:
    checkout.python(RECORDER, name="python3.12")
    assert checkout.make("install", "PYTHON=python3.12").returncode == 0
    assert checkout.calls() == [MAKES_VENV, *FILLS_VENV]


def test_help_names_every_target(checkout: Checkout) -> None:
    (checkout.bin / "awk").symlink_to(shutil.which("awk") or "awk")
    named = {line.split()[1] for line in checkout.make().stdout.splitlines()}
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert named == set(phony.split()[1:])
