"""A Forte Platforms simulator on a real socket, and a merchant's server that calls it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import requests

from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.ledger import Ledger
from bridge.simulators.server import serve
from tests.plugins.clock import Time
from tests.simulators.receiver import TIMEOUT

OYSTER_POINT = {
    "line1": "354 Oyster Point Blvd",
    "city": "South San Francisco",
    "state": "CA",
    "postalCode": "94080",
    "country": "US",
}


def line(**changes: Any) -> dict[str, Any]:
    usual = {"description": "Pro plan", "unitAmountCents": 2500, "quantity": 1, "taxCode": "txcd_10000000"}
    return _changed(usual, changes)


def cart(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A body that is in order, without an address; `...` takes a member out."""
    return _changed({"currency": "usd", "lineItems": list(lines) or [line()]}, changes)


def _changed(usual: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**usual, **changes}.items() if value is not ...}


@dataclass
class Merchant:
    """A server with the API key of one project that has one user. A call is relative to the project unless its path
    starts at the root."""

    simulator: FortePlatformSimulator
    url: str
    session: requests.Session
    project: str
    user: str

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        more.setdefault("headers", {"Authorization": f"Bearer {self.simulator.api_key}"})
        if body is not None:
            more["json"] = body
        where = path if path.startswith("/") else f"/api/v1/projects/{self.project}/{path}"
        return self.session.request(method, self.url + where, timeout=TIMEOUT, **more)

    def done(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a success."""
        answer = self(method, path, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str | None]:
        """The status and the code of an error in Forte's shape."""
        answer = self(method, path, body, **more)
        problem = answer.json()
        assert set(problem) - {"errorCode"} == {"message", "forteExceptionType"}, problem
        return answer.status_code, problem.get("errorCode")

    @property
    def payments(self) -> str:
        return f"users/{self.user}/payments"

    def create(self, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """A new payment with what a browser needs, as the API answers it."""
        return self.done("POST", self.payments, cart(*lines, **changes))

    def pay(self, *lines: dict[str, Any], **changes: Any) -> str:
        """The id of a payment that is completed."""
        payment = self.create(*lines, **changes)["payment"]["id"]
        self.simulator.set_stripe_status(payment, "succeeded")
        return payment

    def get(self, payment: str) -> dict[str, Any]:
        return self.done("GET", f"payments/{payment}")


@pytest.fixture
def clock() -> Time:
    return Time(1_778_438_531.123)  # 2026-05-10T18:42:11.123Z


MakeMerchant = Callable[..., Merchant]


@pytest.fixture
def make_merchant(clock: Time, session: requests.Session) -> Iterator[MakeMerchant]:
    """A merchant at a simulator of its own, served until the end of the test; keywords are the simulator's."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Merchant:
            given = {"clock": clock, "random": Random(7), "ledger": Ledger(clock=clock), **settings}
            simulator = FortePlatformSimulator(**given)
            stack.callback(simulator.close)
            project = simulator.add_project()
            user = simulator.add_user(project, "ada@example.com")
            return Merchant(simulator, stack.enter_context(serve(simulator)).url, session, project, user)

        yield make


@pytest.fixture
def merchant(make_merchant: MakeMerchant) -> Merchant:
    return make_merchant()


@pytest.fixture
def simulator(merchant: Merchant) -> FortePlatformSimulator:
    return merchant.simulator
