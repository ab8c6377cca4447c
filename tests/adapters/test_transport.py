"""The way out, over real sockets."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from werkzeug.wrappers import Request, Response

from bridge.adapters import ConfigurationError
from bridge.outbound.transport import (
    LARGEST_ANSWER,
    AddressRefused,
    AnswerTooLarge,
    is_public,
    make_session,
    never_sent,
)
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import Server, serve
from tests.adapters.orders import TIMEOUT

Answer = Callable[[Request], Response]
PUBLIC = ("93.184.215.14", 443)


class Echo:
    """A server's app: answers by path, and remembers every request."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.answers: dict[str, Answer] = {}

    def __call__(self, environ, start_response):
        request = Request(environ)
        self.seen.append(request)
        answer = self.answers.get(request.path, lambda _: Response("hello"))
        return answer(request)(environ, start_response)


@pytest.fixture
def app() -> Echo:
    return Echo()


@pytest.fixture
def http(app) -> Iterator[Server]:
    with serve(app) as server:
        yield server


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1", "shop.example"])


@pytest.fixture
def https(app, certificates) -> Iterator[Server]:
    with serve(app, tls=(certificates.cert_file, certificates.key_file)) as server:
        yield server


@pytest.fixture
def session() -> Iterator[Callable[..., requests.Session]]:
    """Makes sessions and closes them."""
    made = []

    def make(**options):
        made.append(make_session(**{"timeout": 5.0, "allow_private": True, **options}))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def resolves(monkeypatch) -> Callable[[str, str], None]:
    """Make a name resolve to an address."""
    known: dict[str, str] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host, *rest, **more):
        return real(known.get(host, host), *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known.__setitem__


# Where it goes


def test_plain_http_reaches_a_private_address_that_is_allowed(session, http, app):
    assert session().get(f"{http.url}/x").text == "hello"
    assert [request.path for request in app.seen] == ["/x"]


def test_plain_http_is_refused_without_connecting(session, http, app):
    with pytest.raises(AddressRefused, match="Only https is allowed") as caught:
        session(allow_private=False).get(http.url)
    assert never_sent(caught.value)
    assert app.seen == []


def test_a_private_address_is_refused_before_a_byte_is_sent(session):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(AddressRefused, match=r"127\.0\.0\.1 has a private or local address") as caught:
            session(allow_private=False).get(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        assert never_sent(caught.value)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100) == b""


def test_a_name_that_turns_out_to_be_private_is_refused(session, https, app, resolves, certificates):
    resolves("shop.example", "127.0.0.1")
    url = f"https://shop.example:{https.port}/"
    assert session(ca_file=certificates.ca_file).get(url).text == "hello"
    with pytest.raises(AddressRefused, match=r"shop\.example has a private or local address"):
        session(ca_file=certificates.ca_file, allow_private=False).get(url)
    assert len(app.seen) == 1


def test_a_public_address_is_fine(session, https, certificates, monkeypatch):
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: PUBLIC)
    assert session(ca_file=certificates.ca_file, allow_private=False).get(f"{https.url}/").text == "hello"


def test_plain_http_never_goes_to_a_public_address(session, http, app, monkeypatch):
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: PUBLIC)
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1 has a public address: use https") as caught:
        session().get(http.url)
    assert never_sent(caught.value)
    assert app.seen == []


def test_only_http_and_https_exist(session):
    with pytest.raises(requests.exceptions.InvalidSchema):
        session().get("file:///etc/passwd")


def test_redirects_are_answers_like_any_other(session, http, app):
    app.answers["/from"] = lambda _: Response("moved", 302, {"Location": f"{http.url}/to"})
    answer = session().get(f"{http.url}/from", allow_redirects=True)
    assert (answer.status_code, answer.text) == (302, "moved")
    assert [request.path for request in app.seen] == ["/from"]


def test_cookies_are_not_kept(session, http, app):
    app.answers["/"] = lambda _: Response("", headers={"Set-Cookie": "who=me"})
    client = session()
    client.get(f"{http.url}/")
    client.get(f"{http.url}/")
    assert [request.headers.get("Cookie") for request in app.seen] == [None, None]


def test_the_environment_changes_nothing(session, http, app, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert session().get(http.url, proxies={"http": "http://127.0.0.1:9"}).text == "hello"
    assert app.seen[0].headers.get("Authorization") is None


# TLS


def test_a_private_authority_can_be_trusted(session, https, certificates):
    assert session(ca_file=certificates.ca_file).get(f"https://localhost:{https.port}/").text == "hello"


@pytest.mark.parametrize("verify", [True, False, None])
def test_an_unknown_authority_is_refused_whatever_is_asked_for(session, https, app, verify):
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        session().get(https.url, verify=verify)
    assert never_sent(caught.value)
    assert app.seen == []


def test_a_certificate_for_another_name_is_refused(session, https, certificates, resolves):
    resolves("other.example", "127.0.0.1")
    with pytest.raises(requests.exceptions.SSLError, match=r"not valid for 'other\.example'"):
        session(ca_file=certificates.ca_file).get(f"https://other.example:{https.port}/")


def test_another_failure_of_tls_is_taken_for_no_proof(session, http, app):
    with pytest.raises(requests.exceptions.SSLError) as caught:
        session().get(f"https://127.0.0.1:{http.port}/")
    assert not never_sent(caught.value)


def test_the_authority_of_a_request_does_not_replace_ours(session, https, certificates):
    with pytest.raises(requests.exceptions.SSLError):
        session().get(https.url, verify=str(certificates.ca_file))


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_that_is_no_authority_is_said_at_once(session, tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"The CA file .*ca\.pem cannot be used"):
        session(ca_file=file)


# How long, how much, how often


def test_an_answer_that_does_not_begin_is_given_up(session, app):
    faults, over = Faults(app), threading.Event()
    faults.next(Fault.STALLED, until=over)
    with serve(faults) as server:
        with pytest.raises(requests.ReadTimeout) as caught:
            session(timeout=0.2).get(server.url)
        over.set()
    assert not never_sent(caught.value)


def test_an_answer_that_drips_is_given_up(session, http, app):
    over = threading.Event()

    def drip(_):
        def body():
            while not over.wait(0.02):
                yield b"."

        return Response(body(), headers={"Content-Length": "1000000"})

    app.answers["/"] = drip
    try:
        with pytest.raises(requests.ReadTimeout, match="did not end in time"):
            session(timeout=TIMEOUT).get(http.url)
    finally:
        over.set()


def test_an_answer_that_stops_in_the_middle_is_given_up(session, http, app):
    over = threading.Event()

    def half(_):
        def body():
            yield b"half"
            over.wait(10)

        return Response(body(), headers={"Content-Length": "8"})

    app.answers["/"] = half
    with pytest.raises(requests.ReadTimeout):
        session(timeout=0.2).get(http.url)
    over.set()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_breaks_is_not_tried_again(session, app, method):
    faults = Faults(app)
    faults.next(Fault.DROPPED)
    with serve(faults) as server, pytest.raises(requests.ConnectionError) as caught:
        session().request(method, server.url)
    assert not never_sent(caught.value)
    assert len(app.seen) == 1


def test_half_an_answer_is_none(session, app):
    app.answers["/"] = lambda _: Response("x" * 1000)
    faults = Faults(app)
    faults.next(Fault.CUT)
    with serve(faults) as server, pytest.raises(requests.exceptions.ChunkedEncodingError) as caught:
        session().get(server.url)
    assert not never_sent(caught.value)


def test_an_answer_of_the_largest_size_is_read(session, http, app):
    app.answers["/"] = lambda _: Response(b"x" * LARGEST_ANSWER)
    assert len(session().get(http.url).content) == LARGEST_ANSWER


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_not(session, http, app, packed):
    body, headers = b"x" * (LARGEST_ANSWER + 1), {}
    if packed:
        body, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    app.answers["/"] = lambda _: Response(body, headers=headers)
    with pytest.raises(AnswerTooLarge):
        session().get(http.url)


def test_a_packed_answer_is_unpacked(session, http, app):
    app.answers["/"] = lambda _: Response(gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})
    assert session().get(http.url).text == "hello"


def test_what_only_says_that_it_is_packed_is_an_error(session, http, app):
    app.answers["/"] = lambda _: Response(b"hello", headers={"Content-Encoding": "gzip"})
    with pytest.raises(requests.exceptions.ContentDecodingError):
        session().get(http.url)


def test_an_answer_can_be_streamed(session, http):
    with session().get(http.url, stream=True) as answer:
        assert b"".join(answer.iter_content(2)) == b"hello"


def test_a_connection_is_kept_for_the_next_request(session, http, app):
    client = session()
    for _ in range(3):
        client.get(http.url)
    assert len({request.environ["REMOTE_PORT"] for request in app.seen}) == 1


def test_nobody_there_means_that_nothing_was_sent(session):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(requests.ConnectionError) as caught:
        session().get(f"http://127.0.0.1:{port}/")
    assert never_sent(caught.value)


def test_a_name_that_does_not_resolve_means_that_nothing_was_sent(session, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(requests.ConnectionError) as caught:
        session().get("https://nowhere.example/")
    assert never_sent(caught.value)


@pytest.mark.parametrize("error", [None, ValueError("x"), requests.ConnectionError(), requests.ReadTimeout()])
def test_nothing_else_proves_that_nothing_was_sent(error):
    assert not never_sent(error)


# Addresses


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]
)
def test_the_internet_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "0.0.0.0", "255.255.255.255"),
        *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
        *("224.0.0.1", "240.0.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254"),
        *("ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fec0::1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "100::1"),
    ],
)
def test_everything_else_is_not(address):
    assert not is_public(address)


def test_many_threads_share_a_session(session, http, app):
    client = session(pool=4)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: client.get(http.url).text, range(80))) == {"hello"}
    assert len(app.seen) == 80
