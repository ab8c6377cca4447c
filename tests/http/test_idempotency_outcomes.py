"""Keys and what goes wrong: an unknown outcome is never frozen, a crash never starts a second payment or refund."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from bridge.worker.prune import prune
from tests.plugins.clock import Time
from tests.plugins.local import INTENTS, Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
DAY = 24 * 3600
LEASE = 63
"""Seconds after which nobody can be at a request any more."""


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


def create(local: Local, key: str = KEY, **changes: Any) -> TestResponse:
    body = {"payment_method": local.payment_method, "customer": local.customer, "order_id": local.orders["payable"]}
    return local.post(INTENTS, body | changes, headers={"Idempotency-Key": key})


def refund(local: Local, key: str = KEY, **wanted: Any) -> TestResponse:
    body = {"order_id": local.orders["payable"], "amount": 300} | wanted
    return local.post(f"{PAYMENTS}/refund", body, headers={"Idempotency-Key": key})


def fail(local: Local, fault: Fault, match: str) -> None:
    assert local.provider_faults
    local.provider_faults.next(fault, times=9, match=match)


def lost_refund(local: Local, fault: Fault = Fault.DROPPED) -> None:
    """One of a payment, of which nobody knows what became of it. The provider answers again from now on."""
    local.create()
    fail(local, fault, "POST /v1/refunds")
    assert refund(local).get_json()["data"]["outcome"] == "unknown"
    heal(local)


def heal(local: Local) -> None:
    assert local.provider_faults
    local.provider_faults.clear()


def moved(local: Local, kind: str) -> list[int]:
    """What the provider's own book says."""
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries(kind)]


def is_replay(answer: TestResponse) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


@pytest.fixture
def crash_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bool]], None]:
    """The process that serves the request dies at its next look at the clock after the condition holds."""
    living = Time.__call__

    def crash(condition: Callable[[], bool]) -> None:
        def dying(self: Time) -> float:
            if threading.current_thread() is threading.main_thread() and condition():
                monkeypatch.setattr(Time, "__call__", living)
                raise SystemExit("killed")
            return living(self)

        monkeypatch.setattr(Time, "__call__", dying)

    return crash


Crash = Callable[[Callable[[], bool]], None]


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.ERROR_500])
def test_an_unknown_create_is_looked_at_again_under_its_key(stripe: Local, fault: Fault) -> None:
    fail(stripe, fault, "POST /v1/payment_intents")
    first = create(stripe).get_json()["data"]
    assert first["outcome"] == "unknown"
    again = create(stripe)
    assert not is_replay(again)
    assert again.get_json()["data"]["attempt_id"] == first["attempt_id"]
    heal(stripe)
    settled = create(stripe)
    assert (settled.status_code, settled.get_json()["attempt_id"]) == (200, first["attempt_id"])
    assert not is_replay(settled)
    assert create(stripe).get_data() == settled.get_data()
    assert is_replay(create(stripe))
    assert moved(stripe, "captured") == [1023]


def test_a_create_that_came_to_nothing_is_made_under_its_key_after_all(stripe: Local) -> None:
    fail(stripe, Fault.ERROR_500, "POST /v1/payment_intents")
    lost = create(stripe).get_json()["data"]["attempt_id"]
    heal(stripe)
    stripe.clock.advance(1000)
    stripe.work()
    assert stripe.show(lost).get_json()["status"] == "canceled"
    made = create(stripe).get_json()
    assert made["status"] == "succeeded"
    assert made["attempt_id"] != lost
    assert moved(stripe, "captured") == [1023]


def test_another_body_is_refused_while_the_outcome_is_unknown(stripe: Local) -> None:
    fail(stripe, Fault.DROPPED, "POST /v1/payment_intents")
    create(stripe)
    assert create(stripe, payment_method="pm_card_mastercard").status_code == 422


def test_a_decline_whose_answer_was_lost_is_told_and_not_tried_again(stripe: Local) -> None:
    fail(stripe, Fault.DROPPED, "POST /v1/payment_intents")
    lost = create(stripe, payment_method="pm_card_chargeDeclined").get_json()["data"]
    heal(stripe)
    stripe.clock.advance(10)
    stripe.work()
    again = create(stripe, payment_method="pm_card_chargeDeclined")
    told = again.get_json()["data"]
    assert (told["reason"], told["attempt_id"]) == ("declined", lost["attempt_id"])
    assert is_replay(create(stripe, payment_method="pm_card_chargeDeclined"))
    assert stripe.stripe
    assert len([r for r in stripe.stripe.requests if (r.method, r.path) == ("POST", "/v1/payment_intents")]) <= 2


def test_a_key_answers_its_own_payment_even_if_the_order_is_to_be_paid_again(stripe: Local) -> None:
    fail(stripe, Fault.DROPPED, "POST /v1/payment_intents")
    attempt = create(stripe).get_json()["data"]["attempt_id"]
    heal(stripe)
    stripe.clock.advance(10)
    stripe.work()
    assert refund(stripe, amount=1023).status_code == 200
    stripe.work()
    stripe.shop.update_order(stripe.orders["payable"], status="pending")
    again = create(stripe)
    assert (again.status_code, again.get_json()["id"]) == (200, stripe.show(attempt).get_json()["id"])
    assert moved(stripe, "captured") == [1023]
    assert stripe.create().get_json()["id"] != again.get_json()["id"]


def test_a_request_that_is_being_worked_on(stripe: Local) -> None:
    assert stripe.provider_faults
    arrived, go_on, answers = threading.Event(), threading.Event(), []

    def is_create(request: Any) -> bool:
        found = (request.method, request.path) == ("POST", "/v1/payment_intents")
        if found:
            arrived.set()
        return found

    stripe.provider_faults.next(Fault.STALLED, match=is_create, until=go_on)
    first = threading.Thread(target=lambda: answers.append(create(stripe)))
    first.start()
    assert arrived.wait(30)
    busy = create(stripe)
    told = busy.get_json()
    assert (busy.status_code, told["code"]) == (409, "wcpay_idempotency_key_in_progress")
    assert busy.headers["Retry-After"] == "1"
    assert stripe.show(told["data"]["attempt_id"]).get_json()["outcome"] == "unknown"
    assert create(stripe, payment_method="pm_card_mastercard").status_code == 422
    go_on.set()
    first.join()
    assert answers[0].get_json()["attempt_id"] == told["data"]["attempt_id"]
    assert create(stripe).get_data() == answers[0].get_data()
    assert moved(stripe, "captured") == [1023]


def test_a_create_goes_on_after_a_crash_before_anything_was_sent(stripe: Local, crash_once: Crash) -> None:
    before = len(stripe.shop.requests)
    crash_once(lambda: len(stripe.shop.requests) > before)
    with pytest.raises(SystemExit):
        create(stripe)
    stripe.clock.advance(LEASE)
    assert create(stripe).status_code == 200
    assert moved(stripe, "captured") == [1023]


def test_a_create_goes_on_after_a_crash_behind_the_providers_answer(stripe: Local, crash_once: Crash) -> None:
    crash_once(lambda: bool(moved(stripe, "captured")))
    with pytest.raises(SystemExit):
        create(stripe)
    busy = create(stripe)
    assert (busy.status_code, busy.headers["Retry-After"]) == (409, "1")
    attempt = busy.get_json()["data"]["attempt_id"]
    stripe.clock.advance(LEASE)
    again = create(stripe)
    assert (again.status_code, again.get_json()["attempt_id"]) == (200, attempt)
    assert create(stripe).get_data() == again.get_data()
    assert moved(stripe, "captured") == [1023]


def test_a_refund_goes_on_after_a_crash_behind_the_providers_answer(stripe: Local, crash_once: Crash) -> None:
    stripe.create()
    crash_once(lambda: bool(moved(stripe, "refunded")))
    with pytest.raises(SystemExit):
        refund(stripe)
    assert refund(stripe).status_code == 409
    stripe.clock.advance(LEASE)
    again = refund(stripe)
    assert again.status_code == 200
    assert "repeated" not in again.get_json()
    assert is_replay(refund(stripe))
    assert moved(stripe, "refunded") == [300]
    charge = stripe.get(f"{PAYMENTS}/charges/{again.get_json()['charge']}").get_json()
    assert charge["amount_refunded"] == 300
    assert len(charge["refunds"]["data"]) == 1


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.ERROR_500])
def test_an_unknown_refund_is_carried_on_under_its_key(stripe: Local, fault: Fault) -> None:
    created = stripe.create().get_json()
    fail(stripe, fault, "POST /v1/refunds")
    first = refund(stripe).get_json()["data"]
    assert first["outcome"] == "unknown"
    assert refund(stripe).get_json()["data"]["attempt_id"] == first["attempt_id"]
    heal(stripe)
    again = refund(stripe)
    assert again.status_code == 200
    assert is_replay(refund(stripe))
    assert moved(stripe, "refunded") == [300]
    assert "outcome" not in stripe.show(created["id"]).get_json()


def test_an_unknown_refund_keeps_its_key_whatever_stands_in_the_way_of_its_repeat(stripe: Local) -> None:
    lost_refund(stripe)
    stripe.shop_faults.next(Fault.REFUSED, times=9)
    assert refund(stripe).get_json()["data"]["reason"] == "store_unreachable"
    stripe.shop_faults.clear()
    assert refund(stripe).status_code == 200
    assert moved(stripe, "refunded") == [300]


def test_unknown_refunds_that_were_heard_of_meanwhile_count_once(stripe: Local) -> None:
    charge = stripe.create().get_json()["charge"]["id"]
    fail(stripe, Fault.DROPPED, "POST /v1/refunds")
    for key, amount in (("one", 300), ("two", 200)):
        assert refund(stripe, key, amount=amount).get_json()["data"]["outcome"] == "unknown"
    heal(stripe)
    news = {"type": "charge.refunded", "data": {"object": {"id": charge}}}
    stripe.post(f"{PAYMENTS}/webhook", news)
    assert [refund(stripe, key, amount=amount).status_code for key, amount in (("one", 300), ("two", 200))] == [
        200,
        200,
    ]
    shown = stripe.get(f"{PAYMENTS}/charges/{charge}").get_json()
    assert (shown["amount_refunded"], len(shown["refunds"]["data"])) == (500, 2)


def test_a_refund_that_the_worker_settled_is_the_answer(stripe: Local) -> None:
    lost_refund(stripe)
    stripe.clock.advance(10)
    stripe.work()
    assert refund(stripe).status_code == 200
    assert moved(stripe, "refunded") == [300]


def test_a_refund_that_came_to_nothing_is_told_and_another_key_makes_another(stripe: Local) -> None:
    lost_refund(stripe, Fault.ERROR_500)
    stripe.clock.advance(1000)
    stripe.work()
    again = refund(stripe)
    assert again.status_code == 500
    assert again.get_json()["data"]["outcome"] == "failed"
    assert is_replay(refund(stripe))
    assert refund(stripe, "another").status_code == 200
    assert moved(stripe, "refunded") == [300]


@pytest.mark.parametrize("settled", [False, True])
def test_an_unknown_refund_keeps_its_key_until_its_caller_has_heard_of_it(stripe: Local, settled: bool) -> None:
    stripe.create()
    fail(stripe, Fault.DROPPED, "POST /v1/refunds")
    assert refund(stripe).get_json()["data"]["outcome"] == "unknown"
    assert prune(stripe.bridge.services)["idempotency keys"] == 0
    stripe.clock.advance(3 * DAY)
    assert prune(stripe.bridge.services)["idempotency keys"] == 0
    heal(stripe)
    if settled:
        stripe.work()
    assert refund(stripe, amount=400).status_code == 422
    assert refund(stripe).status_code == 200
    assert moved(stripe, "refunded") == [300]
    assert prune(stripe.bridge.services)["idempotency keys"] == 1


def test_equal_refunds_under_two_keys_are_two(stripe: Local) -> None:
    stripe.create()
    one, two = refund(stripe, "one").get_json(), refund(stripe, "two").get_json()
    assert one["id"] != two["id"]
    assert "repeated" not in two
    assert moved(stripe, "refunded") == [300, 300]


def test_a_capture_goes_on_after_a_crash(make_local: MakeLocal, sqlite_url: str, crash_once: Crash) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = local.create().get_json()["id"]
    path = f"{PAYMENTS}/orders/{local.orders['payable']}/capture_authorization"
    body, headers = {"payment_intent_id": intent}, {"Idempotency-Key": KEY}
    crash_once(lambda: bool(moved(local, "captured")))
    with pytest.raises(SystemExit):
        local.post(path, body, headers=headers)
    busy = local.post(path, body, headers=headers)
    assert busy.status_code == 409
    assert local.show(busy.get_json()["data"]["attempt_id"]).get_json()["id"] == intent
    local.clock.advance(LEASE)
    local.work()
    done = local.post(path, body, headers=headers)
    assert done.get_json() == {"status": "succeeded", "id": intent}
    assert is_replay(local.post(path, body, headers=headers))
    assert moved(local, "captured") == [1023]
