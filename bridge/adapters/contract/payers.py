"""What an adapter does for payers: customers, what they have saved, card readers."""

import json

import pytest

from bridge.adapters.contract.steps import ANN, happened, key_of
from bridge.adapters.contract.summary import requires
from bridge.adapters.provider import Provider
from bridge.domain.errors import Refused
from bridge.domain.intents import Status
from bridge.domain.ports import Adapter


class PayerContract:
    """Part of AdapterContract."""

    @requires("customers")
    def test_a_customer_is_made_and_then_kept(self, adapter: Adapter, provider: Provider) -> None:
        key = key_of(provider.payment(), "customer")
        customer = adapter.save_customer(ANN, None, key)
        assert customer
        if adapter.replay_window:
            assert adapter.save_customer(ANN, None, key) == customer, "the same key makes one"
        assert adapter.save_customer(ANN, customer, f"{key}2") == customer

    @requires("customers")
    def test_a_customer_can_pay(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(customer=adapter.save_customer(ANN, None, key_of(provider.payment(), "customer")))
        outcome = adapter.create(adapter.prepare(payment), key_of(payment))
        assert (outcome.status, outcome.customer) == (Status.SUCCEEDED, payment.customer)

    @requires("payment_methods")
    def test_saved_payment_methods_have_woopayments_shape(self, adapter: Adapter, provider: Provider) -> None:
        methods = adapter.payment_methods(provider.saving_customer or provider.customer)
        assert methods or provider.saving_customer is None
        for method in methods:
            assert set(method) == {"id", "type", "billing_details", method["type"]}
            assert method["id"]
            assert set(method["billing_details"]) == {"address", "email", "name", "phone"}
        assert json.loads(json.dumps(methods)) == methods

    @requires("payment_methods")
    def test_a_customer_whom_nobody_knows_has_saved_nothing(self, adapter: Adapter, provider: Provider) -> None:
        if provider.unknown_customer is None:
            pytest.skip("every customer is known")
        assert adapter.payment_methods(provider.unknown_customer) == []

    @requires("terminal")
    def test_a_reader_gets_an_intent_that_nobody_has_confirmed(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(payment_method="", customer="", capture="manual")
        request = adapter.prepare_terminal(payment, ["card_present"], {"note": "left counter"})
        assert json.loads(json.dumps(request)) == request
        assert request == adapter.prepare_terminal(payment, ["card_present"], {"note": "left counter"}), "it is pure"
        outcome = adapter.create(request, key_of(payment))
        assert (outcome.status, outcome.decline, outcome.charge) == (Status.REQUIRES_PAYMENT_METHOD, None, None)
        assert outcome.amount == 1023
        if adapter.replay_window:
            assert adapter.create(request, key_of(payment)).reference == outcome.reference
        assert provider.charges(provider.settings, payment) in (0, None)

    @requires("terminal", "capture")
    def test_what_a_reader_has_authorised_can_be_captured(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(payment_method="", customer="", capture="manual")
        outcome = adapter.create(adapter.prepare_terminal(payment, ["card_present"], {}), key_of(payment))
        reference = str(outcome.reference)
        happened("present", provider.present(reference))
        held = adapter.fetch(reference)
        assert held.charge is not None
        assert (held.status, held.charge.payment_method_type) == (Status.REQUIRES_CAPTURE, "card_present")
        assert adapter.capture(reference, 1023, key_of(payment, "capture")).status is Status.SUCCEEDED
        assert provider.charges(provider.settings, payment) in (1, None)

    @pytest.mark.parametrize("methods", [[], ["card"], ["card_present", "moonlight"]])
    @requires("terminal")
    def test_a_reader_takes_cards_that_are_present(
        self, adapter: Adapter, provider: Provider, methods: list[str]
    ) -> None:
        with pytest.raises(Refused, match="payment_methods"):
            adapter.prepare_terminal(provider.payment(payment_method=""), methods, {})

    @requires("terminal")
    def test_a_readers_app_gets_a_token(self, adapter: Adapter) -> None:
        token = adapter.connection_token()
        assert token["secret"]
        assert json.loads(json.dumps(token)) == token
