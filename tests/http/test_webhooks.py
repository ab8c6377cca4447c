"""Messages that come by themselves: who may send them, how large they are, what is answered, what a hint does."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import Client, TestResponse

from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.simulators.faults import Fault
from bridge.simulators.stripe import Webhook
from bridge.simulators.stripe.sending import signature
from tests.http.conftest import Door
from tests.plugins.local import ACCOUNT, Local, MakeLocal

HINTS = "/wp-json/wc/v3/payments/webhook"
SECRET, OTHER_SECRET = "whsec_0123456789abcdef", "whsec_another_endpoint"
REFUSED = {
    "code": "wcpay_event_refused",
    "message": "The message was not accepted.",
    "data": {"status": 400},
}


@pytest.fixture
def stripe(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect", settings={"webhook_secret": SECRET})


def message(local: Local, kind: str = "payment_intent.succeeded", secret: str = SECRET) -> Webhook:
    """The newest event of this kind, signed."""
    assert local.stripe
    endpoint = local.stripe.add_webhook_endpoint("https://bridge.example", connect=True, secrets=[secret])
    event = next(event for event in reversed(local.stripe.events) if event["type"] == kind)
    return local.stripe.signed(event["id"], endpoint.id)


def deliver(local: Local, sent: Webhook, endpoint: str | None = None, **changes: Any) -> TestResponse:
    given: dict[str, Any] = {"data": sent.body, "headers": dict(sent.headers)} | changes
    client = Client(local.app, use_cookies=False)
    return client.post(f"/bridge/v1/webhooks/{endpoint or local.store.id}", base_url="http://127.0.0.1", **given)


def kept(local: Local) -> list[tuple[str, str]]:
    with local.bridge.services.database.read() as connection:
        rows = connection.execute(text("select event, state from inbox order by position")).all()
    return [(json.loads(event)["type"] if isinstance(event, str) else event["type"], state) for event, state in rows]


def test_a_message_is_kept_before_it_is_acknowledged_and_then_worked_on(stripe: Local) -> None:
    stripe.create()
    answer = deliver(stripe, message(stripe))
    assert (answer.status_code, answer.data) == (200, b'{"received":true,"duplicate":false}')
    assert answer.content_type == "application/json; charset=UTF-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert kept(stripe) == [("payment_intent.succeeded", "new")]
    stripe.work()
    assert kept(stripe) == [("payment_intent.succeeded", "done")]


def test_a_repeated_message_is_acknowledged_and_kept_once(stripe: Local) -> None:
    stripe.create()
    sent = message(stripe)
    assert [deliver(stripe, sent).get_json()["duplicate"] for _ in range(3)] == [False, True, True]
    assert len(kept(stripe)) == 1


def test_nobody_needs_a_key_and_a_key_proves_nothing(stripe: Local) -> None:
    stripe.create()
    sent = message(stripe)
    pair = (stripe.pair.consumer_key, stripe.pair.consumer_secret)
    unsigned = {"Content-Type": "application/json"}
    assert deliver(stripe, sent, headers=unsigned, auth=pair).get_json() == REFUSED
    assert deliver(stripe, sent, auth=("ck_wrong", "cs_wrong")).status_code == 200


def test_who_is_not_proven_learns_nothing(stripe: Local, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    stripe.create()
    sent, foreign = message(stripe), message(stripe, secret=OTHER_SECRET)
    changed = Webhook(sent.url, sent.headers, sent.body.replace(b"succeeded", b"succeedeD", 1))
    empty = Webhook(sent.url, {}, b"")
    answers = [
        deliver(stripe, foreign),
        deliver(stripe, changed),
        deliver(stripe, empty),
        deliver(stripe, sent, headers={}),
        deliver(stripe, sent, headers={"Stripe-Signature": "t=1,v1=é"}),
        deliver(stripe, sent, endpoint="nobody"),
        deliver(stripe, sent, endpoint="nobody", headers={}),
    ]
    stripe.clock.advance(301)
    answers.append(deliver(stripe, sent))
    assert [(answer.status_code, answer.get_json()) for answer in answers] == [(400, REFUSED)] * len(answers)
    assert len({frozenset(answer.headers.items()) for answer in answers}) == 1
    assert kept(stripe) == []
    assert SECRET not in caplog.text


def test_one_endpoint_serves_all_stores_that_name_it(make_local: MakeLocal, sqlite_url: str) -> None:
    shared = {"webhook_secret": SECRET, "webhook_endpoint": "stripe-platform"}
    local = make_local(sqlite_url, "stripe_connect", settings=shared)
    local.create()
    assert deliver(local, message(local), endpoint="stripe-platform").status_code == 200
    assert deliver(local, message(local)).get_json()["duplicate"] is False
    local.work()
    assert [state for _, state in kept(local)] == ["done", "done"]


@pytest.mark.parametrize("endpoint", ["a/b", "a.b", "", "é", "a" * 65])
def test_an_endpoint_has_a_plain_name(stripe: Local, endpoint: str) -> None:
    answer = Client(stripe.app).post(f"/bridge/v1/webhooks/{endpoint}", base_url="http://127.0.0.1", data=b"{}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "rest_no_route")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "FOO"])
def test_messages_are_posted(stripe: Local, method: str) -> None:
    path = f"/bridge/v1/webhooks/{stripe.store.id}"
    answer = Client(stripe.app).open(path, method=method, base_url="http://127.0.0.1")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "rest_no_route")


def test_a_message_may_have_a_megabyte_and_no_more(stripe: Local) -> None:
    too_large = {
        "code": "wcpay_request_too_large",
        "message": "The request is too large: a body may have 1024 KB.",
        "data": {"status": 413},
    }
    sent = Webhook("", {"Stripe-Signature": "t=1,v1=0"}, b" " * 1024 * 1024)
    assert deliver(stripe, sent).get_json() == REFUSED
    for surplus in (1, 2, 10**6):
        answer = deliver(stripe, Webhook("", sent.headers, sent.body + b" " * surplus))
        assert (answer.status_code, answer.get_json()) == (413, too_large)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"card":{"number":"4242424242424242","exp_month":1}}',
        b"a[]=" * 5000,
    ],
    ids=lambda body: repr(body[:10]),
)
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_the_bytes_are_proven_before_anything_is_read_in_them(local: Local, body: bytes, content_type: str) -> None:
    answer = deliver(local, Webhook("", {"Content-Type": content_type}, body))
    assert (answer.status_code, answer.get_json()) == (400, REFUSED)


def test_bytes_that_are_proven_and_are_no_event_are_refused(stripe: Local) -> None:
    for body in (b"{", b"[]", b"{}", b'{"id":"evt_1"}', b"\xff", b'{"id":7,"type":"x"}'):
        headers = {"Stripe-Signature": signature(body, [SECRET], stripe.clock())}
        assert deliver(stripe, Webhook("", headers, body)).get_json() == REFUSED


def test_a_message_about_another_account_has_no_effect(stripe: Local) -> None:
    created = stripe.create().get_json()
    sent = message(stripe)
    body = sent.body.replace(ACCOUNT.encode(), b"acct_another")
    assert body != sent.body
    headers = {"Stripe-Signature": signature(body, [SECRET], stripe.clock())}
    before = stripe.show(created["id"]).data
    assert deliver(stripe, Webhook("", headers, body)).get_json() == {"received": True, "duplicate": False}
    stripe.work()
    assert stripe.show(created["id"]).data == before
    assert kept(stripe) == [("payment_intent.succeeded", "new")]
    stripe.clock.advance(73 * 3600)
    stripe.work()
    assert kept(stripe) == [("payment_intent.succeeded", "foreign")]


def test_a_database_that_is_gone_is_no_acknowledgement(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"webhook_secret": SECRET})
    local.create()
    sent = message(local)
    with local.bridge.services.database.write() as connection:
        connection.execute(text("drop table inbox"))
    answer = deliver(local, sent)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "wcpay_database_unavailable")


# --- the route of WooPayments' platform


def hint(local: Local, body: Any, **kwargs: Any) -> tuple[int, Any]:
    answer = local.post(HINTS, body, **kwargs)
    return answer.status_code, answer.get_json()


def about(kind: str, **members: Any) -> dict[str, Any]:
    return {"id": "evt_1", "type": kind, "livemode": False, "data": {"object": members}}


SUCCESS, BAD, ERROR = ({"result": word} for word in ("success", "bad_request", "error"))


def test_a_hint_has_the_payment_looked_at_and_nothing_it_says_is_believed(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    created = local.create().get_json()
    said = about("payment_intent.canceled", id=created["id"], status="canceled", amount=1, metadata={"order_id": "1"})
    assert hint(local, said) == (200, SUCCESS)
    assert local.show(created["id"]).get_json()["status"] == "succeeded"
    assert local.stripe
    dispute = local.stripe.dispute(created["charge"]["id"])
    assert hint(local, about("charge.dispute.created", id=dispute["id"], charge=created["charge"]["id"])) == (
        200,
        SUCCESS,
    )
    shown = local.get(f"/wp-json/wc/v3/payments/charges/{created['charge']['id']}").get_json()
    assert shown["dispute"]["id"] == dispute["id"]


@pytest.mark.parametrize(
    ("body", "status", "result"),
    [
        ({}, 400, BAD),
        ([], 400, BAD),
        ({"type": None}, 400, BAD),
        ({"type": 7}, 400, BAD),
        ({"type": "payment_intent.succeeded"}, 400, BAD),
        ({"type": "payment_intent.succeeded", "data": []}, 400, BAD),
        ({"type": "payment_intent.succeeded", "data": {}}, 400, BAD),
        ({"type": "payment_intent.succeeded", "data": {"object": "pi_x"}}, 400, BAD),
        (about("payment_intent.succeeded", id="pi_unknown"), 500, ERROR),
        (about("payment_intent.payment_failed", id="pi_unknown"), 500, ERROR),
        (about("payment_intent.succeeded"), 500, ERROR),
        (about("payment_intent.succeeded", id=["pi_x"], charge={"id": {}}, payment_intent="\0"), 500, ERROR),
        (about("charge.refunded", id="ch_unknown"), 500, ERROR),
        (about("charge.expired", id="ch_unknown"), 500, ERROR),
        (about("charge.dispute.created", id="dp_1", charge="ch_unknown"), 400, BAD),
        (about("charge.dispute.closed", id="dp_1", charge="ch_unknown"), 400, BAD),
        (about("payment_intent.canceled", id="pi_unknown"), 200, SUCCESS),
        (about("payment_intent.amount_capturable_updated", id="pi_unknown"), 200, SUCCESS),
        ({"type": "account.updated"}, 200, SUCCESS),
        ({"type": "something.new", "data": None}, 200, SUCCESS),
        (about("payment_intent.succeeded", id="pi_unknown") | {"livemode": True}, 200, SUCCESS),
        (about("payment_intent.succeeded", id="pi_unknown") | {"livemode": "no"}, 200, SUCCESS),
        (about("payment_intent.succeeded", id="pi_unknown") | {"livemode": None}, 500, ERROR),
    ],
    ids=str,
)
def test_hints_are_answered_as_woopayments_answers_them(local: Local, body: Any, status: int, result: Any) -> None:
    assert hint(local, body) == (status, result)


def test_a_provider_that_cannot_be_asked_is_an_error(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    created = local.create().get_json()
    assert local.provider_faults
    local.provider_faults.next(Fault.ERROR_503, times=9)
    assert hint(local, about("payment_intent.succeeded", id=created["id"])) == (500, ERROR)


def test_a_hint_needs_a_key_that_may_write(door: Door) -> None:
    body = {"type": "account.updated"}
    assert door.post(HINTS, json=body, key="write").json == SUCCESS
    for key in (None, "read", "revoked"):
        assert door.post(HINTS, json=body, key=key).status_code == 401


def test_a_hint_about_another_stores_payment_is_as_good_as_none(local: Local) -> None:
    created = local.create().get_json()
    other = local.bridge.add_store(replace(local.store, id=""), shop=local.store.id)
    local.pair = keys.create(local.bridge.services, other.id, Permissions.READ_WRITE)
    for name in (created["id"], created["attempt_id"], created["charge"]["id"]):
        assert hint(local, about("payment_intent.succeeded", id=name)) == (500, ERROR)
