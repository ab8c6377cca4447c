"""Webhook subscriptions: made, listed, changed, switched, deleted, and never more than allowed."""

from uuid import UUID

import pytest

from bridge.simulators.forte_payments.errors import ApiError

from .conftest import SUBSCRIPTIONS

HOOK = {"endpoint": "https://shop.example/hooks?shop=1", "description": "The shop"}


def subscribe(merchant, **changes):
    answer = merchant("POST", SUBSCRIPTIONS, HOOK | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def test_a_new_subscription_is_enabled_and_has_a_key_of_its_own(merchant):
    made = subscribe(merchant)
    assert made == {**HOOK, "id": made["id"], "signing_key": made["signing_key"], "status": "enabled", "version": "1"}
    assert UUID(made["signing_key"])
    assert subscribe(merchant)["signing_key"] != made["signing_key"]
    assert merchant.simulator.subscriptions[0].id == made["id"]
    assert made["signing_key"] not in repr(merchant.simulator.subscriptions)


def test_the_list_has_everything_that_is_not_deleted(merchant):
    one, two, three = (subscribe(merchant) for _ in range(3))
    merchant("DELETE", f"{SUBSCRIPTIONS}/{two['id']}")
    assert merchant("GET", SUBSCRIPTIONS).json() == {"data": [one, three]}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "endpoint is missing"),
        ({"endpoint": "shop.example"}, "endpoint is not an http or https address"),
        ({"endpoint": "ftp://shop.example/"}, "endpoint is not an http or https address"),
        ({"endpoint": "https://user@shop.example/"}, "endpoint is not an http or https address"),
        ({"endpoint": 7}, "endpoint is not a string"),
        (HOOK | {"events": []}, "events is not a known field"),
    ],
)
def test_what_is_no_subscription_cannot_be_processed(merchant, body, problem):
    answer = merchant("POST", SUBSCRIPTIONS, body)
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, problem)


def test_a_subscription_can_be_changed_in_part(merchant):
    made = subscribe(merchant)
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    assert merchant("PATCH", path, {"description": "Moved"}).json()["data"] == made | {"description": "Moved"}
    changed = {"endpoint": "http://127.0.0.1:1/x", "description": ""}
    assert merchant("PATCH", path, changed).json()["data"] == made | changed
    assert merchant("PATCH", path, {}).status_code == 422
    assert merchant("PATCH", path, {"signing_key": "mine"}).status_code == 422


def test_a_subscription_is_switched_off_and_on(merchant):
    path = f"{SUBSCRIPTIONS}/{subscribe(merchant)['id']}"
    for _ in range(2):
        assert merchant("POST", f"{path}/disable").json()["data"]["status"] == "disabled"
    for _ in range(2):
        assert merchant("POST", f"{path}/enable").json()["data"]["status"] == "enabled"


def test_a_deletion_is_for_good(merchant):
    path = f"{SUBSCRIPTIONS}/{subscribe(merchant)['id']}"
    answer = merchant("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    calls = [("DELETE", path), ("PATCH", path), *(("POST", f"{path}/{verb}") for verb in ("enable", "disable", "test"))]
    for method, gone in calls:
        answer = merchant(method, gone, {"description": ""} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "Not Found")


@pytest.mark.parametrize("limit", [1, 3])
def test_only_so_many_can_be_enabled(make_merchant, limit):
    merchant = make_merchant(subscription_limit=limit)
    first, *_ = [subscribe(merchant) for _ in range(limit)]
    answer = merchant("POST", SUBSCRIPTIONS, HOOK)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (429, "Too Many Requests")
    with pytest.raises(ApiError):
        merchant.simulator.subscribe(HOOK["endpoint"])
    merchant("POST", f"{SUBSCRIPTIONS}/{first['id']}/disable")
    subscribe(merchant)
    assert merchant("POST", f"{SUBSCRIPTIONS}/{first['id']}/enable").status_code == 429
    assert len(merchant("GET", SUBSCRIPTIONS).json()["data"]) == limit + 1


def test_a_subscription_made_by_hand_is_listed(merchant):
    made = merchant.simulator.subscribe(**HOOK)
    (listed,) = merchant("GET", SUBSCRIPTIONS).json()["data"]
    assert (listed["id"], listed["signing_key"]) == (made.id, made.signing_key)


def test_a_key_can_be_rotated(merchant):
    made = merchant.simulator.subscribe(**HOOK)
    rotated = merchant.simulator.rotate_signing_key(made.id)
    assert rotated.id == made.id
    assert rotated.signing_key != made.signing_key
    assert merchant.simulator.subscriptions == (rotated,)
