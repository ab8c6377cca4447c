"""What a payment that somebody else made says of itself: for which order of which site it is.

Metadata prove nothing: a buyer knows the id and the key of an order. They only say with what the payment has to be
compared. Pure functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from bridge.domain.orders import is_order_id

_LONGEST = 200
_DEFAULT_PORTS = (None, 80, 443)


@dataclass(frozen=True, slots=True)
class Claim:
    """The order that a payment names. `order_key` and `site` are `""` where it names none.

    Source of the names: WooCommerce's mobile apps and WooPayments 8.4, metadata `order_id`, `order_key`, `site_url`.
    """

    order_id: int
    order_key: str = field(repr=False)
    site: str


def read_claim(metadata: Mapping[str, Any]) -> Claim | None:
    """None for a payment that names no order."""
    order_id = str(metadata.get("order_id") or "")
    if not is_order_id(order_id) or int(order_id) <= 0:
        return None
    return Claim(int(order_id), str(metadata.get("order_key") or ""), _plain(metadata.get("site_url")))


def _plain(text: Any) -> str:
    """Fit to be told to a person: whoever made the payment has written it."""
    return "".join(letter for letter in str(text or "") if letter.isprintable())[:_LONGEST]


def is_same_site(one: str, other: str) -> bool:
    """Whether two addresses are of one site, however they are written: scheme, default port, `www.`, the case of the
    host, its international spelling and a slash at the end make no other site. What is no address is nobody's."""
    site = _site(one)
    return site is not None and site == _site(other)


def _site(address: str) -> tuple[str, int | None, str] | None:
    address = address.strip()
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if not host:
        return None
    return host, None if port in _DEFAULT_PORTS else port, unquote(parts.path).rstrip("/")


def _host(name: str) -> str:
    """In lower case and in the spelling of the domain name system. Raises ValueError (UnicodeError) for what is no
    host."""
    ascii_name = name.rstrip(".").encode("idna").decode() if not name.isascii() else name.rstrip(".")
    return ascii_name.lower().removeprefix("www.")
