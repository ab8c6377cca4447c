"""`flask bridge ...` works on the bridge that the host has mounted; `demo` and `serve` are not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOST = Path(__file__).parent / "host"


@pytest.fixture
def flask(tmp_path: Path):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", f"shop:create_host({str(tmp_path)!r})", "bridge", *arguments]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(HOST), "HOME": str(tmp_path)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_hosts_bridge_is_the_one_that_answers(flask) -> None:
    listed = flask("stores", "list")
    assert (listed.returncode, listed.stdout) == (0, "host-example\thttps://host.example\tsandbox\ttest\tautomatic\n")


def test_demo_init_and_serve_belong_to_the_program_only(flask) -> None:
    told = flask("--help")
    assert told.returncode == 0, told.stderr
    assert "why" in told.stdout
    assert not {"demo", "init", "serve"} & set(told.stdout.split())


def test_an_error_is_one_line(flask) -> None:
    told = flask("why", "77")
    assert (told.returncode, told.stderr) == (1, "Error: There is no payment for 77.\n")
