"""Refunds, disputes and holds that ran out, as Stripe tells of them."""

import pytest
import requests

from bridge.adapters import (
    Dispute,
    ProviderConfused,
    ProviderRefused,
    ProviderUnreachable,
    Refund,
    RefundRequest,
    RefundStatus,
    Status,
)
from tests.adapters.payments import ACCOUNT, API, ATTEMPT, CHARGE, error, intent, listed, payment, sent, stripe_adapter

INTENT, CHARGES, REFUNDS, DISPUTES = (f"{API}/{name}" for name in ("payment_intents", "charges", "refunds", "disputes"))
OPERATION = "fedcba9876543210fedcba9876543210"
REQUEST = RefundRequest("pi_3Made", "ch_3Made", 500, "USD", "duplicate", OPERATION)
PLAIN = {**CHARGE, "application_fee_amount": None}
REFUND = {
    "id": "re_3Made",
    "object": "refund",
    "amount": 500,
    "charge": "ch_3Made",
    "created": 1700000100,
    "currency": "usd",
    "metadata": {"wcpay_bridge_attempt": OPERATION},
    "payment_intent": "pi_3Made",
    "reason": "duplicate",
    "status": "succeeded",
}
DISPUTE = {
    "id": "du_1Made",
    "object": "dispute",
    "amount": 1023,
    "charge": "ch_3Made",
    "created": 1700000200,
    "currency": "usd",
    "evidence_details": {"due_by": 1700600000},
    "reason": "fraudulent",
    "status": "needs_response",
}


@pytest.fixture
def adapter():
    made = stripe_adapter(max_retries="0")
    yield made
    made.close()


def fetched(adapter, mock, charge, **changes):
    mock.get(f"{INTENT}/pi_3Made", json=intent(latest_charge=charge, **changes))
    return adapter.fetch("pi_3Made")


# Sending money back


@pytest.mark.parametrize(
    ("charge_type", "charge", "back"),
    [
        ("direct", PLAIN, ""),
        ("direct", CHARGE, "&refund_application_fee=true"),
        ("direct", {**PLAIN, "application_fee": "fee_1"}, "&refund_application_fee=true"),
        ("destination", {**PLAIN, "transfer_data": {"destination": ACCOUNT}}, "&reverse_transfer=true"),
        ("destination", {**CHARGE, "transfer": "tr_1"}, "&reverse_transfer=true&refund_application_fee=true"),
    ],
)
def test_what_the_charge_gave_away_comes_back_with_it(stripe_says, charge_type, charge, back):
    """By the charge, not by settings that may be others by now: Stripe refuses to refund a fee that is none."""
    stripe_says.get(f"{CHARGES}/ch_3Made", json=charge)
    stripe_says.post(REFUNDS, json=REFUND)
    adapter = stripe_adapter(charge_type=charge_type)
    refund = adapter.refund(REQUEST, "key-4:refund")
    request = stripe_says.calls[1].request
    assert request.body == (
        f"charge=ch_3Made&amount=500&reason=duplicate&metadata[wcpay_bridge_attempt]={OPERATION}{back}"
    )
    assert request.headers["Idempotency-Key"] == "key-4:refund"
    assert request.headers.get("Stripe-Account") == (ACCOUNT if charge_type == "direct" else None)
    assert refund == Refund("re_3Made", "ch_3Made", 500, RefundStatus.SUCCEEDED, "duplicate", OPERATION, 1700000100)
    adapter.close()


@pytest.mark.parametrize("reason", ["", "broken", "expired_uncaptured_charge"])
def test_only_stripes_reasons_are_sent(adapter, stripe_says, reason):
    stripe_says.get(f"{CHARGES}/ch_3Made", json=PLAIN)
    stripe_says.post(REFUNDS, json={**REFUND, "reason": None})
    request = RefundRequest("pi_3Made", "ch_3Made", 500, "USD", reason, OPERATION)
    assert adapter.refund(request, "key-4:refund").reason == ""
    assert "reason" not in stripe_says.calls[1].request.body


def test_without_a_charge_it_is_the_payments(adapter, stripe_says):
    stripe_says.get(f"{INTENT}/pi_3Made", json=intent(latest_charge=PLAIN))
    stripe_says.post(REFUNDS, json=REFUND)
    adapter.refund(RefundRequest("pi_3Made", "", 500, "USD", "", OPERATION), "key-4:refund")
    assert stripe_says.calls[1].request.body.startswith("charge=ch_3Made&amount=500&")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", RefundStatus.PENDING),
        ("requires_action", RefundStatus.PENDING),
        ("moonlit", RefundStatus.PENDING),
        (None, RefundStatus.PENDING),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.CANCELED),
    ],
)
def test_a_refund_has_a_status_of_its_own(adapter, stripe_says, word, status):
    stripe_says.get(f"{CHARGES}/ch_3Made", json=PLAIN)
    stripe_says.post(REFUNDS, json={**REFUND, "status": word, "failure_reason": "lost_or_stolen_card"})
    refund = adapter.refund(REQUEST, "key-4:refund")
    assert (refund.status, refund.failure) == (status, "lost_or_stolen_card")


def test_a_refund_that_stripe_refuses_is_told_in_its_words(adapter, stripe_says):
    stripe_says.get(f"{CHARGES}/ch_3Made", json=PLAIN)
    sentence = "Charge ch_3Made has already been refunded."
    stripe_says.post(REFUNDS, status=400, json=error("charge_already_refunded", sentence))
    with pytest.raises(ProviderRefused) as caught:
        adapter.refund(REQUEST, "key-4:refund")
    assert (str(caught.value), caught.value.code) == (f"Error: {sentence}", "charge_already_refunded")
    assert caught.value.details["status"] == 400


@pytest.mark.parametrize(
    "charge",
    [
        {**PLAIN, "currency": "eur"},
        {**PLAIN, "livemode": True},
        {**PLAIN, "payment_intent": "pi_3Other"},
        {**PLAIN, "object": "payment_intent"},
        [],
    ],
)
def test_a_charge_that_is_not_the_one_that_is_meant_is_not_refunded(adapter, stripe_says, charge):
    stripe_says.get(f"{CHARGES}/ch_3Made", json=charge)
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.refund(REQUEST, "key-4:refund")
    assert not caught.value.sent
    assert sent(stripe_says) == [("GET", "/charges/ch_3Made")]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 501},
        {"charge": "ch_3Other"},
        {"currency": "eur"},
        {"metadata": {}},
        {"metadata": {"wcpay_bridge_attempt": ATTEMPT}},
        {"id": None},
        {"object": "charge"},
    ],
)
def test_an_answer_about_another_refund_is_nonsense(adapter, stripe_says, changes):
    stripe_says.get(f"{CHARGES}/ch_3Made", json=PLAIN)
    stripe_says.post(REFUNDS, json={**REFUND, **changes})
    with pytest.raises(ProviderConfused):
        adapter.refund(REQUEST, "key-4:refund")


def test_a_refund_whose_answer_is_lost_is_unknown(adapter, stripe_says):
    stripe_says.get(f"{CHARGES}/ch_3Made", json=PLAIN)
    stripe_says.post(REFUNDS, body=requests.ReadTimeout("slow"))
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.refund(REQUEST, "key-4:refund")
    assert caught.value.sent


# What a look at the payment tells


def test_an_ordinary_success_costs_no_further_request(adapter, stripe_says):
    outcome = fetched(adapter, stripe_says, {**CHARGE, "refunds": listed()})
    assert (outcome.refunds, outcome.dispute, outcome.expired) == ((), None, False)
    assert sent(stripe_says) == [("GET", "/payment_intents/pi_3Made")]


def test_refunds_are_read_with_our_name_of_them(adapter, stripe_says):
    theirs = {**REFUND, "id": "re_3Theirs", "metadata": {}, "reason": None, "amount": 23}
    outcome = fetched(adapter, stripe_says, {**CHARGE, "refunds": listed(theirs, REFUND)})
    assert outcome.refunds == (
        Refund("re_3Theirs", "ch_3Made", 23, RefundStatus.SUCCEEDED, "", "", 1700000100),
        Refund("re_3Made", "ch_3Made", 500, RefundStatus.SUCCEEDED, "duplicate", OPERATION, 1700000100),
    )


def test_more_refunds_than_are_shown_are_listed(adapter, stripe_says):
    refunds = [{**REFUND, "id": f"re_{number}"} for number in range(3)]
    stripe_says.get(REFUNDS, json=listed(*refunds[:2], more=True))
    stripe_says.get(REFUNDS, json=listed(refunds[2]))
    outcome = fetched(adapter, stripe_says, {**CHARGE, "refunds": listed(refunds[0], more=True)})
    assert [refund.id for refund in outcome.refunds] == ["re_0", "re_1", "re_2"]
    queries = [call.request.url.partition("?")[2] for call in stripe_says.calls][1:]
    assert queries == ["charge=ch_3Made&limit=100", "charge=ch_3Made&limit=100&starting_after=re_1"]


def test_a_dispute_is_asked_for_when_the_charge_has_one(adapter, stripe_says):
    stripe_says.get(DISPUTES, json=listed(DISPUTE))
    outcome = fetched(adapter, stripe_says, {**CHARGE, "disputed": True})
    assert outcome.dispute == Dispute(
        id="du_1Made",
        charge_id="ch_3Made",
        amount=1023,
        status="needs_response",
        reason="fraudulent",
        due_by=1700600000,
        created=1700000200,
        currency="USD",
    )
    assert stripe_says.calls[1].request.url.endswith("?charge=ch_3Made&limit=100")
    assert stripe_says.calls[1].request.headers["Stripe-Account"] == ACCOUNT


@pytest.mark.parametrize(
    ("statuses", "which"),
    [(("lost", "won"), 0), (("won", "under_review"), 1), (("needs_response", "lost"), 0), ((), None)],
)
def test_of_several_disputes_the_open_one_counts_else_the_newest(adapter, stripe_says, statuses, which):
    disputes = [{**DISPUTE, "id": f"du_{number}", "status": word} for number, word in enumerate(statuses)]
    stripe_says.get(DISPUTES, json=listed(*disputes))
    dispute = fetched(adapter, stripe_says, {**CHARGE, "disputed": True}).dispute
    assert (dispute and dispute.id) == (None if which is None else f"du_{which}")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_dispute_that_is_not_shown_never_means_that_the_payment_was_refused(adapter, stripe_says, status):
    """A create must not be taken for a proven no because a restricted key may not read disputes."""
    stripe_says.post(INTENT, json=intent(latest_charge={**CHARGE, "disputed": True}))
    stripe_says.get(DISPUTES, status=status, json=error("x"))
    with pytest.raises(ProviderConfused, match="Stripe does not show what became of the payment"):
        adapter.create(adapter.prepare(payment()), "key-1:create")


@pytest.mark.parametrize(
    "charge",
    [
        {"refunds": listed({**REFUND, "charge": "ch_3Other"})},
        {"refunds": listed({**REFUND, "amount": "500"})},
        {"refunds": listed("re_1")},
        {"refunds": {"object": "list"}},
        {"refunds": []},
    ],
)
def test_refunds_that_cannot_be_read_are_nonsense(adapter, stripe_says, charge):
    with pytest.raises(ProviderConfused):
        fetched(adapter, stripe_says, {**CHARGE, **charge})


@pytest.mark.parametrize(
    "dispute", [{"amount": None}, {"status": None}, {"object": "refund"}, {"currency": None}, {"currency": "$"}]
)
def test_a_dispute_that_cannot_be_read_is_nonsense(adapter, stripe_says, dispute):
    stripe_says.get(DISPUTES, json=listed({**DISPUTE, **dispute}))
    with pytest.raises(ProviderConfused):
        fetched(adapter, stripe_says, {**CHARGE, "disputed": True})


# Holds that ran out


@pytest.mark.parametrize(
    ("reason", "charge", "expired"),
    [
        ("automatic", "ch_3Made", True),
        ("expired", {**CHARGE, "captured": False}, True),
        ("requested_by_customer", "ch_3Made", False),
        (None, "ch_3Made", False),
        ("automatic", None, False),
    ],
)
def test_a_hold_that_stripe_ended_has_expired(adapter, stripe_says, reason, charge, expired):
    outcome = fetched(adapter, stripe_says, charge, status="canceled", cancellation_reason=reason)
    assert (outcome.status, outcome.expired) == (Status.CANCELED, expired)


def test_a_release_that_older_payments_call_a_refund_is_none(adapter, stripe_says):
    released = {**REFUND, "reason": "expired_uncaptured_charge", "metadata": {}, "amount": 1023}
    charge = {**CHARGE, "captured": False, "refunds": listed(released)}
    outcome = fetched(adapter, stripe_says, charge, status="canceled")
    assert (outcome.refunds, outcome.expired) == ((), True)


def test_find_tells_of_refunds_too(adapter, stripe_says):
    stripe_says.get(INTENT, json=listed(intent(latest_charge={**CHARGE, "refunds": listed(REFUND)})))
    found = adapter.find(adapter.prepare(payment()), "key-1:create", 0)
    assert [refund.operation_id for refund in found.refunds] == [OPERATION]
