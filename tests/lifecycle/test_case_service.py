"""The cases of WooPayments' order service, over HTTP: what each transition does to an order, and does once.

Reference: WooPayments 8.4.0, `tests/unit/test-class-wc-payments-order-service.php`.
"""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.lifecycle.cases import plays
from tests.lifecycle.conftest import LiveIn
from tests.lifecycle.lives import Life
from tests.plugins.local import refusal

GROUP = "order service"


def heard_twice(life: Life, order: int, intent: str) -> None:
    """Hearing of everything once more leaves the order as it is."""
    before = life.shown(order), life.notes(order)
    life.hint(intent)
    assert (life.shown(order), life.notes(order)) == before


@plays(GROUP, "mark_payment_completed", "attach_intent_info_to_order")
@plays(
    GROUP,
    "set_intent_id_for_order",
    "get_intent_id_for_order",
    "set_payment_method_id",
    "get_payment_method_id",
    "set_charge_id",
    "get_charge_id",
    "set_customer_id",
    "get_customer_id",
    "set_wcpay_intent_currency",
    "get_wcpay_intent_currency",
    "set_payment_transaction_id_for_order",
    "attach_transaction_fee_to_order_null_fee",
)
def test_a_payment_pays_its_order_and_the_order_says_by_what(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)
    made = life.stripe.find(intent["id"])
    charge = life.stripe.find(made["latest_charge"])
    assert life.status(order) == "processing"
    assert life.shown(order)["transaction_id"] == intent["id"]
    assert life.said(order, f"({intent['id']})") == 1
    meta = life.meta(order)
    assert {
        "_intent_id": intent["id"],
        "_charge_id": charge["id"],
        "_payment_method_id": made["payment_method"],
        "_intention_status": "succeeded",
        "_stripe_customer_id": life.local.customer,
        "_wcpay_intent_currency": "USD",
        "_wcpay_mode": "test",
        "_wcpay_payment_transaction_id": charge["balance_transaction"],
    }.items() <= meta.items()
    assert "_wcpay_transaction_fee" not in meta
    heard_twice(life, order, intent["id"])


@plays(GROUP, "attach_intent_info_to_order_after_successful_payment")
def test_what_staff_write_after_the_payment_stays(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    life.local.shop.update_order(order, meta={"_intent_id": "written by staff"})
    life.hint(intent, "payment_intent.succeeded")
    assert life.meta(order)["_intent_id"] == "written by staff"


@plays(
    GROUP,
    "attach_transaction_fee_to_order",
    "attach_transaction_fee_to_order_zero_fee",
    "attach_transaction_fee_to_order_zero_decimal_fee",
)
@pytest.mark.parametrize(
    ("fee", "currency", "total", "written"),
    [("113", "USD", "10.23", "1.13"), ("0", "USD", "10.23", None), ("113", "JPY", "500", "113")],
)
def test_the_platforms_fee_is_in_the_order(
    live: LiveIn, fee: str, currency: str, total: str, written: str | None
) -> None:
    life = live("direct", settings={"fee": fee})
    order = life.order(total, currency=currency, **({"decimals": 0} if currency == "JPY" else {}))
    life.pay(order)
    assert life.meta(order).get("_wcpay_transaction_fee") == written


@plays(GROUP, "order_status_not_updated_if_order_is_invalid", "get_order_throws_exception")
def test_an_order_that_is_gone_is_no_obstacle(manual: Life) -> None:
    order = manual.order()
    created = manual.create(order).get_json()
    manual.local.shop.delete(order)
    manual.work()
    assert "does not exist any more" in manual.flag(order)
    assert refusal(manual.at("capture_authorization", order, created["id"]))[:2] == (404, "wcpay_missing_order")
    assert manual.book(created["id"])["captured"] == 0


@plays(GROUP, "order_status_not_updated_if_order_paid")
def test_an_order_that_is_paid_otherwise_is_left_alone(life: Life) -> None:
    order = life.order()
    intent = life.create(order).get_json()["id"]
    life.local.shop.update_order(order, status="completed", transaction_id="cash", payment_method="cod")
    life.local.clock.advance(60)
    life.work()
    shown = life.shown(order)
    assert (shown["status"], shown["transaction_id"], shown["payment_method"]) == ("completed", "cash", "cod")
    assert intent in life.flag(order)
    assert life.said(order, intent) == 1


@plays(GROUP, "mark_payment_authorized_exits_on_existing_order_status_on_hold")
def test_an_order_that_is_on_hold_is_left_alone(manual: Life) -> None:
    order = manual.order()
    intent = manual.create(order).get_json()["id"]
    manual.local.shop.update_order(order, status="on-hold")
    manual.work()
    assert (manual.status(order), manual.shown(order)["transaction_id"]) == ("on-hold", "")
    assert "on-hold" in manual.flag(order)
    heard_twice(manual, order, intent)


@plays(
    GROUP,
    "mark_payment_started",
    "mark_payment_started_does_not_add_fraud_meta_box_type_if_fraud_settings_disabled",
)
def test_a_payment_that_needs_the_payer_is_noted_and_the_order_waits(live: LiveIn) -> None:
    life = live("direct", settings={"off_session": "no"})
    order = life.order()
    intent = life.pay(order, payment_method="pm_card_authenticationRequired")["id"]
    title = life.local.store.options["payment_method_title"]
    assert life.said(order, f"A payment of 10.23 USD was started using {title} ({intent}).") == 1
    assert life.status(order) == "pending"
    heard_twice(life, order, intent)


@plays(GROUP, "mark_payment_started_exits_on_existing_order_status_not_pending")
def test_a_payment_that_needs_the_payer_changes_no_order(live: LiveIn) -> None:
    life = live("direct", settings={"off_session": "no"})
    order = life.order()
    life.create(order, payment_method="pm_card_authenticationRequired")
    life.local.shop.update_order(order, status="on-hold")
    life.work()
    assert life.status(order) == "on-hold"


def slow(life: Life) -> tuple[int, str]:
    """A payment whose payer's bank has still to answer."""
    method = life.stripe.add_payment_method("pm_card_visa", life.local.customer, life.local.store.settings["account"])
    life.stripe.answer_later(method)
    order = life.order()
    intent = life.pay(order, payment_method=method)
    assert intent["status"] == "processing"
    return order, intent["id"]


@plays(GROUP, "mark_payment_authorized")
def test_a_payment_that_is_processing_puts_the_order_on_hold(life: Life) -> None:
    order, intent = slow(life)
    title = life.local.store.options["payment_method_title"]
    assert life.status(order) == "on-hold"
    assert life.said(order, f"A payment of 10.23 USD was authorized using {title} ({intent}).") == 1
    life.stripe.settle(intent)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("processing", 1023)
    heard_twice(life, order, intent)


@plays(GROUP, "mark_payment_failed")
@plays("webhook processing", "payment_intent_fails_and_fails_order")
def test_a_payment_that_fails_later_fails_its_order(life: Life) -> None:
    order, intent = slow(life)
    life.stripe.settle(intent, accepted=False)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("failed", 0)
    assert life.said(order, "failed using") == 1
    heard_twice(life, order, intent)


@plays(GROUP, "mark_payment_failed_exits_on_existing_order_status_failed")
def test_an_order_that_staff_failed_is_left_alone(life: Life) -> None:
    order, intent = slow(life)
    life.local.shop.update_order(order, status="failed")
    life.stripe.settle(intent, accepted=False)
    life.tell(intent)
    assert life.status(order) == "failed"
    assert life.said(order, "Order status changed from On hold to Failed.") == 1


@plays("webhook processing", "payment_intent_without_charges_fails_and_fails_order")
def test_a_payment_whose_payer_fails_the_challenge_fails_its_order(live: LiveIn) -> None:
    life = live("direct", settings={"off_session": "no"})
    order = life.order()
    intent = life.pay(order, payment_method="pm_card_authenticationRequired")["id"]
    life.stripe.authenticate(intent, success=False)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("failed", 0)
    assert life.said(order, "failed using") == 1
    heard_twice(life, order, intent)


@plays(GROUP, "mark_payment_dispute_created")
@plays("webhook processing", "dispute_created_order_note")
def test_a_dispute_puts_the_order_on_hold(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    life.dispute(intent)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("on-hold", 0)
    assert life.said(order, 'Payment has been disputed for 10.23 USD with reason "fraudulent"') == 1
    assert life.flag(order)
    heard_twice(life, order, intent)


@plays(GROUP, "mark_payment_dispute_closed_with_status_won", "mark_payment_dispute_closed_with_status_lost")
@plays("webhook processing", "dispute_closed_order_note")
@pytest.mark.parametrize(
    ("verdict", "status", "refunds", "net"), [("won", "processing", [], 1023), ("lost", "refunded", ["10.23"], 0)]
)
def test_the_end_of_a_dispute_is_the_orders_end(
    life: Life, verdict: Any, status: str, refunds: list[str], net: int
) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    life.dispute(intent)
    life.tell(intent)
    life.decide(intent, verdict)
    life.tell(intent)
    assert (life.status(order), life.refunds(order), life.net(intent)) == (status, refunds, net)
    assert life.said(order, f"Payment dispute has been closed with status {verdict}") == 1
    assert life.flag(order) == ""
    if verdict == "lost":
        assert life.local.shop.refunds(order)[0]["reason"] == "Dispute lost."
    heard_twice(life, order, intent)


def test_a_dispute_that_is_over_before_the_shop_hears_of_it_needs_nobody(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    life.local.shop_faults.next(Fault.REFUSED, times=99)
    life.dispute(intent)
    life.tell(intent)
    life.decide(intent, "won")
    life.tell(intent)
    life.local.shop_faults.clear()
    for _ in range(3):
        life.local.clock.advance(60)
        life.work()
    assert (life.status(order), life.flag(order)) == ("processing", "")


@plays(GROUP, "mark_payment_dispute_created_exits_if_order_invalid")
@plays(GROUP, "mark_payment_dispute_closed_exits_if_order_invalid")
@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_a_dispute_about_an_order_that_is_gone(life: Life, verdict: Any) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    life.local.shop.delete(order)
    life.dispute(intent)
    life.tell(intent)
    life.decide(intent, verdict)
    life.tell(intent)
    charge = life.get(f"payment_intents/{intent}")["charge"]["id"]
    assert life.get(f"charges/{charge}")["dispute"]["status"] == verdict
    assert {update["state"] for update in life.story(order)["store_updates"]} == {"delivered"}


@plays(
    "webhook processing",
    "dispute_updated_order_note",
    "dispute_funds_withdrawn_order_note",
    "dispute_funds_reinstated_order_note",
)
def test_a_dispute_that_changes_is_noted(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    inquiry = life.stripe.dispute(life.stripe.find(intent)["latest_charge"], inquiry=True)
    life.tell(intent)
    assert (life.status(order), life.net(intent)) == ("on-hold", 1023)
    life.stripe.escalate_dispute(inquiry["id"])
    life.tell(intent)
    assert life.said(order, "Payment dispute has been updated") == 1
    life.stripe.close_dispute(inquiry["id"], won=True)
    life.tell(intent)
    kinds = {event["type"] for event in life.events_about(intent) if event["type"].startswith("charge.dispute.")}
    assert kinds >= {"charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"}
    assert (life.status(order), life.net(intent)) == ("processing", 1023)
    assert life.said(order, "dispute") == 3
    heard_twice(life, order, intent)


@plays(GROUP, "mark_terminal_payment_completed", "mark_terminal_payment_order_completed_status")
def test_a_payment_in_person_completes_its_order(manual: Life) -> None:
    order = manual.order()
    intent = manual.at("create_terminal_intent", order).get_json()["id"]
    manual.present_card(intent)
    assert manual.at("capture_terminal_payment", order, intent).status_code == 200
    manual.work()
    shown = manual.shown(order)
    assert (shown["status"], shown["transaction_id"]) == ("completed", intent)
    assert shown["payment_method_title"] == "WooCommerce In-Person Payments"
    heard_twice(manual, order, intent)


@plays(GROUP, "order_note_exists")
@pytest.mark.parametrize("other_notes", [0, 2])
@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, None])
def test_a_note_whose_answer_was_lost_is_written_once(live: LiveIn, other_notes: int, fault: Fault | None) -> None:
    life = live("direct", capture="manual")
    order = life.order()
    intent = life.create(order).get_json()["id"]
    if fault:
        life.local.shop_faults.next(fault, match="/notes")
    for _ in range(other_notes):
        life.work()
        life.local.shop.update_order(order, customer_note="Hurry.")
        life.local.clock.advance(60)
    for _ in range(3):
        life.work()
        life.local.clock.advance(60)
    assert life.said(order, f"was authorized using {life.local.store.options['payment_method_title']}") == 1
    assert life.meta(order)["_intent_id"] == intent
