"""Idempotency keys, and what a client sees when the network or the server fails around them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from bridge.simulators.faults import Fault

from .conftest import OTHER, SHOP, TIMEOUT

FORM = {
    "amount": "1023",
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "allowed_payment_method_types[0]": "card",
    "confirm": "true",
}


@pytest.fixture
def post(url, session, simulator):
    def post(key="key-1", path="payment_intents", account=None, **form):
        headers = {"Authorization": f"Bearer {simulator.secret_key}", "Idempotency-Key": key}
        if account:
            headers["Stripe-Account"] = account
        return session.post(f"{url}/v1/{path}", data={**FORM, **form}, headers=headers, timeout=TIMEOUT)

    return post


def test_the_first_answer_is_replayed_byte_for_byte(post, ledger, simulator):
    first, second = post(), post()
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Original-Request"] == first.headers["Request-Id"]
    assert second.headers["Original-Request"] == first.headers["Request-Id"] != second.headers["Request-Id"]
    assert len(ledger.entries("captured")) == 1
    assert [record.replayed for record in simulator.requests] == [False, True]


def test_the_replay_is_the_first_answer_even_when_the_object_has_changed(post, call):
    first = post()
    call("post", f"payment_intents/{first.json()['id']}", description="changed")
    assert post().content == first.content


def test_other_parameters_under_the_same_key_are_an_error_and_change_nothing(post, ledger):
    post()
    answer = post(amount="1024")
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], "code" in error, "param" in error) == (
        400,
        "idempotency_error",
        False,
        False,
    )
    assert "only be used with the same parameters" in error["message"]
    assert post().status_code == 200
    assert len(ledger.entries("captured")) == 1


def test_another_endpoint_under_the_same_key_is_an_error(call):
    call("post", "customers", idempotency_key="key-1")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        call("post", "payment_intents", amount=500, currency="usd", idempotency_key="key-1")


def test_accounts_do_not_share_keys(post, ledger):
    answers = [post(), post(account=SHOP), post(account=OTHER)]
    assert len({answer.json()["id"] for answer in answers}) == 3
    assert len(ledger.entries("captured")) == 3
    assert [len(ledger.entries("captured", account=account)) for account in (SHOP, OTHER)] == [1, 1]


def test_a_key_is_forgotten_after_a_day(post, clock, ledger):
    first = post()
    clock.now += 24 * 3600 - 1
    assert post().content == first.content
    clock.now += 1
    assert post().json()["id"] != first.json()["id"]
    assert len(ledger.entries("captured")) == 2


def test_a_decline_is_replayed(post, simulator):
    first, second = (post(payment_method="pm_card_chargeDeclined") for _ in range(2))
    assert (first.status_code, second.status_code) == (402, 402)
    assert second.content == first.content
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_state_that_does_not_fit_is_replayed(pay, post, call):
    intent = pay(capture_method="manual")
    call("post", f"payment_intents/{intent['id']}/cancel")
    answers = [
        call_error(call, f"payment_intents/{intent['id']}/cancel", "key-2"),
        call_error(call, f"payment_intents/{intent['id']}/cancel", "key-2"),
    ]
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers] == [None, "true"]


def call_error(call, path, key) -> stripe.StripeError:
    with pytest.raises(stripe.StripeError) as caught:
        call("post", path, idempotency_key=key)
    return caught.value


@pytest.mark.parametrize("wrong", [{"foo": "1"}, {"amount": "1"}, {"customer": "cus_unknown"}])
def test_a_request_that_fails_validation_does_not_use_its_key(post, ledger, wrong):
    assert post(**wrong).status_code == 400
    answer = post()
    assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)
    assert len(ledger.entries("captured")) == 1


def test_a_second_request_while_the_first_is_in_flight_is_a_conflict(post, simulator, ledger):
    begun, release = threading.Event(), threading.Event()

    def slow(stage, method, path):
        begun.set()
        assert release.wait(TIMEOUT)

    simulator.interfere = slow
    with ThreadPoolExecutor() as pool:
        first = pool.submit(post)
        assert begun.wait(TIMEOUT)
        answer = post()
        release.set()
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_in_use")
        assert answer.headers["Stripe-Should-Retry"] == "true"
        assert first.result(TIMEOUT).status_code == 200
    assert post().content == first.result().content
    assert len(ledger.entries("captured")) == 1


@pytest.mark.parametrize(("stage", "charges"), [("begun", 0), ("done", 1)])
def test_a_500_is_replayed_whether_or_not_money_moved(post, simulator, ledger, stage, charges):
    def fail(now, method, path):
        if now == stage:
            raise RuntimeError("the bank is on fire")

    simulator.interfere = fail
    first = post()
    simulator.interfere = None
    second = post()
    assert (first.status_code, first.json()["error"]["type"]) == (500, "api_error")
    assert first.headers["Stripe-Should-Retry"] == "false"
    assert second.content == first.content
    assert "fire" not in first.text
    assert len(ledger.entries("captured")) == charges
    assert post(key="key-2").status_code == 200


def test_a_get_ignores_the_key(call, simulator):
    call("get", "customers", headers={"Idempotency-Key": "key-1"})
    assert simulator.requests[-1].idempotency_key is None


def test_a_key_has_at_most_255_characters(post):
    assert post(key="k" * 255).status_code == 200
    assert post(key="k" * 256).status_code == 400


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.CUT, Fault.TRUNCATED, Fault.HTML, Fault.PROCESSED_500])
def test_a_lost_answer_is_recovered_with_the_same_key(pay, faults, ledger, fault):
    faults.next(fault)
    with pytest.raises(stripe.StripeError):
        pay(idempotency_key="key-1")
    [captured] = ledger.entries("captured")
    assert pay(idempotency_key="key-1")["id"] == captured.object_id
    assert ledger.entries("captured") == (captured,)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ERROR_500, Fault.ERROR_503, Fault.RATE_LIMITED, Fault.CONFLICT])
def test_a_request_that_was_never_processed_can_be_sent_again(pay, faults, ledger, fault):
    faults.next(fault)
    with pytest.raises(stripe.StripeError):
        pay(idempotency_key="key-1")
    assert ledger.entries() == ()
    assert pay(idempotency_key="key-1")["status"] == "succeeded"
    assert len(ledger.entries("captured")) == 1


def test_many_clients_with_one_key_make_one_charge(post, ledger):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(), range(20)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert len(ledger.entries("captured")) == 1
