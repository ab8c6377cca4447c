"""Webhooks are only hints: payments follow their orders although no message of the store ever comes (A8)."""

from typing import Any

import pytest

from bridge.payments.jobs import run_jobs
from bridge.payments.why import why
from bridge.simulators.faults import Fault
from bridge.storage import jobs
from tests.beside.conftest import ENDS, WAITING, Beside, OpenShop
from tests.beside.test_waiting import is_closed
from tests.cli.test_doctor import examined
from tests.plugins.local import Local, MakeLocal

LIST = "/wp-json/wc/v3/orders"
STORES = ["sandbox", "stripe direct", "forte widget"]


@pytest.fixture(params=STORES)
def silent(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    """A store that tells nothing."""
    return WAITING[request.param](open_shop)


def sweeps(local: Local) -> list[Any]:
    """The lists of orders that the store was asked for by their ids."""
    return [each for each in local.shop.requests if each.path == LIST and "include" in each.query]


def all_jobs(local: Local) -> None:
    while run_jobs(local.bridge.services):
        pass
    local.work()


def pass_time(local: Local, seconds: float) -> None:
    local.clock.advance(seconds)
    all_jobs(local)


def last_error(local: Local) -> str:
    with local.bridge.services.database.read() as connection:
        job = jobs.one(connection, jobs.name_of("sweep", local.store.id))
    assert job
    return job.last_error


@pytest.mark.parametrize("change", ENDS)
def test_a8_what_waits_is_closed_within_one_interval(silent: Beside, change: str) -> None:
    created = silent.create()
    ENDS[change].do(silent)
    pass_time(silent.shop.local, 60)
    is_closed(silent, created)
    assert len(sweeps(silent.shop.local)) == 1


def test_a8_a_deleted_order_is_looked_for_twice_a_minute_apart(silent: Beside) -> None:
    created = silent.create()
    local = silent.shop.local
    local.shop.delete(silent.order)
    pass_time(local, 60)
    assert "closed" not in silent.kinds()
    pass_time(local, 59)
    assert "closed" not in silent.kinds()
    pass_time(local, 2)
    is_closed(silent, created)


def test_a8_an_order_that_is_back_at_the_second_look_was_never_deleted(silent: Beside) -> None:
    silent.create()
    local = silent.shop.local
    orders = local.shop._shop.orders
    kept = orders.pop(silent.order)
    pass_time(local, 60)
    orders[silent.order] = kept
    pass_time(local, 60)
    orders.pop(silent.order)
    pass_time(local, 60)
    assert "closed" not in silent.kinds()


@pytest.fixture(params=["sandbox", "stripe_connect"])
def holding(request: pytest.FixtureRequest, make_local: MakeLocal, database_url: str) -> Local:
    """A store that captures later, and tells nothing."""
    return make_local(database_url, request.param, capture="manual")


@pytest.mark.parametrize(("status", "after"), [("completed", "succeeded"), ("cancelled", "canceled")])
def test_a8_money_that_is_held_follows_its_order(holding: Local, status: str, after: str) -> None:
    intent = holding.create().get_json()["id"]
    holding.work()
    holding.shop.update_order(holding.orders["payable"], status=status)
    pass_time(holding, 60)
    assert holding.show(intent).get_json()["status"] == after


def orders_with_payments(local: Local, count: int) -> list[int]:
    made = []
    for _ in range(count):
        order = local.shop.add_order(total="10.00")
        assert local.create(order).get_json()["status"] == "requires_capture"
        made.append(order)
    local.work()
    return made


@pytest.fixture
def sandbox(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, capture="manual")


def test_a8_many_orders_that_are_missing_at_once_are_the_stores_fault(sandbox: Local) -> None:
    made = orders_with_payments(sandbox, 7)
    for order in made[:6]:
        sandbox.shop.delete(order)
    sandbox.shop.update_order(made[6], status="cancelled")
    for _ in range(5):
        pass_time(sandbox, 120)
    assert "6 orders" in last_error(sandbox)
    assert any("Nothing was closed" in text for text in examined(sandbox, code=1)["worker"])
    status = {order: why(sandbox.bridge.services, str(order))[-1]["status"] for order in made}
    assert [status[order] for order in made] == ["requires_capture"] * 6 + ["canceled"]


def test_a8_nothing_is_asked_while_nothing_is_open(sandbox: Local) -> None:
    pass_time(sandbox, 3600)
    before = len(sandbox.shop.requests)
    for _ in range(3):
        pass_time(sandbox, 6 * 3600)
    assert not sweeps(sandbox)
    orders_with_payments(sandbox, 1)
    assert len(sandbox.shop.requests) > before
    pass_time(sandbox, 60)
    assert len(sweeps(sandbox)) == 1


def test_a8_a_hundred_orders_are_asked_for_at_a_time(sandbox: Local) -> None:
    orders_with_payments(sandbox, 250)
    pass_time(sandbox, 60)
    assert len(sweeps(sandbox)) == 3


@pytest.mark.parametrize(("age", "interval"), [(0, 60), (3 * 3600, 300), (48 * 3600, 900)])
def test_a8_orders_are_read_the_more_seldom_the_older_their_payments_are(
    sandbox: Local, age: float, interval: float
) -> None:
    orders_with_payments(sandbox, 1)
    for seconds in (age, 60, 900):
        pass_time(sandbox, seconds)
    before = len(sweeps(sandbox))
    for _ in range(60):
        pass_time(sandbox, 30)
    expected = 1800 / interval
    assert expected - 1 <= len(sweeps(sandbox)) - before <= expected / 0.9 + 1


def test_a8_a_status_of_a_plugins_own_is_read_singly(sandbox: Local) -> None:
    """A list leaves it out, as it does what was deleted."""
    [order] = orders_with_payments(sandbox, 1)
    sandbox.shop._shop.orders[order].status = "awaiting-shipment"
    for _ in range(3):
        pass_time(sandbox, 120)
    assert last_error(sandbox) == ""
    assert "not in the store" not in str(why(sandbox.bridge.services, str(order))[-1]["flag"])


def test_a8_a_store_that_is_away_closes_nothing_and_is_asked_again(sandbox: Local) -> None:
    [order] = orders_with_payments(sandbox, 1)
    sandbox.shop.update_order(order, status="cancelled")
    sandbox.shop_faults.next(Fault.ERROR_503, times=2)
    pass_time(sandbox, 60)
    assert last_error(sandbox)
    for _ in range(4):
        pass_time(sandbox, 120)
    assert last_error(sandbox) == ""
    assert why(sandbox.bridge.services, str(order))[-1]["status"] == "canceled"
