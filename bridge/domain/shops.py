"""A shop is what holds orders. Entries (stores) of one shop share them, whatever their addresses and adapters are."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


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
    """A site's address as its shop is known by it: http or https, with or without `www.`, default port and final slash
    make no difference; another path does, and so does another host. What is no address is itself.

    WordPress has one such address (the option `home`), and tells it whichever way it is reached. Source:
    `WP_REST_Server::get_index`.
    """
    try:
        parts = urlsplit(identity.strip())
        host, port = (parts.hostname or "").lower().removesuffix("."), parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme.lower() not in ("http", "https"):
        return identity.strip()
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    host = host.removeprefix("www.")
    host = f"[{host}]" if ":" in host else host
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    return where + parts.path.rstrip("/")


def named_beside(store_id: str, others: Sequence[str]) -> str:
    """A store as people read it, with the other entries of its shop."""
    return f"{store_id} (beside {', '.join(others)})" if others else store_id
