"""What an adapter does with money that is held or taken: capture, refund, and what others do with it."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.adapters.contract.steps import create, happened, key_of, pay, refund_of, require_replay
from bridge.adapters.contract.summary import requires
from bridge.adapters.provider import Provider
from bridge.domain.errors import ProviderRefused
from bridge.domain.intents import Refund, RefundStatus, Status
from bridge.domain.ports import Adapter


class MoneyContract:
    """Part of AdapterContract."""

    # capture

    @requires("capture")
    def test_a_capture_takes_what_was_held(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, charge_id = pay(adapter, payment)
        outcome = adapter.capture(reference, 1023, key_of(payment, "capture"))
        assert (outcome.status, outcome.reference, outcome.amount) == (Status.SUCCEEDED, reference, 1023)
        assert outcome.charge is not None
        assert (outcome.charge.id, outcome.charge.captured, outcome.charge.amount_captured) == (charge_id, True, 1023)

    @requires("capture")
    def test_a_part_of_it_is_captured_exactly(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, _ = pay(adapter, payment)
        outcome = adapter.capture(reference, 1000, key_of(payment, "capture"))
        open_still = "multicapture" in adapter.operations
        for told in (outcome, adapter.fetch(reference)):
            assert told.status is (Status.REQUIRES_CAPTURE if open_still else Status.SUCCEEDED)
            assert told.charge is not None
            assert (told.amount, told.charge.amount_captured) == (1023, 1000)

    @requires("multicapture")
    def test_the_rest_can_follow_where_that_is_possible(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, _ = pay(adapter, payment)
        adapter.capture(reference, 1000, key_of(payment, "capture"))
        outcome = adapter.capture(reference, 23, key_of(payment, "capture2"))
        assert outcome.charge is not None
        assert (outcome.status, outcome.charge.amount_captured) == (Status.SUCCEEDED, 1023)

    @requires("capture")
    def test_more_than_was_held_cannot_be_captured(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, _ = pay(adapter, payment)
        with pytest.raises(ProviderRefused) as caught:
            adapter.capture(reference, 1024, key_of(payment, "capture"))
        assert str(caught.value)
        assert caught.value.code
        assert adapter.fetch(reference).status is Status.REQUIRES_CAPTURE

    @requires("capture")
    def test_a_capture_is_done_once(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, _ = pay(adapter, payment)
        for key in ("capture", "capture", "capture2"):
            assert adapter.capture(reference, 1023, key_of(payment, key)).status is Status.SUCCEEDED
        charge = adapter.fetch(reference).charge
        assert charge is not None
        assert charge.amount_captured == 1023

    @requires("capture", "cancel")
    def test_what_is_voided_is_answered_and_not_captured(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, _ = pay(adapter, payment)
        assert not adapter.cancel(reference, key_of(payment, "cancel")).expired, "it was voided"
        assert adapter.capture(reference, 1023, key_of(payment, "capture")).status is Status.CANCELED

    @requires("capture")
    def test_a_hold_that_ran_out_says_so(self, adapter: Adapter, provider: Provider) -> None:
        reference, _ = pay(adapter, provider.payment(capture="manual"))
        assert not adapter.fetch(reference).expired
        happened("expire", provider.expire(reference))
        outcome = adapter.fetch(reference)
        assert (outcome.status, outcome.expired) == (Status.CANCELED, True)

    # refund

    @requires("refund")
    def test_a_refund_in_parts_is_read_back_with_our_names(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment()
        reference, charge_id = pay(adapter, payment)
        requests = [refund_of(reference, charge_id, amount, payment.currency) for amount in (500, 523)]
        made = [adapter.refund(request, f"{request.operation_id}:refund") for request in requests]
        for request, refund in zip(requests, made, strict=True):
            assert refund.id
            assert refund.status.counts
            assert (refund.charge_id, refund.amount) == (charge_id, request.amount)
            assert refund.operation_id == request.operation_id or not adapter.names_refunds
        outcome = adapter.fetch(reference)
        assert sorted(_facts(adapter, outcome.refunds)) == sorted(_facts(adapter, made))
        assert outcome.status is Status.SUCCEEDED
        assert outcome.charge is not None
        assert (outcome.charge.amount_captured, outcome.charge.amount_refunded) == (1023, 1023)

    @requires("refund")
    def test_the_same_key_refunds_once(self, adapter: Adapter, provider: Provider) -> None:
        require_replay(adapter)
        payment = provider.payment()
        reference, charge_id = pay(adapter, payment)
        request = refund_of(reference, charge_id, 500, payment.currency)
        first = adapter.refund(request, f"{request.operation_id}:refund")
        assert adapter.refund(request, f"{request.operation_id}:refund") == first
        assert provider.make().refund(request, f"{request.operation_id}:refund") == first, "after a restart"
        assert _facts(adapter, adapter.fetch(reference).refunds) == _facts(adapter, [first])

    @requires("refund", "capture")
    def test_never_more_than_was_captured_is_refunded(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, charge_id = pay(adapter, payment)
        adapter.capture(reference, 1000, key_of(payment, "capture"))
        for amount, possible in ((1001, False), (600, True), (401, False), (400, True), (1, False)):
            request = refund_of(reference, charge_id, amount, payment.currency)
            if possible:
                assert adapter.refund(request, f"{request.operation_id}:refund").amount == amount
            else:
                with pytest.raises(ProviderRefused):
                    adapter.refund(request, f"{request.operation_id}:refund")
        assert sorted(refund.amount for refund in adapter.fetch(reference).refunds) == [400, 600]

    @requires("refund")
    def test_many_who_refund_at_once_never_send_back_too_much(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment()
        reference, charge_id = pay(adapter, payment)
        together = threading.Barrier(6)

        def send_back(_: int) -> bool:
            request = refund_of(reference, charge_id, 500, payment.currency)
            together.wait(10)
            try:
                return adapter.refund(request, f"{request.operation_id}:refund").status.counts
            except ProviderRefused:
                return False

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(send_back, range(6))) == 2
        assert [refund.amount for refund in adapter.fetch(reference).refunds] == [500, 500]

    @requires("refund", "capture")
    def test_what_is_only_held_is_not_refunded(self, adapter: Adapter, provider: Provider) -> None:
        payment = provider.payment(capture="manual")
        reference, charge_id = pay(adapter, payment)
        request = refund_of(reference, charge_id, 500, payment.currency)
        with pytest.raises(ProviderRefused):
            adapter.refund(request, f"{request.operation_id}:refund")
        assert adapter.fetch(reference).status is Status.REQUIRES_CAPTURE

    @requires("refund")
    def test_a_refund_that_fails_later_says_so(self, adapter: Adapter, provider: Provider) -> None:
        happened("refund_fails", provider.refund_fails is not None)
        payment = provider.payment(provider.refund_fails)
        reference, charge_id = pay(adapter, payment)
        request = refund_of(reference, charge_id, 500, payment.currency)
        assert adapter.refund(request, f"{request.operation_id}:refund").status.counts
        provider.later()
        outcome = adapter.fetch(reference)
        [refund] = outcome.refunds
        assert refund.status is RefundStatus.FAILED
        assert refund.operation_id == request.operation_id or not adapter.names_refunds
        assert outcome.charge is not None
        assert outcome.charge.amount_refunded == 0

    # dispute

    @requires("fetch")
    def test_a_dispute_is_seen(self, adapter: Adapter, provider: Provider) -> None:
        reference, charge_id = pay(adapter, provider.payment())
        assert adapter.fetch(reference).dispute is None
        happened("dispute", provider.dispute(reference))
        outcome = adapter.fetch(reference)
        assert outcome.status is Status.SUCCEEDED
        assert outcome.dispute is not None
        assert (outcome.dispute.charge_id, outcome.dispute.amount) == (charge_id, 1023)
        assert outcome.dispute.id
        assert outcome.dispute.reason
        assert not outcome.dispute.is_closed

    @requires("fetch")
    def test_a_dispute_that_is_lost_says_so(self, adapter: Adapter, provider: Provider) -> None:
        reference, _ = pay(adapter, provider.payment())
        happened("dispute", provider.dispute(reference))
        happened("lose", provider.lose(reference))
        dispute = adapter.fetch(reference).dispute
        assert dispute is not None
        assert (dispute.status, dispute.is_closed) == ("lost", True)

    @requires("fetch")
    def test_a_declined_payment_has_neither_refunds_nor_a_dispute(self, adapter: Adapter, provider: Provider) -> None:
        _, outcome = create(adapter, provider.payment(provider.declined))
        assert (outcome.refunds, outcome.dispute, outcome.expired) == ((), None, False)


def _facts(adapter: Adapter, refunds: Iterable[Refund]) -> list[tuple[str, int, str]]:
    """By which a refund is known again; without our name where the provider keeps none."""
    return [(each.operation_id if adapter.names_refunds else "", each.amount, each.id) for each in refunds]
