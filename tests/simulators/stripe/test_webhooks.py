"""Webhooks: who is sent what, how it is proven, what happens when nobody takes it."""

import json
import ssl
import threading

import pytest
import requests
import stripe

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator, Webhook

from .conftest import OTHER, SHOP, Listener

VERIFY = stripe.Webhook.construct_event


def heard_types(listener: Listener) -> list[str]:
    return [kind for kind, _ in listener.heard]


def proven(received, *secrets: str) -> bool:
    """Whether the SDK takes each of these secrets for the body; the clock of the tests is not today's."""
    try:
        for secret in secrets:
            VERIFY(received.body, received.signature, secret, tolerance=0)
    except stripe.SignatureVerificationError:
        return False
    return True


def test_an_event_is_posted_with_a_signature_that_the_sdk_verifies(pay, simulator, listener, endpoint, clock):
    intent = pay(capture_method="automatic")
    assert listener.received == [], "nothing is sent before its time"
    attempts = simulator.deliver_due()
    assert listener.heard == [
        ("payment_intent.created", intent["id"]),
        ("charge.succeeded", intent["latest_charge"]),
        ("payment_intent.succeeded", intent["id"]),
    ]
    assert [(one.event_type, one.status, one.accepted) for one in attempts] == [
        (kind, 200, True) for kind, _ in listener.heard
    ]
    last = listener.received[-1]
    assert last.path == "/hooks?shop=1"
    assert last.signature.startswith(f"t={int(clock())},v1=")
    assert proven(last, "whsec_one")
    assert not proven(last, "whsec_two")
    assert {**last.event, "pending_webhooks": 0} == simulator.find(last.event["id"])
    assert simulator.deliver_due() == ()


def test_the_body_is_signed_as_it_is_sent(pay, call, simulator, listener, endpoint):
    call("post", "customers", name="Zoë Ångström", description='"quoted" \\ and\nmore')
    simulator.deliver_due()
    assert "Zoë Ångström".encode() in listener.received[0].body
    assert proven(listener.received[0], "whsec_one")


def test_the_platforms_endpoint_hears_of_itself_and_a_connect_endpoint_of_the_others(pay, simulator, listener):
    simulator.add_webhook_endpoint(f"{listener.url}/own", connect=False)
    simulator.add_webhook_endpoint(f"{listener.url}/connect", connect=True)
    simulator.add_webhook_endpoint(f"{listener.url}/shop", connect=False, account=SHOP)
    own, shop, other = (pay(stripe_account=account) for account in (None, SHOP, OTHER))
    simulator.deliver_due()
    said = {(one.path, one.event.get("account"), one.event["data"]["object"]["id"]) for one in listener.received}
    intents = {own["id"], shop["id"], other["id"]}
    assert {each for each in said if each[2] in intents} == {
        ("/own?", None, own["id"]),
        ("/connect?", SHOP, shop["id"]),
        ("/connect?", OTHER, other["id"]),
        ("/shop?", SHOP, shop["id"]),
    }


def test_an_endpoint_hears_only_what_it_wants(pay, simulator, listener):
    simulator.add_webhook_endpoint(listener.url, connect=False, enabled_events=["charge.failed", "charge.succeeded"])
    pay()
    simulator.deliver_due()
    assert heard_types(listener) == ["charge.succeeded"]


def test_two_secrets_sign_while_one_is_rotated_and_then_the_new_one_alone(pay, simulator, listener, endpoint, clock):
    new = simulator.rotate_secret(endpoint.id)
    pay(confirm=None, off_session=None)
    simulator.deliver_due()
    assert listener.received[0].signature.count("v1=") == 2
    assert proven(listener.received[0], "whsec_one", new)
    clock.now += 24 * 3600
    pay(confirm=None, off_session=None)
    simulator.deliver_due()
    assert proven(listener.received[1], new)
    assert not proven(listener.received[1], "whsec_one")
    simulator.rotate_secret(endpoint.id, "whsec_three", keep_for=0)
    simulator.repeat(listener.received[1].event["id"])
    simulator.deliver_due()
    assert proven(listener.received[2], "whsec_three")
    assert not proven(listener.received[2], new)


def test_an_endpoint_can_be_given_several_secrets(pay, simulator, listener):
    simulator.add_webhook_endpoint(listener.url, connect=False, secrets=("whsec_a", "whsec_b"))
    pay(confirm=None, off_session=None)
    simulator.deliver_due()
    assert proven(listener.received[0], "whsec_a", "whsec_b")


@pytest.mark.parametrize("status", [500, 400, 302, 303, 300])
def test_what_is_not_accepted_comes_again_later_and_later_and_is_then_given_up(
    pay, simulator, listener, endpoint, clock, status
):
    listener.status = status
    pay(confirm=None, off_session=None)
    waits = []
    while simulator.deliver_due() or simulator.pending:
        if simulator.pending:
            waits.append(simulator.pending[0].due - clock())
            clock.now += waits[-1] - 1
            assert simulator.deliver_due() == (), "not before its time"
            clock.now += 1
    assert waits == [300, 3600, 7200]
    assert [(one.status, one.accepted) for one in simulator.attempts] == [(status, False)] * 4
    assert len({one.event["id"] for one in listener.received}) == 1
    assert {one.path for one in listener.received} == {"/hooks?shop=1"}, "redirects are not followed"
    assert len({one.signature for one in listener.received}) == 4, "each try is signed anew"
    assert simulator.events[0]["pending_webhooks"] == 1


def test_what_is_accepted_in_the_end_is_not_sent_again(pay, simulator, listener, endpoint, clock):
    listener.status = 503
    pay(confirm=None, off_session=None)
    simulator.deliver_due()
    listener.status = 204
    clock.now += 300
    assert [attempt.status for attempt in simulator.deliver_due()] == [204]
    assert (simulator.pending, simulator.events[0]["pending_webhooks"]) == ((), 0)


def test_an_endpoint_that_is_not_there_is_an_error_in_the_journal(pay, simulator, clock):
    with serve(Listener()) as gone:
        endpoint = simulator.add_webhook_endpoint(gone.url, connect=False)
    pay(confirm=None, off_session=None)
    [attempt] = simulator.deliver_due()
    assert (attempt.status, attempt.accepted, attempt.endpoint_id) == (None, False, endpoint.id)
    assert "ConnectionRefusedError" in attempt.error
    assert (attempt.time, attempt.url, attempt.event_type) == (clock(), gone.url, "payment_intent.created")
    assert simulator.pending[0].tries == 1


def test_deliveries_can_be_chosen_repeated_lost_spoilt_and_made_by_somebody_else(pay, simulator, listener, endpoint):
    pay(capture_method="automatic")
    simulator.deliver_due(lambda delivery: delivery.event_type == "payment_intent.succeeded")
    assert heard_types(listener) == ["payment_intent.succeeded"], "the last one first"
    assert simulator.repeat(listener.received[0].event["id"]) == 1
    simulator.spoil_next_webhook(lambda _webhook: None)
    simulator.spoil_next_webhook(lambda sent: Webhook(sent.url, sent.headers, sent.body + b" "))
    lost, spoilt, again = simulator.deliver_due()
    assert (lost.event_type, lost.status, lost.error) == ("payment_intent.created", None, None)
    assert (spoilt.event_type, again.event_type) == ("charge.succeeded", "payment_intent.succeeded")
    assert [proven(one, "whsec_one") for one in listener.received] == [True, False, True]
    assert listener.received[2].event["id"] == listener.received[0].event["id"]
    by_hand = simulator.signed(lost.event_id, endpoint.id)
    event = VERIFY(by_hand.body, by_hand.headers["Stripe-Signature"], "whsec_one", tolerance=0)
    assert (event["type"], by_hand.url) == ("payment_intent.created", endpoint.url)
    for wrong in (lambda: simulator.signed("evt_x", endpoint.id), lambda: simulator.repeat("evt_x")):
        with pytest.raises(LookupError, match="evt_x"):
            wrong()


def test_secrets_are_not_in_the_repr_of_anything(pay, simulator, listener, endpoint):
    pay()
    attempts = simulator.deliver_due()
    sent = simulator.signed(attempts[0].event_id, endpoint.id)
    assert "whsec_one" not in f"{endpoint!r} {attempts!r} {sent!r} {simulator.pending!r}"


def test_an_endpoint_is_made_over_http_and_its_secret_shown_once(call, pay, simulator, listener):
    made = call(
        "post",
        "webhook_endpoints",
        url=listener.url,
        enabled_events=["payment_intent.created"],
        connect=True,
        description="the bridge",
        metadata={"a": "1"},
    )
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        "id": made["id"],
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": made["created"],
        "description": "the bridge",
        "enabled_events": ["payment_intent.created"],
        "livemode": False,
        "metadata": {"a": "1"},
        "status": "enabled",
        "url": listener.url,
    }
    assert call("get", "webhook_endpoints")["data"] == [made]
    assert call("get", f"webhook_endpoints/{made['id']}") == made
    assert call("get", "webhook_endpoints", stripe_account=SHOP)["data"] == []
    pay(stripe_account=SHOP)
    pay()
    simulator.deliver_due()
    assert heard_types(listener) == ["payment_intent.created"], "the connected account's alone"
    assert proven(listener.received[0], secret)


def test_an_endpoint_can_be_changed_disabled_and_deleted(call, pay, simulator, listener, clock):
    path = f"webhook_endpoints/{call('post', 'webhook_endpoints', url=listener.url, enabled_events=['*'])['id']}"
    changed = call("post", path, enabled_events=["charge.succeeded"], metadata={"b": "2"})
    assert (changed["enabled_events"], changed["metadata"], "secret" in changed) == (
        ["charge.succeeded"],
        {"b": "2"},
        False,
    )
    listener.status = 500
    pay()
    simulator.deliver_due()
    assert call("post", path, disabled=True)["status"] == "disabled"
    clock.now += 300
    pay()
    assert simulator.deliver_due() == ()
    assert simulator.pending == (), "a retry that falls due meanwhile is given up"
    call("post", path, disabled=False, url=f"{listener.url}/new")
    pay()
    assert call("delete", path) == {"id": path.split("/")[1], "object": "webhook_endpoint", "deleted": True}
    assert simulator.pending == ()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("delete", path)
    assert (caught.value.http_status, caught.value.param) == (404, "webhook_endpoint")


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"url": "http://shop.example/hooks"}, "url_invalid", "url"),
        ({"url": "ftp://127.0.0.1/"}, "url_invalid", "url"),
        ({"url": "hooks"}, "url_invalid", "url"),
        ({"url": "https://[::1/"}, "url_invalid", "url"),
        ({"enabled_events": ["payment_intent.exploded"]}, None, "enabled_events[0]"),
        ({"enabled_events": None}, "parameter_missing", "enabled_events"),
        ({"api_version": "2024-06-20"}, None, "api_version"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(call, params, code, param):
    given = {"url": "https://shop.example/hooks", "enabled_events": ["*"], **params}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "webhook_endpoints", **{name: value for name, value in given.items() if value is not None})
    assert (caught.value.code, caught.value.param) == (code, param)


def test_the_hands_take_the_same_addresses(simulator):
    with pytest.raises(ValueError, match="plain http"):
        simulator.add_webhook_endpoint("http://shop.example/", connect=False)
    for url in ("http://localhost:9/", "http://[::1]:9/", "http://127.9.9.9/", "https://shop.example/"):
        simulator.add_webhook_endpoint(url, connect=False)


def test_deliveries_go_out_by_themselves_until_they_are_closed(pay, simulator, listener, endpoint):
    def at_work() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "stripe-webhooks"} - others

    others: set[threading.Thread] = set()
    others = at_work()
    pay(capture_method="automatic")
    simulator.start_deliveries()
    simulator.start_deliveries()
    assert len(at_work()) == 1
    assert simulator.wait_until(lambda: len(simulator.attempts) == 3)
    pay(payment_method="pm_card_createDispute", capture_method="automatic")
    assert simulator.wait_until(lambda: len(simulator.attempts) == 8), "the dispute came by itself"
    assert heard_types(listener)[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    simulator.close()
    simulator.close()
    pay()
    assert len(simulator.pending) == 4
    assert not at_work()
    simulator.start_deliveries()
    assert simulator.wait_until(lambda: not simulator.pending)
    simulator.close()


def test_a_delivery_over_tls_is_verified(listener, tmp_path):
    certificates = Certificates.create(tmp_path)
    trusting = ssl.create_default_context(cafile=str(certificates.ca_file))
    for context, status in ((trusting, 200), (None, None)):
        simulator = StripeSimulator(accounts=[SHOP], tls=context)
        with serve(listener, tls=(certificates.cert_file, certificates.key_file)) as server:
            simulator.add_webhook_endpoint(server.url, connect=False)
            with serve(simulator) as api:
                key = {"Authorization": f"Bearer {simulator.secret_key}"}
                assert _post(f"{api.url}/v1/customers", key) == 200
            [attempt] = simulator.deliver_due()
        assert attempt.status == status
    assert "CERTIFICATE_VERIFY_FAILED" in attempt.error
    assert len(listener.received) == 1


def _post(url: str, headers: dict[str, str]) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, headers=headers, timeout=10).status_code


def test_what_is_pending_is_counted_in_the_event(pay, simulator, listener, endpoint):
    second = simulator.add_webhook_endpoint(f"{listener.url}/second", connect=False)
    pay(confirm=None, off_session=None)
    simulator.deliver_due()
    assert [json.loads(one.body)["pending_webhooks"] for one in listener.received] == [2, 1]
    assert simulator.attempts[1].endpoint_id == second.id
    assert simulator.events[0]["pending_webhooks"] == 0
