"""Redirect mode keeps the contract too, as far as it applies: a buyer visits every page that is opened."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from bridge.adapters import Money, Outcome, ProviderRefused, Status
from bridge.adapters.contract.steps import create, key_of
from bridge.adapters.forte_payments import FortePaymentsAdapter
from bridge.domain.ports import OPERATIONS
from tests.adapters.forte_payments_provider import FortePaymentsContract, ForteProvider, WithBuyer, filled
from tests.adapters.forte_payments_wire import REDIRECT

OPEN = f"POST {REDIRECT}"


class WithPage(WithBuyer):
    """The adapter with a buyer who pays on the hosted page at once, or whose card is declined there.

    What the page makes is known by its reference, as a message of Forte's would tell.
    """

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        FortePaymentsAdapter.open(self, request, key)
        simulator = self.world.simulator
        [intent] = simulator.find_by_reference(request["body"]["reference"])
        if intent.status == "Created":
            end = simulator.decline if request["card"] == ForteProvider.declined else simulator.approve
            end(intent.id)
        return replace(self.fetch(intent.id), amount=intent.amount, currency=intent.currency)

    def fetch(self, reference: str) -> Outcome:
        told = FortePaymentsAdapter.fetch(self, reference)
        if not re.fullmatch("[0-9a-f-]{36}", reference):
            return told
        intent = self.world.simulator.intent(reference)
        return filled(told, Money(intent.amount, intent.currency))


class RedirectProvider(ForteProvider):
    adapter = WithPage
    makes = OPEN

    def __init__(self, world: Any, other: Any) -> None:
        super().__init__(world, other)
        key = world.simulator.subscribe("https://bridge.example/bridge/v1/webhooks/forte").signing_key
        self.event_secrets = (key, self.event_secrets[1])
        more = {"mode": "redirect", "webhook_secret": " ".join(self.event_secrets)}
        self.settings, self.other_settings = {**self.settings, **more}, {**self.other_settings, **more}


class TestFortePaymentsRedirect(FortePaymentsContract):
    kind = RedirectProvider

    def test_it_says_what_it_is(self, adapter):
        """It opens pages in place of creating payments."""
        assert adapter.name == "forte_payments"
        assert {"open", "fetch"} <= adapter.operations <= OPERATIONS - {"create"}

    def test_a_hold_that_ran_out_says_so(self, adapter, provider):
        payment = provider.payment()
        request = adapter.prepare(payment)
        adapter.open(request, key_of(payment))
        [intent] = provider.world.simulator.find_by_reference(request["body"]["reference"])
        provider.world.simulator.expire(intent.id)
        outcome = adapter.fetch(intent.id)
        assert (outcome.status, outcome.expired) == (Status.CANCELED, True)

    def test_the_same_request_and_key_charge_nothing_more(self, adapter, provider):
        """Before it is paid the same key opens the same payment once more; what is paid is never made again."""
        payment = provider.payment()
        request = json.loads(json.dumps(adapter.prepare(payment)))
        first, again = adapter.open(request, key_of(payment)), provider.make().open(request, key_of(payment))
        assert first.url != again.url
        assert len(provider.world.simulator.intents) == 1
        assert adapter.create(request, key_of(payment)).status is Status.SUCCEEDED
        with pytest.raises(Exception, match="already submitted"):
            adapter.open(request, key_of(payment))
        assert provider.charges(provider.settings, payment) == 1

    def test_fetch_of_what_is_not_there_is_refused(self, adapter):
        for name in ("pi_Nobody00000000000000000000", "00000000-0000-4000-8000-000000000000"):
            with pytest.raises((ProviderRefused, LookupError)):
                FortePaymentsAdapter.fetch(adapter, name)

    def test_fetch_tells_what_create_told(self, adapter, provider):
        _, created = create(adapter, provider.payment())
        assert adapter.fetch(created.reference) == created
