"""Refunds at Forte Platforms: sent once, in the query, and told apart from those of others."""

import pytest

from bridge.adapters import ProviderConfused, ProviderRefused, ProviderUnreachable, Status, Unsupported
from bridge.domain.intents import RefundStatus
from bridge.domain.outcomes import RefundRequest
from bridge.simulators.faults import Fault
from tests.adapters.forte_platform_provider import forte


@pytest.fixture
def world():
    with forte() as world:
        yield world


def paid(world, adapter):
    outcome = world.create(adapter)
    world.pay(outcome)
    return adapter.fetch(outcome.reference)


def send_back(adapter, outcome, amount, name="1", **changes):
    values = {"charge_id": outcome.charge.id, "currency": "USD", "reason": "duplicate", "operation_id": name} | changes
    return adapter.refund(RefundRequest(outcome.reference, amount=amount, **values), f"{name}:refund")


def test_98_a_refund_of_ours_is_in_the_answer(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    world.clock.advance(60)
    made = send_back(adapter, outcome, 23)
    [known] = world.simulator.payment(outcome.reference)["refundHistory"]
    assert (made.id, made.amount, made.status) == (known["stripeRefundId"], 23, RefundStatus.SUCCEEDED)
    assert (made.charge_id, made.operation_id, made.reason) == (outcome.charge.id, "1", "duplicate")
    assert made.created == int(world.clock.now)


def test_the_amount_is_in_the_query_and_there_is_no_body(world):
    adapter = world.adapter()
    send_back(adapter, paid(world, adapter), 1023)
    [sent] = world.door.calls("POST", "/refund")
    assert (sent.query, sent.content) == ({"refundAmountCents": "1023"}, b"")
    assert f"/users/{world.user}/payments/" in sent.path


def test_97_a_refund_that_others_made_is_seen(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    send_back(adapter, outcome, 23)
    world.simulator.refund_on_stripe(outcome.reference, 100)
    made = send_back(adapter, outcome, 100, "2")
    fetched = adapter.fetch(outcome.reference)
    assert [refund.amount for refund in fetched.refunds] == [23, 100, 100]
    assert made.id == fetched.refunds[2].id
    assert len({refund.id for refund in fetched.refunds}) == 3
    assert (fetched.status, fetched.charge.amount_refunded) == (Status.SUCCEEDED, 223)


def test_97_a_version_without_history_tells_that_all_was_sent_back(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    world.simulator.refund_on_stripe(outcome.reference)
    world.answer_next("GET ", refundHistory=..., refundedAmountCents=...)
    fetched = adapter.fetch(outcome.reference)
    [refund] = fetched.refunds
    assert (refund.id, refund.amount) == (f"re_{outcome.charge.id.removeprefix('ch_')}_1", 1023)
    assert fetched.charge.amount_refunded == 1023


def test_more_than_was_paid_is_not_refunded(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    with pytest.raises(ProviderRefused):
        send_back(adapter, outcome, 1024)


def test_what_is_not_paid_is_not_refunded(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    draft = world.create(adapter, attempt_id="f" * 32)
    with pytest.raises(ProviderRefused) as caught:
        send_back(adapter, outcome, 5, "2", currency="EUR")
    assert "another currency" in str(caught.value)
    with pytest.raises(ProviderRefused) as caught:
        adapter.refund(RefundRequest(draft.reference, "ch_x", 5, "USD", "", "3"), "3:refund")
    assert caught.value.code == "PAYMENT_NOT_REFUNDABLE"


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, Fault.HTML])
def test_a_lost_answer_leaves_it_unknown_and_it_is_not_sent_again(world, fault):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    world.faults.next(fault, match="/refund")
    with pytest.raises((ProviderUnreachable, ProviderConfused)):
        send_back(adapter, outcome, 23)
    with pytest.raises(ProviderUnreachable) as caught:
        send_back(adapter, outcome, 23)
    assert caught.value.sent
    assert [refund.amount for refund in adapter.fetch(outcome.reference).refunds] == [23]


def test_a_refund_that_never_left_may_be_tried_again(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    world.faults.next(Fault.ERROR_500, match=f"GET /api/v1/projects/{world.project}/payments/{outcome.reference}")
    with pytest.raises(ProviderUnreachable) as caught:
        send_back(adapter, outcome, 23)
    assert not caught.value.sent
    assert send_back(adapter, outcome, 23).amount == 23


def test_an_answer_without_the_refund_is_no_answer(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    world.answer_next("/refund", refundHistory=[], state="COMPLETED")
    with pytest.raises(ProviderConfused):
        send_back(adapter, outcome, 23)


def test_98_an_answer_that_shows_only_an_earlier_refund_is_no_answer(world):
    adapter = world.adapter()
    outcome = paid(world, adapter)
    send_back(adapter, outcome, 23)
    history = world.simulator.payment(outcome.reference)["refundHistory"]
    world.answer_next("/refund", refundHistory=history)
    with pytest.raises(ProviderConfused):
        send_back(adapter, outcome, 23, "2")


def test_98_of_two_refunds_of_the_same_sum_that_are_new_the_newest_is_ours(world):
    """Somebody else sends the same sum back after we have looked, and before we do."""
    adapter = world.adapter()
    outcome = paid(world, adapter)

    def meanwhile(body, status):
        world.simulator.refund_on_stripe(outcome.reference, 23)
        return body, status

    world.simulator.spoil_next(meanwhile, match="GET ")
    made = send_back(adapter, outcome, 23)
    theirs, ours = world.simulator.payment(outcome.reference)["refundHistory"]
    assert made.id == ours["stripeRefundId"] != theirs["stripeRefundId"]


def test_an_older_api_sends_back_whole_payments_only(world):
    adapter = world.adapter(refunds="full")
    outcome = paid(world, adapter)
    with pytest.raises(ProviderRefused) as caught:
        send_back(adapter, outcome, 23)
    assert caught.value.reason == "only_whole_refunds"
    assert send_back(adapter, outcome, 1023, "2").amount == 1023
    [sent] = world.door.calls("POST", "/refund")
    assert sent.query == {}


def test_112_an_api_without_refunds_says_so(world):
    adapter = world.adapter(refunds="none")
    outcome = paid(world, adapter)
    with pytest.raises(Unsupported, match=r"^refund is not supported by forte_platform\.$"):
        send_back(adapter, outcome, 23)
