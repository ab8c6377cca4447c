"""OAuth 1.0a, one-legged: finding the parameters and checking a signature. Knows no keys and no clock.

Sources: RFC 5849; WooCommerce's REST authentication, whose base string differs: PHP's idea of the parameters, sorted
before they are encoded.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote
from urllib.request import parse_http_list

from bridge.http.wordpress.php_input import MOST_VARIABLES, Pairs, nest

REQUIRED = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
SIGNATURE = "oauth_signature"
DIGESTS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}


def header_pairs(authorization: str) -> Pairs:
    """The oauth_ parameters of an `Authorization: OAuth` header; none of any other."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() != "oauth":
        return []
    pairs = [part.partition("=")[::2] for part in parse_http_list(rest)]
    return [(name.strip(), unquote(value.strip().strip('"'))) for name, value in pairs if name.strip()[:6] == "oauth_"]


@dataclass(frozen=True)
class Signed:
    """What a request says, in its query, its form and its header, and what of that counts.

    Who is let in is decided by the same values that are signed: names that PHP takes for one (`oauth.nonce` and
    `oauth_nonce`) are one, and what comes later takes the place of what was there, as WooCommerce merges it.
    Source: `WC_REST_Authentication::get_oauth_parameters`.
    """

    query: Pairs
    form: Pairs
    header: Pairs

    @cached_property
    def counting(self) -> dict[str, Any]:
        return {**nest(self.query), **nest(self.form), **nest(self.header)}

    @property
    def parameters(self) -> dict[str, str]:
        """The oauth_ parameters that are there and not empty."""
        known = {name: self.counting.get(name) for name in REQUIRED}
        return {name: value for name, value in known.items() if isinstance(value, str) and value}

    @property
    def is_ambiguous(self) -> bool:
        """A money rule: whether somebody on the way could have moved or padded values so that others count than those
        that were signed. PHP reads MOST_VARIABLES of each place; an array that stands in two places loses one half."""
        query, form = nest(self.query), nest(self.form)
        is_split = any(isinstance(place[name], dict) for name in query.keys() & form.keys() for place in (query, form))
        return is_split or len(self.query) + len(self.form) + len(self.header) > MOST_VARIABLES

    def is_by(self, consumer_secret: str, method: str, urls: Sequence[str]) -> bool:
        """Whether the signature is that of the request at one of `urls` (without query), made with the secret."""
        parameters = self.parameters
        given = unquote(parameters["oauth_signature"].replace(" ", "+")).encode()
        digest = DIGESTS[parameters["oauth_signature_method"]]
        fits = [
            hmac.compare_digest(_sign(f"{method}&{_encode(url)}&{text}", consumer_secret, digest), given)
            for url in urls
            for text in self._normalized()
        ]
        return any(fits) and not self.is_ambiguous

    def _normalized(self) -> list[str]:
        """The parameters for the base string: as WooCommerce has them, and as RFC 5849, 3.4.1.3.2, has them.

        Of a repeated name only the last value is signed, because only the last one counts: official clients send
        theirs twice.
        """
        merged = {name: value for name, value in self.counting.items() if name != SIGNATURE}
        woocommerce = sorted(merged.items(), key=lambda item: item[0].encode())
        pairs = [pair for pair in self.query + self.form + self.header if pair[0] != SIGNATURE]
        last = {name: value for name, value in pairs if not name.endswith("[]")}
        listed = [(name, value) for name, value in pairs if name.endswith("[]")]
        rfc = sorted((_encode(name), _encode(value)) for name, value in [*last.items(), *listed])
        return [
            "%26".join(text for name, value in woocommerce for text in _joined(_encode(name), value)),
            _encode("&".join(f"{name}={value}" for name, value in rfc)),
        ]


def addresses(public_urls: Sequence[str], path: str) -> list[str]:
    """What a client may have taken for the address of `path`, which is below the mount."""
    return [public + quote(path, safe="/~!$&'()*+,;=:@") for public in public_urls]


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
