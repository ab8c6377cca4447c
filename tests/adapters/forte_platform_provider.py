"""The project's Forte Platforms simulator over real HTTP: a world for tests, and a Provider of the contract suite."""

import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import requests

from bridge.adapters import AdapterContext, Address, Line, LineKind, Order, Outcome, Payment, construct
from bridge.adapters.contract import Provider
from bridge.adapters.forte_platform import FortePlatformAdapter
from bridge.adapters.provider import Message
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.forte_platform import FortePlatformSimulator, injected_error
from bridge.simulators.server import serve
from tests.adapters.forte_platform_wire import Checked
from tests.adapters.orders import CUSTOMER, ORDER, payment_of
from tests.plugins.clock import Time

API_KEY = "forte_test_CanaryCanaryCanary"
RELAY_SECRET = "CanaryOfTheRelay0123456789abcdef"
ANN = Address(
    "Ann", "Example", "354 Oyster Point Blvd", "", "South San Francisco", "CA", "94080", "US", "ann@example.com"
)
CREATE = "/payments"
DOCUMENTATION = Path(__file__).parents[2] / "docs/adapters/forte_platform.md"


def line(name: str = "Pro plan", quantity: str = "1", total: str = "10.23", **changes: Any) -> Line:
    values: dict[str, Any] = {"kind": LineKind.PRODUCT, "subtotal": total, "tax": "0", "product_id": 30} | changes
    sums = {sum_: Decimal(values.pop(sum_)) for sum_ in ("subtotal", "tax")}
    return Line(name=name, quantity=Decimal(quantity), total=Decimal(total), **sums, **values)


def fee(name: str, total: str, **changes: Any) -> Line:
    return line(name, "1", total, kind=LineKind.FEE, product_id=0, **changes)


def order(*lines: Line, **changes: Any) -> Order:
    values = ORDER | {
        "customer_id": 7,
        "billing": ANN,
        "lines": lines or (line(),),
    }
    sums = {name: Decimal(changes.pop(name)) for name in ("shipping_total", "shipping_tax") if name in changes}
    return Order(**(values | changes | sums))


payment = partial(payment_of, order)


def adapter(context: AdapterContext | None = None, *, live: bool = False, **settings: str) -> Any:
    given = {
        "api_key": API_KEY,
        "project": "prj_1",
        "users": f"{CUSTOMER}=usr_1",
        "mode": "live" if live else "sandbox",
    }
    return construct(FortePlatformAdapter, given | settings, live=live, context=context)


@dataclass
class World:
    """A simulated Forte with one project and one user, behind a door that can be made to misbehave.

    `door` has every request that the adapters sent.
    """

    simulator: FortePlatformSimulator
    faults: Faults
    door: Checked
    clock: Time
    url: str
    project: str
    user: str
    made: list[Any] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "api_key": API_KEY,
            "project": self.project,
            "users": f"{CUSTOMER}={self.user}",
            "host": self.url,
        }

    def adapter(self, *, live: bool = False, timeout: float = 5.0, clock: Any = None, **settings: str) -> Any:
        context = AdapterContext(clock=clock or self.clock, timeout=timeout, allow_private_urls=True)
        made = construct(FortePlatformAdapter, self.settings | settings, live=live, context=context)
        self.made.append(made)
        return made

    def create(self, adapter: Any = None, **changes: Any) -> Outcome:
        """A payment; names of `payment`."""
        adapter = adapter or self.adapter()
        made = payment(**changes)
        return adapter.create(json.loads(json.dumps(adapter.prepare(made))), f"{made.attempt_id}:create")

    def pay(self, outcome: Outcome, status: str = "succeeded") -> None:
        """Stripe reports this of the payment's intent, as if the buyer had confirmed it."""
        self.simulator.set_stripe_status(str(outcome.reference), status)

    def answer_next(self, match: str, **members: Any) -> None:
        """Change members of the next answer, of its payment where it has one; ... removes one."""

        def change(body: dict[str, Any], status: int) -> tuple[dict[str, Any], int]:
            inner = body.get("payment", body)
            inner |= members
            for name in [name for name, value in members.items() if value is ...]:
                del inner[name]
            return body, status

        self.simulator.spoil_next(change, match=match)

    def replace_next(self, match: str, body: Any, status: int = 200) -> None:
        """Another answer, after the work is done."""
        self.simulator.spoil_next(lambda *_: (body, status), match=match)

    def foreign_payment(self) -> str:
        """The id of a payment that somebody else of the project has made."""
        path = f"{self.url}/api/v1/projects/{self.project}/users/{self.user}/payments"
        cart = {"currency": "usd", "lineItems": [{"description": "Theirs", "unitAmountCents": 500, "quantity": 1}]}
        headers = {"Authorization": f"Bearer {API_KEY}", "Accept": "application/json"}
        return str(requests.post(path, json=cart, headers=headers, timeout=5).json()["payment"]["id"])

    @property
    def created(self) -> list[Any]:
        """The requests that make payments."""
        return self.door.calls("POST", CREATE)


@contextmanager
def forte(**choices: Any) -> Iterator[World]:
    """A world of its own."""
    clock = Time(1_778_438_531.0)  # 2026-05-10T18:42:11Z
    simulator = FortePlatformSimulator(api_key=API_KEY, clock=clock, random=Random(7), **choices)
    faults = Faults(simulator, errors=injected_error)
    door = Checked(faults)
    project = simulator.add_project()
    with serve(door) as server:
        world = World(
            simulator, faults, door, clock, server.url, project, simulator.add_user(project, "ann@example.com")
        )
        try:
            yield world
        finally:
            for made in world.made:
                made.close()
            simulator.close()


def relayed(body: bytes, at: float, secret: str = RELAY_SECRET) -> Message:
    """A trigger as the relay sends it on."""
    proof = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, "sha256").hexdigest()
    return {"x-bridge-relay-signature": f"t={int(at)},v1={proof}"}, body


def trigger_body(reference: str, state: str = "COMPLETED", **changes: Any) -> bytes:
    fired = {"userId": "usr_1", "paymentId": reference, "paymentTime": "2026-05-10T18:42:11.123Z", "state": state}
    return json.dumps(fired | changes).encode()


class PaidAtOnce(FortePlatformAdapter):
    """The adapter, and a buyer whose browser confirms every payment before anybody looks at it."""

    world: World

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        return self._confirmed(super().create(request, key))

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:
        found = super().find(request, key, since)
        return found and self._confirmed(found)

    def _confirmed(self, made: Outcome) -> Outcome:
        if made.status.value == "requires_payment_method" and made.decline is None:
            self.world.pay(made)
        return replace(self.fetch(str(made.reference)), client_secret=made.client_secret)


class PlatformProvider(Provider):
    """Two projects behind one door. Every buyer pays at once."""

    documentation = DOCUMENTATION
    customer = CUSTOMER
    event_secrets = (RELAY_SECRET, f"Newer{RELAY_SECRET}")
    event_tolerance = 300.0

    def __init__(self, world: World) -> None:
        self.world = world
        self.adapter = type("PaidAtOnce", (PaidAtOnce,), {"world": world})
        other = world.simulator.add_project(api_key="forte_test_OtherCanaryOther")
        user = world.simulator.add_user(other)
        more = {"relay_secret": ",".join(self.event_secrets)}
        super().__init__(
            {**world.settings, **more},
            {
                **world.settings,
                **more,
                "api_key": "forte_test_OtherCanaryOther",
                "project": other,
                "users": f"{CUSTOMER}={user}",
            },
        )

    def context(self) -> AdapterContext:
        return AdapterContext(clock=self.world.clock, timeout=5.0, allow_private_urls=True)

    def charges(self, settings: Mapping[str, str], payment: Payment) -> int:
        account = self.world.simulator.project(settings["project"]).account
        held = self.world.simulator.ledger.entries("authorised", metadata={"bridge_attempt": payment.attempt_id})
        return sum(entry.account == account for entry in held)

    def refused(self, payment: Payment) -> Payment:
        self.world.simulator.refuse_next("PAYMENT_BELOW_MINIMUM", match=f"{self.world.user}/payments")
        return payment

    def unreachable(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.REFUSED, match=_creates)
        return payment

    def lost_answer(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.DROPPED, match=_creates)
        return payment

    def nonsense(self, payment: Payment) -> Payment:
        self.world.faults.next(Fault.WRONG_JSON, match=_creates)
        return payment

    def strange_status(self, payment: Payment) -> Payment:
        self.world.answer_next("GET /api/v1/projects/" + self.world.project + "/payments/pay_", state="WAITING")
        return payment

    def message(self, payment: Payment, reference: str, *, at: float, secret: str | None = None) -> Message:
        chosen = self.event_secrets[0] if secret is None else secret
        return relayed(trigger_body(reference), at, chosen)


def _creates(request: Any) -> bool:
    return bool(request.method == "POST" and request.path.endswith(CREATE))
