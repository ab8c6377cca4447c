"""`Idempotency-Key`: what is a key, what it stands for, and what a repeat is answered."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from bridge.domain.errors import StoreUnreachable
from bridge.payments import idempotency
from bridge.registry import stores
from bridge.storage import retention
from tests.http.conftest import BODY, Door, MakeDoor, make_pairs
from tests.plugins import statements
from tests.plugins.local import INTENTS

ORDERS = "/wp-json/wc/v3/payments/orders"
REFUND = "/wp-json/wc/v3/payments/refund"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
DAY = 24 * 3600


def keyed(door: Door, key: str = KEY, path: str = INTENTS, body: Any = None, **more: Any) -> TestResponse:
    return door.post(path, json=BODY if body is None else body, headers={"Idempotency-Key": key}, **more)


def is_replay(answer: TestResponse) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.get_json()["data"]["status"] == answer.status_code
    return answer.status_code, answer.get_json()["code"]


def test_a_repeat_gets_the_same_bytes_and_asks_nobody(door: Door) -> None:
    first, reads = keyed(door), door.shelf.reads
    assert first.status_code == 200
    assert not is_replay(first)
    door.shelf.put(19, status="processing", needs_payment=False)
    door.clock.advance(3600)
    again = keyed(door)
    assert is_replay(again)
    assert (again.status_code, again.get_data()) == (200, first.get_data())
    assert {name: value for name, value in again.headers if name != "Idempotent-Replayed"} == dict(first.headers)
    assert door.shelf.reads == reads


@pytest.mark.parametrize("key", ["k", "x" * 255, '"k y"', '"' + "x" * 255 + '"', r'"a\"b\\c"', "a/b;c=d:{e}", '"a,b"'])
def test_what_is_a_key(door: Door, key: str) -> None:
    first = keyed(door, key)
    assert first.status_code == 200
    assert keyed(door, key).get_data() == first.get_data()


@pytest.mark.parametrize(
    "key",
    [
        *("", " ", '""', '"', '"open', 'shut"', "x" * 256, '"' + "x" * 256 + '"', "two words", "a,b", "a\tb"),
        *('"a" "b"', r'"a\b"', "\x7f", "é", '"é"', "clé-1"),
    ],
    ids=ascii,
)
def test_what_is_none(door: Door, key: str) -> None:
    assert code(keyed(door, key)) == (400, "wcpay_idempotency_key_invalid")
    assert door.shelf.reads == 0


def test_a_key_is_the_same_with_and_without_quotes(door: Door) -> None:
    keyed(door, "abc")
    assert is_replay(keyed(door, '"abc"'))


@pytest.mark.parametrize(
    "changes", [{"payment_method": "pm_card_mastercard"}, {"order_id": 20}, {"customer": "cus_other"}, {"more": 1}]
)
def test_another_request_under_the_same_key_is_refused(door: Door, changes: dict[str, Any]) -> None:
    door.shelf.put(20)
    first = keyed(door)
    reads = door.shelf.reads
    assert code(keyed(door, body=BODY | changes)) == (422, "wcpay_idempotency_key_reused")
    assert door.shelf.reads == reads
    assert keyed(door).get_data() == first.get_data()


def test_every_key_has_its_own_answer(door: Door) -> None:
    door.shelf.put(20)
    first, second = keyed(door, "one"), keyed(door, "two", body=BODY | {"order_id": 20})
    assert keyed(door, "one").get_data() == first.get_data()
    assert keyed(door, "two", body=BODY | {"order_id": 20}).get_data() == second.get_data()


def test_it_is_the_same_request_however_it_is_sent(door: Door) -> None:
    first = keyed(door)
    header = {"Idempotency-Key": KEY}
    reordered = dict(reversed(BODY.items()))
    for sent in ({"json": reordered}, {"data": BODY}, {"query_string": BODY}, {"json": BODY | {"order_id": "19"}}):
        again = door.post(headers=header, **sent)
        assert is_replay(again), sent
        assert again.get_data() == first.get_data()


def test_credentials_in_the_query_are_no_part_of_the_request(door: Door) -> None:
    keyed(door)
    key, secret = door.secrets("read_write")
    credentials = {"consumer_key": key, "consumer_secret": secret}
    sent = {"json": BODY, "headers": {"Idempotency-Key": KEY}, "query_string": credentials}
    assert is_replay(door.post(key=None, **sent))


def test_another_key_of_the_same_store_finds_the_answer(door: Door) -> None:
    keyed(door)
    assert is_replay(door.post(json=BODY, headers={"Idempotency-Key": KEY}, key="write"))


@pytest.mark.parametrize("key", ["read", "revoked", None])
def test_who_may_not_ask_gets_no_replay(door: Door, key: str | None) -> None:
    keyed(door)
    answer = door.post(json=BODY, headers={"Idempotency-Key": KEY}, key=key)
    assert answer.status_code == 401
    assert not is_replay(answer)


def test_the_same_key_on_another_route_is_another_key(door: Door) -> None:
    intent = keyed(door).get_json()["id"]
    capture = keyed(door, path=f"{ORDERS}/19/capture_authorization", body={"payment_intent_id": intent})
    refund = keyed(door, path=REFUND, body={"order_id": 19, "amount": 100})
    assert (capture.status_code, refund.status_code) == (200, 200)
    assert not is_replay(capture)
    assert not is_replay(refund)
    again = keyed(door, path=REFUND, body={"order_id": 19, "amount": 100})
    assert (is_replay(again), again.get_data()) == (True, refund.get_data())
    other = keyed(door, path=f"{ORDERS}/20/capture_authorization", body={"payment_intent_id": intent})
    assert code(other) == (422, "wcpay_idempotency_key_reused")


def test_another_store_never_gets_the_answer(door: Door) -> None:
    first = keyed(door)
    other = stores.add(door.bridge.services, replace(door.store, id="", url="https://b.example"), ())
    pairs = make_pairs(door.bridge, other.id)
    door.pairs["other"] = pairs["read_write"]
    answer = door.post(json=BODY, headers={"Idempotency-Key": KEY}, key="other")
    assert answer.status_code == 200
    assert not is_replay(answer)
    assert answer.get_json()["id"] != first.get_json()["id"]
    again = door.post(json=BODY, headers={"Idempotency-Key": KEY}, key="other")
    assert again.get_data() == answer.get_data()
    assert keyed(door).get_data() == first.get_data()


def test_a_key_of_test_mode_says_nothing_in_live_mode(door: Door) -> None:
    keyed(door)
    services = door.bridge.services
    request = "anything"
    test = idempotency.begin_request(services.at(door.store), "/route", KEY, request)
    live = idempotency.begin_request(services.at(replace(door.store, live=True)), "/route", KEY, request)
    assert (test.mine, test.again) == (live.mine, live.again) == (True, False)
    for mode, turn in ((False, test), (True, live)):
        again = idempotency.begin_request(services.at(replace(door.store, live=mode)), "/route", KEY, request)
        assert (again.mine, again.attempt_id) == (False, turn.attempt_id)


def test_a_day_later_the_key_is_free(door: Door) -> None:
    first = keyed(door)
    door.clock.advance(DAY - 1)
    assert is_replay(keyed(door))
    door.clock.advance(1)
    door.shelf.put(20)
    other = keyed(door, body=BODY | {"order_id": 20})
    assert other.status_code == 200
    assert not is_replay(other)
    assert other.get_json()["id"] != first.get_json()["id"]
    assert is_replay(keyed(door, body=BODY | {"order_id": 20}))


def test_old_keys_are_pruned(door: Door) -> None:
    keyed(door)
    door.clock.advance(60)
    keyed(door, "another")
    database = door.bridge.services.database
    assert retention.find(database, retention.KEYS, door.clock() - 60, 9) == []
    [old] = retention.find(database, retention.KEYS, door.clock() - 59, 9)
    assert retention.drop(database, retention.KEYS, [old], door.clock() - 59) == 1
    assert is_replay(keyed(door, "another"))
    assert not is_replay(keyed(door))


def test_presentation_of_a_replay_is_the_first_ones(door: Door) -> None:
    wanted = {"_fields": "id,charge.amount"}
    first = keyed(door, query_string=wanted)
    assert set(first.get_json()) == {"id", "charge"}
    assert keyed(door, query_string=wanted).get_data() == first.get_data()
    enveloped = keyed(door, "2", query_string={"_envelope": "1"})
    again = keyed(door, "2", query_string={"_envelope": "1"})
    assert is_replay(again)
    assert again.get_data() == enveloped.get_data()


def test_a_look_up_heeds_no_key(door: Door) -> None:
    intent = door.create().get_json()["id"]
    for _ in range(2):
        answer = door.get(f"{INTENTS}/{intent}", headers={"Idempotency-Key": "é"})
        assert answer.status_code == 200
        assert not is_replay(answer)


@pytest.mark.parametrize(
    ("body", "says"), [({"order_id": 404}, "wcpay_server_error"), ({"customer": "x"}, "wcpay_server_error")]
)
def test_a_request_that_was_refused_leaves_its_key_free(door: Door, body: dict[str, Any], says: str) -> None:
    refused = keyed(door, body=BODY | body)
    assert refused.get_json()["code"] == says
    right = keyed(door)
    assert right.status_code == 200
    assert not is_replay(right)


def test_a_parameter_that_is_missing_leaves_the_key_free(door: Door) -> None:
    path = f"{ORDERS}/19/capture_authorization"
    assert code(keyed(door, path=path, body={})) == (400, "rest_missing_callback_param")
    intent = door.create().get_json()["id"]
    assert keyed(door, path=path, body={"payment_intent_id": intent}).status_code == 200


def test_a_shop_that_was_away_leaves_the_key_free(door: Door) -> None:
    door.shelf.raises = StoreUnreachable("The store could not be reached.")
    assert keyed(door).status_code == 500
    door.shelf.raises = None
    assert keyed(door).status_code == 200


def test_a_decline_is_final_for_its_key_and_for_no_other(door: Door) -> None:
    body = BODY | {"payment_method": "pm_card_chargeDeclined"}
    first = keyed(door, body=body)
    assert first.get_json()["data"]["reason"] == "declined"
    again = keyed(door, body=body)
    assert is_replay(again)
    assert (again.status_code, again.get_data()) == (first.status_code, first.get_data())
    assert not is_replay(keyed(door, "next", body=body))
    assert keyed(door, "other").get_json()["status"] == "succeeded"


def test_a_provider_that_was_never_reached_may_be_asked_again_under_the_same_key(door: Door) -> None:
    body = BODY | {"payment_method": "pm_sandbox_unreachable"}
    attempts = [keyed(door, body=body).get_json()["data"]["attempt_id"] for _ in range(2)]
    assert attempts[0] != attempts[1]


def test_a_refusal_of_the_provider_is_final_for_its_key(door: Door) -> None:
    body = BODY | {"payment_method": "pm_card_nonsense"}
    first = keyed(door, body=body)
    assert first.get_json()["data"]["reason"] == "provider_refused"
    assert is_replay(keyed(door, body=body))


def begun(door: Door, ask: Callable[[], object]) -> int:
    """How many transactions that begins."""
    with statements.sent(door.bridge.services.database) as texts:
        ask()
    return sum(text.startswith("BEGIN") for text in texts)


def test_a_key_costs_two_short_transactions_and_a_replay_or_a_request_without_one_nothing(door: Door) -> None:
    door.create()
    without = begun(door, door.create)
    assert begun(door, lambda: keyed(door)) == without + 2
    assert begun(door, lambda: keyed(door)) == 0
    with door.bridge.services.database.read() as connection:
        assert connection.execute(text("select count(*) from idempotency")).scalar() == 1


def test_nothing_of_it_can_be_read_in_the_database(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    key = "jane.doe@example.com"
    keyed(door, key, body=BODY | {"payment_method": "pm_card_threeDSecure2Required"})
    with door.bridge.services.database.read() as connection:
        row = connection.execute(text("select * from idempotency")).one()._mapping
    stored = str(row)
    for secret in (key, "_secret_", "example.com", BODY["customer"], "requires_action"):
        assert secret not in stored
    kept = door.bridge.services.vault.decrypt(row["answer"])
    assert "requires_action" in kept
    assert "_secret_" not in kept
    assert '"client_secret":null' in kept
    assert '"provider_data":null' in kept


def test_one_time_material_is_fetched_again_for_a_replay(door: Door) -> None:
    body = BODY | {"payment_method": "pm_card_threeDSecure2Required"}
    first = keyed(door, body=body)
    assert "_secret_" in first.get_json()["client_secret"]
    again = keyed(door, body=body)
    assert is_replay(again)
    assert again.get_data() == first.get_data()


ROUTES = {
    "create_customer": (f"{ORDERS}/20/create_customer", {}),
    "create_terminal_intent": (f"{ORDERS}/20/create_terminal_intent", {"payment_methods": ["card_present"]}),
    "refund": (REFUND, {"order_id": 19, "amount": 100}),
    "capture": (f"{ORDERS}/19/capture_authorization", {"payment_intent_id": "?"}),
}


@pytest.mark.parametrize("name", ROUTES)
def test_every_route_that_prepares_or_moves_money_replays(door: Door, name: str) -> None:
    door.shelf.put(20)
    intent = door.create().get_json()["id"]
    path, body = ROUTES[name]
    body = {key: intent if value == "?" else value for key, value in body.items()}
    first = keyed(door, path=path, body=body)
    assert first.status_code == 200
    again = keyed(door, path=path, body=body)
    assert is_replay(again)
    assert again.get_data() == first.get_data()
