"""Hands on the simulated Fortes over HTTP: their journal, forgetting, and a clock that goes forward."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import requests
from werkzeug.test import Client
from werkzeug.wrappers import Response

from bridge.simulators.clock import Clock
from bridge.simulators.control_routes import ADVANCE, METHODS, REQUESTS, RESET, with_controls
from bridge.simulators.forte_payments import FortePaymentsSimulator
from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.ledger import Ledger
from bridge.simulators.server import serve
from tests.simulators.forte_payments.conftest import CLIENT, INTENT, STATUSES, payment
from tests.simulators.forte_platform.conftest import cart

START = 1_795_217_626.0
SECRETS = ("Canary", "correct horse")
JSON = {"Content-Type": "application/json"}


@dataclass
class Forte:
    """A simulator whose operator has nothing but HTTP. `pay` asks it for a payment and answers how that stands."""

    simulator: Any
    clock: Clock
    url: str
    create: Callable[[], str]
    status: Callable[[str], str | int]

    def call(self, path: str, body: Any = None, method: str | None = None) -> requests.Response:
        method = method or METHODS[path]
        return requests.request(method, self.url + path, json=body, timeout=10)


def payments(stack: ExitStack, clock: Clock) -> Forte:
    simulator = FortePaymentsSimulator(**CLIENT, clock=clock, random=Random(7), ledger=Ledger(clock=clock))
    stack.callback(simulator.close)
    url = stack.enter_context(serve(with_controls(simulator, simulator, clock))).url

    def ask(path: str, body: Any) -> requests.Response:
        token = requests.post(f"{url}/auth/v1/oauth2/token", json=CLIENT, timeout=10).json()["data"]["access_token"]
        return requests.post(url + path, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10)

    def status(intent: str) -> str | int:
        found = ask(STATUSES, {"payment_intent_ids": [intent]}).json()["data"]
        return found[0]["status"] if found else 404

    return Forte(simulator, clock, url, lambda: ask(INTENT, payment()).json()["data"]["payment_intent_id"], status)


def platform(stack: ExitStack, clock: Clock) -> Forte:
    ledger = Ledger(clock=clock)
    simulator = FortePlatformSimulator(api_key="forte_test_Canary", clock=clock, random=Random(7), ledger=ledger)
    stack.callback(simulator.close)
    url = stack.enter_context(serve(with_controls(simulator, simulator, clock))).url
    project = simulator.add_project()
    below = f"{url}/api/v1/projects/{project}"
    user = simulator.add_user(project)
    key = {"Authorization": "Bearer forte_test_Canary"}

    def create() -> str:
        answer = requests.post(f"{below}/users/{user}/payments", json=cart(), headers=key, timeout=10)
        return str(answer.json()["payment"]["id"])

    def status(name: str) -> str | int:
        answer = requests.get(f"{below}/payments/{name}", headers=key, timeout=10)
        return answer.json()["state"] if answer.ok else answer.status_code

    return Forte(simulator, clock, url, create, status)


@pytest.fixture(params=[payments, platform])
def forte(request: pytest.FixtureRequest) -> Iterator[Forte]:
    with ExitStack() as stack:
        yield request.param(stack, Clock(lambda: START))


def test_the_journal_tells_what_was_asked_without_secrets(forte: Forte) -> None:
    forte.create()
    answer = forte.call(REQUESTS)
    told = answer.json()["requests"]
    assert len(told) == len(forte.simulator.requests) > 0
    last = told[-1]
    assert (last["method"], last["time"], last["status"]) == ("POST", START, forte.simulator.requests[-1].status)
    assert last["path"].endswith(("/intent", "/payments"))
    assert last["body"]
    assert not any(secret in answer.text for secret in SECRETS)


def test_a_reset_forgets_payments_and_journal_and_lets_the_same_people_in(forte: Forte) -> None:
    before = forte.create()
    forte.call(ADVANCE, {"seconds": 60})
    assert forte.call(RESET).json() == {"now": START, "ahead": 0.0}
    assert forte.call(REQUESTS).json() == {"requests": []}
    assert forte.status(before) == 404
    after = forte.create()
    assert after != before
    assert forte.status(after) in ("Created", "DRAFT")


def test_a_reset_ends_tokens_and_what_was_still_to_be_sent() -> None:
    with ExitStack() as stack:
        forte = payments(stack, Clock(lambda: START))
        made = forte.create()
        subscribed = forte.simulator.subscribe("http://127.0.0.1:9/hook")
        forte.simulator.approve(made)
        assert len(forte.simulator.pending) == 1
        token = requests.post(f"{forte.url}/auth/v1/oauth2/token", json=CLIENT, timeout=10).json()["data"][
            "access_token"
        ]
        forte.call(RESET)
        assert forte.simulator.pending == ()
        assert forte.simulator.subscriptions == (subscribed,)
        headers = {"Authorization": f"Bearer {token}"}
        assert requests.post(forte.url + INTENT, json=payment(), headers=headers, timeout=10).status_code == 401
        assert len(forte.simulator.ledger.entries("captured")) == 1


def test_a_clock_that_goes_forward_ends_what_nobody_has_paid(forte: Forte) -> None:
    made = forte.create()
    assert forte.call(ADVANCE, {"seconds": 3599}).json() == {"now": START + 3599, "ahead": 3599}
    assert forte.status(made) in ("Created", "DRAFT")
    assert forte.call(ADVANCE, {"seconds": 24 * 3600.5}).json()["ahead"] == 3599 + 24 * 3600.5
    assert forte.status(made) in ("Expired", "CANCELLED")


@pytest.mark.parametrize(
    "body", [None, {}, [], {"seconds": "60"}, {"seconds": True}, {"seconds": -1}, {"seconds": None}]
)
def test_a_clock_goes_forward_by_a_number_of_seconds(forte: Forte, body: Any) -> None:
    answer = forte.call(ADVANCE, body)
    assert (answer.status_code, bool(answer.json()["message"])) == (400, True)
    assert requests.post(forte.url + ADVANCE, data='{"seconds": NaN}', headers=JSON, timeout=10).status_code == 400
    assert forte.clock() == START


@pytest.mark.parametrize("path", [REQUESTS, RESET, ADVANCE])
def test_hands_are_those_of_this_machine_and_of_no_page_of_another_site(forte: Forte, path: str) -> None:
    made = forte.create()
    own = {"Origin": forte.url}
    others = {"Origin": "https://evil.example"}
    far = Client(with_controls(forte.simulator, forte.simulator, forte.clock), Response).open(
        path, method=METHODS[path], environ_overrides={"REMOTE_ADDR": "203.0.113.5"}
    )
    page = requests.request(METHODS[path], forte.url + path, json={"seconds": 1}, headers=others, timeout=10)
    assert (far.status_code, page.status_code) == (403, 403)
    assert forte.call(path, method="PUT").status_code == 405
    assert forte.clock() == START
    assert forte.status(made) in ("Created", "DRAFT")
    assert requests.request(METHODS[path], forte.url + path, json={"seconds": 1}, headers=own, timeout=10).ok
