"""HTTP to the outside: verified TLS, limits for time and size, no redirects, cookies or proxies, no private addresses.

Every exchange ends: one deadline covers it from the call to the last byte of its answer, whatever the other side sends
(`bridge.outbound.connections`). Leases rely on that. Nothing is retried in here.

The address is judged after connecting and before the first byte is sent, so that a name that resolves differently the
second time (DNS rebinding) gains nothing. Does not know any provider or store.
"""

import functools
import ssl
import time
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_encoding_from_headers
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.exceptions import DecodeError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.exceptions import SSLError as TlsError

from bridge.domain.deadlines import left
from bridge.domain.errors import ConfigurationError
from bridge.outbound.connections import SETTING, Refused, Resolver, TimedTlsSocket, is_public, pools

__all__ = ["SIMULATOR", "AddressRefused", "AnswerTooLarge", "Session", "is_public", "make_session", "never_sent"]

SIMULATOR = "X-Simulator"
"""A header that simulated providers put on every answer."""
LARGEST_ANSWER = 5_000_000
"""Bytes, after decompression."""
_CHUNK = 65_536
_HOSTS = 16


class AddressRefused(requests.ConnectionError):
    """This session does not contact the address. Nothing was sent."""


class AnswerTooLarge(requests.RequestException):
    """The answer is longer than anything that we would understand."""


def make_session(
    *, timeout: float, ca_file: str | Path | None = None, allow_private: bool = False, pool: int = 64
) -> "Session":
    """A session for many threads that keeps up to `pool` connections per host.

    `timeout` is how long a whole exchange may take, in seconds: look-up of the name, connection, TLS, request and the
    last byte of the answer. A request's own `timeout` means the same (of a pair, its second number) and can only be
    shorter; so can `bridge.domain.deadlines`. `ca_file` (PEM) is trusted beside the public authorities.

    Without `allow_private` only https to public addresses is possible; with it also private ones, and to those plain
    http. `verify`, `proxies` and `allow_redirects` of a request have no effect. Raises ConfigurationError if `ca_file`
    cannot be read.
    """
    return Session(timeout, _Gate(_tls_context(ca_file), allow_private, pool))


def never_sent(error: BaseException | None) -> bool:
    """Whether `error`, from a session's request, proves that no byte of the request left us."""
    if isinstance(error, (AddressRefused, requests.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    if not isinstance(error, requests.ConnectionError):
        return False
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(reason, TlsError):
        return isinstance(reason.args[0] if reason.args else None, ssl.SSLCertVerificationError)
    return isinstance(reason, NewConnectionError)


class Session(requests.Session):
    """Sends as `requests` does, but for what it is not asked to do: hooks, cookies, redirects, proxies.

    `bridge.outbound.prepared` makes requests that cost less than those that `requests` prepares.
    """

    def __init__(self, timeout: float, gate: "_Gate") -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.mount("https://", gate)
        self.mount("http://", gate)
        self._timeout = timeout

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """One exchange: straight to the gate, and the whole answer unless `stream` is wanted. A redirect is an answer
        like any other. But for `stream` and `timeout` nothing that is asked for has an effect."""
        seconds = left(min(self._timeout, _seconds(kwargs.get("timeout"), self._timeout)))
        if seconds <= 0:
            raise requests.ConnectTimeout("There is no time left for this request.", request=request)
        gate = self.get_adapter(request.url or "")
        begun = time.perf_counter()
        response = gate.send(request, stream=True, timeout=Timeout(total=seconds))  # type: ignore[arg-type]
        response.elapsed = timedelta(seconds=time.perf_counter() - begun)
        if not kwargs.get("stream"):
            _read(response)
        return response


def _seconds(timeout: Any, otherwise: float) -> float:
    """A request's own timeout."""
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    return float(timeout or otherwise)


def _read(response: requests.Response) -> None:
    """Read the whole body, so that `response.content` has it. The socket knows until when."""
    body = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise AnswerTooLarge(f"The answer is longer than {LARGEST_ANSWER} bytes.", response=response)
    except ReadTimeoutError as error:
        raise requests.ReadTimeout("The answer did not end in time.", response=response) from error
    except ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error, response=response) from error
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error, response=response) from error
    except TlsError as error:
        raise requests.exceptions.SSLError(error, response=response) from error
    finally:
        response._content = bytes(body)
        response.close()


class _Gate(HTTPAdapter):
    """Lets requests out to where they may go, with one TLS context for all, whatever a request says about `verify`."""

    def __init__(self, context: ssl.SSLContext, allow_private: bool, pool: int) -> None:
        self._context = context
        self._allow_private = allow_private
        self._pools: dict[str, HTTPConnectionPool] = {}
        super().__init__(pool_connections=_HOSTS, pool_maxsize=pool)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **kwargs)
        made = pools(Resolver(), allow_private=self._allow_private)
        self.poolmanager.pool_classes_by_scheme = made  # type: ignore[assignment]

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ARG002 the context verifies
        proxies: Any = None,  # noqa: ARG002 there are none
        cert: Any = None,  # noqa: ARG002 nor of these
    ) -> HTTPConnectionPool:
        """The pool of the request's host, looked up by the part of the URL that names it. One that was closed meanwhile
        (it has no `pool` then) is replaced."""
        origin = "/".join((request.url or "").split("/", 3)[:3])
        known = self._pools.get(origin)
        if known is None or known.pool is None:
            known = super().get_connection_with_tls_context(request, True)
            if len(self._pools) >= _HOSTS:
                self._pools.clear()
            self._pools[origin] = known
        return known

    def close(self) -> None:
        """Close the connections that are kept open. Pools are closed when nobody has them any more."""
        super().close()
        self._pools.clear()

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies; loading the authorities again for every connection would cost 40 ms of CPU each."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002 there are none
        return request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """As requests builds it, without reading cookies."""
        response = requests.Response()
        response.status_code, response.reason, response.raw = resp.status, resp.reason, resp
        response.headers = CaseInsensitiveDict(resp.headers.itermerged())
        response.encoding = get_encoding_from_headers(response.headers)
        response.request, response.url = req, req.url or ""
        response.connection = self
        return response

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if not self._allow_private and not (request.url or "").startswith("https:"):
            raise AddressRefused(f"Only https is allowed {SETTING}.", request=request)
        try:
            return super().send(request, *args, **kwargs)
        except requests.ConnectionError as error:
            reason = getattr(error.args[0] if error.args else None, "reason", None)
            if isinstance(reason, Refused):
                raise AddressRefused(reason.sentence, request=request) from None
            raise


@functools.cache
def _public_context() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = TimedTlsSocket
    return context


def _tls_context(ca_file: str | Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _public_context()
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = TimedTlsSocket
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:  # an unreadable file, or (ssl.SSLError) one that holds no certificate
        raise ConfigurationError(f"The CA file {ca_file} cannot be used ({error.__class__.__name__}).") from None
    return context
