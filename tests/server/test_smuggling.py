"""What could be read as one request or as two is refused, and the connection closed: never two answers."""

import pytest

from tests.server.conftest import Server, read_to_end, statuses

LINE = b"POST /nothing HTTP/1.1\r\nHost: bridge\r\n"
SECOND = b"GET /bridge/v1/health/live HTTP/1.1\r\nHost: bridge\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

AMBIGUOUS = {
    "a length and chunks": LINE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunks and a length": LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "a length of 0 and chunks": LINE + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "two lengths": LINE + b"Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
    "the same length twice": LINE + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "two lengths in one header": LINE + b"Content-Length: 5, 0\r\n\r\nhello",
    "a length with a sign": LINE + b"Content-Length: +5\r\n\r\nhello",
    "a length below zero": LINE + b"Content-Length: -5\r\n\r\nhello",
    "a length with an underscore": LINE + b"Content-Length: 1_0\r\n\r\nhellohello",
    "a length in hexadecimal": LINE + b"Content-Length: 0x5\r\n\r\nhello",
    "a length of another script": LINE + b"Content-Length: \xb2\r\n\r\nhe",
    "an empty length": LINE + b"Content-Length: \r\n\r\n",
    "chunked twice": LINE + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKS,
    "chunked in two headers": LINE + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunked, then identity": LINE + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKS,
    "chunked misspelt": LINE + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunked in quotes": LINE + b'Transfer-Encoding: "chunked"\r\n\r\n' + CHUNKS,
    "chunked after a control character": LINE + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNKS,
    "identity and a length": LINE + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
    "gzip only": LINE + b"Transfer-Encoding: gzip\r\n\r\n" + CHUNKS,
    "an empty coding": LINE + b"Transfer-Encoding: \r\n\r\n" + CHUNKS,
    "chunks in HTTP/1.0": LINE.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "a space before the colon": LINE + b"Content-Length : 5\r\n\r\nhello",
    "a space before the coding's colon": LINE + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    "a tab before the colon": LINE + b"Content-Length\t: 5\r\n\r\nhello",
    "a space before the name": LINE + b" Content-Length: 5\r\n\r\nhello",
    "a folded length": LINE + b"Content-Length:\r\n 5\r\n\r\nhello",
    "a folded coding": LINE + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "a bare LF after a header": LINE + b"Content-Length: 5\nX: a\r\n\r\nhello",
    "bare LFs only": b"POST /nothing HTTP/1.1\nHost: bridge\nContent-Length: 5\n\nhello",
    "a bare CR in a header": LINE + b"X: a\rContent-Length: 5\r\n\r\nhello",
    "a NUL in a header": LINE + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "a NUL in a name": LINE + b"Content-Length\0: 5\r\n\r\nhello",
    "no colon": LINE + b"Content-Length 5\r\n\r\nhello",
    "two hosts": LINE + b"Host: another\r\nContent-Length: 5\r\n\r\nhello",
    "a chunk's size with a prefix": LINE + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size with a sign": LINE + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "a chunk's size below zero": LINE + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
    "a chunk's size that is none": LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    "a chunk's size with an underscore": LINE + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\nhello\r\n0\r\n\r\n",
    "a space before a chunk's size": LINE + b"Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
    "a space behind a chunk's size": LINE + b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    "a chunk's size that wraps around": LINE
    + b"Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    "no chunk's size": LINE + b"Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than it says": LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX\r\n0\r\n\r\n",
    "a chunk shorter than it says": LINE + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello\r\n0\r\n\r\n",
    "a bare LF behind a chunk's size": LINE + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "a bare LF behind a chunk": LINE + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n",
    "a bare CR in a chunk's extension": LINE + b"Transfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a bare LF in a chunk's extension": LINE + b"Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
    "a length in the trailers": LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    "a bare LF in the trailers": LINE + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\nY: b\r\n\r\n",
    "no method": b" /bridge/v1/health/live HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "a space in the path": b"GET /bridge/v1/health/live a HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "two versions": b"GET / HTTP/1.1 HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "no version": b"GET /bridge/v1/health/live\r\nHost: bridge\r\n\r\n",
    "version 2": b"GET / HTTP/2.0\r\nHost: bridge\r\n\r\n",
    "a tab for a space": b"GET\t/bridge/v1/health/live\tHTTP/1.1\r\nHost: bridge\r\n\r\n",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_is_ambiguous_has_one_answer_and_ends_the_connection(served: Server, name: str) -> None:
    answered = statuses(served.tell(AMBIGUOUS[name] + SECOND))
    assert answered in ([400], [501]), answered
    if name == "chunked misspelt":
        assert answered == [501]


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_it_is_the_same_when_it_comes_byte_by_byte(served: Server, name: str) -> None:
    with served.connect() as sock:
        whole = AMBIGUOUS[name] + SECOND
        try:
            for position in range(len(whole)):
                sock.sendall(whole[position : position + 1])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has been refused and closed already
        assert statuses(read_to_end(sock)) in ([400], [501], [])


def test_requests_that_are_plainly_two_get_two_answers_in_order(served: Server) -> None:
    closing = SECOND.replace(b"live", b"ready").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    said = served.tell(LINE + b"Content-Length: 5\r\n\r\nhello" + SECOND + closing)
    assert statuses(said) == [404, 200, 200]
    assert said.count(b'"database"') == 1
    assert said.endswith(b'{"status":"ok","database":"ok"}')


def test_a_chunked_body_ends_where_it_ends(served: Server) -> None:
    last = SECOND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    chunked = LINE + b"Transfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n"
    assert statuses(served.tell(chunked + last)) == [404, 200]
