"""Requests that make no sense, with secrets at every place: what careless clients, scanners and fuzzers send.

Each is whole, so that a server need not wait for the rest, and asks for the end of its connection.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from bridge.selftest.system_under_test import INTENTS, PAYMENTS

DEEP = 100_000
"""So many brackets no parser follows."""


@dataclass(frozen=True)
class Secrets:
    """All that a client, an owner or a provider may put at the wrong place. `key` and `secret` are a store's own;
    `endpoint` is where its provider's messages go, `now` what time it is there (Unix seconds)."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    endpoint: str
    order: int
    now: float

    @property
    def basic(self) -> str:
        return base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()

    @property
    def all(self) -> tuple[str, ...]:
        return (self.basic, self.key, self.secret, self.token, self.webhook_secret)

    @property
    def query(self) -> str:
        return f"consumer_key={self.key}&consumer_secret={self.secret}"


@dataclass(frozen=True)
class Malformed:
    """`refused` is whether nothing but a refusal will do: else what is odd about it may be passed over."""

    name: str
    data: bytes = field(repr=False)
    refused: bool = True


def malformed(secrets: Secrets) -> Iterator[Malformed]:
    """All of them, in the same order every time."""
    yield from _request_lines(secrets)
    yield from _headers(secrets)
    yield from _credentials(secrets)
    yield from _chunks(secrets)
    yield from _forms(secrets)
    yield from _json(secrets)
    yield from _messages(secrets)
    yield from _queries(secrets)


def mutate(random: Random, data: bytes, secrets: Secrets) -> bytes:
    """The same with one to three small faults, beside the secrets: a half of one nobody can know for what it is."""
    for _ in range(random.randint(1, 3)):
        at, length = _place(random, data, secrets)
        odd = random.choice((b"\0", b"\r", b"\n", b"\r\n", b" ", b":", b"\xff", b"%", b"{", b"\t", b"[]", b"\r\n\r\n"))
        data = random.choice(
            (
                data[:at] + odd + data[at:],
                data[:at] + data[at + length :],
                data[:at] + odd + data[at + length :],
                data[:at] + data[at : at + length] * 2 + data[at + length :],
            )
        )
    return data


def _place(random: Random, data: bytes, secrets: Secrets) -> tuple[int, int]:
    """Where, and how many bytes."""
    whole = b"|".join(re.escape(each.encode()) for each in secrets.all)
    taken = [found.span() for found in re.finditer(whole, data)]
    while True:
        at, length = random.randrange(len(data) + 1), random.choice((1, 1, 2, 8, 40))
        if not any(at < end and at + length > start for start, end in taken):
            return at, length


def _head(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, "Host: bridge", "Connection: close", *headers, "", ""]).encode("latin-1")


def _post(path: str, body: bytes | str, content_type: str, *headers: str) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    own = (f"Content-Type: {content_type}", f"Content-Length: {len(content)}")
    return _head(f"POST {path} HTTP/1.1", *own, *headers) + content


def _request_lines(s: Secrets) -> Iterator[Malformed]:
    path = f"{PAYMENTS}/transactions"
    lines = {
        "a space in the query": f"GET {path}?search=a b&{s.query} HTTP/1.1",
        "another script in the query": f"GET {path}?q=\xe9&{s.query} HTTP/1.1",
        "a tab in the query": f"GET {path}?q=\t&{s.query} HTTP/1.1",
        "a zero in the query": f"GET {path}?q=\0&{s.query} HTTP/1.1",
        "a method that is none": f"{s.secret}@ {path} HTTP/1.1",
        "a version that is none": f"GET {path} HTTP/{s.secret}",
        "a version to come": f"GET {path}?{s.query} HTTP/9.9",
        "no version": f"GET {path}?{s.query}",
        "no target": f"GET  HTTP/1.1 {s.secret}",
        "nothing but a secret": s.secret,
        "a line that is too long": f"GET {path}?{s.query}&a={'a' * 9000} HTTP/1.1",
        "an absolute address that is none": f"GET http://{s.key}:{s.secret}@[bridge/{path}?{s.query} HTTP/1.1",
        "the preface of HTTP/2": f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{s.secret}",
    }
    for name, line in lines.items():
        yield Malformed(f"request line: {name}", _head(line))
    without_path = _head(f"GET http://{s.key}:{s.secret}@bridge?{s.query} HTTP/1.1")
    yield Malformed("request line: an absolute address without a path", without_path, refused=False)
    bare = f"GET {path}?{s.query} HTTP/1.1\nHost: bridge\n\n"
    yield Malformed("request line: bare line feeds", bare.encode())
    for method in ("TRACE", "CONNECT", "PATCH", "get"):
        yield Malformed(f"request line: {method}", _head(f"{method} {path}?{s.query} HTTP/1.1"))
    yield Malformed("request line: a secret as path", _head(f"GET /{s.secret}/{s.basic} HTTP/1.1"))
    yield Malformed("request line: a bad escape", _head(f"GET {path}/%zz%{s.secret}?{s.query} HTTP/1.1"))


def _headers(s: Secrets) -> Iterator[Malformed]:
    get = f"GET {PAYMENTS}/transactions HTTP/1.1"
    lines = {
        "without colon": f"Authorization Basic {s.basic}",
        "a space before the colon": f"Authorization : Basic {s.basic}",
        "folded": f"Authorization: Basic\r\n {s.basic}",
        "a control character": f"Authorization: Basic \x01{s.basic}",
        "a zero": f"Authorization: Basic \0{s.basic}",
        "a name that is none": f"{s.secret}@: a",
        "no name": f": {s.secret}",
        "too long": f"Authorization: Basic {s.basic}{'a' * 9000}",
        "too many": "\r\n".join([f"X-{number}: {s.secret}" for number in range(101)]),
        "a length that is none": f"Content-Length: {s.secret}",
        "two lengths": f"Content-Length: 1\r\nContent-Length: 2\r\nX-A: {s.secret}",
        "a negative length": f"Content-Length: -1\r\nX-A: {s.secret}",
        "a coding that is none": f"Transfer-Encoding: {s.secret}",
        "length and chunks": f"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nX-A: {s.secret}\r\n\r\n0",
        "an expectation": f"Expect: {s.secret}",
    }
    for name, line in lines.items():
        yield Malformed(f"header: {name}", _head(get, line))
    for name in ("X-Request-Id", "Cookie", "User-Agent", "Referer", "X-Forwarded-For", "Origin", "Accept", "Via"):
        for value in (s.secret, f"https://a/?{s.query}", f"Basic {s.basic}"):
            yield Malformed(f"header: a secret in {name}", _head(get, f"{name}: {value}"))
    yield Malformed("header: a secret in Host", _head(get, f"Host: {s.secret}"))


def _credentials(s: Secrets) -> Iterator[Malformed]:
    get = f"GET {PAYMENTS}/transactions HTTP/1.1"
    wrong = base64.b64encode(f"{s.key}:cs_{'0' * 28}{s.secret[-12:]}".encode()).decode()
    swapped = base64.b64encode(f"{s.secret}:{s.key}".encode()).decode()
    alone = base64.b64encode(s.secret.encode()).decode()
    for value in (
        f"Basic {s.basic[:-9]}!{s.basic[-8:]}",
        f"Basic {wrong}",
        f"Basic {swapped}",
        f"Basic {alone}",
        f"Basic {s.key}:{s.secret}",
        f"Bearer {s.secret}",
        f"Bearer {s.basic}",
        f"Digest username={s.key}, response={s.secret}",
        f'OAuth oauth_consumer_key="{s.key}", oauth_signature="{s.secret}", oauth_token="{s.secret}"',
        f"{s.key} {s.secret}",
        s.basic,
        f"Token {s.token}",
    ):
        yield Malformed("credentials: Authorization", _head(get, f"Authorization: {value}"))
    twice = (f"Authorization: Basic {s.basic}", f"Authorization: Bearer {s.secret}")
    yield Malformed("credentials: two of them", _head(get, *twice), refused=False)
    for query in (
        s.query,
        f"consumer_key[]={s.key}&consumer_secret[]={s.secret}",
        f"consumer_key={s.secret}&consumer_secret={s.key}",
        f"consumer_secret={s.secret}",
        f"CONSUMER_KEY={s.key}&CONSUMER_SECRET={s.secret}",
        f"oauth_consumer_key={s.key}&oauth_signature={s.secret}&oauth_timestamp={s.secret}&oauth_nonce={s.secret}",
        f"token={s.token}&password={s.secret}",
        f"_method=DELETE&{s.query}",
        f"rest_route=/wc/v3/{s.secret}&{s.query}",
    ):
        yield Malformed("credentials: the query", _head(f"GET {PAYMENTS}/transactions?{query} HTTP/1.1"))
    for path in (f"/bridge/v1/metrics?token={s.token}", f"/bridge/v1/pay/{s.secret}", f"{INTENTS}/{s.secret}"):
        yield Malformed("credentials: elsewhere", _head(f"GET {path} HTTP/1.1", f"Authorization: Bearer {s.secret}"))


def _chunks(s: Secrets) -> Iterator[Malformed]:
    bodies = {
        "a size that is none": f"{s.secret}\r\n",
        "a hexadecimal prefix": f"0x5\r\nhello\r\n{s.secret}",
        "a negative size": f"-1\r\n{s.secret}",
        "a wrong end": f"1\r\n{s.secret}\r\n",
        "a trailer that is none": f"0\r\nHost: {s.secret}\r\n\r\n",
        "an extension": f"0;a={s.secret}\n\r\n\r\n",
        "a size without end": f"{'f' * 20}\r\n{s.secret}",
    }
    for name, body in bodies.items():
        for path in (f"/bridge/v1/webhooks/{s.endpoint}", f"{PAYMENTS}/refund"):
            yield Malformed(
                f"chunks: {name}", _head(f"POST {path} HTTP/1.1", "Transfer-Encoding: chunked") + body.encode()
            )


def _forms(s: Secrets) -> Iterator[Malformed]:
    path, basic = f"{PAYMENTS}/refund", f"Authorization: Basic {s.basic}"
    part = "--b\r\nContent-Disposition: form-data"
    parts = {
        "no name": f"{part}\r\n\r\n{s.secret}\r\n--b--\r\n",
        "an empty name": f"{part}; name=\r\n\r\n{s.secret}\r\n--b--\r\n",
        "an end that is missing": f'{part}; name="a"\r\n\r\n{s.secret}',
        "a header that is none": f"--b\r\n{s.secret}\r\n\r\na\r\n--b--\r\n",
        "a file": f'{part}; name="a"; filename="{s.secret}"\r\n\r\n{s.secret}\r\n--b--\r\n',
        "many parts": f'{part}; name="{s.secret}"\r\n\r\na\r\n' * 2000 + "--b--\r\n",
        "nothing": "",
    }
    for name, body in parts.items():
        for headers in ((), (basic,)):
            yield Malformed(f"multipart: {name}", _post(path, body, "multipart/form-data; boundary=b", *headers))
    yield Malformed("multipart: no boundary", _post(path, s.secret, "multipart/form-data", basic))
    yield Malformed(
        "multipart: a boundary of secrets", _post(path, s.secret, f"multipart/form-data; boundary={s.secret}")
    )
    for body in (f"a[[={s.secret}&%zz=%", f"order_id={s.secret}", f"{s.secret}&&&&==", f"a{'[b]' * 500}={s.secret}"):
        yield Malformed("form", _post(path, body, "application/x-www-form-urlencoded", basic))
    yield Malformed(
        "form: not UTF-8", _post(path, b"a=\xff\xfe" + s.secret.encode(), "application/x-www-form-urlencoded", basic)
    )


def _json(s: Secrets) -> Iterator[Malformed]:
    basic = f"Authorization: Basic {s.basic}"
    bodies: Mapping[str, bytes | str] = {
        "cut": f'{{"order_id": {s.order}, "customer": "{s.secret}',
        "no object": f'["{s.secret}"]',
        "a text": f'"{s.secret}"',
        "deep": "[" * DEEP + s.secret,
        "an endless number": f'{{"order_id": 1e999999, "customer": "{s.secret}"}}',
        "a huge number": f'{{"order_id": {"9" * 5000}, "customer": "{s.secret}"}}',
        "half a character": f'{{"order_id": "\\ud800", "customer": "{s.secret}"}}',
        "a zero": f'{{"order_id": "\\u0000{s.secret}"}}',
        "wrong types": f'{{"order_id": {{"{s.secret}": []}}, "customer": [], "payment_method": {{}}}}',
        "a secret as order": f'{{"order_id": "{s.secret}", "customer": "cus_1", "payment_method": "pm_1"}}',
        "names twice": f'{{"order_id": 1, "order_id": "{s.secret}"}}',
        "not UTF-8": b'{"order_id": "\xff\xfe"}' + s.secret.encode(),
        "UTF-16": f'{{"customer": "{s.secret}"}}'.encode("utf-16"),
        "nothing": "",
        "PHP": f"<?php echo '{s.secret}'; ?>",
    }
    for name, body in bodies.items():
        yield Malformed(f"JSON: {name}", _post(INTENTS, body, "application/json", basic))
        yield Malformed(f"JSON, a refund: {name}", _post(f"{PAYMENTS}/refund", body, "application/json", basic))
    odd = _post(INTENTS, f'{{"customer": "{s.secret}"}}', f"application/json; charset={s.secret}", basic)
    yield Malformed("JSON: a charset that is none", odd)
    key = _post(INTENTS, "{}", "application/json", basic, f"Idempotency-Key: {s.secret}\x7f")
    yield Malformed("JSON: a key that is none", key)


def _messages(s: Secrets) -> Iterator[Malformed]:
    path = f"/bridge/v1/webhooks/{s.endpoint}"
    intent = f'{{"id": "pi_1", "object": "payment_intent", "client_secret": "pi_1_secret_{s.secret}"}}'
    event = '{{"id": "evt_{0}", "type": "payment_intent.succeeded", "created": {1}, "data": {{"object": {2}}}}}'
    bodies: Mapping[str, bytes | str] = {
        "no JSON": s.secret,
        "deep": "[" * DEEP + s.secret,
        "no object": f'["{s.secret}"]',
        "no object in it": event.format(1, int(s.now), f'"{s.secret}"'),
        "an endless time": event.format(2, "1" + "0" * 400, intent),
        "half a character": event.format("\\ud800", int(s.now), intent),
        "cut": event.format(3, int(s.now), intent)[:-40],
        "not UTF-8": b'{"id": "\xff\xfe"}' + s.secret.encode(),
    }
    for name, body in bodies.items():
        content = body.encode() if isinstance(body, str) else body
        for signature in (_signed(s, content), f"t={int(s.now)},v1={s.webhook_secret}", s.webhook_secret, "t=,v1="):
            sent = _post(path, content, "application/json", f"Stripe-Signature: {signature}")
            yield Malformed(f"message: {name}", sent, refused=name != "no object in it")
    for endpoint in (s.webhook_secret, "x" * 64, f"{s.endpoint}%00", f"{s.endpoint}/{s.secret}"):
        yield Malformed(
            "message: no such endpoint", _post(f"/bridge/v1/webhooks/{endpoint}", s.secret, "application/json")
        )
    for body in (f'{{"id": "{s.secret}"}}', s.secret, "", "webhook_id=1"):
        own = ("User-Agent: WooCommerce/9.9 Hookshot (WordPress/6.6)", f"X-WC-Webhook-Signature: {s.secret}")
        topic = (f"X-WC-Webhook-Topic: {s.secret}", f"X-WC-Webhook-Delivery-ID: {s.secret}")
        sent = _post(path, body, "application/json", *own, *topic)
        yield Malformed("message: of a store", sent, refused=not body.startswith("webhook_id"))  # WooCommerce's ping
    for body in (f'{{"eventId": "{s.secret}"}}', '{"eventType": []}', f'{{"data": "{s.secret}"}}'):
        yield Malformed(
            "message: a hint",
            _post(f"{PAYMENTS}/webhook", body, "application/json", f"Authorization: Basic {s.basic}"),
            refused=False,
        )


def _signed(s: Secrets, body: bytes) -> str:
    """As Stripe signs: https://docs.stripe.com/webhooks#verify-manually"""
    moment = int(s.now)
    digest = hmac.new(s.webhook_secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def _queries(s: Secrets) -> Iterator[Malformed]:
    basic = f"Authorization: Basic {s.basic}"
    for query in (
        f"page={s.secret}",
        f"per_page=-1&search={s.secret}",
        f"sort={s.secret}",
        "page=1e9",
        "per_page=" + "9" * 400,
    ):
        yield Malformed("query", _head(f"GET {PAYMENTS}/transactions?{query} HTTP/1.1", basic), refused=False)
    for query in ("a[b=%00", "a" + "[]" * 1000, "&" * 3000, "%" * 100, "a=%ff%fe", "__proto__[a]=1"):
        yield Malformed("query", _head(f"GET {INTENTS}/pi_1?{query}&{s.query} HTTP/1.1", basic))
