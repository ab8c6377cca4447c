"""A missing system tool is a skip that the run's last line names, and a failure in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.distributions import ROOT

PLUGINS = ("-p", "tests.plugins.shared", "-p", "tests.plugins.tools")
TESTS = """
import pytest
from tests.plugins.tools import require

@pytest.fixture(scope="session")
def driver():
    return require("node")

@pytest.mark.needs("nginx")
def test_behind_nginx():
    raise AssertionError("not to be reached")

def test_with_driver(driver):
    raise AssertionError("not to be reached")

def test_with_driver_again(driver):
    raise AssertionError("not to be reached")

@pytest.mark.needs("python")
def test_without_needs():
    pass
"""
# The machine's own tools are taken away, and one that is surely there is added.
CONFTEST = """
import sys
from tests.plugins import tools

tools.TOOLS.update({
    "nginx": tools.Tool("nginx", "nginx", lambda: None),
    "node": tools.Tool("Node.js", "nodejs npm", lambda: None),
    "python": tools.Tool("Python", "python3", lambda: sys.executable),
})
"""


def pytest_in(
    folder: Path, *arguments: str, tests: str = TESTS, **environment: str
) -> subprocess.CompletedProcess[str]:
    (folder / "test_tools.py").write_text(tests)
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = needs(*tools): tools\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI"))}
    command = [sys.executable, "-m", "pytest", *PLUGINS, "-p", "no:cacheprovider", "--strict-markers", *arguments]
    environment = {**inherited, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]])
def test_the_last_line_names_what_is_missing(tmp_path: Path, arguments: list[str]) -> None:
    told = pytest_in(tmp_path, *arguments)
    *_, totals, last = told.stdout.splitlines()
    assert told.returncode == 0, told.stdout + told.stderr
    assert "1 passed, 3 skipped" in totals
    assert last == "not tested here, missing: Node.js (apt-get install nodejs npm), nginx (apt-get install nginx)"


def test_nothing_is_said_when_nothing_is_missing(tmp_path: Path) -> None:
    told = pytest_in(tmp_path, "-k", "without")
    assert "1 passed" in told.stdout.splitlines()[-1]


@pytest.mark.parametrize("arguments", [[], ["-n", "2"]])
def test_in_ci_a_missing_tool_is_a_failure(tmp_path: Path, arguments: list[str]) -> None:
    told = pytest_in(tmp_path, *arguments, CI="true")
    assert told.returncode == 1
    assert "1 passed" in told.stdout.splitlines()[-1]
    assert told.stdout.count("missing: nginx (apt-get install nginx)") >= 1
    assert "skipped" not in told.stdout.splitlines()[-1]


def test_a_tool_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    told = pytest_in(tmp_path, tests=TESTS.replace('needs("python")', 'needs("pithon")'))
    assert told.returncode == 1
    assert "KeyError: 'pithon'" in told.stdout
