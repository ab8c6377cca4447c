"""One POST as a provider's webhook sender makes it: no redirects, no proxy, and an answer or a reason."""

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Protocol
from urllib.parse import urlsplit


class Post(Protocol):
    """Sends as `post` does: over sockets, or wherever a world without any leads."""

    def __call__(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        timeout: float,
        context: ssl.SSLContext | None = None,
    ) -> tuple[int | None, str | None]: ...


def post(
    url: str, headers: Mapping[str, str], body: bytes, *, timeout: float, context: ssl.SSLContext | None = None
) -> tuple[int | None, str | None]:
    """The status that was answered, or None and what went wrong. `timeout` is in seconds for each step; `context` is
    for https, None for the machine's own authorities."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        connection: HTTPConnection = HTTPSConnection(host, parts.port, timeout=timeout, context=context)
    else:
        connection = HTTPConnection(host, parts.port, timeout=timeout)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, dict(headers))
        return connection.getresponse().status, None
    except (OSError, HTTPException, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
