"""Fault injection that any simulator can wear: `Faults(app)` misbehaves on request, or at random from a seed.

It stands where a network and a provider's front door stand: an application behind it either processed the request
before the fault or never saw it, and which of the two is part of the fault's name. Knows nothing of any provider.
"""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from .drips import drip

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Match = str | Callable[[Request], bool] | None


class Fault(Enum):
    """What can go wrong. `processed` tells whether the application did its work before the client was let down."""

    REFUSED = "the connection is closed before the request is processed"
    ERROR_500 = "500 without processing"
    ERROR_503 = "503 without processing"
    RATE_LIMITED = "429 with Retry-After, without processing"
    CONFLICT = "409 without processing"
    STATUS = "any status, without processing"
    REDIRECT = "303 to another address, without processing"
    STALLED = "held back, then processed"
    DROPPED = "processed, then the connection is closed without an answer"
    CUT = "processed, then the connection is closed in the middle of the answer"
    PROCESSED_500 = "processed, then 500"
    TRUNCATED = "processed, then half of the JSON as if it were all"
    HTML = "processed, then an HTML page with status 200"
    WRONG_JSON = "processed, then valid JSON that is something else"
    STALLED_AFTER = "processed, then the answer is held back"
    EMPTY = "processed, then the answer without its body"
    HUGE = "processed, then the answer with spaces after it, many megabytes long"
    WRONG_TYPE = "processed, then the answer as if it were plain text"
    GZIP = "processed, then the answer compressed, whatever the client takes"
    DRIP_STATUS = "processed, then a status line that drips and never ends"
    DRIP_HEADER = "processed, then a header that drips and never ends"
    DRIP_INTERIM = "processed, then interim answers (100 Continue) without end"
    DRIP_BODY = "processed, then a body that drips and never ends"
    DRIP_CHUNK = "processed, then the size of a chunk that drips and never ends"
    DRIP_TRAILERS = "processed, then trailers without end"
    DRIP_GZIP = "processed, then a compressed body without end that is empty"

    @property
    def processed(self) -> bool:
        """Whether the application has done its work by the time the client notices."""
        return self in _PROCESSED


_DRIPS = {
    Fault.DRIP_STATUS: "status line",
    Fault.DRIP_HEADER: "header",
    Fault.DRIP_INTERIM: "interim answers",
    Fault.DRIP_BODY: "body",
    Fault.DRIP_CHUNK: "chunk size",
    Fault.DRIP_TRAILERS: "trailers",
    Fault.DRIP_GZIP: "compressed nothing",
}
DRIPS = tuple(_DRIPS)
_PROCESSED = frozenset(
    {
        Fault.DROPPED,
        Fault.CUT,
        Fault.PROCESSED_500,
        Fault.TRUNCATED,
        Fault.HTML,
        Fault.WRONG_JSON,
        Fault.STALLED_AFTER,
        Fault.EMPTY,
        Fault.HUGE,
        Fault.WRONG_TYPE,
        Fault.GZIP,
        *DRIPS,
    }
)
_BY_NAME = (Fault.STALLED, Fault.STALLED_AFTER, Fault.STATUS, Fault.HUGE, Fault.WRONG_TYPE, Fault.GZIP, *DRIPS)
_BY_CHANCE = tuple(fault for fault in Fault if fault not in _BY_NAME)
_STATUS = {
    Fault.ERROR_500: 500,
    Fault.ERROR_503: 503,
    Fault.RATE_LIMITED: 429,
    Fault.CONFLICT: 409,
    Fault.PROCESSED_500: 500,
}
_PAGE = b"<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"


@dataclass
class _Planned:
    fault: Fault
    times: int
    match: Match
    until: threading.Event | None
    seconds: float | None
    body: Any
    status: int = 400
    location: str = "/"

    def fits(self, request: Request) -> bool:
        if self.match is None:
            return True
        if isinstance(self.match, str):
            return self.match in f"{request.method} {request.path}"
        return self.match(request)


@dataclass(frozen=True)
class Injected:
    """A fault that was served, and to which request."""

    fault: Fault
    method: str
    path: str


def error_body(status: int) -> Mapping[str, object]:
    """The body of an injected error: the shape that Stripe and many others share."""
    return {"error": {"type": "api_error", "message": f"An injected fault: HTTP {status}."}}


class Faults:
    """WSGI middleware. Faults that were queued with `next` come first, oldest first; then, if `random` is given, one
    of `kinds` (unless they are named: those that end quickly and that no client can overlook) strikes with probability
    `rate`. `errors` makes the JSON body for a status. In seconds: `retry_after`; `stall`, how long a stall or a drip
    without an event lasts; `drip`, what lies between two pieces of a drip. `huge` is in bytes.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        random: Random | None = None,
        rate: float = 0.3,
        kinds: Sequence[Fault] = _BY_CHANCE,
        stall: float = 75.0,
        drip: float = 0.5,
        retry_after: int = 1,
        huge: int = 64 << 20,
        errors: Callable[[int], object] = error_body,
    ) -> None:
        self._app = app
        self._random = random
        self._rate = rate
        self._kinds = tuple(kinds)
        self._stall = stall
        self._drip = drip
        self._retry_after = retry_after
        self._huge = huge
        self._errors = errors
        self._lock = threading.Lock()
        self._queue: list[_Planned] = []
        self._injected: list[Injected] = []

    def next(
        self,
        fault: Fault,
        times: int = 1,
        match: Match = None,
        *,
        until: threading.Event | None = None,
        seconds: float | None = None,
        body: object = None,
        status: int = 400,
        location: str = "/",
    ) -> None:
        """Queue `fault` for the next `times` requests that match: a part of "METHOD /path", or a predicate.

        A stall or drip lasts until the event `until` is set, or `seconds`; STATUS answers `status`; `body` replaces the
        JSON of WRONG_JSON and STATUS; REDIRECT leads to `location`.
        """
        with self._lock:
            self._queue.append(_Planned(fault, times, match, until, seconds, body, status, location))

    def clear(self) -> None:
        """Forget what is queued."""
        with self._lock:
            self._queue.clear()

    @property
    def pending(self) -> int:
        """How many queued faults have not been served yet."""
        with self._lock:
            return sum(planned.times for planned in self._queue)

    @property
    def injected(self) -> tuple[Injected, ...]:
        """The faults served so far, oldest first."""
        with self._lock:
            return tuple(self._injected)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        environ["wsgi.input"] = BytesIO(request.get_data())  # a predicate may read the body, the app still has it
        planned = self._take(request)
        if planned is None:
            return self._app(environ, start_response)
        if planned.fault is Fault.STALLED:
            self._hold(planned)
            return self._app(environ, start_response)
        answer = Response.from_app(self._app, environ, buffered=True) if planned.fault.processed else Response()
        return self._spoil(planned, answer, environ)(environ, start_response)

    def _take(self, request: Request) -> _Planned | None:
        with self._lock:
            planned = next((planned for planned in self._queue if planned.fits(request)), None)
            if planned is not None:
                planned.times -= 1
                if planned.times <= 0:
                    self._queue.remove(planned)
            elif self._random is not None and self._random.random() < self._rate:
                planned = _Planned(self._random.choice(self._kinds), 1, None, None, None, None)
            if planned is not None:
                self._injected.append(Injected(planned.fault, request.method, request.path))
            return planned

    def _hold(self, planned: _Planned) -> None:
        if planned.until is not None:
            planned.until.wait(planned.seconds)
        else:
            threading.Event().wait(self._stall if planned.seconds is None else planned.seconds)

    def _end_of(self, planned: _Planned) -> Callable[[], bool]:
        """Waits for the next piece of a drip; whether it is over."""
        event = planned.until or threading.Event()
        seconds = planned.seconds if planned.seconds is not None else None if planned.until else self._stall
        pieces = count(1)
        return lambda: event.wait(self._drip) or (seconds is not None and next(pieces) * self._drip >= seconds)

    def _spoil(self, planned: _Planned, answer: Response, environ: "WSGIEnvironment") -> Response:
        fault = planned.fault
        if fault in (Fault.REFUSED, Fault.DROPPED):
            _hang_up(environ)
        if fault in _STATUS:
            answer = _json(self._errors(_STATUS[fault]), _STATUS[fault])
        if fault is Fault.RATE_LIMITED:
            answer.headers["Retry-After"] = str(self._retry_after)
        elif fault is Fault.TRUNCATED:
            answer.set_data(_half(answer.get_data()))
        elif fault is Fault.CUT:
            return _CutResponse(answer)
        elif fault is Fault.HTML:
            answer = Response(_PAGE, content_type="text/html; charset=utf-8")
        elif fault is Fault.WRONG_JSON:
            answer = _json({"hello": "world"} if planned.body is None else planned.body, 200)
        elif fault is Fault.STATUS:
            answer = _json(self._errors(planned.status) if planned.body is None else planned.body, planned.status)
        elif fault is Fault.REDIRECT:
            answer = Response(status=303, headers={"Location": planned.location})
        elif fault is Fault.STALLED_AFTER:
            self._hold(planned)
        elif fault in _DRIPS:
            drip(environ, _DRIPS[fault], self._end_of(planned))
            _hang_up(environ)
        elif fault in _DISTORTED:
            _DISTORTED[fault](answer, self._huge)
        return answer


class _CutResponse(Response):
    """An answer whose headers promise the whole body, and whose connection ends after half of it."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.get_data(), status=answer.status, headers=answer.headers)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        start_response(self.status, self.get_wsgi_headers(environ).to_wsgi_list())
        yield _half(self.get_data())
        _hang_up(environ)


def _empty(answer: Response, _huge: int) -> None:
    answer.set_data(b"")


def _lengthen(answer: Response, huge: int) -> None:
    """JSON stays JSON: white space may follow it."""
    answer.set_data(answer.get_data().ljust(huge))


def _call_text(answer: Response, _huge: int) -> None:
    answer.content_type = "text/plain; charset=utf-8"


def _compress(answer: Response, _huge: int) -> None:
    answer.set_data(gzip.compress(answer.get_data()))
    answer.content_encoding = "gzip"


_DISTORTED: Mapping[Fault, Callable[[Response, int], None]] = {
    Fault.EMPTY: _empty,
    Fault.HUGE: _lengthen,
    Fault.WRONG_TYPE: _call_text,
    Fault.GZIP: _compress,
}


def _json(content: object, status: int) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _hang_up(environ: "WSGIEnvironment") -> None:
    """Close the client's connection as a crash would, and end the request: raises ConnectionAbortedError, which
    servers take for a client that went away. Without a server's socket (an in-process client) it only raises."""
    connection = environ.get("werkzeug.socket") or environ.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        with suppress(OSError):  # the client was faster
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # below TLS, which would say good-bye
    raise ConnectionAbortedError("an injected fault closed the connection")
