"""Messages of Forte: who may send one, what is read of it, and who is sent them.

The numbers are those of the checklist for Forte.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from bridge.adapters import ProviderRefused, Status
from bridge.domain.errors import EventRefused
from bridge.domain.outcomes import EventKind
from bridge.simulators.forte_payments import WebhookScheme
from tests.adapters.forte_payments_provider import CLIENT_ID, SIGNED, World, adapter, forte
from tests.adapters.forte_payments_wire import REPLAY, SUBSCRIPTIONS
from tests.adapters.orders import ATTEMPT

HOOK = "https://bridge.example/bridge/v1/webhooks/shop"
UUID = "440b0e4e-ae70-4886-ad6b-1521cc22cbca"
SECRET = "CanaryOfTheWebhook"
NOW = 1_795_217_626.0


@pytest.fixture
def world() -> Iterator[World]:
    with forte() as world:
        yield world


def message(**changes):
    body = {
        "id": "event-1",
        "event": "payment_approved",
        "created_at": "2026-11-20T23:33:46.000Z",
        "data": {"payment_intent_id": UUID, "reference": f"12:{ATTEMPT}", "amount": "10.23"},
    } | changes
    return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()


def receive(world, body, *, secret=SECRET, keys=SECRET, scheme=None, at=None, settings=SIGNED):
    scheme = scheme or WebhookScheme()
    headers = scheme.headers(secret, body, world.clock() if at is None else at)
    lowered = {name.lower(): value for name, value in headers.items()}
    return world.adapter(webhook_secret=keys, **settings).receive(lowered, body)


# Who has sent it


def test_53_a_signed_message_is_believed_to_be_fortes(world):
    event = receive(world, message())
    assert (event.id, event.type, event.kind) == ("event-1", "payment_approved", EventKind.PAYMENT)
    assert (event.reference, event.attempt_id) == (UUID, ATTEMPT)
    assert (event.at, event.account, event.live) == (NOW, CLIENT_ID, False)


@pytest.mark.parametrize("keys", [f"{SECRET},other", f"other {SECRET}", SECRET])
def test_53_several_keys_count_while_one_replaces_another(world, keys):
    assert receive(world, message(), keys=keys).id == "event-1"


@pytest.mark.parametrize("change", [lambda body: body + b" ", lambda body: body.replace(b"10.23", b"1.023")])
def test_53_the_raw_body_is_what_counts(world, change):
    body = message()
    headers = WebhookScheme().headers(SECRET, body, NOW)
    lowered = {name.lower(): value for name, value in headers.items()}
    made = world.adapter(webhook_secret=SECRET, **SIGNED)
    with pytest.raises(EventRefused):
        made.receive(lowered, change(body))


def test_53_a_wrong_or_missing_signature_is_refused_before_anything_is_read(world):
    made = world.adapter(webhook_secret=SECRET, **SIGNED)
    with pytest.raises(EventRefused, match="signature"):
        receive(world, b"no JSON", secret="another")
    for headers in ({}, {"x-forte-signature": ""}, {"x-forte-signature": "é"}, {"x-forte-timestamp": str(int(NOW))}):
        with pytest.raises(EventRefused) as caught:
            made.receive(headers, message())
        assert "Canary" not in str(caught.value)


@pytest.mark.parametrize("seconds", [-301, 301, -86400])
def test_53_an_old_message_is_refused(world, seconds):
    with pytest.raises(EventRefused, match="300 seconds"):
        receive(world, message(), at=NOW + seconds)
    assert receive(world, message(), at=NOW + seconds, settings=SIGNED | {"signature_tolerance": "100000"})


@pytest.mark.parametrize("settings", [{}, {"webhook_secret": SECRET}, {"signature_header": "X-Forte-Signature"}])
def test_53_without_a_scheme_nobody_is_believed(world, settings):
    body = message()
    headers = WebhookScheme(template="{body}", timestamp_header=None).headers(SECRET, body, NOW)
    made = world.adapter(**settings)
    with pytest.raises(EventRefused, match="webhook_secret and signature_header are not set"):
        made.receive({name.lower(): value for name, value in headers.items()}, body)


SCHEMES = [
    (WebhookScheme("Signature", template="{body}", timestamp_header=None), {"signature_header": "Signature"}),
    (
        WebhookScheme("S", "sha512", "base64", "v1=", "{timestamp}:{body}:end", "T"),
        {
            "signature_header": "S",
            "signature_algorithm": "hmac-sha512",
            "signature_encoding": "base64",
            "signature_prefix": "v1=",
            "signature_payload": "{timestamp}:{body}:end",
            "timestamp_header": "T",
        },
    ),
    (
        WebhookScheme("S", "sha384", prefix="sha384=", template="{body}", timestamp_header=None),
        {"signature_header": "S", "signature_algorithm": "hmac-sha384", "signature_prefix": "sha384="},
    ),
]


@pytest.mark.parametrize(("scheme", "settings"), SCHEMES)
def test_53_every_part_of_the_scheme_is_a_setting(world, scheme, settings):
    assert receive(world, message(), scheme=scheme, settings=settings).id == "event-1"
    for other, _ in SCHEMES:
        if other is not scheme:
            with pytest.raises(EventRefused):
                receive(world, message(), scheme=other, settings=settings)


def test_53_time_and_several_signatures_may_share_one_header(world):
    made = world.adapter(
        webhook_secret=SECRET,
        signature_header="Forte-Signature",
        signature_prefix="v1=",
        signature_payload="{timestamp}.{body}",
        timestamp_header="Forte-Signature",
        timestamp_prefix="t=",
    )
    body, now = message(), int(NOW * 1000)
    right = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    assert made.receive({"forte-signature": f"t={now},v1={'0' * 64},v1={right}"}, body).id == "event-1"
    with pytest.raises(EventRefused):
        made.receive({"forte-signature": f"t={now + 1},v1={right}"}, body)


# What is read of it


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"hello"', b"null", b"\xff", b"[" * 100_000])
def test_53_what_is_no_message_is_refused(world, body):
    with pytest.raises(EventRefused):
        receive(world, body)


def test_55_a_message_without_an_id_is_known_by_what_it_says_about_what(world):
    def identify(**changes):
        return receive(world, message(id=..., **changes)).id

    first = identify()
    assert identify(created_at="2030-01-01T00:00:00Z") == first
    assert identify(event="payment_declined") != first
    assert identify(data={"payment_intent_id": UUID.replace("4", "5")}) != first
    by_reference = identify(data={"reference": f"12:{ATTEMPT}"})
    assert by_reference not in (first, identify(data={"reference": f"13:{ATTEMPT}"}))
    assert identify(data={}, event="x") != identify(data={"a": 1}, event="x")


@pytest.mark.parametrize("event", ["test", "kyc_completed", "payment_refunded", 7, None, ..., {"a": 1}])
def test_58_an_event_that_nobody_knows_is_taken_and_has_no_effect(world, event):
    received = receive(world, message(event=event))
    assert received.kind is EventKind.OTHER
    assert received.type


def test_58_which_events_are_about_payments_is_a_setting(world):
    settings = SIGNED | {"payment_events": "payment_settled payment_approved"}
    kinds = {
        name: receive(world, message(event=name), settings=settings).kind
        for name in ("payment_settled", "payment_approved", "payment_declined")
    }
    assert kinds == {
        "payment_settled": EventKind.PAYMENT,
        "payment_approved": EventKind.PAYMENT,
        "payment_declined": EventKind.OTHER,
    }


@pytest.mark.parametrize(
    ("reference", "attempt"),
    [
        (f"12:{ATTEMPT}", ATTEMPT),
        (ATTEMPT, None),
        (f"x:{ATTEMPT}", None),
        (f"12:{ATTEMPT}0", None),
        ("44cda1bb-2625-4acf-9d84-0cb78589e9a6", None),
        (None, None),
        (7, None),
    ],
)
def test_59_only_a_reference_of_ours_names_an_attempt(world, reference, attempt):
    received = receive(world, message(data={"payment_intent_id": UUID, "reference": reference}))
    assert (received.attempt_id, received.reference) == (attempt, UUID)


@pytest.mark.parametrize("intent", ["pi_1", "", 7, None, UUID + "x", "../" + UUID])
def test_59_an_intent_that_cannot_be_asked_for_is_none(world, intent):
    assert receive(world, message(data={"payment_intent_id": intent})).reference is None


def test_55_where_a_message_says_what_is_a_setting(world):
    body = json.dumps(
        [{"x/y": {"~": "e-9"}}, {"what": "payment_approved", "when": 1_700_000_000_500, "who": [UUID, f"5:{ATTEMPT}"]}]
    )
    wrapped = json.dumps({"list": json.loads(body)}).encode()
    settings = SIGNED | {
        "id_field": "/list/0/x~1y/~0",
        "event_field": "/list/1/what",
        "time_field": "/list/1/when",
        "intent_field": "/list/1/who/0",
        "reference_field": "/list/1/who/1",
    }
    event = receive(world, wrapped, settings=settings)
    assert (event.id, event.type, event.at) == ("e-9", "payment_approved", 1_700_000_000.5)
    assert (event.reference, event.attempt_id) == (UUID, ATTEMPT)


@pytest.mark.parametrize("moment", [None, "yesterday", [], -5, 1e300, True, ...])
def test_a_message_without_a_time_is_of_now(world, moment):
    assert receive(world, message(created_at=moment)).at == NOW


def test_61_a_message_that_lies_changes_nothing_because_forte_is_asked(world):
    made = world.adapter(webhook_secret=SECRET, **SIGNED)
    created = world.create(made)
    event = receive(world, message(data={"payment_intent_id": created.reference, "reference": f"12:{ATTEMPT}"}))
    assert event.type == "payment_approved"
    assert made.fetch(event.reference).status is Status.REQUIRES_ACTION
    world.simulator.approve(created.reference)
    assert made.fetch(event.reference).status is Status.SUCCEEDED


def test_53_a_store_owns_what_its_key_has_proven(world):
    event = receive(world, message())
    assert world.adapter().owns(event)
    assert not world.adapter(client_id="another").owns(event)
    assert not adapter(live=True).owns(event)


# Who is sent them


def test_63_an_address_is_registered_once(world):
    made = world.adapter()
    first = made.register_webhook(HOOK)
    assert (first.url, first.description, first.enabled) == (HOOK, "wcpay-bridge", True)
    assert made.register_webhook(HOOK) == first
    assert [each.id for each in made.webhooks()] == [first.id]
    assert first.secret == world.simulator.subscriptions[0].signing_key
    assert first.secret not in repr(first) + repr(made.webhooks())


def test_63_a_disabled_one_is_enabled_again(world):
    made = world.adapter()
    first = made.register_webhook(HOOK)
    off = made.switch_webhook(first.id, on=False)
    assert (off.id, off.enabled, off.secret) == (first.id, False, first.secret)
    assert made.register_webhook(HOOK) == first
    assert len(world.simulator.subscriptions) == 1


@pytest.mark.parametrize("limit", [1, 3])
def test_63_more_than_forte_allows_is_refused_with_those_in_the_way(limit):
    with forte(subscription_limit=limit) as world:
        made = world.adapter()
        for number in range(limit):
            made.register_webhook(f"{HOOK}/{number}")
        with pytest.raises(ProviderRefused, match=f"Disable one of these first: {HOOK}/0") as caught:
            made.register_webhook(HOOK)
        assert caught.value.code == "subscription_limit"
        made.switch_webhook(made.webhooks()[0].id, on=False)
        assert made.register_webhook(HOOK).enabled
        with pytest.raises(ProviderRefused) as caught:
            made.switch_webhook(made.webhooks()[0].id, on=True)
        assert caught.value.code == "subscription_limit"
        assert len(made.webhooks()) == limit + 1, "nothing is deleted"


def test_63_one_that_is_not_there_cannot_be_switched(world):
    for name in ("nobody", "../../payments"):
        with pytest.raises(ProviderRefused):
            world.adapter().switch_webhook(name, on=True)
    assert {sent.path.startswith((SUBSCRIPTIONS, "/auth/")) for sent in world.door.sent} == {True}


def test_64_messages_since_an_outage_are_sent_again(world):
    made = world.adapter()
    made.register_webhook("http://127.0.0.1:9/gone")
    created = world.create(made)
    world.simulator.approve(created.reference)
    world.simulator.deliver_due()
    world.clock.advance(100_000)
    world.simulator.deliver_due()
    waiting = len(world.simulator.pending)
    made.replay(NOW - 10)  # and five minutes before that, because clocks differ
    [asked] = world.door.to(REPLAY)
    assert asked.query == {"start_timestamp": "2026-11-20T23:28:36.000Z", "end_timestamp": "2026-11-22T03:20:26.000Z"}
    assert len(world.simulator.pending) == waiting + 1
    made.replay(0.0, 1.5)
    assert world.door.to(REPLAY)[-1].query["end_timestamp"] == "1970-01-01T00:00:01.500Z"


# What `stores check` says


def findings(made):
    return [(finding.ok, finding.text) for finding in made.check()]


def test_a_check_tells_whether_credentials_and_messages_work(world):
    secret = world.adapter().register_webhook(HOOK).secret
    good = world.adapter(webhook_secret=secret, **SIGNED)
    assert findings(good) == [
        (True, "Forte accepts the client_id and client_secret (127.0.0.1, test mode)."),
        (True, "Forte sends its messages, and they are checked with webhook_secret."),
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "Messages from Forte are refused without the setting webhook_secret"),
        ({"webhook_secret": SECRET}, "Messages from Forte are refused without the setting signature_header"),
        ({"webhook_secret": SECRET, **SIGNED}, "No enabled subscription at Forte has this webhook_secret"),
    ],
)
def test_41_without_messages_the_hosted_page_is_no_use_and_the_widget_is(world, settings, said):
    for mode, ok in (("widget", True), ("redirect", False)):
        (_, _), (fine, text) = findings(world.adapter(mode=mode, **settings))
        assert text.startswith(said)
        assert fine is ok


def test_a_check_tells_what_is_wrong_and_never_raises(world):
    [(ok, text)] = findings(world.adapter(client_secret="CanaryWrong"))
    assert not ok
    assert text == "Forte refused this store's client_id and client_secret."
    [(ok, text)] = findings(adapter(api_base="http://127.0.0.1:9"))
    assert not ok


def test_53_base64_and_hex_are_compared_as_they_are_written(world):
    body = message()
    digest = hmac.digest(SECRET.encode(), body, "sha256")
    settings = {"signature_header": "S", "webhook_secret": SECRET}
    for encoding, right, wrong in (
        ("hex", digest.hex(), base64.b64encode(digest).decode()),
        ("base64", base64.b64encode(digest).decode(), digest.hex()),
    ):
        made = world.adapter(signature_encoding=encoding, **settings)
        assert made.receive({"s": right}, body).id == "event-1"
        with pytest.raises(EventRefused):
            made.receive({"s": wrong}, body)
