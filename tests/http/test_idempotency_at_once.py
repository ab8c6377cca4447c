"""Many equal requests at the same moment: one charge, one refund, with a key and without."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.plugins.concurrently import at_once
from tests.plugins.local import INTENTS, Local, MakeLocal

REFUND = "/wp-json/wc/v3/payments/refund"
MANY = 20


@pytest.fixture
def local(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect")


def many(local: Local, path: str, body: dict[str, Any], key: str | None) -> list[TestResponse]:
    """What MANY were answered who asked for the same at once."""
    headers = {"Idempotency-Key": key} if key else {}
    return at_once(MANY, lambda _: local.post(path, body, headers=headers))


def moved(local: Local, kind: str) -> list[int]:
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries(kind)]


def require_one_answer(answers: list[TestResponse]) -> None:
    """One was the first; each other got the same bytes, or was told to ask again."""
    done = [answer for answer in answers if answer.status_code == 200]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(done) + len(busy) == MANY, [answer.get_data() for answer in answers]
    assert len({answer.get_data() for answer in done}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in done].count(None) == 1
    assert {answer.headers["Retry-After"] for answer in busy} <= {"1"}
    assert {answer.get_json()["code"] for answer in busy} <= {"wcpay_idempotency_key_in_progress"}
    assert all(answer.get_json()["data"]["attempt_id"] for answer in busy)


def test_creates_with_one_key_charge_once(local: Local) -> None:
    body = {"payment_method": "pm_card_visa", "customer": local.customer, "order_id": local.orders["payable"]}
    answers = many(local, INTENTS, body, "one")
    require_one_answer(answers)
    first = next(answer for answer in answers if answer.status_code == 200)
    again = local.post(INTENTS, body, headers={"Idempotency-Key": "one"})
    assert (again.headers["Idempotent-Replayed"], again.get_data()) == ("true", first.get_data())
    assert moved(local, "captured") == [1023]


def test_refunds_with_one_key_send_back_once(local: Local) -> None:
    local.create()
    body = {"order_id": local.orders["payable"], "amount": 100, "reason": "duplicate"}
    answers = many(local, REFUND, body, "one")
    require_one_answer(answers)
    again = local.post(REFUND, body, headers={"Idempotency-Key": "one"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert moved(local, "refunded") == [100]


def test_refunds_without_a_key_send_back_once(local: Local) -> None:
    local.create()
    answers = many(local, REFUND, {"order_id": local.orders["payable"], "amount": 100}, None)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert [answer.get_json().get("repeated") for answer in answers].count(None) == 1
    assert moved(local, "refunded") == [100]


def test_creates_with_different_keys_charge_once(local: Local) -> None:
    body = {"payment_method": "pm_card_visa", "customer": local.customer, "order_id": local.orders["payable"]}
    answers = at_once(MANY, lambda number: local.post(INTENTS, body, headers={"Idempotency-Key": f"key-{number}"}))
    done = [answer.get_json() for answer in answers if answer.status_code == 200]
    assert {answer["id"] for answer in done} == {local.create().get_json()["id"]}
    assert moved(local, "captured") == [1023]
