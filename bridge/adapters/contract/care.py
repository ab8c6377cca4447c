"""What an adapter must never do: tell a secret, mix two accounts, pretend."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.adapters.contract.steps import VERBS, create, secrets
from bridge.adapters.provider import Provider
from bridge.domain.errors import BridgeError, Unsupported
from bridge.domain.outcomes import Payment
from bridge.domain.ports import Adapter


class CareContract:
    """Part of AdapterContract."""

    # Secrets and threads

    def test_secrets_are_nowhere(self, adapter: Adapter, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        known = secrets(provider)
        seen = [repr(adapter), str(adapter), repr(adapter.check())]
        for payment in self._every_kind(provider):
            try:
                _, outcome = create(adapter, payment)
            except BridgeError as error:
                seen += [repr(error), str(error), repr(error.details)]
            else:
                seen += [repr(outcome), repr(outcome.raw), repr(outcome.charge)]
                known += [outcome.client_secret] if outcome.client_secret else []
        seen.append(caplog.text)
        assert [secret for secret in known if any(secret in text for text in seen)] == []

    def test_two_stores_in_many_threads_stay_with_their_own_accounts(self, provider: Provider) -> None:
        if provider.other_settings is None:
            pytest.skip("the Provider has no other_settings: there is one account")
        stores = [(settings, provider.make(settings)) for settings in (provider.settings, provider.other_settings)]
        payments = [
            [provider.payment(customer=provider.customer_of(settings)) for _ in range(8)] for settings, _ in stores
        ]
        if provider.charges(provider.settings, payments[0][0]) is None:
            pytest.skip("this provider does not show its charges")
        together = threading.Barrier(8)

        def pay(turn: int) -> None:
            together.wait(10)
            for (_, adapter), mine in zip(stores, payments, strict=True):
                create(adapter, mine[turn])

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(pay, range(8)))
        for (settings, _), mine in zip(stores, payments, strict=True):
            theirs = [payment for others in payments if others is not mine for payment in others]
            assert [provider.charges(settings, payment) for payment in mine] == [1] * 8
            assert [provider.charges(settings, payment) for payment in theirs] == [0] * 8
        provider.close()

    def _every_kind(self, provider: Provider) -> Iterator[Payment]:
        """Payments that succeed and fail, each arranged just before it is made."""
        yield provider.payment()
        yield provider.payment(provider.declined)
        for arrange in (provider.refused, provider.unreachable, provider.lost_answer, provider.nonsense):
            payment = arrange(provider.payment())
            if payment is not None:
                yield payment

    def test_what_it_cannot_do_it_says_by_name(self, adapter: Adapter, provider: Provider) -> None:
        for operation, call in VERBS.values():
            if operation in adapter.operations:
                continue
            with pytest.raises(Unsupported) as caught:
                call(adapter, provider.payment())
            assert str(caught.value).endswith(f" is not supported by {adapter.name}.")
            assert caught.value.details["provider"] == adapter.name
