"""The sweep beside everything else: how much of it is under way in all processes together, and that a store never gets
a sweep and a delivery at a time. What it finds out is told in tests/orders_change/test_sweep.py."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from time import monotonic
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from werkzeug.wrappers import Request

from bridge import Bridge
from bridge.domain import deadlines
from bridge.domain.stores import Permissions
from bridge.operations.why import why
from bridge.registry import keys
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import Connection, jobs
from bridge.worker.delivery import claim_delivery
from bridge.worker.periodic_jobs import claim_sweep, run_jobs
from bridge.worker.runner import Worker
from bridge.worker.sweep import LEASE_SECONDS
from tests.cli.processes import wait_for
from tests.plugins.local import Local, MakeLocal
from tests.plugins.statements import watched

LIST = "/wp-json/wc/v3/orders"
TOKEN = "metrics-token-of-the-test"


def is_sweep(request: Request) -> bool:
    return request.path == LIST and "include" in request.args


def sweeps(local: Local) -> int:
    """How often the store was asked for the orders of open payments, of which the answers may not be there yet."""
    return sum(each.path == LIST and "include" in each.query for each in local.shop.requests)


@contextmanager
def another_process(local: Local) -> Iterator[Bridge]:
    """Another bridge on the same database, with connections of its own."""
    other = Bridge(local.bridge.settings, clock=local.clock)
    try:
        yield other
    finally:
        other.close()


class Mall:
    """Stores of one bridge, each with a shop of its own and an open payment whose order is to be swept in a minute."""

    def __init__(self, first: Local, stack: ExitStack, certificates: Certificates) -> None:
        self.first = first
        self._stack = stack
        self._certificates = certificates

    def open(self, count: int) -> list[Local]:
        made = [self.first, *(self._another() for _ in range(1, count))]
        for local in made:
            assert local.create().get_json()["status"] == "requires_capture"
        self.first.work()
        other_jobs(self.first)
        return made

    def _another(self) -> Local:
        local = self.first
        shop = WooCommerceSimulator("shop", clock=local.clock)
        faults = Faults(shop)
        tls = (self._certificates.cert_file, self._certificates.key_file)
        url = self._stack.enter_context(serve(faults, tls=tls)).url
        key, secret = shop.add_key()
        new = replace(local.store, id="", url=url, identity="", consumer_key=key, consumer_secret=secret)
        store = local.bridge.add_store(new)
        pair = keys.create(local.bridge.services, store.id, Permissions.READ_WRITE)
        return replace(local, shop=shop, shop_faults=faults, store=store, pair=pair, orders=shop.seed_demo_orders())


OpenMall = Callable[..., list[Local]]


@pytest.fixture
def open_mall(make_local: MakeLocal, certificates: Certificates) -> Iterator[OpenMall]:
    """Makes so many stores on the database of the URL; the settings are the bridge's."""
    with ExitStack() as stack:

        def make(url: str, count: int, **settings: int) -> list[Local]:
            return Mall(make_local(url, capture="manual", **settings), stack, certificates).open(count)

        yield make


def sweep_due(local: Local) -> jobs.Job:
    with local.bridge.services.database.read() as connection:
        job = jobs.one(connection, jobs.name_of("sweep", local.store.id))
    assert job
    return job


def other_jobs(local: Local) -> None:
    """All that is due now, and no sweep."""
    while run_jobs(local.bridge.services):
        pass


def run_sweep(bridge: Bridge) -> bool:
    sweep = claim_sweep(bridge.services)
    if sweep:
        sweep.run()
    return sweep is not None


@pytest.mark.parametrize("limit", [1, 3])
def test_all_processes_together_sweep_no_more_stores_than_the_owner_allows(
    open_mall: OpenMall, database_url: str, limit: int
) -> None:
    mall = open_mall(database_url, 5, max_sweeps=limit)
    first, go_on = mall[0], threading.Event()
    for local in mall:
        local.shop_faults.next(Fault.STALLED_AFTER, until=go_on, match=is_sweep)
    first.clock.advance(60)
    with another_process(first) as other:
        workers = [Worker(first.bridge.services), Worker(other.services)]
        try:
            for worker in workers:
                worker.start()
            wait_for(lambda: sum(map(sweeps, mall)) >= limit)
            assert not run_sweep(first.bridge)  # nobody else finds room
            assert not run_sweep(other)
            assert sum(map(sweeps, mall)) == limit
            go_on.set()
            wait_for(lambda: [sweeps(local) for local in mall] == [1] * 5)
        finally:
            go_on.set()
            for worker in workers:
                worker.stop(30)


def test_two_processes_that_count_at_the_same_moment_do_not_both_begin(open_mall: OpenMall, postgres_url: str) -> None:
    mall = open_mall(postgres_url, 2, max_sweeps=1)
    services, names = mall[0].bridge.services, [sweep_due(local).name for local in mall]
    mall[0].clock.advance(60)

    def claim(name: str) -> object:
        return jobs.claim_sweep(services.database, name, services.clock(), LEASE_SECONDS, services.max_sweeps)

    taken = held_before_the_end(mall[0], lambda: claim(names[0]), lambda: claim(names[1]))
    assert [job is not None for job in taken] == [True, False]


def test_a_killed_process_gives_its_part_of_the_budget_back_after_two_minutes(
    open_mall: OpenMall, database_url: str
) -> None:
    first, _ = open_mall(database_url, 2, max_sweeps=1)
    first.clock.advance(60)
    with another_process(first) as other:
        assert jobs.claim_sweep(other.services.database, sweep_due(first).name, first.clock.now, LEASE_SECONDS, 1)
        for seconds, begins in ((0, False), (119, False), (1, True)):
            first.clock.advance(seconds)
            assert run_sweep(first.bridge) is begins


@pytest.fixture
def held(make_local: MakeLocal, database_url: str) -> Local:
    """A store whose open payment is to be swept, and which has still to be told something about another one."""
    local = make_local(database_url, capture="manual")
    local.create()
    local.work()
    other_jobs(local)
    local.clock.advance(60)
    local.create("payable_2")
    return local


def in_thread(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def test_no_sweep_begins_at_a_store_that_is_being_told_something(held: Local) -> None:
    go_on = threading.Event()
    held.shop_faults.next(Fault.STALLED_AFTER, until=go_on)
    asked = len(held.shop.requests)
    work = claim_delivery(held.bridge.services)
    assert work
    thread = in_thread(work.run)
    try:
        wait_for(lambda: len(held.shop.requests) > asked)
        with another_process(held) as other:
            assert not run_sweep(other)
            assert not run_sweep(held.bridge)
            assert sweeps(held) == 0
            go_on.set()
            thread.join(30)
            assert run_sweep(other)
    finally:
        go_on.set()
    assert sweeps(held) == 1


def test_nothing_is_told_to_a_store_whose_open_payments_are_being_swept(held: Local) -> None:
    go_on = threading.Event()
    held.shop_faults.next(Fault.STALLED_AFTER, until=go_on, match=is_sweep)
    thread = in_thread(lambda: run_sweep(held.bridge))
    try:
        wait_for(lambda: sweeps(held) == 1)
        asked = len(held.shop.requests)
        with another_process(held) as other:
            assert claim_delivery(other.services) is None
            assert claim_delivery(held.bridge.services) is None
            assert len(held.shop.requests) == asked
            go_on.set()
            thread.join(30)
            work = claim_delivery(other.services)
            assert work
            work.run()
    finally:
        go_on.set()
    assert held.order("payable_2")["status"] == "on-hold"


def test_another_store_is_told_meanwhile(open_mall: OpenMall, database_url: str) -> None:
    first, second = open_mall(database_url, 2)
    first.clock.advance(60)
    second.create("payable_2")
    assert jobs.claim_sweep(first.bridge.services.database, sweep_due(first).name, first.clock.now, LEASE_SECONDS, 8)
    first.work()
    assert second.order("payable_2")["status"] == "on-hold"


def held_before_the_end(local: Local, first: Callable[[], object], second: Callable[[], object]) -> list[object]:
    """What both get, if the second one begins while all of the first is done but its commit."""
    answers: list[object] = [None, None]
    waits, go_on = threading.Event(), threading.Event()

    last = [""]

    def hold(_connection: Connection, statement: str, _values: object) -> None:
        if threading.current_thread() is threads[0]:
            if statement == "COMMIT" and "UPDATE" in last[0]:
                waits.set()
                assert go_on.wait(30)
            last[0] = statement

    def run(number: int, do: Callable[[], object]) -> None:
        answers[number] = do()

    threads = [threading.Thread(target=run, args=each) for each in ((0, first), (1, second))]
    with watched(local.bridge.services.database, hold):
        try:
            threads[0].start()
            assert waits.wait(30)
            threads[1].start()
            wait_for(lambda: is_locked(local) or not threads[1].is_alive())
        finally:
            go_on.set()
            for thread in filter(lambda thread: thread.ident, threads):
                thread.join(30)
    return answers


def is_locked(local: Local) -> bool:
    with local.bridge.services.database.read() as connection:
        question = (
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return connection.execute(text(question)).scalar() == 1


@pytest.mark.parametrize("sweep_first", [True, False])
def test_a_sweep_and_a_delivery_that_are_claimed_at_the_same_moment_do_not_both_begin(
    make_local: MakeLocal, postgres_url: str, sweep_first: bool
) -> None:
    local = make_local(postgres_url, capture="manual")
    local.create()
    local.work()
    other_jobs(local)
    local.clock.advance(60)
    local.create("payable_2")
    services, name = local.bridge.services, sweep_due(local).name

    def claim_sweep() -> object:
        return jobs.claim_sweep(services.database, name, services.clock(), LEASE_SECONDS, 8)

    def claim_update() -> object:
        return claim_delivery(services)

    claims = (claim_sweep, claim_update) if sweep_first else (claim_update, claim_sweep)
    assert [each is not None for each in held_before_the_end(local, *claims)] == [True, False]


def test_how_late_the_sweep_is_is_a_metric(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url, capture="manual", metrics_token=TOKEN)
    local.create()
    local.work()
    other_jobs(local)

    def lateness() -> float:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = local.app.test_client().get("/bridge/v1/metrics", base_url="http://127.0.0.1", headers=headers)
        [line] = [line for line in answer.text.splitlines() if line.startswith("wcpay_bridge_sweep_lateness_seconds ")]
        return float(line.split()[1])

    due = sweep_due(local).due
    assert lateness() == 0
    local.clock.now = due + 400
    assert lateness() == pytest.approx(400)
    assert run_sweep(local.bridge)
    assert lateness() == 0


def test_stores_that_begin_together_do_not_keep_in_step(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, capture="manual")
    local.create()
    local.work()
    bridge = local.bridge
    waits = []
    for jitter in (0.0, 0.5, 1.0):
        bridge.services = replace(bridge.services, jitter=lambda jitter=jitter: jitter)
        local.clock.now = max(sweep_due(local).due, local.clock.now + 60)
        other_jobs(local)
        waits.append(sweep_due(local).due - local.clock.now)
    assert waits == [60.0, 57.0, 54.0]


def test_a_sweep_that_takes_too_long_is_gone_on_with(
    make_local: MakeLocal, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has read is not read again, and the rest is, a second later."""
    local = make_local(sqlite_url, capture="manual")
    made = [local.shop.add_order(total="10.00") for _ in range(3)]
    for order in made:
        local.create(order)
    local.work()
    other_jobs(local)
    for order in made:
        local.shop.update_order(order, status="cancelled")
    local.clock.advance(60)
    with monkeypatch.context() as patch:  # the time is over as soon as the store has listed the orders
        patch.setattr(deadlines, "time", SimpleNamespace(monotonic=lambda: monotonic() + 1000.0 * sweeps(local)))
        assert run_sweep(local.bridge)
    assert sum(_status(local, order) == "canceled" for order in made) <= 1
    local.clock.advance(1)
    assert run_sweep(local.bridge)
    assert sum(_status(local, order) == "canceled" for order in made) >= 2
    local.clock.advance(60)
    assert run_sweep(local.bridge)
    assert [_status(local, order) for order in made] == ["canceled"] * 3


def _status(local: Local, order: int) -> str:
    return str(why(local.bridge.services, str(order))[-1]["status"])
