"""A Stripe simulator on a real socket, and the official SDK as its client."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import requests
import stripe
from werkzeug.wrappers import Request, Response

from bridge.simulators.faults import Faults
from bridge.simulators.ledger import Ledger
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator, WebhookEndpoint
from tests.plugins.clock import Time

from .resource_types import Typed

SHOP = "acct_1ShopShopShopSho"
OTHER = "acct_1OtherOtherOther"
TIMEOUT = 10

Pay = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Received:
    """A webhook that arrived."""

    path: str
    signature: str
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


class Listener:
    """Somebody's webhook endpoint: a WSGI application that keeps what it is sent and answers `status`."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.received: list[Received] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        body = request.get_data()
        self.received.append(Received(request.full_path, request.headers["Stripe-Signature"], body))
        return Response(status=self.status, headers={"Location": f"{self.url}/elsewhere"})(environ, start_response)

    @property
    def heard(self) -> list[tuple[str, str]]:
        """What was heard of which object."""
        return [(one.event["type"], one.event["data"]["object"]["id"]) for one in self.received]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    with serve(listener) as server:
        listener.url = server.url
        yield listener


@pytest.fixture
def clock() -> Time:
    return Time(1_700_000_000.0)


@pytest.fixture
def simulator(clock: Time) -> StripeSimulator:
    return StripeSimulator(clock=clock, random=Random(7), accounts=[SHOP, OTHER])


@pytest.fixture
def ledger(simulator: StripeSimulator) -> Ledger:
    return simulator.ledger


@pytest.fixture
def faults(simulator: StripeSimulator) -> Iterator[Faults]:
    """Every answer that is not spoilt is what the SDK's resource types say."""
    typed = Typed(simulator)
    yield Faults(typed)
    assert sorted(typed.wrong) == []


@pytest.fixture
def url(faults: Faults) -> Iterator[str]:
    with serve(faults) as server:
        yield server.url


@pytest.fixture
def client(
    simulator: StripeSimulator, url: str, session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> stripe.StripeClient:
    """The SDK with the platform's key. Without telemetry, which writes a file into the home directory."""
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    http = stripe.RequestsClient(timeout=TIMEOUT, session=session)
    return stripe.StripeClient(simulator.secret_key, base_addresses={"api": url}, http_client=http)


@pytest.fixture
def call(client: stripe.StripeClient) -> Pay:
    """One request through the SDK, as plain JSON; `stripe_account` and `idempotency_key` are the SDK's own options."""

    def call(method: str, path: str, **params: Any) -> dict[str, Any]:
        return client.raw_request(method, f"/v1/{path}", **params).data

    return call


@pytest.fixture
def pay(call: Pay) -> Pay:
    """A payment intent of 10.23 USD with a card that works, confirmed off session; anything may be given or, with
    None, left out."""

    def pay(**params: Any) -> dict[str, Any]:
        usual = {
            "amount": 1023,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "off_session": True,
        }
        given = {name: value for name, value in {**usual, **params}.items() if value is not None}
        return call("post", "payment_intents", **given)

    return pay


def facts(ledger: Ledger, *names: str) -> list[tuple[Any, ...]]:
    """The ledger's entries as tuples of the named fields."""
    return [tuple(getattr(entry, name) for name in names) for entry in ledger.entries()]


@pytest.fixture
def happened(simulator: StripeSimulator) -> Callable[..., list[str]]:
    """The types of the events since the last time that was asked."""
    seen: list[str] = []

    def happened() -> list[str]:
        new = [event for event in simulator.events if event["id"] not in seen]
        seen.extend(event["id"] for event in new)
        return [event["type"] for event in new]

    return happened


@pytest.fixture
def endpoint(simulator: StripeSimulator, listener: Listener) -> WebhookEndpoint:
    """Where the platform's own events go, all of them."""
    return simulator.add_webhook_endpoint(f"{listener.url}/hooks?shop=1", connect=False, secrets=["whsec_one"])


@pytest.fixture
def told(ledger: Ledger) -> Callable[..., list[tuple[Any, ...]]]:
    return lambda *names: facts(ledger, *(names or ("kind", "amount")))
