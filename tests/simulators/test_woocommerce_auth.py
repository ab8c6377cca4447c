"""Who the simulated store takes a request from: keys over https, signatures over http, the official client."""

import time
from collections.abc import Iterator

import pytest
import requests
from oauthlib import oauth1
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response
from woocommerce import API

from bridge.simulators.server import serve

CANNOT_VIEW = (401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
REFUSED = "woocommerce_rest_authentication_error"
WRONG_SECRET = (401, REFUSED, "Consumer secret is invalid.")


def told(response):
    body = response.json()
    return response.status_code, body["code"], body["message"]


@pytest.fixture
def plain_url(shop) -> Iterator[str]:
    with serve(shop) as server:
        yield server.url


def signed_get(url, key, *, secret=None, drop=(), **more):
    """GET with an OAuth 1.0a signature; `more` goes to oauthlib, `drop` leaves parameters out."""
    client = oauth1.Client(key[0], client_secret=secret or key[1], **{"signature_type": "QUERY", **more})
    signed, headers, _ = client.sign(url, "GET")
    base, _, query = signed.partition("?")
    pairs = [pair for pair in query.split("&") if pair.partition("=")[0] not in drop]
    return requests.get(f"{base}?{'&'.join(pairs)}", headers=headers, timeout=10)


def test_basic_credentials_over_https(store):
    assert store("GET", "/orders").status_code == 200
    token = requests.auth._basic_auth_str(*store.key).removeprefix("Basic ")
    assert store("GET", "/orders", auth=None, headers={"Authorization": f"basic {token}"}).status_code == 200


def test_a_query_pair_over_https_wins_over_the_header(store):
    key, secret = store.key
    pair = {"consumer_key": key, "consumer_secret": secret}
    assert store("GET", "/orders", auth=("x", "y"), params=pair).status_code == 200
    assert told(store("GET", "/orders", params={**pair, "consumer_secret": "cs_wrong"})) == WRONG_SECRET
    assert store("GET", "/orders", params={"consumer_key": key}).status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [
        {"auth": None},
        {"auth": ("ck_unknown", "cs_unknown")},
        {"auth": ("ck_unknown", "")},
        {"auth": None, "headers": {"Authorization": "Bearer abc"}},
        {"auth": None, "headers": {"Authorization": "Basic !!!"}},
        {"auth": None, "params": {"consumer_key": "ck_unknown", "consumer_secret": "x"}},
    ],
)
def test_credentials_that_name_no_key_are_nobodys(store, credentials):
    response = store("GET", "/orders", **credentials)
    assert told(response) == CANNOT_VIEW
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/orders", "woocommerce_rest_cannot_create"),
        ("PUT", "/orders/1", "woocommerce_rest_cannot_edit"),
        ("DELETE", "/orders/1", "woocommerce_rest_cannot_delete"),
        ("GET", "/orders/1", "woocommerce_rest_cannot_view"),
        ("POST", "/orders/batch", "woocommerce_rest_cannot_batch"),
    ],
)
def test_nobody_gets_401_and_a_customer_403_before_the_order_is_looked_for(shop, store, method, path, code):
    customer = shop.add_key(manager=False)
    assert told(store(method, path, auth=None))[:2] == (401, code)
    refused = store(method, path, auth=customer)
    assert told(refused)[:2] == (403, code)
    assert "Allow" not in refused.headers


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/orders"), ("GET", "/nope"), ("OPTIONS", "/orders")]
)
def test_a_wrong_secret_is_refused_before_routing(store, method, path):
    key, secret = store.key
    assert told(store(method, path, auth=(key, secret.upper()))) == WRONG_SECRET
    assert store("GET", "/orders", auth=(f" {key} ", secret)).status_code == 200


@pytest.mark.parametrize(
    ("permissions", "method", "missing"),
    [
        ("read", "GET", None),
        ("read", "HEAD", None),
        ("read", "POST", "write"),
        ("read", "PUT", "write"),
        ("read", "PATCH", "write"),
        ("read", "DELETE", "write"),
        ("read", "OPTIONS", None),
        ("write", "GET", "read"),
        ("write", "HEAD", "read"),
        ("write", "PUT", None),
        ("write", "OPTIONS", None),
        ("read_write", "GET", None),
        ("read_write", "DELETE", None),
    ],
)
def test_a_key_may_do_what_its_permissions_say(shop, store, permissions, method, missing):
    key = shop.add_key(permissions)
    response = store(method, f"/orders/{shop.add_order(total='1')}", auth=key)
    assert response.status_code == (200 if missing is None else 401)
    if missing and method != "HEAD":
        assert told(response)[1:] == (REFUSED, f"The API key provided does not have {missing} permissions.")
        assert told(store(method, "/nope", auth=key))[1] == REFUSED
        assert "Allow" not in response.headers


def test_permissions_follow_the_overridden_method(shop, store):
    reader = shop.add_key("read")
    assert told(store("GET", "/orders?_method=POST", auth=reader))[1] == REFUSED
    assert told(store("FOO", "/orders")) == (401, REFUSED, "Unknown request method.")


def test_a_revoked_key_is_nobodys(shop, store):
    key = shop.add_key()
    assert store("GET", "/orders", auth=key).status_code == 200
    shop.revoke_key(key[0])
    assert told(store("GET", "/orders", auth=key)) == CANNOT_VIEW


def test_keys_count_below_the_wc_namespaces_only(store):
    elsewhere = [f"{store.url}/wp-json/", f"{store.url}/?rest_route=/wc/v3/orders"]
    for url in elsewhere:
        assert told(store.session.get(url, auth=store.key))[:2] == (401, "invalid_username")
    pair = {"consumer_key": store.key[0], "consumer_secret": store.key[1]}
    assert told(store.session.get(elsewhere[1], params=pair)) == CANNOT_VIEW


def test_basic_and_query_credentials_do_not_count_over_http(shop, plain_url):
    key = shop.add_key()
    url = f"{plain_url}/wp-json/wc/v3/orders"
    pair = {"consumer_key": key[0], "consumer_secret": key[1]}
    forwarded = {"X-Forwarded-Proto": "https"}
    assert told(requests.get(url, auth=key, headers=forwarded, timeout=10)) == CANNOT_VIEW
    assert told(requests.get(url, params=pair, headers=forwarded, timeout=10)) == CANNOT_VIEW


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
@pytest.mark.parametrize("place", ["QUERY", "AUTH_HEADER"])
@pytest.mark.parametrize("query", ["", "?status%5B0%5D=any&search=a+b%26%7E%C3%BC"])
def test_a_signature_counts_over_http(shop, plain_url, clock, method, place, query):
    url = f"{plain_url}/wp-json/wc/v3/orders{query}"
    more = {"signature_method": method, "signature_type": place, "timestamp": str(int(clock.now))}
    assert signed_get(url, shop.add_key(), **more).status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"secret": "cs_wrong"}, "Invalid signature - provided signature does not match."),
        ({"signature_method": "PLAINTEXT"}, "Invalid signature - signature method is invalid."),
        ({"shift": -901}, "Invalid timestamp."),
        ({"shift": 901}, "Invalid timestamp."),
        ({"drop": ["oauth_nonce"]}, "Missing OAuth parameter oauth_nonce"),
        (
            {"drop": ["oauth_nonce", "oauth_timestamp"]},
            "Missing OAuth parameters oauth_timestamp, oauth_nonce",
        ),
    ],
)
def test_a_signature_that_proves_nothing_is_refused(shop, plain_url, clock, change, message):
    timestamp = str(int(clock.now) + change.get("shift", 0))
    more = {name: value for name, value in change.items() if name != "shift"}
    response = signed_get(f"{plain_url}/wp-json/wc/v3/nope", shop.add_key(), timestamp=timestamp, **more)
    assert (response.status_code, response.json()["message"]) == (401, message)


def test_an_unknown_key_and_a_used_nonce_are_refused(shop, plain_url, clock):
    key, url = shop.add_key(), f"{plain_url}/wp-json/wc/v3/orders"
    once = {"timestamp": str(int(clock.now)), "nonce": "n0"}
    assert told(signed_get(url, ("ck_unknown", "cs"), **once))[1:] == (REFUSED, "Consumer key is invalid.")
    assert signed_get(url, key, **once).status_code == 200
    message = "Invalid nonce - nonce has already been used."
    assert told(signed_get(url, key, **once))[1:] == (REFUSED, message)


def test_the_signed_address_is_the_sites_own(shop, clock):
    shop.url = "http://shop.example/store"
    key, once = shop.add_key(), {"timestamp": str(int(clock.now))}
    path = "/store/wp-json/wc/v3/orders"
    with serve(DispatcherMiddleware(Response("nothing here", 404), {"/store": shop})) as server:
        client = oauth1.Client(*key, signature_type="QUERY", **once)
        signed, _, _ = client.sign(f"http://shop.example{path}", "GET")
        assert requests.get(signed.replace("http://shop.example", server.url), timeout=10).status_code == 200
        assert told(signed_get(f"{server.url}{path}", key, **once))[1] == REFUSED


def answered(response):
    assert response.ok, response.text
    return response.json()


@pytest.mark.parametrize("kind", ["http with OAuth", "https with Basic", "https with query keys"])
def test_the_official_python_client_reads_and_pays(shop, store, plain_url, clock, kind, monkeypatch, certificates):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    clock.now = time.time()  # the client signs with the time of day
    url = plain_url if kind.startswith("http ") else store.url
    trust = {"verify_ssl": str(certificates.ca_file), "query_string_auth": "query" in kind}
    client = API(url, *shop.add_key(), **trust)
    order_id = shop.add_order(total="10.23", payment_method_title="Card")
    found = answered(client.get("orders", params={"_fields": "id,total", "per_page": 1}))
    assert found == [{"id": order_id, "total": "10.23"}]
    paid = answered(client.put(f"orders/{order_id}", {"set_paid": True, "transaction_id": "txn_1"}))
    assert (paid["status"], paid["transaction_id"]) == ("processing", "txn_1")
    assert answered(client.post(f"orders/{order_id}/notes", {"note": "✓"}))["note"] == "✓"
    assert answered(client.delete(f"orders/{order_id}", params={"force": True}))["id"] == order_id


NO_SETTING = (404, "rest_setting_setting_invalid", "Invalid setting.")


@pytest.mark.parametrize(
    ("permissions", "reads", "writes"),
    [
        ("read", 200, (401, REFUSED, "The API key provided does not have write permissions.")),
        ("write", 401, NO_SETTING),
        ("read_write", 200, NO_SETTING),
    ],
)
def test_a_setting_that_is_not_there_shows_what_a_key_may_and_changes_nothing(shop, store, permissions, reads, writes):
    key = shop.add_key("read_write")
    shop.permit_key(key[0], permissions)
    before = store.get("/settings/general")
    assert store("GET", "/settings/general/woocommerce_currency", auth=key).status_code == reads
    assert told(store("PUT", "/settings/general/nope", auth=key, json={})) == writes
    assert store.get("/settings/general") == before


def test_a_setting_is_its_managers_to_change(shop, store):
    path = "/settings/general/woocommerce_price_num_decimals"
    refused = (403, "woocommerce_rest_cannot_edit", "Sorry, you cannot edit this resource.")
    assert told(store("PUT", path, auth=shop.add_key(manager=False), json={"value": "0"})) == refused
    assert told(store("PUT", path, auth=None, json={"value": "0"}))[0] == 401
    assert store("PUT", path, json={"value": "0"}).json()["value"] == "0"
    assert store("PUT", path, json={"value": "many"}).status_code == 400
    assert store.get(path)["value"] == "0"


def test_a_web_server_that_strips_the_header_leaves_the_query(shop, store):
    key, secret = store.key
    shop.strip_authorization()
    assert told(store("GET", "/orders")) == CANNOT_VIEW
    assert told(store("GET", "/orders", auth=(key, "cs_wrong"))) == CANNOT_VIEW
    pair = {"consumer_key": key, "consumer_secret": secret}
    assert store("GET", "/orders", auth=None, params=pair).status_code == 200
    shop.strip_authorization(strips=False)
    assert store("GET", "/orders").status_code == 200
