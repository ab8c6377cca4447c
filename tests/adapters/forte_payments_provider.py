"""The project's Forte Payments simulator over real HTTP: a world for tests, and a Provider of the contract suite."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.adapters import (
    Adapter,
    AdapterContext,
    Address,
    Line,
    LineKind,
    Money,
    Order,
    Outcome,
    Payment,
    Status,
    Unsupported,
    construct,
)
from bridge.adapters.contract import AdapterContract, Provider
from bridge.adapters.forte_payments import FortePaymentsAdapter
from bridge.adapters.provider import Message
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.forte_payments import Assumptions, FortePaymentsSimulator, WebhookScheme, error_body
from bridge.simulators.server import serve
from tests.adapters.forte_payments_wire import INTENT, STATUSES, Checked
from tests.adapters.orders import KEY, ORDER, SITE, payment_of
from tests.plugins.clock import Time

CREATE = f"POST {INTENT}"
CLIENT_ID, CLIENT_SECRET = "shop-7", "CanarySecretOfTheClient"
IMAGE = f"{SITE}/gold.png"
SIGNED = {
    "signature_header": "X-Forte-Signature",
    "signature_payload": "{timestamp}.{body}",
    "timestamp_header": "X-Forte-Timestamp",
}
"""How the simulator signs."""


def line(name: str = "1,000 gold coins", quantity: str = "1", total: str = "10.23", **changes: Any) -> Line:
    values: dict[str, Any] = {
        "kind": LineKind.PRODUCT,
        "subtotal": Decimal(total),
        "tax": Decimal(0),
        "product_id": 30,
        "image_url": IMAGE,
    }
    return Line(name=name, quantity=Decimal(quantity), total=Decimal(total), **(values | changes))


def order(*lines: Line, **changes: Any) -> Order:
    values = ORDER | {
        "customer_id": 7,
        "billing": Address("Ann", "Example", email="ann@example.com"),
        "lines": lines or (line(),),
    }
    return Order(**(values | changes))


payment = partial(payment_of, order)


def adapter(context: AdapterContext | None = None, *, live: bool = False, **settings: str) -> Adapter:
    given = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | settings
    return construct(FortePaymentsAdapter, given, live=live, context=context)


@dataclass
class World:
    """A simulated Forte behind a door that can be made to misbehave, and adapters that talk to it.

    `door` has every request that the adapters sent.
    """

    simulator: FortePaymentsSimulator
    faults: Faults
    door: Checked
    clock: Time
    url: str
    made: list[Any] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "api_base": self.url,
            "widget_script": f"{self.url}/forte-payments-widget.js",
        }

    def adapter(self, *, timeout: float = 5.0, **settings: str) -> Any:
        context = AdapterContext(clock=self.clock, timeout=timeout, allow_private_urls=True)
        made = construct(FortePaymentsAdapter, self.settings | settings, live=False, context=context)
        self.made.append(made)
        return made

    def create(self, adapter: Any = None, key: str = KEY, **changes: Any) -> Any:
        """A payment through the widget; names of `payment`."""
        adapter = adapter or self.adapter()
        return adapter.create(adapter.prepare(payment(**changes)), key)

    def answer_next(self, path: str, *, status: int | None = None, times: int = 1, **data: Any) -> None:
        """Change members of the next answers' `data`; ... removes one."""

        def change(body: dict[str, Any], old: int) -> tuple[dict[str, Any], int]:
            changed = body["data"] | data
            return {"data": {name: value for name, value in changed.items() if value is not ...}}, status or old

        self.simulator.spoil_next(path, change, times)

    def replace_next(self, path: str, body: Any, status: int = 200) -> None:
        """Another answer, after the work is done."""
        self.simulator.spoil_next(path, lambda *_: (body, status))


@contextmanager
def forte(token_seconds: int = 3600, seed: int = 7, **assumptions: Any) -> Iterator[World]:
    """A world of its own."""
    clock = Time(1_795_217_626.0)
    simulator = FortePaymentsSimulator(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        clock=clock,
        random=Random(seed),
        token_seconds=token_seconds,
        assumptions=Assumptions(**assumptions),
    )
    faults = Faults(simulator, errors=error_body)
    door = Checked(faults)
    with serve(door) as server:
        world = World(simulator, faults, door, clock, server.url)
        try:
            yield world
        finally:
            for made in world.made:
                made.close()
            simulator.close()


@dataclass(frozen=True)
class FullOrder(Order):
    """An order of an order book that reads meta too, and knows what has to be shipped."""

    meta: dict[str, Any] = field(default_factory=dict)
    needs_shipping: bool | None = None


def full(payment: Payment, **members: Any) -> Payment:
    """The payment of a FullOrder."""
    known = {name: getattr(payment.order, name) for name in Order.__dataclass_fields__}
    return replace(payment, order=FullOrder(**known | members))


class WithBuyer(FortePaymentsAdapter):
    """The adapter as the contract suite can use it: with a buyer who pays at once, or whose card is declined.

    It fills in what Forte does not say of a payment, as the bridge does.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.world: World | None = None
        self._sums: dict[str, Money] = {}

    def prepare(self, payment: Payment) -> dict[str, Any]:
        return {**super().prepare(payment), "card": str(payment.payment_method)}

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        outcome = super().create(request, key)
        if outcome.status is not Status.REQUIRES_ACTION:
            return outcome
        self._sums[outcome.reference] = Money(outcome.amount, outcome.currency)
        if request["card"] == ForteProvider.declined:
            self.world.simulator.decline(outcome.reference)
        else:
            self.world.simulator.approve(outcome.reference)
        return self.fetch(outcome.reference)

    def fetch(self, reference: str) -> Outcome:
        return filled(super().fetch(reference), self._sums.get(reference))


def filled(outcome: Outcome, money: Money | None) -> Outcome:
    """What the bridge knows of a payment, and its provider does not say."""
    if outcome.currency or money is None:
        return outcome
    charge = outcome.charge and replace(outcome.charge, amount=money.amount, amount_captured=money.amount)
    return replace(outcome, amount=money.amount, currency=money.currency, charge=charge)


class ForteProvider(Provider):
    """Two merchants at two simulated Fortes, with two signing keys. `makes` is the call that makes a payment."""

    adapter = WithBuyer
    makes = CREATE
    documentation = Path(__file__).parents[2] / "docs/adapters/forte_payments.md"
    event_secrets = ("c0ffee00-0000-4000-8000-000000000001", "c0ffee00-0000-4000-8000-000000000002")
    event_tolerance = 300.0

    def __init__(self, world: World, other: World) -> None:
        self.worlds = {each.url: each for each in (world, other)}
        secrets = {"webhook_secret": " ".join(self.event_secrets), **SIGNED}
        super().__init__(world.settings | secrets, other.settings | secrets)
        self.world = world

    def context(self) -> AdapterContext:
        return AdapterContext(clock=self.world.clock, timeout=5.0, allow_private_urls=True)

    def make(self, settings: Mapping[str, str] | None = None, *, live: bool = False) -> Adapter:
        made = super().make(settings, live=live)
        made.world = self.worlds[(settings or self.settings)["api_base"]]
        return made

    def payment(self, payment_method: str | None = None, **changes: Any) -> Payment:
        made = super().payment(payment_method, **changes)
        return replace(made, metadata=made.metadata | {"site_url": SITE})

    def charges(self, settings: Mapping[str, str], payment: Payment) -> int:
        reference = f"{payment.order.id}:{payment.attempt_id}"
        ledger = self.worlds[settings["api_base"]].simulator.ledger
        return len(ledger.entries("captured", metadata={"reference": reference}))

    def refused(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.RATE_LIMITED, match=self.makes)
        return payment

    def unreachable(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.REFUSED, times=2, match=self.makes)
        return payment

    def lost_answer(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.DROPPED, times=2, match=self.makes)
        return payment

    def nonsense(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.WRONG_JSON, match=self.makes)
        return payment

    def strange_status(self, payment: Payment) -> Payment:
        self.world.replace_next(STATUSES, {"data": [{"status": "Moonlit"}]})
        return payment

    def message(self, payment: Payment, reference: str, *, at: float, secret: str | None = None) -> Message:
        told = {"payment_intent_id": reference, "reference": f"{payment.order.id}:{payment.attempt_id}"}
        body = json.dumps({"id": "event-1", "event": "payment_approved", "created_at": at, "data": told}).encode()
        signed = WebhookScheme().headers(self.event_secrets[0] if secret is None else secret, body, at)
        return {name.lower(): value for name, value in signed.items()}, body


class FortePaymentsContract(AdapterContract):
    """What both ways of paying have in common."""

    kind: type[ForteProvider]

    @pytest.fixture
    def provider(self) -> Iterator[ForteProvider]:
        with forte() as world, forte(seed=8) as other:
            provider = self.kind(world, other)
            yield provider
            provider.close()

    def test_manual_capture_only_holds_the_money(self, adapter, provider):
        """Forte cannot hold money, and nobody is charged instead."""
        with pytest.raises(Unsupported):
            adapter.prepare(provider.payment(capture="manual"))
