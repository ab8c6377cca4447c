"""What holds for every address: the mark, the journal without secrets, the refusal of production, spoiled answers."""

import json

import pytest

from bridge.simulators.faults import Fault, Faults
from bridge.simulators.forte_payments import FortePaymentsSimulator, error_body
from bridge.simulators.server import serve

from .conftest import CLIENT, INTENT, REDIRECT, STATUSES, SUBSCRIPTIONS, TIMEOUT, payment


def test_every_answer_says_that_it_is_simulated(merchant):
    calls = [
        ("POST", INTENT),
        ("GET", "/nothing"),
        ("GET", "/forte-payments-widget.js"),
        ("OPTIONS", "/widget/v1/session"),
        ("GET", "/00000000-0000-4000-8000-000000000000"),
        ("GET", "/__sim/intents"),
    ]
    for method, path in calls:
        assert merchant(method, path).headers["X-Simulator"] == "forte-a", path


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", INTENT), ("PUT", SUBSCRIPTIONS), ("POST", INTENT + "/"), ("POST", f"{INTENT}//redirect")],
)
def test_what_is_no_address_is_not_found(merchant, method, path):
    answer = merchant(method, path)
    assert answer.status_code == 404
    message = "There is no such address."
    assert answer.json() == {"error": {"status": 404, "reason": "Not Found", "message": message}}


@pytest.mark.parametrize(
    "settings", [{"production": True}, {"client_id": ""}, {"client_id": "x" * 101}, {"client_secret": ""}]
)
def test_settings_that_cannot_be_meant_for_it_are_refused(settings):
    with pytest.raises(ValueError):
        FortePaymentsSimulator(**CLIENT | settings)


def test_the_journal_has_every_request_and_no_secret(merchant, clock):
    merchant.log_in()
    address = merchant.redirect()
    merchant.session.get(address, timeout=TIMEOUT)
    merchant("POST", STATUSES, data=b"{", headers={"Content-Type": "application/json"})
    merchant.session.post(address.partition("?")[0], {"session": "s3cr3t", "action": "approve"}, timeout=TIMEOUT)
    log_in, redirect, visit, broken, press = merchant.simulator.requests
    assert (log_in.method, log_in.path, log_in.status) == ("POST", "/auth/v1/oauth2/token", 201)
    assert (log_in.body, log_in.time) == ({"client_id": "shop"}, clock.now)
    assert (redirect.path, redirect.status, redirect.body) == (REDIRECT, 201, payment())
    assert (visit.method, visit.query, visit.status, visit.body) == ("GET", ("redirect_token",), 200, None)
    assert (broken.status, broken.body) == (400, None)
    assert (press.body, press.status) == ({"action": "approve"}, 401)
    kept = "".join(f"{vars(one)}" for one in merchant.simulator.requests)
    for secret in (CLIENT["client_secret"], merchant.token, address.partition("=")[2], "s3cr3t"):
        assert secret not in kept


def test_what_can_be_printed_holds_no_secret(merchant):
    merchant.create()
    shown = f"{merchant.simulator.intents} {merchant.simulator.requests}"
    assert merchant.simulator.intents[0].id in shown
    assert "ada@example.com" not in shown
    assert CLIENT["client_secret"] not in shown


SPOILED = {
    "no data": lambda body, status: ({}, status),
    "no id": lambda body, status: ({"data": body["data"] | {"payment_intent_id": None}}, status),
    "id on 200": lambda body, status: (body, 200),
    "unknown code": lambda body, status: ({"data": body["data"] | {"error_code": "ERR99"}}, status),
    "extra keys": lambda body, status: ({"data": body["data"] | {"more": [1]}, "also": None}, status),
    "conflict": lambda body, status: (error_body(409, code=409), 409),
}


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED)
def test_an_answer_can_be_spoiled_after_the_work_is_done(merchant, change):
    merchant.simulator.spoil_next(INTENT, lambda body, status: seen.append(body) or change(body, status))
    seen: list[dict] = []
    answer = merchant("POST", INTENT, payment())
    assert (answer.json(), answer.status_code) == change(seen[0], 201)
    assert len(merchant.simulator.intents) == 1
    assert merchant("POST", INTENT, payment()).json()["data"]["error_code"] is None


def test_tokens_can_be_spoiled_too(merchant):
    path = "/auth/v1/oauth2/token"
    merchant.simulator.spoil_next(
        path, lambda body, status: ({"data": {"access": body["data"]["access_token"], "expires_in": "3600"}}, status)
    )
    data = merchant.session.post(merchant.url + path, json=CLIENT, timeout=TIMEOUT).json()["data"]
    assert set(data) == {"access", "expires_in"}
    merchant.token = data["access"]
    assert merchant("GET", SUBSCRIPTIONS).status_code == 200


def test_spoiling_waits_for_its_path_and_its_turn(merchant):
    merchant.simulator.spoil_next(STATUSES, lambda body, status: ({"first": True}, status), times=2)
    merchant.simulator.spoil_next(STATUSES, lambda body, status: ({"last": True}, 500))
    assert merchant("GET", SUBSCRIPTIONS).json() == {"data": []}
    asked = {"payment_intent_ids": ["00000000-0000-4000-8000-000000000000"]}
    answers = [merchant("POST", STATUSES, asked) for _ in range(4)]
    assert [answer.json() for answer in answers] == [{"first": True}, {"first": True}, {"last": True}, {"data": []}]
    assert [answer.status_code for answer in answers] == [200, 200, 500, 200]


def test_faults_speak_its_language(merchant):
    faults = Faults(merchant.simulator, errors=error_body)
    faults.next(Fault.ERROR_503)
    with serve(faults) as server:
        answer = merchant.session.post(f"{server.url}{INTENT}", timeout=TIMEOUT)
    assert (answer.status_code, answer.json()) == (503, {"error": {"status": 503, "reason": "Service Unavailable"}})


def test_an_answer_that_was_lost_can_be_had_again_with_the_same_key(merchant):
    faults = Faults(merchant.simulator)
    faults.next(Fault.TRUNCATED, match=INTENT)
    with serve(faults) as server:
        merchant.url = server.url
        with pytest.raises(json.JSONDecodeError):
            merchant("POST", INTENT, payment()).json()
        (intent,) = merchant.simulator.intents
        assert merchant.create()["payment_intent_id"] == intent.id


@pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (599, "Unknown")])
def test_an_error_always_has_a_reason(status, reason):
    assert error_body(status) == {"error": {"status": status, "reason": reason}}
