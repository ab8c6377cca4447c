"""The suite that every adapter passes. Describe your provider in a Provider, subclass AdapterContract, and run pytest.

    class TestAcme(AdapterContract):
        @pytest.fixture
        def provider(self): ...yield an AcmeProvider...

Put `pytest.register_assert_rewrite("bridge.adapters.contract")` into your conftest.py, for assertions that explain.
"""

from collections.abc import Iterator

import pytest

from bridge.adapters.contract.care import CareContract
from bridge.adapters.contract.events import EventContract
from bridge.adapters.contract.money import MoneyContract
from bridge.adapters.contract.payers import PayerContract
from bridge.adapters.contract.payments import PaymentContract
from bridge.adapters.provider import Provider
from bridge.domain.ports import Adapter

__all__ = ["AdapterContract", "Provider"]


class AdapterContract(PaymentContract, MoneyContract, PayerContract, EventContract, CareContract):
    """Subclass it as `Test...` and override `provider`."""

    @pytest.fixture
    def provider(self) -> Iterator[Provider]:
        pytest.fail("override the fixture `provider`")

    @pytest.fixture
    def adapter(self, provider: Provider) -> Iterator[Adapter]:
        yield provider.make()
        provider.close()
