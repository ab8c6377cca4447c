"""What many stores cost at which nothing happens: CPU of a default `serve`, a worker's round, a scrape.

    python -m benchmarks.idle [--stores 10000] [--payments 1000000] [--seconds 60] [--database URL]

The database (a new SQLite file, or an empty PostgreSQL database) is filled as after a year, and three days
at which nothing happened. Stores are sandboxes at a
simulated shop in this process; their jobs are spread over their periods, as they are in life, so that those that are
due within the seconds are done. Controls, in the same run: `serve --no-worker`, a read that asks nothing, the health
route.
"""

import argparse
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import requests
from sqlalchemy import text

from benchmarks.processes import PROGRAM, Server, cpu_seconds, served
from bridge import Bridge
from bridge.selftest.fill_database import QUIET, fill
from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import jobs, migrate
from bridge.storage.engine import Database
from bridge.worker.periodic_jobs import MOST, run_common, write_heartbeat
from bridge.worker.runner import run_once

TOKEN = secrets.token_hex(16)
SECRET_KEY = secrets.token_hex(20)


def fill_database(url: str, shop_url: str, ca_file: Path, stores: int, payments: int) -> None:
    migrate(url)
    database = Database(url)
    started = time.monotonic()
    fill(database, stores, payments, time.time(), shop_url, QUIET)
    with database.write() as connection:
        connection.execute(text("update stores set ca_file = :file"), {"file": str(ca_file)})
        connection.execute(text("update jobs set due = :now where name = 'enroll'"), {"now": time.time() + 3600})
    database.close()
    print(f"filled with {stores} stores and {payments} payments in {time.monotonic() - started:.0f} s")


def opened(folder: Path, url: str, *arguments: str) -> AbstractContextManager[Server]:
    """A `serve` with its defaults."""
    environment = {
        "XDG_DATA_HOME": str(folder),
        "BRIDGE_DATABASE_URL": url,
        "BRIDGE_SECRET_KEY": SECRET_KEY,
        "BRIDGE_METRICS_TOKEN": TOKEN,
        "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
    }
    return served(["-c", PROGRAM, "serve", "--bind", "{bind}", *arguments], folder, environment)


def share(server: Server, seconds: float) -> float:
    """Percent of a core, from some seconds after the start on."""
    time.sleep(10)
    started, before = time.monotonic(), cpu_seconds(server.pid)
    time.sleep(seconds)
    return (cpu_seconds(server.pid) - before) / (time.monotonic() - started) * 100


def milliseconds(do: Callable[[], object], times: int = 20) -> float:
    measured = []
    for _ in range(times):
        started = time.perf_counter()
        do()
        measured.append((time.perf_counter() - started) * 1000)
    return statistics.median(measured)


def rounds(url: str) -> None:
    bridge = Bridge(secret_key=SECRET_KEY, database_url=url, allow_private_urls=True)
    database = bridge.services.database

    def look() -> None:
        with database.read() as connection:
            connection.execute(text("select 1"))

    def work() -> None:
        run_once(bridge.services)
        write_heartbeat(bridge.services)
        run_common(bridge.services)
        with database.read() as connection:
            for max_sweeps in (0, bridge.services.max_sweeps):
                jobs.due_of_stores(connection, bridge.services.clock(), MOST, max_sweeps=max_sweeps)

    while run_once(bridge.services):
        pass
    control, measured = milliseconds(look), milliseconds(work)
    print(f"a worker's round {measured:7.2f} ms, {measured / control:5.1f} x a read of nothing")
    bridge.close()


def scrapes(address: str) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {TOKEN}"
    control = milliseconds(lambda: session.get(f"{address}/bridge/v1/health/live", timeout=60).raise_for_status())
    measured = milliseconds(lambda: session.get(f"{address}/bridge/v1/metrics", timeout=600).raise_for_status(), 5)
    print(f"a scrape         {measured:7.2f} ms, {measured / control:5.1f} x the health route")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=int, default=10_000)
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", help="URL of an empty database; default: a new SQLite file")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificates = Certificates.create(folder)
        shop = WooCommerceSimulator("shop")
        shop_url = stack.enter_context(serve(shop, tls=(certificates.cert_file, certificates.key_file))).url
        url = options.database or f"sqlite:///{folder / 'bridge.sqlite'}"
        fill_database(url, shop_url, certificates.ca_file, options.stores, options.payments)
        with opened(folder, url, "--no-worker") as server:
            control = share(server, options.seconds / 2)
            scrapes(f"http://{server.host}:{server.port}")
        rounds(url)
        with opened(folder, url) as server:
            measured = share(server, options.seconds)
        print(f"idle `serve`     {measured:7.2f} % of a core, and {control:.2f} % without its worker")


if __name__ == "__main__":
    main()
