"""Every change of a payment that a shop has to hear of: status, transaction, payment method, meta and note, once each
and in order. WooPayments' table of transitions, row by row."""

import re
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.payments.orders import PAYMENTS, at, authorized, hint, presented
from tests.plugins.local import Local, MakeLocal

TITLE = "Card (wcpay-bridge)"


@pytest.fixture
def at_once(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


def story(local: Local) -> list[str]:
    """The order's notes without our references, oldest first."""
    return [re.sub(r" \[ref \w+\]$", "", note) for note in local.notes()]


def moved(before: str, after: str) -> str:
    return f"Order status changed from {before} to {after}."


def shown(local: Local) -> tuple[str, str, str]:
    order = local.order()
    return order["status"], order["transaction_id"], order["payment_method_title"]


def started(local: Local, payment_method: str = "pm_card_visa") -> str:
    """A payment whose buyer has to do something first."""
    intent = local.create(payment_method=payment_method).get_json()
    assert intent["status"] == "requires_action"
    local.work()
    return str(intent["id"])


def slow(local: Local) -> str:
    """A payment that its bank thinks about, and whose order waits on hold."""
    assert local.stripe
    method = local.stripe.add_payment_method(customer=local.customer, account=local.store.settings["account"])
    local.stripe.answer_later(method)
    intent = local.create(payment_method=method).get_json()
    assert intent["status"] == "processing"
    local.work()
    assert local.order()["status"] == "on-hold"
    return str(intent["id"])


def news(local: Local, intent: str) -> None:
    hint(local, intent)
    local.work()


def test_charged(at_once: Local) -> None:
    intent = at_once.create().get_json()
    at_once.work()
    assert shown(at_once) == ("processing", intent["id"], TITLE)
    assert story(at_once) == [f"Payment via {TITLE} ({intent['id']})."]
    assert (
        at_once.meta().items()
        >= {
            "_intent_id": intent["id"],
            "_charge_id": intent["charge"]["id"],
            "_payment_method_id": intent["payment_method"],
            "_intention_status": "succeeded",
            "_stripe_customer_id": at_once.customer,
            "_wcpay_intent_currency": "USD",
            "_wcpay_mode": "test",
            "_charge_risk_level": "normal",
        }.items()
    )


def test_authorized_and_captured(stripe: Local) -> None:
    intent = authorized(stripe)
    assert shown(stripe) == ("on-hold", intent, TITLE)
    assert stripe.meta()["_intention_status"] == "requires_capture"
    assert at(stripe, "capture_authorization", "payable", intent).status_code == 200
    stripe.work()
    assert shown(stripe) == ("processing", intent, TITLE)
    assert story(stripe) == [
        moved("Pending payment", "On hold"),
        f"A payment of 10.23 USD was authorized using {TITLE} ({intent}).",
        moved("On hold", "Processing"),
        f"A payment of 10.23 USD was successfully captured using {TITLE} ({intent}).",
    ]
    assert stripe.meta()["_intention_status"] == "succeeded"
    assert "_wcpay_bridge_captured" not in stripe.meta()


def test_captured_in_part(stripe: Local) -> None:
    intent = authorized(stripe)
    assert at(stripe, "capture_authorization", "payable", intent, amount=400).status_code == 200
    stripe.work()
    assert shown(stripe) == ("processing", intent, TITLE)
    assert story(stripe)[-1] == (
        f"A payment of 4.00 USD was successfully captured using {TITLE} ({intent}). The rest, 6.23 USD, was released."
    )
    assert stripe.meta()["_wcpay_bridge_captured"] == "4.00"


def test_voided(stripe: Local) -> None:
    intent = authorized(stripe)
    assert at(stripe, "cancel_authorization", "payable", intent).status_code == 200
    stripe.work()
    assert shown(stripe) == ("cancelled", intent, TITLE)
    assert story(stripe)[2:] == [
        moved("On hold", "Cancelled"),
        f"Payment authorization was successfully cancelled ({intent}).",
    ]
    assert stripe.meta()["_intention_status"] == "canceled"


def test_expired(stripe: Local) -> None:
    intent = authorized(stripe)
    assert stripe.stripe
    stripe.stripe.expire(intent)
    news(stripe, intent)
    assert shown(stripe) == ("failed", intent, TITLE)
    assert story(stripe)[2:] == [moved("On hold", "Failed"), f"Payment authorization has expired ({intent})."]
    assert stripe.meta()["_intention_status"] == "canceled"


@pytest.mark.parametrize(("route", "verb"), [("capture_authorization", "capture"), ("cancel_authorization", "cancel")])
def test_a_capture_or_a_void_that_failed_leaves_the_order_on_hold(stripe: Local, route: str, verb: str) -> None:
    intent = authorized(stripe)
    assert stripe.provider_faults
    error = {"error": {"type": "invalid_request_error", "message": "Not now."}}
    stripe.provider_faults.next(Fault.STATUS, match=f"/{verb}", status=400, body=error)
    at(stripe, route, "payable", intent)
    stripe.work()
    sentence = {
        "capture": f"A capture of 10.23 USD failed to complete using {TITLE} ({intent}). Error: Not now.",
        "cancel": "Canceling authorization failed to complete with the following message: Error: Not now.",
    }[verb]
    assert story(stripe)[2:] == [sentence]
    assert shown(stripe) == ("on-hold", intent, TITLE)
    assert stripe.meta()["_intention_status"] == "requires_capture"


def test_a_decline_at_once_leaves_the_order_payable(at_once: Local) -> None:
    at_once.create(payment_method="pm_card_chargeDeclined")
    at_once.work()
    [note] = story(at_once)
    assert re.fullmatch(rf"A payment of 10\.23 USD failed using {re.escape(TITLE)} \(pi_\w+\)\. .*declined.*", note)
    assert at_once.order()["status"] == "pending"
    assert at_once.order()["transaction_id"] == ""


def test_started_then_refused_by_the_payers_bank_then_paid(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    assert local.stripe
    intent = started(local, "pm_card_authenticationRequired")
    begun = f"A payment of 10.23 USD was started using {TITLE} ({intent})."
    assert story(local) == [begun]
    assert local.order()["status"] == "pending"
    local.stripe.authenticate(intent, success=False)
    news(local, intent)
    assert local.order()["status"] == "failed"
    assert story(local)[1] == moved("Pending payment", "Failed")
    assert story(local)[2].startswith(f"A payment of 10.23 USD failed using {TITLE} ({intent}). ")
    news(local, intent)
    assert len(story(local)) == 3


@pytest.mark.parametrize(("accepted", "status"), [(True, "processing"), (False, "failed")], ids=["accepted", "refused"])
def test_what_the_bank_thought_about_is_charged_or_failed(at_once: Local, accepted: bool, status: str) -> None:
    intent = slow(at_once)
    assert at_once.stripe
    at_once.stripe.settle(intent, accepted)
    news(at_once, intent)
    assert at_once.order()["status"] == status
    assert story(at_once)[1] == f"A payment of 10.23 USD was authorized using {TITLE} ({intent})."
    words = "was successfully charged" if accepted else "failed"
    assert story(at_once)[3].startswith(f"A payment of 10.23 USD {words} using {TITLE} ({intent}).")
    assert len(story(at_once)) == 4


def test_what_the_bank_thought_about_is_authorized_with_one_note(stripe: Local) -> None:
    intent = slow(stripe)
    assert stripe.stripe
    stripe.stripe.settle(intent)
    news(stripe, intent)
    assert shown(stripe) == ("on-hold", intent, TITLE)
    assert len(story(stripe)) == 2
    assert stripe.meta()["_intention_status"] == "requires_capture"


def test_refunded_in_part_in_whole_and_taken_back(at_once: Local) -> None:
    created = at_once.create().get_json()
    at_once.work()
    order = at_once.orders["payable"]
    first = at_once.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 400, "reason": "Too small"}).get_json()
    at_once.work()
    assert at_once.order()["status"] == "processing"
    rest = at_once.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 623}).get_json()
    at_once.work()
    assert at_once.order()["status"] == "refunded"
    assert at_once.meta()["_wcpay_refund_status"] == "successful"
    assert at_once.stripe
    at_once.stripe.fail_refund(rest["id"])
    news(at_once, created["id"])
    assert at_once.order()["status"] == "failed"
    assert at_once.meta()["_wcpay_refund_status"] == "failed"
    assert story(at_once)[1:] == [
        f"A refund of 4.00 USD was successfully processed using {TITLE}. Reason: Too small. ({first['id']}).",
        moved("Processing", "Refunded"),
        f"A refund of 6.23 USD was successfully processed using {TITLE} ({rest['id']}).",
        moved("Refunded", "Failed"),
        f"A refund of 6.23 USD was unsuccessful using {TITLE} ({rest['id']}).",
    ]


def test_a_refund_that_is_pending_is_told_as_such_and_once_more_when_it_arrives(at_once: Local) -> None:
    created = at_once.create(payment_method="pm_card_pendingRefund").get_json()
    at_once.work()
    wanted = {"order_id": at_once.orders["payable"], "amount": 400, "reason": "Too small"}
    made = at_once.post(f"{PAYMENTS}/refund", wanted).get_json()
    assert made["status"] == "pending"
    at_once.work()
    assert story(at_once)[1:] == [f"A refund of 4.00 USD is pending using {TITLE}. Reason: Too small. ({made['id']})."]
    assert at_once.meta()["_wcpay_refund_status"] == "pending"
    assert at_once.stripe
    at_once.stripe.complete_refund(made["id"])
    for _ in range(2):
        news(at_once, created["id"])
    done = f"A refund of 4.00 USD was successfully processed using {TITLE}. Reason: Too small. ({made['id']})."
    assert story(at_once)[2:] == [done]
    assert at_once.meta()["_wcpay_refund_status"] == "successful"
    assert [each["amount"] for each in at_once.shop.refunds(at_once.orders["payable"])] == ["4.00"]


def test_what_staff_did_with_a_refund_that_was_pending_stays(at_once: Local) -> None:
    created = at_once.create(payment_method="pm_card_pendingRefund").get_json()
    at_once.work()
    order = at_once.orders["payable"]
    made = at_once.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 400}).get_json()
    at_once.work()
    [written] = at_once.shop.refunds(order)
    at_once.shop.delete_refund(order, written["id"])
    assert at_once.stripe
    at_once.stripe.complete_refund(made["id"])
    news(at_once, created["id"])
    assert story(at_once)[-1].startswith("A refund of 4.00 USD was successfully processed")
    assert at_once.shop.refunds(order) == []


def dispute_of(local: Local, charge: str) -> dict[str, Any]:
    dispute: dict[str, Any] = local.get(f"{PAYMENTS}/charges/{charge}").get_json()["dispute"]
    return dispute


@pytest.mark.parametrize(("won", "status"), [(True, "processing"), (False, "refunded")], ids=["won", "lost"])
def test_disputed_and_closed(at_once: Local, won: bool, status: str) -> None:
    created = at_once.create().get_json()
    at_once.work()
    intent, charge = created["id"], created["charge"]["id"]
    assert at_once.stripe
    at_once.stripe.dispute(charge)
    news(at_once, intent)
    assert at_once.order()["status"] == "on-hold"
    opened = dispute_of(at_once, charge)
    assert (opened["status"], opened["closed"]) == ("needs_response", None)
    at_once.clock.advance(3600)
    at_once.stripe.close_dispute(opened["id"], won=won)
    news(at_once, intent)
    assert at_once.order()["status"] == status
    closed = dispute_of(at_once, charge)
    assert closed["closed"] == int(at_once.clock())
    at_once.clock.advance(3600)
    news(at_once, intent)
    assert dispute_of(at_once, charge) == closed
    notes = story(at_once)[1:]
    assert notes[0] == moved("Processing", "On hold")
    assert re.fullmatch(
        rf'Payment has been disputed for 10\.23 USD with reason "\w+" \({opened["id"]}\)\. '
        r"Response due by \d{4}-\d\d-\d\d\.",
        notes[1],
    )
    assert notes[2] == moved("On hold", status.capitalize())
    ending = "won" if won else "lost"
    assert notes[3:] == [f"Payment dispute has been closed with status {ending} ({opened['id']})."]


def test_an_inquiry_that_became_a_dispute_is_told_once(at_once: Local) -> None:
    created = at_once.create().get_json()
    at_once.work()
    assert at_once.stripe
    dispute = at_once.stripe.dispute(created["charge"]["id"], inquiry=True)["id"]
    news(at_once, created["id"])
    before = story(at_once)
    at_once.stripe.escalate_dispute(dispute)
    for _ in range(2):
        news(at_once, created["id"])
    [note] = story(at_once)[len(before) :]
    assert note.startswith(f"Payment dispute has been updated: needs_response ({dispute}). Response due by ")
    assert at_once.order()["status"] == "on-hold"


IN_PERSON = "WooCommerce In-Person Payments"


def test_paid_at_a_card_reader(stripe: Local) -> None:
    intent = presented(stripe)
    stripe.work()
    assert shown(stripe)[:2] == ("pending", "")
    assert story(stripe) == []
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    stripe.work()
    assert shown(stripe) == ("completed", intent, IN_PERSON)
    assert stripe.order()["date_paid"] is not None
    assert story(stripe) == [
        moved("Pending payment", "On hold"),
        f"A payment of 10.23 USD was authorized using {IN_PERSON} ({intent}).",
        moved("On hold", "Completed"),
        f"A payment of 10.23 USD was successfully captured using {IN_PERSON} ({intent}).",
    ]
    meta = stripe.meta()
    assert (meta["_intent_id"], meta["_intention_status"]) == (intent, "succeeded")
    assert meta["_wcpay_fraud_meta_box_type"] == "terminal_payment"


def test_taken_at_once_at_a_card_reader(stripe: Local) -> None:
    stripe.orders["payable"] = order = stripe.shop.add_order(total="5.00", currency="CAD")
    intent = presented(stripe, order, "pm_card_interac", payment_methods=["interac_present"])
    assert at(stripe, "capture_terminal_payment", order, intent).status_code == 200
    stripe.work()
    assert shown(stripe) == ("completed", intent, IN_PERSON)
    assert story(stripe) == [
        f"Payment via {IN_PERSON} ({intent}).",
        moved("Processing", "Completed"),
        f"A payment of 5.00 CAD was successfully charged using {IN_PERSON} ({intent}).",
    ]


@pytest.mark.parametrize("lost", range(4))
def test_an_order_paid_at_a_reader_is_completed_once_whatever_answer_is_lost(stripe: Local, lost: int) -> None:
    stripe.orders["payable"] = order = stripe.shop.add_order(total="5.00", currency="CAD")
    intent = presented(stripe, order, "pm_card_interac", payment_methods=["interac_present"])
    assert at(stripe, "capture_terminal_payment", order, intent).status_code == 200
    if lost:
        stripe.shop_faults.next(Fault.GZIP, times=lost)  # harmless
    stripe.shop_faults.next(Fault.DROPPED)
    for _ in range(3):
        stripe.work()
        stripe.clock.advance(60)
    assert shown(stripe) == ("completed", intent, IN_PERSON)
    assert len(story(stripe)) == 3
    assert len(set(story(stripe))) == 3


def test_what_staff_did_with_an_order_paid_at_a_reader_stays(stripe: Local) -> None:
    intent = presented(stripe)
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    stripe.work()
    stripe.shop.update_order(stripe.orders["payable"], status="processing")
    news(stripe, intent)
    assert stripe.order()["status"] == "processing"


def test_a_capture_at_a_reader_that_is_refused_leaves_the_order_on_hold(stripe: Local) -> None:
    intent = presented(stripe)
    assert stripe.provider_faults
    error = {"error": {"type": "card_error", "message": "Your card was declined."}}
    stripe.provider_faults.next(Fault.STATUS, match="/capture", status=402, body=error)
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 402
    stripe.work()
    assert shown(stripe) == ("on-hold", intent, IN_PERSON)
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    stripe.work()
    assert shown(stripe) == ("completed", intent, IN_PERSON)
