"""Capturing at Stripe: what is sent, what a part costs, and what a no means."""

import pytest
import requests

from bridge.adapters import ProviderConfused, ProviderRefused, ProviderUnreachable, Status
from tests.adapters.payments import ACCOUNT, API, CHARGE, error, intent, sent, stripe_adapter

INTENT = f"{API}/payment_intents/pi_3Made"
HELD = intent(status="requires_capture", application_fee_amount=60, latest_charge={**CHARGE, "captured": False})


@pytest.fixture
def adapter():
    made = stripe_adapter(max_retries="0")
    yield made
    made.close()


@pytest.fixture
def sharing():
    """An adapter whose platform takes a fee."""
    made = stripe_adapter(max_retries="0", fee="2.9%+30")
    yield made
    made.close()


def test_a_capture_names_the_amount_and_has_a_key_of_its_own(adapter, stripe_says):
    stripe_says.post(f"{INTENT}/capture", json=intent(latest_charge={**CHARGE, "amount_captured": 1000}))
    outcome = adapter.capture("pi_3Made", 1000, "key-3:capture")
    assert (outcome.status, outcome.amount, outcome.charge.amount_captured) == (Status.SUCCEEDED, 1023, 1000)
    request = stripe_says.calls[0].request
    assert request.body == "amount_to_capture=1000&expand[0]=latest_charge.refunds"
    assert (request.headers["Idempotency-Key"], request.headers["Stripe-Account"]) == ("key-3:capture", ACCOUNT)


@pytest.mark.parametrize(
    ("amount", "fee"),
    [(1023, ""), (1022, "&application_fee_amount=60"), (500, "&application_fee_amount=45")],
)
def test_a_part_bears_the_fee_of_a_part(sharing, stripe_says, amount, fee):
    stripe_says.get(INTENT, json=HELD)
    stripe_says.post(f"{INTENT}/capture", json=intent(latest_charge=CHARGE))
    sharing.capture("pi_3Made", amount, "key-3:capture")
    body = stripe_says.calls[1].request.body
    assert body == f"amount_to_capture={amount}&expand[0]=latest_charge.refunds{fee}"


@pytest.mark.parametrize(
    ("rule", "agreed", "amount", "fee"),
    [
        ("2.9%", 30, 10, 1),
        ("50", 60, 40, 40),
        ("50%", 60, 500, 60),
        ("2.9%+30", None, 500, None),
    ],
)
def test_that_fee_is_at_least_something_and_never_more_than_was_agreed_or_is_taken(
    stripe_says, rule, agreed, amount, fee
):
    stripe_says.get(INTENT, json={**HELD, "application_fee_amount": agreed})
    stripe_says.post(f"{INTENT}/capture", json=intent(latest_charge=CHARGE))
    adapter = stripe_adapter(fee=rule)
    adapter.capture("pi_3Made", amount, "key-3:capture")
    asked = "" if fee is None else f"&application_fee_amount={fee}"
    assert stripe_says.calls[1].request.body.endswith(f"refunds{asked}")
    adapter.close()


@pytest.mark.parametrize("status", ["succeeded", "canceled", "processing"])
def test_what_is_not_to_be_captured_is_answered_as_it_is(adapter, stripe_says, status):
    problem = error("payment_intent_unexpected_state", "This PaymentIntent could not be captured.")
    stripe_says.post(f"{INTENT}/capture", status=400, json=problem)
    stripe_says.get(INTENT, json=intent(status=status))
    assert adapter.capture("pi_3Made", 1023, "key-3:capture").status is Status(status)


def test_and_with_a_fee_it_is_not_even_sent(sharing, stripe_says):
    stripe_says.get(INTENT, json=intent(latest_charge=CHARGE))
    assert sharing.capture("pi_3Made", 500, "key-3:capture").status is Status.SUCCEEDED
    assert sent(stripe_says) == [("GET", "/payment_intents/pi_3Made")]


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (400, error("amount_too_large", "The amount is too large.", param="amount_to_capture"), "amount_too_large"),
        (400, error("charge_expired_for_capture", "It has expired."), "charge_expired_for_capture"),
        (402, error("card_declined", "It was declined.", "card_error"), "card_declined"),
        (404, error("resource_missing", "No such payment_intent: 'pi_3Made'"), "resource_missing"),
    ],
)
def test_a_no_that_is_proven_has_stripes_sentence_code_and_status(adapter, stripe_says, status, answer, code):
    stripe_says.post(f"{INTENT}/capture", status=status, json=answer)
    with pytest.raises(ProviderRefused) as caught:
        adapter.capture("pi_3Made", 1023, "key-3:capture")
    assert str(caught.value) == f"Error: {answer['error']['message']}"
    assert (caught.value.code, caught.value.details["status"]) == (code, status)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 500, "json": {}}, ProviderUnreachable),
        ({"status": 409, "json": error()}, ProviderUnreachable),
        ({"body": requests.ReadTimeout("slow")}, ProviderUnreachable),
        ({"status": 402, "json": error(kind="api_error")}, ProviderConfused),
        ({"status": 400, "json": error(kind="idempotency_error")}, ProviderConfused),
        ({"json": intent(id="pi_3Other")}, ProviderConfused),
    ],
)
def test_an_answer_that_proves_nothing_leaves_it_unknown(adapter, stripe_says, answer, kind):
    stripe_says.post(f"{INTENT}/capture", **answer)
    with pytest.raises(kind) as caught:
        adapter.capture("pi_3Made", 1023, "key-3:capture")
    assert getattr(caught.value, "sent", True)


@pytest.mark.parametrize("answer", [{"status": 500, "json": {}}, {"json": []}, {"body": requests.ReadTimeout("slow")}])
def test_a_look_that_fails_before_anything_is_sent_proves_that_nothing_was_done(sharing, stripe_says, answer):
    stripe_says.get(INTENT, **answer)
    with pytest.raises(ProviderUnreachable) as caught:
        sharing.capture("pi_3Made", 500, "key-3:capture")
    assert not caught.value.sent
