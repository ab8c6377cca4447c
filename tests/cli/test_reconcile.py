"""Provider against bridge against shop: what is healed, what a person must do, and that no money moves."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bridge.simulators.faults import Fault
from bridge.storage.tables import outbox
from bridge.worker.periodic_jobs import run_jobs
from tests.cli.operator import CREATE, operate, operate_json, unknown
from tests.plugins.local import Local, MakeLocal


@pytest.fixture
def stripe(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect")


def reconcile(local: Local, *arguments: str, code: int = 0) -> dict:  # type: ignore[type-arg]
    [report] = operate_json(local, "reconcile", *arguments, code=code)
    return dict(report)


def kinds(report: dict) -> list[tuple[str, bool]]:  # type: ignore[type-arg]
    return [(each["kind"], each["healed"]) for each in report["differences"]]


def paid_at_stripe(local: Local, order_key: str, site: str) -> dict[str, Any]:
    """A payment that somebody else has made for an order of this number, of whichever shop."""
    wanted = {
        "currency": "usd",
        "customer": local.customer,
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "allowed_payment_method_types[0]": "card",
        "metadata[wcpay_bridge_attempt]": "f" * 32,
        "metadata[order_id]": str(local.orders["payable"]),
        "metadata[order_key]": order_key,
        "metadata[site_url]": site,
    }
    made = local.at_stripe("payment_intents", amount=1023, **wanted)
    assert made["status"] == "succeeded"
    return made


def writes(local: Local) -> int:
    assert local.stripe
    return sum(record.method == "POST" for record in local.stripe.requests)


def test_where_all_agree_it_says_so_and_exits_with_0(stripe: Local) -> None:
    for order in ("payable", "payable_2"):
        stripe.create(order)
    stripe.create("payable_3", payment_method="pm_card_chargeDeclined")
    stripe.work()
    report = reconcile(stripe)
    assert (report["payments"], report["orders"], report["agrees"]) == (3, 2, True)
    assert "all agree" in operate(stripe, "reconcile").output


def test_a_copy_of_the_shop_is_not_taken_for_it(stripe: Local) -> None:
    stripe.create()
    stripe.work()
    stripe.shop.url = "https://staging.example"
    report = reconcile(stripe, code=1)
    assert (report["orders"], report["differences"]) == (0, [])
    [problem] = report["problems"]
    assert problem.startswith(
        f"The store says that it is https://staging.example, but was added as {stripe.store.identity}: it is held. "
    )


def test_a_copy_of_the_shop_takes_no_money_before_the_shop_is_itself_again(stripe: Local) -> None:
    itself = stripe.shop.url
    stripe.shop.url = "https://staging.example"
    reconcile(stripe, code=1)
    assert stripe.create().get_json()["data"]["reason"] == "reconcile_first"
    assert "the store is a different one" in operate(stripe, "doctor", code=1).output
    stripe.shop.url = itself
    assert reconcile(stripe)["released"] is True
    assert stripe.create().get_json()["status"] == "succeeded"


def test_a_payment_whose_answer_was_lost_is_found_recorded_and_told(stripe: Local) -> None:
    attempt = unknown(stripe)
    before = writes(stripe)
    assert kinds(reconcile(stripe, code=1)) == [("unknown", True)]
    stripe.work()
    assert stripe.order()["status"] == "processing"
    assert stripe.show(attempt).get_json()["status"] == "succeeded"
    assert writes(stripe) == before
    assert kinds(reconcile(stripe)) == []


def test_refunds_and_their_failures_that_no_message_told_of_reach_the_shop(stripe: Local) -> None:
    charge = stripe.create().get_json()["charge"]["id"]
    stripe.work()
    stripe.at_stripe("refunds", charge=charge, amount=123)
    assert kinds(reconcile(stripe, code=1)) == [("refund", True)]
    stripe.work()
    assert [one["amount"] for one in stripe.shop.refunds(stripe.orders["payable"])] == ["1.23"]
    assert kinds(reconcile(stripe)) == []


def test_a_dispute_that_no_message_told_of_reaches_the_shop(stripe: Local) -> None:
    assert stripe.stripe
    charge = stripe.create().get_json()["charge"]["id"]
    stripe.work()
    dispute = stripe.stripe.dispute(charge)["id"]
    assert kinds(reconcile(stripe, code=1)) == [("dispute", True)]
    stripe.work()
    assert any(dispute in note for note in stripe.notes())
    assert kinds(reconcile(stripe)) == []


def test_a_refund_of_a_payment_that_was_made_before_the_window_is_found_too(stripe: Local) -> None:
    charge = stripe.create().get_json()["charge"]["id"]
    stripe.work()
    stripe.clock.advance(30 * 24 * 3600)
    stripe.at_stripe("refunds", charge=charge, amount=123)
    assert kinds(reconcile(stripe, "--since", "1h", code=1)) == [("refund", True)]


def test_an_order_that_the_shop_shows_unpaid_although_money_is_held_is_told_again(stripe: Local) -> None:
    intent = stripe.create().get_json()["id"]
    with stripe.bridge.services.database.write() as connection:  # the shop was restored from a backup, say
        connection.execute(update(outbox).values(state="delivered", delivered=stripe.clock.now))
    stripe.clock.advance(600)
    assert kinds(reconcile(stripe, code=1)) == [("unpaid", True)]
    assert kinds(reconcile(stripe)) == []
    stripe.work()
    assert stripe.order()["status"] == "processing"
    assert stripe.order()["transaction_id"] == intent
    assert kinds(reconcile(stripe)) == []


def test_an_order_that_staff_made_unpaid_is_for_a_person(stripe: Local) -> None:
    stripe.create()
    stripe.work()
    stripe.shop.update_order(stripe.orders["payable"], status="pending")
    assert kinds(reconcile(stripe, code=1)) == [("unpaid", False)]
    stripe.work()
    assert stripe.order()["status"] == "pending"


def test_a_dead_letter_is_sent_on_its_way_again(stripe: Local) -> None:
    stripe.create()
    stripe.shop_faults.next(Fault.ERROR_503, times=999)
    for _ in range(90):
        stripe.clock.advance(4000)
        stripe.work()
    stripe.shop_faults.clear()
    assert kinds(reconcile(stripe, "--since", "30d", code=1)) == [("undelivered", True)]
    stripe.work()
    assert stripe.order()["status"] == "processing"


def test_a_refund_that_the_shop_has_lost_is_written_down_again(stripe: Local) -> None:
    charge = stripe.create().get_json()["charge"]["id"]
    stripe.post("/wp-json/wc/v3/payments/refund", {"charge_id": charge, "amount": 200, "reason": "too late"})
    stripe.work()
    order = stripe.orders["payable"]
    [made] = stripe.shop.refunds(order)
    stripe.shop.delete_refund(order, made["id"])
    assert kinds(reconcile(stripe, code=1)) == [("refund", True)]
    stripe.work()
    assert [one["amount"] for one in stripe.shop.refunds(order)] == ["2.00"]
    assert stripe.stripe
    assert len(stripe.stripe.ledger.entries("refunded")) == 1


def test_a_second_payment_of_an_order_at_the_provider_is_flagged_and_noted_and_not_sent_back(stripe: Local) -> None:
    paid = stripe.create().get_json()
    stripe.work()
    second = paid_at_stripe(stripe, stripe.order()["order_key"], stripe.store.identity)
    before = writes(stripe)
    report = reconcile(stripe, code=1)
    assert kinds(report) == [("duplicate", False)]
    assert second["id"] in report["differences"][0]["text"]
    stripe.work()
    assert any(second["id"] in note and "It has to be refunded" in note for note in stripe.notes())
    assert writes(stripe) == before
    assert kinds(reconcile(stripe, code=1)) == [("duplicate", False)]
    assert sum(second["id"] in note for note in stripe.notes()) == 1
    [flagged] = operate_json(stripe, "flags", "list")
    assert flagged["payment_intent"] == paid["id"]
    operate(stripe, "flags", "clear", paid["id"], "--reason", "refunded in the dashboard")
    assert operate_json(stripe, "flags", "list") == []


def test_payments_of_other_shops_on_the_same_account_are_left_alone(stripe: Local) -> None:
    paid_at_stripe(stripe, "wc_order_another", "https://other.example")
    assert kinds(reconcile(stripe)) == []
    assert stripe.create().get_json()["status"] == "succeeded"


def test_what_cannot_be_asked_is_said_and_exits_with_1(stripe: Local) -> None:
    stripe.create()
    stripe.work()
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_503, times=99)
    report = reconcile(stripe, code=1)
    assert report["problems"]
    assert "NOT COMPARED" in operate(stripe, "reconcile", code=1).output


def test_the_worker_hears_by_listing_alone_of_a_provider_that_sends_nothing(stripe: Local) -> None:
    while run_jobs(stripe.bridge.services):
        pass
    attempt = unknown(stripe)
    stripe.clock.advance(300)
    while run_jobs(stripe.bridge.services):
        pass
    stripe.work()
    assert stripe.show(attempt).get_json()["status"] == "succeeded"
    assert stripe.order()["status"] == "processing"


def test_a_time_that_is_none_is_refused(stripe: Local) -> None:
    assert "is not a time such as" in operate(stripe, "reconcile", "--since", "yesterday", code=1).stderr


class Restored:
    """A database file that is put back as it was."""

    def __init__(self, local: Local, database_url: str, folder: Path) -> None:
        self.local = local
        self.file = Path(database_url.removeprefix("sqlite:///"))
        self.backup = folder / "backup.db"

    def save(self) -> None:
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(self.backup)) as target:
            source.backup(target)

    def restore(self) -> None:
        self.local.bridge.services.database.close()
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        shutil.copy(self.backup, self.file)


def test_after_a_restore_no_money_moves_until_what_was_forgotten_is_known_again(
    make_local: MakeLocal, sqlite_url: str, tmp_path: Path
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    restored = Restored(local, sqlite_url, tmp_path)
    early = local.create("payable_2").get_json()
    local.work()
    restored.save()
    local.clock.advance(3600)
    told = local.create("payable").get_json()["id"]
    local.work()
    untold = local.create("payable_3").get_json()["id"]
    refund = "/wp-json/wc/v3/payments/refund"
    local.post(refund, {"charge_id": early["charge"]["id"], "amount": 300, "reason": "x"})
    local.clock.advance(600)
    restored.restore()

    assert local.provider_faults
    local.provider_faults.next(Fault.ERROR_503, times=99)
    operate(local, "reconcile", "--after-restore", code=1)
    held = local.create("payable_3")
    assert held.get_json()["data"]["reason"] == "reconcile_first"
    assert held.get_json()["data"]["retryable"] is True
    again = {"charge_id": early["charge"]["id"], "amount": 300, "reason": "y"}
    assert local.post(refund, again).get_json()["data"]["reason"] == "reconcile_first"
    assert (
        operate(local, "doctor", code=1).output.count(
            "The database has been restored, or the store is a different one."
        )
        == 1
    )
    local.provider_faults.clear()

    report = reconcile(local, code=1)
    assert report["released"] is True
    assert sorted(kinds(report)) == [("adopted", True), ("adopted", True), ("refund", True)]
    local.work()
    for order, intent in (("payable", told), ("payable_3", untold)):
        assert local.order(order)["status"] == "processing"
        assert local.order(order)["transaction_id"] == intent
        assert sum(intent in note for note in local.notes(order)) == 1
        assert local.create(order).get_json()["data"]["reason"].startswith("order_")
    assert [one["amount"] for one in local.shop.refunds(local.orders["payable_2"])] == ["3.00"]
    assert len(local.stripe.ledger.entries("captured")) == 3
    assert len(local.stripe.ledger.entries("refunded")) == 1
    assert local.create("payable_4").get_json()["status"] == "succeeded"
    assert local.show(told).get_json()["status"] == "succeeded"


def test_a_worker_releases_restored_stores_by_itself(make_local: MakeLocal, sqlite_url: str, tmp_path: Path) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    restored = Restored(local, sqlite_url, tmp_path)
    restored.save()
    local.clock.advance(60)
    local.create()
    restored.restore()
    from bridge.reconcile.run import hold_all

    assert hold_all(local.bridge.services) == [local.store.id]
    while run_jobs(local.bridge.services):
        pass
    assert local.create("payable_2").get_json()["status"] == "succeeded"
    assert local.create().get_json()["data"]["reason"] == "order_paid"


def test_a_person_can_release_a_store_of_which_not_everything_can_be_compared(stripe: Local) -> None:
    from bridge.reconcile.run import hold_all

    hold_all(stripe.bridge.services)
    assert stripe.create().get_json()["data"]["reason"] == "reconcile_first"
    assert operate(stripe, "reconcile", "--release", code=2)
    operate(stripe, "reconcile", "--release", "--store", stripe.store.id)
    assert stripe.create().get_json()["status"] == "succeeded"


def test_nothing_is_sent_to_a_provider_for_a_restored_store(stripe: Local) -> None:
    from bridge.reconcile.run import hold_all

    hold_all(stripe.bridge.services)
    stripe.create()
    assert stripe.stripe
    assert [r for r in stripe.stripe.requests if f"{r.method} {r.path}" == CREATE] == []


def test_somebody_who_has_used_a_restored_database_says_when_its_backup_was_made(
    make_local: MakeLocal, sqlite_url: str, tmp_path: Path
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    restored = Restored(local, sqlite_url, tmp_path)
    restored.save()
    local.clock.advance(60)
    lost = local.create().get_json()["id"]
    local.clock.advance(5 * 3600)
    restored.restore()
    local.create("payable_2")
    local.work()
    report = reconcile(local, "--after-restore", "--since", "6h", code=1)
    assert [(each["kind"], each["payment"]) for each in report["differences"]] == [("adopted", lost)]
    assert report["released"]


def test_the_sandbox_is_reconciled_like_any_provider(local: Local) -> None:
    attempt = local.create(payment_method="pm_sandbox_lost_answer").get_json()["data"]["attempt_id"]
    local.clock.advance(60)
    assert kinds(reconcile(local, code=1)) == [("unknown", True)]
    local.work()
    assert local.show(attempt).get_json()["status"] == "succeeded"
    assert local.order()["status"] == "processing"
    assert kinds(reconcile(local)) == []
