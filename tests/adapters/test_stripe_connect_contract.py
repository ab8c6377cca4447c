"""The Stripe Connect adapter keeps the contract, with direct and with destination charges, over real HTTP."""

from collections.abc import Iterator

import pytest

from bridge.adapters.contract import AdapterContract
from bridge.simulators.faults import Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from tests.adapters.stripe_provider import StripeProvider
from tests.plugins.clock import Time


@pytest.mark.parametrize("charge_type", ["direct", "destination"])
class TestStripeConnect(AdapterContract):
    @pytest.fixture
    def provider(self, charge_type: str) -> Iterator[StripeProvider]:
        clock = Time()
        simulator = StripeSimulator(clock=clock)
        faults = Faults(simulator)
        with serve(faults) as server:
            provider = StripeProvider(server.url, simulator, faults, clock, charge_type)
            yield provider
            provider.close()
