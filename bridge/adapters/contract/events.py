"""What an adapter believes of the messages that come in the provider's name."""

import pytest

from bridge.adapters.contract.steps import pay
from bridge.adapters.contract.summary import requires
from bridge.adapters.provider import Message, Provider
from bridge.domain.errors import EventRefused
from bridge.domain.outcomes import EventKind, Payment, ProviderEvent
from bridge.domain.ports import Adapter


class EventContract:
    """Part of AdapterContract."""

    @requires("events")
    def test_a_message_names_its_payment(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        now = provider.context().clock()
        event = _receive(adapter, _message(provider, payment, reference, now))
        assert event.kind is EventKind.PAYMENT
        assert event.id
        assert event.type
        assert abs(event.at - now) < 3600
        assert reference == event.reference or payment.attempt_id == event.attempt_id
        assert event.attempt_id in (payment.attempt_id, None)
        assert adapter.owns(event)

    @requires("events")
    def test_the_same_message_is_read_the_same_way(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        message = _message(provider, payment, reference, provider.context().clock())
        assert _receive(adapter, message).id == _receive(provider.make(), message).id

    @requires("events")
    def test_every_secret_that_is_set_proves_a_message(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        _require_secrets(provider)
        now = provider.context().clock()
        for secret in provider.event_secrets:
            assert _receive(adapter, _message(provider, payment, reference, now, secret)).id

    @requires("events")
    def test_another_secret_proves_nothing(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        _require_secrets(provider)
        now = provider.context().clock()
        for secret in (*map(_other, provider.event_secrets), "", "x"):
            message = _message(provider, payment, reference, now, secret)
            with pytest.raises(EventRefused) as caught:
                _receive(adapter, message)
            assert not any(known in str(caught.value) for known in provider.event_secrets)

    @requires("events")
    def test_a_message_that_was_changed_is_refused(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        headers, body = _message(provider, payment, reference, provider.context().clock())
        for place in range(0, len(body), max(1, len(body) // 64)):
            changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
            with pytest.raises(EventRefused):
                adapter.receive(headers, changed)
        for shortened in (b"", body[:-1], body + b" "):
            with pytest.raises(EventRefused):
                adapter.receive(headers, shortened)

    @requires("events")
    def test_a_proof_that_was_changed_is_none(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        headers, body = _message(provider, payment, reference, provider.context().clock())
        for name, value in headers.items():
            for place in range(len(value)):
                changed = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
                with pytest.raises(EventRefused):
                    adapter.receive({**headers, name: changed}, body)
            without = {other: proof for other, proof in headers.items() if other != name}
            with pytest.raises(EventRefused):
                adapter.receive(without, body)

    @requires("events")
    def test_a_message_of_another_time_is_refused(self, adapter: Adapter, provider: Provider) -> None:
        payment, reference = _paid(adapter, provider)
        if provider.event_tolerance is None:
            pytest.skip("the Provider has no event_tolerance: its messages have no time")
        now = provider.context().clock()
        for seconds in (-provider.event_tolerance - 2, provider.event_tolerance + 2):
            with pytest.raises(EventRefused):
                _receive(adapter, _message(provider, payment, reference, now + seconds))
        for seconds in (-provider.event_tolerance + 30, provider.event_tolerance - 30):
            assert _receive(adapter, _message(provider, payment, reference, now + seconds)).id


def _paid(adapter: Adapter, provider: Provider) -> tuple[Payment, str]:
    payment = provider.payment()
    return payment, pay(adapter, payment)[0]


def _require_secrets(provider: Provider) -> None:
    if not provider.event_secrets:
        pytest.skip("the Provider has no event_secrets: something else proves its messages")


def _message(provider: Provider, payment: Payment, reference: str, at: float, secret: str | None = None) -> Message:
    message = provider.message(payment, reference, at=at, secret=secret)
    if message is None:
        pytest.skip("the Provider has no message")
    return message


def _receive(adapter: Adapter, message: Message) -> ProviderEvent:
    headers, body = message
    return adapter.receive(headers, body)


def _other(secret: str) -> str:
    return secret[:-1] + ("x" if secret[-1] != "x" else "y")
