"""WooPayments' own webhook route settles what is unknown: what it says is not believed, the provider is asked."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from tests.payments.orders import PAYMENTS, at, authorized, taken
from tests.plugins.local import Local, MakeLocal


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


def tell(local: Local, about: dict[str, Any], kind: str = "payment_intent.succeeded") -> TestResponse:
    return local.post(f"{PAYMENTS}/webhook", {"type": kind, "data": {"object": about}})


def unknown(local: Local) -> tuple[str, dict[str, Any]]:
    """The attempt of a payment whose answer was lost, and Stripe's own object of it."""
    assert local.stripe
    assert local.provider_faults
    local.provider_faults.next(Fault.DROPPED, times=2, match="POST /v1/payment_intents")
    data = local.create().get_json()["data"]
    assert data["outcome"] == "unknown"
    made = next(event for event in local.stripe.events if event["type"] == "payment_intent.succeeded")
    local.clock.advance(60)
    return data["attempt_id"], made["data"]["object"]


def test_a_hint_settles_a_payment_whose_answer_was_lost(stripe: Local) -> None:
    attempt, made = unknown(stripe)
    assert tell(stripe, made).get_json() == {"result": "success"}
    shown = stripe.show(attempt).get_json()
    assert (shown["id"], shown["status"]) == (made["id"], "succeeded")
    assert "outcome" not in shown
    stripe.work()
    assert stripe.order()["status"] == "processing"


def test_a_hint_that_names_our_attempt_settles_it_too(stripe: Local) -> None:
    attempt, made = unknown(stripe)
    assert tell(stripe, {"id": attempt}).get_json() == {"result": "success"}
    assert stripe.show(attempt).get_json()["id"] == made["id"]


@pytest.mark.parametrize("order", ["4711", "x", None, ["1"], "9" * 30])
def test_a_hint_about_another_order_settles_nothing(stripe: Local, order: Any) -> None:
    attempt, made = unknown(stripe)
    answer = tell(stripe, {"id": made["id"], "metadata": {"order_id": order}})
    assert (answer.status_code, answer.get_json()) == (500, {"result": "error"})
    assert stripe.show(attempt).get_json()["outcome"] == "unknown"


def test_a_hint_while_the_provider_cannot_be_asked_is_to_be_sent_again(stripe: Local) -> None:
    attempt, made = unknown(stripe)
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_503, times=9)
    answer = tell(stripe, made)
    assert (answer.status_code, answer.get_json()) == (500, {"result": "error"})
    assert stripe.show(attempt).get_json()["outcome"] == "unknown"
    stripe.provider_faults.clear()
    assert tell(stripe, made).status_code == 200
    assert stripe.show(attempt).get_json()["status"] == "succeeded"


def test_a_hint_settles_a_capture_whose_answer_was_lost(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = authorized(local)
    assert local.provider_faults
    local.provider_faults.next(Fault.DROPPED, times=2, match="/capture")
    assert at(local, "capture_authorization", "payable", intent).get_json()["data"]["outcome"] == "unknown"
    local.clock.advance(60)
    assert tell(local, {"id": intent}).status_code == 200
    assert local.show(intent).get_json()["status"] == "succeeded"
    assert at(local, "capture_authorization", "payable", intent).status_code == 200
    assert taken(local) == [1023]
