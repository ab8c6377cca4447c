"""Messages that are signed and make no sense, and bodies that cannot be read: 400 and one short line, never a fault."""

import hmac
import logging
from base64 import b64encode
from collections.abc import Callable, Sequence
from io import BytesIO

import pytest
from werkzeug.test import Client, TestResponse

from tests.http.conftest import BODY, Door
from tests.plugins.local import INTENTS, PLATFORM_KEY, Local, MakeLocal

SECRET = "whsec_0123456789abcdef"
RELAY = "relay-secret-of-thirty-two-letters-or-more"
REFUSED = (400, "wcpay_event_refused")
NONSENSE = {
    "nested too deep": b"[" * 100_000,
    "objects nested too deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nested deep inside": b'{"id": "evt_1", "type": "a", "data": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
    "no JSON": b"{",
    "nothing": b"",
    "no UTF-8": b'{"id": "\xff"}',
    "another encoding": '{"id": "evt_1", "type": "a"}'.encode("utf-16"),
    "not a number": b'{"id": "evt_1", "type": "a", "created": NaN}',
    "infinity": b'{"id": "evt_1", "type": "a", "created": -Infinity}',
    "a decimal beyond all": b'{"id": "evt_1", "type": "a", "created": 1e400}',
    "an integer beyond all": b'{"id": "evt_1", "type": "a", "created": 1' + b"0" * 400 + b"}",
    "an integer of 5,000 digits": b'{"id": "evt_1", "type": "a", "created": 1' + b"0" * 5000 + b"}",
    "half a character": b'{"id": "\\ud800", "type": "a"}',
    "half a character in a name": b'{"id": "evt_1", "type": "a", "\\udfff": 1}',
    "half a character deep inside": b'{"id": "evt_1", "type": "a", "data": {"object": [{"id": "\\ud800"}]}}',
    "a list": b"[]",
    "a text": b'"a"',
    "null": b"null",
}
AMOUNTS = ['"1e400"', "1e26", '"' + "9" * 27 + '"', '"-1e400"', '"1e-400"', '"1e999999999999999999"', "9" * 19]

Send = Callable[[bytes], TestResponse]


def post(local: Local, body: bytes, headers: dict[str, str]) -> TestResponse:
    client = Client(local.app, use_cookies=False)
    return client.post(f"/bridge/v1/webhooks/{local.store.id}", base_url="http://127.0.0.1", data=body, headers=headers)


def to_stripe(make_local: MakeLocal, database_url: str) -> Send:
    local = make_local(database_url, "stripe_connect", settings={"webhook_secret": SECRET})

    def send(body: bytes) -> TestResponse:
        now = str(int(local.clock()))
        signed = hmac.new(SECRET.encode(), now.encode() + b"." + body, "sha256").hexdigest()
        return post(local, body, {"Stripe-Signature": f"t={now},v1={signed}"})

    return send


def to_forte_payments(make_local: MakeLocal, database_url: str) -> Send:
    account = {"client_id": "shop-7", "client_secret": "secret", "api_base": "http://127.0.0.1:9"}
    settings = {"webhook_secret": SECRET, "signature_header": "X-Signature", **account}
    local = make_local(database_url, "forte_payments", settings=settings)
    return lambda body: post(local, body, {"X-Signature": hmac.new(SECRET.encode(), body, "sha256").hexdigest()})


def to_forte_platform(make_local: MakeLocal, database_url: str) -> Send:
    project = {"api_key": PLATFORM_KEY, "project": "p", "default_user": "usr_1AbC", "host": "http://127.0.0.1:9"}
    local = make_local(database_url, "forte_platform", settings={"relay_secret": RELAY, **project})

    def send(body: bytes) -> TestResponse:
        now = str(int(local.clock()))
        signed = hmac.new(RELAY.encode(), now.encode() + b"." + body, "sha256").hexdigest()
        return post(local, body, {"X-Bridge-Relay-Signature": f"t={now},v1={signed}"})

    return send


def from_the_store(make_local: MakeLocal, database_url: str) -> Send:
    local = make_local(database_url)
    secret = local.bridge.services.vault.shop_secret(local.store.id)

    def send(body: bytes) -> TestResponse:
        headers = {
            "User-Agent": "WooCommerce/10.5.0 Hookshot (WordPress/6.9)",
            "X-WC-Webhook-Topic": "order.updated",
            "X-WC-Webhook-Signature": b64encode(hmac.digest(secret.encode(), body, "sha256")).decode(),
        }
        return post(local, body, headers)

    return send


UNSTORABLE = {
    "a NUL": b'{"id": "evt_\\u0000", "type": "a"}',
    "a NUL in the type": b'{"id": "evt_1", "type": "\\u0000"}',
    "an id without end": b'{"id": "' + b"a" * 300 + b'", "type": "a"}',
}


@pytest.mark.parametrize("name", UNSTORABLE)
def test_what_no_database_keeps_is_refused(make_local: MakeLocal, database_url: str, name: str) -> None:
    answer = to_stripe(make_local, database_url)(UNSTORABLE[name])
    assert (answer.status_code, answer.get_json().get("code")) == REFUSED


def refused(send: Send, caplog: pytest.LogCaptureFixture, but: Sequence[str] = ()) -> None:
    """All nonsense is, `but` what is taken without effect."""
    caplog.set_level(logging.INFO)
    answers = {name: send(body) for name, body in NONSENSE.items()}
    told = {name: (answer.status_code, answer.get_json().get("code")) for name, answer in answers.items()}
    assert told == dict.fromkeys(NONSENSE, REFUSED) | dict.fromkeys(but, (200, None))
    assert not [record for record in caplog.records if record.exc_info]
    assert len([line for line in caplog.messages if " was refused: " in line]) == len(NONSENSE) - len(but)
    assert max(map(len, caplog.messages), default=0) < 300


@pytest.mark.parametrize("to", [to_stripe, to_forte_payments])
def test_signed_nonsense_is_refused(
    make_local: MakeLocal, database_url: str, caplog: pytest.LogCaptureFixture, to: Callable[..., Send]
) -> None:
    refused(to(make_local, database_url), caplog)


def test_nonsense_that_the_shop_has_signed_is_refused_unless_it_is_empty(
    make_local: MakeLocal, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty one names no order: a refusal would count against the webhook, which WooCommerce switches off after
    five."""
    refused(from_the_store(make_local, database_url), caplog, but=("a list", "null"))


def test_a_trigger_that_makes_no_sense_has_no_effect(
    make_local: MakeLocal, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Forte Platforms would send what is refused five times: it is taken, and nothing comes of it."""
    send = to_forte_platform(make_local, database_url)
    fired = b'{"userId": "u", "paymentId": "pay_1", "state": "COMPLETED", "paymentTime": %s}'
    times = [fired % time for time in (b"1e400", b'"9999-12-31T23:59:59+00:00"', b"1" * 400, b'"0001-01-01T00:00:00Z"')]
    for body in (*NONSENSE.values(), *times):
        assert send(body).status_code in (200, 400)
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_a_sum_that_nobody_can_pay_is_refused(make_local: MakeLocal, database_url: str, amount: str) -> None:
    send = to_forte_payments(make_local, database_url)
    answer = send(b'{"id": "1", "event": "payment_approved", "data": {"amount": %s}}' % amount.encode())
    told = (answer.status_code, answer.get_json().get("code"))
    assert told == ((200, None) if amount == '"1e-400"' else REFUSED)


class Unreadable(BytesIO):
    """A body whose chunks are malformed, as gunicorn's own worker hands it on."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, *_: object) -> bytes:
        raise self._error

    readinto = readline = read  # type: ignore[assignment]


@pytest.mark.parametrize(
    "path", [INTENTS, "/wp-json/wc/v3/payments/refund", "/bridge/v1/webhooks/x", "/wp-json/nothing"]
)
@pytest.mark.parametrize("name", ["InvalidChunkSize", "ChunkMissingTerminator", "InvalidChunkExtension", "NoMoreData"])
def test_a_body_that_the_server_cannot_read_is_refused(
    door: Door, caplog: pytest.LogCaptureFixture, path: str, name: str
) -> None:
    from gunicorn.http import errors

    caplog.set_level(logging.INFO)
    stream = Unreadable(getattr(errors, name)(b"zz cs_0123456789abcdef"))
    chunked = {"headers": {"Transfer-Encoding": "chunked"}, "environ_overrides": {"wsgi.input_terminated": True}}
    answer = door.post(path, input_stream=stream, **chunked)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "rest_bad_request")
    assert not [record for record in caplog.records if record.exc_info]
    assert "zz" not in caplog.text
    assert b"zz" not in answer.data


def part(head: str, value: str = "x") -> str:
    return f"--b\r\nContent-Disposition: form-data{head}\r\n\r\n{value}\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        part(""),
        part("; name="),
        part('; name=""'),
        part("; filename=a"),
        part('; filename="a"; name='),
        part('; name=" "'),
        part("; name*=utf-8''"),
    ],
)
def test_a_part_without_a_name_is_ignored_as_php_ignores_it(door: Door, parts: str) -> None:
    named = "".join(part(f'; name="{name}"', str(value)) for name, value in BODY.items())
    body = (named + parts + "--b--\r\n").encode()
    answer = door.post(data=body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.get_json().get("order_id", 19)) == (200, 19)
    nobody = door.post(data=body, content_type="multipart/form-data; boundary=b", key=None)
    assert nobody.status_code == 401


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        ("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n", "b"),
        ("--b\r\n\r\nx\r\n--b--\r\n", "b"),
        ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nno end", "b"),
        ("nothing at all", "b"),
        ("--b--\r\n", ""),
        ("--b\r\nContent-Disposition: form-data; name=a\r\n no colon\r\n\r\nx\r\n--b--\r\n", "c"),
    ],
)
def test_a_malformed_form_is_refused(door: Door, caplog: pytest.LogCaptureFixture, body: str, boundary: str) -> None:
    answer = door.post(data=body.encode(), content_type=f"multipart/form-data; boundary={boundary}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "rest_bad_request")
    assert not [record for record in caplog.records if record.exc_info]
