"""Who wants webhooks: subscriptions with their signing keys, and the limit of enabled ones.

Source: https://docs.fortepayments.io/payments/webhooks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .errors import ApiError, Json


@dataclass(frozen=True)
class Subscription:
    id: str
    endpoint: str
    description: str
    signing_key: str = field(repr=False)
    status: Literal["enabled", "disabled"] = "enabled"
    version: str = "1"

    @property
    def enabled(self) -> bool:
        return self.status == "enabled"

    def to_json(self) -> Json:
        """As the API shows it, the signing key included."""
        return {
            "id": self.id,
            "endpoint": self.endpoint,
            "description": self.description,
            "signing_key": self.signing_key,
            "status": self.status,
            "version": self.version,
        }


class Subscriptions:
    """At most `limit` of them are enabled at a time. `mint` makes UUIDs. Its caller holds the lock."""

    def __init__(self, mint: Callable[[], str], limit: int) -> None:
        self._mint = mint
        self._limit = limit
        self._by_id: dict[str, Subscription] = {}

    def add(self, endpoint: str, description: str = "") -> Subscription:
        """A new one, enabled. ApiError 429 above the limit."""
        self._check_limit()
        return self._keep(Subscription(self._mint(), endpoint, description, self._mint()))

    def all(self) -> tuple[Subscription, ...]:
        """Oldest first, deleted ones not included."""
        return tuple(self._by_id.values())

    def find(self, identifier: str) -> Subscription | None:
        return self._by_id.get(identifier)

    def get(self, identifier: str) -> Subscription:
        """ApiError 404 if there is none with that id."""
        if identifier not in self._by_id:
            raise ApiError(404, "There is no such subscription.")
        return self._by_id[identifier]

    def change(self, identifier: str, **changes: Any) -> Subscription:
        return self._keep(replace(self.get(identifier), **changes))

    def enable(self, identifier: str) -> Subscription:
        """ApiError 429 above the limit."""
        if not self.get(identifier).enabled:
            self._check_limit()
        return self.change(identifier, status="enabled")

    def disable(self, identifier: str) -> Subscription:
        return self.change(identifier, status="disabled")

    def rotate(self, identifier: str) -> Subscription:
        """Give it another signing key."""
        return self.change(identifier, signing_key=self._mint())

    def remove(self, identifier: str) -> None:
        del self._by_id[self.get(identifier).id]

    def _check_limit(self) -> None:
        if sum(one.enabled for one in self.all()) >= self._limit:
            raise ApiError(429, f"No more than {self._limit} subscriptions can be enabled.")

    def _keep(self, subscription: Subscription) -> Subscription:
        self._by_id[subscription.id] = subscription
        return subscription
