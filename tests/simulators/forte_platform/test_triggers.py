"""Payment triggers: how they are kept, when they fire, and what the receiver gets."""

import json
import re
import ssl
import threading

import pytest

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from tests.adapters.orders import TIMEOUT

PATH = "/internal/payments/trigger"
EVENTS = ["PAYMENT_COMPLETED", "PAYMENT_REFUNDED"]
TRIGGERS = "payment-triggers"


@pytest.fixture
def trigger(merchant, simulator, receiver):
    """Makes a trigger for the receiver, both events unless told otherwise; returns its id."""
    service = simulator.add_service(merchant.project, base_url=receiver.url)

    def trigger(**changes):
        usual = {"displayName": "Fulfillment", "targetServiceId": service, "targetPath": PATH, "events": EVENTS}
        return merchant.done("POST", TRIGGERS, {**usual, **changes})["triggerId"]

    return trigger


@pytest.fixture
def body(merchant, simulator):
    service = simulator.add_service(merchant.project)
    return {"displayName": "Fulfillment", "targetServiceId": service, "targetPath": PATH, "events": EVENTS}


def outcomes(simulator):
    return [delivery.outcome for delivery in simulator.deliveries]


def states(receiver):
    return [body["state"] for body in receiver.bodies]


def test_a_trigger_is_made_listed_changed_and_removed(merchant, body, clock):
    made = merchant.done("POST", TRIGGERS, body)
    identifier = made["triggerId"]
    assert re.fullmatch(r"pmt_trigger_\w+", identifier)
    assert made == {"triggerId": identifier, **body, "enabled": True, "createdAt": "2026-05-10T18:42:11.123Z"}
    assert merchant.done("GET", TRIGGERS) == [made]
    clock.advance(60)
    changed = {**body, "displayName": "Ledger", "events": EVENTS[:1], "enabled": False}
    assert merchant.done("PUT", f"{TRIGGERS}/{identifier}", changed) == {**made, **changed}
    assert merchant.done("GET", f"{TRIGGERS}/{identifier}") == {**made, **changed}
    removed = merchant("DELETE", f"{TRIGGERS}/{identifier}")
    assert (removed.status_code, removed.content) == (200, b"")
    assert merchant.done("GET", TRIGGERS) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"displayName": None},
        {"displayName": "x" * 121},
        {"targetServiceId": ""},
        {"targetPath": "internal"},
        {"targetPath": "/" + "x" * 500},
        {"targetPath": ""},
        {"events": []},
        {"events": ["PAYMENT_LOST"]},
        {"events": "PAYMENT_COMPLETED"},
        {"enabled": "yes"},
        {"url": "https://shop.example"},
    ],
)
def test_a_trigger_has_limits(merchant, body, wrong):
    kept = merchant.done("POST", TRIGGERS, body)
    refused = (400, "REQUEST_VALIDATION_FAILED")
    assert merchant.refused("POST", TRIGGERS, {**body, **wrong}) == refused
    assert merchant.refused("PUT", f"{TRIGGERS}/{kept['triggerId']}", {**body, **wrong}) == refused
    assert merchant.done("GET", TRIGGERS) == [kept]


def test_a_trigger_targets_a_service_of_its_own_project(merchant, simulator, body):
    stranger = simulator.add_service(simulator.add_project())
    for service in (stranger, "svc_unheard"):
        wrong = {**body, "targetServiceId": service}
        assert merchant.refused("POST", TRIGGERS, wrong) == (404, "PAYMENT_TRIGGER_TARGET_SERVICE_NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_trigger_of_another_project_is_not_found(merchant, simulator, body, method):
    made = merchant.done("POST", TRIGGERS, body)["triggerId"]
    given = body if method == "PUT" else None
    assert merchant.refused(method, f"{TRIGGERS}/pmt_trigger_x", given) == (404, "PAYMENT_TRIGGER_NOT_FOUND")
    merchant.project = simulator.add_project()
    assert merchant.refused(method, f"{TRIGGERS}/{made}", given) == (404, "PAYMENT_TRIGGER_NOT_FOUND")


def test_the_receiver_gets_exactly_what_the_guide_says(merchant, simulator, trigger, receiver, clock):
    identifier = trigger()
    payment = merchant.pay()
    clock.advance(2)
    (attempt,) = simulator.deliver_due()
    (request,) = receiver.received
    assert (request.method, request.path) == ("POST", PATH)
    sent = dict(request.headers)
    assert sent.pop("Host") == receiver.url.removeprefix("http://")
    assert sent.pop("Content-Length") == str(len(request.get_data()))
    assert sent.pop("Accept-Encoding", "identity") == "identity"
    assert sent == {"Content-Type": "application/json", "X-Forte-Trusted": "1"}
    assert json.loads(request.get_data()) == {
        "userId": merchant.user,
        "paymentId": payment,
        "paymentTime": "2026-05-10T18:42:11.123Z",
        "state": "COMPLETED",
    }
    assert attempt == simulator.attempts[0]
    assert (attempt.trigger_id, attempt.number, attempt.status, attempt.succeeded) == (identifier, 1, 200, True)
    assert attempt.url == f"{receiver.url}{PATH}"
    assert outcomes(simulator) == ["delivered"]
    assert simulator.deliver_due() == ()


def test_a_trigger_hears_of_its_events_only(merchant, simulator, trigger, receiver):
    trigger(events=["PAYMENT_REFUNDED"], targetPath="/refunds")
    trigger(events=["PAYMENT_COMPLETED"], targetPath="/completed")
    trigger(enabled=False, targetPath="/never")
    payment = merchant.pay()
    simulator.refund_on_stripe(payment, 100)
    simulator.refund_on_stripe(payment)
    simulator.deliver_due()
    assert [
        (request.path, body["state"]) for request, body in zip(receiver.received, receiver.bodies, strict=True)
    ] == [
        ("/completed", "COMPLETED"),
        ("/refunds", "REFUNDED"),
    ]


@pytest.mark.parametrize("status", ["processing", "canceled", "requires_capture", "failed"])
def test_other_states_fire_nothing(merchant, simulator, trigger, status):
    trigger()
    simulator.set_stripe_status(merchant.create()["payment"]["id"], status)
    assert simulator.deliveries == ()


def test_another_project_s_payment_fires_nothing_here(merchant, simulator, trigger):
    trigger()
    merchant.project = simulator.add_project()
    merchant.user = simulator.add_user(merchant.project)
    merchant.pay()
    assert simulator.deliveries == ()


@pytest.mark.parametrize(("switch", "heard"), [(False, ["COMPLETED"]), (True, ["COMPLETED", "REFUNDED"])])
def test_a_refund_by_api_fires_nothing_unless_that_is_switched_on(make_merchant, receiver, switch, heard):
    merchant = make_merchant(triggers_on_refund=switch)
    service = merchant.simulator.add_service(merchant.project, base_url=receiver.url)
    body = {"displayName": "x", "targetServiceId": service, "targetPath": PATH, "events": EVENTS}
    merchant.done("POST", TRIGGERS, body)
    merchant.done("POST", f"{merchant.payments}/{merchant.pay()}/refund")
    merchant.simulator.deliver_due()
    assert states(receiver) == heard


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_failure_is_tried_again_every_minute_until_it_succeeds(merchant, simulator, trigger, receiver, clock, status):
    trigger()
    receiver.statuses = [status, status]
    merchant.pay()
    assert [one.status for one in simulator.deliver_due()] == [status]
    clock.advance(59.9)
    assert simulator.deliver_due() == ()
    clock.advance(0.1)
    assert [one.status for one in simulator.deliver_due()] == [status]
    clock.advance(60)
    assert [(one.status, one.number) for one in simulator.deliver_due()] == [(200, 3)]
    assert len({json.dumps(body) for body in receiver.bodies}) == 1
    assert outcomes(simulator) == ["delivered"]
    assert simulator.sentry == ()


def test_after_five_attempts_it_is_given_up_for_good(merchant, simulator, trigger, receiver, clock):
    identifier = trigger()
    receiver.statuses = [503] * 9
    payment = merchant.pay()
    for _ in range(9):
        simulator.deliver_due()
        clock.advance(60)
    start = clock.now - 9 * 60
    assert [(one.number, round(one.time - start)) for one in simulator.attempts] == [
        (1, 0),
        (2, 60),
        (3, 120),
        (4, 180),
        (5, 240),
    ]
    assert outcomes(simulator) == ["abandoned"]
    assert simulator.sentry == (f"COMPLETED of {payment} for {identifier} was abandoned after 5 attempts: 503",)


def test_a_closed_port_and_a_missing_address_are_failures(merchant, simulator, trigger):
    service = simulator.add_service(merchant.project)
    trigger(targetServiceId=service)
    with serve(lambda *_: []) as server:
        closed = simulator.add_service(merchant.project, base_url=server.url)
    trigger(targetServiceId=closed)
    merchant.pay()
    assert [one.status for one in simulator.deliver_due()] == [None, None]
    assert [one.problem.partition(":")[0] for one in simulator.attempts] == [
        "the service has no address",
        "ConnectionRefusedError",
    ]
    assert outcomes(simulator) == ["pending", "pending"]


def test_a_receiver_that_is_too_slow_has_failed(make_merchant, receiver):
    merchant = make_merchant(trigger_timeout=TIMEOUT)
    service = merchant.simulator.add_service(merchant.project, base_url=receiver.url)
    body = {"displayName": "x", "targetServiceId": service, "targetPath": PATH, "events": EVENTS}
    merchant.done("POST", TRIGGERS, body)
    receiver.held = threading.Event()
    merchant.pay()
    (attempt,) = merchant.simulator.deliver_due()
    assert (attempt.status, attempt.problem) == (None, "TimeoutError: timed out")
    assert len(receiver.received) == 1


@pytest.mark.parametrize("gone", ["deleted", "disabled"])
def test_what_is_disabled_or_deleted_meanwhile_is_dropped_silently(
    merchant, simulator, trigger, receiver, clock, body, gone
):
    identifier = trigger()
    receiver.statuses = [500]
    merchant.pay()
    simulator.deliver_due()
    if gone == "deleted":
        merchant("DELETE", f"{TRIGGERS}/{identifier}")
    else:
        merchant.done("PUT", f"{TRIGGERS}/{identifier}", {**body, "enabled": False})
    clock.advance(60)
    assert simulator.deliver_due() == ()
    assert (len(receiver.received), outcomes(simulator), simulator.sentry) == (1, ["dropped"], ())


def test_a_service_may_live_below_a_path_and_speak_tls(make_merchant, receiver, tmp_path):
    certificates = Certificates.create(tmp_path)
    merchant = make_merchant(tls=ssl.create_default_context(cafile=certificates.ca_file))
    with serve(receiver, tls=(certificates.cert_file, certificates.key_file)) as server:
        service = merchant.simulator.add_service(merchant.project, base_url=f"{server.url}/app/")
        body = {"displayName": "x", "targetServiceId": service, "targetPath": "/über?x=1", "events": EVENTS}
        merchant.done("POST", TRIGGERS, body)
        merchant.pay()
        (attempt,) = merchant.simulator.deliver_due()
    assert (attempt.status, attempt.problem) == (200, None)
    (request,) = receiver.received
    assert (request.path, request.query_string) == ("/app/über", b"x=1")


def test_a_service_has_an_address_of_the_web_or_none(simulator, merchant):
    with pytest.raises(ValueError, match="http"):
        simulator.add_service(merchant.project, base_url="ftp://shop")


def test_a_trigger_may_lie_and_repeat_itself(merchant, simulator, trigger, receiver, clock):
    trigger(events=["PAYMENT_COMPLETED"])
    payment = merchant.create()["payment"]["id"]
    clock.advance(60)
    for state in ("COMPLETED", "COMPLETED", "REFUNDED", "LOST"):
        simulator.fire(payment, state=state)
    merchant.done("POST", f"/__sim/payments/{payment}/fire", {"state": "COMPLETED"})
    simulator.deliver_due()
    assert states(receiver) == ["COMPLETED", "COMPLETED", "LOST", "COMPLETED"]
    assert {body["paymentTime"] for body in receiver.bodies} == {"2026-05-10T18:43:11.123Z"}
    assert merchant.get(payment)["state"] == "DRAFT"
    with pytest.raises(LookupError, match="pay_unheard"):
        simulator.fire("pay_unheard", state="COMPLETED")


def test_deliveries_can_run_by_themselves(merchant, simulator, trigger, receiver, clock):
    trigger()
    receiver.statuses = [500]
    simulator.start_deliveries()
    simulator.start_deliveries()
    merchant.pay()
    assert simulator.wait_until(lambda: len(simulator.attempts) == 1)
    clock.advance(60)
    assert simulator.wait_until(lambda: outcomes(simulator) == ["delivered"])
    simulator.close()
    simulator.close()
    merchant.pay()
    assert outcomes(simulator) == ["delivered", "pending"]
    simulator.deliver_due()
    assert outcomes(simulator) == ["delivered", "delivered"]
    assert len(receiver.received) == 3
