"""The Forte Payments adapter keeps the contract, with a buyer who pays at once, over real HTTP."""

import json

from bridge.adapters import Money, Status
from bridge.adapters.contract.steps import create, key_of
from bridge.adapters.forte_payments import FortePaymentsAdapter
from tests.adapters.forte_payments_provider import FortePaymentsContract, ForteProvider, filled


class TestFortePayments(FortePaymentsContract):
    kind = ForteProvider

    def test_a_hold_that_ran_out_says_so(self, adapter, provider):
        payment = provider.payment()
        opened = FortePaymentsAdapter.create(adapter, adapter.prepare(payment), key_of(payment))
        assert not adapter.fetch(opened.reference).expired
        provider.world.simulator.expire(opened.reference)
        outcome = adapter.fetch(opened.reference)
        assert (outcome.status, outcome.expired) == (Status.CANCELED, True)

    def test_the_same_request_and_key_charge_nothing_more(self, adapter, provider):
        """Before it is paid the same intent is there again, after a restart too; what is paid is never made again."""
        payment = provider.payment()
        request = json.loads(json.dumps(adapter.prepare(payment)))
        opened = FortePaymentsAdapter.create(adapter, request, key_of(payment))
        again = FortePaymentsAdapter.create(provider.make(), request, key_of(payment))
        assert again.reference == opened.reference
        for _ in range(2):
            assert adapter.create(request, key_of(payment)).status is Status.SUCCEEDED
        assert provider.charges(provider.settings, payment) == 1

    def test_fetch_tells_what_create_told(self, adapter, provider):
        """But for the sum, which Forte does not say."""
        _, created = create(adapter, provider.payment())
        told = FortePaymentsAdapter.fetch(adapter, created.reference)
        assert (told.amount, told.currency) == (0, "")
        assert filled(told, Money(1023, "USD")) == created
