"""What is refused at the door leaves a line and a count, with the reason that its owner needs."""

import logging
import re
from typing import Any

import pytest

from bridge import Bridge
from bridge.domain.stores import Permissions
from bridge.registry import keys
from tests.cli.operator import operate_json
from tests.http.conftest import HTTP, HTTPS, Door, MakeDoor
from tests.http.test_webhooks import OTHER_SECRET, deliver, message
from tests.plugins.local import INTENTS, Local, MakeLocal

TOKEN = "metrics-token-of-the-test"
SECRET = "whsec_0123456789abcdef"
PROXIED = {"X-Forwarded-Proto": "https"}


def counted(app: Any, kind: str) -> dict[str, int]:
    """What the metrics say was refused, by reason."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    text = app.test_client().get("/bridge/v1/metrics", headers=headers).get_data(as_text=True)
    found = re.findall(rf'^wcpay_bridge_{kind}_refused_total{{reason="(\w+)"}} (\S+)$', text, re.MULTILINE)
    return {reason: int(float(number)) for reason, number in found}


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door(metrics_token=TOKEN)


@pytest.fixture
def stripe(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect", settings={"webhook_secret": SECRET}, metrics_token=TOKEN)


def oauth(door: Door, **changes: str) -> dict[str, str]:
    known = door.secrets("read_write")[0]
    given = {
        "oauth_consumer_key": known,
        "oauth_timestamp": "1790000000",
        "oauth_nonce": "a",
        "oauth_signature": "b",
        "oauth_signature_method": "HMAC-SHA256",
    } | changes
    return {name: value for name, value in given.items() if value}


def basic(door: Door, name: str = "read_write", **changes: str) -> tuple[str, str]:
    key, secret = door.secrets(name)
    return changes.get("key", key), changes.get("secret", secret)


CASES: dict[str, list[Any]] = {
    "not_https": [
        lambda door: {"base_url": HTTP, "auth": basic(door)},
        lambda door: {
            "base_url": HTTP,
            "query_string": dict(zip(("consumer_key", "consumer_secret"), basic(door), strict=True)),
        },
    ],
    "proxy_not_trusted": [lambda door: {"base_url": HTTP, "auth": basic(door), "headers": PROXIED}],
    "unknown_key": [
        lambda door: {"auth": basic(door, key="ck_" + "0" * 40)},
        lambda door: {"auth": basic(door, "revoked")},
        lambda door: {"query_string": oauth(door, oauth_consumer_key="ck_" + "0" * 40)},
    ],
    "wrong_secret": [lambda door: {"auth": basic(door, secret="cs_" + "0" * 40)}],
    "wrong_scope": [lambda door: {"auth": basic(door, "read")}],
    "oauth_incomplete": [lambda door: {"query_string": oauth(door, oauth_nonce="")}],
    "wrong_signature": [lambda door: {"query_string": oauth(door)}],
    "signature_method": [lambda door: {"query_string": oauth(door, oauth_signature_method="PLAINTEXT")}],
    "unusable": [
        lambda door: {"headers": {"Authorization": "Bearer something"}},
        lambda door: {"headers": {"Authorization": "Basic Y2tfMTpj\xffjc18x"}},
    ],
}


@pytest.mark.parametrize("compat", ["documented", "woopayments"])
@pytest.mark.parametrize("reason", CASES)
def test_a_refused_credential_is_one_line_and_one_count_with_its_reason(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture, reason: str, compat: str
) -> None:
    caplog.set_level(logging.INFO)
    door = make_door(metrics_token=TOKEN, compat=compat)
    for case in CASES[reason]:
        caplog.clear()
        assert door.post(key=None, json={"order_id": 19}, **case(door)).status_code == 401
        assert len([line for line in caplog.messages if " were refused: " in line]) == 1
        assert "credentials from 203.0.113.9 were refused: " in caplog.text
    assert counted(door.app, "credentials") == {reason: len(CASES[reason])}
    for name in door.pairs:
        assert door.secrets(name)[1] not in caplog.text


def test_who_sends_no_credentials_or_good_ones_is_not_counted(door: Door) -> None:
    assert door.get(INTENTS + "/x", key=None).status_code == 401
    assert door.create().status_code == 200
    assert counted(door.app, "credentials") == {}


def test_a_line_names_the_key_and_the_store_if_they_are_known(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    door.post(key=None, auth=basic(door, secret="cs_wrong"))
    truncated = door.pairs["read_write"].key.truncated
    assert f"(the key ...{truncated} of {door.store.id})" in caplog.text


def test_too_many_and_a_wrong_token_are_counted_too(make_door: MakeDoor) -> None:
    door = make_door(metrics_token=TOKEN, rate_limit="1/minute")
    for status in (401, 429, 429):
        assert door.post(key=None, auth=("ck_x", "cs_x")).status_code == status
    assert door.get("/bridge/v1/metrics", key=None, headers={"Authorization": "Bearer x"}).status_code == 401
    assert counted(door.app, "credentials") == {"unknown_key": 1, "rate_limited": 2, "wrong_token": 1}


def test_a_flood_of_refusals_is_not_a_flood_of_writes(door: Door) -> None:
    written: list[str] = []
    database = door.bridge.services.database
    database.watchers = [*database.watchers, lambda _connection, text, _values: written.append(text)]
    for _ in range(50):
        door.post(key=None, auth=("ck_x", "cs_x"))
    assert len([text for text in written if "refusals" in text]) <= 2
    door.clock.advance(11)
    door.get("/bridge/v1/health/live", key=None)
    assert len([text for text in written if "refusals" in text]) <= 4
    assert counted(door.app, "credentials") == {"unknown_key": 50}


def test_processes_add_to_the_same_counts_and_write_the_last_when_they_end(
    door: Door, make_local: MakeLocal, sqlite_url: str
) -> None:
    with_key = {"database_url": sqlite_url, "secret_key": "k" * 32, "public_url": (HTTPS,), "metrics_token": TOKEN}
    other = Bridge(clock=door.clock, **with_key)  # type: ignore[arg-type]
    from bridge import create_app

    app = create_app(other)
    for _ in range(3):
        door.post(key=None, auth=("ck_x", "cs_x"))
        app.test_client().get(INTENTS + "/x", base_url=HTTPS, auth=("ck_x", "cs_x"))
    other.close()
    assert counted(door.app, "credentials") == {"unknown_key": 6}


def test_a_refused_message_is_one_line_and_one_count_with_its_reason(
    stripe: Local, caplog: pytest.LogCaptureFixture
) -> None:
    stripe.create()
    sent, foreign = message(stripe), message(stripe, secret=OTHER_SECRET)
    assert deliver(stripe, foreign).status_code == 400
    assert refused(caplog) == [
        f"a message to the endpoint {stripe.store.id} was refused: "
        "The signature was not made with this store's webhook_secret."
    ]
    deliver(stripe, sent, headers={})
    for name in ("nobody", "somebody"):
        deliver(stripe, sent, endpoint=name)
    stripe.clock.advance(301)
    deliver(stripe, sent)
    assert counted(stripe.app, "messages") == {"wrong_signature": 1, "unsigned": 1, "unknown_endpoint": 2, "too_old": 1}
    assert len(refused(caplog)) == 5
    assert SECRET not in caplog.text


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "was refused" in line]


def told(local: Local) -> list[str]:
    return [check["text"] for check in operate_json(local, "doctor", code=1) if check["about"] == "messages"]


def test_doctor_names_an_endpoint_that_refuses_what_comes_until_something_is_accepted(stripe: Local) -> None:
    stripe.create()
    for _ in range(3):
        deliver(stripe, message(stripe, secret=OTHER_SECRET))
        deliver(stripe, message(stripe), endpoint="nobody")
    stripe.clock.advance(60)
    (text,) = told(stripe)
    assert f"endpoint {stripe.store.id} are refused (wrong_signature, 3 in all, the last one 1 minutes ago)" in text
    assert deliver(stripe, message(stripe)).status_code == 200
    assert told(stripe) == []


def test_doctor_forgets_what_was_refused_a_day_ago(stripe: Local) -> None:
    stripe.create()
    deliver(stripe, message(stripe, secret=OTHER_SECRET))
    assert len(told(stripe)) == 1
    stripe.clock.advance(24 * 3600 + 1)
    assert told(stripe) == []


def test_a_hint_that_makes_no_sense_is_told(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    keys.create(door.bridge.services, door.store.id, Permissions.WRITE)
    assert door.post("/wp-json/wc/v3/payments/webhook", json={"nothing": 1}).status_code == 400
    assert "a hint was not accepted: type not found in array" in caplog.text
