"""A Stripe simulator on a real socket, and the official SDK as its client."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
import requests
import stripe

from bridge.simulators.faults import Faults
from bridge.simulators.ledger import Ledger
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator

SHOP = "acct_1ShopShopShopSho"
OTHER = "acct_1OtherOtherOther"
TIMEOUT = 10

Pay = Callable[..., dict[str, Any]]


class Clock:
    """Unix seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> StripeSimulator:
    return StripeSimulator(clock=clock, random=Random(7), accounts=[SHOP, OTHER])


@pytest.fixture
def ledger(simulator: StripeSimulator) -> Ledger:
    return simulator.ledger


@pytest.fixture
def faults(simulator: StripeSimulator) -> Faults:
    return Faults(simulator)


@pytest.fixture
def url(faults: Faults) -> Iterator[str]:
    with serve(faults) as server:
        yield server.url


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


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
def told(ledger: Ledger) -> Callable[..., list[tuple[Any, ...]]]:
    return lambda *names: facts(ledger, *(names or ("kind", "amount")))
