"""A store that switches its webhooks off has them put back, and its owner is told (A8)."""

from itertools import pairwise
from typing import Any

import pytest

from bridge.operations.webhook_registration import register_webhooks
from bridge.worker.periodic_jobs import run_jobs
from tests.plugins.local import Local, MakeLocal

OURS = "http://127.0.0.1"


@pytest.fixture
def local(make_local: MakeLocal, database_url: str) -> Local:
    made = make_local(database_url)
    register_webhooks(made.bridge.services.at(made.bridge.services.stores.store(made.store.id)), OURS)
    return made


def statuses(local: Local) -> dict[str, str]:
    return {each["topic"]: each["status"] for each in local.shop.webhooks()}


def set_status(local: Local, topic: str, status: str) -> None:
    (webhook,) = [each["id"] for each in local.shop.webhooks() if each["topic"] == topic]
    local.shop.set_webhook_status(webhook, status)


def pass_time(local: Local, seconds: float) -> None:
    local.clock.advance(seconds)
    while run_jobs(local.bridge.services):
        pass


def told(local: Local) -> list[str]:
    """What is wrong, as `stores check` says."""
    found = local.bridge.check_store(local.store)
    return [finding.text for finding in found if not finding.ok]


def test_a8_what_the_store_has_switched_off_is_put_back_within_the_hour_and_told(
    local: Local, caplog: pytest.LogCaptureFixture
) -> None:
    local.create()
    assert told(local) == []
    set_status(local, "order.updated", "disabled")
    assert [text for text in told(local) if "switched off its webhook for order.updated" in text]
    pass_time(local, 2 * 3600)
    assert set(statuses(local).values()) == {"active"}
    assert f"store {local.store.id} had switched webhooks off, and they were put back: order.updated" in caplog.text
    (text,) = told(local)
    assert "switched its webhooks off 1 times in a day" in text
    pass_time(local, 25 * 3600)
    assert told(local) == []


def test_a8_they_are_put_back_at_most_once_an_hour_and_three_times_a_day(local: Local) -> None:
    local.create()
    put_back: list[float] = []
    for _ in range(80):
        set_status(local, "order.deleted", "disabled")
        pass_time(local, 900)
        if statuses(local)["order.deleted"] == "active":
            put_back.append(local.clock.now)
    assert len(put_back) == 3
    assert all(later - earlier >= 3600 for earlier, later in pairwise(put_back))
    pass_time(local, 24 * 3600)
    assert statuses(local)["order.deleted"] == "active"


@pytest.mark.parametrize("status", ["paused", "active"])
def test_a8_what_staff_have_paused_and_what_is_well_is_left_alone(local: Local, status: str) -> None:
    local.create()
    set_status(local, "order.updated", status)
    before = len([each for each in local.shop.requests if each.method == "PUT" and "webhooks" in each.path])
    pass_time(local, 26 * 3600)
    assert statuses(local)["order.updated"] == status
    assert len([each for each in local.shop.requests if each.method == "PUT" and "webhooks" in each.path]) == before
    assert told(local) == []


def test_a8_one_that_is_gone_is_told_and_not_made_again(local: Local) -> None:
    (gone,) = [each["id"] for each in local.shop.webhooks() if each["topic"] == "order.restored"]
    local.shop.delete_webhook(gone)
    pass_time(local, 2 * 3600)
    (text,) = told(local)
    assert "no longer has a webhook for order.restored" in text
    assert f"wcpay-bridge webhooks register {local.store.id}" in text


def test_a8_another_ones_webhooks_are_left_alone(local: Local) -> None:
    local.create()
    other = local.shop.add_webhook("order.updated", "https://elsewhere.example/hook")
    local.shop.set_webhook_status(other, "disabled")
    pass_time(local, 26 * 3600)
    assert [each["status"] for each in local.shop.webhooks() if "elsewhere" in each["delivery_url"]] == ["disabled"]
    assert told(local) == []


def test_a8_a_store_without_any_is_told_how_but_not_blamed(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    found: list[Any] = [each for each in local.bridge.check_store(local.store) if "webhooks register" in each.text]
    assert [each.ok for each in found] == [True]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://old.example", "no longer to this bridge"),
        ("https://bridge.example:8443", "WordPress does not call port 8443"),
    ],
)
def test_a8_an_address_that_cannot_work_is_told(make_local: MakeLocal, database_url: str, url: str, words: str) -> None:
    local = make_local(database_url)
    register_webhooks(local.bridge.services.at(local.bridge.services.stores.store(local.store.id)), url)
    assert any(words in text for text in told(local))


@pytest.mark.parametrize("port", [":80", ":443", ":8080", ""])
def test_a8_an_address_that_wordpress_calls_is_well(make_local: MakeLocal, database_url: str, port: str) -> None:
    local = make_local(database_url)
    register_webhooks(
        local.bridge.services.at(local.bridge.services.stores.store(local.store.id)),
        f"https://bridge.example{port}",
    )
    assert not any("WordPress does not call" in text for text in told(local))
