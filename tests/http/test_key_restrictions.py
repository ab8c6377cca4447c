"""Keys that end, that are for some networks only, and that must not send money back. Whoever is refused learns nothing
more than with an unknown key; the owner learns why."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.domain.stores import Permissions, Restrictions
from bridge.registry import keys
from bridge.registry.keys import KeyPair
from tests.http.conftest import HTTP, Door, MakeDoor
from tests.http.test_oauth import send, signer
from tests.http.test_refusals import counted
from tests.plugins.local import INTENTS
from tests.plugins.statements import sent

REFUND = "/wp-json/wc/v3/payments/refund"
TOKEN = "metrics-token-of-the-test"
LOOK = f"{INTENTS}/pi_x"
FOUND_NOTHING = "resource_missing"
REFUSED = (401, "rest_forbidden", "Sorry, you are not allowed to do that.")
HOUR = 3600.0
Ask = Callable[[Door, str], TestResponse]


def with_key(door: Door, name: str = "restricted", **restrictions: Any) -> KeyPair:
    pair = keys.create(
        *(door.bridge.services, door.store.id, Permissions.READ_WRITE), restrictions=Restrictions(**restrictions)
    )
    door.pairs[name] = pair
    return pair


def told(response: TestResponse) -> tuple[int, str, str]:
    return response.status_code, response.json["code"], response.json["message"]


def basic(door: Door, name: str) -> TestResponse:
    return door.get(LOOK, key=name)


def query(door: Door, name: str) -> TestResponse:
    pair = dict(zip(("consumer_key", "consumer_secret"), door.secrets(name), strict=True))
    return door.get(LOOK, key=None, query_string=pair)


def oauth(door: Door, name: str) -> TestResponse:
    key, secret = door.secrets(name)
    return send(door, HTTP + LOOK, signer(door, key=key, secret=secret))


WAYS = pytest.mark.parametrize("ask", [basic, query, oauth])
PROFILES = pytest.mark.parametrize("compat", ["documented", "woopayments"])


@WAYS
@PROFILES
def test_an_expired_key_is_refused_like_an_unknown_one_and_named_to_the_owner(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture, ask: Ask, compat: str
) -> None:
    door = make_door(metrics_token=TOKEN, compat=compat)
    pair = with_key(door, expires=door.clock() + HOUR)
    door.pairs["unknown"] = KeyPair(pair.key, "ck_" + 40 * "0", "cs_" + 40 * "0")
    door.pairs["wrong"] = KeyPair(pair.key, pair.consumer_key, "cs_" + 40 * "0")
    door.clock.advance(HOUR - 1)
    assert ask(door, "restricted").json["code"] == FOUND_NOTHING
    door.clock.advance(1)
    caplog.set_level(logging.INFO)
    unknown = told(ask(door, "unknown"))
    caplog.clear()
    assert unknown[0] == 401
    assert told(ask(door, "restricted")) == told(ask(door, "wrong")) == unknown
    lines = [line for line in caplog.messages if " were refused: " in line]
    assert len(lines) == 2
    for line in lines:
        assert f"the consumer key has expired (the key ...{pair.key.truncated} of {door.store.id})" in line
    assert counted(door.app, "credentials") == {"unknown_key": 1, "expired": 2}
    assert pair.consumer_secret not in caplog.text
    assert pair.consumer_key not in caplog.text


def test_guesses_with_an_expired_key_are_limited_as_with_an_unknown_one(make_door: MakeDoor) -> None:
    door = make_door(rate_limit="2/hour")
    with_key(door, expires=door.clock() + 1)
    door.clock.advance(1)
    assert [basic(door, "restricted").status_code for _ in range(3)] == [401, 401, 429]
    assert basic(door, "read").json["code"] == FOUND_NOTHING


@WAYS
@PROFILES
def test_a_key_from_another_network_is_refused_like_an_unknown_one(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture, ask: Ask, compat: str
) -> None:
    door = make_door(metrics_token=TOKEN, compat=compat)
    pair = with_key(door, networks=("198.51.100.0/24", "2001:db8::/32"))
    door.pairs["unknown"] = KeyPair(pair.key, "ck_" + 40 * "0", "cs_" + 40 * "0")
    door.pairs["wrong"] = KeyPair(pair.key, pair.consumer_key, "cs_" + 40 * "0")
    caplog.set_level(logging.INFO)
    unknown = told(ask(door, "unknown"))
    caplog.clear()
    assert told(ask(door, "restricted")) == told(ask(door, "wrong")) == unknown
    whose = f"(the key ...{pair.key.truncated} of {door.store.id})"
    assert (
        f"credentials from 203.0.113.9 were refused: the consumer key must not be used from this address {whose}"
        in (caplog.text)
    )
    assert counted(door.app, "credentials") == {"unknown_key": 1, "wrong_network": 2}
    assert pair.consumer_secret not in caplog.text


@pytest.mark.parametrize(
    ("network", "peer", "admitted"),
    [
        ("198.51.100.0/24", "198.51.100.255", True),
        ("198.51.100.0/24", "198.51.101.0", False),
        ("198.51.100.7", "198.51.100.7", True),
        ("198.51.100.7", "198.51.100.8", False),
        ("198.51.100.0/24", "::ffff:198.51.100.7", True),
        ("198.51.100.0/24", "::ffff:c633:6407", True),
        ("198.51.100.0/24", "::ffff:198.51.101.7", False),
        ("::ffff:198.51.100.0/120", "198.51.100.7", True),
        ("::ffff:198.51.100.0/120", "::ffff:198.51.100.7", True),
        ("::ffff:198.51.100.0/120", "198.51.101.7", False),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("::/0", "198.51.100.7", False),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0", "198.51.100.7", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", "somebody", False),
    ],
)
def test_the_address_of_the_client_is_what_counts(door: Door, network: str, peer: str, admitted: bool) -> None:
    with_key(door, networks=(network,))
    response = door.get(LOOK, key="restricted", peer=peer)
    assert response.json["code"] == (FOUND_NOTHING if admitted else "rest_forbidden")


@pytest.mark.parametrize(
    ("forwarded", "peer", "admitted"),
    [
        ("198.51.100.7", "10.0.0.1", True),
        ("::ffff:198.51.100.7", "10.0.0.1", True),
        ("198.51.100.7:40123", "10.0.0.1", True),
        ("[::ffff:198.51.100.7]:40123", "10.0.0.1", True),
        ("203.0.113.5, 198.51.100.7, 10.0.0.2", "10.0.0.1", True),
        ("198.51.100.7, 203.0.113.5", "10.0.0.1", False),
        ("203.0.113.5", "198.51.100.7", True),
        ("198.51.100.7", "203.0.113.5", False),
        ("", "10.0.0.1", False),
        ("198.51.100.7, unknown", "10.0.0.1", False),
    ],
)
def test_it_is_the_one_that_trusted_proxies_give_and_nobody_else(
    make_door: MakeDoor, forwarded: str, peer: str, admitted: bool
) -> None:
    door = make_door(trusted_proxies="10.0.0.0/24")
    with_key(door, networks=("198.51.100.0/24",))
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    response = door.get(LOOK, key="restricted", peer=peer, headers=headers)
    assert response.json["code"] == (FOUND_NOTHING if admitted else "rest_forbidden")


@pytest.mark.parametrize(
    ("forwarded", "admitted"),
    [("unknown", False), ("203.0.113.9, unknown", False), ("203.0.113.9", False), (",", False), ("", True)],
)
def test_a_proxy_is_not_the_client_whom_it_does_not_name(make_door: MakeDoor, forwarded: str, admitted: bool) -> None:
    door = make_door(trusted_proxies="10.0.0.5")
    with_key(door, networks=("10.0.0.0/8",))
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    response = door.get(LOOK, key="restricted", peer="10.0.0.5", headers=headers)
    assert response.json["code"] == (FOUND_NOTHING if admitted else "rest_forbidden")


REFUND_BODY = {"order_id": 19, "amount": 100}
WAYS_TO_REFUND: dict[str, dict[str, Any]] = {
    "JSON": {"method": "POST", "json": REFUND_BODY},
    "form": {"method": "POST", "data": REFUND_BODY},
    "query": {"method": "POST", "query_string": REFUND_BODY},
    "_method": {"method": "GET", "query_string": REFUND_BODY | {"_method": "POST"}},
    "_method in lower case": {"method": "PUT", "query_string": REFUND_BODY | {"_method": "post"}},
    "header": {"method": "GET", "query_string": REFUND_BODY, "headers": {"X-HTTP-Method-Override": "POST"}},
    "repeat": {"method": "POST", "json": REFUND_BODY, "headers": {"Idempotency-Key": "known"}},
    "of a charge": {"method": "POST"},
}


@PROFILES
@pytest.mark.parametrize("way", WAYS_TO_REFUND)
def test_a_key_that_must_not_refund_cannot_by_any_way(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture, way: str, compat: str
) -> None:
    door = make_door(metrics_token=TOKEN, compat=compat)
    pair = with_key(door, may_refund=False)
    made = door.create(key="restricted")
    assert made.status_code == 200  # it charges
    wanted = dict(WAYS_TO_REFUND[way])
    if way == "of a charge":
        wanted["json"] = {"charge_id": made.json["charge"]["id"], "amount": 100}
    if way == "repeat":
        assert door.open(path=REFUND, key="read_write", **wanted).status_code == 200
    response = door.open(path=REFUND, key="restricted", **wanted)
    assert told(response) == (403 if compat == "woopayments" else 401, *REFUSED[1:])
    assert response.json["data"]["status"] == response.status_code
    whose = f"(the key ...{pair.key.truncated} of {door.store.id})"
    assert f"were refused: the key may not send money back {whose}" in caplog.text
    assert counted(door.app, "credentials") == {"no_refunds": 1}
    refunded = door.get(f"/wp-json/wc/v3/payments/charges/{made.json['charge']['id']}").json["amount_refunded"]
    assert refunded == (100 if way == "repeat" else 0)
    if way not in ("repeat", "of a charge"):
        assert door.open(path=REFUND, key="read_write", **wanted).status_code == 200


def test_who_asks_what_he_may_do_is_told_without_refunds(door: Door) -> None:
    with_key(door, may_refund=False)
    assert door.open("OPTIONS", REFUND, key="read_write").headers["Allow"] == "POST"
    assert "Allow" not in door.open("OPTIONS", REFUND, key="restricted").headers
    assert door.open("OPTIONS", INTENTS, key="restricted").headers["Allow"] == "POST"


def test_what_restricts_a_key_costs_a_request_no_statement(door: Door) -> None:
    networks = ("198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    with_key(door, networks=networks, may_refund=False, expires=door.clock() + HOUR)
    counts = []
    for name in ("read_write", "restricted"):
        door.get(LOOK, key=name)  # writes that the key was used
        with sent(door.bridge.services.database) as asked:
            door.get(LOOK, key=name)
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0


def test_a_key_without_restrictions_does_what_it_always_did(door: Door) -> None:
    assert door.create().status_code == 200
    assert door.post(REFUND, json=REFUND_BODY).status_code == 200
    assert door.get(LOOK, peer="").json["code"] == FOUND_NOTHING
