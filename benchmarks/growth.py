"""What a store's requests cost with few rows and with many: CPU in this process, each round against b."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sqlalchemy import text

from benchmarks.calls import INTENTS, PAYMENTS, Prepared, Step, get, post
from benchmarks.controls import B
from benchmarks.in_process import CPU
from benchmarks.lab import BRIDGE, Client, Lab, create
from benchmarks.outside import Outside
from benchmarks.results import Row, in_turn, rows
from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.selftest.fill_database import fill
from bridge.worker.periodic_jobs import run_common, write_heartbeat
from bridge.worker.runner import run_once

PART = "growth"
LARGE, LIKE = "shop-1", "sandbox"
"""The store that has half of all payments, and the one whose shop and settings it is given."""
ROUND = "a worker's round"
WARM_UP = 1
FIRST_ORDER = 1_000_000_000
"""Orders of the rows that are filled in come after it, those of the simulated shop before."""


def fill_database(lab: Lab, stores: int, payments: int) -> None:
    """Rows as after a year; the large store is one whose shop can be asked. Must be done before anything is paid."""
    database = lab.bridge.services.database
    fill(database, stores, payments, time.time(), first_order=FIRST_ORDER)
    columns = ("url", "identity", "consumer_key", "consumer_secret", "settings", "options", "ca_file")
    own = "(select {0} from stores where id = :like)"
    with database.write() as connection:
        copied = ", ".join(f"{name} = {own.format(name)}" for name in columns)
        like = lab.site.clients[LIKE]
        connection.execute(
            text(f"update stores set {copied} where id = :large"), {"like": like.store_id, "large": LARGE}
        )
    pair = keys.create(lab.bridge.services, LARGE, Permissions.READ_WRITE)
    lab.site.clients[LARGE] = Client(LARGE, like.customer, (pair.consumer_key, pair.consumer_secret))
    while run_once(lab.bridge.services):
        pass


def paths(payments: int) -> dict[str, str]:
    """By name; of a payment in the middle of the large store's."""
    one = payments // 2 // 14 * 14 + 1  # its store is the large one: see `fill_database.STORE`
    one += one % 40 == 4
    return {
        "show": f"{INTENTS}/pi_{one}",
        "charge": f"{PAYMENTS}/charges/ch_{one}",
        "timeline": f"{PAYMENTS}/timeline/pi_{one}",
        "transactions": f"{PAYMENTS}/transactions",
        "transactions of an order": f"{PAYMENTS}/transactions?order_id={FIRST_ORDER + one}",
        "authorizations": f"{PAYMENTS}/authorizations",
    }


def measure(
    lab: Lab, outside: Outside, where: Mapping[str, str | int], payments: int, times: int, rounds: int
) -> list[Row]:
    """Raises Failed."""
    client = lab.site.clients[LARGE]
    made: dict[str, Callable[[], float]] = {
        B: partial(_asked, lab, lab.apps[B], lambda count: _creates(lab, outside, count), times),
        "create": partial(_asked, lab, lab.apps[BRIDGE], lambda count: _creates(lab, outside, count), times),
        "refund by charge": partial(_asked, lab, lab.apps[BRIDGE], lambda count: _refunds(lab, outside, count), times),
        ROUND: partial(_worked, lab, times),
    }
    for name, path in paths(payments).items():
        steps: list[Step] = [get(path, client.pair)]
        made[name] = partial(_asked, lab, lab.apps[BRIDGE], lambda count, steps=steps: steps * count, times)  # type: ignore[misc]
    found = in_turn(list(made), rounds, lambda name: {CPU: made[name]()})
    return rows(PART, where, found, CPU)


def _creates(lab: Lab, outside: Outside, count: int) -> list[Step]:
    return [create(lab, LARGE, order) for order in outside.new_orders(LIKE, count)]


def _refunds(lab: Lab, outside: Outside, count: int) -> list[Step]:
    made = lab.ask(_creates(lab, outside, count))
    pair = lab.site.clients[LARGE].pair
    return [post(f"{PAYMENTS}/refund", {"charge_id": each["charge"]["id"], "amount": 100}, pair) for each in made]


def _asked(lab: Lab, app: object, make: Callable[[int], list[Step]], times: int) -> float:
    """Milliseconds of CPU of one request."""
    steps = make(WARM_UP + times)
    first, rest = (Prepared(app, lab.bridge, part) for part in (steps[:WARM_UP], steps[WARM_UP:]))  # type: ignore[arg-type]
    first.run()
    started = time.process_time()
    rest.run()
    return (time.process_time() - started) / times * 1000


def _worked(lab: Lab, times: int) -> float:
    """The same of what a worker looks at when there is nothing to do."""
    services = lab.bridge.services
    lab.work()
    started = time.process_time()
    for _ in range(times):
        run_once(services)
        write_heartbeat(services)
        run_common(services)
    return (time.process_time() - started) / times * 1000


def grown(found: Sequence[Row]) -> dict[tuple[str, str], float]:
    """By database and subject, how many times the figure at the fewest rows that at the most is."""
    by: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        if row.part == PART:
            by.setdefault((str(row.where["database"]), row.subject), []).append(row)
    return {
        key: max(each, key=_size).figures[CPU] / least
        for key, each in by.items()
        if (least := min(each, key=_size).figures[CPU])
    }


def _size(row: Row) -> int:
    return int(row.where["payments"])
