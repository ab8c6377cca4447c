"""`flask bridge ...` works on the bridge that the host has mounted; `demo`, `selftest` and `serve` are not there."""

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


def test_demo_selftest_and_serve_belong_to_the_program_only(flask) -> None:
    told = flask("--help")
    assert told.returncode == 0, told.stderr
    assert "why" in told.stdout
    assert not {"demo", "selftest", "serve"} & set(told.stdout.split())


def test_an_error_is_one_line(flask) -> None:
    told = flask("why", "77")
    assert (told.returncode, told.stderr) == (1, "Error: There is no payment for 77.\n")


TWO = """
from flask import Flask
from bridge import Bridge

app = Flask(__name__)
app.config.update(BRIDGE_SECRET_KEY="file:{folder}/new/bridge.key", BRIDGE_DATABASE_URL="sqlite:///{folder}/one.sqlite")
Bridge().init_app(app, url_prefix="/one", worker=True)
Bridge(database_url="sqlite:///{folder}/sub/two.sqlite").init_app(app, url_prefix="/two", name="second_bridge")
"""


def test_commands_are_about_the_bridge_that_is_named(tmp_path: Path) -> None:
    """From nothing: neither key nor database nor a folder for them is there when the app is made."""
    (tmp_path / "two.py").write_text(TWO.format(folder=tmp_path))

    def flask(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flask", "--app", "two", "bridge", *arguments]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    early = flask("stores", "list")
    assert (early.returncode, early.stdout) == (1, "")
    assert early.stderr.startswith(f"Error: BRIDGE_SECRET_KEY: the file {tmp_path}/new/bridge.key cannot be read")
    made = flask("init")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("flask bridge stores add --url")
    assert (tmp_path / "new" / "bridge.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "one.sqlite").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "sub").exists()
    refused = flask("--bridge", "second_bridge", "stores", "list").stderr
    wanted = f"Error: The database file {tmp_path}/sub/two.sqlite is in a folder that does not exist. "
    assert refused == f"{wanted}Run `flask bridge init`.\n"
    made = flask("--bridge", "second_bridge", "init")
    assert made.stdout.startswith("flask bridge --bridge second_bridge stores add --url"), made.stderr
    for name in ((), ("--bridge", "second_bridge"), ("--bridge", "wcpay_bridge")):
        assert flask(*name, "stores", "list").returncode == 0
    told = flask("--bridge", "second_brigde", "stores", "list")
    assert (told.returncode, told.stderr) == (
        1,
        "Error: No bridge of this app is called second_brigde (there are: wcpay_bridge, second_bridge). "
        "Did you mean second_bridge?\n",
    )
    [worker] = [line for line in flask("doctor").stdout.splitlines() if "worker" in line]
    assert worker.startswith("NO  worker: No worker has ever been seen. Run `flask bridge worker`")
