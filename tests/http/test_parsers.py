"""Whatever a stranger or a client sends, each parser answers: never a fault of the bridge's own, never nothing.

A slice that is the same in every run. `make test BATTERY=full ARGS="tests/http/test_parsers.py --hypothesis-seed=7"`
tries a thousand times as much, which the seed decides.
"""

import base64
import hashlib
import hmac
import json
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.strategies import SearchStrategy
from werkzeug.test import TestResponse

from bridge.domain.stores import STORE_OPTIONS, Store
from bridge.registry import stores
from tests.http.conftest import HTTPS, Door, MakeDoor
from tests.http.payments import PAYMENTS
from tests.http.test_routes import code_of
from tests.plugins.local import INTENTS

FULL = os.environ.get("BATTERY") == "full"
WEBHOOK_SECRET = "whsec_0123456789abcdef"

odd = strategies.sampled_from(
    [
        "",
        "\x00",
        "�",
        "%",
        "%00",
        "%zz",
        "&",
        "=",
        ";",
        "+",
        "[",
        "]",
        "[]",
        "[a][]",
        "a[b",
        "\r\n",
        "\x7f",
        "é",
        "٣",
        '"',
        "1e400",
        "-0",
        "9" * 400,
        "null",
        "NaN",
        "{",
        "}",
        "\\",
        "\\ud800",
        ",",
        ":",
        "order_id",
        "metadata",
        "amount",
    ]
)
text = strategies.lists(odd | strategies.text(max_size=6), max_size=12).map("".join)
raw = text.map(lambda told: told.encode("utf-8", "surrogatepass")) | strategies.binary(max_size=60)
values: SearchStrategy[Any] = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | text,
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
documents = values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))
depths = strategies.integers(0, 3_000).map(lambda depth: b"[" * depth + b"{" * (depth % 7))


@strategies.composite
def bodies(draw: Any) -> bytes:
    """JSON, JSON with a part cut out or put in, what is nested deep, and no JSON at all."""
    body: bytes = draw(documents | documents | depths | raw)
    if draw(strategies.booleans()):
        at = draw(strategies.integers(0, len(body)))
        body = body[:at] + draw(raw) + body[at + draw(strategies.integers(0, 3)) :]
    return body


@strategies.composite
def multiparts(draw: Any) -> bytes:
    part = strategies.sampled_from(
        [
            b'Content-Disposition: form-data; name="order_id"',
            b"Content-Disposition: form-data",
            b"Content-Disposition: form-data; name=",
            b'Content-Disposition: form-data; name="a[b][]"; filename="x"',
            b"Content-Type: ",
            b"X: " + b"y" * 300,
            b"",
            b":",
        ]
    )
    lines = draw(strategies.lists(part | raw | strategies.just(b"--b") | strategies.just(b"--b--"), max_size=10))
    return b"--b\r\n" + b"\r\n".join(lines)


def sized(examples: int) -> settings:
    return settings(
        max_examples=1_000 * examples if FULL else examples,
        derandomize=not FULL,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        print_blob=True,
    )


def holds(answer: TestResponse) -> None:
    assert answer.status_code < 600
    assert code_of(answer) != "internal_server_error", answer.data
    assert b"Traceback" not in answer.data
    assert answer.status_code < 500 or isinstance(answer.get_json(silent=True), dict)


JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"


@pytest.mark.parametrize("key", [None, "read_write"])
@pytest.mark.parametrize(
    "path", [f"{PAYMENTS}/refund", f"{INTENTS}/preview", f"{PAYMENTS}/orders/19/create_terminal_intent"]
)
def test_bodies(door: Door, path: str, key: str | None) -> None:
    @sized(12)
    @given(
        kind=strategies.sampled_from([JSON, FORM, MULTIPART, "application/x+json", ""]), body=bodies() | multiparts()
    )
    def some(kind: str, body: bytes) -> None:
        holds(door.post(path, key=key, data=body, content_type=kind))

    some()


def test_queries_and_names_in_addresses(door: Door) -> None:
    @sized(25)
    @given(
        query=raw,
        name=raw,
        route=strategies.sampled_from(["transactions", "authorizations", "charges/{}", "timeline/{}"]),
    )
    def some(query: bytes, name: bytes, route: str) -> None:
        named = "".join(f"%{byte:02x}" for byte in name)
        for path in (f"{PAYMENTS}/{route.format(named)}", f"/bridge/v1/pay/{named}", f"/bridge/v1/assets/{named}"):
            holds(door.get(path, environ_overrides={"QUERY_STRING": query.decode("latin-1")}))

    some()


def test_credentials_and_keys_of_idempotency(door: Door) -> None:
    basic = raw.map(lambda told: b"Basic " + base64.b64encode(told))
    oauth = raw.map(lambda told: b'OAuth oauth_consumer_key="ck_1", oauth_nonce=' + told)
    signed = raw.map(
        lambda told: b"oauth_consumer_key=ck_1&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1&oauth_nonce=" + told
    )

    @sized(25)
    @given(word=basic | oauth | raw, query=signed | raw, key=raw)
    def some(word: bytes, query: bytes, key: bytes) -> None:
        def header(told: bytes) -> str:
            return told.decode("latin-1").translate({10: None, 13: None, 0: None})

        environ = {"HTTP_AUTHORIZATION": header(word), "QUERY_STRING": header(query)}
        holds(door.get(f"{INTENTS}/pi_1", key=None, environ_overrides=environ))
        environ = {"HTTP_IDEMPOTENCY_KEY": header(key)}
        holds(door.post(f"{PAYMENTS}/refund", json={"order_id": 987}, environ_overrides=environ))

    some()


def test_signed_messages_of_a_provider(make_door: MakeDoor) -> None:
    door = make_door()
    told = {"secret_key": "sk_test_x", "account": "acct_1", "webhook_secret": WEBHOOK_SECRET}
    store = Store(
        "", "https://two.example", "stripe_connect", False, "automatic", HTTPS, settings=told, options=STORE_OPTIONS
    )
    path = f"/bridge/v1/webhooks/{stores.add(door.bridge.services, replace(store), ()).id}"
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "account": "acct_1",
        "created": 1,
        "livemode": False,
    }
    places = strategies.sampled_from([*event, "data"])
    events = strategies.dictionaries(places, values, max_size=3).map(
        lambda odd: json.dumps({**event, **odd}).encode("utf-8", "surrogatepass")
    )

    @sized(40)
    @given(body=events | bodies(), header=strategies.none() | text)
    def some(body: bytes, header: str | None) -> None:
        now = int(door.clock())
        mac = hmac.new(WEBHOOK_SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        sign = (
            f"t={now},v1={mac}"
            if header is None
            else header.encode("utf-8", "replace").decode("latin-1").translate({10: None, 13: None, 0: None})
        )
        holds(
            door.post(path, key=None, data=body, content_type=JSON, environ_overrides={"HTTP_STRIPE_SIGNATURE": sign})
        )

    some()
