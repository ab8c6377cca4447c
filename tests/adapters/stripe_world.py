"""A simulated Stripe over real HTTP with one connected account, and adapters that talk to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from bridge.adapters import Adapter, AdapterContext, Outcome, Payment
from bridge.outbound.transport import make_session
from bridge.simulators.faults import Faults
from bridge.simulators.ledger import LedgerEntry
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from tests.adapters.payments import ATTEMPT, payment, stripe_adapter
from tests.plugins.clock import Time

KEY = f"{ATTEMPT}:create"
MakeSession = Callable[..., requests.Session]


@dataclass
class World:
    """`made` are the adapters, which are closed in the end."""

    simulator: StripeSimulator
    faults: Faults
    clock: Time
    url: str
    account: str
    made: list[Adapter]

    def adapter(self, *, timeout: float = 5.0, make_session: MakeSession = make_session, **settings: str) -> Adapter:
        given = {"secret_key": self.simulator.secret_key, "account": self.account, "api_base": self.url} | settings
        context = AdapterContext(clock=self.clock, timeout=timeout, allow_private_urls=True, make_session=make_session)
        adapter = stripe_adapter(context, **given)
        self.made.append(adapter)
        return adapter

    def payment(self, *, platform: bool = False, **changes: Any) -> Payment:
        customer = self.simulator.add_customer(None if platform else self.account)
        return payment(**({"customer": customer} | changes))

    @property
    def charges(self) -> tuple[LedgerEntry, ...]:
        return self.simulator.ledger.entries("authorised")

    def books(self) -> list[tuple[str, int]]:
        """Kind and amount of every money fact."""
        return [(entry.kind, entry.amount) for entry in self.simulator.ledger.entries()]


def pay(world: World, adapter: Adapter, **changes: Any) -> Outcome:
    return adapter.create(adapter.prepare(world.payment(**changes)), KEY)


@contextmanager
def new_world() -> Iterator[World]:
    clock = Time()
    simulator = StripeSimulator(clock=clock)
    faults = Faults(simulator)
    with serve(faults) as server:
        world = World(simulator, faults, clock, server.url, simulator.add_account(), [])
        yield world
        for adapter in world.made:
            adapter.close()
