"""Events and their deliveries: what is due to whom, when it is tried again, what was sent before.

Deliveries are at least once and in no promised order. The payload's fields are this simulator's own: Forte's public
pages say only that `reference` is in all webhooks of a payment.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from types import MappingProxyType
from typing import Any

from .subscriptions import Subscription, Subscriptions


@dataclass(frozen=True)
class Event:
    """Something that subscribers hear of, at `time` (Unix seconds). `data` is what the payload says about it."""

    id: str
    name: str
    time: float
    data: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """The payload as it is sent, the same bytes each time."""
        moment = datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        payload = {"id": self.id, "event": self.name, "created_at": moment, "data": dict(self.data)}
        return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Webhook:
    """A request to a subscriber's endpoint."""

    endpoint: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True)
class Delivery:
    """An event that a subscription is to get: not before `due` (Unix seconds), after `tries` attempts that failed."""

    number: int
    event: Event
    subscription_id: str
    due: float
    tries: int = 0


class Deliveries:
    """The queue. `delays` are the pauses in seconds after each failure, then it is given up. Its caller holds the lock;
    a delivery that was taken is out of the queue until it is reported."""

    def __init__(
        self,
        clock: Callable[[], float],
        mint: Callable[[], str],
        subscriptions: Subscriptions,
        delays: Sequence[float],
    ) -> None:
        self._clock = clock
        self._mint = mint
        self._subscriptions = subscriptions
        self._delays = tuple(delays)
        self._numbers = count(1)
        self._queue: dict[int, Delivery] = {}
        self._sent: list[tuple[float, Delivery]] = []

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """What has not been sent yet, or not well, in the order in which it is due."""
        return tuple(sorted(self._queue.values(), key=lambda delivery: (delivery.due, delivery.number)))

    @property
    def is_due(self) -> bool:
        """Whether something is to be sent now."""
        return any(delivery.due <= self._clock() for delivery in self._queue.values())

    def publish(self, name: str, data: Mapping[str, Any], only: str | None = None) -> Event:
        """A new event for every enabled subscription, or for the one that is named."""
        event = Event(self._mint(), name, self._clock(), MappingProxyType(dict(data)))
        for subscription in self._subscriptions.all():
            if subscription.enabled and only in (None, subscription.id):
                self._add(event, subscription.id)
        return event

    def replay(self, start: float, end: float) -> int:
        """Queue again what was sent from `start` to `end`, both included; returns how much that is."""
        again = {
            (delivery.event.id, delivery.subscription_id): delivery
            for time, delivery in self._sent
            if start <= time <= end and self._wanted(delivery)
        }
        for delivery in again.values():
            self._add(delivery.event, delivery.subscription_id)
        return len(again)

    def repeat(self, event_id: str) -> int:
        """Queue a sent event again, for everybody who was sent it; returns for how many."""
        to = {sent.subscription_id: sent.event for _, sent in self._sent if sent.event.id == event_id}
        for subscription_id, event in to.items():
            self._add(event, subscription_id)
        return len(to)

    def take(self, wanted: Callable[[Delivery], bool]) -> tuple[Delivery, Subscription] | None:
        """The first delivery that is due now and wanted, and who gets it. On the way, deliveries to subscriptions that
        are gone or disabled are dropped."""
        for delivery in self.pending:
            if delivery.due <= self._clock() and wanted(delivery):
                del self._queue[delivery.number]
                subscription = self._subscriptions.find(delivery.subscription_id)
                if subscription is not None and subscription.enabled:
                    return delivery, subscription
        return None

    def report(self, delivery: Delivery, accepted: bool) -> None:
        """A delivery was sent just now: it is done, or comes again later, or is given up."""
        self._sent.append((self._clock(), delivery))
        if not accepted and delivery.tries < len(self._delays):
            due = self._clock() + self._delays[delivery.tries]
            self._queue[delivery.number] = replace(delivery, due=due, tries=delivery.tries + 1)

    def _add(self, event: Event, subscription_id: str) -> None:
        number = next(self._numbers)
        self._queue[number] = Delivery(number, event, subscription_id, self._clock())

    def _wanted(self, delivery: Delivery) -> bool:
        subscription = self._subscriptions.find(delivery.subscription_id)
        return subscription is not None and subscription.enabled
