"""Who asks, and how: kinds of keys, and the ways in which a key and a method can be sent."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from bridge.domain.stores import Permissions, Restrictions
from bridge.registry import keys
from bridge.registry.keys import KeyPair
from bridge.selftest.route_access import REFUND, ROUTES
from bridge.selftest.system_under_test import HOST, Call
from bridge.services import Services

Pair = tuple[str, str]
Pairs = tuple[tuple[str, str], ...]
NOBODY: Pair = ("", "")
FAR, PROXY = "203.0.113.9", "10.1.2.3"
ELSEWHERE = "198.51.100.0/24"
"""A network that nobody here calls from."""
TRUSTED = "10.0.0.0/8"
"""The proxies that the bridges of this battery trust."""
PUBLIC_URLS = [f"{scheme}://{HOST}" for scheme in ("https", "http")]
OVERRIDES = ("", "X-HTTP-Method-Override", "_method")
READS = frozenset({"GET", "HEAD"})
HOUR = 3600.0
"""Seconds."""


@dataclass(frozen=True)
class KeyProfile:
    """A kind of key, how one comes to be, and whether it may use a method on a path."""

    name: str
    make: Callable[[Services, str], KeyPair]
    may: Callable[[str, str], bool] = lambda _method, _path: False


def _key(permissions: Permissions) -> Callable[[Services, str], KeyPair]:
    return lambda services, store: keys.create(services, store, permissions)


def _restricted(**restrictions: Any) -> Callable[[Services, str], KeyPair]:
    limits = Restrictions(**restrictions)
    return lambda services, store: keys.create(services, store, Permissions.READ_WRITE, restrictions=limits)


def _ended(services: Services, store: str) -> KeyPair:
    """Made an hour ago for half an hour."""
    earlier = replace(services, clock=lambda: services.clock() - HOUR)
    limits = Restrictions(expires=services.clock() - HOUR / 2)
    return keys.create(earlier, store, Permissions.READ_WRITE, restrictions=limits)


def _revoked(services: Services, store: str) -> KeyPair:
    made = keys.create(services, store, Permissions.READ_WRITE)
    keys.revoke(services, made.key.id)
    return made


def _rotated(services: Services, store: str) -> KeyPair:
    made = keys.create(services, store, Permissions.READ_WRITE)
    keys.rotate(services, made.key.id, 0.0)
    return made


KEY_PROFILES: Sequence[KeyProfile] = (
    KeyProfile("read_write", _key(Permissions.READ_WRITE), lambda _method, _path: True),
    KeyProfile("read", _key(Permissions.READ), lambda method, _path: method in READS),
    KeyProfile("write", _key(Permissions.WRITE), lambda method, _path: method not in READS),
    KeyProfile("revoked", _revoked),
    KeyProfile("rotated without overlap", _rotated),
    KeyProfile("past", _ended),
    KeyProfile("right network's", _restricted(networks=(f"{FAR}/32",)), lambda _method, _path: True),
    KeyProfile("wrong network's", _restricted(networks=(ELSEWHERE,))),
    KeyProfile("no-refunds", _restricted(may_refund=False), lambda _method, path: path != REFUND),
)


@dataclass(frozen=True)
class Caller:
    """A key and its secret, and what they may do; nothing for those that are no good."""

    name: str
    pair: Pair = field(repr=False)
    may: Callable[[str, str], bool] = lambda _method, _path: False

    @property
    def is_known(self) -> bool:
        """Whether there is anything that they may do, somewhere."""
        return any(self.may(method, path) for method, path in ROUTES)


def forgers(key: str, secret: str, strangers_secret: str) -> Iterator[Caller]:
    """Those who have a part of a pair, or something like it."""
    yield Caller("nobody", NOBODY)
    yield Caller("a key that was never made", ("ck_" + 40 * "0", secret))
    yield Caller("a wrong secret", (key, "cs_" + 40 * "0"))
    yield Caller("another store's secret", (key, strangers_secret))
    yield Caller("a secret in place of the key", (secret, key))
    yield Caller("a key in capitals", (key.upper(), secret))
    yield Caller("a secret in capitals", (key, secret.upper()))
    yield Caller("a secret that is cut off", (key, secret[:-1]))
    yield Caller("a secret with a letter more", (key, secret + "0"))


@dataclass(frozen=True)
class Sent:
    """A request as it is being written."""

    method: str
    path: str
    query: Pairs = ()
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    form: bool = False
    scheme: str = "https"
    address: str = FAR

    def call(self) -> Call:
        url = self.path + (f"?{urlencode(self.query)}" if self.query else "")
        kind, data = "application/json", b"" if self.body is None else json.dumps(self.body).encode()
        if self.form:
            kind, data = "application/x-www-form-urlencoded", urlencode(_flat(self.body)).encode()
        headers = {"Content-Type": kind, **self.headers}
        return Call(self.method, url, raw=data, headers=headers, scheme=self.scheme, address=self.address)


Write = Callable[[Sent, Pair, "Stamp"], Sent]


@dataclass(frozen=True)
class Stamp:
    """Time (Unix seconds) and nonce of a signature."""

    time: float
    nonce: str


@dataclass(frozen=True)
class Way:
    """How a pair is sent, and whether one that is right is taken by this way."""

    name: str
    write: Write
    is_taken: Callable[[Sent], bool] = lambda _sent: True


def override(sent: Sent, how: str) -> Sent:
    """The other method on the wire, and the one that is meant where WordPress looks for it."""
    if not how:
        return sent
    other = "GET" if sent.method == "POST" else "POST"
    if how == "_method":
        return replace(sent, method=other, query=(*sent.query, (how, sent.method)))
    return replace(sent, method=other, headers={**sent.headers, how: sent.method})


def _basic(sent: Sent, pair: Pair, _stamp: Stamp, scheme: str = "Basic") -> Sent:
    word = base64.b64encode(":".join(pair).encode()).decode()
    return replace(sent, headers={**sent.headers, "Authorization": f"{scheme} {word}"})


def _query(sent: Sent, pair: Pair, _stamp: Stamp) -> Sent:
    return replace(sent, query=(*sent.query, *zip(("consumer_key", "consumer_secret"), pair, strict=True)))


def _plain(write: Write, address: str = FAR, **headers: str) -> Write:
    """The same over plain http, from an address and with more headers."""

    def changed(sent: Sent, pair: Pair, stamp: Stamp) -> Sent:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        written = write(sent, pair, stamp)
        return replace(written, scheme="http", address=address, headers={**written.headers, **more})

    return changed


def _in_body(sent: Sent, pair: Pair, _stamp: Stamp) -> Sent:
    return replace(sent, body={**(sent.body or {}), "consumer_key": pair[0], "consumer_secret": pair[1]})


def _in_cookie(sent: Sent, pair: Pair, _stamp: Stamp) -> Sent:
    return replace(sent, headers={**sent.headers, "Cookie": f"consumer_key={pair[0]}; consumer_secret={pair[1]}"})


def _beside_a_wrong_query(sent: Sent, pair: Pair, stamp: Stamp) -> Sent:
    """The query counts, as in WooCommerce."""
    return _query(_basic(sent, pair, stamp), (pair[0], "cs_" + 40 * "1"), stamp)


def _oauth(place: str, digest: str = "sha1", age: float = 0.0, of: str = "") -> Write:
    """OAuth 1.0a in the header, the query or a form. `age` is of its time, in seconds; `of` is another method that was
    signed."""

    def signed(sent: Sent, pair: Pair, stamp: Stamp) -> Sent:
        protocol: Pairs = (
            ("oauth_consumer_key", pair[0]),
            ("oauth_nonce", stamp.nonce),
            ("oauth_signature_method", f"HMAC-{digest.upper()}"),
            ("oauth_timestamp", str(int(stamp.time - age))),
            ("oauth_version", "1.0"),
        )
        in_form = _flat(sent.body) if place == "form" else ()
        normal = "&".join(
            f"{n}={v}" for n, v in sorted((_encode(n), _encode(v)) for n, v in (*sent.query, *in_form, *protocol))
        )
        text = "&".join((of or sent.method, _encode(f"{sent.scheme}://{HOST}{sent.path}"), _encode(normal)))
        mac = hmac.new(f"{pair[1]}&".encode(), text.encode(), getattr(hashlib, digest)).digest()
        protocol = (*protocol, ("oauth_signature", base64.b64encode(mac).decode()))
        if place == "header":
            word = ", ".join(f'{name}="{_encode(value)}"' for name, value in protocol)
            return replace(sent, headers={**sent.headers, "Authorization": f"OAuth {word}"})
        if place == "form":
            return replace(sent, body={**(sent.body or {}), **dict(protocol)}, form=True)
        return replace(sent, query=(*sent.query, *protocol))

    return signed


def _encode(text: str) -> str:
    return quote(text, safe="")


def _flat(body: Mapping[str, Any] | None) -> Pairs:
    """A form's pairs, of what stands at the top."""
    return tuple((name, str(value)) for name, value in (body or {}).items() if not isinstance(value, dict))


def _never(_sent: Sent) -> bool:
    return False


def _has_a_form(sent: Sent) -> bool:
    return sent.method == "POST"


def _is_all_signed(sent: Sent) -> bool:
    """OAuth signs neither JSON nor a method that a header names."""
    return sent.body is None and OVERRIDES[1] not in sent.headers


def _is_a_signed_form(sent: Sent) -> bool:
    return _has_a_form(sent) and OVERRIDES[1] not in sent.headers


WAYS: Sequence[Way] = (
    Way("Basic", _basic),
    Way("the query", _query),
    Way("Basic by a trusted proxy's https", _plain(_basic, PROXY, X_Forwarded_Proto="https", X_Forwarded_For=FAR)),
    Way("OAuth in the query", _oauth("query")),
    Way("OAuth in the header", _oauth("header", "sha256")),
    Way("OAuth in a form", _oauth("form"), _has_a_form),
    Way("OAuth in the query over http", _plain(_oauth("query")), _is_all_signed),
    Way("OAuth in a form over http", _plain(_oauth("form")), _is_a_signed_form),
    Way("Basic beside a wrong query", _beside_a_wrong_query, _never),
    Way("Basic over http", _plain(_basic), _never),
    Way("Basic over http from this machine", _plain(_basic, "127.0.0.1"), _never),
    Way("Basic over http, a stranger's https", _plain(_basic, X_Forwarded_Proto="https"), _never),
    Way("Basic over http, a stranger's Forwarded", _plain(_basic, Forwarded="proto=https"), _never),
    Way("Basic by a trusted proxy's http", _plain(_basic, PROXY, X_Forwarded_Proto="http"), _never),
    Way("the query over http", _plain(_query), _never),
    Way("the query over http from this machine", _plain(_query, "127.0.0.1"), _never),
    Way("the body", _in_body, _never),
    Way("a cookie", _in_cookie, _never),
    Way("Bearer", lambda sent, pair, stamp: _basic(sent, pair, stamp, "Bearer"), _never),
    Way("OAuth, an hour old", _oauth("query", age=HOUR), _never),
    Way("OAuth, of another method", _oauth("query", of="PATCH"), _never),
    Way("OAuth, MD5", _oauth("query", "md5"), _never),
)
