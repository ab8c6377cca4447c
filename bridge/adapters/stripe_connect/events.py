"""Events: who sent a message, and which payment it is about. Nothing else of it is believed.

The signature is checked here and not by the SDK, which has a clock of its own and no limit for times to come.
Sources: Stripe, "Verify webhook signatures manually", "The Event object", "Connect webhooks".
"""

import hmac
import json
import re
from typing import Any

from bridge.adapters.stripe_connect.answers import id_of
from bridge.adapters.stripe_connect.request import ATTEMPT
from bridge.domain.errors import EventRefused
from bridge.domain.outcomes import EventKind, ProviderEvent

Json = dict[str, Any]
TOLERANCE = 300
"""Seconds that a message may be old, or ahead of our clock."""


def prove(header: str, body: bytes, secrets: tuple[str, ...], now: float) -> None:
    """Raises EventRefused unless `body` was signed with one of the secrets, not long before or after `now`."""
    if not secrets:
        raise EventRefused("The setting webhook_secret is empty: nobody's message can be proven.")
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not re.fullmatch(r"\d{1,12}", times[0], re.ASCII):
        raise EventRefused("The header Stripe-Signature is missing or has no time.")
    given = [value.encode() for name, _, value in parts if name == "v1"]
    signed = times[0].encode() + b"." + body
    for secret in secrets:
        right = hmac.new(secret.encode(), signed, "sha256").hexdigest().encode()
        if any(hmac.compare_digest(right, one) for one in given):
            break
    else:
        raise EventRefused("The signature is not made with this store's webhook_secret.")
    if abs(now - int(times[0])) > TOLERANCE:
        raise EventRefused("The message is too old, or the clocks differ by more than five minutes.")


def read_event(body: bytes, now: float) -> ProviderEvent:
    """A message that is proven. What is not about a payment intent is of kind OTHER. Raises EventRefused."""
    try:
        event = json.loads(body)
    except ValueError:
        raise EventRefused("The message is no JSON.") from None
    if not isinstance(event, dict) or not all(event.get(name) and type(event[name]) is str for name in ("id", "type")):
        raise EventRefused("The message is no event of Stripe's.")
    thing = _about(event)
    reference = _payment_intent(thing)
    created, account, live = event.get("created"), event.get("account"), event.get("livemode")
    return ProviderEvent(
        id=event["id"],
        type=event["type"],
        kind=EventKind.PAYMENT if reference else EventKind.OTHER,
        at=float(created) if type(created) is int else now,
        reference=reference,
        attempt_id=_attempt(thing) if reference else None,
        account=account if isinstance(account, str) else None,
        live=live if isinstance(live, bool) else None,
    )


def _about(event: Json) -> Json:
    payload = event.get("data")
    thing = payload.get("object") if isinstance(payload, dict) else None
    return thing if isinstance(thing, dict) and event.get("object") == "event" else {}


def _payment_intent(thing: Json) -> str | None:
    if thing.get("object") == "payment_intent":
        return id_of(thing)
    if thing.get("object") in ("charge", "refund", "dispute"):
        return id_of(thing.get("payment_intent"))
    return None


def _attempt(thing: Json) -> str | None:
    """Our id of what was tried: a payment's and a charge's have the create's, a refund has its own."""
    metadata = thing.get("metadata")
    attempt = metadata.get(ATTEMPT) if isinstance(metadata, dict) else None
    return attempt if isinstance(attempt, str) and re.fullmatch(r"\w{1,64}", attempt, re.ASCII) else None
