"""Without a key: what was done already is answered again, and equal refunds are one for ten minutes."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from tests.plugins.local import Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


@pytest.fixture
def manual(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect", capture="manual")


def refund(local: Local, key: str | None = None, **wanted: Any) -> TestResponse:
    body = {"order_id": local.orders["payable"], "amount": 300} | wanted
    return local.post(f"{PAYMENTS}/refund", body, headers={"Idempotency-Key": key} if key else {})


def moved(local: Local, kind: str) -> list[int]:
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries(kind)]


def test_a_create_again_answers_the_original(stripe: Local) -> None:
    first = stripe.create()
    stripe.work()
    again = stripe.create()
    assert (again.status_code, again.get_data()) == (200, first.get_data())
    assert "Idempotent-Replayed" not in again.headers
    assert moved(stripe, "captured") == [1023]


@pytest.mark.parametrize(("route", "status"), [("capture", "succeeded"), ("cancel", "canceled")])
def test_a_capture_or_a_void_again_answers_the_original(manual: Local, route: str, status: str) -> None:
    intent = manual.create().get_json()["id"]
    path = f"{PAYMENTS}/orders/{manual.orders['payable']}/{route}_authorization"
    answers = []
    for _ in range(2):
        answers.append(manual.post(path, {"payment_intent_id": intent}))
        manual.work()
    assert [answer.get_json() for answer in answers] == 2 * [{"status": status, "id": intent}]
    assert moved(manual, "captured") == ([1023] if route == "capture" else [])


def test_the_same_refund_within_ten_minutes_is_the_first_one(stripe: Local) -> None:
    stripe.create()
    first = refund(stripe, reason="duplicate").get_json()
    stripe.clock.advance(600)
    again = refund(stripe, reason="duplicate").get_json()
    assert again == first | {"repeated": True}
    assert moved(stripe, "refunded") == [300]
    stripe.clock.advance(1)
    later = refund(stripe, reason="duplicate").get_json()
    assert later["id"] != first["id"]
    assert "repeated" not in later
    assert moved(stripe, "refunded") == [300, 300]


def test_the_whole_sum_again_is_the_first_refund_and_not_too_much(stripe: Local) -> None:
    charge = stripe.create().get_json()["charge"]["id"]
    first = refund(stripe, amount=1023).get_json()
    again = refund(stripe, amount="1023", order_id=None, charge_id=charge)
    assert again.get_json() == first | {"repeated": True}
    assert moved(stripe, "refunded") == [1023]


def test_another_amount_or_reason_or_a_key_is_another_refund(stripe: Local) -> None:
    stripe.create()
    made = [
        refund(stripe),
        refund(stripe, amount=200),
        refund(stripe, amount=200, reason="duplicate"),
        refund(stripe, "k", amount=200),
    ]
    assert len({answer.get_json()["id"] for answer in made}) == 4
    assert moved(stripe, "refunded") == [300, 200, 200, 200]


def test_without_a_key_the_same_as_a_refund_with_one_is_a_repeat(stripe: Local) -> None:
    stripe.create()
    first = refund(stripe, "k").get_json()
    assert refund(stripe).get_json() == first | {"repeated": True}


def test_a_refund_that_failed_is_not_repeated(stripe: Local) -> None:
    stripe.create()
    assert stripe.provider_faults
    body = {"error": {"type": "invalid_request_error", "message": "Insufficient funds."}}
    stripe.provider_faults.next(Fault.STATUS, match="POST /v1/refunds", status=400, body=body)
    assert refund(stripe).status_code == 500
    again = refund(stripe)
    assert again.status_code == 200
    assert "repeated" not in again.get_json()


def test_an_unknown_refund_is_settled_by_its_repeat_and_not_sent_again(stripe: Local) -> None:
    stripe.create()
    assert stripe.provider_faults
    assert stripe.stripe
    stripe.provider_faults.next(Fault.DROPPED, times=9, match="POST /v1/refunds")
    lost = refund(stripe).get_json()["data"]
    assert lost["outcome"] == "unknown"
    sent = _sent(stripe)
    stripe.provider_faults.clear()
    again = refund(stripe)
    assert (again.status_code, again.get_json()["repeated"]) == (200, True)
    assert _sent(stripe) == sent
    assert moved(stripe, "refunded") == [300]


def test_a_refund_that_was_unknown_for_long_is_answered_by_its_repeat_for_ten_minutes(stripe: Local) -> None:
    stripe.create()
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.DROPPED, times=9, match="POST /v1/refunds")
    lost = refund(stripe).get_json()["data"]
    assert lost["outcome"] == "unknown"
    stripe.provider_faults.clear()
    stripe.provider_faults.next(Fault.ERROR_503, times=999)
    for _ in range(5):
        stripe.clock.advance(400)
        stripe.work()
    stripe.provider_faults.clear()
    stripe.clock.advance(1000)
    stripe.work()
    assert "outcome" not in stripe.show(lost["attempt_id"]).get_json()
    for pause in (0, 600):
        stripe.clock.advance(pause)
        again = refund(stripe)
        assert (again.status_code, again.get_json()["repeated"]) == (200, True)
    assert moved(stripe, "refunded") == [300]
    stripe.clock.advance(1)
    assert "repeated" not in refund(stripe).get_json()


def test_an_unknown_refund_that_never_arrived_stays_unknown_and_is_not_sent_again(stripe: Local) -> None:
    stripe.create()
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match="POST /v1/refunds")
    lost = refund(stripe).get_json()["data"]
    stripe.provider_faults.clear()
    again = refund(stripe)
    assert again.status_code == 500
    told = again.get_json()["data"]
    assert (told["outcome"], told["attempt_id"]) == ("unknown", lost["attempt_id"])
    stripe.clock.advance(601)
    assert refund(stripe).get_json()["data"]["attempt_id"] == lost["attempt_id"]
    assert _sent(stripe) == 0
    stripe.clock.advance(1000)
    stripe.work()
    assert "repeated" not in refund(stripe).get_json()
    assert moved(stripe, "refunded") == [300]


def _sent(local: Local) -> int:
    """How many refunds the provider was asked for."""
    assert local.stripe
    return sum((each.method, each.path) == ("POST", "/v1/refunds") for each in local.stripe.requests)
