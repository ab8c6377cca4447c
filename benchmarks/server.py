"""What a request costs in `serve`'s own worker and in gunicorn's `gthread`: CPU of the server's processes, requests per
second.

    python -m benchmarks.server [--seconds 6] [--connections 16] [--rounds 3]

Needs `wrk`. Both serve the same app on an empty SQLite database with the defaults of `serve`, in turn, so that a
machine that changes its speed changes it for both; quoted are medians. Stalling clients are not measured here:
`wcpay-bridge selftest --battery S1 --size full` holds 2,000 of each shape.
"""

import argparse
import re
import statistics
import subprocess
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.processes import Server, cpu_seconds, served
from bridge.server.application import GunicornServer
from bridge.settings import Settings
from bridge.storage import migrate

OURS, THEIRS = "serve", "gthread"
PROCESSES, THREADS = 2, 64
"""The defaults of `serve`."""
HEALTH, WEBHOOK = "/bridge/v1/health/live", "/bridge/v1/webhooks/x"
POST = 'wrk.method = "POST"\nwrk.body = string.rep("a", 2048)\n'
CLOSE = 'wrk.headers["Connection"] = "close"\n'
LOADS = {
    "kept alive": (HEALTH, ""),
    "a connection each": (HEALTH, CLOSE),
    "a POST of 2 KB, kept alive": (WEBHOOK, POST),
}
"""What is asked for, and wrk's script. The POST is refused: there is no such endpoint."""


def serve(worker: str, bind: str, url: str) -> None:
    """In a process of its own."""
    settings = Settings.load(secret_key="0" * 40, database_url=url)
    options = {"worker_class": "gthread"} if worker == THEIRS else {}
    GunicornServer(settings, worker=False, bind=bind, workers=PROCESSES, threads=THREADS, **options).run()


def opened(worker: str, folder: Path) -> AbstractContextManager[Server]:
    url = f"sqlite:///{folder / worker}.sqlite"
    migrate(url)
    return served(["-m", "benchmarks.server", "--serve", worker, "{bind}", url], folder)


def measure(server: Server, load: str, folder: Path, arguments: argparse.Namespace) -> tuple[float, float]:
    """CPU milliseconds of a request, and requests per second."""
    path, script = LOADS[load]
    file = folder / "load.lua"
    file.write_text(script)
    command = ["wrk", "-t1", f"-c{arguments.connections}", f"-d{arguments.seconds}s", "-s", str(file)]
    before = cpu_seconds(server.pid)
    said = subprocess.run(
        [*command, f"http://{server.host}:{server.port}{path}"], capture_output=True, text=True, check=True
    ).stdout
    used = cpu_seconds(server.pid) - before
    found = re.search(r"(\d+) requests in", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not found or not rate or not int(found[1]):
        raise RuntimeError(f"wrk says {said!r}")
    return used / int(found[1]) * 1000, float(rate[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", nargs=3, metavar=("WORKER", "BIND", "URL"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(*arguments.serve)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with opened(THEIRS, folder) as theirs, opened(OURS, folder) as ours:
            for load in LOADS:
                found: dict[str, list[tuple[float, float]]] = {THEIRS: [], OURS: []}
                for _ in range(arguments.rounds):
                    for worker, server in ((THEIRS, theirs), (OURS, ours)):
                        found[worker].append(measure(server, load, folder, arguments))
                for worker, measured in found.items():
                    cost, rate = (statistics.median(column) for column in zip(*measured, strict=True))
                    print(f"{load:28} {worker:8} {cost:6.3f} ms CPU a request, {rate:6.0f} requests/s")


if __name__ == "__main__":
    main()
