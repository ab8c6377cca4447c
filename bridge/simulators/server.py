"""Runs a WSGI app on a socket in a daemon thread: HTTP/1.1 with keep-alive, plain or over TLS, silent, closed cleanly.

Werkzeug's own handler closes every connection, and its server ends the process when a port is busy: both are undone.
"""

from __future__ import annotations

import io
import logging
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    import os

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    TlsFiles = tuple[str | os.PathLike[str], str | os.PathLike[str]]

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.02
JOIN_SECONDS = 5.0


class _BadBodyError(Exception):
    """The request's body cannot be framed: a wrong length or a broken chunk."""


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer: headers and body leave together
    disable_nagle_algorithm = True

    def log(self, *message: Any) -> None:
        logger.debug("%s", message)

    def handle_expect_100(self) -> bool:
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        try:
            self._read_body(environ)
        except _BadBodyError:
            self.close_connection = True
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        try:
            pieces, status, headers = run_wsgi_app(self.server.app, environ)
            if "Content-Length" not in headers:
                pieces = [b"".join(pieces)]
                headers["Content-Length"] = str(len(pieces[0]))
        except ConnectionError:
            raise  # the app hung up on its client
        except Exception:
            logger.exception("the app failed on %s %s", self.command, environ["PATH_INFO"])
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self._answer(status, headers, pieces)

    def _refuse(self, status: HTTPStatus) -> None:
        body = f"{status.phrase}\n".encode()
        self._answer(f"{status.value} {status.phrase}", Headers({"Content-Length": str(len(body))}), [body])

    def _read_body(self, environ: WSGIEnvironment) -> None:
        """Take the whole body off the connection, so that the next request starts where it should."""
        try:
            if environ.get("wsgi.input_terminated"):
                body = environ["wsgi.input"].read()
            else:
                length = int(environ.get("CONTENT_LENGTH") or 0)
                if length < 0:
                    raise _BadBodyError
                body = self.rfile.read(length)
        except ConnectionError:
            raise
        except (OSError, ValueError) as error:
            raise _BadBodyError from error
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(len(body))

    def _answer(self, status: str, headers: Headers, pieces: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        bodiless = int(code) in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        self.send_response_only(int(code), reason)
        if "Date" not in headers:
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            if not (bodiless and name.lower() == "content-length"):
                self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            if not bodiless and self.command != "HEAD":
                self.wfile.write(piece)
                self.wfile.flush()
        self.wfile.flush()


class _Listener(ThreadedWSGIServer):
    """One thread per connection; the TLS handshake happens in that thread, so that a silent peer holds up nobody."""

    def __init__(self, app: WSGIApplication, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._lock = threading.Lock()
        self._conversations: dict[threading.Thread, socket.socket] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family, backlog=128) as bound:
            super().__init__(host, bound.getsockname()[1], app, handler=_Handler, fd=bound.fileno())
        self.ssl_context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        name = f"server-{self.port}-conversation"
        thread = threading.Thread(target=self._converse, name=name, args=(request, client_address), daemon=True)
        with self._lock:
            self._conversations[thread] = request
        thread.start()

    def _converse(self, connection: socket.socket, address: Any) -> None:
        try:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            self.finish_request(connection, address)
        except (OSError, ValueError):
            logger.debug("a peer vanished", exc_info=True)
        finally:
            self.shutdown_request(connection)
            with self._lock:
                self._conversations.pop(threading.current_thread(), None)

    def hang_up(self) -> None:
        """End the open connections, idle or not, and wait for their threads."""
        with self._lock:
            conversations = list(self._conversations.items())
        for _, connection in conversations:
            with suppress(OSError):  # below the TLS layer: its state belongs to the other thread
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread, _ in conversations:
            thread.join(JOIN_SECONDS)


class Server:
    """A running server. `url` has no trailing slash; `close()` may be called twice."""

    def __init__(self, listener: _Listener, host: str) -> None:
        scheme = "http" if listener.ssl_context is None else "https"
        self.port: int = listener.port
        self.url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._listener = listener
        name = f"server-{self.port}"
        self._thread = threading.Thread(target=listener.serve_forever, name=name, args=(POLL_SECONDS,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join(JOIN_SECONDS)
        self._listener.hang_up()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(app: WSGIApplication, *, host: str = "127.0.0.1", port: int = 0, tls: TlsFiles | None = None) -> Server:
    """Serve `app` until the Server is closed. `port` 0 picks a free one; `tls` is (certificate file, key file).

    Raises OSError when the address cannot be bound (a busy port) or a TLS file cannot be read.
    """
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
    return Server(_Listener(app, host, port, context), host)
