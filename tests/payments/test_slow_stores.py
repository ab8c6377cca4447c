"""Nobody's slowness is another's: while one shop or provider drips, the worker goes on for all others.

Real HTTP, and a provider timeout so long that nothing here waits for its end: what happens, happens meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event

import pytest
from werkzeug.wrappers import Request

from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.operations import inbox_admin
from bridge.registry import keys
from bridge.services import Queue
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import DRIPS, Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.storage import jobs
from bridge.worker.periodic_jobs import run_jobs
from bridge.worker.pool import MAX_THREADS, RESERVED_THREADS, SHARE_OF_ACCOUNT, SHARE_OF_SLOW, SLOW_SECONDS
from bridge.worker.runner import Worker
from tests.cli.processes import wait_for
from tests.plugins.local import ACCOUNT, PLATFORM_KEY, Local, MakeLocal
from tests.plugins.statements import sent

HOUR = 3600.0
SECRET = "whsec_0123456789abcdef"
SETTINGS = {"webhook_secret": SECRET, "off_session": "no"}
LONG = 100.0
SOON = 30.0
"""Seconds that a busy machine may take for what should take none; far less than anything that drips here."""


@dataclass
class Mall:
    """Several shops and providers of one bridge, and its worker. What drips ends with `over`."""

    stack: ExitStack
    certificates: Certificates
    first: Local
    worker: Worker
    over: Event
    seconds: float = 0.0
    """What the worker's clock shows, by which it finds out who is slow."""

    def another(self, *, same_provider: bool = False) -> Local:
        """One more shop, with a provider of its own unless it is the first one's."""
        local = self.first
        shop = WooCommerceSimulator("shop", clock=local.clock)
        faults = Faults(shop)
        tls = (self.certificates.cert_file, self.certificates.key_file)
        url = self.stack.enter_context(serve(faults, tls=tls)).url
        stripe, provider_faults = local.stripe, local.provider_faults
        settings, customer = dict(local.store.settings), local.customer
        if not same_provider:
            stripe = StripeSimulator(secret_key=PLATFORM_KEY, accounts=[ACCOUNT], clock=local.clock)
            provider_faults = Faults(stripe)
            settings["api_base"] = self.stack.enter_context(serve(provider_faults)).url
            customer = stripe.add_customer(ACCOUNT)
        key, secret = shop.add_key()
        store = local.bridge.add_store(
            Store(
                id="",
                url=url,
                adapter="stripe_connect",
                live=False,
                capture="automatic",
                identity="",
                ca_file=str(self.certificates.ca_file),
                consumer_key=key,
                consumer_secret=secret,
                settings=settings,
                options=STORE_OPTIONS,
            )
        )
        return replace(
            local,
            shop=shop,
            shop_faults=faults,
            store=store,
            pair=keys.create(local.bridge.services, store.id, Permissions.READ_WRITE),
            orders=shop.seed_demo_orders(),
            stripe=stripe,
            provider_faults=provider_faults,
            customer=customer,
        )

    def drip(self, faults: Faults | None, fault: Fault, match: str | Callable[[Request], bool]) -> None:
        assert faults
        faults.next(fault, times=99, match=match, until=self.over)

    def end_drips(self, *slow: Local) -> None:
        """What drips now ends in failure, what begins later drips again."""
        over, self.over = self.over, Event()
        for local in slow:
            local.shop_faults.clear()
            self.drip(local.shop_faults, Fault.DRIP_STATUS, "PUT")
        over.set()


@pytest.fixture
def mall(make_local: MakeLocal, database_url: str, certificates: Certificates) -> Iterator[Mall]:
    local = make_local(database_url, "stripe_connect", settings=SETTINGS, provider_timeout=LONG)
    with ExitStack() as stack:
        worker = Worker(local.bridge.services, lambda: mall.seconds)
        mall = Mall(stack, certificates, local, worker, Event())
        yield mall
        mall.over.set()
        worker.stop()


def become_unknown(local: Local, order: str = "payable") -> str:
    """A payment that was made, and whose answer made no sense; its attempt."""
    assert local.provider_faults
    local.provider_faults.next(Fault.PROCESSED_500, match="POST /v1/payment_intents")
    return str(local.create(order).get_json()["data"]["attempt_id"])


def is_paid(local: Local, order: str = "payable") -> bool:
    return bool(local.order(order)["status"] == "processing")


def arrived(faults: Faults | None, *kinds: Fault) -> int:
    assert faults
    return sum(one.fault in kinds for one in faults.injected)


@pytest.mark.parametrize("fault", [*DRIPS, Fault.STALLED_AFTER])
def test_another_shop_hears_of_its_paid_order_while_one_drips(mall: Mall, fault: Fault) -> None:
    slow, other = mall.first, mall.another()
    for order in ("payable", "payable_2", "payable_3"):
        assert slow.create(order).status_code == 200
    mall.drip(slow.shop_faults, fault, "PUT")
    mall.worker.start()
    wait_for(lambda: arrived(slow.shop_faults, fault), SOON)
    for order in ("payable", "payable_2", "payable_3"):
        assert other.create(order).status_code == 200
        mall.worker.wake()
        wait_for(lambda order=order: is_paid(other, order), SOON)  # type: ignore[misc]
    assert arrived(slow.shop_faults, fault) == 1  # the others of this shop wait for it


def test_a_shop_that_drips_stops_neither_its_own_provider_nor_another_one(mall: Mall) -> None:
    slow, other = mall.first, mall.another()
    assert slow.create().status_code == 200
    attempts = [become_unknown(slow, "payable_2"), become_unknown(other)]
    mall.first.clock.advance(60)
    mall.drip(slow.shop_faults, Fault.DRIP_HEADER, "PUT")
    mall.worker.start()
    wait_for(lambda: arrived(slow.shop_faults, Fault.DRIP_HEADER), SOON)
    for local, attempt in zip((slow, other), attempts, strict=True):
        wait_for(lambda: local.show(attempt).get_json()["status"] == "succeeded", SOON)  # noqa: B023


@pytest.mark.parametrize("fault", DRIPS)
def test_a_provider_that_drips_stops_neither_messages_nor_unknowns_of_another_one(mall: Mall, fault: Fault) -> None:
    slow, other = mall.first, mall.another()
    become_unknown(slow)
    attempt = become_unknown(other)
    told = other.create("payable_2").get_json()["id"]
    assert other.stripe
    other.at_stripe("refunds", payment_intent=told)
    slow.clock.advance(60)
    mall.drip(slow.provider_faults, fault, "GET /v1/payment_intents")
    mall.worker.start()
    wait_for(lambda: arrived(slow.provider_faults, fault), SOON)
    wait_for(lambda: other.show(attempt).get_json()["status"] == "succeeded", SOON)
    endpoint = other.stripe.add_webhook_endpoint("http://127.0.0.1:9/x", connect=True, secrets=[SECRET])
    message = other.stripe.signed(other.stripe.events[-1]["id"], endpoint.id)
    route = f"/bridge/v1/webhooks/{other.store.id}"
    assert other.app.test_client().post(route, data=message.body, headers=dict(message.headers)).status_code == 200
    mall.worker.wake(Queue.MESSAGES)
    wait_for(lambda: other.show(told).get_json()["charge"]["amount_refunded"] == 1023, SOON)
    wait_for(lambda: is_paid(other), SOON)


def test_one_account_at_a_provider_has_a_share_of_the_threads_at_the_most(mall: Mall) -> None:
    stores = [mall.first, *(mall.another(same_provider=True) for _ in range(SHARE_OF_ACCOUNT + 1))]
    other = mall.another()
    while run_jobs(other.bridge.services):  # they would find out what became of the attempts, too
        pass
    for local in stores:
        become_unknown(local)
    attempt = become_unknown(other)
    other.clock.advance(60)
    mall.drip(mall.first.provider_faults, Fault.DRIP_STATUS, "GET")
    mall.worker.start()
    wait_for(lambda: arrived(mall.first.provider_faults, Fault.DRIP_STATUS) == SHARE_OF_ACCOUNT, SOON)
    wait_for(lambda: other.show(attempt).get_json()["status"] == "succeeded", SOON)
    wait_for(lambda: is_paid(other), SOON)
    assert arrived(mall.first.provider_faults, Fault.DRIP_STATUS) == SHARE_OF_ACCOUNT


def test_what_waited_for_its_shop_is_told_when_that_is_well_again(mall: Mall) -> None:
    slow = mall.first
    orders = ["payable", *(f"payable_{number}" for number in range(2, 6))]
    for order in orders:
        slow.create(order)
    slow.shop_faults.next(Fault.STALLED, match="PUT", until=mall.over)
    mall.worker.start()
    wait_for(lambda: arrived(slow.shop_faults, Fault.STALLED), SOON)
    assert not any(is_paid(slow, order) for order in orders)
    mall.over.set()
    wait_for(lambda: all(is_paid(slow, order) for order in orders), SOON)


def test_a_worker_can_be_stopped_while_a_shop_drips(mall: Mall) -> None:
    mall.first.create()
    mall.drip(mall.first.shop_faults, Fault.DRIP_STATUS, "PUT")
    mall.worker.start()
    wait_for(lambda: arrived(mall.first.shop_faults, Fault.DRIP_STATUS), SOON)
    mall.worker.stop(timeout=0.2)
    assert arrived(mall.first.shop_faults, Fault.DRIP_STATUS) == 1


def test_news_wake_the_queue_that_has_them_alone(mall: Mall) -> None:
    """Between two looks at everything, which come every second, a delivery asks nothing about messages."""
    with sent(mall.first.bridge.services.database) as statements:
        mall.worker._take({Queue.DELIVERIES})
    selects = [statement for statement in statements if "SELECT" in statement.upper()]
    assert len(selects) == 1
    assert "outbox" in selects[0]


JOBS: dict[str, tuple[str, Callable[[Request], bool]]] = {
    "catch_up": ("provider_faults", lambda request: request.path == "/v1/payment_intents"),
    "currency": ("shop_faults", lambda request: "/settings/" in request.path),
    "sweep": ("shop_faults", lambda request: "include" in request.args),
    "webhooks": ("shop_faults", lambda request: request.path.endswith("/webhooks")),
}
"""By the kind of job: whom it asks first, and what."""


def ran(local: Local, kind: str) -> bool:
    with local.bridge.services.database.read() as connection:
        job = jobs.one(connection, jobs.name_of(kind, local.store.id))
    return job is not None and job.seen is not None


@pytest.mark.parametrize("kind", JOBS)
def test_a_job_whose_store_drips_stops_no_job_of_another_store(mall: Mall, kind: str) -> None:
    slow, other = mall.first, mall.another()
    for local in (slow, other):
        local.create(payment_method="pm_card_authenticationRequired")  # open, so that there is something to sweep
    slow.clock.advance(HOUR + 1)  # the jobs are due, the first store's first
    faults, match = JOBS[kind]
    mall.drip(getattr(slow, faults), Fault.DRIP_STATUS, match)
    mall.worker.start()
    wait_for(lambda: arrived(getattr(slow, faults), Fault.DRIP_STATUS), SOON)
    for each in JOBS:
        wait_for(lambda: ran(other, each), SOON)  # noqa: B023
    assert not ran(slow, kind)
    if kind != "sweep":  # a sweep does not wait for other jobs of its store
        wait_for(lambda: ran(slow, "sweep"), SOON)


def test_a_store_has_one_sweep_and_one_other_job_under_way_at_a_time(mall: Mall) -> None:
    slow, other = mall.first, mall.another()
    slow.create(payment_method="pm_card_authenticationRequired")
    slow.clock.advance(HOUR + 1)
    mall.drip(slow.provider_faults, Fault.DRIP_STATUS, "GET")
    mall.drip(slow.shop_faults, Fault.DRIP_STATUS, "GET")
    mall.worker.start()
    wait_for(lambda: all(ran(other, kind) for kind in JOBS), SOON)
    busy = []
    with slow.bridge.services.database.read() as connection:
        for kind in jobs.PER_STORE:
            job = jobs.one(connection, jobs.name_of(kind, slow.store.id))
            assert job
            busy += [kind] * (job.busy_until > slow.clock.now)
    assert sorted(busy, key=lambda kind: kind != "sweep")[:1] == ["sweep"]
    assert len(busy) == 2


def test_jobs_of_one_account_leave_those_of_others_their_threads(mall: Mall) -> None:
    stores = [mall.first, *(mall.another(same_provider=True) for _ in range(SHARE_OF_ACCOUNT + 1))]
    other = mall.another()
    mall.drip(mall.first.provider_faults, Fault.DRIP_STATUS, JOBS["catch_up"][1])
    mall.worker.start()
    wait_for(lambda: arrived(mall.first.provider_faults, Fault.DRIP_STATUS) == SHARE_OF_ACCOUNT, SOON)
    wait_for(lambda: ran(other, "catch_up"), SOON)
    for local in stores:
        wait_for(lambda: ran(local, "currency") or not ran(local, "catch_up"), SOON)  # noqa: B023
    assert arrived(mall.first.provider_faults, Fault.DRIP_STATUS) == SHARE_OF_ACCOUNT


def test_more_first_deliveries_drip_than_one_side_of_the_pool_has_threads(mall: Mall) -> None:
    """The bound: so many shops that drip at once, and were quick before, make the next one wait for a timeout. All
    else goes on: what asks providers, jobs and sweeps have threads that deliveries never take."""
    most = MAX_THREADS - 3 * RESERVED_THREADS
    slow = [mall.first, *(mall.another(same_provider=True) for _ in range(most))]
    other = mall.another()
    attempt = become_unknown(other, "payable_2")
    other.clock.advance(60)
    for local in slow:
        assert local.create().status_code == 200
        mall.drip(local.shop_faults, Fault.DRIP_STATUS, "PUT")
    mall.worker.start()
    wait_for(lambda: dripping(slow) == most, SOON)
    wait_for(lambda: other.show(attempt).get_json()["status"] == "succeeded", SOON)
    for kind in ("catch_up", "currency", "sweep"):
        wait_for(lambda: ran(other, kind), SOON)  # noqa: B023
    assert dripping(slow) == most


def dripping(stores: list[Local]) -> int:
    return sum(arrived(local.shop_faults, Fault.DRIP_STATUS) for local in stores)


def test_shops_that_were_slow_wait_in_a_small_share_with_new_orders_as_well(mall: Mall) -> None:
    slow = [mall.first, *(mall.another(same_provider=True) for _ in range(SHARE_OF_SLOW + 2))]
    other = mall.another()
    for local in slow:
        assert local.create().status_code == 200
        mall.drip(local.shop_faults, Fault.DRIP_STATUS, "PUT")
    mall.worker.start()
    wait_for(lambda: dripping(slow) == len(slow), SOON)
    mall.seconds += SLOW_SECONDS + 1
    mall.end_drips(*slow)
    wait_for(lambda: all(first_try_is_over(local) for local in slow), SOON)
    for local in slow:
        assert local.create("payable_2").status_code == 200  # a first try, at once
    mall.worker.wake()
    wait_for(lambda: dripping(slow) == len(slow) + SHARE_OF_SLOW, SOON)
    for order in ("payable", "payable_2"):
        assert other.create(order).status_code == 200
        mall.worker.wake()
        wait_for(lambda order=order: is_paid(other, order), SOON)  # type: ignore[misc]
    assert dripping(slow) == len(slow) + SHARE_OF_SLOW


def first_try_is_over(local: Local) -> bool:
    updates = inbox_admin.updates(local.bridge.services)
    return any(each["tries"] == 1 and each["last_error"] for each in updates if each["store_id"] == local.store.id)


def test_a_shop_that_was_slow_once_is_served_like_any_other_when_it_is_quick_again(mall: Mall) -> None:
    slow = [mall.first, *(mall.another(same_provider=True) for _ in range(SHARE_OF_SLOW))]
    for local in slow:
        assert local.create().status_code == 200
        mall.drip(local.shop_faults, Fault.DRIP_STATUS, "PUT")
    mall.worker.start()
    wait_for(lambda: dripping(slow) == len(slow), SOON)
    mall.seconds += SLOW_SECONDS + 1
    mall.over.set()
    wait_for(lambda: all(first_try_is_over(local) for local in slow), SOON)
    for local in slow:
        local.shop_faults.clear()
    mall.first.clock.advance(3)
    wait_for(lambda: all(is_paid(local) for local in slow), SOON)
    mall.over = Event()
    for local in slow:
        assert local.create("payable_2").status_code == 200
        mall.drip(local.shop_faults, Fault.DRIP_STATUS, "PUT")
    mall.worker.wake()
    wait_for(lambda: dripping(slow) == 2 * len(slow), SOON)
