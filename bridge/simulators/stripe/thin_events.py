"""Thin events: what happened to which object, and no more, as event destinations are sent it.

The SDK has a class for every type that there is. Sources: its `EventNotification`, and
https://docs.stripe.com/event-destinations ("Thin events").
"""

from datetime import UTC, datetime

from stripe.events._event_classes import _V2_EVENT_NOTIFICATION_CLASS_LOOKUP as TYPES

from .errors import Json

_PATHS = {
    "account": "/v1/accounts",
    "charge": "/v1/charges",
    "customer": "/v1/customers",
    "dispute": "/v1/disputes",
    "payment_intent": "/v1/payment_intents",
    "payment_method": "/v1/payment_methods",
    "refund": "/v1/refunds",
}


def exists(kind: str) -> bool:
    """Whether a snapshot event of that kind has a thin one beside it."""
    return f"v1.{kind}" in TYPES


def thin(event: Json) -> Json:
    """The thin event of a snapshot event. `context` is the connected account that it happened on, if it is one."""
    thing = event["data"]["object"]
    cause = event["request"]
    body = {
        "id": f"{event['id']}thin",
        "object": "v2.core.event",
        "context": event.get("account"),
        "created": datetime.fromtimestamp(event["created"], UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "livemode": event["livemode"],
        "reason": {"type": "request", "request": cause} if cause["id"] else None,
        "snapshot_event": event["id"],
        "type": f"v1.{event['type']}",
    }
    if thing["object"] in _PATHS:
        url = f"{_PATHS[thing['object']]}/{thing['id']}"
        body["related_object"] = {"id": thing["id"], "type": thing["object"], "url": url}
    return body
