"""Nobody's slowness is another's: while one shop or provider drips, the worker goes on for all others.

Real HTTP, and a provider timeout so long that nothing here waits for its end: what happens, happens meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.wrappers import Request

from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.payments import keys
from bridge.payments.pool import HALF
from bridge.payments.services import Queue
from bridge.payments.worker import Worker
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import DRIPS, Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.cli.processes import wait_for
from tests.plugins.local import ACCOUNT, PLATFORM_KEY, Local, MakeLocal

SECRET = "whsec_0123456789abcdef"
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


@pytest.fixture
def mall(make_local: MakeLocal, database_url: str, certificates: Certificates) -> Iterator[Mall]:
    local = make_local(database_url, "stripe_connect", settings={"webhook_secret": SECRET}, provider_timeout=LONG)
    with ExitStack() as stack:
        worker = Worker(local.bridge.services)
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


def test_one_account_at_a_provider_has_half_of_the_threads_at_the_most(mall: Mall) -> None:
    stores = [mall.first, *(mall.another(same_provider=True) for _ in range(HALF + 1))]
    other = mall.another()
    for local in stores:
        become_unknown(local)
    attempt = become_unknown(other)
    other.clock.advance(60)
    mall.drip(mall.first.provider_faults, Fault.DRIP_STATUS, lambda request: "customer" in request.args)  # not the jobs
    mall.worker.start()
    wait_for(lambda: arrived(mall.first.provider_faults, Fault.DRIP_STATUS) == HALF, SOON)
    wait_for(lambda: other.show(attempt).get_json()["status"] == "succeeded", SOON)
    wait_for(lambda: is_paid(other), SOON)
    assert arrived(mall.first.provider_faults, Fault.DRIP_STATUS) == HALF


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
    statements: list[str] = []
    engine = mall.first.bridge.services.database.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    worker = mall.worker
    event.listen(engine, "before_cursor_execute", note)
    try:
        worker._take({Queue.DELIVERIES})
    finally:
        event.remove(engine, "before_cursor_execute", note)
    selects = [statement for statement in statements if "SELECT" in statement.upper()]
    assert len(selects) == 1
    assert "outbox" in selects[0]
