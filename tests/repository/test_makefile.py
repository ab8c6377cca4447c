"""`make install` fills .venv when it must, and tells in one line what the machine lacks."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plugins.distributions import ROOT

INPUTS = ("requirements.lock", "requirements-dev.lock", "setup.cfg", "pyproject.toml")

# Notes its arguments; `-m venv` makes a .venv with the same program in it, which fails where the test says so.
RECORDER = """#!/bin/sh
case "$1" in
  -c) exit 0 ;;
esac
echo "$*" >> "$HOME/calls"
if [ "$1 $2" = "-m venv" ]; then
  rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python; cp -r "$HOME/program/." .venv/bin
fi
case "$*" in *--require-hashes*) echo "ERROR: noise"; test ! -e "$HOME/no-network" ;; esac
"""
A_DAY_AGO, AN_HOUR_AGO = time.time() - 24 * 3600, time.time() - 3600
MAKES_VENV = "-m venv --clear .venv"
RUNTIME = [
    "-m pip install --no-deps --require-hashes -r requirements.lock",
    "-m pip install --no-deps --no-build-isolation -e .",
    "-m pip check",
]
TOOLS = ["-m pip install --no-deps --require-hashes -r requirements-dev.lock", "-m pip check"]
FILLS_VENV = [*RUNTIME, *TOOLS]


class Checkout:
    """A folder with the Makefile and what it reads, and a PATH with nothing but what the test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.home = folder / "checkout", folder / "bin", folder / "home"
        for each in (self.folder, self.bin, self.home, self.home / "program"):
            each.mkdir()
        shutil.copy(ROOT / "Makefile", self.folder)
        for name in INPUTS:
            (self.folder / name).touch()
            os.utime(self.folder / name, (A_DAY_AGO, A_DAY_AGO))
        for name in ("make", "sh", "rm", "mkdir", "cp", "touch"):
            (self.bin / name).symlink_to(shutil.which(name) or name)

    def change(self, name: str) -> None:
        """Make a file newer than what was installed from it."""
        for stamp in (self.folder / ".venv").glob(".[rt]*"):
            os.utime(stamp, (AN_HOUR_AGO, AN_HOUR_AGO))
        (self.folder / name).touch()

    def program(self, name: str, script: str) -> None:
        """A program that is there as soon as .venv is made."""
        made = self.home / "program" / name
        made.write_text(f"#!/bin/sh\n{script}\n")
        made.chmod(0o755)

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
        ("requirements-dev.lock", [MAKES_VENV, *FILLS_VENV]),
        ("setup.cfg", FILLS_VENV),
        ("pyproject.toml", FILLS_VENV),
    ],
)
def test_install_runs_again_when_an_input_changed(checkout: Checkout, changed: str, calls: list[str]) -> None:
    checkout.python(RECORDER)
    checkout.make("install")
    checkout.calls()
    checkout.change(changed)
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == calls
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == []


def test_a_demo_needs_no_development_tools(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    checkout.program("wcpay-bridge", 'echo "$*" >> "$HOME/calls"')
    assert checkout.make("demo", "ARGS=--port 0").returncode == 0
    assert checkout.calls() == [MAKES_VENV, *RUNTIME, "demo --port 0"]
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == TOOLS


def test_a_failure_is_one_sentence_and_pip_is_quiet(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    (checkout.home / "no-network").touch()
    told = checkout.make("install")
    sentence, make = told.stderr.splitlines()
    assert sentence == (
        "The packages could not be installed: check the network, then run make again (.venv/install.log tells more)."
    )
    assert make.startswith("make: ***")
    assert told.stdout == "installing into .venv\n"
    assert (checkout.folder / ".venv" / "install.log").read_text() == "ERROR: noise\n"


def test_an_interrupted_install_begins_with_an_empty_venv_again(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    (checkout.home / "no-network").touch()
    assert checkout.make("install").returncode == 2
    assert checkout.calls() == [MAKES_VENV, RUNTIME[0]]
    (checkout.home / "no-network").unlink()
    assert checkout.make("install").returncode == 0
    assert checkout.calls() == [MAKES_VENV, *FILLS_VENV]


def test_an_interrupted_update_begins_with_an_empty_venv_too(checkout: Checkout) -> None:
    checkout.python(RECORDER)
    checkout.make("install")
    (checkout.home / "no-network").touch()
    checkout.change("setup.cfg")
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
