"""Where an adapter can do `multicapture`, what is held is taken in parts: each once, never more than was held."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from tests.payments.orders import at, authorized
from tests.plugins.local import Local, MakeLocal, refusal

PAYMENTS = "/wp-json/wc/v3/payments"
TITLE = "Card (wcpay-bridge)"


@pytest.fixture
def parts(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, capture="manual", settings={"multicapture": "yes"})


def capture(local: Local, intent: str, amount: int | None = None, **headers: Any) -> TestResponse:
    path = f"{PAYMENTS}/orders/{local.orders['payable']}/capture_authorization"
    wanted = {"payment_intent_id": intent} | ({} if amount is None else {"amount": amount})
    answer = local.post(path, wanted, headers=headers)
    local.work()
    return answer


def taken(local: Local, intent: str) -> int:
    """What the provider has taken."""
    outcome = local.bridge.services.stores.adapter(local.store).fetch(intent)
    assert outcome.charge
    return outcome.charge.amount_captured


def test_the_rest_of_a_capture_is_captured_later_and_then_the_order_is_paid(parts: Local) -> None:
    intent = authorized(parts)
    assert capture(parts, intent, 600).get_json() == {"status": "requires_capture", "id": intent}
    assert (taken(parts, intent), parts.order()["status"]) == (600, "on-hold")
    assert parts.show(intent).get_json()["charge"]["amount_captured"] == 600
    note = f"A payment of 6.00 USD was successfully captured using {TITLE} ({intent}). 4.23 USD is still authorized."
    assert sum(note in each for each in parts.notes()) == 1
    assert capture(parts, intent).get_json() == {"status": "succeeded", "id": intent}
    assert (taken(parts, intent), parts.order()["status"]) == (1023, "processing")
    assert sum(f"A payment of 10.23 USD was successfully captured using {TITLE}" in each for each in parts.notes()) == 1


def test_the_same_part_again_is_the_first_one_unless_it_has_a_key_of_its_own(parts: Local) -> None:
    intent = authorized(parts)
    for _ in range(2):
        assert capture(parts, intent, 300).status_code == 200
    assert taken(parts, intent) == 300
    for key in ("one", "one", "two"):
        assert capture(parts, intent, 300, Idempotency_Key=f"capture-number-{key}").status_code == 200
    assert taken(parts, intent) == 900
    parts.clock.advance(601)
    assert capture(parts, intent, 23).status_code == 200
    assert taken(parts, intent) == 923


def test_no_more_than_is_left_is_captured(parts: Local) -> None:
    intent = authorized(parts)
    capture(parts, intent, 600)
    status, code, message = refusal(capture(parts, intent, 424))
    assert (status, code) == (502, "wcpay_capture_error")
    assert "the authorized 4.23 USD" in message
    assert taken(parts, intent) == 600


@pytest.mark.parametrize("total", ["8.00", "5.00", "0.00"])
def test_an_order_that_comes_to_no_more_than_was_taken_is_captured_already(parts: Local, total: str) -> None:
    intent, order = authorized(parts), parts.orders["payable"]
    parts.shop.update_order(order, total="8.00")
    captured = {"status": "requires_capture", "id": intent}
    assert capture(parts, intent).get_json() == captured
    parts.shop.update_order(order, total=total)
    for headers in ({}, {}, {"Idempotency_Key": "once-more"}):
        assert capture(parts, intent, **headers).get_json() == captured
    assert taken(parts, intent) == 800
    parts.shop.update_order(order, total="10.23")
    assert capture(parts, intent).get_json() == {"status": "succeeded", "id": intent}
    assert taken(parts, intent) == 1023


def test_what_was_captured_in_part_is_not_voided_and_ends_as_that_part_when_the_hold_does(parts: Local) -> None:
    intent = authorized(parts)
    capture(parts, intent, 600)
    assert refusal(at(parts, "cancel_authorization", "payable", intent))[:2] == (502, "wcpay_cancel_error")
    parts.clock.advance(7 * 24 * 3600 + 61)
    parts.work()
    assert parts.show(intent).get_json()["status"] == "succeeded"
    assert (taken(parts, intent), parts.order()["status"]) == (600, "processing")
    assert parts.meta()["_wcpay_bridge_captured"] == "6.00"
    assert any("The rest, 4.23 USD, was released." in note for note in parts.notes())


def test_a_capture_that_failed_may_be_tried_again_under_its_key(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = authorized(local)
    assert local.provider_faults
    error = {"error": {"type": "invalid_request_error", "message": "Not now."}}
    local.provider_faults.next(Fault.STATUS, match="/capture", status=400, body=error)
    for status in (400, 200, 200):
        assert capture(local, intent, Idempotency_Key="once-and-for-all-1").status_code == status
