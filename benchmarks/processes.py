"""Servers as processes, and what they use: CPU and memory of a process and of all that it has started (Linux)."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bridge.selftest.serving import free_port, wait_for

TICKS = os.sysconf("SC_CLK_TCK")
STARTING = 300.0
"""Seconds."""
_PARENT = 1
_CPU = slice(11, 15)
"""User and system, its own and of what has ended below it. Source: proc(5), fields of /proc/PID/stat after the name."""
PROGRAM = "from bridge.cli import main; main()"


@dataclass(frozen=True)
class Server:
    pid: int
    host: str
    port: int


@contextmanager
def served(arguments: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Python with these arguments, of which `{bind}` becomes an address, once it listens there. Raises RuntimeError
    with what it said if it does not."""
    port = free_port()
    bind = f"127.0.0.1:{port}"
    said = folder / f"{port}.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *(bind if each == "{bind}" else each for each in arguments)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**kept, **(environment or {})},
            start_new_session=True,
        )
    try:
        if not wait_for(lambda: process.poll() is not None or _listens(port), STARTING) or process.poll() is not None:
            raise RuntimeError(f"a server does not start: {said.read_text()[-2000:]}")
        yield Server(process.pid, "127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(STARTING)


def cpu_seconds(pid: int) -> float:
    """Of the process and all below it, also of those that have ended."""
    fields = _all_fields()
    return sum(sum(map(int, fields[each][_CPU])) for each in _family(pid, fields)) / TICKS


def memory(pid: int) -> float:
    """MiB of the process and all below it; what several share is counted once (PSS)."""
    total = 0
    for each in _family(pid, _all_fields()):
        try:
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def _all_fields() -> dict[int, list[str]]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(stat.parent.name)] = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
    return found


def _family(pid: int, fields: Mapping[int, Sequence[str]]) -> list[int]:
    family = [pid] if pid in fields else []
    for member in family:
        family += [each for each, told in fields.items() if int(told[_PARENT]) == member]
    return family


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
