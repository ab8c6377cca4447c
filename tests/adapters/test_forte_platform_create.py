"""Payments at Forte Platforms over real HTTP: made once, handed out as they are, adopted when found."""

import json
import logging

import pytest

from bridge.adapters import (
    ProviderConfused,
    ProviderError,
    ProviderUnreachable,
    Status,
)
from bridge.simulators.faults import Fault
from tests.adapters.forte_platform_provider import ANN, API_KEY, forte, line, payment
from tests.adapters.orders import ATTEMPT, KEY
from tests.plugins.concurrently import at_once

FORTE_TAX = {"tax_mode": "forte", "tax_code": "txcd_10000000"}


@pytest.fixture
def world():
    with forte() as world:
        yield world


def _nowhere():
    """A place without sales tax."""
    return type(ANN)("Ann", "Example", "1 Main St", "", "Portland", "OR", "97201", "US", "ann@example.com")


def _lines(total):
    return (line(total=total, subtotal=total),)


def creates(request):
    return request.method == "POST" and request.path.endswith("/payments")


def test_78_a_new_payment_is_a_draft_and_not_paid(world):
    outcome = world.create()
    assert (outcome.status, outcome.charge) == (Status.REQUIRES_PAYMENT_METHOD, None)
    [made] = world.simulator.payments
    assert (made["state"], made["amountCents"], made["metadata"]["bridge_attempt"]) == ("DRAFT", 1023, ATTEMPT)
    assert (outcome.reference, outcome.public_id) == (made["id"], made["stripePaymentIntentId"])
    assert (outcome.amount, outcome.currency, outcome.attempt_id) == (1023, "USD", ATTEMPT)
    assert outcome.created == world.clock.now


def test_76_77_what_the_browser_needs_is_passed_on_as_it_is(world):
    secret, key, account = "pi_X_secret_ CANARY/+=", "pk_test_ Canary", "acct_ Canary"
    answers = []

    def change(body, status):
        answers.append(body["payment"])
        shown = {"stripeClientSecret": secret, "stripePublishableKey": key, "stripeConnectedAccountId": account}
        return {**body, **shown, "later": 1}, status

    world.simulator.spoil_next(change, match="POST ")
    outcome = world.create(world.adapter(stripe_script_url="http://127.0.0.1:1/stripe.js"))
    assert outcome.client_secret == secret
    assert outcome.provider_data == {
        "kind": "stripe_elements",
        "script_url": "http://127.0.0.1:1/stripe.js",
        "stripe_account_required": True,
        "stripeClientSecret": secret,
        "stripePublishableKey": key,
        "stripeConnectedAccountId": account,
        "paymentId": answers[0]["id"],
        "state": "DRAFT",
    }


def test_76_the_client_secret_is_in_no_repr_log_or_raw(world, caplog):
    caplog.set_level(logging.DEBUG)
    outcome = world.create()
    shown = f"{outcome!r} {outcome.raw} {caplog.text}"
    assert outcome.client_secret
    assert "POST /api/v1/" in caplog.text
    assert outcome.client_secret not in shown
    assert "_secret_" not in shown
    assert API_KEY not in shown


def test_83_the_key_is_sent_as_bearer_and_only_there(world):
    outcome = world.create()
    for sent in world.door.sent:
        assert sent.headers["Authorization"] == f"Bearer {API_KEY}"
        assert API_KEY not in f"{sent.path} {sent.query} {sent.content!r}"
    assert API_KEY not in str(outcome.provider_data)


def test_74_only_create_has_description_and_metadata(world):
    world.create(
        world.adapter(**FORTE_TAX, allow_tax_difference="no"),
        amount=2500,
        **{"billing": _nowhere()},
        lines=_lines("25.00"),
    )
    quote, create = world.door.calls("POST", "/preview")[0].body, world.created[0].body
    assert create.keys() - quote.keys() == {"description", "metadata"}
    assert quote == {name: create[name] for name in quote}


def test_82_116_a_draft_that_was_left_is_canceled_when_forte_says_so(world):
    adapter = world.adapter()
    outcome = world.create(adapter)
    world.clock.advance(24 * 3600 - 1)
    assert adapter.fetch(outcome.reference).status is Status.REQUIRES_PAYMENT_METHOD
    world.clock.advance(1)
    assert adapter.fetch(outcome.reference).status is Status.CANCELED
    again = world.create(adapter, attempt_id="f" * 32)
    assert again.reference != outcome.reference
    assert again.client_secret != outcome.client_secret


def test_71_a_lost_answer_is_looked_up_and_adopted_and_never_made_again(world):
    adapter = world.adapter()
    world.faults.next(Fault.DROPPED, match=creates)
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(adapter)
    assert caught.value.sent
    for maker in (adapter, world.adapter()):
        adopted = world.create(maker)
        assert adopted.reference == world.simulator.payments[0]["id"]
        assert (adopted.client_secret, adopted.provider_data) == (None, None)
    assert len(world.created) == len(world.simulator.payments) == 1


def test_71_what_may_still_be_under_way_is_not_sent_again(world):
    adapter = world.adapter()
    world.faults.next(Fault.REFUSED, match=creates)
    for _ in range(3):
        with pytest.raises(ProviderUnreachable) as caught:
            world.create(adapter)
        assert caught.value.sent
    assert len(world.created) == 1
    world.clock.advance(5 + 600)
    assert world.create(adapter).client_secret
    assert len(world.simulator.payments) == 1


@pytest.mark.parametrize(
    "fault", [Fault.ERROR_500, Fault.ERROR_503, Fault.CONFLICT, Fault.PROCESSED_500, Fault.TRUNCATED]
)
def test_71_after_an_error_nobody_knows_and_nothing_is_sent_again(world, fault):
    adapter = world.adapter()
    world.faults.next(fault, match=creates)
    with pytest.raises(ProviderError) as caught:
        world.create(adapter)
    assert getattr(caught.value, "sent", True)
    if fault.processed:
        assert world.create(adapter).reference == world.simulator.payments[0]["id"]
    else:
        with pytest.raises(ProviderUnreachable):
            world.create(adapter)
    assert len(world.created) == 1


def test_71_a_look_up_that_fails_sends_nothing_and_leaves_nothing_unknown(world):
    adapter = world.adapter()
    for fault in (Fault.ERROR_500, Fault.DROPPED, Fault.HTML, Fault.WRONG_JSON):
        world.faults.next(fault, match=f"GET /api/v1/projects/{world.project}/users/")
        with pytest.raises(ProviderUnreachable) as caught:
            world.create(adapter)
        assert not caught.value.sent
    assert world.created == []
    assert world.create(adapter).client_secret


def test_71_a_refusal_of_a_second_try_proves_nothing_about_the_first(world):
    adapter = world.adapter()
    world.faults.next(Fault.REFUSED, match=creates)
    with pytest.raises(ProviderUnreachable):
        world.create(adapter)
    world.simulator.refuse_next("NO_AUTHORIZATION_CREDENTIAL", match="GET ")
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(adapter)
    assert caught.value.sent


def test_70_twenty_at_once_make_one_payment(world):
    adapter = world.adapter()
    request = adapter.prepare(payment())

    def click(_):
        try:
            return adapter.create(json.loads(json.dumps(request)), KEY).reference
        except ProviderUnreachable as error:
            return "unknown" if error.sent else "failed"

    answers = set(at_once(20, click))
    [made] = world.simulator.payments
    assert made["id"] in answers <= {made["id"], "unknown"}
    assert len(world.created) == 1


def test_107_other_attempts_are_other_payments(world):
    adapter = world.adapter()
    assert world.create(adapter).reference != world.create(adapter, attempt_id="f" * 32).reference


@pytest.mark.parametrize(
    "missing", ["payment", "stripeClientSecret", "stripePublishableKey", "stripeConnectedAccountId"]
)
def test_76_an_answer_that_a_browser_cannot_use_is_no_answer(world, missing):
    def without(body, status):
        return {name: value for name, value in body.items() if name != missing}, status

    world.simulator.spoil_next(without, match="POST ")
    with pytest.raises(ProviderConfused):
        world.create()
