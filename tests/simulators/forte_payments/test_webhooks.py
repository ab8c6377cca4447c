"""Webhooks: what is sent when, how it is signed, and what happens when the receiver does not take it."""

import base64
import hashlib
import hmac
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.simulators.forte_payments import FortePaymentsSimulator, Webhook, WebhookScheme
from bridge.simulators.server import serve

from .conftest import REPLAY, SUBSCRIPTIONS

ENDS = [("approve", "payment_approved"), ("decline", "payment_declined"), ("expire", "payment_expired")]


@pytest.fixture
def subscription(merchant, receiver):
    return merchant.simulator.subscribe(receiver.url)


@pytest.fixture
def approved(merchant, subscription):
    """The id of an intent whose approval has not been told yet."""
    intent = merchant.create()["payment_intent_id"]
    merchant.simulator.approve(intent)
    return intent


@pytest.mark.parametrize(("end", "name"), ENDS)
def test_the_end_of_an_intent_is_told_once(merchant, subscription, receiver, end, name):
    intent = merchant.create()["payment_intent_id"]
    assert merchant.simulator.deliver_due() == ()
    getattr(merchant.simulator, end)(intent)
    (attempt,) = merchant.simulator.deliver_due()
    assert merchant.simulator.deliver_due() == ()
    assert (attempt.status, attempt.error, attempt.endpoint) == (200, None, receiver.url)
    assert (attempt.event_name, attempt.subscription_id) == (name, subscription.id)
    (body,) = receiver.bodies
    assert body == {
        "id": attempt.event_id,
        "event": name,
        "created_at": "2026-11-20T23:33:46.000Z",
        "data": {
            "payment_intent_id": intent,
            "reference": "42:attempt-1",
            "status": merchant.simulator.intent(intent).status,
            "transaction_type": "BUY_VDA",
            "amount": "9.99",
            "currency": "USD",
            "buyer": {"id": "shop:7"},
        },
    }
    assert merchant.simulator.attempts == (attempt,)


def test_an_intent_that_runs_out_of_time_is_told(merchant, subscription, receiver, clock):
    merchant.create()
    clock.advance(3600)
    merchant.simulator.deliver_due()
    assert [body["event"] for body in receiver.bodies] == ["payment_expired"]


def test_the_names_of_events_can_be_chosen_and_left_out(make_merchant, receiver):
    merchant = make_merchant(event_names={"Declined": "payment.failed"})
    merchant.simulator.subscribe(receiver.url)
    for number, end in enumerate(("approve", "decline", "expire")):
        getattr(merchant.simulator, end)(merchant.create(idempotency_key=str(number))["payment_intent_id"])
    merchant.simulator.deliver_due()
    assert [body["event"] for body in receiver.bodies] == ["payment.failed"]


def test_a_webhook_is_signed_with_the_subscriptions_key(merchant, subscription, approved, receiver, clock):
    merchant.simulator.deliver_due()
    (request,) = receiver.received
    assert request.method == "POST"
    assert request.mimetype == "application/json"
    assert request.headers["X-Forte-Timestamp"] == str(int(clock.now))
    signed = f"{int(clock.now)}.".encode() + request.get_data()
    expected = hmac.new(subscription.signing_key.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["X-Forte-Signature"] == expected


def test_the_scheme_can_be_chosen(make_merchant, receiver):
    scheme = WebhookScheme("X-Sig", "sha512", "base64", "v1=", "{body}", None)
    merchant = make_merchant(scheme=scheme)
    key = merchant.simulator.subscribe(receiver.url).signing_key
    merchant.simulator.approve(merchant.create()["payment_intent_id"])
    merchant.simulator.deliver_due()
    (request,) = receiver.received
    digest = hmac.new(key.encode(), request.get_data(), hashlib.sha512).digest()
    assert request.headers["X-Sig"] == "v1=" + base64.b64encode(digest).decode()
    assert "X-Forte-Timestamp" not in request.headers


def test_everybody_who_has_subscribed_is_told_with_a_key_of_their_own(merchant, receiver):
    with serve(receiver) as server:
        for url in (receiver.url, f"{server.url}/other?of=them"):
            merchant.simulator.subscribe(url)
        merchant.simulator.approve(merchant.create()["payment_intent_id"])
        assert len(merchant.simulator.deliver_due()) == 2
    one, two = receiver.received
    assert (one.path, two.full_path) == ("/webhooks", "/other?of=them")
    assert one.get_data() == two.get_data()
    assert one.headers["X-Forte-Signature"] != two.headers["X-Forte-Signature"]


@pytest.mark.parametrize("refusal", [201, 204, 303, 400, 500])
def test_anything_but_200_is_tried_again_later(merchant, approved, receiver, clock, refusal):
    receiver.statuses = [refusal, refusal]
    assert [attempt.status for attempt in merchant.simulator.deliver_due()] == [refusal]
    clock.advance(9.9)
    assert merchant.simulator.deliver_due() == ()
    clock.advance(0.1)
    assert [attempt.status for attempt in merchant.simulator.deliver_due()] == [refusal]
    clock.advance(59)
    assert merchant.simulator.deliver_due() == ()
    clock.advance(1)
    assert [attempt.status for attempt in merchant.simulator.deliver_due()] == [200]
    assert merchant.simulator.pending == ()
    assert len({request.get_data() for request in receiver.received}) == 1
    assert len({request.headers["X-Forte-Timestamp"] for request in receiver.received}) == 3


def test_a_delivery_is_given_up_in_the_end(make_merchant, receiver, clock):
    merchant = make_merchant(retry_delays=(1, 2))
    merchant.simulator.subscribe(receiver.url)
    receiver.statuses = [503] * 9
    merchant.simulator.approve(merchant.create()["payment_intent_id"])
    for _ in range(5):
        merchant.simulator.deliver_due()
        clock.advance(100)
    assert [attempt.status for attempt in merchant.simulator.attempts] == [503, 503, 503]
    assert merchant.simulator.pending == ()


def test_a_receiver_that_is_down_is_tried_again(merchant, receiver, clock):
    with serve(receiver) as server:
        endpoint = f"{server.url}/hooks"
    subscription = merchant.simulator.subscribe(endpoint)
    merchant.simulator.approve(merchant.create()["payment_intent_id"])
    (attempt,) = merchant.simulator.deliver_due()
    assert attempt.status is None
    assert attempt.error.startswith("ConnectionRefusedError")
    merchant("PATCH", f"{SUBSCRIPTIONS}/{subscription.id}", {"endpoint": receiver.url})
    clock.advance(10)
    assert [attempt.status for attempt in merchant.simulator.deliver_due()] == [200]


@pytest.mark.parametrize("method_path", [("POST", "/disable"), ("DELETE", "")])
def test_who_does_not_want_it_any_more_does_not_get_it(merchant, subscription, approved, receiver, method_path):
    method, path = method_path
    merchant(method, f"{SUBSCRIPTIONS}/{subscription.id}{path}")
    assert merchant.simulator.deliver_due() == ()
    assert (receiver.received, merchant.simulator.pending) == ([], ())


def test_events_from_before_a_subscription_are_not_told(merchant, receiver):
    merchant.simulator.approve(merchant.create()["payment_intent_id"])
    merchant.simulator.subscribe(receiver.url)
    assert merchant.simulator.deliver_due() == ()


def test_a_test_event_goes_to_one_subscription(merchant, subscription, receiver):
    other = merchant.simulator.subscribe(receiver.url + "/other")
    answer = merchant("POST", f"{SUBSCRIPTIONS}/{subscription.id}/test")
    assert answer.status_code == 200
    (attempt,) = merchant.simulator.deliver_due()
    assert (attempt.event_id, attempt.event_name) == (answer.json()["data"]["id"], "test")
    assert attempt.subscription_id == subscription.id != other.id
    assert receiver.bodies[0]["data"] == {}


def moment(clock, seconds=0.0):
    return (datetime.fromtimestamp(clock.now, UTC) + timedelta(seconds=seconds)).isoformat()


def replay(merchant, start, end):
    return merchant("POST", REPLAY, params={"start_timestamp": start, "end_timestamp": end})


@pytest.mark.parametrize(("start", "end", "again"), [(-1, 1, 1), (0, 0, 1), (1, 2, 0), (-2, -1, 0)])
def test_a_replay_sends_the_same_events_of_a_range_again(merchant, approved, receiver, clock, start, end, again):
    merchant.simulator.deliver_due()
    answer = replay(merchant, moment(clock, start), moment(clock, end))
    assert (answer.status_code, answer.json()) == (200, {"data": {"replayed": again}})
    assert len(merchant.simulator.deliver_due()) == again
    assert len({request.get_data() for request in receiver.received}) == 1


def test_a_replay_sends_each_event_once_and_only_where_it_is_still_wanted(
    merchant, subscription, approved, receiver, clock
):
    receiver.statuses = [500]
    merchant.simulator.deliver_due()
    clock.advance(10)
    merchant.simulator.deliver_due()
    assert replay(merchant, "2026-11-20", "2026-11-22T00:00:00Z").json()["data"] == {"replayed": 1}
    merchant("POST", f"{SUBSCRIPTIONS}/{subscription.id}/disable")
    assert replay(merchant, "2026-11-20", "2026-11-22").json()["data"] == {"replayed": 0}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, "2026-11-20"),
        ("2026-11-20", None),
        ("yesterday", "2026-11-20"),
        ("2026-11-21", "2026-11-20"),
        ("2026-11-20" + " " * 91, "2026-11-21"),
        ("1795217626", "1795217627.5"),
    ],
)
def test_a_replay_needs_a_range(merchant, start, end):
    assert replay(merchant, start, end).status_code == 422


def test_an_event_can_be_repeated_even_many_times_at_once(merchant, approved, receiver):
    (attempt,) = merchant.simulator.deliver_due()
    assert [merchant.simulator.repeat(attempt.event_id) for _ in range(3)] == [1, 1, 1]
    assert merchant.simulator.repeat("unknown") == 0
    numbers = [delivery.number for delivery in merchant.simulator.pending]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda number: merchant.simulator.deliver_due(lambda one: one.number == number), numbers))
    assert len(receiver.received) == 4
    assert len({request.get_data() for request in receiver.received}) == 1


def test_no_delivery_is_made_twice_by_two_who_deliver(merchant, subscription, receiver):
    for number in range(10):
        merchant.simulator.approve(merchant.create(idempotency_key=str(number))["payment_intent_id"])
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: merchant.simulator.deliver_due(), range(4)))
    assert sum(map(len, made)) == len(receiver.received) == 10


def test_events_can_arrive_in_another_order(merchant, approved, receiver):
    merchant.simulator.expire(merchant.create(idempotency_key="2")["payment_intent_id"])
    merchant.simulator.deliver_due(lambda delivery: delivery.event.name == "payment_expired")
    merchant.simulator.deliver_due()
    assert [body["event"] for body in receiver.bodies] == ["payment_expired", "payment_approved"]


def test_any_event_can_be_told_true_or_not(merchant, subscription, receiver):
    event = merchant.simulator.publish("payment_refunded", {"payment_intent_id": "unknown"})
    merchant.simulator.deliver_due()
    (body,) = receiver.bodies
    assert (body["id"], body["event"], body["data"]) == (event.id, "payment_refunded", {"payment_intent_id": "unknown"})


def test_a_webhook_can_be_altered_after_it_was_signed(merchant, approved, receiver, clock):
    merchant.simulator.spoil_next_webhook(lambda webhook: replace(webhook, body=webhook.body.replace(b"9.99", b"0.01")))
    receiver.statuses = [400]
    merchant.simulator.deliver_due()
    clock.advance(10)
    merchant.simulator.deliver_due()
    assert [body["data"]["amount"] for body in receiver.bodies] == ["0.01", "9.99"]


def test_a_webhook_can_be_lost_for_ever(merchant, approved, receiver, clock):
    seen: list[Webhook] = []
    merchant.simulator.spoil_next_webhook(lambda webhook: seen.append(webhook))
    (attempt,) = merchant.simulator.deliver_due()
    clock.advance(10_000)
    assert merchant.simulator.deliver_due() == ()
    assert (receiver.received, attempt.status, attempt.error) == ([], None, None)
    assert "X-Forte-Signature" in seen[0].headers
    assert seen[0].headers["X-Forte-Signature"] not in repr(seen[0])


def test_a_rotated_key_signs_what_comes_next(merchant, subscription, approved, receiver, clock):
    key = merchant.simulator.rotate_signing_key(subscription.id).signing_key
    merchant.simulator.deliver_due()
    (request,) = receiver.received
    assert request.headers["X-Forte-Signature"] == (
        hmac.new(key.encode(), f"{int(clock.now)}.".encode() + request.get_data(), hashlib.sha256).hexdigest()
    )


def test_in_the_background_webhooks_go_out_by_themselves(merchant, subscription, receiver):
    merchant.simulator.start_deliveries()
    merchant.simulator.start_deliveries()
    merchant.simulator.approve(merchant.create()["payment_intent_id"])
    assert receiver.wait_for(1)
    assert merchant.simulator.wait_until(lambda: len(merchant.simulator.attempts) == 1)
    merchant.simulator.close()
    merchant.simulator.close()
    merchant.simulator.approve(merchant.create(idempotency_key="2")["payment_intent_id"])
    assert len(merchant.simulator.pending) == 1
    merchant.simulator.start_deliveries()
    assert receiver.wait_for(2)


def test_an_endpoint_with_a_private_certificate_is_reached_by_who_trusts_it(clock, receiver, certificates):
    trusting = ssl.create_default_context(cafile=str(certificates.ca_file))
    with serve(receiver, tls=(certificates.cert_file, certificates.key_file)) as server:
        for tls, status in ((trusting, 200), (None, None)):
            simulator = FortePaymentsSimulator(client_id="a", client_secret="b", clock=clock, tls=tls)
            simulator.subscribe(f"{server.url}/hooks")
            simulator.publish("anything", {})
            (attempt,) = simulator.deliver_due()
            assert attempt.status == status
    assert len(receiver.received) == 1
    assert "CERTIFICATE_VERIFY_FAILED" in attempt.error
