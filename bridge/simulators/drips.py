"""Answers that never end: a byte now and then, at every place of an answer where a client may wait for the rest.

Written to the connection itself, below WSGI, which knows no such things. What is sent at once, and what is sent then,
again and again, is HTTP/1.1 as RFC 9112 has it, for as long as nobody asks for its end.
"""

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_EMPTY_GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"

PLACES: Mapping[str, tuple[bytes, bytes]] = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (_OK + b"X-Slow: ", b"a"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": (_OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "chunk size": (_CHUNKED, b"0"),
    "trailers": (_CHUNKED + b"0\r\n", b"X-Slow: a\r\n"),
    "compressed nothing": (_OK + b"Content-Encoding: gzip\r\n\r\n" + _EMPTY_GZIP, _EMPTY_BLOCK),
}
"""By their name: what is sent at once, and what is sent again and again."""


def drip(environ: "WSGIEnvironment", place: str, is_over: Callable[[], bool]) -> None:
    """Drip at a place until `is_over`, which waits between two pieces, or the client goes away.

    Without a server's socket (an in-process client) it only waits.
    """
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    begin, again = PLACES[place]
    with suppress(OSError):
        if isinstance(connection, socket.socket):
            connection.sendall(begin)
        while not is_over():
            if isinstance(connection, socket.socket):
                connection.sendall(again)
