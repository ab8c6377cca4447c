"""A shop is what holds orders. Entries (stores) of one shop share them, whatever their addresses and adapters are."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a shop's entries or addresses, `at` (Unix seconds), and by whom, as far as that is known."""

    at: float
    store_id: str
    who: str
    what: str
    before: str
    after: str


def address_of(identity: str) -> str:
    """A site's address as its shop is known by it (`site_of`). What is not an address is itself."""
    return site_of(identity) or identity.strip()


def is_same_site(one: str, other: str) -> bool:
    """Whether two addresses, with or without a scheme, are of one site. What is not an address is nobody's."""
    first, second = (site_of(each if "://" in each else f"https://{each.strip()}") for each in (one, other))
    return first is not None and first == second


def site_of(address: str) -> str | None:
    """What two addresses have in common if they are of one site: http or https, with or without `www.`, default port,
    the case and the international spelling of the host, and a slash at the end make no difference; another path does,
    and so does another host. None for what is not an address.

    WordPress has one such address (the option `home`), and tells it whichever way it is reached. Source:
    `WP_REST_Server::get_index`.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = (parts.hostname or "").lower().removesuffix("."), parts.port
    except ValueError:
        return None
    if not host or parts.scheme.lower() not in ("http", "https"):
        return None
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    host = host.removeprefix("www.")
    host = f"[{host}]" if ":" in host else host
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    return where + unquote(parts.path).rstrip("/")


def named_beside(store_id: str, others: Sequence[str]) -> str:
    """A store as people read it, with the other entries of its shop."""
    return f"{store_id} (beside {', '.join(others)})" if others else store_id
