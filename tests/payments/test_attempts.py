"""When the provider does not answer, or answers nonsense: nothing is guessed, nothing is charged twice."""

import pytest

from bridge.simulators.faults import Fault
from tests.plugins.local import Local, MakeLocal

LOST = [Fault.DROPPED, Fault.PROCESSED_500, Fault.CUT, Fault.TRUNCATED, Fault.HTML, Fault.WRONG_JSON]
NEVER_ARRIVED = [Fault.REFUSED, Fault.ERROR_500, Fault.ERROR_503]


def charged(local: Local) -> list[int]:
    assert local.stripe is not None
    return [entry.amount for entry in local.stripe.ledger.entries("captured")]


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


@pytest.mark.parametrize("fault", LOST + NEVER_ARRIVED)
def test_a_create_without_a_usable_answer_is_unknown_and_can_be_looked_up(stripe: Local, fault: Fault) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(fault, times=9, match="POST /v1/payment_intents")
    answer = stripe.create()
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, "wcpay_server_error")
    assert body["data"]["outcome"] == "unknown"
    assert body["data"]["retryable"] is True
    shown = stripe.show(body["data"]["attempt_id"]).get_json()
    assert (shown["status"], shown["outcome"]) == ("processing", "unknown")
    assert shown["id"] == body["data"]["attempt_id"]


@pytest.mark.parametrize("fault", LOST)
def test_the_worker_finds_a_payment_whose_answer_was_lost(stripe: Local, fault: Fault) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(fault, times=9, match="POST /v1/payment_intents")
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    stripe.provider_faults.clear()
    stripe.clock.advance(10)
    stripe.work()
    shown = stripe.show(attempt).get_json()
    assert shown["status"] == "succeeded"
    assert "outcome" not in shown
    assert stripe.order()["status"] == "processing"
    assert charged(stripe) == [1023]


@pytest.mark.parametrize("fault", LOST + NEVER_ARRIVED)
def test_the_same_create_again_sends_the_same_request_and_charges_once(stripe: Local, fault: Fault) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(fault, times=9, match="POST /v1/payment_intents")
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    stripe.provider_faults.clear()
    again = stripe.create()
    assert again.status_code == 200
    assert again.get_json()["status"] == "succeeded"
    assert again.get_json()["attempt_id"] == attempt
    assert charged(stripe) == [1023]


def test_nothing_else_starts_for_an_order_whose_payment_is_unknown(stripe: Local) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match="POST /v1/payment_intents")
    first = stripe.create().get_json()["data"]
    stripe.provider_faults.clear()
    other = stripe.create(payment_method="pm_card_mastercard")
    assert other.status_code == 500
    assert other.get_json()["data"]["reason"] == "outcome_unknown"
    assert other.get_json()["data"]["attempt_id"] == first["attempt_id"]
    assert charged(stripe) == []


def test_not_found_frees_the_order_only_when_the_request_can_no_longer_arrive(stripe: Local) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match="POST /v1/payment_intents")
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    stripe.provider_faults.clear()
    stripe.clock.advance(500)
    stripe.work()
    assert stripe.show(attempt).get_json()["outcome"] == "unknown"
    stripe.clock.advance(500)
    stripe.work()
    shown = stripe.show(attempt).get_json()
    assert shown["status"] == "canceled"
    assert "outcome" not in shown
    assert stripe.create(payment_method="pm_card_mastercard").get_json()["status"] == "succeeded"
    assert charged(stripe) == [1023]


def test_an_unknown_payment_is_flagged_for_a_person_after_a_day_and_stays_unknown(stripe: Local) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(Fault.ERROR_500, times=999)
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    for _ in range(30):
        stripe.clock.advance(3700)
        stripe.work()
    shown = stripe.show(attempt).get_json()
    assert (shown["status"], shown["outcome"]) == ("processing", "unknown")
    from bridge.payments.why import why

    [story] = why(stripe.bridge.services, attempt)
    assert story["flag"] == "The outcome of this payment is unknown for more than a day."


def test_a_decline_whose_voiding_fails_holds_the_order_until_it_is_voided(stripe: Local) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(Fault.ERROR_503, times=9, match="/cancel")
    declined = stripe.create(payment_method="pm_card_chargeDeclined").get_json()
    assert declined["data"]["decline_code"] == "generic_decline"
    held = stripe.create(payment_method="pm_card_visa")
    assert held.get_json()["data"]["reason"] == "outcome_unknown"
    stripe.provider_faults.clear()
    assert stripe.create(payment_method="pm_card_visa").get_json()["status"] == "succeeded"
    assert charged(stripe) == [1023]


def test_a_refusal_of_the_provider_is_told_and_frees_the_order(stripe: Local) -> None:
    answer = stripe.create(customer="cus_nobody")
    body = answer.get_json()
    assert body["message"] == "Error: No such customer: 'cus_nobody'"
    assert body["data"]["outcome"] == "failed"
    assert stripe.create().get_json()["status"] == "succeeded"


def test_a_provider_that_was_never_reached_is_told_as_failed(local: Local) -> None:
    body = local.create(payment_method="pm_sandbox_unreachable").get_json()
    assert body["data"]["reason"] == "provider_unreachable"
    assert body["data"]["outcome"] == "failed"
    assert local.create().get_json()["status"] == "succeeded"


def test_a_shop_that_cannot_be_reached_is_told_and_nothing_is_sent(stripe: Local) -> None:
    stripe.shop_faults.next(Fault.REFUSED, times=9)
    answer = stripe.create()
    assert (answer.status_code, answer.get_json()["code"]) == (500, "wcpay_server_error")
    assert answer.get_json()["data"]["reason"] == "store_unreachable"
    assert stripe.stripe is not None
    assert [r.path for r in stripe.stripe.requests if r.path == "/v1/payment_intents"] == []
