"""Every exchange ends: whatever the other side sends, and wherever it is slow, one deadline covers the whole of it.

The deadlines are short (SOON where a connection has to be made within it), the servers drip without end, and a test
only asks that the client gave up at all: it has PLENTY of seconds for that, however busy the machine is.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests
from werkzeug.wrappers import Request, Response

from bridge.domain.deadlines import left, within
from bridge.outbound.connections import LOOKUPS
from bridge.outbound.transport import make_session, never_sent
from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from tests.adapters.dripping import DRIPS, WHOLE, dripping, read_head, relaying, talking

DEADLINE, SOON = 0.5, 3.0
PLENTY = 60.0
LARGE = b"x" * 30_000_000
MakeSession = Callable[..., requests.Session]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("tls"), ["localhost", "127.0.0.1", "shop.example"])


@pytest.fixture
def server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.cert_file, certificates.key_file)
    return context


@pytest.fixture
def session(certificates: Certificates) -> Iterator[MakeSession]:
    made: list[requests.Session] = []

    def make(**options: object) -> requests.Session:
        known = {"timeout": DEADLINE, "allow_private": True, "ca_file": certificates.ca_file}
        made.append(make_session(**{**known, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


@contextmanager
def ends() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < PLENTY


@pytest.fixture(params=["http", "https"])
def context(request: pytest.FixtureRequest, server_context: ssl.SSLContext) -> ssl.SSLContext | None:
    """What a server speaks: TLS, or nothing of it."""
    return server_context if request.param == "https" else None


def everywhere(ask: Callable[[str], str]) -> dict[str, str]:
    """What came of asking servers that drip at all places, all at once."""
    with ThreadPoolExecutor(len(DRIPS)) as threads:
        return dict(zip(DRIPS, threads.map(ask, DRIPS), strict=True))


def outcome(client: requests.Session, url: str, timeout: float) -> str:
    try:
        return client.get(url, timeout=timeout).text
    except requests.RequestException as error:
        return f"{type(error).__name__}, {'never' if never_sent(error) else 'maybe'} sent"


def test_an_answer_that_drips_anywhere_ends(session: MakeSession, context: ssl.SSLContext | None) -> None:
    def ask(place: str) -> str:
        with dripping(place, context=context) as server:
            return outcome(session(timeout=PLENTY), server.url, SOON)

    with ends():
        assert everywhere(ask) == dict.fromkeys(DRIPS, "ReadTimeout, maybe sent")


def test_it_ends_on_a_connection_that_was_kept(session: MakeSession, context: ssl.SSLContext | None) -> None:
    def ask(place: str) -> str:
        with dripping(place, answers=2, context=context) as server:
            client = session(timeout=PLENTY)
            assert [client.get(server.url).text for _ in range(2)] == ["hello", "hello"]
            found = outcome(client, server.url, SOON)
            assert server.connections == 1
            return found

    with ends():
        assert everywhere(ask) == dict.fromkeys(DRIPS, "ReadTimeout, maybe sent")


@pytest.mark.parametrize(
    "place", ["100 Continue", "103 with headers", "compressed nothing", "compressed nothing in chunks"]
)
def test_what_comes_without_a_pause_and_is_nothing_ends(session: MakeSession, place: str) -> None:
    with dripping(place, flood=True) as server, ends(), pytest.raises(requests.ReadTimeout):
        session().get(server.url)


@pytest.mark.parametrize("timeout", [60.0, (60.0, 60.0), None])
def test_a_request_cannot_ask_for_more_time_than_its_session_has(session: MakeSession, timeout: object) -> None:
    with dripping("header") as server, ends(), pytest.raises(requests.ReadTimeout):
        session().get(server.url, timeout=timeout)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [DEADLINE, (60.0, DEADLINE)])
def test_a_request_can_ask_for_less(session: MakeSession, timeout: object) -> None:
    with dripping("header") as server, ends(), pytest.raises(requests.ReadTimeout):
        session(timeout=60.0).get(server.url, timeout=timeout)  # type: ignore[arg-type]


def test_a_body_that_is_streamed_ends_as_well(session: MakeSession) -> None:
    with dripping("body with a length") as server, ends():
        answer = session().get(server.url, stream=True)
        with pytest.raises(requests.ConnectionError, match="timed out"):
            b"".join(answer.iter_content(1))
        answer.close()


def test_every_request_on_a_kept_connection_has_the_whole_time(session: MakeSession) -> None:
    def converse(connection: socket.socket, over: threading.Event) -> None:
        while True:
            read_head(connection)
            over.wait(0.8)
            connection.sendall(WHOLE)

    with talking(converse) as server:
        client = session(timeout=3.0)
        assert [client.get(server.url).text for _ in range(4)] == ["hello"] * 4
    assert server.connections == 1


# Before the request


def test_a_handshake_that_does_not_begin_ends_and_nothing_was_sent(session: MakeSession) -> None:
    def converse(_: socket.socket, over: threading.Event) -> None:
        over.wait()

    with talking(converse) as server, ends(), pytest.raises(requests.ConnectTimeout) as caught:
        session().get(f"https://127.0.0.1:{server.port}/")
    assert never_sent(caught.value)


def test_a_handshake_that_drips_ends_and_nothing_was_sent(session: MakeSession, certificates: Certificates) -> None:
    seen: list[Request] = []
    with (
        serve(noting(seen), tls=(certificates.cert_file, certificates.key_file)) as https,
        relaying(https.port, lambda: True) as relay,
        ends(),
        pytest.raises(requests.ConnectTimeout) as caught,
    ):
        session().get(f"https://127.0.0.1:{relay.port}/")
    assert never_sent(caught.value)
    assert seen == []


def test_an_answer_whose_encrypted_records_drip_ends(session: MakeSession, certificates: Certificates) -> None:
    seen: list[Request] = []
    with (
        serve(noting(seen, b"x" * 20_000), tls=(certificates.cert_file, certificates.key_file)) as https,
        relaying(https.port, lambda: bool(seen)) as relay,
        ends(),
        pytest.raises(requests.ReadTimeout) as caught,
    ):
        session(timeout=SOON).get(f"https://127.0.0.1:{relay.port}/")
    assert not never_sent(caught.value)
    assert len(seen) == 1


def noting(seen: list[Request], body: bytes = b"hello") -> Callable[..., object]:
    def app(environ, start_response):  # type: ignore[no-untyped-def]
        seen.append(Request(environ))
        return Response(body)(environ, start_response)

    return app


@pytest.fixture
def deaf_address() -> Iterator[tuple[str, int]]:
    """An address that answers no attempt to connect: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield listener.getsockname()
        for each in waiting:
            each.close()


def test_connecting_ends_however_many_addresses_a_name_has(
    session: MakeSession, deaf_address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", deaf_address)] * 500
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
    with ends(), pytest.raises(requests.ConnectTimeout) as caught:
        session().get("http://shop.example/")
    assert never_sent(caught.value)


def test_the_next_address_is_tried_if_one_refuses(session: MakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = closed.getsockname()
    with dripping("silence", answers=1) as server:
        known = [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)
            for address in (refusing, ("127.0.0.1", server.port))
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
        assert session(timeout=PLENTY).get("http://shop.example/").text == "hello"


class HangingNames:
    """getaddrinfo that does not answer before it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_answer = threading.Event()
        self.asked = 0
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, _host: str, *rest: object, **more: object) -> object:
        self.asked += 1
        self.may_answer.wait(60)
        return self._real("127.0.0.1", *rest, **more)  # type: ignore[arg-type]


def test_a_name_that_is_looked_up_for_ever_ends_and_nothing_was_sent(
    session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = HangingNames(monkeypatch)
    with ends(), pytest.raises(requests.ConnectTimeout) as caught:
        session().get("https://shop.example/")
    names.may_answer.set()
    assert never_sent(caught.value)


def test_look_ups_that_hang_are_few_and_are_over_when_names_are_answered_again(
    session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = HangingNames(monkeypatch)

    def ask(number: int) -> bool:
        with pytest.raises(requests.ConnectTimeout) as caught:
            client.get(f"http://shop-{number}.example/")
        return never_sent(caught.value)

    client = session()
    with ends(), ThreadPoolExecutor(5 * LOOKUPS) as threads:
        assert all(threads.map(ask, range(5 * LOOKUPS)))
    assert names.asked <= LOOKUPS
    names.may_answer.set()
    with dripping("silence", answers=1) as server:
        patient = session(timeout=PLENTY)
        assert patient.get(f"http://shop.example:{server.port}/").text == "hello"


# Sending


def test_a_body_that_nobody_reads_ends_and_may_have_been_sent(session: MakeSession) -> None:
    def converse(_: socket.socket, over: threading.Event) -> None:
        over.wait()

    with talking(converse) as server, ends(), pytest.raises(requests.ReadTimeout) as caught:
        session().post(server.url, data=LARGE)
    assert not never_sent(caught.value)


def test_a_body_that_is_read_byte_by_byte_ends(session: MakeSession, context: ssl.SSLContext | None) -> None:
    def converse(connection: socket.socket, over: threading.Event) -> None:
        while not over.wait(0.02) and connection.recv(1_000):
            pass

    with talking(converse, context) as server, ends(), pytest.raises(requests.ReadTimeout) as caught:
        session(timeout=SOON).post(server.url, data=LARGE)
    assert not never_sent(caught.value)


# Several exchanges


def test_all_exchanges_of_a_piece_of_work_end_together(session: MakeSession) -> None:
    client = session(timeout=60.0)
    with dripping("header") as server, ends(), within(DEADLINE):
        with pytest.raises(requests.ReadTimeout):
            client.get(server.url)
        with pytest.raises(requests.ConnectTimeout, match="no time left") as caught:
            client.get(server.url)
    assert server.connections == 1
    assert never_sent(caught.value)


def test_a_limit_within_a_limit_can_only_be_shorter() -> None:
    assert left(7.0) == 7.0
    with within(60.0):
        with within(3600.0):
            assert left(1e9) <= 60.0
        with within(5.0):
            assert left(1e9) <= 5.0
        assert 5.0 < left(1e9) <= 60.0
    assert left(1e9) == 1e9


def test_a_limit_holds_for_its_own_thread_alone() -> None:
    with within(0.0), ThreadPoolExecutor(1) as other:
        assert other.submit(left, 7.0).result() == 7.0


# Interim answers


def test_interim_answers_are_passed_over_and_the_connection_stays_in_step(session: MakeSession) -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

    def converse(connection: socket.socket, _: threading.Event) -> None:
        for number in (b"1", b"2", b"3"):
            read_head(connection)
            connection.sendall(interim + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + number)

    with talking(converse) as server:
        client = session(timeout=PLENTY)
        assert [client.get(server.url).text for _ in range(3)] == ["1", "2", "3"]
    assert server.connections == 1
