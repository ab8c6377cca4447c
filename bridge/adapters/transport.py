"""HTTP to the outside: verified TLS, limits for time and size, no redirects, cookies or proxies, no private addresses.

The address is judged after connecting and before the first byte is sent, so that a name that resolves differently the
second time (DNS rebinding) gains nothing. Knows no provider and no store.
"""

import functools
import socket
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import DecodeError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.exceptions import SSLError as TlsError

from bridge.domain.errors import ConfigurationError

CONNECT_SECONDS = 3.05
SIMULATOR = "X-Simulator"
"""A header that simulated providers put on every answer."""
LARGEST_ANSWER = 5_000_000
"""Bytes, after decompression."""
_CHUNK = 65_536
_SETTING = "(setting BRIDGE_ALLOW_PRIVATE_URLS)"
_HOSTS = 16

# Not private by the registries, and yet no place for a payment: IETF protocol assignments (one cloud's metadata service
# lived there) and Azure's platform address (source: Microsoft, "What is IP address 168.63.129.16?").
_SPECIAL = (ip_network("192.0.0.0/24"), ip_network("168.63.129.16/32"))
_NAT64 = ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ip_network("2000::/3")


class AddressRefused(requests.ConnectionError):
    """The address is not one that this session talks to. Nothing was sent."""


class AnswerTooLarge(requests.RequestException):
    """The answer is longer than anything that we would understand."""


def make_session(
    *, timeout: float, ca_file: str | Path | None = None, allow_private: bool = False, pool: int = 64
) -> requests.Session:
    """A session for many threads that keeps up to `pool` connections per host.

    `timeout` is how long an answer may take to begin, and again to end, in seconds. `ca_file` (PEM) is trusted beside
    the public authorities. Without `allow_private` only https to public addresses is possible; with it also private
    ones, and to those plain http. `verify`, `proxies` and `allow_redirects` of a request have no effect. Raises
    ConfigurationError if `ca_file` cannot be read.
    """
    return _Session(timeout, _Gate(_tls_context(ca_file), allow_private, pool))


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


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, looking through IPv4 addresses inside IPv6 ones."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = _ipv4_inside(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SPECIAL)


def _ipv4_inside(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


class _Session(requests.Session):
    def __init__(self, timeout: float, gate: "_Gate") -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.mount("https://", gate)
        self.mount("http://", gate)
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: a redirect is an answer like any other."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        timeout = kwargs.get("timeout") or self._timeout
        stream = kwargs.get("stream")
        response = super().send(request, **{**kwargs, "timeout": timeout, "stream": True, "proxies": {}})
        if not stream:
            _read(response, (timeout[1] if isinstance(timeout, tuple) else timeout) or self._timeout[1])
        return response


def _read(response: requests.Response, seconds: float) -> None:
    """Read the whole body within `seconds`, however slowly it drips, so that `response.content` has it."""
    body, deadline = bytearray(), time.monotonic() + seconds
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise AnswerTooLarge(f"The answer is longer than {LARGEST_ANSWER} bytes.", response=response)
            if time.monotonic() > deadline:
                raise requests.ReadTimeout("The answer took too long to end.", response=response)
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error, response=response) from error
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
        super().__init__(pool_connections=_HOSTS, pool_maxsize=pool)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **kwargs)
        https = HTTPSConnectionPool if self._allow_private else _PublicPool
        self.poolmanager.pool_classes_by_scheme = {"http": _PrivatePool, "https": https}

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: Any,  # noqa: ARG002 the context verifies
        cert: Any = None,
    ) -> Any:
        return super().build_connection_pool_key_attributes(request, True, cert)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies; loading the authorities again for every connection would cost 40 ms of CPU each."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if not self._allow_private and not (request.url or "").startswith("https:"):
            raise AddressRefused(f"Only https is allowed {_SETTING}.", request=request)
        try:
            return super().send(request, *args, **kwargs)
        except requests.ConnectionError as error:
            reason = getattr(error.args[0] if error.args else None, "reason", None)
            if isinstance(reason, _Refused):
                raise AddressRefused(reason.sentence, request=request) from None
            raise


class _Refused(NewConnectionError):
    def __init__(self, connection: HTTPConnection, sentence: str) -> None:
        super().__init__(connection, sentence)
        self.sentence = sentence


class _PublicConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        if not is_public(_peer(self, connected)):
            connected.close()
            raise _Refused(
                self,
                f"{self.host} is at a private or local address, and those are not allowed {_SETTING}.",
            )
        return connected


class _PrivateConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        if is_public(_peer(self, connected)):
            connected.close()
            raise _Refused(self, f"{self.host} is at a public address: use https.")
        return connected


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _PrivatePool(HTTPConnectionPool):
    ConnectionCls = _PrivateConnection


def _peer(connection: HTTPConnection, connected: socket.socket) -> str:
    try:
        return str(connected.getpeername()[0])
    except OSError as error:
        connected.close()
        raise NewConnectionError(connection, f"The connection was lost at once: {error}") from error


@functools.cache
def _public_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


def _tls_context(ca_file: str | Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _public_context()
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:  # an unreadable file, or (ssl.SSLError) one that holds no certificate
        raise ConfigurationError(f"The CA file {ca_file} cannot be used ({error.__class__.__name__}).") from None
    return context
