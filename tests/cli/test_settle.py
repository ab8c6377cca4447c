"""The human way out of an unknown outcome: checked, audited, and only for what is unknown."""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.cli.operator import CREATE, at_provider, operate, operate_json, unknown
from tests.plugins.local import Local, MakeLocal

REASON = ("--reason", "seen in Stripe's dashboard")


@pytest.fixture
def stripe(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect")


def captured(local: Local) -> int:
    assert local.stripe
    return len(local.stripe.ledger.entries("captured"))


def capture(local: Local, intent: str) -> Any:
    route = f"/wp-json/wc/v3/payments/orders/{local.orders['payable']}/capture_authorization"
    return local.post(route, {"payment_intent_id": intent}).get_json()


def unknown_capture(local: Local, fault: Fault) -> str:
    """An authorised payment, named by its id, of whose capture nobody knows the outcome."""
    intent = str(local.create().get_json()["id"])
    local.work()
    assert local.provider_faults
    local.provider_faults.next(fault, times=9, match="/capture")
    assert capture(local, intent)["data"]["outcome"] == "unknown"
    local.provider_faults.clear()
    local.clock.advance(60)
    return intent


def test_a_payment_that_a_person_has_seen_is_settled_as_paid_and_the_shop_hears_of_it(stripe: Local) -> None:
    attempt = unknown(stripe)
    [there] = at_provider(stripe)
    settled = operate_json(stripe, "settle", attempt, "--as", "paid", "--reference", there["id"], *REASON)
    assert settled == {"payment_intent": there["id"], "status": "succeeded", "unknown": False}
    stripe.work()
    assert stripe.order()["status"] == "processing"
    assert stripe.order()["transaction_id"] == there["id"]
    [story] = operate_json(stripe, "why", there["id"])
    [line] = [event for event in story["events"] if event["kind"] == "settled_by_hand"]
    assert line["detail"]["why"] == "seen in Stripe's dashboard"
    assert line["detail"]["who"]
    assert line["detail"]["verdict"] == "paid"
    assert "settled the create as paid" in operate(stripe, "why", there["id"]).output
    assert captured(stripe) == 1


def test_settled_as_not_paid_the_order_is_free_and_the_shop_is_told(stripe: Local) -> None:
    attempt = unknown(stripe, Fault.ERROR_500)
    operate(stripe, "settle", attempt, "--as", "not-paid", "--reason", "the provider's support says so")
    stripe.work()
    assert any("settled by hand as not paid: the provider's support says so" in note for note in stripe.notes())
    assert stripe.create(payment_method="pm_card_mastercard").get_json()["status"] == "succeeded"
    assert captured(stripe) == 1


def test_not_paid_is_refused_while_the_provider_shows_the_payment(stripe: Local) -> None:
    attempt = unknown(stripe)
    told = operate(stripe, "settle", attempt, "--as", "not-paid", *REASON, code=1)
    assert "The provider shows it" in told.stderr
    assert stripe.show(attempt).get_json()["outcome"] == "unknown"


def test_what_is_known_cannot_be_settled(stripe: Local) -> None:
    paid = stripe.create().get_json()["id"]
    told = operate(stripe, "settle", paid, "--as", "not-paid", *REASON, code=1)
    assert "is known: it is succeeded" in told.stderr
    assert stripe.show(paid).get_json()["status"] == "succeeded"


def test_another_orders_payment_another_attempts_and_an_unknown_reference_are_refused(stripe: Local) -> None:
    other = stripe.create("payable_2").get_json()["id"]
    another = unknown(stripe, order="payable_3")
    [of_another, _] = at_provider(stripe)
    attempt = unknown(stripe, Fault.ERROR_500)
    for reference, said in (
        (other, "is the payment of another order"),
        (of_another["id"], "belongs to another attempt"),
        ("pi_nowhere", "does not know the payment pi_nowhere"),
    ):
        told = operate(stripe, "settle", attempt, "--as", "paid", "--reference", reference, *REASON, code=1)
        assert said in told.stderr
    assert stripe.show(attempt).get_json()["outcome"] == "unknown"
    assert stripe.show(another).get_json()["outcome"] == "unknown"


def test_a_word_is_taken_only_where_the_provider_cannot_be_asked_and_only_on_request(stripe: Local) -> None:
    attempt = unknown(stripe)
    [there] = at_provider(stripe)
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_503, times=99)
    paid = ("settle", attempt, "--as", "paid", "--reference", there["id"], *REASON)
    assert "could not be asked" in operate(stripe, *paid, code=1).stderr
    operate(stripe, *paid, "--unchecked")
    stripe.work()
    assert stripe.order()["status"] == "processing"
    [story] = operate_json(stripe, "why", attempt)
    assert [e["detail"]["unchecked"] for e in story["events"] if e["kind"] == "settled_by_hand"] == [True]


def test_not_paid_is_not_believed_while_the_provider_cannot_be_asked_unless_on_request(stripe: Local) -> None:
    attempt = unknown(stripe)
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_503, times=99)
    told = operate(stripe, "settle", attempt, "--as", "not-paid", *REASON, code=1)
    assert "could not be asked" in told.stderr
    assert stripe.show(attempt).get_json()["outcome"] == "unknown"
    operate(stripe, "settle", attempt, "--as", "not-paid", *REASON, "--unchecked")
    assert stripe.show(attempt).get_json()["status"] == "canceled"


def test_money_that_was_settled_as_not_paid_is_told_to_the_shop_once_and_waits_for_a_person(stripe: Local) -> None:
    attempt = unknown(stripe)
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_503, times=99)
    operate(stripe, "settle", attempt, "--as", "not-paid", *REASON, "--unchecked")
    stripe.provider_faults.clear()
    for _ in range(2):
        operate(stripe, "reconcile", "--since", "1d", code=1)
    stripe.work()
    [flagged] = operate_json(stripe, "flags", "list")
    [story] = operate_json(stripe, "why", attempt)
    [reference] = [event["detail"]["reference"] for event in story["events"] if event["kind"] == "late_payment"]
    assert stripe.at_stripe(f"payment_intents/{reference}", "GET")["status"] == "succeeded"
    assert (
        flagged["flag"] == f"The provider reports succeeded for a payment that was recorded as canceled ({reference})."
    )
    assert len([note for note in stripe.notes() if "was made after all" in note]) == 1
    assert stripe.order()["status"] == "pending"


def test_a_reason_is_needed(stripe: Local) -> None:
    attempt = unknown(stripe)
    assert operate(stripe, "settle", attempt, "--as", "not-paid", code=2)
    assert "Give a reason" in operate(stripe, "settle", attempt, "--as", "not-paid", "--reason", " ", code=1).stderr


def test_an_unknown_refund_is_settled_either_way(stripe: Local) -> None:
    assert stripe.provider_faults
    charge = stripe.create().get_json()["charge"]["id"]
    refund = "/wp-json/wc/v3/payments/refund"
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match="POST /v1/refunds")
    lost = stripe.post(refund, {"charge_id": charge, "amount": 100, "reason": "a"}).get_json()["data"]["attempt_id"]
    stripe.provider_faults.clear()
    stripe.clock.advance(60)
    assert "does not show such a refund" in operate(stripe, "settle", lost, "--as", "paid", *REASON, code=1).stderr
    operate(stripe, "settle", lost, "--as", "not-paid", *REASON)
    stripe.provider_faults.next(Fault.DROPPED, times=9, match="POST /v1/refunds")
    made = stripe.post(refund, {"charge_id": charge, "amount": 200, "reason": "b"}).get_json()["data"]["attempt_id"]
    stripe.provider_faults.clear()
    stripe.clock.advance(60)
    assert "The provider shows it" in operate(stripe, "settle", made, "--as", "not-paid", *REASON, code=1).stderr
    operate(stripe, "settle", made, "--as", "paid", *REASON)
    stripe.work()
    assert [one["amount"] for one in stripe.shop.refunds(stripe.orders["payable"])] == ["2.00"]
    left = stripe.post(refund, {"charge_id": charge, "amount": 824, "reason": "c"}).get_json()
    assert left["message"] == "Invalid refund amount."


def test_an_unknown_capture_is_settled_as_paid(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = unknown_capture(local, Fault.DROPPED)
    operate(local, "settle", intent, "--as", "paid", *REASON)
    local.work()
    assert local.show(intent).get_json()["status"] == "succeeded"
    assert local.order()["status"] == "processing"


def test_a_capture_that_the_provider_does_not_show_is_not_settled_as_paid(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = unknown_capture(local, Fault.ERROR_500)
    told = operate(local, "settle", intent, "--as", "paid", *REASON, code=1)
    assert "does not show that" in told.stderr
    operate(local, "settle", intent, "--as", "not-paid", *REASON)
    assert local.show(intent).get_json()["status"] == "requires_capture"
    assert capture(local, intent)["status"] == "succeeded"
    assert captured(local) == 1


def test_looks_get_rarer_then_a_person_is_asked_and_after_a_month_nobody_looks(stripe: Local) -> None:
    assert stripe.provider_faults
    attempt = unknown(stripe, Fault.ERROR_500)
    stripe.provider_faults.next(Fault.ERROR_500, times=9999)

    def next_look() -> float | None:
        [story] = operate_json(stripe, "why", attempt)
        at = story["unsettled"]["next_check_at"]
        return None if at is None else float(at - stripe.clock.now)

    gaps = []
    for _ in range(80):
        gap = next_look()
        if gap is None:
            break
        gaps.append(gap)
        stripe.clock.advance(max(gap, 0.0) + 1)
        stripe.work()
    else:
        raise AssertionError("it is looked at for ever")
    assert 3600 <= max(gap for gap in gaps[:20]) <= 3960
    assert 24 * 3600 <= max(gaps) <= 26.5 * 3600
    [story] = operate_json(stripe, "why", attempt)
    assert story["flag"] == "The outcome of this payment is unknown for more than a day."
    assert "the bridge has stopped asking: settle it" in operate(stripe, "why", attempt).output
    stripe.provider_faults.clear()
    operate(stripe, "settle", attempt, "--as", "not-paid", *REASON)
    [story] = operate_json(stripe, "why", attempt)
    assert (story["flag"], story["outcome"], story["status"]) == (None, "known", "canceled")


def test_a_create_that_is_under_way_cannot_be_settled_by_hand(stripe: Local) -> None:
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match=CREATE)
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    from bridge.storage import intents

    assert intents.take(stripe.bridge.services.database, attempt, stripe.clock.now, stripe.clock.now + 30)
    told = operate(stripe, "settle", attempt, "--as", "not-paid", *REASON, code=1)
    assert "The bridge is asking the provider" in told.stderr
