"""Connections that begin and do not go on, in every way that a client can stall a server."""

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Self

POST = b"POST /bridge/v1/webhooks/x HTTP/1.1\r\nHost: bridge\r\n"
DRIP_SECONDS = 2.0
SETTLED = 10.0
"""Seconds in which the server works off what came while the connections were opened: some ask for whole answers."""
PAUSE = 0.5
"""Seconds between two questions to the health route."""
REOPENED = 20
"""Of those that the server closed, so many are opened again each tenth of a second."""


@dataclass(frozen=True)
class Shape:
    """`opening` is sent at once, `drip` every two seconds. Where it `reads` nothing, its buffers are small."""

    name: str
    opening: bytes = b""
    drip: bytes = b""
    tls: bool = False
    raw_tls: bool = False
    reads: bool = True


GET = b"GET /bridge/v1/health/live HTTP/1.1\r\nHost: bridge\r\n"
CLIENT_HELLO = bytes.fromhex("16030100f0010000ec0303") + bytes(24)
"""The beginning of a TLS handshake: a record of 240 bytes is announced."""
SHAPES = (
    Shape("nothing is sent"),
    Shape("a part of the request line", b"GET /bri"),
    Shape("a part of a header", GET + b"X-A: "),
    Shape("a header that drips", GET + b"X-A: ", b"a"),
    Shape("headers that drip", GET, b"X-A: a\r\n"),
    Shape("a length and no body", POST + b"Content-Length: 1000\r\n\r\n"),
    Shape("a body that drips", POST + b"Content-Length: 1000\r\n\r\n", b"a"),
    Shape("a body that is asked for", POST + b"Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"),
    Shape("chunks that do not end", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"1\r\na\r\n"),
    Shape("a chunk's size that drips", POST + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    Shape("trailers that drip", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: a\r\n"),
    Shape("kept alive, and idle", GET + b"\r\n"),
    Shape("closed by the server only", GET + b"Connection: close\r\n\r\n"),
    Shape("answers that nobody reads", b"GET /bridge/v1/docs HTTP/1.1\r\nHost: bridge\r\n\r\n", reads=False),
    Shape("no handshake", tls=True, raw_tls=True),
    Shape("a part of a handshake", CLIENT_HELLO, tls=True, raw_tls=True),
    Shape("a handshake that drips", CLIENT_HELLO, b"\0", tls=True, raw_tls=True),
    Shape("a handshake, and nothing", tls=True),
    Shape("a part of a header over TLS", GET + b"X-A: ", b"a", tls=True),
)


class Crowd:
    """`size` connections of one shape, from `source`; whichever the server closes is opened again."""

    def __init__(self, shape: Shape, address: tuple[str, int], size: int, source: str) -> None:
        self.opened = self.closed = 0
        self._shape, self._address, self._size, self._source = shape, address, size, source
        self._sockets: list[socket.socket] = []
        self._ended = threading.Event()
        self._complete = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._complete.wait(60):
            self.__exit__()
            raise RuntimeError("the connections could not be opened")
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for sock in self._sockets:
            sock.close()

    def _hold(self) -> None:
        dripped = time.monotonic()
        while not self._ended.wait(0.1):
            self._close_what_was_closed()
            for _ in range(min(self._size - len(self._sockets), REOPENED if self._complete.is_set() else self._size)):
                self._open()
            self._complete.set()
            if self._shape.drip and time.monotonic() - dripped > DRIP_SECONDS:
                dripped = time.monotonic()
                for sock in self._sockets:
                    with suppress(OSError):
                        sock.send(self._shape.drip)

    def _open(self) -> None:
        sock = socket.socket()
        self._sockets.append(sock)
        self.opened += 1
        with suppress(OSError):  # refused, or closed at once: opened again, next time
            sock.bind((self._source, 0))
            if not self._shape.reads:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(5)
            sock.connect(self._address)
            if self._shape.tls and not self._shape.raw_tls:
                sock = self._sockets[-1] = _careless().wrap_socket(sock)
            sock.setblocking(False)
            sock.send(self._shape.opening)

    def _close_what_was_closed(self) -> None:
        """A connection that reads nothing does not notice its end, but by a reset."""
        poll = select.poll()
        for sock in self._sockets:
            poll.register(sock, select.POLLIN if self._shape.reads else 0)
        told = {descriptor for descriptor, _ in poll.poll(0)}
        gone = {sock for sock in self._sockets if sock.fileno() in told and _has_ended(sock, self._shape)}
        for sock in gone:
            sock.close()
        self.closed += len(gone)
        self._sockets = [sock for sock in self._sockets if sock not in gone]


def _has_ended(sock: socket.socket, shape: Shape) -> bool:
    """Reads what there is. `Connection: close` leaves the closing to us, and we do not."""
    if not shape.reads:
        return True
    try:
        while sock.recv(65536):
            pass
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    return b"Connection: close" not in shape.opening


@cache
def _careless() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def probe(address: tuple[str, int], *, tls: bool, seconds: float) -> float | None:
    """How long the health route took, in seconds, on a connection of its own; None if it gave no 200 in time."""
    began = time.monotonic()
    try:
        with _connected(address, tls=tls, seconds=seconds) as sock:
            sock.sendall(GET + b"Connection: close\r\n\r\n")
            answer = b""
            while b"ok" not in answer:
                sock.settimeout(max(0.01, seconds - (time.monotonic() - began)))
                data = sock.recv(4096)
                if not data:
                    return None
                answer += data
    except OSError:
        return None
    took = time.monotonic() - began
    return took if answer.startswith(b"HTTP/1.1 200") and took <= seconds else None


@contextmanager
def _connected(address: tuple[str, int], *, tls: bool, seconds: float) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=seconds) as sock:
        if tls:
            with _careless().wrap_socket(sock) as secure:
                yield secure
        else:
            yield sock


def answers(
    address: tuple[str, int], shape: Shape, *, size: int, source: str, probes: int = 10, seconds: float = 1.0
) -> list[float | None]:
    """What `probes` of the health route took while `size` connections of this shape were held from `source`; each has
    so many seconds."""
    pause = threading.Event()
    taken: list[float | None] = []
    with Crowd(shape, address, size, source):
        probe(address, tls=shape.tls, seconds=SETTLED)
        while len(taken) < probes:
            pause.wait(PAUSE if taken else 0)
            taken.append(probe(address, tls=shape.tls, seconds=seconds))
    return taken
