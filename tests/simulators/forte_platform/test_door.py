"""Who gets in, what every answer looks like, and what the journal keeps."""

import json

import pytest

from bridge.simulators.faults import Fault, Faults
from bridge.simulators.forte_platform import FortePlatformSimulator, RequestRecord, injected_error
from bridge.simulators.server import serve

from .conftest import cart


def bearer(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {key}"}}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}])
def test_without_a_bearer_key_nobody_gets_in(merchant, headers):
    assert merchant.refused("GET", "payments", headers=headers) == (401, "NO_AUTHORIZATION_CREDENTIAL")


def test_a_key_opens_its_own_project_only(merchant, simulator):
    other = simulator.add_project(api_key="forte_test_other")
    path = f"/api/v1/projects/{other}/payments"
    assert merchant.refused("GET", path) == (403, "INSUFFICIENT_PERMISSIONS")
    assert merchant.refused("GET", "payments", **bearer("forte_test_other")) == (403, "INSUFFICIENT_PERMISSIONS")
    assert merchant.refused("GET", "payments", **bearer("forte_test_unheard")) == (403, "INSUFFICIENT_PERMISSIONS")
    assert merchant.done("GET", path, **bearer("forte_test_other"))["items"] == []


def test_an_unknown_project_is_not_found_with_a_key_and_forbidden_without_one(merchant):
    path = "/api/v1/projects/prj_unheard/payments"
    assert merchant.refused("GET", path) == (404, None)
    assert merchant.refused("GET", path, **bearer("forte_test_unheard")) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "paymentz", 404), ("GET", "/", 404), ("PATCH", "payments", 405), ("GET", "payments/search/x", 404)],
)
def test_what_is_no_endpoint_is_refused_in_forte_s_shape(merchant, method, path, status):
    assert merchant.refused(method, path) == (status, None)


def test_every_answer_is_marked_as_a_simulator_s(merchant):
    payment = merchant.create()["payment"]["id"]
    answers = [
        merchant("GET", "payments"),
        merchant("GET", "payments", headers={}),
        merchant("GET", "/nowhere"),
        merchant("GET", "/stripe-elements.js"),
        merchant("POST", "/__sim/elements/retrieve"),
        merchant("POST", f"/__sim/payments/{payment}/stripe-status", {"status": "processing"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 404, 200, 404, 200]
    assert {answer.headers["X-Simulator"] for answer in answers} == {"forte-b"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b'{"currency": NaN}', {"Content-Type": "application/json"}, 400),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        (b"[]", {"Content-Type": "application/json"}, 400),
        (b"\xff", {"Content-Type": "application/json"}, 400),
        (b"", {"Content-Type": "application/json"}, 400),
        (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(merchant, simulator, body, headers, status):
    key = {"Authorization": f"Bearer {simulator.api_key}"}
    answer = merchant("POST", merchant.payments, data=body, headers={**key, **headers})
    assert (answer.status_code, answer.json().get("errorCode")) == (
        status,
        "REQUEST_VALIDATION_FAILED" if status == 400 else None,
    )
    assert simulator.payments == ()


def test_unknown_repeated_and_misplaced_input_is_refused(merchant):
    refused = (400, "REQUEST_VALIDATION_FAILED")
    assert merchant.refused("GET", "payments?metadatakey=a") == refused
    assert merchant.refused("GET", "payments?state=DRAFT&state=FAILED") == refused
    assert merchant.refused("GET", "payments", {"state": "DRAFT"}) == refused


def test_the_status_of_an_error_can_be_chosen(make_merchant):
    merchant = make_merchant(statuses={"NO_AUTHORIZATION_CREDENTIAL": 403, "NOT_FOUND": 400})
    assert merchant.refused("GET", "payments", headers={}) == (403, "NO_AUTHORIZATION_CREDENTIAL")
    assert merchant.refused("GET", "payments/pay_x") == (400, None)
    with pytest.raises(ValueError, match="PAYMENT_LOST"):
        FortePlatformSimulator(statuses={"PAYMENT_LOST": 410})


def test_a_key_that_may_be_a_live_one_is_refused(simulator):
    with pytest.raises(ValueError, match="forte_test_"):
        FortePlatformSimulator(api_key="forte_live_x")
    with pytest.raises(ValueError, match="forte_test_"):
        simulator.add_project(api_key="x")
    assert FortePlatformSimulator().api_key.startswith("forte_test_")


def test_the_journal_keeps_what_was_asked_and_no_secret(merchant, simulator, clock):
    secret = merchant.create()["stripeClientSecret"]
    merchant("GET", "payments?state=DRAFT")
    merchant("POST", merchant.payments, cart(currency="US"))
    fields = {"key": "pk_test_x", "client_secret": secret, "number": "4242424242424242"}
    merchant("POST", "/__sim/elements/confirm", data=fields)
    base = f"/api/v1/projects/{merchant.project}"
    assert simulator.requests == (
        RequestRecord(clock.now, "POST", f"{base}/{merchant.payments}", {}, cart(), 200, None),
        RequestRecord(clock.now, "GET", f"{base}/payments", {"state": "DRAFT"}, None, 200, None),
        RequestRecord(
            clock.now, "POST", f"{base}/{merchant.payments}", {}, cart(currency="US"), 400, "REQUEST_VALIDATION_FAILED"
        ),
        RequestRecord(clock.now, "POST", "/__sim/elements/confirm", {}, None, 404, None),
    )
    kept = repr(simulator.requests) + repr(simulator.project(merchant.project))
    assert simulator.api_key not in kept
    assert secret not in kept


def test_requests_can_be_refused_with_any_of_forte_s_codes(merchant, simulator):
    simulator.refuse_next("PAYMENTS_PROVIDER_REJECTED", match="POST ", times=2)
    assert merchant.refused("GET", "payments/pay_x") == (404, None)
    for _ in range(2):
        assert merchant.refused("POST", merchant.payments, cart()) == (400, "PAYMENTS_PROVIDER_REJECTED")
    assert simulator.payments == ()
    assert merchant.create()["payment"]["state"] == "DRAFT"
    with pytest.raises(ValueError, match="NO_SUCH_CODE"):
        simulator.refuse_next("NO_SUCH_CODE")


def test_an_answer_can_be_spoiled_after_the_work_is_done(merchant, simulator):
    def without_secret(body, status):
        return {name: value for name, value in body.items() if name != "stripeClientSecret"}, status + 1

    simulator.spoil_next(without_secret, match=f"/users/{merchant.user}/payments")
    answer = merchant("POST", merchant.payments, cart())
    assert (answer.status_code, "stripeClientSecret" in answer.json()) == (201, False)
    assert [payment["id"] for payment in simulator.payments] == [answer.json()["payment"]["id"]]
    assert "stripeClientSecret" in merchant.create()


def test_faults_speak_forte_s_dialect_when_they_are_asked_to(merchant, simulator):
    faults = Faults(simulator, errors=injected_error)
    with serve(faults) as server:
        faults.next(Fault.PROCESSED_500)
        answer = merchant.session.post(
            f"{server.url}/api/v1/projects/{merchant.project}/{merchant.payments}",
            data=json.dumps(cart()),
            headers={"Authorization": f"Bearer {simulator.api_key}", "Content-Type": "application/json"},
            timeout=10,
        )
    assert (answer.status_code, answer.json()["errorCode"]) == (500, "EXTERNAL_API_ERROR")
    assert len(simulator.payments) == 1
