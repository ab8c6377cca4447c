"""Credentials, permissions, methods and profiles as one table; then where a secret may be sent at all."""

import json
import logging
from base64 import b64encode
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.http.conftest import BODY, HTTP, HTTPS, Door, MakeDoor
from tests.plugins.local import INTENTS

FORBIDDEN = (401, "rest_forbidden", "Sorry, you are not allowed to do that.")
MISSING = (500, "resource_missing", "Error: No such payment_intent: 'pi_x'")
NO_ROUTE = (404, "rest_no_route", "No route was found matching the URL and request method.")
NO_ORDER = (500, "wcpay_server_error", "Order not found (order_id is missing).")
OPTIONS = (200, None, None)


def woo(message: str) -> tuple[int, str, str]:
    return 401, "woocommerce_rest_authentication_error", message


NO_READ = woo("The API key provided does not have read permissions.")
NO_WRITE = woo("The API key provided does not have write permissions.")
WRONG_SECRET = woo("Consumer secret is invalid.")
UNKNOWN_METHOD = woo("Unknown request method.")

GET, HEAD, POST = ("GET", f"{INTENTS}/pi_x"), ("HEAD", f"{INTENTS}/pi_x"), ("POST", INTENTS)
PUT, DELETE, FOO = ("PUT", INTENTS), ("DELETE", f"{INTENTS}/pi_x"), ("FOO", INTENTS)
NOWHERE, NOWHERE_POST, ASK = ("GET", "/wp-json/wc/v3/x"), ("POST", "/wp-json/wc/v3/x"), ("OPTIONS", INTENTS)
REQUESTS = [GET, HEAD, POST, PUT, DELETE, FOO, NOWHERE, NOWHERE_POST, ASK]

# Each row: credentials, then the answer to each of REQUESTS in the documented and in the woopayments profile.
ANYBODY = [FORBIDDEN, FORBIDDEN, FORBIDDEN, NO_ROUTE, NO_ROUTE, NO_ROUTE, NO_ROUTE, NO_ROUTE, OPTIONS]
MAY_ALL = [MISSING, MISSING, NO_ORDER, NO_ROUTE, NO_ROUTE, UNKNOWN_METHOD, NO_ROUTE, NO_ROUTE, OPTIONS]
MAY_READ = [MISSING, MISSING, NO_WRITE, NO_WRITE, NO_WRITE, UNKNOWN_METHOD, NO_ROUTE, NO_WRITE, OPTIONS]
MAY_WRITE = [NO_READ, NO_READ, NO_ORDER, NO_ROUTE, NO_ROUTE, UNKNOWN_METHOD, NO_READ, NO_ROUTE, OPTIONS]
WOOCOMMERCE_SAYS_NO = {NO_READ, NO_WRITE, UNKNOWN_METHOD}


def documented(row: list[Any]) -> list[Any]:
    """The same refusals, in the one sentence of the published document."""
    return [FORBIDDEN if answer in WOOCOMMERCE_SAYS_NO else answer for answer in row]


MATRIX: list[tuple[str, list[Any], list[Any]]] = [
    ("nothing", ANYBODY, ANYBODY),
    ("unknown key", ANYBODY, ANYBODY),
    ("revoked key", ANYBODY, ANYBODY),
    ("key without a secret", ANYBODY, ANYBODY),
    ("secret without a key", ANYBODY, ANYBODY),
    ("key in another case", ANYBODY, ANYBODY),
    ("bearer", ANYBODY, ANYBODY),
    ("malformed", ANYBODY, ANYBODY),
    ("no ASCII", ANYBODY, ANYBODY),
    ("wrong secret", ANYBODY, [WRONG_SECRET] * len(REQUESTS)),
    ("secret of another key", ANYBODY, [WRONG_SECRET] * len(REQUESTS)),
    ("read_write", documented(MAY_ALL), MAY_ALL),
    ("read", documented(MAY_READ), MAY_READ),
    ("write", documented(MAY_WRITE), MAY_WRITE),
    ("lower-case scheme", documented(MAY_ALL), MAY_ALL),
    ("key with spaces around it", documented(MAY_ALL), MAY_ALL),
    ("query", documented(MAY_ALL), MAY_ALL),
    ("query before header", documented(MAY_ALL), MAY_ALL),
    ("wrong query before header", ANYBODY, [WRONG_SECRET] * len(REQUESTS)),
    ("half a query and the header", documented(MAY_ALL), MAY_ALL),
    ("query twice", documented(MAY_ALL), MAY_ALL),
]


def basic(key: str, secret: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {b64encode(f'{key}:{secret}'.encode()).decode()}"}


def credentials(door: Door, name: str) -> dict[str, Any]:
    """Headers and query of a row."""
    key, secret = door.secrets("read_write")
    headers = {
        "unknown key": basic("ck_" + 40 * "0", secret),
        "revoked key": basic(*door.secrets("revoked")),
        "key without a secret": basic(key, ""),
        "secret without a key": basic("", secret),
        "key in another case": basic(key.upper(), secret),
        "bearer": {"Authorization": f"Bearer {key}"},
        "malformed": {"Authorization": "Basic !"},
        "no ASCII": basic("ck_é😀", "cs_é😀"),
        "wrong secret": basic(key, "cs_" + 40 * "0"),
        "secret of another key": basic(key, door.secrets("read")[1]),
        "read_write": basic(key, secret),
        "read": basic(*door.secrets("read")),
        "write": basic(*door.secrets("write")),
        "lower-case scheme": basic(key, secret, "basic"),
        "key with spaces around it": basic(f" {key} ", secret),
        "query before header": basic(key, "cs_wrong"),
        "wrong query before header": basic(key, secret),
        "half a query and the header": basic(key, secret),
    }.get(name, {})
    queries: dict[str, list[tuple[str, str]]] = {
        "query": [("consumer_key", key), ("consumer_secret", secret)],
        "query before header": [("consumer_key", key), ("consumer_secret", secret)],
        "wrong query before header": [("consumer_key", key), ("consumer_secret", "cs_wrong")],
        "half a query and the header": [("consumer_key", "ck_other"), ("consumer_secret", "")],
        "query twice": [("consumer_key", "ck_x"), ("consumer_key", key), ("consumer_secret", secret)],
    }
    return {"headers": headers, "query_string": "&".join(f"{n}={v}" for n, v in queries.get(name, []))}


@pytest.fixture(params=["documented", "woopayments"])
def profile(request: pytest.FixtureRequest) -> str:
    return request.param


def answer_of(door: Door, request: tuple[str, str], **kwargs: Any) -> tuple[int, Any, Any]:
    method, path = request
    response = door.open(method, path, key=None, **kwargs)
    assert "WWW-Authenticate" not in response.headers
    body = json.loads(response.data) if response.data else {}
    return response.status_code, body.get("code"), body.get("message")


@pytest.mark.parametrize(("name", "in_documented", "in_woopayments"), MATRIX, ids=[row[0] for row in MATRIX])
def test_credentials_permissions_methods_and_profiles(
    make_door: MakeDoor, profile: str, name: str, in_documented: list[Any], in_woopayments: list[Any]
) -> None:
    door = make_door(compat=profile)
    given = credentials(door, name)
    expected = in_woopayments if profile == "woopayments" else in_documented
    answers = [answer_of(door, request, **given) for request in REQUESTS]
    without_body = [
        (status, None, None) if r[0] == "HEAD" else (status, code, text)
        for r, (status, code, text) in zip(REQUESTS, expected, strict=True)
    ]
    assert dict(zip(REQUESTS, answers, strict=True)) == dict(zip(REQUESTS, without_body, strict=True))


def test_without_credentials_the_answer_is_the_published_one_byte_for_byte(door: Door) -> None:
    response = door.create(key=None)
    assert response.status_code == 401
    assert response.data == (
        b'{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":401}}'
    )


def test_permission_follows_the_method_that_counts(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    refused = door.get(f"{INTENTS}?_method=post", key="read")
    assert refused.json["message"] == NO_WRITE[2]
    assert door.post(f"{INTENTS}/pi_x?_method=GET", key="read").json["code"] == "resource_missing"
    override = {"X-HTTP-Method-Override": "GET"}
    assert door.post(f"{INTENTS}/pi_x", key="write", headers=override).json["message"] == NO_READ[2]


def test_refusals_leave_no_secret_in_the_log(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, secret = door.secrets("read_write")
    for given in ({"auth": (key, "cs_wrong_1")}, {"query_string": f"consumer_key={key}&consumer_secret=cs_wrong_2"}):
        door.post(key=None, json=BODY, **given)
    door.post(base_url=HTTP, auth=(key, secret), json=BODY)
    assert "the consumer secret is wrong" in caplog.text
    assert "in clear are taken over https only" in caplog.text
    for word in (key, secret, "cs_wrong_1", "cs_wrong_2"):
        assert word not in caplog.text


def test_the_last_use_of_a_key_is_recorded_at_most_every_five_minutes(door: Door) -> None:
    from bridge.registry import keys

    def last_used() -> float | None:
        return keys.named(door.bridge.services, door.pairs["read_write"].key.id).last_used

    assert last_used() is None
    door.get(f"{INTENTS}/pi_x")
    first = last_used()
    assert first == door.clock()
    door.clock.advance(299)
    door.get(f"{INTENTS}/pi_x")
    assert last_used() == first
    door.clock.advance(1)
    door.get(f"{INTENTS}/pi_x")
    assert last_used() == door.clock()


LOCAL = {"base_url": "http://127.0.0.1:8080", "peer": "127.0.0.1"}
PROXY = {"base_url": HTTP, "peer": "10.1.2.3", "headers": {"X-Forwarded-Proto": "https"}}


@pytest.mark.parametrize(
    ("connection", "settings", "accepted"),
    [
        ({"base_url": HTTPS}, {}, True),
        ({"base_url": HTTP}, {}, False),
        (LOCAL, {}, True),
        (LOCAL | {"base_url": "http://localhost"}, {}, True),
        (LOCAL | {"base_url": "http://[::1]:8080", "peer": "::1"}, {}, True),
        (LOCAL | {"peer": "::ffff:127.0.0.1"}, {}, True),
        (LOCAL | {"base_url": "http://127.4.5.6"}, {}, True),
        (LOCAL, {"local_http": False}, False),
        (LOCAL | {"environ_overrides": {"SERVER_PROTOCOL": "HTTP/1.0"}}, {}, False),
        (LOCAL | {"base_url": "http://localhost.evil.example"}, {}, False),
        (LOCAL | {"base_url": "http://127.0.0.1.evil.example"}, {}, False),
        (LOCAL | {"base_url": HTTP}, {}, False),
        (LOCAL | {"peer": "192.168.1.5"}, {}, False),
        (LOCAL | {"peer": ""}, {}, False),
        *[
            (LOCAL | {"headers": {name: "1.2.3.4"}}, {}, False)
            for name in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
        ],
        (PROXY, {}, False),
        (PROXY, {"trusted_proxies": "10.0.0.0/8"}, True),
        (PROXY, {"trusted_proxies": ["192.0.2.1", "10.1.2.3"]}, True),
        (PROXY, {"trusted_proxies": "10.9.0.0/16"}, False),
        (PROXY | {"headers": {"X-Forwarded-Proto": "http"}}, {"trusted_proxies": "10.0.0.0/8"}, False),
        (PROXY | {"headers": {"X-Forwarded-Proto": "https, http"}}, {"trusted_proxies": "10.0.0.0/8"}, False),
        (PROXY | {"headers": {}}, {"trusted_proxies": "10.0.0.0/8"}, False),
        (LOCAL | {"headers": {"X-Forwarded-Proto": "https"}}, {"trusted_proxies": "127.0.0.1"}, True),
        ({"base_url": HTTP}, {"require_https": False}, True),
    ],
    ids=str,
)
def test_a_secret_in_clear_counts_over_https_and_where_the_owner_says_so_on_this_machine(
    make_door: MakeDoor, connection: dict[str, Any], settings: dict[str, Any], accepted: bool
) -> None:
    door = make_door(**settings)
    response = door.get(f"{INTENTS}/pi_x", **connection)
    assert response.json["code"] == ("resource_missing" if accepted else "rest_forbidden")


def test_a_wrong_secret_over_plain_http_is_not_even_looked_at(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    auth = (door.secrets("read")[0], "cs_wrong")
    assert door.get(f"{INTENTS}/pi_x", base_url=HTTPS, auth=auth).json["message"] == "Consumer secret is invalid."
    assert door.get(f"{INTENTS}/pi_x", base_url=HTTP, auth=auth).json["code"] == "rest_forbidden"


@pytest.mark.parametrize(
    ("connection", "settings", "accepted"),
    [
        ({"base_url": HTTPS}, {}, True),
        ({"base_url": HTTP}, {}, False),
        (LOCAL, {}, False),
        ({"base_url": HTTP}, {"require_https": False}, True),
    ],
    ids=str,
)
def test_a_key_in_the_query_counts_over_https_only(
    make_door: MakeDoor, connection: dict[str, Any], settings: dict[str, Any], accepted: bool
) -> None:
    door = make_door(**settings)
    key, secret = door.secrets("read")
    query = f"consumer_key={key}&consumer_secret={secret}"
    response = door.get(f"{INTENTS}/pi_x", key=None, query_string=query, **connection)
    assert response.json["code"] == ("resource_missing" if accepted else "rest_forbidden")


def test_keys_count_below_the_woocommerce_namespaces_only(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    wrong = (door.secrets("read")[0], "cs_wrong")
    for path in ("/wp-json/", "/wp-json/wp/v2/posts", "/bridge/v1/health/live"):
        assert door.get(path, auth=wrong).status_code in (200, 404)
    for path in ("/wp-json/wc/v3", "/wp-json/wc/v2/orders", "/wp-json/wc-analytics/reports"):
        assert door.get(path, auth=wrong).json["message"] == "Consumer secret is invalid."


def test_a_key_that_is_not_there_costs_what_a_wrong_secret_costs(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted and not timed: questions to the database about keys, and decryptions."""
    costs: list[str] = []
    decrypt = Fernet.decrypt

    def counting(fernet: Fernet, token: bytes, ttl: int | None = None) -> bytes:
        costs.append("decryption")
        return decrypt(fernet, token, ttl)

    def note(_connection: Any, statement: str, _values: Any) -> None:
        if "api_keys" in statement:
            costs.append("question")

    monkeypatch.setattr(Fernet, "decrypt", counting)
    database = door.bridge.services.database
    database.watchers = [*database.watchers, note]
    (key, secret), revoked = door.secrets("read"), door.secrets("revoked")
    told = {}
    for name, auth in {
        "unknown": ("ck_" + 40 * "0", secret),
        "wrong": (key, "cs_" + 40 * "0"),
        "last digit": (key, secret[:-1] + ("0" if secret[-1] != "0" else "1")),
        "revoked": revoked,
    }.items():
        costs.clear()
        assert door.get(f"{INTENTS}/pi_x", key=None, auth=auth).status_code == 401
        told[name] = sorted(costs)
    assert set(map(tuple, told.values())) == {("decryption", "question")}, told
