"""The network of a world without sockets: requests go straight to the simulators, through whatever weather there is.

The bridge's sessions are its own but for the last step. Time passes only where a trouble says so.
"""

import heapq
from collections.abc import Callable, Mapping
from enum import Enum
from io import BytesIO
from itertools import count
from random import Random
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError
from werkzeug.test import run_wsgi_app

from bridge.outbound.transport import make_session
from bridge.selftest.clock import SharedClock


class Trouble(Enum):
    """What becomes of a request: whether it arrives, and what comes back."""

    UNREACHED = "no connection can be made"
    RESET = "the connection breaks before the request has arrived"
    DROPPED = "it is done, and the connection breaks"
    ERROR_500 = "500, and nothing is done"
    ERROR_503 = "503, and nothing is done"
    DONE_500 = "it is done, and the answer is 500"
    TRUNCATED = "it is done, and half of the answer comes"
    HTML = "it is done, and a web page comes"
    RATE_LIMITED = "429, and nothing is done"
    CONFLICT = "409, as if the key were in use, and nothing is done"
    STALLED = "it is done, and the answer comes too late"
    LATE = "nobody answers in time, and it arrives minutes later"
    MISSED = "nobody answers in time, and it never arrives"
    REDIRECT = "302 to somewhere else, and nothing is done"
    GONE = "410, and nothing is done"
    TLS = "the certificate is wrong"


PROVIDER_TROUBLES = tuple(
    trouble for trouble in Trouble if trouble not in (Trouble.REDIRECT, Trouble.GONE, Trouble.TLS)
)
ON_ITS_WAY = 590.0
"""Seconds that a request is on its way at the most after nobody has answered it."""
_STATUS = {
    Trouble.ERROR_500: 500,
    Trouble.ERROR_503: 503,
    Trouble.RATE_LIMITED: 429,
    Trouble.CONFLICT: 409,
    Trouble.REDIRECT: 302,
    Trouble.GONE: 410,
}
_KINDS = {429: "rate_limit_error", 409: "idempotency_error"}
Weather = Callable[[str, requests.PreparedRequest], Trouble | None]
"""What befalls a request to a host."""


def fair(_host: str, _request: requests.PreparedRequest) -> None:
    return None


class Wire:
    """`apps` says who answers at which host; `weather` may be changed at any time. `troubles` counts what happened.

    `arriving` is told of each request right before its work is done, `arrived` after it, before its answer comes.
    """

    def __init__(self, clock: SharedClock, random: Random, weather: Weather = fair) -> None:
        self.apps: Mapping[str, Any] = {}
        self.weather = weather
        self.clock = clock
        self.arriving: Callable[[str, requests.PreparedRequest], None] | None = None
        self.arrived: Callable[[str, requests.PreparedRequest], None] | None = None
        self.troubles = 0
        self._random = random
        self._late: list[tuple[float, int, requests.PreparedRequest]] = []
        self._number = count()

    def make_session(self, *, timeout: float, **_options: Any) -> requests.Session:
        session = make_session(timeout=timeout, allow_private=True)
        line = _Line(self, timeout)
        session.mount("https://", line)
        session.mount("http://", line)
        return session

    def catch_up(self) -> None:
        """Let arrive what was on its way."""
        while self._late and self._late[0][0] <= self.clock():
            self._arrive(heapq.heappop(self._late)[2])

    def pass_time(self, seconds: float) -> None:
        """Time passes, and what was on its way arrives when it is due."""
        end = self.clock() + seconds
        while self._late and self._late[0][0] <= end:
            due, _, request = heapq.heappop(self._late)
            self.clock.set(max(due, self.clock()))
            self._arrive(request)
        self.clock.set(end)

    def send(self, request: requests.PreparedRequest, timeout: float) -> HTTPResponse:
        """The answer, or what a client sees of the trouble."""
        self.catch_up()
        trouble = self.weather(urlsplit(request.url or "").hostname or "", request)
        if trouble is None:
            return self._arrive(request)
        self.troubles += 1
        if trouble is Trouble.UNREACHED:
            reason = NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(MaxRetryError(None, request.url or "", reason))  # type: ignore[arg-type]
        if trouble is Trouble.TLS:
            raise requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED", request=request)
        if trouble in _STATUS:
            return _error(_STATUS[trouble])
        if trouble is Trouble.RESET:
            raise requests.ConnectionError(ProtocolError("reset"))
        if trouble in (Trouble.LATE, Trouble.MISSED):
            self.pass_time(timeout)
            if trouble is Trouble.LATE:
                due = self.clock() + self._random.uniform(0, ON_ITS_WAY)
                heapq.heappush(self._late, (due, next(self._number), request.copy()))
            raise requests.ReadTimeout("no answer")
        return self._spoilt(trouble, self._arrive(request), timeout)

    def _spoilt(self, trouble: Trouble, answer: HTTPResponse, timeout: float) -> HTTPResponse:
        if trouble is Trouble.DROPPED:
            raise requests.ConnectionError(ProtocolError("broken"))
        if trouble is Trouble.STALLED:
            self.pass_time(timeout)
            raise requests.ReadTimeout("no answer")
        if trouble is Trouble.DONE_500:
            return _error(500)
        if trouble is Trouble.HTML:
            return _answer(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><p>We'll be right back")
        body = answer.read()
        return _answer(answer.status, dict(answer.headers), body[: len(body) // 2])

    def _arrive(self, request: requests.PreparedRequest) -> HTTPResponse:
        environ = _environ(request)
        app = self.apps[environ["SERVER_NAME"]]
        if self.arriving:
            self.arriving(environ["SERVER_NAME"], request)
        pieces, status, headers = run_wsgi_app(app, environ)
        if self.arrived:
            self.arrived(environ["SERVER_NAME"], request)
        return _answer(int(status.partition(" ")[0]), dict(headers), b"".join(pieces))


class _Line(HTTPAdapter):
    def __init__(self, wire: Wire, timeout: float) -> None:
        super().__init__()
        self._wire = wire
        self._timeout = timeout

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        return self.build_response(request, self._wire.send(request, self._timeout))


def _answer(status: int, headers: Mapping[str, str], body: bytes) -> HTTPResponse:
    kept = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return HTTPResponse(BytesIO(body), headers=kept, status=status, preload_content=False)


def _error(status: int) -> HTTPResponse:
    kind = _KINDS.get(status, "api_error")
    body = f'{{"error": {{"type": "{kind}", "message": "An injected fault: HTTP {status}."}}}}'
    headers = {"Content-Type": "application/json", "Retry-After": "1", "Location": "https://elsewhere.test/"}
    return _answer(status, headers, body.encode())


def _content(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    if not isinstance(body, bytes):
        raise TypeError("a request with a body that is not a text")
    return body


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(request.url or "")
    content = _content(request)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(content)),
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": BytesIO(content),
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            environ[f"HTTP_{key}"] = value if isinstance(value, str) else value.decode("latin-1")
    return environ
