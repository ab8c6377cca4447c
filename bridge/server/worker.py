"""gunicorn's worker of `serve`: one loop waits for all clients, threads answer whole requests.

A thread is taken when head and body of a request are there, and given back when its answer is written into memory. So
a client that stalls, wherever it does, costs a socket and what it has sent. What gunicorn's `gthread` does instead, and
the figures, are in docs/decisions.md.
"""

import os
import re
import secrets
import selectors
import socket
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from gunicorn.http.message import Request
from gunicorn.http.wsgi import create
from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from bridge.domain import logs
from bridge.server.answers import FAULT, OVERLOADED, TIMED_OUT, Answer, Outgoing, Refusal, refusal_of
from bridge.server.connection import Connection, Gone, Phase

access = logs.logger("bridge.access")
"""One line for each answer: who, what, status, size and time; never the query, in which keys may stand."""
_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)

PHASE_SECONDS = {Phase.HANDSHAKE: 10.0, Phase.READING: 10.0, Phase.SENDING: 60.0, Phase.CLOSING: 2.0}
"""Seconds that a client has for a phase as a whole, however it drips. IDLE has gunicorn's `keepalive`."""
STOP_SECONDS = 2.0
"""A stopping worker waits that long for requests that a client may be sending already."""
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Bytes that may wait for clients, in and out, in one process. Beyond that the connection with the most is closed."""
MAX_ACCEPTED_AT_ONCE = 8


class BufferingWorker(Worker):  # type: ignore[misc]
    """At `worker_connections` the connection that has waited longest for its client is closed for a new one."""

    def init_process(self) -> None:
        self._poller = selectors.DefaultSelector()
        self._pool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="request")
        self._answered: deque[Connection] = deque()
        self._waiting: OrderedDict[Connection, None] = OrderedDict()  # who has waited longest comes first
        self._answering = 0
        self._held = 0
        self._swept = 0.0
        self._tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        super().init_process()

    def handle_exit(self, _signal: int, _frame: FrameType | None) -> None:
        self.alive = False

    def handle_quit(self, _signal: int, _frame: FrameType | None) -> None:
        """Ctrl-C: like SIGTERM. gunicorn's master kills whoever is too slow."""
        self.alive = False
        self.cfg.worker_int(self)

    def run(self) -> None:
        self._poller.register(self.PIPE[0], selectors.EVENT_READ, self._on_wake)
        for listener in self.sockets:
            listener.setblocking(False)
            self._poller.register(listener, selectors.EVENT_READ, self._on_listener)
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self._stop()

    def _stop(self) -> None:
        """Take no more connections, and answer what is under way."""
        for listener in self.sockets:
            self._poller.unregister(listener)
            listener.close()
        now = time.monotonic()
        ends = now + self.cfg.graceful_timeout
        while (self._waiting or self._answering) and (moment := time.monotonic()) < ends:
            if moment > now + STOP_SECONDS:
                for connection in [each for each in self._waiting if each.phase is not Phase.SENDING]:
                    self._drop(connection)
            self._turn()
        self._pool.shutdown(wait=False)
        self._poller.close()

    def _turn(self) -> None:
        self.notify()
        for key, _ in self._poller.select(1.0):
            if isinstance(key.fileobj, Connection):
                self._on_client(key.fileobj)
            else:
                key.data(key.fileobj)
        if time.monotonic() - self._swept >= 1.0:
            self._sweep()

    # What happens

    def _on_wake(self, descriptor: int) -> None:
        with suppress(BlockingIOError):
            os.read(descriptor, 4096)
        while self._answered:
            connection = self._answered.popleft()
            self._answering -= 1
            self._count(connection, connection.held)
            with self._dropping(connection):
                self._send(connection)

    def _on_listener(self, listener: Any) -> None:
        for _ in range(MAX_ACCEPTED_AT_ONCE):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return  # another process was faster, or the client has gone
            except OSError as error:
                self.log.error("no connection can be accepted: %s", error)
                self._make_room()
                return
            self._begin(sock, peer, listener.getsockname())

    def _begin(self, sock: socket.socket, peer: object, server: object) -> None:
        sock.setblocking(False)
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except OSError:  # it has gone already
            sock.close()
            return
        connection = Connection(self.cfg, sock, peer, server, time.monotonic())
        with self._dropping(connection):
            if len(self._waiting) + self._answering >= self.cfg.worker_connections and not self._make_room():
                self._refuse(connection, OVERLOADED)
            else:
                self._enter(connection, connection.phase)
                self._advance(connection)

    def _on_client(self, connection: Connection) -> None:
        """The client has sent something, or takes something."""
        if connection not in self._waiting:
            return  # closed since the poller told of it
        with self._dropping(connection):
            self._advance(connection)
        if connection in self._waiting:
            self._count(connection, connection.held)
        if self._held > MAX_WAITING_BYTES and self._waiting:
            self._drop(max(self._waiting, key=lambda each: each.counted))

    def _advance(self, connection: Connection) -> None:
        match connection.phase:
            case Phase.HANDSHAKE:
                if connection.shake_hands():
                    self._enter(connection, Phase.READING)
                    self._receive(connection)
                else:
                    self._watch(connection)
            case Phase.READING | Phase.IDLE:
                self._receive(connection)
            case Phase.SENDING:
                self._send(connection)
            case Phase.CLOSING:
                connection.drain()
                self._watch(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            whole = connection.receive()
            if whole:
                self._count(connection, connection.held)  # until it is answered
                self._hand_over(connection, connection.take())
                return
        except Gone:
            raise
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                self.log.exception("a request could not be read")
            self._refuse(connection, refusal or FAULT)
            return
        if connection.phase is Phase.IDLE and connection.has_begun:
            self._enter(connection, Phase.READING)
        self._watch(connection)

    def _send(self, connection: Connection) -> None:
        """Send the answer as far as the client takes it; afterwards wait for the next request, or for the end."""
        if not connection.send():
            if connection.phase is not Phase.SENDING:
                self._enter(connection, Phase.SENDING, selectors.EVENT_WRITE)
        elif not connection.keep:
            self._enter(connection, Phase.CLOSING)
            connection.finish()
            connection.drain()
        elif connection.has_more:
            self._enter(connection, Phase.READING)
            self._receive(connection)
            return
        else:
            self._enter(connection, Phase.IDLE)
        self._watch(connection)

    # What is done with a connection

    def _enter(self, connection: Connection, phase: Phase, interest: int = selectors.EVENT_READ) -> None:
        connection.phase, connection.interest, connection.since = phase, interest, time.monotonic()
        self._waiting[connection] = None
        self._waiting.move_to_end(connection)

    def _watch(self, connection: Connection) -> None:
        """Have the poller tell when the client does what the connection waits for."""
        if connection.watched == connection.interest:
            return
        change = self._poller.modify if connection.watched else self._poller.register
        change(connection, connection.interest)
        connection.watched = connection.interest

    def _hand_over(self, connection: Connection, request: Request) -> None:
        self._forget(connection)
        connection.phase = Phase.ANSWERING
        self._answering += 1
        self._pool.submit(self._answer, connection, request)

    def _refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Answer without the application, and close."""
        self.log.warning("a request from %s was refused: %s", _address(connection.peer), refusal.reason)
        connection.queue(refusal.render(secure=self.cfg.is_ssl), keep=False)
        self._send(connection)

    def _forget(self, connection: Connection) -> None:
        self._waiting.pop(connection, None)
        if connection.watched:
            self._poller.unregister(connection)
            connection.watched = 0

    def _drop(self, connection: Connection) -> None:
        self._forget(connection)
        self._count(connection, 0)
        connection.close()

    @contextmanager
    def _dropping(self, connection: Connection) -> Iterator[None]:
        """Whoever has gone is forgotten."""
        try:
            yield
        except Gone:
            self._drop(connection)

    def _count(self, connection: Connection, held: int) -> None:
        self._held += held - connection.counted
        connection.counted = held

    def _make_room(self) -> bool:
        """Close the connection that has waited longest for its client. Whether there was one."""
        oldest = next(iter(self._waiting), None)
        if oldest is None:
            return False
        self._drop(oldest)
        return True

    def _sweep(self) -> None:
        """Close whatever took too long."""
        now = self._swept = time.monotonic()
        idle = float(self.cfg.keepalive)
        late = [each for each in self._waiting if now - each.since >= PHASE_SECONDS.get(each.phase, idle)]
        for connection in late:
            if connection.phase is Phase.READING and connection.has_begun:
                connection.queue(TIMED_OUT.render(secure=self.cfg.is_ssl), keep=False)
                with suppress(Gone):
                    connection.send()
            self._drop(connection)
        if unfinished := sum(each.phase in (Phase.HANDSHAKE, Phase.READING) for each in late):
            self.log.warning("%d connections were closed: no complete request arrived in time", unfinished)

    # What a thread does

    def _answer(self, connection: Connection, request: Request) -> None:
        with logs.about(request_id=_request_id(request)):
            try:
                answer, keep = self._ask(connection, request)
            except Exception:
                self.log.exception("a request could not be answered")
                answer, keep = FAULT.render(secure=self.cfg.is_ssl), False
        connection.queue(answer, keep=keep)
        with suppress(Gone):  # the loop finds it gone, too
            connection.send()
        self._answered.append(connection)
        with suppress(BlockingIOError):  # the pipe is full of wakes
            os.write(self.PIPE[1], b"\0")

    def _ask(self, connection: Connection, request: Request) -> tuple[bytes, bool]:
        """The application's answer as bytes, and whether the connection stays open."""
        outgoing = Outgoing()
        response, environ = create(
            request, outgoing, connection.peer, connection.server, self.cfg, response_class=Answer
        )
        environ["wsgi.multithread"] = True
        began = time.monotonic()
        if not self.alive or not self.cfg.keepalive:
            response.force_close()
        chunks = self.wsgi(environ, response.start_response)
        try:
            for chunk in chunks:
                response.write(chunk)
            response.close()
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        if self.cfg.accesslog:
            took = (time.monotonic() - began) * 1000
            say = (_address(connection.peer), request.method, request.path, response.status_code, response.sent, took)
            access.info("%s %s %s %s %d bytes %.1f ms", *say)
        return outgoing.take(), not response.should_close()


def _request_id(request: Request) -> str:
    """A proxy's `X-Request-Id`, if it is one, or an id of our own."""
    given = next((value for name, value in request.headers if name == "X-REQUEST-ID"), "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _address(peer: object) -> str:
    return str(peer[0]) if isinstance(peer, tuple) else "a unix socket"
