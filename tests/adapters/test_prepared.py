"""Requests whose common parts are built once are those that `requests` would have prepared, and go the same way."""

import base64
import socket
from collections.abc import Iterator

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request, Response

from bridge.outbound.prepared import Api, encoded
from bridge.outbound.transport import Session, make_session
from bridge.simulators.server import Server, serve

SECRET = base64.b64encode(b"ck_key:cs_5ec2e7").decode()
COMMON = {"Authorization": f"Basic {SECRET}", "Accept": "application/json"}
BASES = (
    "https://shop.example",
    "https://shop.example:8443/wp/../shop",
    "https://bücher.example/läden",
    "HTTP://A.example",
)
SEGMENTS = st.text("aZ09-_.~!$&'()*+,;=:@% é\\[]{}|^`\"<>", max_size=5) | st.sampled_from([".", "..", "%41", "%2f"])
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda segments: "/" + "/".join(segments))
QUERIES = st.lists(st.tuples(st.text(max_size=3), st.text(max_size=5)), max_size=3)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with make_session(timeout=5.0, allow_private=True) as made:
        yield made


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow
@given(
    base=st.sampled_from(BASES),
    path=PATHS,
    query=QUERIES,
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"]),
    body=st.none() | st.binary(min_size=1, max_size=5) | st.just("amount=1023&currency=usd"),
)
def test_a_request_is_the_one_that_requests_would_prepare(
    session: Session,
    base: str,
    path: str,
    query: list[tuple[str, str]],
    method: str,
    body: bytes | str | None,
) -> None:
    more = {"Idempotency-Key": "key-1:create", "Content-Type": "text/plain"}
    made = Api(session, base, COMMON).request(method, path, query=encoded(*query), body=body, headers=more)
    address = base + path + (f"?{encoded(*query)}" if encoded(*query) else "")
    wanted = session.prepare_request(requests.Request(method, address, headers=COMMON | more, data=body))
    assert (made.method, made.url, made.path_url) == (wanted.method, wanted.url, wanted.path_url)
    assert made.headers == wanted.headers
    assert made.body == wanted.body


def test_nothing_of_a_request_stays_for_the_next_one(session: Session) -> None:
    api = Api(session, "https://shop.example", COMMON)
    api.request("POST", "/a", query="a=b", body=b"x", headers={"Idempotency-Key": "1", "Accept": "text/plain"})
    bare = api.request("GET", "/b")
    assert (bare.url, bare.body) == ("https://shop.example/b", None)
    assert bare.headers == {**session.headers, **COMMON}


@pytest.mark.parametrize("address", ["", "shop.example", "https://", "https://*.example", "https://a:b:c"])
def test_an_address_that_is_not_one_is_refused_as_requests_refuses_it(session: Session, address: str) -> None:
    with pytest.raises(requests.RequestException) as wanted:
        session.get(f"{address}/x")
    with pytest.raises(requests.RequestException) as caught:
        Api(session, address, {}).request("GET", "/x")
    assert type(caught.value) is type(wanted.value)


def test_commas_stay_as_they_are_and_everything_else_is_encoded() -> None:
    assert encoded(("_fields", "id,total"), ("a b", "c&d=é")) == "_fields=id,total&a+b=c%26d%3D%C3%A9"
    assert encoded() == ""


def test_what_hooks_the_adapter_of_requests_answers_it(session: Session) -> None:
    with responses.RequestsMock() as mock:
        mock.get("https://shop.example/x", json={"a": 1}, status=418)
        answer = session.send(Api(session, "https://shop.example", COMMON).request("GET", "/x", query="b=c"))
        assert (answer.status_code, answer.json()) == (418, {"a": 1})
        assert mock.calls[0].request.headers["Authorization"] == f"Basic {SECRET}"


def test_credentials_are_not_shown(session: Session) -> None:
    api = Api(session, "https://shop.example", COMMON)
    assert SECRET not in f"{api!r} {api.request('GET', '/x')!r}"


# Over real sockets


@pytest.fixture
def seen() -> list[Request]:
    return []


@pytest.fixture
def server(seen: list[Request]) -> Iterator[Server]:
    def app(environ, start_response):  # type: ignore[no-untyped-def]
        request = Request(environ)
        request.get_data()
        seen.append(request)
        headers = [
            ("Set-Cookie", "who=me"),
            ("X-A", "1"),
            ("X-A", "2"),
            ("Content-Type", "text/plain; charset=latin-1"),
        ]
        return Response("größer".encode("latin-1"), headers=headers)(environ, start_response)

    with serve(app) as server:
        yield server


def test_what_arrives_is_what_was_prepared(session: Session, server: Server, seen: list[Request]) -> None:
    api = Api(session, f"{server.url}/shop", COMMON)
    made = api.request("PUT", "/wc/v3/orders/7", query="_fields=id,total", body=b'{"a":1}', headers={"X-More": "yes"})
    answer = session.send(made)
    assert (answer.text, answer.headers["x-a"], answer.request) == ("größer", "1, 2", made)
    assert answer.elapsed.total_seconds() > 0
    assert (seen[0].method, seen[0].full_path) == ("PUT", "/shop/wc/v3/orders/7?_fields=id,total")
    assert seen[0].get_data() == b'{"a":1}'
    wanted = {**session.headers, **COMMON, "X-More": "yes", "Content-Length": "7"}
    assert {name: seen[0].headers[name] for name in wanted} == wanted


def test_a_session_that_was_closed_makes_new_connections(session: Session, server: Server, seen: list[Request]) -> None:
    api = Api(session, server.url, {})
    for _ in range(3):
        assert session.send(api.request("GET", "/")).ok
        session.close()
    assert len({request.environ["REMOTE_PORT"] for request in seen}) == 3


def test_one_session_speaks_to_any_number_of_hosts(
    session: Session, server: Server, seen: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **more: real("127.0.0.1", *rest, **more))
    hosts = [f"http://shop-{number}.example:{server.port}" for number in range(40)]
    for host in [*hosts, *hosts]:
        assert session.send(Api(session, host, {}).request("GET", "/")).ok
    assert [request.host_url.rstrip("/") for request in seen] == [*hosts, *hosts]
