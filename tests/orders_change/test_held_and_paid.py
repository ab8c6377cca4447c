"""Money that is held or taken while its order goes its own way: A4, A5, A9 to A13, A15, B10."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge.inbound import order_changes
from bridge.inbound.provider_inbox import SECONDS_BETWEEN_READS
from bridge.operations import webhook_registration
from bridge.operations.why import why
from bridge.reconcile.run import reconcile
from bridge.simulators.faults import Fault
from bridge.simulators.server import serve
from tests.cli.operator import operate_json
from tests.orders_change.conftest import BANK, Beside
from tests.orders_change.test_sweep import pass_time
from tests.payments.orders import PAYMENTS, at, hint
from tests.plugins.local import ACCOUNT, Local, MakeLocal, refusal

ADAPTERS: dict[str, tuple[str, dict[str, str]]] = {
    "sandbox": ("sandbox", {}),
    "stripe direct": ("stripe_connect", {}),
    "stripe destination": ("stripe_connect", {"charge_type": "destination"}),
}
Open = Callable[..., Local]


@pytest.fixture(params=ADAPTERS)
def make(request: pytest.FixtureRequest, make_local: MakeLocal, sqlite_url: str) -> Any:
    """A store at every adapter that can hold money, which tells the bridge what happens to its orders."""
    adapter, settings = ADAPTERS[request.param]
    servers = []

    def make(capture: str = "automatic", **more: Any) -> Local:
        made = make_local(sqlite_url, adapter, capture=capture, settings=settings or None, **more)
        server = serve(made.app)
        servers.append(server)
        webhook_registration.register_webhooks(made.bridge.services.at(made.store), server.__enter__().url)
        made.work()
        return made

    yield make
    for server in servers:
        server.__exit__(None, None, None)


def happens(local: Local) -> None:
    for _ in range(3):
        local.shop.deliver_due()
        local.work()


def flag(local: Local) -> str:
    return str(why(local.bridge.services, str(local.orders["payable"]))[-1]["flag"] or "")


def kinds(local: Local) -> list[str]:
    return [event["kind"] for event in why(local.bridge.services, str(local.orders["payable"]))[-1]["events"]]


def writes(local: Local) -> list[str]:
    return [record.method for record in local.shop.requests if f"/orders/{local.orders['payable']}" in record.path]


def pays(local: Local, intent: str) -> None:
    """The buyer passes the bank's question."""
    if local.stripe:
        local.stripe.authenticate(intent)
    else:
        local.bridge.services.stores.adapter(local.store).authenticate(intent, True)  # type: ignore[attr-defined]
    hint(local, intent)


CHALLENGE = {"sandbox": "pm_card_authenticationRequired", "stripe_connect": "pm_card_threeDSecure2Required"}


# --- A4: the first write


def test_a4_a_paid_order_costs_the_store_one_read_and_one_write(make: Open) -> None:
    local = make()
    local.create()
    local.work()
    assert writes(local) == ["GET", "PUT"]


@pytest.mark.parametrize("seconds", [0, 7, 29])
@pytest.mark.parametrize("change", ["paid otherwise", "more", "cancelled", "another currency"])
def test_a4_what_the_buyer_confirms_later_looks_before_it_writes(
    make_local: MakeLocal, sqlite_url: str, change: str, seconds: int
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    created = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
    local.work()
    local.clock.advance(seconds)
    order = local.orders["payable"]
    if change == "paid otherwise":
        local.shop.update_order(order, status="processing", payment_method="bacs", transaction_id="BANK1")
    else:
        fields = {
            "more": {"total": "20.00"},
            "cancelled": {"status": "cancelled"},
            "another currency": {"currency": "EUR"},
        }
        local.shop.update_order(order, **fields[change])
    before = local.order()
    pays(local, created["id"])
    local.work()
    after = local.order()
    assert local.show(created["id"]).get_json()["status"] == "succeeded"
    assert [after[name] for name in ("status", "transaction_id")] == [
        before[name] for name in ("status", "transaction_id")
    ]
    assert "not fulfilled" in flag(local)


@pytest.mark.parametrize(("seconds", "asked"), [(4, ["GET", "PUT"]), (6, ["GET", "GET", "PUT"])])
def test_a4_a_first_write_that_begins_late_looks_first(make: Open, seconds: int, asked: list[str]) -> None:
    local = make()
    local.create()
    local.clock.advance(seconds)
    local.work()
    assert writes(local) == asked


def test_a4_an_outcome_that_was_unknown_is_never_written_blindly(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.provider_faults
    local.provider_faults.next(Fault.DROPPED, times=9, match="POST /v1/payment_intents")
    local.create()
    local.provider_faults.clear()
    local.clock.advance(60)
    local.shop.update_order(local.orders["payable"], total="20.00")
    local.work()
    assert local.order()["status"] == "pending"


# --- A5: native notes


def test_a5_money_that_was_booked_right_before_our_first_write_is_found_by_the_stores_own_notes(make: Open) -> None:
    local = make()
    local.create("payable_2")
    happens(local)
    local.clock.advance(60)
    order = local.orders["payable"]
    local.create()
    local.shop.update_order(
        order, status="processing", payment_method="cod", payment_method_title="Cash", transaction_id="CASH-1"
    )
    local.work()
    happens(local)
    assert local.order()["transaction_id"].startswith("pi_")
    assert flag(local)


def test_a5_the_notes_of_a_payment_are_read_once_and_an_ordinary_one_is_not_flagged(make: Open) -> None:
    local = make()
    local.create()
    happens(local)
    path = f"/orders/{local.orders['payable']}/notes"
    for _ in range(3):
        local.shop.update_order(local.orders["payable"], customer_note="hello")
        happens(local)
    assert sum(record.path.endswith(path) and record.method == "GET" for record in local.shop.requests) == 1
    assert flag(local) == ""


def test_a5_a_captured_authorisation_needs_no_note(make: Open) -> None:
    local = make()
    local.create("payable_2")
    happens(local)
    local.clock.advance(1)
    local.store = local.bridge.update_store(replace(local.store, capture="manual"))
    local.clock.advance(10)
    intent = local.create().get_json()["id"]
    happens(local)
    assert at(local, "capture_authorization", "payable", intent).status_code == 200
    happens(local)
    assert (local.show(intent).get_json()["status"], flag(local)) == ("succeeded", "")


def test_a5_a_store_that_never_wrote_such_notes_is_not_flagged_for_it(make: Open) -> None:
    """Older versions of WooCommerce write none."""
    local = make()
    local.create()
    local.work()
    order = local.shop._shop.orders[local.orders["payable"]]
    order.notes = [note for note in order.notes if "Payment via" not in note.text]
    happens(local)
    assert (local.order()["status"], flag(local)) == ("processing", "")


# --- A10, A11, A12: what is authorised


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"total": "20.00"}, "more than was authorised"),
        ({"currency": "EUR"}, "is in EUR now"),
        ({"status": "processing"}, "goods may leave unpaid"),
        ({"status": "refunded"}, "was refunded"),
        ({"status": "failed"}, "has failed"),
        ({"order_key": "wc_order_restored"}, "another order now"),
        ({"total": "0.00"}, "owes nothing"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a11_a12_an_authorised_order_that_ends_or_changes_is_flagged_at_the_edit(
    make: Open, change: dict[str, str], words: str
) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    happens(local)
    local.shop.update_order(local.orders["payable"], **change)
    happens(local)
    assert words in flag(local)
    assert local.show(intent).get_json()["status"] == "requires_capture"


@pytest.mark.parametrize("after", ["cancelled", "captured", "put right"])
def test_a11_an_order_that_staff_put_on_hold_before_it_was_told_of_its_money_stays_flagged(
    make: Open, after: str
) -> None:
    local = make("manual")
    order = local.orders["payable"]
    intent = local.create().get_json()
    assert intent["status"] == "requires_capture"
    local.shop.update_order(order, status="on-hold")
    happens(local)
    for _ in range(3):
        assert flag(local).startswith("authorized: ")
        pass_time(local, 61)
    report = reconcile(local.bridge.services, local.store.id, local.clock() - 3600)
    assert [difference.kind for difference in report.differences] == ["order"]
    if after == "captured":  # whoever takes what is held has decided
        assert at(local, "capture_authorization", "payable", intent["id"]).status_code == 200
        happens(local)
        assert why(local.bridge.services, str(order))[-1]["status"] == "succeeded"
        assert flag(local).startswith("order: ")
        return
    local.shop.update_order(order, status="cancelled" if after == "cancelled" else "pending")
    happens(local)
    assert why(local.bridge.services, str(order))[-1]["status"] == (
        "canceled" if after == "cancelled" else "requires_capture"
    )
    assert flag(local) == ""


def test_a12_an_order_on_hold_for_its_own_money_needs_nobody(make: Open) -> None:
    local = make("manual")
    local.create()
    happens(local)
    assert local.shop.order(local.orders["payable"])["status"] == "on-hold"
    pass_time(local, 61)
    assert flag(local) == ""


def test_a12_a_refund_line_is_flagged_and_less_is_captured(make: Open) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    happens(local)
    local.shop.refund(local.orders["payable"], "2.00")
    happens(local)
    assert "has refunds of 2.00 USD" in flag(local)
    assert at(local, "capture_authorization", "payable", intent).status_code == 200
    happens(local)
    shown = local.show(intent).get_json()
    assert (shown["charge"]["amount_captured"], local.order()["status"]) == (823, "processing")
    assert flag(local) == ""


@pytest.mark.parametrize("end", ["completed", "capture"])
def test_a12_a_lower_total_is_captured_and_needs_nobody(make: Open, end: str) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    happens(local)
    local.shop.update_order(local.orders["payable"], total="8.00")
    happens(local)
    assert flag(local) == ""
    if end == "completed":
        local.shop.update_order(local.orders["payable"], status="completed")
    else:
        at(local, "capture_authorization", "payable", intent)
    happens(local)
    assert local.show(intent).get_json()["charge"]["amount_captured"] == 800
    assert flag(local) == ""


@pytest.mark.parametrize("how", ["another gateway", "cash"])
def test_a12_an_authorised_order_that_was_paid_otherwise_is_neither_captured_nor_voided(make: Open, how: str) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    happens(local)
    paid = {"payment_method": "bacs", "status": "completed"}
    local.shop.update_order(local.orders["payable"], **paid | ({"transaction_id": "BANK1"} if how != "cash" else {}))
    happens(local)
    assert local.show(intent).get_json()["status"] == "requires_capture"
    assert "paid otherwise" in flag(local)
    answer = at(local, "capture_authorization", "payable", intent)
    assert refusal(answer)[:2] == (409, "wcpay_payment_uncapturable")
    assert local.show(intent).get_json()["status"] == "requires_capture"
    assert at(local, "cancel_authorization", "payable", intent).status_code == 200
    happens(local)
    assert flag(local) == ""


def test_a10_a_flag_about_an_order_goes_when_staff_put_it_right(make: Open) -> None:
    local = make("manual")
    local.create()
    happens(local)
    order = local.orders["payable"]
    for wrong, right in (({"total": "20.00"}, {"total": "10.23"}), ({"currency": "EUR"}, {"currency": "USD"})):
        local.shop.update_order(order, **wrong)
        happens(local)
        assert flag(local)
        local.shop.update_order(order, **right)
        local.clock.advance(SECONDS_BETWEEN_READS)
        happens(local)
        assert flag(local) == ""
    local.shop.trash(order)
    happens(local)
    assert "trash" in flag(local)
    local.shop.restore(order)
    local.clock.advance(SECONDS_BETWEEN_READS)
    happens(local)
    assert flag(local) == ""
    assert kinds(local).count("flag_settled") == 3


def test_a10_money_for_an_order_that_comes_out_of_the_trash_pays_it_and_needs_nobody(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    with serve(local.app) as server:
        webhook_registration.register_webhooks(local.bridge.services.at(local.store), server.url)
        created = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
        local.work()
        local.shop.trash(local.orders["payable"])
        pays(local, created["id"])
        happens(local)
        assert "trash" in flag(local)
        local.shop.restore(local.orders["payable"])
        happens(local)
        assert (local.order()["status"], flag(local)) == ("processing", "")
        assert "flag_settled" in kinds(local)


def test_a10_money_that_was_sent_back_whole_needs_nobody(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    created = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
    local.work()
    local.shop.update_order(local.orders["payable"], status="cancelled")
    pays(local, created["id"])
    local.work()
    assert flag(local)
    assert (
        local.post(f"{PAYMENTS}/refund", {"charge_id": created_charge(local, created), "amount": 1023}).status_code
        == 200
    )
    local.work()
    assert flag(local) == ""
    assert "flag_settled" in kinds(local)


def created_charge(local: Local, created: dict[str, Any]) -> str:
    return str(local.show(created["id"]).get_json()["charge"]["id"])


# --- A9, A11: reconciliation


@pytest.mark.parametrize(
    "change", [{"currency": "EUR"}, {"total": "20.00"}, {"order_key": "wc_order_restored"}], ids=str
)
def test_a9_what_is_flagged_and_unchanged_needs_a_person_and_no_further_note(
    make_local: MakeLocal, sqlite_url: str, change: dict[str, str]
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    created = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
    local.work()
    local.shop.update_order(local.orders["payable"], **change)
    pays(local, created["id"])
    local.work()
    notes = local.notes()
    for _ in range(3):
        local.clock.advance(60)
        report = reconcile(local.bridge.services, local.store.id, local.clock() - 3600)
        assert [difference.healed for difference in report.differences] == [False]
        local.work()
    assert local.notes() == notes


def test_a9_a_refund_that_staff_deleted_needs_a_person_and_no_further_note(make: Open) -> None:
    local = make(options={"store_refunds": "execute"})
    intent = local.create().get_json()["id"]
    happens(local)
    order = local.orders["payable"]
    refund = local.shop.refund(order, "3.00")
    happens(local)
    assert local.show(intent).get_json()["charge"]["amount_refunded"] == 300
    local.shop.delete_refund(order, refund)
    notes = local.notes()
    for _ in range(3):
        local.clock.advance(60)
        report = reconcile(local.bridge.services, local.store.id, local.clock() - 3600)
        assert [(each.kind, each.healed) for each in report.differences] == [("refund", False)]
        local.work()
    assert (local.notes(), local.shop.refunds(order)) == (notes, [])


def test_a9_a_refund_that_the_order_cannot_have_any_more_is_noted_once(make: Open) -> None:
    """Its total was lowered below what was sent back."""
    local = make()
    local.create()
    happens(local)
    order = local.orders["payable"]
    local.shop.update_order(order, total="2.00")
    assert local.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 300}).status_code == 200
    happens(local)
    notes = local.notes()
    for _ in range(3):
        local.clock.advance(60)
        report = reconcile(local.bridge.services, local.store.id, local.clock() - 3600)
        assert {each.healed for each in report.differences} == {False}
        local.work()
    assert local.notes() == notes


@pytest.mark.parametrize(
    ("status", "words"),
    [("cancelled", "cancelled, still held"), ("completed", "completed, not captured"), ("processing", "not captured")],
)
def test_a11_reconcile_names_what_the_store_did_while_nobody_told(
    make_local: MakeLocal, sqlite_url: str, status: str, words: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = local.create().get_json()["id"]
    local.work()
    local.shop.update_order(local.orders["payable"], status=status)
    report = reconcile(local.bridge.services, local.store.id, local.clock() - 3600)
    assert [(each.kind, words in each.text, each.healed) for each in report.differences] == [("held", True, False)]
    assert local.show(intent).get_json()["status"] == "requires_capture"
    assert flag(local)


def test_a11_doctor_names_goods_that_may_leave_unpaid(make: Open) -> None:
    local = make("manual")
    local.create()
    happens(local)
    local.shop.update_order(local.orders["payable"], status="processing")
    happens(local)
    told = [check["text"] for check in operate_json(local, "doctor", code=1) if check["about"] == "flags"]
    assert len(told) == 1
    assert "goods may leave unpaid" in told[0]


# --- A13: refunds and disputes


@pytest.mark.parametrize("inquiry", [True, False], ids=["inquiry", "dispute"])
@pytest.mark.parametrize("by", ["the API", "staff"])
def test_a13_a_refund_while_a_dispute_is_open_is_refused_before_the_call(
    make_local: MakeLocal, sqlite_url: str, by: str, inquiry: bool
) -> None:
    local = make_local(sqlite_url, "stripe_connect", options={"store_refunds": "execute"})
    assert local.stripe
    intent = local.create().get_json()["id"]
    local.work()
    charge = local.stripe.find(intent)["latest_charge"]
    local.stripe.dispute(charge, inquiry=inquiry)
    hint(local, intent)
    local.work()
    order = local.orders["payable"]
    before = sum(record.path == "/v1/refunds" for record in local.stripe.requests)
    if by == "the API":
        answer = local.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 1023})
        if not inquiry:
            assert answer.get_json()["data"]["reason"] == "disputed"
            assert "disputed" in answer.get_json()["message"]
    else:
        local.shop.refund(order, "10.23")
        order_changes.apply_order_event(local.bridge.services.at(local.store), order)
        if not inquiry:
            assert "could not be carried out" in flag(local)
    asked = sum(record.path == "/v1/refunds" for record in local.stripe.requests) - before
    assert asked == (1 if inquiry else 0)
    assert local.show(intent).get_json()["charge"]["amount_refunded"] == (1023 if inquiry else 0)


# --- A15: slow methods


@pytest.mark.parametrize("how", ["at once", "after the bank's question"])
def test_a15_the_order_of_a_slow_payment_is_on_hold_at_once(make_local: MakeLocal, sqlite_url: str, how: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    assert local.stripe
    card = "pm_card_visa" if how == "at once" else "pm_card_threeDSecure2Required"
    method = local.stripe.add_payment_method(card, local.customer, ACCOUNT)
    local.stripe.answer_later(method)
    created = local.create(payment_method=method).get_json()
    local.work()
    if how != "at once":
        pays(local, created["id"])
        local.work()
    assert local.show(created["id"]).get_json()["status"] == "processing"
    assert local.order()["status"] == "on-hold"
    assert flag(local) == ""


# --- B10: nothing is left


def test_b10_an_order_of_which_nothing_is_left_does_not_stand_as_paid(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    order = local.orders["payable"] = local.shop.add_order(total="20.00")
    intent = local.create().get_json()["id"]
    local.work()
    local.at_stripe(f"payment_intents/{intent}/capture", amount_to_capture=500)
    hint(local, intent)
    local.work()
    assert local.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 500}).status_code == 200
    local.work()
    assert local.order()["status"] == "refunded" or "nothing is left of what was captured" in flag(local)
    local.shop.update_order(order, status="refunded")
    order_changes.apply_order_event(local.bridge.services.at(local.store), order)
    assert "nothing is left" not in flag(local)


def test_store_messages_about_nothing_that_has_changed_change_nothing(beside: Beside) -> None:
    created = beside.create()
    for _ in range(3):
        beside.shop.local.shop.update_order(beside.order, customer_note="please hurry")
        beside.happens()
    assert beside.show(created)["pay_url"]
    assert beside.flag() == ""
    assert BANK["transaction_id"] not in beside.kinds()
