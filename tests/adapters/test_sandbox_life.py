"""The life of a payment in the sandbox: holds, refunds, disputes, card readers, and its ledger of all that."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.adapters import ProviderRefused, RefundRequest, RefundStatus, Status
from bridge.adapters.contract.steps import ANN
from bridge.adapters.sandbox import TEST_CARDS, SandboxAdapter
from tests.adapters.sandbox_provider import DAY, NOON, SandboxProvider


@pytest.fixture
def provider(tmp_path: Path) -> SandboxProvider:
    return SandboxProvider({"books": str(tmp_path / "books.sqlite")})


@pytest.fixture
def adapter(provider: SandboxProvider) -> SandboxAdapter:
    return provider.make()


Pay = Callable[..., str]


@pytest.fixture
def pay(adapter: SandboxAdapter, provider: SandboxProvider) -> Pay:
    """Make a payment; its reference."""

    def pay(method: str = "pm_card_visa", **changes: object) -> str:
        payment = provider.payment(method, **changes)
        return str(adapter.create(adapter.prepare(payment), payment.attempt_id).reference)

    return pay


def refund(reference: str, amount: int, operation: str = "1", reason: str = "") -> RefundRequest:
    return RefundRequest(reference, "", amount, "USD", reason, operation)


# Holds and captures


def test_the_ledger_tells_a_capture_of_a_part(adapter: SandboxAdapter, provider: SandboxProvider, pay: Pay) -> None:
    reference = pay(capture="manual")
    adapter.capture(reference, 1000, "capture")
    assert provider.ledger() == [("authorized", 1023), ("captured", 1000), ("released", 23)]


def test_a_hold_lasts_seven_days_and_not_a_second_more(
    adapter: SandboxAdapter, provider: SandboxProvider, pay: Pay
) -> None:
    first, second = pay(capture="manual"), pay(capture="manual")
    provider.now = NOON + 7 * DAY - 1
    assert adapter.capture(first, 1023, "capture").status is Status.SUCCEEDED
    provider.now = NOON + 7 * DAY
    outcome = adapter.capture(second, 1023, "capture")
    assert (outcome.status, outcome.expired) == (Status.CANCELED, True)
    assert outcome.charge is not None
    assert outcome.charge.card is not None
    assert outcome.charge.card["capture_before"] == provider.now
    assert provider.ledger()[-1] == ("expired", 1023)


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_cannot_be_captured(adapter: SandboxAdapter, pay: Pay, amount: int) -> None:
    with pytest.raises(ProviderRefused, match="is not between 1 and the authorized 1023"):
        adapter.capture(pay(capture="manual"), amount, "capture")


# Refunds


@pytest.mark.parametrize(
    ("method", "first", "last", "entries"),
    [
        ("pm_card_visa", "succeeded", "succeeded", ["refunded"]),
        ("pm_card_pendingRefund", "pending", "succeeded", ["refunded", "refund_settled"]),
        ("pm_card_refundFail", "succeeded", "failed", ["refunded", "refund_failed"]),
        ("pm_sandbox_refund_fails", "pending", "failed", ["refunded", "refund_failed"]),
    ],
)
def test_a_refund_may_end_otherwise_after_a_minute(
    adapter: SandboxAdapter, provider: SandboxProvider, pay: Pay, method: str, first: str, last: str, entries: list[str]
) -> None:
    reference = pay(method)
    assert adapter.refund(refund(reference, 1000), "refund").status is RefundStatus(first)
    provider.now += 59
    assert [one.status for one in adapter.fetch(reference).refunds] == [RefundStatus(first)]
    provider.now += 1
    for _ in range(2):
        [one] = adapter.fetch(reference).refunds
        assert (one.status, bool(one.failure)) == (RefundStatus(last), last == "failed")
    assert [kind for kind, _ in provider.ledger()] == ["charged", *entries]


def test_what_failed_can_be_refunded_again(adapter: SandboxAdapter, provider: SandboxProvider, pay: Pay) -> None:
    reference = pay("pm_card_refundFail")
    adapter.refund(refund(reference, 1023), "first")
    with pytest.raises(ProviderRefused, match="has already been refunded"):
        adapter.refund(refund(reference, 1), "second")
    provider.now += 60
    assert adapter.refund(refund(reference, 1023), "third").amount == 1023


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"charge_id": "ch_other"}, "resource_missing"),
        ({"currency": "EUR"}, "currency_mismatch"),
        ({"amount": 0}, "amount_too_large"),
        ({"reference": "pi_other"}, "resource_missing"),
    ],
)
def test_a_refund_has_to_fit(adapter: SandboxAdapter, pay: Pay, changes: dict[str, object], code: str) -> None:
    request = replace(refund(pay(), 100), **changes)
    with pytest.raises(ProviderRefused) as caught:
        adapter.refund(request, "refund")
    assert caught.value.code == code


# Disputes


@pytest.mark.parametrize(
    ("method", "seconds", "begins", "ends", "entries"),
    [
        ("pm_card_createDispute", 7 * DAY, "needs_response", "lost", ["disputed", "dispute_lost"]),
        ("pm_card_createDisputeProductNotReceived", 7 * DAY, "needs_response", "lost", ["disputed", "dispute_lost"]),
        (
            "pm_card_createDisputeInquiry",
            7 * DAY,
            "warning_needs_response",
            "warning_closed",
            ["inquiry", "inquiry_closed"],
        ),
        ("pm_sandbox_dispute_won", 60, "needs_response", "won", ["disputed", "dispute_won"]),
        ("pm_sandbox_dispute_lost", 60, "needs_response", "lost", ["disputed", "dispute_lost"]),
    ],
)
def test_a_dispute_begins_with_the_capture_and_ends_by_the_clock(
    adapter: SandboxAdapter,
    provider: SandboxProvider,
    pay: Pay,
    method: str,
    seconds: int,
    begins: str,
    ends: str,
    entries: list[str],
) -> None:
    reference = pay(method, capture="manual")
    assert adapter.fetch(reference).dispute is None
    dispute = adapter.capture(reference, 1000, "capture").dispute
    assert dispute is not None
    assert (dispute.status, dispute.amount, dispute.due_by) == (begins, 1000, NOON + seconds)
    provider.now += seconds - 1
    assert adapter.fetch(reference).dispute == dispute
    provider.now += 1
    assert adapter.fetch(reference).dispute == replace(dispute, status=ends)
    written = ["authorized", "captured", "released", *entries]
    assert [kind for kind, _ in provider.ledger()] == written


def test_what_is_disputed_or_lost_is_not_refunded_and_what_is_won_is(adapter: SandboxAdapter, pay: Pay) -> None:
    reference = pay("pm_card_createDispute")
    with pytest.raises(ProviderRefused, match="is disputed and cannot be refunded"):
        adapter.refund(refund(reference, 100), "first")
    adapter.close_dispute(reference, "won")
    assert adapter.refund(refund(reference, 100), "second").amount == 100
    lost = pay("pm_card_createDispute")
    adapter.close_dispute(lost, "lost")
    with pytest.raises(ProviderRefused, match="is disputed and cannot be refunded"):
        adapter.refund(refund(lost, 100), "third")


def test_a_dispute_by_hand_is_over_what_is_left(adapter: SandboxAdapter, pay: Pay) -> None:
    reference = pay()
    adapter.refund(refund(reference, 1000), "refund")
    dispute = adapter.dispute(reference, "duplicate").dispute
    assert dispute is not None
    assert (dispute.amount, dispute.reason, dispute.status) == (23, "duplicate", "needs_response")
    with pytest.raises(ProviderRefused, match="nothing to dispute"):
        adapter.dispute(reference)
    won = adapter.close_dispute(reference, "won").dispute
    assert won is not None
    assert won.status == "won"
    with pytest.raises(ProviderRefused, match="no open dispute"):
        adapter.close_dispute(reference, "lost")


def test_a_dispute_may_follow_one_that_was_won(adapter: SandboxAdapter, provider: SandboxProvider, pay: Pay) -> None:
    reference = pay("pm_sandbox_dispute_won")
    provider.now += 60
    first = adapter.fetch(reference).dispute
    second = adapter.dispute(reference).dispute
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert second.status == "needs_response"


# Payers and readers


def test_the_same_address_is_the_same_customer(adapter: SandboxAdapter) -> None:
    first = adapter.save_customer(ANN, None, "1")
    assert re.fullmatch("cus_[A-Za-z0-9]{14}", first)
    assert adapter.save_customer(replace(ANN, email=" ANN@example.com"), None, "2") == first
    assert adapter.save_customer(replace(ANN, email="bob@example.com"), None, "3") != first
    assert adapter.save_customer(replace(ANN, email=""), None, "4") != adapter.save_customer(
        replace(ANN, email=""), None, "5"
    )


@pytest.fixture
def at_the_reader(adapter: SandboxAdapter, provider: SandboxProvider) -> Pay:
    """Make a payment for a card reader; its reference."""

    def begin(methods: tuple[str, ...] = ("card_present",), capture: str = "manual", **metadata: str) -> str:
        payment = provider.payment("", customer="", capture=capture)
        request = adapter.prepare_terminal(payment, list(methods), metadata)
        outcome = adapter.create(request, payment.attempt_id)
        assert (outcome.status, outcome.payment_method) == (Status.REQUIRES_PAYMENT_METHOD, None)
        assert outcome.client_secret
        return str(outcome.reference)

    return begin


@pytest.mark.parametrize(
    ("methods", "capture", "kind", "status"),
    [
        (("card_present",), "manual", "card_present", Status.REQUIRES_CAPTURE),
        (("card_present",), "automatic", "card_present", Status.SUCCEEDED),
        (("card_present", "interac_present"), "manual", "card_present", Status.REQUIRES_CAPTURE),
        (("interac_present",), "manual", "interac_present", Status.SUCCEEDED),
    ],
)
def test_somebody_holds_a_card_to_the_reader_by_the_time_that_anyone_looks(
    adapter: SandboxAdapter, at_the_reader: Pay, methods: tuple[str, ...], capture: str, kind: str, status: Status
) -> None:
    outcome = adapter.fetch(at_the_reader(methods, capture))
    assert outcome.charge is not None
    assert (outcome.status, outcome.charge.payment_method_type) == (status, kind)
    assert outcome.payment_method == "pm_card_visa"
    assert outcome.client_secret is None


def test_the_metadata_say_which_card_that_is(adapter: SandboxAdapter, at_the_reader: Pay) -> None:
    reference = at_the_reader(sandbox_present="pm_card_chargeDeclined")
    for _ in range(2):
        outcome = adapter.fetch(reference)
        assert outcome.status is Status.REQUIRES_PAYMENT_METHOD
        assert outcome.decline == TEST_CARDS["pm_card_chargeDeclined"].decline
    outcome = adapter.present(reference, "pm_card_amex")
    assert (outcome.status, outcome.decline) == (Status.REQUIRES_CAPTURE, None)
    assert outcome.charge is not None
    assert outcome.charge.card is not None
    assert outcome.charge.card["brand"] == "amex"


def test_nobody_may_come(adapter: SandboxAdapter, provider: SandboxProvider, at_the_reader: Pay) -> None:
    reference = at_the_reader(sandbox_present="nobody")
    assert adapter.fetch(reference).status is Status.REQUIRES_PAYMENT_METHOD
    provider.now += 3 * DAY
    outcome = adapter.present(reference)
    assert outcome.charge is not None
    assert outcome.charge.card is not None
    assert outcome.charge.card["capture_before"] == provider.now + 7 * DAY


def test_a_card_that_does_not_exist_is_said_at_once(at_the_reader: Pay) -> None:
    with pytest.raises(ProviderRefused, match="No such PaymentMethod: 'pm_card_moon'"):
        at_the_reader(sandbox_present="pm_card_moon")


def test_voiding_does_not_collect(adapter: SandboxAdapter, provider: SandboxProvider, at_the_reader: Pay) -> None:
    outcome = adapter.cancel(at_the_reader(capture="automatic"), "cancel")
    assert (outcome.status, outcome.charge) == (Status.CANCELED, None)
    assert provider.ledger() == [("started", 1023), ("canceled", 1023)]


def test_only_a_reader_takes_a_card(adapter: SandboxAdapter, pay: Pay) -> None:
    reference = pay("pm_card_chargeDeclined")
    assert adapter.present(reference).status is Status.REQUIRES_PAYMENT_METHOD


# Old books


def test_books_of_an_older_sandbox_are_read_on(adapter: SandboxAdapter, provider: SandboxProvider) -> None:
    with closing(sqlite3.connect(provider.settings["books"])) as books:
        books.executescript("""
            create table payments (reference text primary key, key text not null unique, request text not null,
                status text not null, created real not null);
            create table ledger (seq integer primary key autoincrement, at real not null, kind text not null,
                reference text not null, amount integer not null, currency text not null, order_id integer);
        """)
        request = (
            '{"amount": 1023, "currency": "usd", "customer": "cus_1", "payment_method": "pm_card_visa", '
            '"capture_method": "automatic", "metadata": {"order_id": 1}, "billing_details": {}}'
        )
        books.execute("insert into payments values ('pi_1', 'key', ?, 'succeeded', 1)", (request,))
        books.execute("insert into ledger values (1, 1, 'charged', 'pi_1', 1023, 'usd', 1)")
        books.commit()
    assert adapter.refund(refund("pi_1", 1023), "refund").amount == 1023
