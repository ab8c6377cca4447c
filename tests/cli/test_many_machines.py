"""Several web and worker processes over one PostgreSQL: killed ones, a restarted database, a restored backup."""

import secrets
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy import make_url

from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault
from tests.cli.processes import Served, Shopkeeper, Working, wait_for
from tests.plugins import postgresql
from tests.plugins.commandline import CommandLine
from tests.plugins.databases import Server
from tests.plugins.shared import FOLDER
from tests.plugins.tools import require

AGAIN = 0.1
"""Seconds after which a client repeats what it got no answer to."""
PATIENCE = 120.0
"""Seconds in which everything is over, also on a machine that has much else to do."""
ORDERS = ["payable", *(f"payable_{number}" for number in range(2, 10))]


class Machines(Shopkeeper):
    """A shop and a Stripe, and any number of processes over the one database."""

    def __init__(self, cli: CommandLine, certificates: Certificates, stack: ExitStack, database_url: str) -> None:
        cli.environ["BRIDGE_DATABASE_URL"] = database_url
        super().__init__(cli, certificates, stack)
        cli.environ["BRIDGE_PROVIDER_TIMEOUT"] = "1"

    def web(self, *arguments: str) -> Served:
        return self.serve("--no-worker", *arguments)

    def worker(self) -> Working:
        return self.stack.enter_context(Working(self.cli))

    def is_paid(self, order: str) -> bool:
        return bool(self.shop.order(self.orders[order])["status"] == "processing")

    def charges(self) -> list[int]:
        return [entry.amount for entry in self.stripe.ledger.entries("captured")]

    def notes(self, order: str) -> int:
        return sum("Payment via" in note["note"] for note in self.shop.notes(self.orders[order]))

    def try_to_create(self, url: str, order: str) -> tuple[int, dict[str, Any]]:
        return self.try_and_wait(url, order)[:2]

    def try_and_wait(self, url: str, order: str) -> tuple[int, dict[str, Any], float]:
        """The answer, and how many seconds a client has to wait before it asks again."""
        try:
            answer = self.create(url, order)
            return answer.status_code, answer.json(), float(answer.headers.get("Retry-After", AGAIN))
        except (requests.ConnectionError, ValueError):
            return 0, {}, AGAIN


@pytest.fixture
def machines(cli: CommandLine, certificates: Certificates, postgres_url: str) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(cli, certificates, stack, postgres_url)


def test_two_web_servers_and_two_workers_charge_every_order_once_and_a_killed_worker_loses_nothing(
    machines: Machines,
) -> None:
    webs = [machines.web(), machines.web()]
    doomed, other = machines.worker(), machines.worker()
    stalled = threading.Event()
    machines.shop_faults.next(Fault.STALLED_AFTER, match="PUT ", until=stalled)
    with ThreadPoolExecutor(12) as pool:
        wanted = [(webs[number % 2].url, order) for order in ORDERS for number in range(4)]
        answers = list(pool.map(lambda each: machines.try_to_create(*each), wanted))
        doomed.end(signal.SIGKILL)
        stalled.set()
    assert {status for status, body in answers if body.get("code") != "wcpay_server_error"} == {200}
    wait_for(lambda: all(machines.is_paid(order) for order in ORDERS), 60)
    wait_for(lambda: all(machines.notes(order) == 1 for order in ORDERS), 60)
    wait_for(lambda: machines.cli.json("outbox", "list", "--state", "pending") == [], 90)
    assert machines.charges() == [1023] * len(ORDERS)
    assert other.end(signal.SIGTERM) == 0
    assert "All work in progress is done." in other.log[-1]


@pytest.fixture
def own_server(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of a PostgreSQL server that nobody else uses, so that it may be restarted."""
    require("postgresql")
    shared = request.config.stash[FOLDER]
    folder = shared / f"own-{secrets.token_hex(4)}"
    folder.mkdir()
    postgresql.start(folder, alive=shared / "alive")
    yield folder
    postgresql.stop(folder)


def test_a_database_restart_in_the_middle_loses_and_doubles_nothing(
    cli: CommandLine, certificates: Certificates, own_server: Path
) -> None:
    with ExitStack() as stack:
        machines = Machines(cli, certificates, stack, postgresql.url(own_server))
        webs = [machines.web(), machines.web()]
        machines.worker()
        under_way, is_back = threading.Semaphore(0), threading.Event()

        def pay(order: str) -> None:
            """Ask one server and then the other, until the database is back: as long as that takes."""
            deadline = time.monotonic() + PATIENCE
            for web in cycle(webs):
                status, body, wait = machines.try_and_wait(web.url, order)
                under_way.release()
                if status == 200 or body.get("data", {}).get("reason") in ("order_paid", "order_processing"):
                    return
                assert time.monotonic() < deadline, f"{order}: {status} {body}"
                if is_back.wait(wait):
                    threading.Event().wait(AGAIN)

        with ThreadPoolExecutor(4) as pool:
            paying = [pool.submit(pay, order) for order in ORDERS]
            under_way.acquire()
            postgresql.run(own_server, "pg_ctl", "--log", str(own_server / "log"), "--mode=fast", "--wait", "restart")
            is_back.set()
            for each in paying:
                each.result(2 * PATIENCE)
        wait_for(lambda: all(machines.is_paid(order) for order in ORDERS), 60)
        assert machines.charges() == [1023] * len(ORDERS)
        wait_for(lambda: all(machines.notes(order) == 1 for order in ORDERS), 60)


def test_a_restored_backup_takes_no_money_before_it_was_reconciled_and_then_knows_everything(
    machines: Machines, postgres_url: str, postgres_server: Server
) -> None:
    name = str(make_url(postgres_url).database)
    served = machines.serve()
    first = machines.create(served.url, "payable").json()["id"]
    wait_for(lambda: machines.is_paid("payable"))
    served.end(signal.SIGTERM)
    postgres_server.create(f"{name}-backup", name)
    served = machines.serve()
    second = machines.create(served.url, "payable_2").json()["id"]
    wait_for(lambda: machines.is_paid("payable_2"))
    served.end(signal.SIGTERM)
    with postgres_server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.execute(f'ALTER DATABASE "{name}-backup" RENAME TO "{name}"')

    machines.faults.next(Fault.ERROR_503, times=1000, match="GET /v1/payment_intents")
    served = machines.serve("--after-restore")
    assert "1 stores are held until they have been compared." in "".join(served.log)
    held = machines.create(served.url, "payable_3").json()
    assert held["data"]["reason"] == "reconcile_first"
    served.end(signal.SIGTERM)  # its worker would compare as well, as soon as the provider is back
    machines.faults.clear()
    report = machines.cli.json("reconcile", code=1)
    assert [(each["kind"], each["payment"], each["healed"]) for each in report[0]["differences"]] == [
        ("adopted", second, True)
    ]
    served = machines.serve()
    assert machines.create(served.url, "payable_3").json()["status"] == "succeeded"
    assert machines.create(served.url, "payable_2").json()["data"]["reason"] in ("order_paid", "order_processing")
    assert machines.cli.json("why", first)[0]["status"] == "succeeded"
    assert machines.charges() == [1023] * 3
    assert machines.notes("payable_2") == 1


def test_a_database_that_is_away_makes_a_web_server_unready_and_it_comes_back(
    cli: CommandLine, certificates: Certificates, own_server: Path
) -> None:
    with ExitStack() as stack:
        machines = Machines(cli, certificates, stack, postgresql.url(own_server))
        served = machines.web()
        ready = f"{served.url}/bridge/v1/health/ready"
        assert requests.get(ready, timeout=10).status_code == 200
        postgresql.run(own_server, "pg_ctl", "--mode=fast", "--wait", "stop")
        assert requests.get(ready, timeout=10).status_code == 503
        assert machines.try_to_create(served.url, "payable")[0] in (500, 503)
        assert machines.charges() == []
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(postgresql.url(own_server).replace("+psycopg", ""))
        postgresql.run(own_server, "pg_ctl", "--log", str(own_server / "log"), "--wait", "start")
        assert requests.get(ready, timeout=10).status_code == 200
        assert machines.create(served.url, "payable").json()["status"] == "succeeded"
