"""The side door: what a person at a demo can do to a payment without a program."""

import pytest
from werkzeug.test import Client

from .conftest import TIMEOUT


@pytest.fixture
def push(url, session):
    """One POST at the side door: the status, and the object or the message."""

    def push(action, identifier, **given):
        answer = session.post(f"{url}/simulator/{action}/{identifier}", data=given, timeout=TIMEOUT)
        return answer.status_code, answer.json() if answer.ok else answer.text

    return push


def test_a_card_is_presented_and_its_hold_ends(push, call):
    made = call("post", "payment_intents", amount=500, currency="usd", allowed_payment_method_types=["card_present"],
                capture_method="manual")["id"]  # fmt: skip
    declined = push("present_card", made, name="pm_card_chargeDeclined")[1]
    assert declined["status"] == "requires_payment_method"
    assert push("present_card", made)[1]["status"] == "requires_capture"
    assert push("expire", made)[1]["cancellation_reason"] == "expired"
    assert push("expire", made) == (409, f"{made} holds no money: it is canceled\n")


def test_a_payment_is_settled_refunds_end_and_disputes_are_decided(push, pay, call, simulator):
    slow = simulator.add_payment_method("pm_card_pendingRefund")
    simulator.answer_later(slow)
    intent = pay(payment_method=slow)["id"]
    assert push("settle", intent, accepted="true")[1]["status"] == "succeeded"
    refund = call("post", "refunds", payment_intent=intent, amount=10)["id"]
    assert push("complete_refund", refund)[1]["status"] == "succeeded"
    assert push("fail_refund", refund, reason="declined")[1]["failure_reason"] == "declined"
    charge = call("get", f"payment_intents/{intent}")["latest_charge"]
    dispute = push("dispute", charge, reason="duplicate", amount="23")[1]
    assert (dispute["reason"], dispute["amount"]) == ("duplicate", 23)
    assert push("close_dispute", dispute["id"], won="false")[1]["status"] == "lost"
    assert push("dispute", charge, amount="all")[0] == 409


def test_what_the_side_door_does_not_know_is_said(push, pay, session, url, simulator):
    assert push("explode", "pi_x")[0] == 404
    assert push("expire", "pi_x") == (404, "no payment intent has the id pi_x\n")
    assert session.get(f"{url}/simulator/expire/{pay()['id']}", timeout=TIMEOUT).status_code == 405


def test_the_side_door_is_for_this_machine_only(simulator, pay):
    intent = pay(capture_method="manual")["id"]
    elsewhere = Client(simulator).post(f"/simulator/expire/{intent}", environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert elsewhere.status_code == 403
    assert simulator.find(intent)["status"] == "requires_capture"
