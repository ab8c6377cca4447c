"""Both Fortes without messages: a bridge outside the project hears by listing, one that was away has them repeated."""

from bridge.payments.jobs import run_jobs
from bridge.simulators.faults import Fault
from tests.cli.operator import operate_json
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


def test_ten_minutes_without_forte_are_healed_when_it_is_back(platform: Shop) -> None:
    all_jobs(platform)
    created = platform.create()
    platform.local.work()
    pay(platform)
    platform.faults.next(Fault.ERROR_503, times=9999)
    for _ in range(10):
        platform.local.clock.advance(61)
        all_jobs(platform)
        platform.local.work()
    assert platform.status() != "processing"
    platform.faults.clear()
    platform.local.clock.advance(70)
    all_jobs(platform)
    platform.local.work()
    assert platform.status() == "processing"
    assert story(platform, created["id"])["flag"] is None


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


def test_a_store_whose_provider_does_not_list_stays_held_after_a_restore(widget: Shop) -> None:
    [report] = operate_json(widget.local, "reconcile", "--after-restore")
    assert report["released"] is False
    assert any("reconcile --store" in remark and "--release" in remark for remark in report["remarks"])
    assert widget.local.create(widget.order).get_json()["data"]["reason"] == "reconcile_first"


def test_after_an_outage_of_ours_forte_payments_is_asked_to_send_its_messages_again(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    all_jobs(shop)
    assert shop.get(shop.create()["pay_url"]).status_code == 303
    shop.forte.spoil_next_webhook(lambda _webhook: None)
    shop.forte.approve(shop.forte.intents[0].id)
    shop.forte.deliver_due()
    shop.local.clock.advance(300)
    all_jobs(shop)
    shop.forte.deliver_due()
    assert letters(shop) == []
    shop.local.clock.advance(3600)
    all_jobs(shop)
    hear(shop)
    assert letters(shop) == [("payment_approved", "done")]
    assert shop.status() == "processing"
