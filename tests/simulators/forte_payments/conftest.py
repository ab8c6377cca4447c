"""A Forte Payments simulator on a real socket, and a merchant that calls it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
import requests

from bridge.simulators.forte_payments import Assumptions, FortePaymentsSimulator
from bridge.simulators.ledger import Ledger
from bridge.simulators.server import serve
from tests.plugins.clock import Time
from tests.simulators.receiver import TIMEOUT, Receiver

CLIENT = {"client_id": "shop", "client_secret": "correct horse"}
INTENT = "/payments/v2/intent"
REDIRECT = "/payments/v2/intent/redirect"
STATUSES = "/payments/v1/payments/statuses"
SUBSCRIPTIONS = "/notifications/v1/subscriptions"
REPLAY = "/notifications/v1/webhooks/replay"


def payment(**changes: Any) -> dict[str, Any]:
    """A request body that is in order. Names of the item's and the buyer's fields go there as `item` and `buyer`."""
    body: dict[str, Any] = {
        "transaction_type": "BUY_VDA",
        "buyer": {"email": "ada@example.com", "id": "shop:7"},
        "currency": "USD",
        "idempotency_key": "attempt-1",
        "reference": "42:attempt-1",
        "items": [
            {
                "id": "gold",
                "title": "1,000 gold coins",
                "description": "A bundle of gold",
                "amount": "9.99",
                "image_url": "https://shop.example/gold.png",
            }
        ],
    }
    if "item" in changes:
        body["items"] = [body["items"][0] | changes.pop("item")]
    return {name: value for name, value in (body | changes).items() if value is not ...}


@dataclass
class Merchant:
    """Calls with a fresh access token, unless a test brings its own headers or none."""

    simulator: FortePaymentsSimulator
    url: str
    session: requests.Session
    token: str = field(default="", repr=False)

    def log_in(self) -> str:
        answer = self.session.post(f"{self.url}/auth/v1/oauth2/token", json=CLIENT, timeout=TIMEOUT)
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["data"]["access_token"]
        return self.token

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token or self.log_in()}"} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        return self.session.request(method, self.url + path, headers=headers, timeout=TIMEOUT, **more)

    def create(self, **changes: Any) -> dict[str, Any]:
        """A widget intent that is made, as the answer's data."""
        answer = self("POST", INTENT, payment(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    def redirect(self, **changes: Any) -> str:
        """The address of a redirect intent that is made."""
        answer = self("POST", REDIRECT, payment(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["redirect_url"]

    def statuses(self, *intent_ids: str) -> list[dict[str, str]]:
        answer = self("POST", STATUSES, {"payment_intent_ids": list(intent_ids)})
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@pytest.fixture
def clock() -> Time:
    return Time(1_795_217_626.0)  # 2026-11-20T23:33:46Z


MakeMerchant = Callable[..., Merchant]


@pytest.fixture
def make_merchant(clock: Time, session: requests.Session) -> Iterator[MakeMerchant]:
    """A merchant at a simulator of its own, served until the end of the test; keywords are the Assumptions."""
    with ExitStack() as stack:

        def make(token_seconds: int = 3600, **assumptions: Any) -> Merchant:
            simulator = FortePaymentsSimulator(
                **CLIENT,
                clock=clock,
                random=Random(7),
                ledger=Ledger(clock=clock),
                token_seconds=token_seconds,
                assumptions=Assumptions(**assumptions),
            )
            stack.callback(simulator.close)
            return Merchant(simulator, stack.enter_context(serve(simulator)).url, session)

        yield make


@pytest.fixture
def merchant(make_merchant: MakeMerchant) -> Merchant:
    return make_merchant()


@pytest.fixture
def simulator(merchant: Merchant) -> FortePaymentsSimulator:
    return merchant.simulator


@pytest.fixture
def receiver(receiver: Receiver) -> Receiver:
    receiver.url += "/webhooks"
    return receiver
