"""Events: every change as an object that can be read later, and is sent to the webhook endpoints that want it.

Sources: https://docs.stripe.com/api/events and https://docs.stripe.com/api/events/types.
"""

from fnmatch import fnmatchcase

from .errors import Json, invalid
from .listing import page
from .request_checks import CURRENT_VERSION
from .state import Call, State, snapshot


def publish(state: State, kind: str, thing: Json, on: str | None = None, **before: object) -> Json:
    """Something happened to `thing`, on its account or the one named; `before` are its members' previous values."""
    account = on or state.owner(thing["id"])
    content = {"object": snapshot(thing)} | ({"previous_attributes": before} if before else {})
    event = {
        "id": state.mint("evt"),
        "object": "event",
        "api_version": CURRENT_VERSION,
        "created": state.now(),
        "data": content,
        "livemode": False,
        "pending_webhooks": 0,
        "request": dict(state.cause),
        "type": kind,
    }
    if account != state.platform:
        event["account"] = account
    state.add(account, event)
    wanting = (one for one in state.webhooks.endpoints if one.wants(kind, account, state.platform))
    event["pending_webhooks"] = state.webhooks.queue(event, wanting)
    state.changed.notify_all()
    return event


def list_all(call: Call) -> Json:
    params = call.params
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    patterns = [params["type"]] if "type" in params else params.get("types", ["*"])
    delivered = params.get("delivery_success")
    found = [
        event
        for event in call.state.all(call.account, "event")
        if any(fnmatchcase(event["type"], pattern) for pattern in patterns)
        and delivered in (None, event["pending_webhooks"] == 0)
    ]
    return page(found, params, "/v1/events")
