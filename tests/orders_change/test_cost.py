"""What a payment costs the store: counted there, request by request."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.operations.webhook_registration import register_webhooks
from bridge.simulators.server import serve
from bridge.worker.periodic_jobs import run_jobs
from tests.orders_change.conftest import Beside, OpenShop, open_beside
from tests.orders_change.test_page import press
from tests.orders_change.test_sweep import LIST
from tests.plugins.local import Local, MakeLocal


def asked(local: Local, order: int) -> list[str]:
    """What was asked about an order, as method and path below it; lists that name it, too, as `orders`."""
    path = f"/wp-json/wc/v3/orders/{order}"
    return [
        f"{each.method} {each.path.removeprefix(path)}".strip()
        for each in local.shop.requests
        if each.path == path or each.path.startswith(f"{path}/") or "include" in each.query
    ]


def pass_time(local: Local, seconds: float) -> None:
    local.clock.advance(seconds)
    while run_jobs(local.bridge.services):
        pass
    local.work()


@pytest.fixture(params=["sandbox", "stripe_connect"])
def local(request: pytest.FixtureRequest, make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, request.param)


@pytest.fixture
def telling(local: Local) -> Iterator[Local]:
    """A store that tells what happens to its orders."""
    with serve(local.app) as server:
        register_webhooks(local.bridge.services.at(local.bridge.services.stores.store(local.store.id)), server.url)
        hear(local)
        yield local


def hear(local: Local) -> None:
    local.shop.deliver_due()
    local.work()


def test_a_paid_order_costs_one_read_and_one_write_until_it_is_told_and_two_reads_behind_that(telling: Local) -> None:
    order = telling.orders["payable"]
    assert telling.create().get_json()["status"] == "succeeded"
    assert asked(telling, order) == ["GET"]
    telling.work()
    assert asked(telling, order) == ["GET", "PUT"]
    for _ in range(3):
        hear(telling)
        telling.clock.advance(60)
    assert asked(telling, order)[2:] == ["GET", "GET /notes"]


def test_a_paid_order_of_a_store_that_tells_nothing_is_looked_at_once_a_day(local: Local) -> None:
    order = local.orders["payable"]
    local.create()
    local.work()
    for _ in range(24):
        pass_time(local, 600)
    assert Counter(asked(local, order)[2:]) <= Counter({"GET": 1, "GET /notes": 1})
    pass_time(local, 25 * 3600)
    looks = Counter("GET" if each == f"GET {LIST}" else each for each in asked(local, order)[2:])
    assert looks <= Counter({"GET": 2, "GET /notes": 1})


@pytest.fixture(params=["sandbox", "stripe direct", "forte redirect", "forte platform"])
def silent(request: pytest.FixtureRequest, open_shop: OpenShop) -> Beside:
    return open_beside(open_shop, request.param)


def test_a_buyer_costs_one_read_per_show_and_one_per_press(silent: Beside) -> None:
    created: dict[str, Any] = silent.create()
    silent.happens()
    local, url = silent.shop.local, created["pay_url"]
    shows = 0
    for seconds in (11, 3, 3, 11):
        local.clock.advance(seconds)
        before = silent.reads()
        silent.shop.get(f"{url}?look")
        silent.shop.stage(url)
        shows += silent.reads() - before
    assert shows == 2
    local.clock.advance(1)
    before = silent.reads()
    assert press(silent, url).status_code in (200, 303)
    assert silent.reads() == before + 1
