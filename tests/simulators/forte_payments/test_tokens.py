"""Access tokens: how to get one, and for how long it is good."""

import base64
import json

import pytest

from .conftest import CLIENT, STATUSES, SUBSCRIPTIONS, TIMEOUT

PATHS = ["/auth/v1/oauth2/tokens", "/auth/v1/oauth2/token"]


@pytest.mark.parametrize("path", PATHS)
def test_both_documented_paths_give_a_token(merchant, clock, path):
    answer = merchant.session.post(merchant.url + path, json=CLIENT, timeout=TIMEOUT)
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert {**data, "access_token": ...} == {"access_token": ..., "expires_in": 3600, "token_type": "Bearer"}
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in data["access_token"].split("."))
    assert header.startswith(b'{"kid"')
    assert json.loads(claims)["exp"] == int(clock.now) + 3600


@pytest.mark.parametrize(("gone", "left"), [PATHS, PATHS[::-1]])
def test_a_simulator_can_know_only_one_of_the_paths(make_merchant, gone, left):
    merchant = make_merchant(token_paths=(left,))
    statuses = [merchant.session.post(merchant.url + path, json=CLIENT, timeout=TIMEOUT) for path in (gone, left)]
    assert [answer.status_code for answer in statuses] == [404, 201]


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"client_secret": "wrong"}, {"client_secret": "ä"}])
def test_wrong_credentials_are_unauthorized(merchant, changes):
    answer = merchant.session.post(merchant.url + PATHS[0], json=CLIENT | changes, timeout=TIMEOUT)
    assert answer.status_code == 401
    assert answer.json()["error"]["reason"] == "Unauthorized"


@pytest.mark.parametrize(
    "body", [{}, {"client_id": "shop"}, CLIENT | {"grant_type": "x"}, CLIENT | {"client_id": "x" * 101}, [], "shop"]
)
def test_credentials_of_another_shape_are_a_bad_request(merchant, body):
    assert merchant.session.post(merchant.url + PATHS[0], json=body, timeout=TIMEOUT).status_code == 400


def test_credentials_as_a_form_are_an_unsupported_media_type(merchant):
    assert merchant.session.post(merchant.url + PATHS[0], data=CLIENT, timeout=TIMEOUT).status_code == 415


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer nonsense", "Basic c2hvcDp4", "Token {token}"])
@pytest.mark.parametrize(("method", "path"), [("POST", STATUSES), ("GET", SUBSCRIPTIONS)])
def test_everything_else_needs_a_bearer_token(merchant, method, path, authorization):
    headers = {"Authorization": authorization and authorization.format(token=merchant.log_in())}
    answer = merchant(method, path, headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"status", "reason", "message"}
    assert answer.json()["error"]["status"] == 401


@pytest.mark.parametrize(("seconds", "status"), [(3599, 200), (3600, 401), (3601, 401)])
def test_a_token_is_good_for_an_hour(merchant, clock, seconds, status):
    merchant.log_in()
    clock.advance(seconds)
    assert merchant("GET", SUBSCRIPTIONS).status_code == status


@pytest.mark.parametrize(("lifetime", "first", "second"), [(0, 401, 401), (1, 200, 401)])
def test_the_lifetime_can_be_chosen(make_merchant, clock, lifetime, first, second):
    merchant = make_merchant(token_seconds=lifetime)
    merchant.log_in()
    assert merchant("GET", SUBSCRIPTIONS).status_code == first
    clock.advance(1)
    assert merchant("GET", SUBSCRIPTIONS).status_code == second


def test_tokens_can_be_revoked_and_got_anew(merchant):
    merchant.log_in()
    merchant.simulator.revoke_tokens()
    assert merchant("GET", SUBSCRIPTIONS).status_code == 401
    merchant.log_in()
    assert merchant("GET", SUBSCRIPTIONS).status_code == 200


def test_a_new_token_does_not_end_the_old_one(merchant):
    old, new = merchant.log_in(), merchant.log_in()
    assert old != new
    merchant.token = old
    assert merchant("GET", SUBSCRIPTIONS).status_code == 200
