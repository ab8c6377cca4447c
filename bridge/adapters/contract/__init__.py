"""The suite that every adapter passes. Describe your provider in a Provider, subclass AdapterContract, and run pytest.

    class TestAcme(AdapterContract):
        @pytest.fixture
        def provider(self): ...yield an AcmeProvider...

The run ends with a table of what the adapter declares, what was tested, and what was skipped and why. Put
`pytest_plugins = ["bridge.adapters.contract"]` into your topmost conftest.py for assertions that explain, and for the
table where pytest-xdist runs the tests.
"""

from collections.abc import Iterator

import pytest

from bridge.adapters.contract.care import CareContract
from bridge.adapters.contract.events import EventContract
from bridge.adapters.contract.money import MoneyContract
from bridge.adapters.contract.payers import PayerContract
from bridge.adapters.contract.payments import PaymentContract
from bridge.adapters.contract.summary import begin, pytest_terminal_summary
from bridge.adapters.provider import Provider
from bridge.domain.ports import Adapter

__all__ = ["AdapterContract", "Provider", "pytest_terminal_summary"]


class AdapterContract(PaymentContract, MoneyContract, PayerContract, EventContract, CareContract):
    """Subclass it as `Test...` and override `provider`."""

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        pytest.fail("override the fixture `provider`")

    @pytest.fixture
    def adapter(self, provider: Provider) -> Iterator[Adapter]:
        yield provider.make()
        provider.close()

    @pytest.fixture(autouse=True)
    def _declared(self, request: pytest.FixtureRequest, adapter: Adapter) -> None:
        begin(request, adapter)
