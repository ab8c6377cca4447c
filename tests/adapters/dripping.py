"""Servers on raw sockets that keep a client waiting: they send a byte now and then, or take one, and never end."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

PAUSE = 0.05
"""Seconds between two pieces: far less than any deadline, so that only one for the whole exchange ends it."""
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"

DRIPS: dict[str, tuple[bytes, bytes]] = {
    "silence": (b"", b""),
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "header": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "header lines": (b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n"),
    "100 Continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "102 Processing": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "103 with headers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "header of an interim answer": (b"HTTP/1.1 100 Continue\r\nX-A: ", b"a"),
    "body with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"."),
    "body without a length": (b"HTTP/1.1 200 OK\r\n\r\n", b"."),
    "chunk size": (CHUNKED, b"0"),
    "chunk extension": (CHUNKED + b"5;a=", b"a"),
    "chunk": (CHUNKED + b"fff\r\n", b"."),
    "chunks": (CHUNKED, b"1\r\n.\r\n"),
    "trailer": (CHUNKED + b"0\r\nX-A: ", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"X-A: a\r\n"),
    "compressed nothing": (PACKED, b"\x00\x00\x00\xff\xff"),
    "compressed nothing in chunks": (
        PACKED.replace(b"Encoding: gzip", b"Encoding: gzip\r\nTransfer-Encoding: chunked").replace(
            b"\r\n\r\n", b"\r\n\r\na\r\n"
        )
        + b"\r\n",
        b"5\r\n\x00\x00\x00\xff\xff\r\n",
    ),
}
"""By the place of the drip: what comes at once, and what comes then, again and again."""

Converse = Callable[[socket.socket], None]


class Dripping:
    """Lets every connection have its own thread until it is closed."""

    def __init__(self, converse: Converse, context: ssl.SSLContext | None = None) -> None:
        self.over = threading.Event()
        self.connections = 0
        self._converse = converse
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self._open: dict[threading.Thread, socket.socket] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._open[thread] = connection
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._context is None:
                self._converse(connection)
                return
            # Beside the connection that `close` shuts down: wrapping it would take it from there.
            with self._context.wrap_socket(connection.dup(), server_side=True) as encrypted:
                self._converse(encrypted)

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread, connection in self._open.items():
            shut(connection)
            thread.join(10)


@contextmanager
def dripping(
    place: str, *, answers: int = 0, flood: bool = False, context: ssl.SSLContext | None = None
) -> Iterator[Dripping]:
    """Answers so many requests of a connection as it should, and drips at the next; as a `flood` without a pause."""

    def converse(connection: socket.socket) -> None:
        for _ in range(answers):
            read_head(connection)
            connection.sendall(WHOLE)
        read_head(connection)
        begin, again = DRIPS[place]
        connection.sendall(begin)
        while not server.over.wait(0 if flood else PAUSE):
            connection.sendall(again)

    server = Dripping(converse, context)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def talking(
    converse: Callable[[socket.socket, threading.Event], None], context: ssl.SSLContext | None = None
) -> Iterator[Dripping]:
    """A server that does with a connection what `converse` says, until the event is set."""
    server = Dripping(lambda connection: converse(connection, server.over), context)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def relaying(port: int, is_slow: Callable[[], bool]) -> Iterator[Dripping]:
    """Hands on what goes to and comes from another server; what comes, byte by byte once `is_slow`."""

    def converse(connection: socket.socket, over: threading.Event) -> None:
        with ExitStack() as stack:
            other = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            sender = threading.Thread(target=_hand_on, args=(connection, other), daemon=True)
            sender.start()
            stack.callback(sender.join)
            stack.callback(shut, other)
            stack.callback(shut, connection)
            while data := other.recv(65_536):
                if not is_slow():
                    connection.sendall(data)
                    continue
                for byte in data:
                    if over.wait(PAUSE):
                        return
                    connection.sendall(bytes([byte]))

    with talking(converse) as server:
        yield server


def read_head(connection: socket.socket) -> None:
    """Take a request without a body off a connection. Raises OSError at its end."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = connection.recv(65_536)
        if not data:
            raise ConnectionError("the client went away")
        head += data


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    shut(target)


def shut(connection: socket.socket) -> None:
    """End it in both directions, whoever waits for it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
