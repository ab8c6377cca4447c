"""Triggers: who sent one, and which payment it is about. Nothing else of it is believed.

Forte does not sign anything: its header means something only on the project's own network. A relay inside the project
can sign triggers for a bridge outside. Source: Forte's guide, "Receiving and processing trigger events".
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from bridge.adapters.forte_platform.answers import STATES
from bridge.adapters.forte_platform.settings import Options
from bridge.domain.errors import EventRefused
from bridge.domain.messages import read_json
from bridge.domain.outcomes import EventKind, ProviderEvent
from bridge.schemas.forte_platform import FiredSchema

TRUSTED = "x-forte-trusted"
PEER = "x-bridge-peer"
"""Not from the wire: whoever hands headers to `receive` puts the address of the real peer here, over whatever came."""
SIGNATURE = "x-bridge-relay-signature"
"""Of the relay: `t=UNIX_SECONDS,v1=HEX`, HMAC-SHA256 of the seconds, a full stop and the body."""
TOLERANCE = 300
"""Seconds that a signed trigger may be old, or ahead of our clock."""
_REPEATED = "PARTIALLY_REFUNDED"
"""A payment can get into this state more than once; into all others it comes once."""
_FIRED = FiredSchema()


def prove(options: Options, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raises EventRefused unless the relay has signed it, or it comes from Forte's own network with Forte's header."""
    if SIGNATURE in headers:
        _prove_relay(headers[SIGNATURE], body, options.relay_secrets, now)
        return
    if headers.get(TRUSTED) != "1":
        raise EventRefused("The message is neither signed by the relay nor marked by Forte.", cause="unsigned")
    peer = _address(headers.get(PEER, ""))
    if peer is None or not any(peer in network for network in options.trusted_networks):
        raise EventRefused(
            "The message is marked as Forte's, but does not come from the trusted_networks.", cause="wrong_sender"
        )


def read_event(body: bytes, now: float) -> ProviderEvent:
    """A message that is proven. One that cannot be read, or of a state that nobody knows, is stored and has no effect:
    Forte would send it five times for nothing."""
    try:
        fired = _FIRED.read(read_json(body))
    except (ValueError, OverflowError, EventRefused):
        digest = hashlib.sha256(body).hexdigest()
        return ProviderEvent(id=f"unreadable:{digest}", type="unreadable", kind=EventKind.OTHER, at=now)
    state, payment = fired["state"], fired["paymentId"]
    again = f":{fired['paymentTime']:.3f}" if state == _REPEATED else ""
    return ProviderEvent(
        id=f"{payment}:{state}{again}",
        type=state,
        kind=EventKind.PAYMENT if state in STATES else EventKind.OTHER,
        at=fired["paymentTime"],
        reference=payment,
    )


def _prove_relay(header: str, body: bytes, secrets: tuple[str, ...], now: float) -> None:
    if not secrets:
        raise EventRefused(
            "The setting relay_secret is empty: messages from a relay cannot be verified.", cause="no_secret"
        )
    match = re.fullmatch(r"t=(\d{1,12}),v1=([0-9a-f]{64})", header, re.ASCII)
    if match is None:
        raise EventRefused("The relay's signature is not of the form t=...,v1=...", cause="unsigned")
    signed = match[1].encode() + b"." + body
    rights = [hmac.new(secret.encode(), signed, "sha256").hexdigest() for secret in secrets]
    if not any(hmac.compare_digest(right, match[2]) for right in rights):
        raise EventRefused("The signature was not made with this store's relay_secret.", cause="wrong_signature")
    if abs(now - int(match[1])) > TOLERANCE:
        raise EventRefused("The message is too old, or the clocks differ by more than five minutes.", cause="too_old")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
