"""Messages of Stripe's: who is believed, and what is read of them."""

import hmac
import json

import pytest

from bridge.adapters import AdapterContext, EventKind, EventRefused, ProviderEvent
from tests.adapters.payments import ACCOUNT, ATTEMPT, CHARGE, intent, stripe_adapter

NOW = 1_700_000_000
SECRET, NEWER = "whsec_1OldOne", "whsec_2NewOne"


@pytest.fixture
def make():
    made = []

    def make(webhook_secret=SECRET, **settings):
        context = AdapterContext(clock=lambda: NOW + 0.5)
        made.append(stripe_adapter(context, webhook_secret=webhook_secret, **settings))
        return made[-1]

    yield make
    for adapter in made:
        adapter.close()


def event(thing=None, **changes):
    content = {
        "id": "evt_1",
        "object": "event",
        "account": ACCOUNT,
        "created": NOW - 2,
        "data": {"object": intent() if thing is None else thing},
        "livemode": False,
        "type": "payment_intent.succeeded",
    }
    return json.dumps(content | changes).encode()


def proof(body, secret=SECRET, at=NOW):
    return hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()


def signature(body, *secrets, at=NOW):
    return ",".join([f"t={at}", *(f"v1={proof(body, secret, at)}" for secret in secrets or [SECRET]), "v0=6ffbb59b"])


def received(adapter, body, header=None):
    return adapter.receive({"stripe-signature": signature(body) if header is None else header}, body)


# Who is believed


def test_a_message_that_stripe_signed_is_read(make):
    assert received(make(), event()) == ProviderEvent(
        id="evt_1",
        type="payment_intent.succeeded",
        kind=EventKind.PAYMENT,
        at=NOW - 2.0,
        reference="pi_3Made",
        attempt_id=ATTEMPT,
        account=ACCOUNT,
        live=False,
    )


@pytest.mark.parametrize("ours", [f"{SECRET},{NEWER}", f"{NEWER} {SECRET}", f" {SECRET}, {NEWER},", NEWER, SECRET])
def test_while_a_secret_is_rotated_either_side_may_have_both(make, ours):
    body = event()
    assert received(make(ours), body, signature(body, NEWER, SECRET)).id == "evt_1"


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_message_may_be_five_minutes_from_our_clock(make, seconds):
    body = event()
    at = NOW + seconds + (1 if seconds < 0 else 0)
    assert received(make(), body, signature(body, at=at)).id == "evt_1"


@pytest.mark.parametrize("seconds", [-301, 301, -86400, 10**9])
def test_and_not_more(make, seconds):
    body = event()
    with pytest.raises(EventRefused, match="too old, or the clocks differ"):
        received(make(), body, signature(body, at=NOW + seconds))


def test_without_a_secret_nobody_is_believed(make):
    body = event()
    for secret in ("", "whsec_"):
        with pytest.raises(EventRefused, match="webhook_secret is empty"):
            received(make(""), body, signature(body, secret))


GOOD = proof(event())


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"v1={GOOD}",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v0={GOOD}",
        f"t={NOW},v1={GOOD.upper()}",
        f"t={NOW},v1={GOOD[:-1]}",
        f"t={NOW},v1={'0' * 64}",
        f"t={NOW},v1=é",
        f"t={NOW - 1},v1={GOOD}",
        f"t={NOW},t={NOW - 1},v1={GOOD}",
        f"t=,v1={GOOD}",
        f"t=0x7,v1={GOOD}",
        f"t={'9' * 9999},v1={GOOD}",
        f"t=\u0661{str(NOW)[1:]},v1={GOOD}",
        "," * 9999,
    ],
)
def test_whatever_else_stands_in_the_header_is_refused(make, header):
    assert received(make(), event(), f"t={NOW},v1={GOOD}")
    with pytest.raises(EventRefused):
        received(make(), event(), header)


def test_a_message_without_the_header_is_refused(make):
    with pytest.raises(EventRefused, match="Stripe-Signature is missing"):
        make().receive({}, event())


def test_the_bytes_are_signed_and_not_what_they_mean(make):
    body = event()
    same = json.dumps(json.loads(body), indent=2).encode()
    with pytest.raises(EventRefused, match="not made with this store's webhook_secret"):
        received(make(), same, signature(body))


def test_a_refusal_shows_no_secret(make):
    with pytest.raises(EventRefused) as caught:
        received(make("whsec_CANARY"), event())
    assert "CANARY" not in repr(caught.value) + repr(caught.value.details)


# What is read


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"null", b"[]", b"{}", b'{"id": "evt_1"}', b'{"id": 1, "type": 2}']
)
def test_what_is_signed_and_no_event_is_refused(make, body):
    with pytest.raises(EventRefused):
        received(make(), body)


REFUND = {
    "id": "re_1",
    "object": "refund",
    "payment_intent": "pi_3Made",
    "metadata": {"wcpay_bridge_attempt": "f" * 32},
}
DISPUTE = {"id": "du_1", "object": "dispute", "payment_intent": "pi_3Made", "metadata": {}}


@pytest.mark.parametrize(
    ("kind", "thing", "attempt"),
    [
        ("payment_intent.payment_failed", intent(), ATTEMPT),
        ("charge.captured", {**CHARGE, "metadata": {"wcpay_bridge_attempt": ATTEMPT}}, ATTEMPT),
        ("charge.refunded", CHARGE, None),
        ("refund.failed", REFUND, "f" * 32),
        ("charge.refund.updated", {**REFUND, "payment_intent": {"id": "pi_3Made"}}, "f" * 32),
        ("charge.dispute.closed", DISPUTE, None),
        ("charge.expired", {**CHARGE, "metadata": {"wcpay_bridge_attempt": "x\0y"}}, None),
        ("charge.moonlit", {**CHARGE, "metadata": {"wcpay_bridge_attempt": 7}}, None),
    ],
)
def test_whatever_is_about_a_payment_names_it(make, kind, thing, attempt):
    found = received(make(), event(thing, type=kind))
    assert (found.type, found.kind, found.reference, found.attempt_id) == (kind, EventKind.PAYMENT, "pi_3Made", attempt)


@pytest.mark.parametrize(
    "body",
    [
        event({"object": "charge", "id": "py_1", "payment_intent": None}, type="charge.succeeded"),
        event({**REFUND, "payment_intent": None}, type="refund.updated"),
        event([], type="x"),
        event(type="x", data=None),
        event(type="x", data={}),
        event(type="v2.core.event_destination.ping", object="v2.core.event", created="2026-10-28T00:00:00Z"),
    ],
)
def test_everything_else_is_something_else(make, body):
    found = received(make(), body)
    assert (found.kind, found.reference, found.attempt_id) == (EventKind.OTHER, None, None)


@pytest.mark.parametrize(
    "body",
    [
        event({"object": "account", "id": ACCOUNT}, type="account.updated"),
        event({"object": "application", "id": "ca_1"}, type="account.application.deauthorized"),
        event(None, object="v2.core.event", type="v1.account.updated", context=ACCOUNT),
        event(None, object="v2.core.event", type="v1.account.updated", context=f"org_1/{ACCOUNT}"),
    ],
)
def test_a_message_about_the_account_says_whose(make, body):
    found = received(make(), body)
    assert (found.kind, found.account, found.reference) == (EventKind.ACCOUNT, ACCOUNT, None)


def test_a_message_that_does_not_say_when_is_of_now(make):
    assert received(make(), event(created="2026-10-28T00:00:00Z")).at == NOW + 0.5


@pytest.mark.parametrize(
    ("charge_type", "changes", "owns"),
    [
        ("direct", {}, True),
        ("direct", {"account": "acct_2Other"}, False),
        ("direct", {"account": None}, False),
        ("direct", {"livemode": True}, False),
        ("direct", {"livemode": None}, False),
        ("destination", {"account": None}, True),
        ("destination", {}, False),
        ("destination", {"account": None, "livemode": True}, False),
    ],
)
def test_a_message_belongs_to_one_account_and_mode(make, charge_type, changes, owns):
    adapter = make(charge_type=charge_type)
    assert adapter.owns(received(adapter, event(**changes))) is owns
