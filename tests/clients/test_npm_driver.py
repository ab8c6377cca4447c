"""The driver of the npm client sends what that client is known to send."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from tests.clients.conftest import NpmClient

KEYS = ("ck_" + "1" * 40, "cs_" + "2" * 40)


@Request.application
def echo(request: Request) -> Response:
    """Answers with the request; 418 when there is a body."""
    told = {
        "method": request.method,
        "path": request.path,
        "query": request.args.to_dict(flat=False),
        "authorization": request.headers.get("Authorization"),
        "body": request.get_json(silent=True),
    }
    return Response(json.dumps(told), 418 if told["body"] else 200, content_type="application/json")


@pytest.fixture
def plain_url() -> Iterator[str]:
    with serve(echo) as server:
        yield server.url


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates.create(tmp_path)


@pytest.fixture
def tls_url(certificates: Certificates) -> Iterator[str]:
    with serve(echo, tls=(certificates.cert_file, certificates.key_file)) as server:
        yield server.url


def test_over_http_it_signs_and_sends_its_own_parameters_twice(npm_client: NpmClient, plain_url: str) -> None:
    answer = npm_client(plain_url, *KEYS, "get", "payments/payment_intents/pi_1", params={"_fields": "id"})
    query = answer.body["query"]
    assert (answer.status, answer.body["method"]) == (200, "GET")
    assert answer.body["path"] == "/wp-json/wc/v3/payments/payment_intents/pi_1"
    assert answer.body["authorization"] is None
    assert query["_fields"] == ["id", "id"]
    assert query["oauth_consumer_key"] == [KEYS[0]]
    assert query["oauth_signature_method"] == ["HMAC-SHA256"]
    assert {"oauth_nonce", "oauth_timestamp", "oauth_signature"} <= query.keys()


def test_over_https_it_sends_basic(npm_client: NpmClient, tls_url: str, certificates: Certificates) -> None:
    body = {"order_id": 7}
    answer = npm_client(tls_url, *KEYS, "post", "payments/payment_intents", body=body, ca_file=certificates.ca_file)
    assert answer.status == 418
    assert answer.body == {
        "method": "POST",
        "path": "/wp-json/wc/v3/payments/payment_intents",
        "query": {},
        "authorization": f"Basic {base64.b64encode(':'.join(KEYS).encode()).decode()}",
        "body": body,
    }


def test_over_https_it_sends_the_pair_in_the_query_when_told(
    npm_client: NpmClient, tls_url: str, certificates: Certificates
) -> None:
    answer = npm_client(tls_url, *KEYS, "get", "orders", query_string_auth=True, ca_file=certificates.ca_file)
    assert answer.body["query"] == {"consumer_key": [KEYS[0]], "consumer_secret": [KEYS[1]]}
    assert answer.body["authorization"] is None


def test_a_certificate_of_a_stranger_is_refused(npm_client: NpmClient, tls_url: str) -> None:
    with pytest.raises(AssertionError, match="certificate"):
        npm_client(tls_url, *KEYS, "get", "orders")
