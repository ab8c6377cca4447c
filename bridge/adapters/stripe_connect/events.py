"""Events: who sent a message, and which payment it is about. Nothing else of it is believed.

The signature is checked here and not by the SDK, which has a clock of its own and no limit for times to come.
Sources: Stripe, "Verify webhook signatures manually", "The Event object", "Connect webhooks".
"""

import hmac
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.adapters.stripe_connect.answers import id_of
from bridge.adapters.stripe_connect.request import ATTEMPT
from bridge.domain.errors import EventRefused
from bridge.domain.messages import read_json
from bridge.domain.outcomes import EventKind, ProviderEvent

Json = dict[str, Any]
RELATED = {
    "payment_intent": "/v1/payment_intents",
    "charge": "/v1/charges",
    "refund": "/v1/refunds",
    "dispute": "/v1/disputes",
}
"""Where what a thin event is about is asked for. Its own `url` is never used: that is a path out of a message."""
_ACCOUNT = frozenset(
    {"account.updated", "account.application.authorized", "account.application.deauthorized", "capability.updated"}
)
TOLERANCE = 300
"""How many seconds old, or ahead of our clock, a message may be."""


def prove(header: str, body: bytes, secrets: tuple[str, ...], now: float) -> None:
    """Raises EventRefused unless `body` was signed with one of the secrets, not long before or after `now`."""
    if not secrets:
        raise EventRefused("The setting webhook_secret is empty: messages cannot be verified.", cause="no_secret")
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not re.fullmatch(r"\d{1,12}", times[0], re.ASCII):
        raise EventRefused("The header Stripe-Signature is missing or has no time.", cause="unsigned")
    given = [value.encode() for name, _, value in parts if name == "v1"]
    signed = times[0].encode() + b"." + body
    for secret in secrets:
        right = hmac.new(secret.encode(), signed, "sha256").hexdigest().encode()
        if any(hmac.compare_digest(right, one) for one in given):
            break
    else:
        raise EventRefused("The signature was not made with this store's webhook_secret.", cause="wrong_signature")
    if abs(now - int(times[0])) > TOLERANCE:
        raise EventRefused("The message is too old, or the clocks differ by more than five minutes.", cause="too_old")


def read_event(body: bytes, now: float) -> ProviderEvent:
    """A message that is proven: a snapshot or a thin event. What is about neither a payment intent nor the account is
    of kind OTHER. Raises EventRefused."""
    event = read_json(body)
    if not isinstance(event, dict) or not all(event.get(name) and type(event[name]) is str for name in ("id", "type")):
        raise EventRefused("The message is not a Stripe event.", cause="unreadable")
    live = event["livemode"] if isinstance(event.get("livemode"), bool) else None
    if event.get("object") == "v2.core.event":
        return _read_thin(event, now, live)
    thing = _about(event)
    created, account = event.get("created"), event.get("account")
    read = ProviderEvent(
        id=event["id"],
        type=event["type"],
        kind=EventKind.ACCOUNT if event["type"] in _ACCOUNT else EventKind.OTHER,
        at=float(created) if type(created) is int else now,
        account=account if isinstance(account, str) else None,
        live=live,
    )
    return with_payment(read, thing) if _payment_intent(thing) else read


def with_payment(event: ProviderEvent, thing: Json) -> ProviderEvent:
    """The event, about the payment that `thing` is or belongs to; of kind OTHER if it belongs to none."""
    reference = _payment_intent(thing)
    kind = EventKind.PAYMENT if reference else EventKind.OTHER
    attempt_id = _attempt(thing) if reference else None
    return replace(event, kind=kind, reference=reference, attempt_id=attempt_id, names_no_order=_names_no_order(thing))


def _read_thin(event: Json, now: float, live: bool | None) -> ProviderEvent:
    """An event that only names what it is about. Its `context` is the account that it happened on, none for our own,
    behind that of an organization (source: https://docs.stripe.com/event-destinations, "Thin events")."""
    related, context, kind = event.get("related_object"), event.get("context"), EventKind.OTHER
    named = f"{related.get('type')}:{related.get('id')}" if isinstance(related, dict) else ""
    if event["type"].removeprefix("v1.") in _ACCOUNT:
        kind = EventKind.ACCOUNT
    elif re.fullmatch(rf"({'|'.join(RELATED)}):\w{{1,255}}", named, re.ASCII):
        kind = EventKind.PAYMENT
    return ProviderEvent(
        id=event["id"],
        type=event["type"],
        kind=kind,
        at=_moment(event.get("created"), now),
        account=context.rpartition("/")[2] if isinstance(context, str) and context else None,
        live=live,
        related=named if kind is EventKind.PAYMENT else None,
    )


def _moment(created: Any, now: float) -> float:
    try:
        return datetime.fromisoformat(str(created)).timestamp()
    except (ValueError, OverflowError):
        return now


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


def _names_no_order(thing: Json) -> bool:
    """Whether its payment is for no order: a charge has the payment's metadata, a refund and a dispute have not."""
    metadata = thing.get("metadata")
    return thing.get("object") in ("payment_intent", "charge") and "order_id" not in (metadata or ())


def _attempt(thing: Json) -> str | None:
    """Our id of what was tried: a payment's and a charge's have the create's, a refund has its own."""
    metadata = thing.get("metadata")
    attempt = metadata.get(ATTEMPT) if isinstance(metadata, dict) else None
    return attempt if isinstance(attempt, str) and re.fullmatch(r"\w{1,64}", attempt, re.ASCII) else None
