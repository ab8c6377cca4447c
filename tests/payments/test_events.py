"""Messages of the provider: proven, kept, worked on; in any order, any number of times, with one effect each."""

import itertools
import json
import random

import pytest

from bridge.operations import inbox_admin
from bridge.operations.why import why
from bridge.simulators.stripe.sending import signature
from tests.plugins.local import Local, MakeLocal

SECRET = "whsec_0123456789abcdef"


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect", settings={"webhook_secret": SECRET})


@pytest.fixture
def endpoint(stripe: Local) -> str:
    assert stripe.stripe is not None
    made = stripe.stripe.add_webhook_endpoint("http://127.0.0.1:9/never", connect=True, secrets=[SECRET])
    return made.id


def post(local: Local, event_id: str, endpoint: str, **changes: str) -> int:
    """Deliver one event of the simulator, signed as it signs, perhaps with other headers."""
    assert local.stripe is not None
    message = local.stripe.signed(event_id, endpoint)
    answer = local.app.test_client().post(
        f"/bridge/v1/webhooks/{local.store.id}", data=message.body, headers=dict(message.headers) | changes
    )
    return answer.status_code


def states(local: Local) -> dict[str, int]:
    counted: dict[str, int] = {}
    for message in inbox_admin.messages(local.bridge.services, limit=1000):
        counted[message["state"]] = counted.get(message["state"], 0) + 1
    return counted


def test_a_message_is_kept_before_it_is_acknowledged_and_a_second_one_changes_nothing(
    stripe: Local, endpoint: str
) -> None:
    assert stripe.stripe is not None
    stripe.create()
    [event] = [event for event in stripe.stripe.events if event["type"] == "payment_intent.succeeded"]
    assert post(stripe, event["id"], endpoint) == 200
    assert states(stripe) == {"new": 1}
    assert post(stripe, event["id"], endpoint) == 200
    stripe.work()
    assert states(stripe) == {"done": 1}
    assert len(stripe.notes()) == 1


@pytest.mark.parametrize(
    "signature",
    ["", "t=1,v1=00", "v1=00", "nonsense"],
)
def test_a_message_whose_sender_is_not_proven_is_refused_and_not_kept(
    stripe: Local, endpoint: str, signature: str
) -> None:
    assert stripe.stripe is not None
    stripe.create()
    event = stripe.stripe.events[-1]
    assert post(stripe, event["id"], endpoint, **{"Stripe-Signature": signature}) == 400
    assert states(stripe) == {}


def test_an_unknown_endpoint_says_nothing_else_than_a_bad_signature(stripe: Local) -> None:
    client = stripe.app.test_client()
    unknown = client.post("/bridge/v1/webhooks/nowhere", data=b"{}", headers={"Stripe-Signature": "t=1,v1=00"})
    known = client.post(f"/bridge/v1/webhooks/{stripe.store.id}", data=b"{}", headers={"Stripe-Signature": "t=1,v1=0"})
    assert (unknown.status_code, unknown.data) == (known.status_code, known.data)
    assert unknown.status_code == 400


def test_a_message_about_somebody_elses_payment_has_no_effect(stripe: Local, endpoint: str) -> None:
    assert stripe.stripe is not None
    paid = {"payment_method": "pm_card_visa", "confirm": "true", "return_url": "https://other.example"}
    theirs = stripe.at_stripe("payment_intents", amount=1023, currency="usd", **paid)["id"]
    [event] = [event for event in stripe.stripe.events if event["type"] == "payment_intent.succeeded"]
    assert event["data"]["object"]["id"] == theirs
    assert post(stripe, event["id"], endpoint) == 200
    stripe.work()
    assert states(stripe) == {"new": 1}, "the answer to a create of ours may still be on its way"
    stripe.clock.advance(73 * 3600)
    stripe.work()
    assert states(stripe) == {"foreign": 1}
    assert stripe.show(theirs).get_json()["code"] == "resource_missing"
    assert (stripe.order()["status"], stripe.notes()) == ("pending", [])


def play(local: Local) -> None:
    """A payment that is refunded twice, in part, by somebody else."""
    charge = local.create().get_json()["charge"]["id"]
    local.work()
    for amount in (100, 200):
        local.at_stripe("refunds", charge=charge, amount=amount)


RELEVANT = ("payment_intent.succeeded", "charge.succeeded", "charge.refunded", "refund.created")


@pytest.mark.parametrize("seed", range(12))
def test_shuffled_and_doubled_messages_end_in_the_state_of_the_ordered_stream(
    stripe: Local, endpoint: str, seed: int
) -> None:
    assert stripe.stripe is not None
    play(stripe)
    events = [event["id"] for event in stripe.stripe.events if event["type"] in RELEVANT][:6]
    assert len(events) == 6
    order = random.Random(seed)
    stream = events + order.choices(events, k=order.randrange(4))
    order.shuffle(stream)
    for event in stream:
        assert post(stripe, event, endpoint) == 200
        if order.random() < 0.5:
            stripe.work()
    stripe.work()
    assert sorted(r["amount"] for r in stripe.shop.refunds(stripe.orders["payable"])) == ["1.00", "2.00"]
    assert sum("A refund of" in note for note in stripe.notes()) == 2
    assert states(stripe) == {"done": len(set(stream))}
    [told] = why(stripe.bridge.services, str(stripe.orders["payable"]))
    assert told["status"] == "succeeded"
    assert told["flag"] is None


def test_every_order_of_three_early_messages_settles_a_create_whose_answer_was_lost(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    from bridge.simulators.faults import Fault

    local = make_local(sqlite_url, "stripe_connect", settings={"webhook_secret": SECRET})
    assert local.stripe is not None
    assert local.provider_faults is not None
    endpoint = local.stripe.add_webhook_endpoint("http://127.0.0.1:9/never", connect=True, secrets=[SECRET]).id
    names = ["payable", *(f"payable_{number}" for number in range(2, 7))]
    for name, order in zip(names, itertools.permutations(range(3)), strict=True):
        before = len(local.stripe.events)
        local.provider_faults.next(Fault.DROPPED, times=2, match="POST /v1/payment_intents")
        attempt = local.create(name).get_json()["data"]["attempt_id"]
        events = [event["id"] for event in local.stripe.events[before:]][:3]
        for position in order:
            if position < len(events):
                assert post(local, events[position], endpoint) == 200
        local.work()
        assert local.show(attempt).get_json()["status"] == "succeeded"
        assert local.order(name)["status"] == "processing"
    assert len(local.stripe.ledger.entries("captured")) == 6


def test_a_message_that_cannot_be_worked_on_now_is_tried_again(stripe: Local, endpoint: str) -> None:
    from bridge.simulators.faults import Fault

    assert stripe.stripe is not None
    assert stripe.provider_faults is not None
    play(stripe)
    event = next(event for event in stripe.stripe.events if event["type"] == "charge.refunded")
    assert post(stripe, event["id"], endpoint) == 200
    stripe.provider_faults.next(Fault.ERROR_503, times=9)
    stripe.work()
    assert states(stripe) == {"new": 1}
    stripe.provider_faults.clear()
    stripe.clock.advance(60)
    stripe.work()
    assert states(stripe) == {"done": 1}
    assert len(stripe.shop.refunds(stripe.orders["payable"])) == 2


@pytest.mark.parametrize(
    ("changes", "state"),
    [({"livemode": True}, "new"), ({"account": "acct_1Somebody"}, "new"), ({"account": None}, "foreign")],
)
def test_a_message_of_the_other_mode_or_of_another_account_asks_for_nothing(
    stripe: Local, endpoint: str, changes: dict[str, object], state: str
) -> None:
    """A message of the platform's own account can never become this store's: the endpoint has the wrong scope."""
    assert stripe.stripe is not None
    stripe.create()
    stripe.work()
    [event] = [event for event in stripe.stripe.events if event["type"] == "payment_intent.succeeded"]
    body = json.dumps(json.loads(stripe.stripe.signed(event["id"], endpoint).body) | changes).encode()
    before = len(stripe.stripe.requests)
    signed = {"Stripe-Signature": signature(body, [SECRET], int(stripe.clock()))}
    route = f"/bridge/v1/webhooks/{stripe.store.id}"
    assert stripe.app.test_client().post(route, data=body, headers=signed).status_code == 200
    stripe.work()
    assert states(stripe) == {state: 1}
    assert len(stripe.stripe.requests) == before
