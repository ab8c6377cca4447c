"""OAuth 1.0a over plain http, signed by oauthlib and by the official Python client, strangers to the bridge."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client
from werkzeug.test import TestResponse
from woocommerce.oauth import OAuth

from tests.http.conftest import BODY, HTTP, HTTPS, Door, MakeDoor
from tests.plugins.local import INTENTS

URL = HTTP + INTENTS
FOUND_NOTHING = "resource_missing"


def signer(door: Door, *, secret: str | None = None, **options: Any) -> Client:
    key, right_secret = door.secrets("read_write")
    options.setdefault("signature_method", SIGNATURE_HMAC_SHA256)
    options.setdefault("timestamp", str(int(door.clock())))
    return Client(options.pop("key", key), client_secret=secret or right_secret, **options)


def send(door: Door, url: str, client: Client, method: str = "GET", *, body: Any = None, **kwargs: Any) -> TestResponse:
    url, headers, _ = client.sign(url, http_method=method, body=body, headers=kwargs.pop("headers", None))
    parts = urlsplit(url)
    base_url = kwargs.pop("base_url", f"{parts.scheme}://{parts.netloc}")
    kwargs.setdefault("path", parts.path)
    return door.open(
        method, query_string=parts.query, headers=headers, key=None, base_url=base_url, data=body, **kwargs
    )


@pytest.fixture(params=[SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256])
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["AUTH_HEADER", SIGNATURE_TYPE_QUERY])
def place(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("base", [HTTP, HTTPS])
def test_a_signed_request_is_accepted(door: Door, method: str, place: str, base: str) -> None:
    client = signer(door, signature_method=method, signature_type=place)
    response = send(door, f"{base}{INTENTS}/pi_x?_fields=id,amount&note=a%20b%2Fc~d*%C3%A9", client)
    assert response.json["code"] == FOUND_NOTHING


@pytest.mark.parametrize(
    "query", ["a[b]=1&a[c]=2", "_fields[]=id&_fields[]=amount", "a.b=1", "b=&a", "z=1&Z=2&_=3&a=%5B"], ids=str
)
def test_parameters_that_php_reads_in_its_own_way_are_accepted_as_they_were_signed(door: Door, query: str) -> None:
    url = f"{URL}/pi_x?{query}".replace("[", "%5B").replace("]", "%5D")
    assert send(door, url, signer(door)).json["code"] == FOUND_NOTHING


FORM = "payment_method=pm_card_visa&customer=cus_OUQoHGzJLw87Tk&order_id=19"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = "".join(
    f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in BODY.items()
)
OPEN_TO_CHANGE: dict[str, dict[str, Any]] = {
    "JSON": {"headers": {"Content-Type": "application/json"}},
    "JSON in capitals": {"headers": {"Content-Type": "Application/JSON; charset=utf-8"}},
    "JSON of a kind": {"headers": {"Content-Type": "application/vnd.api+json"}},
    "JSON for oEmbed": {"headers": {"Content-Type": "application/json+oembed"}},
    "JSON on GET": {"method": "GET", "query": "?_method=POST", "headers": {"Content-Type": "application/json"}},
    "a form on GET": {"method": "GET", "query": "?_method=POST", "headers": URLENCODED, "body": FORM},
    "a multipart form on GET": {
        "method": "GET",
        "query": "?_method=POST",
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
        "body": f"{MULTIPART}--x--\r\n",
    },
    "a method in a header": {
        "method": "GET",
        "query": f"?{FORM}",
        "headers": {"X-HTTP-Method-Override": "POST"},
        "body": b"",
    },
}
"""What somebody on the way could change or add although the signature would still hold."""


def added(door: Door, way: str, base: str = HTTP, **kwargs: Any) -> TestResponse:
    """A request whose signature knows nothing of what was added to it."""
    case = OPEN_TO_CHANGE[way]
    method, url = case.get("method", "POST"), f"{base}{INTENTS}{case.get('query', '')}"
    _, headers, _ = signer(door).sign(url, http_method=method)
    data = case.get("body", json.dumps(BODY))
    query = {"query_string": case.get("query", "").removeprefix("?")}
    return door.open(
        method, INTENTS, key=None, base_url=base, headers={**headers, **case["headers"]}, data=data, **query, **kwargs
    )


@pytest.mark.parametrize("compat", ["documented", "woopayments"])
@pytest.mark.parametrize("way", OPEN_TO_CHANGE)
def test_what_is_not_signed_is_not_taken_over_plain_http(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture, way: str, compat: str
) -> None:
    door = make_door(compat=compat, local_http=False)
    response = added(door, way)
    code = "rest_forbidden" if compat == "documented" else "woocommerce_rest_authentication_error"
    assert (response.status_code, response.json["code"]) == (401, code)
    assert "OAuth 1.0a signs no JSON body and no X-HTTP-Method-Override" in caplog.text
    assert door.secrets("read_write")[1] not in caplog.text
    assert door.shelf.reads == 0


@pytest.mark.parametrize("way", OPEN_TO_CHANGE)
@pytest.mark.parametrize("settings", [{"unsigned_bodies": True}, {"require_https": False}, {"base": HTTPS}], ids=str)
def test_it_is_taken_by_a_setting_where_secrets_may_be_in_clear_and_over_https(
    make_door: MakeDoor, way: str, settings: dict[str, Any]
) -> None:
    base = settings.get("base", HTTP)
    door = make_door(**{name: value for name, value in settings.items() if name != "base"})
    assert added(door, way, base).status_code == 200


def test_a_proxy_that_ends_tls_and_this_machine_need_no_setting(make_door: MakeDoor) -> None:
    door = make_door(trusted_proxies="10.0.0.1", public_url=(HTTPS, HTTP, "http://localhost"))
    proxied = {"X-Forwarded-Proto": "https"}
    _, headers, _ = signer(door).sign(HTTPS + INTENTS, http_method="POST")
    assert door.post(key=None, headers=headers | proxied, base_url=HTTP, peer="10.0.0.1", json=BODY).status_code == 200
    _, headers, _ = signer(door).sign("http://localhost" + INTENTS, http_method="POST")
    here = {"base_url": "http://localhost", "peer": "127.0.0.1"}
    assert door.post(key=None, headers=headers, json=BODY, **here).status_code == 200


@pytest.mark.parametrize(
    ("method", "query", "headers", "body"),
    [
        ("POST", "", URLENCODED, FORM),
        ("POST", f"?{FORM}", {}, b""),
        ("POST", f"?{FORM}", {"Content-Type": "application/json"}, b""),
        ("POST", f"?{FORM}", {"Content-Type": "text/plain"}, b"{}"),
        ("GET", f"?{FORM}&_method=POST", {}, b""),
        ("GET", f"?{FORM}&_method=POST", {"X-HTTP-Method-Override": "DELETE"}, b""),
        ("PUT", "?_method=POST", URLENCODED, FORM),
    ],
)
def test_what_is_signed_as_a_whole_is_taken_over_plain_http(
    make_door: MakeDoor, method: str, query: str, headers: dict[str, str], body: Any
) -> None:
    door = make_door(local_http=False)
    signed = body if headers == URLENCODED else None
    _, headers, _ = signer(door).sign(URL + query, http_method=method, body=signed, headers=headers)
    query = query.removeprefix("?")
    response = door.open(method, INTENTS, key=None, base_url=HTTP, query_string=query, headers=headers, data=body)
    assert response.status_code == 200, response.text


def test_a_json_body_is_not_signed_and_a_form_is(make_door: MakeDoor) -> None:
    door = make_door(unsigned_bodies=True)
    _, headers, _ = signer(door).sign(URL, http_method="POST")
    assert door.post(key=None, base_url=HTTP, headers=headers, json=BODY).status_code == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = "payment_method=pm_card_visa&customer=cus_OUQoHGzJLw87Tk&order_id=19"
    assert send(door, URL, signer(door), "POST", body=body, headers=form).status_code == 200
    _, headers, _ = signer(door).sign(URL, http_method="POST", body=body, headers=form)
    changed = body.replace("19", "20")
    response = door.post(key=None, base_url=HTTP, headers=headers, data=changed)
    assert response.json["code"] == "rest_forbidden"


@pytest.mark.parametrize("params", ["_fields=id,total", "_fields=id%2Ctotal&context=view", "a[c]=1&a[b]=2&d=e f"])
def test_official_clients_send_their_parameters_twice_and_sign_them_once(door: Door, params: str) -> None:
    key, secret = door.secrets("read")
    signed = OAuth(
        url=f"{URL}/pi_x?{params}",
        consumer_key=key,
        consumer_secret=secret,
        version="wc/v3",
        method="GET",
        oauth_timestamp=int(door.clock()),
    ).get_oauth_url()
    twice = f"{urlsplit(signed).query}&{params}"
    response = door.get(f"{INTENTS}/pi_x", key=None, base_url=HTTP, query_string=twice)
    assert response.json["code"] == FOUND_NOTHING


def test_of_a_repeated_parameter_the_last_one_is_signed_because_it_counts(door: Door) -> None:
    _, headers, _ = signer(door).sign(f"{URL}/pi_x?_fields=id")
    for query, code in (("_fields=id&_fields=amount", "rest_forbidden"), ("_fields=amount&_fields=id", FOUND_NOTHING)):
        response = door.get(f"{INTENTS}/pi_x", key=None, base_url=HTTP, headers=headers, query_string=query)
        assert response.json["code"] == code


@pytest.mark.parametrize(("seconds", "accepted"), [(-901, False), (-900, True), (900, True), (901, False)])
def test_a_timestamp_may_be_fifteen_minutes_away(door: Door, seconds: int, accepted: bool) -> None:
    client = signer(door, timestamp=str(int(door.clock()) + seconds))
    assert send(door, f"{URL}/pi_x", client).json["code"] == (FOUND_NOTHING if accepted else "rest_forbidden")


def test_each_refusal_has_woocommerces_sentence_in_the_woopayments_profile(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    door.pairs["other"] = door.pairs["read"]
    now = str(int(door.clock()))

    def message(client: Client, url: str = f"{URL}/pi_x", **kwargs: Any) -> tuple[str, str]:
        response = send(door, url, client, **kwargs)
        assert response.status_code == 401
        return response.json["code"], response.json["message"]

    def without(name: str) -> tuple[str, str]:
        url, _, _ = signer(door, signature_type=SIGNATURE_TYPE_QUERY).sign(f"{URL}/pi_x")
        query = "&".join(part for part in urlsplit(url).query.split("&") if not part.startswith(f"{name}="))
        response = door.get(f"{INTENTS}/pi_x", key=None, base_url=HTTP, query_string=query)
        return response.json["code"], response.json["message"]

    error, incomplete = "woocommerce_rest_authentication_error", "woocommerce_rest_authentication_missing_parameter"
    no_match = (error, "Invalid signature - provided signature does not match.")
    assert message(signer(door, key="ck_unknown")) == (error, "Consumer key is invalid.")
    assert message(signer(door, key=door.secrets("revoked")[0])) == (error, "Consumer key is invalid.")
    assert message(signer(door, secret="cs_wrong")) == no_match
    assert message(signer(door), f"{URL}/pi_y", path=f"{INTENTS}/pi_x") == no_match
    assert message(signer(door), f"http://evil.example{INTENTS}/pi_x", base_url=HTTP) == no_match
    assert message(signer(door, signature_method="PLAINTEXT")) == (
        error,
        "Invalid signature - signature method is invalid.",
    )
    for timestamp in ("0", "yesterday", "9" * 30, str(int(now) + 1000)):
        assert message(signer(door, timestamp=timestamp)) == (error, "Invalid timestamp.")
    assert without("oauth_nonce") == (incomplete, "Missing OAuth parameter oauth_nonce")
    assert without("oauth_signature") == (incomplete, "Missing OAuth parameter oauth_signature")
    response = door.get(f"{INTENTS}/pi_x?oauth_nonce=1", key=None, base_url=HTTP)
    missing = "oauth_consumer_key, oauth_timestamp, oauth_signature, oauth_signature_method"
    assert response.json["message"] == f"Missing OAuth parameters {missing}"


def test_a_nonce_is_good_for_one_request_of_its_key(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    assert send(door, f"{URL}/pi_x", signer(door, nonce="n1")).json["code"] == FOUND_NOTHING
    again = send(door, f"{URL}/pi_x", signer(door, nonce="n1"))
    assert (again.status_code, again.json["message"]) == (401, "Invalid nonce - nonce has already been used.")
    key, secret = door.secrets("read")
    assert send(door, f"{URL}/pi_x", signer(door, nonce="n1", key=key, secret=secret)).json["code"] == FOUND_NOTHING


def test_a_failed_signature_does_not_use_up_the_nonce(door: Door) -> None:
    assert send(door, f"{URL}/pi_x", signer(door, nonce="n2", secret="cs_wrong")).status_code == 401
    assert send(door, f"{URL}/pi_x", signer(door, nonce="n2")).json["code"] == FOUND_NOTHING


def test_without_a_public_url_oauth_is_refused_since_a_host_header_proves_nothing(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture
) -> None:
    door = make_door(public_url="")
    assert send(door, f"{URL}/pi_x", signer(door)).json["code"] == "rest_forbidden"
    assert "OAuth 1.0a needs BRIDGE_PUBLIC_URL" in caplog.text


def test_the_signature_is_that_of_the_public_url_wherever_the_request_went(make_door: MakeDoor) -> None:
    door = make_door(public_url="https://shop.example/pay, http://other.example:8080")
    for public in ("https://shop.example/pay", "http://other.example:8080"):
        response = send(
            door,
            f"{public}{INTENTS}/pi_x",
            signer(door),
            base_url="http://10.0.0.1:5000",
            path=f"{INTENTS}/pi_x",
        )
        assert response.json["code"] == FOUND_NOTHING


def test_mounted_the_path_below_the_mount_is_signed(make_door: MakeDoor) -> None:
    door = make_door(Flask("host"), url_prefix="/inner", public_url="https://shop.example/pay")
    signed = f"https://shop.example/pay{INTENTS}/pi_x"
    response = send(door, signed, signer(door), base_url="http://inside", path=f"/inner{INTENTS}/pi_x")
    assert response.json["code"] == FOUND_NOTHING
    response = send(
        door,
        signed,
        signer(door),
        base_url="http://inside/script",
        path=f"/inner{INTENTS}/pi_x",
        environ_overrides={"SCRIPT_NAME": "/script"},
    )
    assert response.json["code"] == FOUND_NOTHING


def test_a_trailing_slash_is_signed_as_it_was_sent(door: Door) -> None:
    assert send(door, f"{URL}/pi_x/", signer(door)).json["code"] == FOUND_NOTHING


def old_request(door: Door) -> str:
    """The query of a request that was signed a month ago, as an access log has it."""
    client = signer(door, signature_type=SIGNATURE_TYPE_QUERY, timestamp=str(int(door.clock()) - 30 * 24 * 3600))
    return urlsplit(client.sign(f"{URL}/pi_x")[0]).query


RESPELLED = {"a dot": "oauth.", "a space": "oauth%20", "a bracket": "oauth%5B", "a space before": "%20oauth_"}


@pytest.mark.parametrize("spelling", RESPELLED)
@pytest.mark.parametrize("renamed", ["what was signed", "what is new"])
@pytest.mark.parametrize("last", ["what was signed", "what is new"])
def test_an_old_signature_is_not_made_new_by_names_that_php_takes_for_one(
    door: Door, spelling: str, renamed: str, last: str
) -> None:
    signed = old_request(door)
    fresh = f"oauth_nonce=another&oauth_timestamp={int(door.clock())}"
    if renamed == "what is new":
        fresh = fresh.replace("oauth_", RESPELLED[spelling])
    else:
        for name in ("oauth_nonce=", "oauth_timestamp="):
            signed = signed.replace(name, RESPELLED[spelling] + name.removeprefix("oauth_"))
    query = f"{fresh}&{signed}" if last == "what was signed" else f"{signed}&{fresh}"
    assert door.get(f"{INTENTS}/pi_x", key=None, base_url=HTTP, query_string=query).status_code == 401


@pytest.mark.parametrize("base", [HTTP, HTTPS])
def test_an_old_signature_is_not_made_new_behind_what_php_reads(door: Door, base: str) -> None:
    padded = f"{old_request(door)}{'&+=' * 1000}&oauth_nonce=another&oauth_timestamp={int(door.clock())}"
    assert door.get(f"{INTENTS}/pi_x", key=None, base_url=base, query_string=padded).status_code == 401


def test_nothing_counts_but_what_was_signed(door: Door) -> None:
    client = signer(door, signature_type=SIGNATURE_TYPE_QUERY)
    signed = urlsplit(client.sign(URL, http_method="POST", body=FORM, headers=URLENCODED)[0]).query
    padded = f"{'+=&' * 1000}order_id=20"
    moved = door.open(
        "POST", INTENTS, key=None, base_url=HTTP, query_string=f"{signed}&{FORM}", headers=URLENCODED, data=padded
    )
    assert (moved.status_code, door.shelf.reads) == (401, 0)
    whole = door.open("POST", INTENTS, key=None, base_url=HTTP, query_string=signed, headers=URLENCODED, data=FORM)
    assert whole.json["status"] == "succeeded"


def test_an_array_does_not_lose_a_part_on_its_way(door: Door) -> None:
    form = f"{FORM}&metadata%5Ba%5D=1&metadata%5Bb%5D=2"
    _, headers, _ = signer(door).sign(URL, http_method="POST", body=form, headers=URLENCODED)
    kept, moved = form.rsplit("&", 1)
    split = door.open("POST", INTENTS, key=None, base_url=HTTP, query_string=moved, headers=headers, data=kept)
    assert (split.status_code, door.shelf.reads) == (401, 0)


def test_a_key_that_makes_a_second_request_of_a_repeat_is_not_taken_unsigned(make_door: MakeDoor) -> None:
    for settings, status in (({}, 401), ({"unsigned_bodies": True}, 200)):
        door = make_door(**settings)
        headers = {**URLENCODED, "Idempotency-Key": "x1"}
        answer = send(door, URL, signer(door), "POST", body=FORM, headers=headers)
        assert answer.status_code == status, answer.text
