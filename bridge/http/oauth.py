"""OAuth 1.0a, one-legged: finding the parameters and checking a signature. Knows no keys and no clock.

Sources: RFC 5849; WooCommerce's REST authentication, whose base string differs: PHP's idea of the parameters, sorted
before they are encoded.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote
from urllib.request import parse_http_list

from bridge.http.wordpress.php_input import Pairs, nest

REQUIRED = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
DIGESTS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}


def header_pairs(authorization: str) -> Pairs:
    """The oauth_ parameters of an `Authorization: OAuth` header; none of any other."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() != "oauth":
        return []
    pairs = [part.partition("=")[::2] for part in parse_http_list(rest)]
    return [(name.strip(), unquote(value.strip().strip('"'))) for name, value in pairs if name.strip()[:6] == "oauth_"]


def protocol_parameters(pairs: Pairs) -> dict[str, str]:
    """The oauth_ parameters that are there and not empty; of a repeated one the last."""
    return {name: value for name, value in pairs if name in REQUIRED and value}


def is_signed(
    method: str, urls: Sequence[str], pairs: Pairs, parameters: Mapping[str, str], consumer_secret: str
) -> bool:
    """Whether the signature is that of the request at one of `urls` (without query), made with the secret."""
    given = unquote(parameters["oauth_signature"].replace(" ", "+")).encode()
    digest = DIGESTS[parameters["oauth_signature_method"]]
    fits = [
        hmac.compare_digest(_sign(f"{method}&{_encode(url)}&{text}", consumer_secret, digest), given)
        for url in urls
        for text in _normalized(pairs)
    ]
    return any(fits)


def addresses(public_urls: Sequence[str], path: str) -> list[str]:
    """What a client may have taken for the address of `path`, which is below the mount."""
    return [public + quote(path, safe="/~!$&'()*+,;=:@") for public in public_urls]


def _normalized(pairs: Pairs) -> list[str]:
    """The parameters for the base string: as WooCommerce has them, and as RFC 5849, 3.4.1.3.2, has them.

    Of a repeated name only the last value is signed, because only the last one counts: official clients send theirs
    twice.
    """
    counting = [(name, value) for name, value in pairs if name != "oauth_signature"]
    woocommerce = sorted(nest(counting).items(), key=lambda item: item[0].encode())
    last = {name: value for name, value in counting if not name.endswith("[]")}
    listed = [(name, value) for name, value in counting if name.endswith("[]")]
    rfc = sorted((_encode(name), _encode(value)) for name, value in [*last.items(), *listed])
    return [
        "%26".join(text for name, value in woocommerce for text in _joined(_encode(name), value)),
        _encode("&".join(f"{name}={value}" for name, value in rfc)),
    ]


def _joined(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _encode(f"{name}={_encode(value)}")
        return
    for key, inner in value.items():
        yield from _joined(f"{name}%5B{key}%5D", inner)


def _encode(text: str) -> str:
    return quote(text, safe="")


def _sign(text: str, consumer_secret: str, digest: Any) -> bytes:
    return base64.b64encode(hmac.new(f"{consumer_secret}&".encode(), text.encode(), digest).digest())
