"""Events: what each change makes, on whose account, and how they are read later."""

import pytest
import stripe

from .conftest import SHOP


def types(call, **params) -> list[str]:
    return [event["type"] for event in call("get", "events", limit=100, **params)["data"]]


def test_an_event_is_a_snapshot_that_names_its_cause(pay, call, simulator, clock):
    intent = pay(stripe_account=SHOP, idempotency_key="key-1", metadata={"order_id": "12"})
    call("post", f"payment_intents/{intent['id']}", metadata={"order_id": "13"}, stripe_account=SHOP)
    [event] = call("get", "events", type="payment_intent.succeeded", stripe_account=SHOP)["data"]
    assert event["id"].startswith("evt_1")
    assert event["data"]["object"] == intent, "as it was, not as it is"
    assert {name: event[name] for name in ("object", "account", "livemode", "api_version", "created")} == {
        "object": "event",
        "account": SHOP,
        "livemode": False,
        "api_version": stripe.api_version,
        "created": int(clock()),
    }
    assert event["request"] == {"id": simulator.requests[0].request_id, "idempotency_key": "key-1"}
    assert call("get", f"events/{event['id']}", stripe_account=SHOP) == event


def test_events_belong_to_the_account_on_which_they_happened(pay, call):
    pay(stripe_account=SHOP, application_fee_amount=100, capture_method="automatic")
    assert types(call) == ["application_fee.created"]
    assert types(call, stripe_account=SHOP) == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]
    [event] = call("get", "events")["data"]
    assert "account" not in event, "the platform's own"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("get", f"events/{event['id']}", stripe_account=SHOP)
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_events_are_filtered_by_type_wildcard_time_and_delivery(pay, call, simulator, clock, endpoint):
    pay(capture_method="automatic")
    clock.now += 100
    pay(capture_method="manual")
    assert types(call, type="charge.*") == ["charge.succeeded"] * 2
    wanted = ["payment_intent.created", "payment_intent.succeeded"]
    assert types(call, types=wanted) == ["payment_intent.created", "payment_intent.succeeded", "payment_intent.created"]
    assert types(call, created={"lt": int(clock())}) == [
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        types(call, type="charge.*", types=["charge.failed"])
    assert caught.value.param == "types"
    simulator.deliver_due(lambda delivery: delivery.event_type == "charge.succeeded")
    assert types(call, delivery_success=True) == ["charge.succeeded"] * 2
    assert types(call, delivery_success=False, type="payment_intent.amount_*") == [
        "payment_intent.amount_capturable_updated"
    ]


def test_an_online_payment_from_its_creation_to_its_capture(pay, call, happened):
    intent = pay(confirm=None, off_session=None, payment_method=None, capture_method="manual")
    assert happened() == ["payment_intent.created"]
    path = f"payment_intents/{intent['id']}"
    with pytest.raises(stripe.CardError):
        call("post", f"{path}/confirm", payment_method="pm_card_chargeDeclined")
    assert happened() == ["charge.failed", "payment_intent.payment_failed"]
    call("post", f"{path}/confirm", payment_method="pm_card_visa")
    assert happened() == ["charge.succeeded", "payment_intent.amount_capturable_updated"]
    call("post", f"{path}/capture")
    assert happened() == ["charge.captured", "payment_intent.succeeded"]
    call("get", path)
    assert happened() == []


def test_what_is_captured_in_the_background_is_told_twice(pay, happened):
    pay(capture_method="automatic")
    assert happened() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    pay(capture_method="automatic_async")
    assert happened()[-1] == "charge.updated"


def test_a_challenge_is_an_event_and_so_is_its_failure(pay, simulator, happened):
    intent = pay(payment_method="pm_card_threeDSecure2Required", off_session=None)
    assert happened() == ["payment_intent.created", "payment_intent.requires_action"]
    simulator.authenticate(intent["id"], success=False)
    assert happened() == ["payment_intent.payment_failed"]
    assert simulator.events[-1]["request"] == {"id": None, "idempotency_key": None}, "no request caused it"


@pytest.mark.parametrize("accepted", [True, False])
def test_an_issuer_that_answers_later_leaves_the_intent_processing(pay, simulator, happened, told, accepted):
    method = simulator.add_payment_method()
    simulator.answer_later(method)
    intent = pay(payment_method=method, expand=["latest_charge"], capture_method="automatic")
    assert (intent["status"], intent["amount_received"]) == ("processing", 0)
    assert (intent["latest_charge"]["status"], intent["latest_charge"]["paid"]) == ("pending", False)
    assert happened() == ["payment_intent.created", "charge.pending", "payment_intent.processing"]
    assert told() == []
    settled = simulator.settle(intent["id"], accepted)
    charge = simulator.find(intent["latest_charge"]["id"])
    if accepted:
        assert (settled["status"], charge["status"], charge["paid"]) == ("succeeded", "succeeded", True)
        assert happened() == ["charge.succeeded", "payment_intent.succeeded"]
        assert told() == [("authorised", 1023), ("captured", 1023)]
    else:
        assert (settled["status"], charge["status"]) == ("requires_payment_method", "failed")
        assert settled["last_payment_error"]["decline_code"] == "generic_decline"
        assert happened() == ["charge.failed", "payment_intent.payment_failed"]
        assert told() == []
    with pytest.raises(ValueError, match="not processing"):
        simulator.settle(intent["id"])


def test_a_processing_payment_can_be_canceled_in_rare_cases(pay, call, simulator, happened):
    method = simulator.add_payment_method()
    simulator.answer_later(method)
    intent = pay(payment_method=method)
    happened()
    assert call("post", f"payment_intents/{intent['id']}/cancel")["status"] == "canceled"
    assert happened() == ["charge.failed", "payment_intent.canceled"]
    with pytest.raises(ValueError, match="it is canceled"):
        simulator.settle(intent["id"])


def test_a_charge_that_is_described_anew_says_what_it_was(pay, call, simulator):
    charge = pay(metadata={"a": "1"})["latest_charge"]
    changed = call("post", f"charges/{charge}", description="lamp", metadata={"a": "2"})
    assert (changed["description"], changed["metadata"]) == ("lamp", {"a": "2"})
    event = simulator.events[-1]
    assert (event["type"], event["data"]["object"]) == ("charge.updated", changed)
    assert event["data"]["previous_attributes"] == {"description": None, "metadata": {"a": "1"}}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", f"charges/{charge}", transfer_group="x")
    assert caught.value.param == "transfer_group"


def test_customers_and_their_methods_make_events_too(call, simulator, happened, pay):
    customer = call("post", "customers", email="jo@example.com")["id"]
    call("post", f"customers/{customer}", email="al@example.com")
    method = call("post", "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    call("post", f"payment_methods/{method}/detach")
    assert happened() == [
        "customer.created",
        "customer.updated",
        "payment_method.attached",
        "payment_method.detached",
    ]
    assert simulator.events[1]["data"]["previous_attributes"] == {"email": "jo@example.com"}
    pay(customer=customer, setup_future_usage="off_session", off_session=None, capture_method="automatic")
    assert happened() == [
        "payment_intent.created",
        "payment_method.attached",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_a_request_that_is_refused_or_replayed_makes_no_event(pay, happened):
    with pytest.raises(stripe.InvalidRequestError):
        pay(amount=0)
    assert happened() == []
    pay(idempotency_key="key-1")
    assert len(happened()) == 4
    pay(idempotency_key="key-1")
    assert happened() == []
