"""The Forte Platforms adapter keeps the contract over real HTTP, as far as Forte lets it.

Where Forte cannot do what the suite asks (nothing is declined or held when a payment is made, a refund has no name of
ours), the test here says what happens instead.
"""

from collections.abc import Iterator

import pytest

from bridge.adapters import ProviderUnreachable, Status, Unsupported
from bridge.adapters.contract import AdapterContract
from bridge.adapters.contract.steps import create, pay, refund_of
from tests.adapters.forte_platform_provider import PlatformProvider, forte


class TestFortePlatform(AdapterContract):
    @pytest.fixture
    def provider(self) -> Iterator[PlatformProvider]:
        with forte() as world:
            provider = PlatformProvider(world)
            yield provider
            provider.close()

    def test_manual_capture_only_holds_the_money(self, adapter, provider):
        with pytest.raises(Unsupported, match=r"^Manual capture is not supported by forte_platform\.$"):
            adapter.prepare(provider.payment(capture="manual"))

    def test_a_decline_is_a_value(self, adapter, provider):
        provider.world.answer_next("/payments/pay_", state="FAILED")
        _, outcome = create(adapter, provider.payment())
        assert outcome.status is Status.CANCELED
        assert outcome.decline.code
        assert outcome.decline.message

    def test_fetch_of_a_declined_payment_tells_the_decline(self, adapter, provider):
        _, created = create(adapter, provider.payment())
        provider.world.answer_next("/payments/pay_", state="FAILED")
        assert adapter.fetch(created.reference).decline is not None

    def test_a_declined_payment_has_neither_refunds_nor_a_dispute(self, adapter, provider):
        provider.world.answer_next("/payments/pay_", state="FAILED")
        _, outcome = create(adapter, provider.payment())
        assert (outcome.refunds, outcome.dispute, outcome.expired) == ((), None, False)

    def test_fetch_tells_what_create_told(self, adapter, provider):
        _, created = create(adapter, provider.payment())
        fetched = adapter.fetch(created.reference)
        told = ("status", "reference", "public_id", "amount", "currency", "charge", "attempt_id", "created", "raw")
        assert [name for name in told if getattr(fetched, name) != getattr(created, name)] == []

    def test_a_hold_that_ran_out_says_so(self, adapter, provider):
        with pytest.raises(Unsupported):
            adapter.prepare(provider.payment(capture="manual"))

    test_what_is_only_held_is_not_refunded = test_a_hold_that_ran_out_says_so

    def test_the_same_key_refunds_once(self, adapter, provider):
        """Forte takes no key: the second try is not sent."""
        reference, charge_id = pay(adapter, provider.payment())
        request = refund_of(reference, charge_id, 500)
        adapter.refund(request, "1:refund")
        with pytest.raises(ProviderUnreachable):
            adapter.refund(request, "1:refund")
        assert [refund.amount for refund in adapter.fetch(reference).refunds] == [500]
