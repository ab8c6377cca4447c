"""Both Fortes without messages: a bridge outside the project hears by listing, one that was away has them repeated."""

from pathlib import Path

import pytest

from bridge.simulators.faults import Fault
from bridge.worker.periodic_jobs import run_jobs
from tests.cli.operator import operate_json
from tests.cli.test_reconcile import Restored
from tests.forte.conftest import OpenShop, Shop, hear, letters, open_shop, pay, platform, story, widget

__all__ = ["OpenShop", "open_shop", "platform", "widget"]


def all_jobs(shop: Shop) -> None:
    while run_jobs(shop.local.bridge.services):
        pass


def test_a_payment_of_which_no_trigger_tells_reaches_the_shop_within_minutes(platform: Shop) -> None:
    all_jobs(platform)
    platform.create()
    platform.local.work()
    pay(platform)
    platform.local.clock.advance(301)
    all_jobs(platform)
    platform.local.work()
    assert platform.status() == "processing"


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_ten_minutes_without_forte_are_healed_when_it_is_back(open_shop: OpenShop, adapter: str) -> None:
    """It is paid meanwhile, and no message tells of it."""
    shop = open_shop(adapter)
    come_back(shop)
    created = shop.create()
    if shop.forte:
        shop.forte.spoil_next_webhook(lambda _webhook: None)
        shop.forte.approve(shop.forte.intents[0].id)
        deliver(shop)
    else:
        pay(shop)
    shop.faults.next(Fault.ERROR_503, times=9999)
    for _ in range(10):
        shop.local.clock.advance(61)
        come_back(shop)
    assert shop.status() == "pending"
    shop.faults.clear()
    shop.local.clock.advance(610)
    come_back(shop)
    assert shop.status() == "processing"
    assert story(shop, created["id"])["flag"] is None


def deliver(shop: Shop) -> list[int | None]:
    """Forte sends what is due; what it is answered, None where nobody answers."""
    return [attempt.status for attempt in (shop.forte or shop.platform).deliver_due()]


def be_away(shop: Shop, minutes: int = 10) -> None:
    """Nobody answers at the bridge, and none of its workers runs; Forte tries all the while."""
    shop.outages.next(Fault.REFUSED, times=9999)
    for _ in range(minutes):
        assert set(deliver(shop)) <= {None}
        shop.local.clock.advance(60)
    shop.outages.clear()


def come_back(shop: Shop) -> None:
    all_jobs(shop)
    shop.local.work()


def test_95_ten_minutes_without_the_bridge_are_healed_although_forte_has_given_its_trigger_up(platform: Shop) -> None:
    service = platform.platform.add_service(platform.local.store.settings["project"], base_url=platform.url)
    platform.adapter.triggers.create("Bridge", service, "/bridge/v1/webhooks/forte")
    come_back(platform)
    created = platform.create()
    pay(platform)
    be_away(platform)
    assert len(platform.platform.sentry) == 1
    assert deliver(platform) == []
    come_back(platform)
    assert platform.status() == "processing"
    assert platform.show(created["id"])["status"] == "succeeded"


@pytest.mark.parametrize("mode", ["widget", "redirect"])
def test_64_ten_minutes_without_the_bridge_are_healed_by_asking_forte_payments(open_shop: OpenShop, mode: str) -> None:
    """In redirect mode by having its messages sent again: nothing else says which payment is an order's."""
    shop = open_shop("forte_payments", mode=mode)
    come_back(shop)
    created = shop.create()
    assert shop.get(created["pay_url"]).status_code == {"widget": 200, "redirect": 303}[mode]
    shop.forte.approve(shop.forte.intents[0].id)
    shop.forte.spoil_next_webhook(lambda _webhook: None)
    be_away(shop)
    come_back(shop)
    if mode == "redirect":
        assert deliver(shop) == [200]
    assert shop.status() == "processing"
    assert shop.show(created["id"])["status"] == "succeeded"


def test_reconcile_tells_what_was_missed_and_that_forte_payments_does_not_list(platform: Shop) -> None:
    platform.create()
    platform.local.work()
    pay(platform)
    [report] = operate_json(platform.local, "reconcile", code=1)
    assert [(each["kind"], each["healed"]) for each in report["differences"]] == [("status", True)]
    platform.local.work()
    assert platform.status() == "processing"
    [report] = operate_json(platform.local, "reconcile")
    assert report["agrees"]


def test_a_restored_database_knows_again_what_was_paid_at_forte_platforms(
    platform: Shop, sqlite_url: str, tmp_path: Path
) -> None:
    restored = Restored(platform.local, sqlite_url, tmp_path)
    restored.save()
    platform.local.clock.advance(3600)
    created = platform.create()
    pay(platform)
    restored.restore()
    [report] = operate_json(platform.local, "reconcile", "--after-restore", code=1)
    assert [(each["kind"], each["healed"]) for each in report["differences"]] == [("adopted", True)]
    assert report["released"]
    assert platform.status() == "processing"
    shown = platform.show(created["id"])
    assert (shown["status"], shown["order"]["number"]) == ("succeeded", str(platform.local.orders["payable"]))
    assert len(platform.platform.payments) == 1


def test_a_store_whose_provider_does_not_list_stays_held_after_a_restore(widget: Shop) -> None:
    [report] = operate_json(widget.local, "reconcile", "--after-restore")
    assert report["released"] is False
    assert any("reconcile --store" in remark and "--release" in remark for remark in report["remarks"])
    assert widget.local.create(widget.order).get_json()["data"]["reason"] == "reconcile_first"


def test_a_message_that_was_lost_in_between_is_asked_for_again_within_a_day(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    all_jobs(shop)
    assert shop.get(shop.create()["pay_url"]).status_code == 303
    shop.forte.spoil_next_webhook(lambda _webhook: None)
    shop.forte.approve(shop.forte.intents[0].id)
    shop.forte.deliver_due()
    for _ in range(24 * 12 + 1):
        assert letters(shop) == []
        shop.local.clock.advance(300)
        all_jobs(shop)
    hear(shop)
    assert letters(shop) == [("payment_approved", "done")]
    assert shop.status() == "processing"
