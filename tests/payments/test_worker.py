"""The worker: rows are claimed once, leases end, orders keep their order, jobs run once per period, nothing is left in
hand when it is asked to stop."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from bridge.inbound.provider_inbox import claim_message
from bridge.operations import inbox_admin
from bridge.payments.leases import DELIVERY_TIMEOUTS, lease_seconds
from bridge.registry import stores
from bridge.simulators.faults import Fault
from bridge.storage import inbox, intents, jobs, outbox
from bridge.storage.tables import jobs as jobs_table
from bridge.worker.periodic_jobs import COMMON, HEARTBEAT, run_jobs
from bridge.worker.runner import Worker, run_once
from tests.cli.processes import wait_for
from tests.plugins.local import Local, MakeLocal

LEASE = 100.0
WEBHOOK_SECRET = "whsec_0123456789abcdef"
ORDERS = ["payable", *(f"payable_{number}" for number in range(2, 10))]


def claimed(local: Local, thing: Any) -> Any:
    return thing.claim(local.bridge.services.database, local.clock.now, LEASE)


def test_many_workers_claim_every_update_once(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    for order in ORDERS:
        local.create(order)

    def claim_all(_: int) -> list[str]:
        found = []
        while parcel := claimed(local, outbox):
            found.append(parcel.update.operation_id)
        return found

    with ThreadPoolExecutor(6) as pool:
        taken = Counter(name for names in pool.map(claim_all, range(6)) for name in names)
    assert len(taken) == len(ORDERS)
    assert set(taken.values()) == {1}


def test_many_workers_deliver_every_update_once(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    ids = {order: local.create(order).get_json()["id"] for order in ORDERS}
    with ThreadPoolExecutor(4) as pool:
        while any(pool.map(run_once, [local.bridge.services] * 4)):
            pass
    for order, intent in ids.items():
        assert local.order(order)["status"] == "processing"
        assert local.notes(order) == [f"Payment via Card (wcpay-bridge) ({intent})."]


def test_what_a_killed_worker_had_in_hand_is_taken_up_when_its_lease_is_over(
    make_local: MakeLocal, database_url: str
) -> None:
    local = make_local(database_url)
    local.create()
    lost = claimed(local, outbox)
    assert lost is not None
    local.clock.advance(LEASE - 1)
    assert claimed(local, outbox) is None
    local.work()
    assert local.order()["status"] == "pending"
    local.clock.advance(2)
    local.work()
    assert local.order()["status"] == "processing"
    assert len(local.notes()) == 1


def test_one_whose_lease_is_over_does_not_take_the_update_from_the_one_who_has_it_now(local: Local) -> None:
    local.create()
    slow = claimed(local, outbox)
    local.clock.advance(LEASE + 1)
    other = claimed(local, outbox)
    assert other.update == slow.update
    with local.bridge.services.database.write() as connection:
        outbox.postponed(connection, slow, local.clock.now, "too late")
    assert claimed(local, outbox) is None


def told(make_local: MakeLocal, database_url: str) -> Local:
    """A store whose provider has just told of a payment."""
    local = make_local(database_url, "stripe_connect", settings={"webhook_secret": WEBHOOK_SECRET})
    assert local.stripe
    local.create()
    endpoint = local.stripe.add_webhook_endpoint("http://127.0.0.1:9/x", connect=True, secrets=[WEBHOOK_SECRET])
    message = local.stripe.signed(local.stripe.events[-1]["id"], endpoint.id)
    route = f"/bridge/v1/webhooks/{local.store.id}"
    assert local.app.test_client().post(route, data=message.body, headers=dict(message.headers)).status_code == 200
    return local


def test_a_message_that_a_killed_worker_had_in_hand_is_worked_on_later(
    make_local: MakeLocal, database_url: str
) -> None:
    local = told(make_local, database_url)
    assert claimed(local, inbox) is not None
    assert claimed(local, inbox) is None
    local.clock.advance(LEASE + 1)
    again = claimed(local, inbox)
    assert again is not None
    assert again.tries == 2


def test_one_whose_lease_is_over_does_not_take_the_message_from_the_one_who_has_it_now(
    make_local: MakeLocal, database_url: str
) -> None:
    local = told(make_local, database_url)
    others = []

    def is_taken_over(_: object) -> bool:
        if not others:
            local.clock.advance(lease_seconds(local.bridge.services, DELIVERY_TIMEOUTS) + 1)
            others.append(claim_message(local.bridge.services))
        return True

    assert local.provider_faults
    local.provider_faults.next(Fault.ERROR_503, match=is_taken_over, times=999)
    slow = claim_message(local.bridge.services)
    assert slow
    slow.run()
    assert others[0]
    local.clock.advance(60)
    assert claim_message(local.bridge.services) is None


def test_an_unknown_outcome_is_asked_for_by_one_worker_at_a_time(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    attempt = local.create(payment_method="pm_sandbox_lost_answer").get_json()["data"]["attempt_id"]
    now, database = local.clock.now, local.bridge.services.database
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda _: intents.take(database, attempt, now, now + 30), range(6)))
    assert sorted(taken) == [False] * 5 + [True]
    local.clock.advance(31)
    assert intents.take(database, attempt, local.clock.now, local.clock.now + 30)


def test_a_later_update_of_an_order_waits_for_the_one_before_it(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    local.create(payment_method="pm_card_chargeDeclined")
    local.create()
    local.create("payable_2")
    first = claimed(local, outbox)
    second = claimed(local, outbox)
    assert (first.update.order_id, second.update.order_id) == (local.orders["payable"], local.orders["payable_2"])
    assert claimed(local, outbox) is None


def test_while_a_shop_is_down_one_update_knocks_and_the_others_wait(local: Local) -> None:
    for order in ORDERS:
        local.create(order)
    local.shop_faults.next(Fault.REFUSED, times=999)
    local.work()
    local.clock.advance(3)
    local.work()
    tried = [update["tries"] for update in inbox_admin.updates(local.bridge.services)]
    assert 1 <= sum(tried) <= 3
    local.shop_faults.clear()
    local.clock.advance(60)
    local.work()
    assert {local.order(order)["status"] for order in ORDERS} == {"processing"}


def known(local: Local) -> set[str]:
    """The names of all jobs that there are."""
    with local.bridge.services.database.read() as connection:
        return set(connection.execute(select(jobs_table.c.name)).scalars())


def test_a_job_is_done_once_per_period_however_many_workers_there_are(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    services = local.bridge.services

    def all_jobs(_: int) -> int:
        count = 0
        while run_jobs(services):
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        first = sum(pool.map(all_jobs, range(4)))
    kinds = ("access", "catch_up", "currency", "reconcile", "sweep", "webhooks")
    assert known(local) == {*COMMON, *(f"{kind}:{local.store.id}" for kind in kinds)}
    assert (
        first == 5
    )  # not the daily reconciliation and access (tomorrow), the sweep (a minute), the webhooks (an hour)
    local.clock.advance(16)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(all_jobs, range(4))) == 1
    local.clock.advance(24 * 3600)
    assert all_jobs(0) == 9


def test_a_job_whose_worker_was_killed_is_done_by_another_after_its_lease(local: Local) -> None:
    services = local.bridge.services
    jobs.add(services.database, "prune", local.clock.now)
    assert jobs.claim(services.database, "prune", local.clock.now, 900.0)
    assert jobs.claim(services.database, "prune", local.clock.now + 899, 900.0) is None
    assert jobs.claim(services.database, "prune", local.clock.now + 900, 900.0)


def test_the_jobs_of_a_store_that_was_removed_are_forgotten(local: Local) -> None:
    while run_jobs(local.bridge.services):
        pass
    stores.remove(local.bridge.services, local.store.id)
    while run_jobs(local.bridge.services):
        pass
    assert known(local) == set(COMMON)


def test_a_worker_that_is_asked_to_stop_finishes_what_it_has_in_hand(local: Local) -> None:
    for order in ORDERS[:4]:
        local.create(order)
    go_on = threading.Event()
    local.shop_faults.next(Fault.STALLED_AFTER, until=go_on)
    worker = Worker(local.bridge.services)
    worker.start()
    assert local.shop.wait_until(lambda: any(local.order(order)["status"] == "processing" for order in ORDERS[:4]))
    worker.ask_to_stop()
    go_on.set()
    worker.stop(timeout=20)
    found = inbox_admin.updates(local.bridge.services)
    assert Counter(update["state"] for update in found)["delivered"] >= 1
    assert all(update["state"] == "delivered" or update["tries"] == 0 for update in found)
    local.work()
    assert {local.order(order)["status"] for order in ORDERS[:4]} == {"processing"}


class Comparing:
    """A worker that is in the middle of comparing a store with its provider, which has just said what it has: a payment
    was refunded there, and no message told."""

    def __init__(self, local: Local) -> None:
        assert local.provider_faults
        self.local = local
        self.name = f"catch_up:{local.store.id}"
        self.intents = [local.create(order).get_json()["id"] for order in ORDERS[:3]]
        local.work()
        local.at_stripe("refunds", payment_intent=self.intents[0])
        self.go_on = threading.Event()
        local.provider_faults.next(Fault.STALLED_AFTER, match="GET /v1/payment_intents", until=self.go_on)
        self.worker = Worker(local.bridge.services)
        self.worker.start()
        wait_for(lambda: self.job(self.name).busy_until > local.clock.now)

    def job(self, name: str) -> Any:
        with self.local.bridge.services.database.read() as connection:
            return jobs.one(connection, name) or jobs.Job(name, 0.0, 0.0, None, "")

    @property
    def refunded(self) -> int:
        said = self.local.show(self.intents[0]).get_json()
        return int(said["charge"]["amount_refunded"])


@pytest.fixture
def comparing(make_local: MakeLocal, sqlite_url: str) -> Iterator[Comparing]:
    local = make_local(sqlite_url, "stripe_connect", settings={"webhook_secret": WEBHOOK_SECRET})
    comparing = Comparing(local)
    yield comparing
    comparing.go_on.set()
    comparing.worker.stop()


def test_a_comparison_is_left_where_it_is_when_the_worker_is_asked_to_stop(comparing: Comparing) -> None:
    comparing.worker.ask_to_stop()
    comparing.go_on.set()
    comparing.worker.stop()
    left = comparing.job(comparing.name)
    assert (left.busy_until, left.seen, left.last_error) == (0.0, None, "")
    assert comparing.refunded == 0
    while run_jobs(comparing.local.bridge.services):
        pass
    assert comparing.refunded == 1023


def test_messages_are_worked_on_while_payments_are_compared(comparing: Comparing) -> None:
    local = comparing.local
    assert local.stripe
    endpoint = local.stripe.add_webhook_endpoint("http://127.0.0.1:9/x", connect=True, secrets=[WEBHOOK_SECRET])
    message = local.stripe.signed(local.stripe.events[-1]["id"], endpoint.id)
    route = f"/bridge/v1/webhooks/{local.store.id}"
    assert local.app.test_client().post(route, data=message.body, headers=dict(message.headers)).status_code == 200
    wait_for(lambda: [row["state"] for row in inbox_admin.messages(local.bridge.services)] == ["done"])
    assert comparing.refunded == 1023
    assert comparing.job(comparing.name).busy_until > local.clock.now


def test_a_worker_says_that_it_is_alive_while_payments_are_compared(comparing: Comparing) -> None:
    comparing.local.clock.advance(60)
    wait_for(lambda: comparing.job(HEARTBEAT).seen == comparing.local.clock.now)
    assert comparing.job(comparing.name).busy_until > comparing.local.clock.now


@pytest.mark.parametrize("seed", [0.0, 1.0])
def test_retries_are_spread_by_chance_that_is_injected(local: Local, seed: float) -> None:
    object.__setattr__(local.bridge.services, "jitter", lambda: seed)
    local.create()
    local.shop_faults.next(Fault.REFUSED, times=9)
    local.work()
    with local.bridge.services.database.read() as connection:
        [row] = outbox.latest(connection, None, 1)
    assert row["due"] == pytest.approx(local.clock.now + 2.0 * (1 + seed / 10))
