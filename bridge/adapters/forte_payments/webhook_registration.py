"""Who receives messages: the webhook subscriptions of an account, and messages that are resent.

Nothing is ever deleted. Source: docs.fortepayments.io, webhooks, create-subscription, get-subscriptions,
replay-webhooks: in production one subscription can be enabled, in the sandbox three.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bridge.adapters.forte_payments.client import Client
from bridge.adapters.forte_payments.errors import read
from bridge.domain.errors import ProviderRefused
from bridge.schemas.forte_payments import SubscriptionAnswer, SubscriptionsAnswer

PATH = "/notifications/v1/subscriptions"
REPLAY = "/notifications/v1/webhooks/replay"
_ONE, _MANY = SubscriptionAnswer(), SubscriptionsAnswer()


@dataclass(frozen=True, slots=True)
class Subscription:
    """An address to which Forte sends messages. `secret` signs them."""

    id: str
    url: str
    description: str
    enabled: bool
    secret: str = field(repr=False)


class Subscriptions:
    """Every method raises ProviderError; ProviderRefused with the code `subscription_limit` above Forte's limit."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> list[Subscription]:
        found = read(_MANY, self._client.call("GET", PATH))["data"]
        return [_subscription(each) for each in found]

    def register(self, url: str, description: str) -> Subscription:
        """Make sure that messages are sent to `url`: what is there already is found, and enabled."""
        known = [each for each in self.all() if each.url == url]
        if not known:
            return self._change(PATH, {"endpoint": url, "description": description})
        enabled = [each for each in known if each.enabled]
        return enabled[0] if enabled else self.switch(known[-1].id, on=True)

    def switch(self, subscription_id: str, *, on: bool) -> Subscription:
        """Enable or disable one; how it is then."""
        verb = "enable" if on else "disable"
        self._change(f"{PATH}/{quote(subscription_id, safe='')}/{verb}", None)
        for each in self.all():
            if each.id == subscription_id:
                return each
        raise ProviderRefused("Error: Forte does not have this subscription.", code="resource_missing")

    def replay(self, since: float, until: float) -> None:
        """Have Forte send again what it sent between the two (Unix seconds), as far as it is still subscribed to."""
        query = {"start_timestamp": _moment(since), "end_timestamp": _moment(until)}
        self._client.call("POST", REPLAY, query=query)

    def _change(self, path: str, body: Any) -> Subscription:
        try:
            reply = self._client.call("POST", path, body)
        except ProviderRefused as error:
            if error.details.get("provider_status") != 429:
                raise
            enabled = ", ".join(each.url for each in self.all() if each.enabled)
            raise ProviderRefused(
                f"Error: Forte does not allow more enabled subscriptions. Disable one of these first: {enabled}.",
                code="subscription_limit",
            ) from None
        return _subscription(read(_ONE, reply)["data"])


def _subscription(told: dict[str, Any]) -> Subscription:
    return Subscription(
        id=told["id"],
        url=told["endpoint"],
        description=told["description"],
        enabled=told["status"] == "enabled",
        secret=told["signing_key"],
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
