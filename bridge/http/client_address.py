"""How a request reached us, and whether it may carry a secret in clear."""

import re

from flask import Request

from bridge.domain.networks import Address, parse_address
from bridge.http.settings_protocol import HttpSettings

_FORWARDING = re.compile(
    r"forwarded|via|x-forwarded(-.*)?|x-real-ip|x-original-.*|x-client-ip|x-cluster-client-ip|true-client-ip|cf-connecting-ip"
)

_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](:\d+)?|(?P<v4>[^:]*):\d+")


def is_encrypted(request: Request, settings: HttpSettings) -> bool:
    """https to us, or https to a proxy that the owner trusts."""
    if request.scheme == "https":
        return True
    peer = parse_address(request.remote_addr)
    claimed = request.headers.get("X-Forwarded-Proto", "")
    return (
        peer is not None
        and any(peer in network for network in settings.trusted_proxies)
        and all(word.strip().lower() == "https" for word in claimed.split(","))
    )


def client_address(request: Request, settings: HttpSettings) -> str:
    """Who called: the peer, or, behind trusted proxies, the last in X-Forwarded-For that is none of them; "" if they
    name somebody whose address cannot be read."""
    peer = parse_address(request.remote_addr)
    forwarded = request.headers.get("X-Forwarded-For", "")
    for name in reversed(forwarded.split(",") if forwarded.strip() else []):
        if not (peer and any(peer in network for network in settings.trusted_proxies)):
            break
        peer = _forwarded(name)
    return str(peer or "")


def is_local(request: Request) -> bool:
    """Peer and Host are this machine, and nobody in between left a trace.

    A proxy may leave none: nginx with nothing but `proxy_pass` sends the upstream's own address as Host and no header
    of its own. It speaks HTTP/1.0 then, which no client of ours does; others may not, so that this is believed only
    where the owner has said so (`local_http`).
    """
    if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        return False
    peer = parse_address(request.remote_addr)
    return (
        peer is not None
        and peer.is_loopback
        and _is_loopback_host(request.environ.get("HTTP_HOST", ""))
        and not any(_FORWARDING.fullmatch(name.lower()) for name, _ in request.headers)
    )


def _is_loopback_host(host: str) -> bool:
    name = re.sub(r":\d*$", "", host.strip().lower())
    address = parse_address(name.removeprefix("[").removesuffix("]"))
    return name == "localhost" or (address is not None and address.is_loopback)


def _forwarded(text: str) -> Address | None:
    """An entry of X-Forwarded-For; some proxies write the port, too."""
    found = _WITH_PORT.fullmatch(text.strip())
    return parse_address((found["v6"] or found["v4"]) if found else text.strip())
