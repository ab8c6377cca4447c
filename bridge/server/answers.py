"""What the server itself writes: each answer's head, and its own refusals, which quote nothing of the request."""

import json
from dataclasses import dataclass

from gunicorn.http import errors
from gunicorn.http.wsgi import Response
from gunicorn.util import http_date

from bridge.server.incoming import BodyTooLarge

STRICT_TRANSPORT_SECURITY = "max-age=31536000"
"""A year (RFC 6797), where the server ends TLS itself."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the server's own. `reason` is for the log."""

    status: int
    phrase: str
    code: str
    message: str
    reason: str

    def render(self, *, secure: bool) -> bytes:
        """The whole answer, after which the connection is closed."""
        data = {"code": self.code, "message": self.message, "data": {"status": self.status}}
        body = json.dumps(data, separators=(",", ":")).encode()
        head = [
            f"HTTP/1.1 {self.status} {self.phrase}",
            f"Date: {http_date()}",
            "Connection: close",
            "Content-Type: application/json; charset=UTF-8",
            f"Content-Length: {len(body)}",
            "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store",
            *([f"Strict-Transport-Security: {STRICT_TRANSPORT_SECURITY}"] if secure else []),
        ]
        return "\r\n".join([*head, "", ""]).encode() + body


TIMED_OUT = Refusal(408, "Request Timeout", "rest_request_timeout", "The request did not arrive in time.", "too slow")
OVERLOADED = Refusal(
    503, "Service Unavailable", "wcpay_overloaded", "The bridge is overloaded. Try again later.", "overloaded"
)
FAULT = Refusal(
    500, "Internal Server Error", "internal_server_error", "The bridge could not answer this request.", "fault"
)
TOO_LARGE = Refusal(
    413, "Content Too Large", "wcpay_request_too_large", "The request is too large.", "the body is too large"
)


def _bad(reason: str, status: int = 400, phrase: str = "Bad Request") -> Refusal:
    code = f"rest_{phrase.lower().replace(' ', '_')}"
    return Refusal(status, phrase, code, f"The server cannot read this request: {reason}.", reason)


_REASONS: tuple[tuple[type[Exception], Refusal], ...] = (
    (BodyTooLarge, TOO_LARGE),
    (errors.LimitRequestLine, _bad("the request line is too long", 414, "URI Too Long")),
    (errors.LimitRequestHeaders, _bad("its headers are too large", 431, "Request Header Fields Too Large")),
    (errors.UnsupportedTransferCoding, _bad("its transfer coding is not supported", 501, "Not Implemented")),
    (errors.ExpectationFailed, _bad("its Expect header is not supported", 417, "Expectation Failed")),
    (errors.InvalidRequestLine, _bad("its request line is malformed")),
    (errors.InvalidRequestMethod, _bad("its method is malformed")),
    (errors.InvalidHTTPVersion, _bad("its request line does not end with a version of HTTP")),
    (errors.ObsoleteFolding, _bad("a header is folded")),
    (errors.InvalidHeaderName, _bad("the name of a header is malformed")),
    (errors.InvalidHeader, _bad("a header is malformed or contradicts another")),
    (errors.InvalidChunkExtension, _bad("a chunk's extension is malformed")),
    (errors.InvalidChunkSize, _bad("a chunk's size is malformed")),
    (errors.ChunkMissingTerminator, _bad("a chunk does not have the size that it gives")),
    (errors.NoMoreData, _bad("it is incomplete")),
)


def refusal_of(error: Exception) -> Refusal | None:
    """What is answered to a request that raised this when it was read; None if that was the server's own fault."""
    for kind, refusal in _REASONS:
        if isinstance(error, kind):
            return refusal
    return _bad("it is malformed") if isinstance(error, errors.ParseException) else None


class Answer(Response):  # type: ignore[misc]
    """An answer whose head does not name the server."""

    def default_headers(self) -> list[str]:
        headers = [line for line in super().default_headers() if not line.startswith("Server:")]
        if self.cfg.is_ssl:
            headers.append(f"Strict-Transport-Security: {STRICT_TRANSPORT_SECURITY}\r\n")
        return headers


class Outgoing:
    """Takes the place of the socket while the application answers: what it writes is collected."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self._parts.append(bytes(data))

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def take(self) -> bytes:
        return b"".join(self._parts)
