"""A cache in front of the store, as hosts and plugins put one there: it keeps answers of the REST API, keys or not.

It knows answers by their whole address, so a query that was never asked is never answered from it. Whether it asks
the store anew when the request says `Cache-Control: no-cache` is its owner's choice. Sources: RFC 9111, sections 4.2.3
(Age) and 5.2.1.4 (no-cache); shippo-php-client issue 70 (LiteSpeed Cache keeps `/wp-json/wc/v3/orders`); woocommerce
issue 22137 (a stale list until any parameter is changed).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class _Kept:
    at: float
    body: bytes
    status: str
    headers: list[tuple[str, str]]


class Cache:
    """WSGI middleware. Keeps every 200 to a GET for `lifetime` seconds of `clock`. Thread-safe."""

    def __init__(
        self, app: WSGIApplication, clock: Callable[[], float], *, lifetime: float, honors_no_cache: bool
    ) -> None:
        self._app = app
        self._clock = clock
        self._lifetime = lifetime
        self._honors_no_cache = honors_no_cache
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        http = Request(environ)
        if http.method != "GET":
            return self._app(environ, start_response)
        now, wants_new = self._clock(), self._honors_no_cache and "no-cache" in http.cache_control
        with self._lock:
            kept = None if wants_new else self._kept.get(http.url)
        if kept is None or now - kept.at > self._lifetime:
            return self._asked(environ, http.url, now)(environ, start_response)
        headers = [*kept.headers, ("Age", str(int(now - kept.at))), ("X-Cache", "HIT")]
        return Response(kept.body, kept.status, headers)(environ, start_response)

    def _asked(self, environ: WSGIEnvironment, url: str, now: float) -> Response:
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        kept = _Kept(now, b"".join(chunks), status, list(headers))
        if status.startswith("200"):
            with self._lock:
                self._kept[url] = kept
        return Response(kept.body, status, [*kept.headers, ("X-Cache", "MISS")])
