"""A connection of `serve`, whose socket never blocks: it receives until a request is whole, and sends what it can."""

import socket
import ssl
from contextlib import suppress
from enum import Enum, auto
from selectors import EVENT_READ, EVENT_WRITE

from gunicorn.config import Config
from gunicorn.http.message import Request

from bridge.server.answers import CONTINUE
from bridge.server.incoming import Incoming

READ_SIZE = 64 * 1024
DRAINED = 64 * 1024
"""Bytes that a client may still send after its last answer, which a reset would destroy (RFC 9112, 9.6)."""


class Phase(Enum):
    """What a connection is doing. All but ANSWERING wait for the client, and take no thread."""

    HANDSHAKE = auto()
    READING = auto()
    IDLE = auto()
    ANSWERING = auto()
    SENDING = auto()
    CLOSING = auto()


class Gone(Exception):
    """The client has closed the connection, or broke it."""


class Connection:
    """`since` is when its phase began, in seconds of the worker's clock, and `interest` what it waits for.

    `watched` is what the worker's poller looks for, 0 if it does not; `counted` is what the worker has counted of
    `held`. `keep` is whether another request may follow.
    """

    def __init__(self, config: Config, sock: socket.socket, peer: object, server: object, now: float) -> None:
        self.peer, self.server = peer, server
        self.phase = Phase.HANDSHAKE if isinstance(sock, ssl.SSLSocket) else Phase.READING
        self.since = now
        self.interest = EVENT_READ
        self.watched = 0
        self.counted = 0
        self.keep = False
        self._config = config
        self.socket = sock
        self._number = 0
        self._drained = 0
        self._outgoing = memoryview(b"")
        self._behind = b""
        self._incoming = self._next_incoming()

    @property
    def held(self) -> int:
        """Bytes of memory that wait for the client."""
        return self._incoming.held + len(self._outgoing) + len(self._behind)

    @property
    def has_begun(self) -> bool:
        """Whether a part of a request has arrived."""
        return self._incoming.held > 0

    def fileno(self) -> int:
        return self.socket.fileno()

    def shake_hands(self) -> bool:
        """Whether TLS is set up now. Raises Gone."""
        assert isinstance(self.socket, ssl.SSLSocket)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self.interest = EVENT_READ
            return False
        except ssl.SSLWantWriteError:
            self.interest = EVENT_WRITE
            return False
        except OSError as error:
            raise Gone from error
        return True

    def receive(self) -> bool:
        """Take what has arrived; whether a request is whole now. Raises Gone, and what `Incoming.feed` raises."""
        behind, self._behind = self._behind, b""
        if behind and self._incoming.feed(behind):
            return True
        while data := self._receive():
            if self._incoming.feed(data):
                return True
            if len(data) < READ_SIZE and not self._has_more():
                break
        if self._incoming.expects_continue():
            with suppress(OSError):
                self.socket.send(CONTINUE)
        return False

    def take(self) -> Request:
        """The request that is whole. Raises what gunicorn's parser raises about its body."""
        request, self._behind = self._incoming.take()
        self._incoming = self._next_incoming()
        return request

    @property
    def has_more(self) -> bool:
        """Whether a part of the next request has arrived already."""
        return bool(self._behind)

    def queue(self, data: bytes, *, keep: bool) -> None:
        self._outgoing, self.keep = memoryview(data), keep

    def send(self) -> bool:
        """Send what the client takes now; whether that was all. Raises Gone."""
        try:
            while self._outgoing:
                self._outgoing = self._outgoing[self.socket.send(self._outgoing) :]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise Gone from error
        return True

    def finish(self) -> None:
        """Say that no more answers come."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def drain(self) -> None:
        """Read past what nobody will answer. Raises Gone at its end, or when it is too much."""
        while data := self._receive():
            self._drained += len(data)
            if self._drained > DRAINED:
                raise Gone

    def close(self) -> None:
        with suppress(OSError):
            self.socket.close()

    def _next_incoming(self) -> Incoming:
        self._number += 1
        return Incoming(self._config, self.peer, self._number)

    def _receive(self) -> bytes:
        """What has arrived, nothing if nothing has. Raises Gone."""
        try:
            data = self.socket.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        return data

    def _has_more(self) -> bool:
        """TLS decrypts whole records: what is left of one makes no socket readable."""
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0
