"""WooCommerce's REST API keys: Basic and query credentials over https, OAuth 1.0a over either, and what a key may do.

Source: WooCommerce's REST API documentation, "Authentication", and WC_REST_Authentication in its public source.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from werkzeug.wrappers import Request

from .rest_values import RestError, RestRequest, flattened

WINDOW = 15 * 60
ALGORITHMS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
OAUTH_PARAMETERS = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
PERMISSION_OF = {"HEAD": "read", "GET": "read", "POST": "write", "PUT": "write", "PATCH": "write", "DELETE": "write"}


@dataclass
class ApiKey:
    """A key of the store. `permissions` is read, write or read_write; only a `manager`'s key has capabilities."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    permissions: str
    manager: bool
    nonces: dict[str, int] = field(default_factory=dict, repr=False)

    def check_method(self, method: str) -> None:
        """Refuse what the key's permissions leave out; every key may ask for OPTIONS."""
        if method == "OPTIONS":
            return
        if method not in PERMISSION_OF:
            raise refused("Unknown request method.")
        if PERMISSION_OF[method] not in self.permissions.split("_"):
            raise refused(f"The API key provided does not have {PERMISSION_OF[method]} permissions.")


def refused(message: str) -> RestError:
    return RestError("woocommerce_rest_authentication_error", message, 401)


class Keys:
    """The store's keys, and the question who a request comes from."""

    def __init__(self, clock: Callable[[], float], random: Random) -> None:
        self._clock = clock
        self._random = random
        self._keys: dict[str, ApiKey] = {}

    def add(self, permissions: str, *, manager: bool = True, pair: tuple[str, str] | None = None) -> ApiKey:
        if permissions not in ("read", "write", "read_write"):
            raise ValueError(f"unknown permissions: {permissions}")
        key, secret = pair or (f"{prefix}_{self._random.getrandbits(160):040x}" for prefix in ("ck", "cs"))
        self._keys[key] = ApiKey(key, secret, permissions, manager)
        return self._keys[key]

    def revoke(self, consumer_key: str) -> None:
        del self._keys[consumer_key]

    def permit(self, consumer_key: str, permissions: str) -> None:
        """Edit a key, as its owner can in wp-admin: read, write or read_write."""
        if permissions not in ("read", "write", "read_write"):
            raise ValueError(f"unknown permissions: {permissions}")
        self._keys[consumer_key].permissions = permissions

    def authenticate(self, http: Request, request: RestRequest, uri: str) -> ApiKey | None:
        """The key that a request proves, or None for anybody. `uri` is the raw request URI.

        Raises RestError 401 for a known key with a wrong secret and for OAuth parameters that prove nothing.
        """
        secure = http.scheme == "https"
        if "wp-json/wc/" not in uri and "wp-json/wc-" not in uri:
            if secure and any(_basic(http)):  # WordPress takes the header for an application password
                message = "Unknown username. Check again or try your email address."
                raise RestError("invalid_username", message, 401)
            return None
        if secure:
            key = self._by_secret(*_credentials(http, request))
            if key is not None:
                return key
        return self._by_signature(http, request, uri)

    def _by_secret(self, consumer_key: str, consumer_secret: str) -> ApiKey | None:
        key = self._keys.get(consumer_key.strip()) if consumer_key and consumer_secret else None
        if key is not None and not hmac.compare_digest(key.consumer_secret.encode(), consumer_secret.encode()):
            raise refused("Consumer secret is invalid.")
        return key

    def _by_signature(self, http: Request, request: RestRequest, uri: str) -> ApiKey | None:
        form = request.form if http.method == "POST" else {}
        parameters = {**request.query, **form, **_oauth_header(http)}
        missing = [name for name in OAUTH_PARAMETERS if not parameters.get(name)]
        if len(missing) == len(OAUTH_PARAMETERS):
            return None
        if missing:
            noun = "parameter" if len(missing) == 1 else "parameters"
            message = f"Missing OAuth {noun} {', '.join(missing)}"
            raise RestError("woocommerce_rest_authentication_missing_parameter", message, 401)
        key = self._keys.get(str(parameters["oauth_consumer_key"]).strip())
        if key is None:
            raise refused("Consumer key is invalid.")
        _check_signature(key, http, request.home, uri, parameters)
        self._check_nonce(key, str(parameters["oauth_timestamp"]), str(parameters["oauth_nonce"]))
        return key

    def _check_nonce(self, key: ApiKey, timestamp: str, nonce: str) -> None:
        now = int(self._clock())
        if not re.fullmatch(r"-?\d{1,15}", timestamp) or abs(int(timestamp) - now) > WINDOW:
            raise refused("Invalid timestamp.")
        key.nonces = {used: at for used, at in key.nonces.items() if at >= now - WINDOW}
        if nonce in key.nonces:
            raise refused("Invalid nonce - nonce has already been used.")
        key.nonces[nonce] = int(timestamp)


def _credentials(http: Request, request: RestRequest) -> tuple[str, str]:
    """The query's pair if both halves are there, else the Basic header's."""
    pair = str(request.query.get("consumer_key") or ""), str(request.query.get("consumer_secret") or "")
    return pair if all(pair) else _basic(http)


def _basic(http: Request) -> tuple[str, str]:
    scheme, _, token = http.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return user, password


def _oauth_header(http: Request) -> dict[str, str]:
    header = http.headers.get("Authorization", "").strip()
    if not header.startswith("OAuth "):
        return {}
    pairs = re.findall(r'(oauth_[a-z_-]*)=(?:"([^"]*)"|([^,]*))', header)
    return {name: unquote_plus(quoted or plain) for name, quoted, plain in pairs}


def _check_signature(key: ApiKey, http: Request, home: str, uri: str, parameters: dict[str, object]) -> None:
    given = unquote(str(parameters["oauth_signature"]).replace(" ", "+"))
    algorithm = ALGORITHMS.get(str(parameters["oauth_signature_method"]))
    if algorithm is None:
        raise refused("Invalid signature - signature method is invalid.")
    signed = {name: parameters[name] for name in sorted(parameters) if name != "oauth_signature"}
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in flattened(signed))
    url = _signed_url(home, http.scheme, uri)
    base = "&".join([http.method, quote(url, safe=""), quote(pairs, safe="")])
    digest = hmac.new(f"{key.consumer_secret}&".encode(), base.encode(), algorithm).digest()
    if not hmac.compare_digest(b64encode(digest), given.encode()):
        raise refused("Invalid signature - provided signature does not match.")


def _signed_url(home: str, scheme: str, uri: str) -> str:
    """The site's own address with the request's path and scheme: the Host header has no say."""
    site = urlsplit(home)
    path = uri.partition("?")[0]
    below = path.removeprefix(site.path) if site.path else path
    return f"{scheme}://{site.netloc}{site.path}{below}"
