"""`wcpay-bridge selftest` as its user calls it."""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from bridge.selftest.serving import wait_for
from tests.plugins.commandline import CommandLine
from tests.plugins.demo import ignoring

PROCESSES = Path("/proc")


def test_it_prints_a_table_and_succeeds(cli: CommandLine) -> None:
    told = cli.run("selftest", "--battery", "b8", "--seed", "3", "--database", "sqlite")
    head, line = told.stdout.splitlines()
    columns = ["runs", "faults", "double", "lost", "stuck", "leaked", "wrong", "flagged", "settled", "time"]
    assert head.split() == ["battery", *columns]
    assert line.startswith("B8 the shop is away for a day  214 ")
    assert line.endswith("ok")


def test_it_fails_with_the_seed_that_replays_what_it_found(cli: CommandLine) -> None:
    told = cli.run("selftest", "--battery", "B8", "--seed", "3", "--naive", "--database", "sqlite", code=1)
    assert "FAILED" in told.stdout
    assert "replay: wcpay-bridge selftest --battery B8 --seed 3 --naive" in told.stdout


def test_a_battery_or_a_database_that_does_not_exist_is_a_wrong_call(cli: CommandLine) -> None:
    assert "There is no battery B99" in cli.run("selftest", "--battery", "B99", code=2).stderr
    assert "--database is" in cli.run("selftest", "--database", "mysql", code=2).stderr


@pytest.mark.skipif(not PROCESSES.is_dir(), reason="this system does not tell of its processes in /proc")
@pytest.mark.parametrize(
    ("battery", "number", "ignored"),
    [
        ("B12", signal.SIGTERM, []),
        ("B12", signal.SIGHUP, []),
        ("B16", signal.SIGTERM, []),
        ("B16", signal.SIGINT, [signal.SIGINT]),
    ],
)
def test_whoever_ends_it_early_finds_no_process_and_no_folder_left(
    cli: CommandLine, battery: str, number: signal.Signals, ignored: list[signal.Signals]
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        environ = cli.subprocess_environ() | {"TMPDIR": folder}
        program = str(Path(sys.executable).with_name("wcpay-bridge"))
        command = [*ignoring(ignored), program, "selftest", "--battery", battery, "--size", "full"]
        running = subprocess.Popen([*command, "--database", "sqlite"], env=environ, stderr=subprocess.DEVNULL)
        try:
            assert wait_for(lambda: len(_open_databases(folder)) >= 2, 120)
            databases = {path for paths in _open_databases(folder).values() for path in paths}
            running.send_signal(number)
            assert running.wait(60) == 1
            assert databases
            assert not [path for path in databases if path.parent.exists()]
            assert wait_for(lambda: not _marked(folder), 10), _commands(folder)
            assert list(Path(folder).iterdir()) == []
        finally:
            for pid in _marked(folder):
                os.kill(pid, signal.SIGKILL)
            running.wait()


def _marked(folder: str) -> list[int]:
    """All processes, whoever is their parent, whose temporary folder this is.

    Python's resource tracker (multiprocessing) is one of them, and ends only when it sees that its parent has ended.
    """
    found = []
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            if f"TMPDIR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def _commands(folder: str) -> list[bytes]:
    return [(PROCESSES / f"{pid}/cmdline").read_bytes() for pid in _marked(folder)]


def _open_databases(folder: str) -> dict[int, set[Path]]:
    """The databases that those processes have open, by process."""
    found: dict[int, set[Path]] = {}
    for pid in _marked(folder):
        with suppress(OSError):
            paths = {link.readlink() for link in (PROCESSES / f"{pid}/fd").iterdir()}
            if databases := {path for path in paths if path.suffix == ".sqlite"}:
                found[pid] = databases
    return found
