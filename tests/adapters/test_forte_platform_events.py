"""Which triggers of Forte's are believed, and what is read of them; and the relay, exactly as it is documented."""

import http.client
import json
import os
import re
import time
import types
from urllib.parse import urlsplit

import pytest
from werkzeug.wrappers import Request, Response

from bridge.adapters import AdapterContext, Status
from bridge.domain.errors import EventRefused
from bridge.domain.outcomes import EventKind, ProviderEvent
from bridge.simulators.server import serve
from tests.adapters.forte_platform_provider import (
    DOCUMENTATION,
    RELAY_SECRET,
    adapter,
    forte,
    relayed,
    trigger_body,
)

NOW = 1_778_438_600.0
FIRED_AT = 1_778_438_531.123
INSIDE = {"trusted_networks": "10.2.0.0/16, fd00:1::/32"}
FROM_FORTE = {"x-forte-trusted": "1", "x-bridge-peer": "10.2.3.4"}


@pytest.fixture
def made():
    """Makes adapters whose clock stands at NOW."""
    adapters = []

    def make(**settings):
        adapters.append(adapter(AdapterContext(clock=lambda: NOW), **settings))
        return adapters[-1]

    yield make
    for one in adapters:
        one.close()


def refused(adapter, headers, body=None):
    with pytest.raises(EventRefused) as caught:
        adapter.receive(headers, trigger_body("pay_1") if body is None else body)
    return str(caught.value)


@pytest.mark.parametrize("peer", ["10.2.3.4", "::ffff:10.2.3.4", "fd00:1::7"])
def test_85_86_a_trigger_from_the_projects_network_is_believed(made, peer):
    event = made(**INSIDE).receive({**FROM_FORTE, "x-bridge-peer": peer}, trigger_body("pay_1"))
    assert event == ProviderEvent("pay_1:COMPLETED", "COMPLETED", EventKind.PAYMENT, FIRED_AT, "pay_1")


@pytest.mark.parametrize("mark", [None, "", "0", "true", "1, 1", " 1"])
def test_85_without_fortes_mark_nothing_is_believed(made, mark):
    headers = {name: value for name, value in FROM_FORTE.items() if name != "x-forte-trusted"}
    assert "neither signed" in refused(
        made(**INSIDE), headers if mark is None else {**headers, "x-forte-trusted": mark}
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forte-trusted": "1"},
        {**FROM_FORTE, "x-bridge-peer": "203.0.113.9"},
        {**FROM_FORTE, "x-bridge-peer": "10.3.0.1"},
        {**FROM_FORTE, "x-bridge-peer": ""},
        {**FROM_FORTE, "x-bridge-peer": "gateway"},
        {"x-forte-trusted": "1", "x-forwarded-for": "10.2.3.4", "x-real-ip": "10.2.3.4", "forwarded": "for=10.2.3.4"},
    ],
)
def test_86_a_forged_mark_from_elsewhere_is_refused(made, headers):
    assert "trusted_networks" in refused(made(**INSIDE), headers)


def test_86_without_networks_nobody_is_believed(made):
    assert "trusted_networks" in refused(made(), FROM_FORTE)


def test_the_relays_signature_is_believed_wherever_it_comes_from(made):
    receiver = made(relay_secret=RELAY_SECRET)
    headers, body = relayed(trigger_body("pay_1", "REFUNDED"), NOW)
    event = receiver.receive(headers, body)
    assert (event.id, event.reference, event.kind) == ("pay_1:REFUNDED", "pay_1", EventKind.PAYMENT)
    assert receiver.owns(event)


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=00", f"t={int(NOW)},v1=", f"t={int(NOW)},v1={'0' * 63}", "t=x,v1=" + "0" * 64]
)
def test_a_signature_of_another_form_is_none(made, header):
    assert "form" in refused(made(relay_secret=RELAY_SECRET), {"x-bridge-relay-signature": header, **FROM_FORTE})


def test_a_wrong_signature_is_not_saved_by_the_network(made):
    receiver = made(relay_secret=RELAY_SECRET, **INSIDE)
    headers, body = relayed(trigger_body("pay_1"), NOW, "x" * 32)
    assert "relay_secret" in refused(receiver, {**FROM_FORTE, **headers}, body)


def test_without_a_secret_no_signature_is_believed(made):
    headers, body = relayed(trigger_body("pay_1"), NOW, "")
    assert "relay_secret is empty" in refused(made(), headers, body)


@pytest.mark.parametrize(("seconds", "believed"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_signature_is_good_for_five_minutes(made, seconds, believed):
    receiver = made(relay_secret=RELAY_SECRET)
    headers, body = relayed(trigger_body("pay_1"), NOW + seconds)
    if believed:
        assert receiver.receive(headers, body).reference == "pay_1"
    else:
        assert "too old" in refused(receiver, headers, body)


def test_88_completed_and_refunded_are_two_events_and_a_repeat_is_the_same(made):
    receiver = made(**INSIDE)
    bodies = (
        trigger_body("pay_1"),
        trigger_body("pay_1", later=1),
        trigger_body("pay_1", "REFUNDED"),
        trigger_body("pay_2"),
    )
    ids = [receiver.receive(FROM_FORTE, body).id for body in bodies]
    assert ids == ["pay_1:COMPLETED", "pay_1:COMPLETED", "pay_1:REFUNDED", "pay_2:COMPLETED"]


def test_88_every_refund_in_part_is_an_event_of_its_own(made):
    receiver = made(**INSIDE)
    times = ("2026-05-10T18:42:11.123Z", "2026-05-10T18:42:11.123Z", "2026-05-11T18:42:11.123Z")
    bodies = [trigger_body("pay_1", "PARTIALLY_REFUNDED", paymentTime=time) for time in times]
    first, again, second = [receiver.receive(FROM_FORTE, body).id for body in bodies]
    assert first == again != second


@pytest.mark.parametrize("state", ["PAST_DUE", "SOMETHING_NEW"])
def test_87_a_state_that_nobody_knows_has_no_effect(made, state):
    event = made(**INSIDE).receive(FROM_FORTE, trigger_body("pay_1", state))
    assert (event.kind, event.type) == (EventKind.OTHER, state)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        trigger_body("pay_1", "completed"),
        trigger_body("pay_1", ""),
        trigger_body(""),
        trigger_body("pay 1"),
        trigger_body("p" * 129),
        trigger_body("pay_1", userId=None),
        trigger_body("pay_1", userId=7),
        trigger_body("pay_1", paymentTime="2026-05-10T18:42:11"),
        trigger_body("pay_1", paymentTime="2026-05-10T18:42:11+02:00"),
        trigger_body("pay_1", paymentTime="yesterday"),
        trigger_body("pay_1", paymentTime=1778438531),
    ],
)
def test_87_93_a_message_that_cannot_be_read_is_kept_without_effect_and_not_asked_for_again(made, body):
    receiver = made(**INSIDE)
    event = receiver.receive(FROM_FORTE, body)
    assert (event.kind, event.reference, event.at) == (EventKind.OTHER, None, NOW)
    assert receiver.receive(FROM_FORTE, body).id == event.id
    assert len(event.id) < 255


def test_100_the_time_is_when_the_payment_changed_and_not_when_the_trigger_came(made):
    assert made(**INSIDE).receive(FROM_FORTE, trigger_body("pay_1")).at == FIRED_AT


def test_90_a_trigger_that_lies_changes_nothing():
    with forte() as world:
        receiver = world.adapter(**INSIDE)
        outcome = world.create(receiver)
        event = receiver.receive(FROM_FORTE, trigger_body(str(outcome.reference)))
        fetched = receiver.fetch(event.reference)
        assert (fetched.status, fetched.charge) == (Status.REQUIRES_PAYMENT_METHOD, None)


@pytest.fixture
def relay(monkeypatch):
    """The relay out of the documentation, and the place that it sends to: what arrived there, and what it answers."""
    found = re.search(
        r"<!-- file: relay.py -->\n```python\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL
    )
    module = types.ModuleType("relay")
    exec(compile(found[1], "relay.py", "exec"), module.__dict__)
    bridge = types.SimpleNamespace(arrived=[], answer=200)

    def endpoint(environ, start_response):
        request = Request(environ)
        headers = {name.lower(): value for name, value in request.headers}
        bridge.arrived.append((request.method, headers, request.get_data()))
        return Response(status=bridge.answer)(environ, start_response)

    with serve(endpoint) as outside, serve(module.application) as inside:
        monkeypatch.setenv("BRIDGE_URL", f"{outside.url}/bridge/v1/webhooks/shop")
        monkeypatch.setenv("RELAY_SECRET", RELAY_SECRET)
        bridge.url = inside.url
        yield bridge


def send(url, body=b"", method="POST", path="/internal", **headers):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_documented_relay_signs_what_forte_sends(relay):
    body = trigger_body("pay_1")
    assert send(relay.url, body, **{"X-Forte-Trusted": "1"}) == 200
    [(method, headers, arrived)] = relay.arrived
    assert (method, arrived, headers["content-type"]) == ("POST", body, "application/json")
    receiver = adapter(relay_secret=RELAY_SECRET)
    assert receiver.receive(headers, arrived).reference == "pay_1"
    receiver.close()


@pytest.mark.parametrize("answer", [400, 404, 500, 503])
def test_the_documented_relay_lets_forte_try_again_when_the_bridge_did_not_take_it(relay, answer):
    relay.answer = answer
    assert send(relay.url, trigger_body("pay_1"), **{"X-Forte-Trusted": "1"}) == 502


def test_the_documented_relay_lets_forte_try_again_when_the_bridge_is_away(relay, monkeypatch):
    monkeypatch.setitem(os.environ, "BRIDGE_URL", "http://127.0.0.1:9/")
    assert send(relay.url, trigger_body("pay_1"), **{"X-Forte-Trusted": "1"}) == 502


def test_the_documented_relay_signs_nothing_else(relay):
    assert send(relay.url, trigger_body("pay_1")) == 404
    assert send(relay.url, method="GET", **{"X-Forte-Trusted": "1"}) == 404
    assert send(relay.url, b"", **{"X-Forte-Trusted": "1"}) == 413
    assert relay.arrived == []


def test_a_trigger_travels_from_forte_over_the_relay(relay):
    with forte() as world:
        receiver = world.adapter(clock=time.time, relay_secret=RELAY_SECRET)
        service = world.simulator.add_service(world.project, base_url=relay.url)
        receiver.triggers.create("To the bridge", service, "/internal")
        outcome = world.create(receiver)
        world.pay(outcome)
        [attempt] = world.simulator.deliver_due()
        assert attempt.status == 200
        [(_, headers, body)] = relay.arrived
        event = receiver.receive(headers, body)
        assert (event.id, json.loads(body)["userId"]) == (f"{outcome.reference}:COMPLETED", world.user)
        assert receiver.fetch(event.reference).status is Status.SUCCEEDED
