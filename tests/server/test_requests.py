"""`serve` speaks HTTP over bare sockets: bodies, connections that stay, and what it writes by itself."""

import json
import socket
import ssl

import pytest

from tests.server.conftest import Server, read_to_end, statuses

HEALTH = b"GET /bridge/v1/health/live HTTP/1.1\r\nHost: bridge\r\n\r\n"
LAST = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
EXPECTANT = LAST.replace(b"GET /bridge/v1/health/live", b"POST /nothing").replace(
    b"\r\n\r\n", b"\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
)
MEGABYTE = 1024 * 1024


def head_of(said: bytes) -> dict[str, str]:
    lines = said.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_no_answer_names_the_server(served: Server) -> None:
    for said in (served.tell(LAST), served.tell(b"nonsense\r\n\r\n"), served.tell(b"GET /x HTTP/1.0\r\n\r\n")):
        assert "server" not in head_of(said)
        assert "strict-transport-security" not in head_of(said)
        assert b"gunicorn" not in said.lower()


def test_with_a_certificate_every_answer_asks_for_https_from_now_on(served_with_tls: Server) -> None:
    for said in (served_with_tls.tell(LAST), served_with_tls.tell(b"nonsense\r\n\r\n")):
        assert head_of(said)["strict-transport-security"] == "max-age=31536000"


def test_a_body_is_asked_for_and_then_taken(served: Server) -> None:
    with served.connect() as sock:
        sock.sendall(EXPECTANT)
        assert sock.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"hello")
        assert statuses(read_to_end(sock)) == [404]


def test_a_body_that_is_too_large_is_not_asked_for(served: Server) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: bridge\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    assert statuses(served.tell(head % (99 * 10**9))) == [413]


def test_a_body_that_came_with_its_head_is_not_asked_for(served: Server) -> None:
    assert statuses(served.tell(EXPECTANT + b"hello")) == [404]


def test_chunks_without_end_are_refused_when_they_are_too_much(served: Server) -> None:
    head = b"POST /nothing HTTP/1.1\r\nHost: bridge\r\nTransfer-Encoding: chunked\r\n\r\n"
    large = b"".join(b"%x\r\n%s\r\n" % (65536, 65536 * b"a") for _ in range(17))
    small = 10_000 * b"1\r\na\r\n"
    announced = b"fffffffffff\r\n"
    for chunks in (large, small, announced):
        said = served.tell(head + chunks)
        assert statuses(said) == [413]
        assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "wcpay_request_too_large"


def test_the_largest_body_arrives(served: Server) -> None:
    head = b"POST /bridge/v1/webhooks/x HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    assert statuses(served.tell(head % MEGABYTE + MEGABYTE * b"a")) == [400]  # no such endpoint
    assert statuses(served.tell(head % (MEGABYTE + 1) + (MEGABYTE + 1) * b"a")) == [413]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + 9000 * b"a" + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + 9000 * b"a" + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + 101 * b"X: a\r\n" + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + 70_000 * b"a", 431),
        (b"GET /" + 70_000 * b"a", 414),
        (b"GET / HTTP/1.1\r\nExpect: a-miracle\r\n\r\n", 417),
    ],
)
def test_a_head_has_limits(served: Server, head: bytes, status: int) -> None:
    assert statuses(served.tell(head)) == [status]


def test_a_connection_stays_until_the_client_is_done(served: Server) -> None:
    with served.connect() as sock:
        for _ in range(3):
            sock.sendall(HEALTH)
            said = sock.recv(4096)
            assert statuses(said) == [200]
            assert head_of(said)["connection"] == "keep-alive"
        sock.sendall(LAST)
        assert head_of(read_to_end(sock))["connection"] == "close"


def test_http_1_0_closes_by_itself(served: Server) -> None:
    said = served.tell(b"GET /bridge/v1/health/live HTTP/1.0\r\n\r\n")
    assert statuses(said) == [200]
    assert said.startswith(b"HTTP/1.0")


def test_head_has_no_body(served: Server) -> None:
    said = served.tell(LAST.replace(b"GET", b"HEAD"))
    assert said.endswith(b"\r\n\r\n")
    assert head_of(said)["content-length"] == "15"


def test_a_client_that_reads_slowly_gets_all_of_a_large_answer(served_with_tls: Server) -> None:
    with served_with_tls.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(LAST.replace(b"health/live", b"docs"))
        said = b""
        while part := sock.recv(1000):
            said += part
    head, _, body = said.partition(b"\r\n\r\n")
    assert len(body) == int(head_of(head)["content-length"]) > 100_000
    assert body.rstrip().endswith(b"</html>")


def test_one_who_speaks_plain_http_to_tls_harms_nobody(served_with_tls: Server) -> None:
    with socket.create_connection(served_with_tls.address, timeout=20) as plain:
        plain.sendall(HEALTH)
        assert statuses(read_to_end(plain)) == []
    assert statuses(served_with_tls.tell(LAST)) == [200]


def test_a_client_that_closes_its_side_first_is_answered(served_with_tls: Server, served: Server) -> None:
    with served.connect() as sock:
        sock.sendall(LAST)
        sock.shutdown(socket.SHUT_WR)
        assert statuses(read_to_end(sock)) == [200]
    with served_with_tls.connect() as secure:
        assert isinstance(secure, ssl.SSLSocket)
        assert secure.version() == "TLSv1.3"
