"""Faults that are arranged over HTTP, as whoever runs the demo does it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
from werkzeug.test import Client
from werkzeug.wrappers import Response

from bridge.simulators import forte_payments, forte_platform
from bridge.simulators.fault_routes import NAMES, PATH, Scenarios, with_routes
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve


def app(environ: Any, start_response: Any) -> Any:
    return Response('{"paid": true}', content_type="application/json")(environ, start_response)


@pytest.fixture
def url() -> Iterator[str]:
    with serve(with_routes(Faults(app))) as server:
        yield server.url


def arrange(url: str, **members: Any) -> requests.Response:
    return requests.post(url + PATH, json=members, timeout=10)


def test_a_fault_is_queued_served_once_to_what_matches_and_shown(url: str) -> None:
    assert arrange(url, fault="status", match="POST /pay", status=418, body={"tea": 1}).json()["pending"] == 1
    assert requests.get(f"{url}/pay", timeout=10).json() == {"paid": True}
    served = requests.post(f"{url}/pay", timeout=10)
    assert (served.status_code, served.json()) == (418, {"tea": 1})
    assert requests.post(f"{url}/pay", timeout=10).json() == {"paid": True}
    shown = requests.get(url + PATH, timeout=10).json()
    assert (shown["pending"], shown["served"]) == (0, [{"fault": "status", "to": "POST /pay"}])
    assert shown["faults"].keys() == NAMES.keys() == {fault.name.lower() for fault in Fault}


def test_an_answer_is_lost_as_often_as_it_is_said_until_it_is_forgotten(url: str) -> None:
    arrange(url, fault="dropped", times=3)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/pay", timeout=10)
    assert requests.delete(url + PATH, timeout=10).json()["pending"] == 0
    assert requests.get(f"{url}/pay", timeout=10).ok


def test_a_scenario_is_arranged_by_its_name() -> None:
    both = {"busy_day": [{"fault": Fault.ERROR_503}, {"fault": Fault.RATE_LIMITED, "match": "/pay", "times": 2}]}
    with serve(with_routes(Faults(app), both)) as server:
        assert requests.get(server.url + PATH, timeout=10).json()["scenarios"] == ["busy_day"]
        assert arrange(server.url, scenario="busy_day").json()["pending"] == 3
        asked = [requests.get(f"{server.url}/pay", timeout=10).status_code for _ in range(4)]
        assert asked == [503, 429, 429, 200]
        for wrong in ({"scenario": "holiday"}, {"scenario": "busy_day", "times": 2}, {"scenario": ["busy_day"]}):
            answer = arrange(server.url, **wrong)
            assert (answer.status_code, answer.json()["message"]) == (
                400,
                "scenario stands alone, and is one of busy_day.",
            )


OF_PAYMENTS = {
    "create": "POST /payments/v2/intent",
    "token": "POST /auth/v1/oauth2/tokens",
    "statuses": "POST /payments/v1/payments/statuses",
}
OF_PLATFORM = {
    "create": "POST /api/v1/projects/prj_1/users/usr_1/payments",
    "look_up": "GET /api/v1/projects/prj_1/users/usr_1/payments",
    "refund": "POST /api/v1/projects/prj_1/users/usr_1/payments/pay_1/refund",
    "preview": "POST /api/v1/projects/prj_1/users/usr_1/payments/preview",
}


@pytest.mark.parametrize(
    ("scenarios", "name", "calls"),
    [
        *((forte_payments.SCENARIOS, name, OF_PAYMENTS) for name in forte_payments.SCENARIOS),
        *((forte_platform.SCENARIOS, name, OF_PLATFORM) for name in forte_platform.SCENARIOS),
    ],
)
def test_every_scenario_of_the_fortes_meets_the_call_that_it_is_about(
    scenarios: Scenarios, name: str, calls: dict[str, str]
) -> None:
    about = next((call for word, call in calls.items() if name.endswith(f"_{word}")), calls["create"])
    faults = Faults(app)
    with serve(with_routes(faults, scenarios)) as server:
        arrange(server.url, scenario=name)
        for call in [*calls.values()] * 5:
            method, path = call.split()
            with suppress(requests.ConnectionError):
                requests.request(method, server.url + path, timeout=10)
    assert faults.pending == 0
    assert {f"{each.method} {each.path}" for each in faults.injected} == {about}


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({}, "fault has to be one of refused, "),
        ({"fault": "rain"}, "fault has to be one of refused, "),
        ({"fault": ["dropped"]}, "fault has to be one of refused, "),
        ({"fault": "dropped", "colour": "red"}, "There is no colour; there are fault, times, "),
        ({"fault": "dropped", "times": "2"}, "times is not what it should be."),
        ({"fault": "dropped", "times": True}, "times is not what it should be."),
    ],
)
def test_what_cannot_be_arranged_is_said(url: str, members: dict[str, Any], told: str) -> None:
    answer = arrange(url, **members)
    assert (answer.status_code, answer.json()["message"][: len(told)]) == (400, told)
    assert requests.get(url + PATH, timeout=10).json()["pending"] == 0


def test_a_page_of_another_site_arranges_nothing(url: str) -> None:
    """A form of a page cannot send JSON, nor can another machine reach it."""
    assert requests.post(url + PATH, data='{"fault": "dropped"}', timeout=10).status_code == 400
    assert requests.put(url + PATH, timeout=10).status_code == 405
    assert requests.delete(url + PATH, headers={"Origin": "https://evil.example"}, timeout=10).status_code == 403
    far = Client(with_routes(Faults(app)), Response).get(PATH, environ_overrides={"REMOTE_ADDR": "203.0.113.5"})
    assert far.status_code == 403
