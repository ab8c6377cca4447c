"""When the provider does not answer, or answers nonsense: nothing is guessed, nothing is charged twice."""

import pytest

from bridge.simulators.faults import Fault
from tests.payments.providers import WITH_SERVERS, asks_for_a_payment, creates, shop_at, taken
from tests.plugins.local import Local, MakeLocal
from tests.web.conftest import OpenShop

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


def test_a_request_that_was_sent_again_may_still_arrive_and_holds_the_order(stripe: Local) -> None:
    """The ten minutes count from the last sending: by the first one's clock, the second could come after the order was
    freed, and charge it beside the next payment."""
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match="POST /v1/payment_intents")
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    stripe.clock.advance(650)
    assert stripe.create().get_json()["data"]["attempt_id"] == attempt
    stripe.provider_faults.clear()
    for _ in range(3):
        stripe.clock.advance(180)
        stripe.work()
        assert stripe.show(attempt).get_json()["outcome"] == "unknown"
        other = stripe.create(payment_method="pm_card_mastercard").get_json()
        assert other["data"]["reason"] == "outcome_unknown"
    stripe.clock.advance(12 * 3600)
    stripe.work()
    assert stripe.show(attempt).get_json()["status"] == "canceled"
    assert charged(stripe) == []


def test_an_unknown_payment_is_flagged_for_a_person_after_a_day_and_stays_unknown(stripe: Local) -> None:
    assert stripe.provider_faults is not None
    stripe.provider_faults.next(Fault.ERROR_500, times=999)
    attempt = stripe.create().get_json()["data"]["attempt_id"]
    for _ in range(30):
        stripe.clock.advance(3700)
        stripe.work()
    shown = stripe.show(attempt).get_json()
    assert (shown["status"], shown["outcome"]) == ("processing", "unknown")
    from bridge.operations.why import why

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


DAY = 24 * 3600.0


@pytest.mark.parametrize("asked_by", ["a client", "another client", "the worker"])
@pytest.mark.parametrize("provider", WITH_SERVERS)
def test_an_unknown_create_is_not_sent_again_once_the_provider_may_have_forgotten_its_key(
    open_shop: OpenShop, provider: str, asked_by: str
) -> None:
    shop = shop_at(open_shop, provider)
    shop.faults.next(Fault.DROPPED, times=9, match=asks_for_a_payment(shop))
    lost = shop.local.create(shop.order)
    assert lost.get_json()["data"]["outcome"] == "unknown"
    shop.faults.clear()
    [(key, sent)] = creates(shop).items()
    shop.local.clock.advance(DAY + 3600)
    if asked_by == "the worker":
        shop.local.work()
    else:
        shop.local.create(shop.order, **({} if asked_by == "a client" else {"payment_method": "pm_card_mastercard"}))
    assert creates(shop)[key] == sent
    assert taken(shop) in ([], [1023])


@pytest.mark.parametrize("provider", ["stripe", "stripe_destination", "forte_payments"])
def test_an_unknown_create_is_sent_again_inside_the_providers_window(open_shop: OpenShop, provider: str) -> None:
    shop = shop_at(open_shop, provider)
    shop.faults.next(Fault.DROPPED, times=9, match=asks_for_a_payment(shop))
    shop.local.create(shop.order)
    shop.faults.clear()
    [(key, sent)] = creates(shop).items()
    shop.local.clock.advance(DAY - 3 * 3600)
    assert shop.local.create(shop.order).status_code == 200
    assert creates(shop) == {key: sent + 1}


@pytest.mark.parametrize("provider", ["stripe", "stripe_destination", "forte_payments"])
def test_a_refusal_of_what_was_sent_before_proves_nothing_about_the_first_time(
    open_shop: OpenShop, provider: str
) -> None:
    shop = shop_at(open_shop, provider)
    shop.faults.next(Fault.DROPPED, times=9, match=asks_for_a_payment(shop))
    attempt = shop.local.create(shop.order).get_json()["data"]["attempt_id"]
    shop.faults.clear()
    shop.faults.next(Fault.STATUS, match=asks_for_a_payment(shop), status=400)
    refused = shop.local.create(shop.order).get_json()["data"]
    assert (refused["outcome"], refused["attempt_id"]) == ("unknown", attempt)
    assert shop.local.create(shop.order).get_json()["attempt_id"] == attempt
    assert len(creates(shop)) == 1


def test_a_declined_payment_is_voided_at_the_provider_before_its_order_is_free(stripe: Local) -> None:
    """Until then somebody with its secret could still confirm it."""
    assert stripe.stripe is not None
    declined = stripe.create(payment_method="pm_card_chargeDeclined").get_json()["data"]["payment_intent"]
    assert stripe.stripe.find(declined)["status"] == "canceled"
