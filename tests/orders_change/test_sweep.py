"""Webhooks are only hints: payments follow their orders although no message of the store ever comes (A8)."""

from typing import Any

import pytest

from bridge.operations.why import why
from bridge.simulators.faults import Fault
from bridge.storage import jobs
from bridge.worker.periodic_jobs import run_jobs
from tests.cli.test_doctor import examined
from tests.orders_change.conftest import ENDS, WAITING, Beside, OpenShop, open_beside
from tests.orders_change.test_waiting import is_closed
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
    assert any("Nothing has been closed" in text for text in examined(sandbox, code=1)["worker"])
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


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("apart", [0, 40], ids=["begun together", "begun one after the other"])
def test_a8_all_orders_that_are_missing_at_once_are_the_stores_fault_however_few(
    sandbox: Local, count: int, apart: int
) -> None:
    """As in a store whose database was emptied: not all of them are looked for at the same time."""
    made = []
    for _ in range(count):
        made += orders_with_payments(sandbox, 1)
        pass_time(sandbox, apart)
    for order in made:
        sandbox.shop.delete(order)
    for _ in range(5):
        pass_time(sandbox, 61)
    assert f"{count} orders" in last_error(sandbox)
    assert any("Nothing has been closed" in text for text in examined(sandbox, code=1)["worker"])
    assert {why(sandbox.bridge.services, str(order))[-1]["flag"] for order in made} == {None}


def test_a8_all_orders_but_one_of_a_plugins_own_status_were_deleted(sandbox: Local) -> None:
    """The list shows none of them, and yet the store has one."""
    *made, kept = orders_with_payments(sandbox, 3)
    pass_time(sandbox, 60)
    sandbox.shop._shop.orders[kept].status = "awaiting-shipment"
    for order in made:
        sandbox.shop.delete(order)
    for _ in range(4):
        pass_time(sandbox, 61)
    assert last_error(sandbox) == ""
    for order in made:
        assert "not in the store any more" in why(sandbox.bridge.services, str(order))[-1]["flag"]


def test_a8_an_order_that_was_deleted_long_ago_does_not_count_among_those_that_are_missing(sandbox: Local) -> None:
    """Staff have deleted one, and later the other one of two."""
    made = orders_with_payments(sandbox, 3)
    for order in made[:2]:
        sandbox.shop.delete(order)
        for _ in range(3):
            pass_time(sandbox, 61)
    assert last_error(sandbox) == ""
    for order in made[:2]:
        assert "not in the store any more" in why(sandbox.bridge.services, str(order))[-1]["flag"]
    assert why(sandbox.bridge.services, str(made[2]))[-1]["flag"] is None


def test_a8_the_other_orders_of_a_store_that_misses_many_are_read_as_often_as_before(sandbox: Local) -> None:
    made = orders_with_payments(sandbox, 8)
    for order in made[:6]:
        sandbox.shop.delete(order)
    for _ in range(5):
        pass_time(sandbox, 61)
    for order in made[6:]:
        sandbox.shop.update_order(order, status="cancelled")
        pass_time(sandbox, 61)
        assert why(sandbox.bridge.services, str(order))[-1]["status"] == "canceled"
    for order, status in zip(made, ["requires_capture"] * 6 + ["canceled"] * 2, strict=True):
        assert why(sandbox.bridge.services, str(order))[-1]["status"] == status


def test_a8_an_order_that_makes_no_sense_keeps_no_other_one_from_being_read(sandbox: Local) -> None:
    made = orders_with_payments(sandbox, 2)
    sandbox.shop._shop.orders[made[0]].status = ""
    sandbox.shop.delete(made[1])
    for _ in range(4):
        pass_time(sandbox, 61)
    assert "makes no sense" in last_error(sandbox)
    assert "not in the store any more" in why(sandbox.bridge.services, str(made[1]))[-1]["flag"]


def told_too_late(beside: Beside) -> None:
    """The store tells of an order, and does not have it any more when the bridge looks."""
    local = beside.shop.local
    local.shop.update_order(beside.order, customer_note="Ring twice.")
    local.shop.deliver_due()
    local.shop.delete(beside.order)
    local.work()


@pytest.mark.parametrize("name", STORES)
def test_a8_a_message_about_an_order_that_is_not_there_closes_nothing_by_itself(open_shop: OpenShop, name: str) -> None:
    """Only its body is signed, and one 404 is not proof: the sweep looks twice."""
    beside = open_beside(open_shop, name)
    created, local = beside.create(), beside.shop.local
    told_too_late(beside)
    assert "closed" not in beside.kinds()
    assert beside.show(created)["status"] == created["status"]
    pass_time(local, 60)
    assert "closed" not in beside.kinds()
    pass_time(local, 60)
    is_closed(beside, created)


@pytest.mark.parametrize("name", STORES)
def test_a8_a_message_between_two_looks_makes_the_second_one_no_earlier(open_shop: OpenShop, name: str) -> None:
    beside = open_beside(open_shop, name)
    created, local = beside.create(), beside.shop.local
    local.shop.update_order(beside.order, customer_note="Ring twice.")
    local.shop.deliver_due()
    local.clock.advance(20)
    assert local.create("payable_2").status_code == 200  # which is swept 20 s later
    local.shop.delete(beside.order)
    local.clock.advance(40)
    all_jobs_but_messages(local)
    local.work()
    pass_time(local, 20)
    assert "closed" not in beside.kinds()
    pass_time(local, 60)
    is_closed(beside, created)


def all_jobs_but_messages(local: Local) -> None:
    while run_jobs(local.bridge.services):
        pass
