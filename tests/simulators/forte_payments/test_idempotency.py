"""One idempotency key is one attempt: what comes of a second request with it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import INTENT, REDIRECT, payment

BOTH = pytest.mark.parametrize("path", [INTENT, REDIRECT])


def test_the_same_request_gives_the_same_intent(merchant):
    first, second = merchant.create(), merchant.create()
    assert first["payment_intent_id"] == second["payment_intent_id"]
    assert len(merchant.simulator.intents) == 1


def test_the_same_request_gives_a_new_address_of_the_same_intent(merchant):
    assert merchant.redirect() != merchant.redirect()
    assert len(merchant.simulator.intents) == 1


def test_both_modes_share_the_intent(merchant):
    merchant.create()
    merchant.redirect()
    assert len(merchant.simulator.intents) == 1


def test_a_new_key_is_a_new_intent_and_both_can_be_charged(merchant):
    merchant.redirect()
    merchant.redirect(idempotency_key="attempt-2")
    one, two = merchant.simulator.find_by_reference("42:attempt-1")
    merchant.simulator.approve(one.id)
    merchant.simulator.approve(two.id)
    captured = merchant.simulator.ledger.entries("captured", metadata={"reference": "42:attempt-1"})
    assert [entry.object_id for entry in captured] == [one.id, two.id]


@BOTH
def test_another_body_under_the_same_key_is_a_conflict_of_its_own_kind(merchant, path):
    merchant("POST", path, payment())
    answer = merchant("POST", path, payment(item={"amount": "1.00"}))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == 409
    assert [intent.amount for intent in merchant.simulator.intents] == [999]


@BOTH
def test_another_body_under_the_same_key_can_give_the_first_intent(make_merchant, path):
    merchant = make_merchant(other_body="first")
    merchant("POST", path, payment())
    assert merchant("POST", path, payment(item={"amount": "1.00"})).status_code == 201
    assert [intent.amount for intent in merchant.simulator.intents] == [999]


@BOTH
@pytest.mark.parametrize("end", ["approve", "decline", "submit"])
def test_a_key_whose_payment_was_submitted_is_answered_with_err04(merchant, path, end):
    intent = merchant.create()["payment_intent_id"]
    getattr(merchant.simulator, end)(intent)
    for body in (payment(), payment(currency="EUR")):
        answer = merchant("POST", path, body)
        assert answer.status_code == 409
        assert set(answer.json()["error"]) == {"status", "reason", "message", "code"}
        assert answer.json()["error"]["code"] == "ERR04"


def test_a_key_whose_intent_has_expired_gives_that_intent(merchant):
    intent = merchant.create()["payment_intent_id"]
    merchant.simulator.expire(intent)
    assert merchant.create()["payment_intent_id"] == intent
    assert merchant.statuses(intent)[0]["status"] == "Expired"


def test_a_refused_buyer_does_not_use_the_key_up(merchant):
    assert merchant("POST", INTENT, payment(buyer={"id": "7", "email": "banned@example.com"})).status_code == 200
    assert merchant("POST", INTENT, payment()).status_code == 201


def test_twenty_requests_at_once_make_one_intent(merchant):
    merchant.log_in()
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda _: merchant.create()["payment_intent_id"], range(20)))
    assert set(made) == {intent.id for intent in merchant.simulator.intents}
    assert len(set(made)) == 1
