"""Connections whose time is limited as a whole: looking the name up, connecting, TLS, sending and receiving.

urllib3 and http.client read status lines, headers, interim answers, chunk sizes and trailers by themselves, and limit
only the wait for the next bytes of them. Here the sockets know when the exchange has to be over, so that it ends
whatever the other side drips. Says which addresses are public, too.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from bridge.domain.stores import QUERY_CREDENTIALS

CONNECT_SECONDS = 3.05
"""The most that one address of a host may take to accept a connection."""
LOOKUPS = 4
"""How many DNS lookups one session runs at once, including those that nobody waits for any more."""
SETTING = "(setting BRIDGE_ALLOW_PRIVATE_URLS)"

# Not private by the registries, and yet no place for a payment: IETF protocol assignments (one cloud's metadata service
# lived there) and Azure's platform address (source: Microsoft, "What is IP address 168.63.129.16?").
_SPECIAL = (ip_network("192.0.0.0/24"), ip_network("168.63.129.16/32"))
_NAT64 = ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ip_network("2000::/3")
Found = list[tuple[Any, ...]]
"""What getaddrinfo answers."""
UNKNOWN = (OSError, ValueError, OverflowError)
"""What getaddrinfo raises for a name or a port that is not valid, or that is unknown."""


class Refused(NewConnectionError):
    """This connection may not be made to the address."""

    def __init__(self, connection: HTTPConnection, sentence: str) -> None:
        super().__init__(connection, sentence)
        self.sentence = sentence


class TimedSocket(socket.socket):
    """Its timeout is for everything that is sent and received until it is set again, not for each step."""

    _end: float | None = None

    def settimeout(self, value: float | None, /) -> None:
        self._end = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._wait_no_longer()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._wait_no_longer()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._wait_no_longer()
        super().sendall(*args, **kwargs)

    def _wait_no_longer(self) -> None:
        """Let the next step take what is left. Raises TimeoutError if nothing is."""
        if self._end is None:
            return
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        super().settimeout(left)


class TimedTlsSocket(TimedSocket, ssl.SSLSocket):
    """The same over TLS. For `SSLContext.sslsocket_class`."""


class Resolver:
    """getaddrinfo, which nothing can interrupt: in threads that a caller does not wait for longer than it has time.

    A look-up that hangs keeps its thread until the system gives it up, but there are never more than LOOKUPS of them.
    """

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(LOOKUPS)

    def find(self, host: str, port: int, end: float) -> Found:
        """The addresses, by `end` (monotonic clock). Raises one of UNKNOWN; TimeoutError if it takes longer."""
        if not self._free.acquire(timeout=max(end - time.monotonic(), 0)):
            raise TimeoutError("too many DNS lookups are in progress")
        answer: Future[Found] = Future()
        thread = threading.Thread(target=self._look_up, args=(host, port, answer), name="look-up", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more threads
            self._free.release()
            raise OSError(str(error)) from None
        return answer.result(max(end - time.monotonic(), 0))

    def _look_up(self, host: str, port: int, answer: Future[Found]) -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UNKNOWN as error:
            answer.set_exception(error)
        else:
            answer.set_result(found)
        finally:
            self._free.release()


class _LastAnswer(http.client.HTTPResponse):
    """Passes over every interim answer, as RFC 9110 (15.2) wants it; http.client does over 100 alone, and would take
    the answer that follows another one for that to the next request."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]
        is_interim = 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, http.client.CONTINUE if is_interim else status, reason


class Connection(HTTPConnection):
    """Plain HTTP, to private addresses only."""

    response_class = _LastAnswer

    def __init__(self, *args: Any, resolver: Resolver, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._resolver = resolver

    def _new_conn(self) -> socket.socket:
        """A connection to the first address that takes one, with the rest of the time. `timeout` is for all of that."""
        end = time.monotonic() + (self.timeout or 0)
        try:
            connected = _connect(self._resolver.find(self._dns_host.strip("[]"), self.port, end), end)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"Connecting to {self.host} took too long ({error}).") from error
        except UNKNOWN as error:
            raise NewConnectionError(self, f"Could not connect to {self.host}: {error}") from error
        try:
            self._judge(str(connected.getpeername()[0]))
        except NewConnectionError:
            connected.close()
            raise
        except OSError as error:
            connected.close()
            raise NewConnectionError(self, f"The connection was lost immediately: {error}") from error
        connected.settimeout(max(end - time.monotonic(), 0.001))
        return connected

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **kwargs: Any) -> None:
        """The last step: nothing above it, no pool, log or exception, ever sees credentials that go in the query."""
        sent, headers = self._with_query_credentials(url, headers)
        try:
            super().request(method, sent, body, headers, **kwargs)
        except TimeoutError as error:  # a part of it may have left: urllib3 would call that a broken connection
            raise ReadTimeoutError(self, url, "The request could not be sent in time.") from error  # type: ignore[arg-type]
        finally:
            if sent != url and self._response_options:  # what urllib3 quotes in its warnings about an answer
                self._response_options = self._response_options._replace(request_url=url)

    def _with_query_credentials(self, url: str, headers: Any) -> tuple[str, Any]:
        """The URL with the value of QUERY_CREDENTIALS at the end of its query, and the headers without that one."""
        credentials = (headers or {}).get(QUERY_CREDENTIALS)
        if credentials is None:
            return url, headers
        if not isinstance(self, TlsConnection):
            raise Refused(self, "Credentials are sent in the query over https only.")
        kept = {name: value for name, value in headers.items() if name.lower() != QUERY_CREDENTIALS.lower()}
        return f"{url}{'&' if '?' in url else '?'}{credentials}", kept

    def _judge(self, address: str) -> None:
        """Raises Refused for an address that must not be contacted. Nothing has been sent so far."""
        if is_public(address):
            raise Refused(self, f"{self.host} has a public address: use https.")


class TlsConnection(Connection, HTTPSConnection):
    """HTTPS to any address."""

    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as error:  # in the handshake: no byte of the request has left
            raise ConnectTimeoutError(self, f"{self.host} did not finish the TLS handshake in time.") from error

    def _judge(self, address: str) -> None:
        """Every address will do."""


class PublicConnection(TlsConnection):
    """HTTPS to public addresses only."""

    def _judge(self, address: str) -> None:
        if not is_public(address):
            raise Refused(self, f"{self.host} has a private or local address, which is not allowed {SETTING}.")


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = PublicConnection


def pools(resolver: Resolver, *, allow_private: bool) -> dict[str, Callable[..., HTTPConnectionPool]]:
    """How a pool of connections is made, by scheme."""

    def plain(*args: Any, **kwargs: Any) -> HTTPConnectionPool:
        return _Pool(*args, resolver=resolver, **kwargs)

    def tls(*args: Any, **kwargs: Any) -> HTTPConnectionPool:
        return (_TlsPool if allow_private else _PublicPool)(*args, resolver=resolver, **kwargs)

    return {"http": plain, "https": tls}


def is_public(address: str) -> bool:
    """Whether an IP address is on the public internet, looking through IPv4 addresses inside IPv6 ones."""
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


def _connect(addresses: Found, end: float) -> socket.socket:
    """Raises OSError of the last address that was tried; TimeoutError when the time is over."""
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in addresses:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        attempt = None
        try:
            attempt = TimedSocket(family, kind, protocol)
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            attempt.settimeout(min(CONNECT_SECONDS, left))
            attempt.connect(address)
        except OSError as error:
            failure = error
            if attempt:
                attempt.close()
        else:
            return attempt
    raise failure
