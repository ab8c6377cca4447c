"""Webhook endpoints, and what each of them is still to be sent: when it is due, how often it was tried.

Deliveries are at least once and in no promised order. Source: https://docs.stripe.com/webhooks.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from urllib.parse import urlsplit

from . import thin_events
from .errors import Json

RETRY_DELAYS = (300.0, 3600.0, 7200.0)
"""Seconds before each further try: in a sandbox there are three, over a few hours."""
ROTATION = 24 * 3600.0
"""Seconds for which a secret that was replaced still signs, at most and by default."""


@dataclass(frozen=True)
class Secret:
    """A signing secret that is valid until `end` (Unix seconds), or for good."""

    value: str = field(repr=False)
    end: float | None = None

    def valid(self, now: float) -> bool:
        return self.end is None or now < self.end


@dataclass(frozen=True)
class WebhookEndpoint:
    """Who wants to hear of `events` (names, or `*`): those of `account` itself, or with `connect` those of the accounts
    that are connected to it. The newest of `secrets` comes first. A `thin` one is sent thin events."""

    id: str
    url: str
    account: str
    connect: bool
    events: tuple[str, ...]
    secrets: tuple[Secret, ...]
    created: int
    enabled: bool = True
    description: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    api_version: str | None = None
    thin: bool = False

    def wants(self, kind: str, account: str, platform: str) -> bool:
        """Whether it is sent an event of that kind that happened on `account`."""
        if not self.enabled or not {"*", kind} & set(self.events) or (self.thin and not thin_events.exists(kind)):
            return False
        return (self.account == platform and account != platform) if self.connect else account == self.account

    def signing(self, now: float) -> tuple[str, ...]:
        """The secrets that sign now: more than one while a secret is being rotated."""
        return tuple(secret.value for secret in self.secrets if secret.valid(now))

    def to_json(self) -> Json:
        """As the API shows it, without secrets."""
        return {
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": None,
            "created": self.created,
            "description": self.description,
            "enabled_events": list(self.events),
            "livemode": False,
            "metadata": dict(self.metadata),
            "status": "enabled" if self.enabled else "disabled",
            "url": self.url,
        }


def check_url(url: str) -> None:
    """ValueError unless it is https, or plain http to this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"Invalid URL: {error}") from error
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError("Invalid URL: an explicit scheme (such as https) and a host must be provided.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("Invalid URL: plain http is for this machine only; use https.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Delivery:
    """An event that an endpoint is to get: not before `due` (Unix seconds), after `tries` attempts that failed."""

    number: int
    event_id: str
    event_type: str
    endpoint_id: str
    due: float
    tries: int = 0


class Webhooks:
    """The endpoints and the queue. Its caller holds the lock; what was taken is out of the queue until reported."""

    def __init__(self, clock: Callable[[], float], delays: Sequence[float]) -> None:
        self._clock = clock
        self._delays = tuple(delays)
        self._endpoints: dict[str, WebhookEndpoint] = {}
        self._queue: dict[int, Delivery] = {}
        self._numbers = count(1)

    @property
    def endpoints(self) -> tuple[WebhookEndpoint, ...]:
        """Oldest first."""
        return tuple(self._endpoints.values())

    def keep(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """Add an endpoint, or replace the one with its id."""
        self._endpoints[endpoint.id] = endpoint
        return endpoint

    def find(self, identifier: str) -> WebhookEndpoint | None:
        return self._endpoints.get(identifier)

    def remove(self, identifier: str) -> None:
        """Forget an endpoint and what it was to be sent."""
        del self._endpoints[identifier]
        self._queue = {number: one for number, one in self._queue.items() if one.endpoint_id != identifier}

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """What has not been sent yet, or not well, in the order in which it is due."""
        return tuple(sorted(self._queue.values(), key=lambda delivery: (delivery.due, delivery.number)))

    def queue(self, event: Json, endpoints: Iterable[WebhookEndpoint]) -> int:
        """Send the event to these endpoints, as soon as possible; returns to how many."""
        chosen = tuple(endpoints)
        for endpoint in chosen:
            number = next(self._numbers)
            self._queue[number] = Delivery(number, event["id"], event["type"], endpoint.id, self._clock())
        return len(chosen)

    def take(self, wanted: Callable[[Delivery], bool]) -> Delivery | None:
        """The first delivery that is due now and wanted. One to an endpoint that is disabled by now is given up."""
        for delivery in self.pending:
            if delivery.due > self._clock():
                return None
            if not self._endpoints[delivery.endpoint_id].enabled:
                del self._queue[delivery.number]
            elif wanted(delivery):
                return self._queue.pop(delivery.number)
        return None

    def report(self, delivery: Delivery, accepted: bool) -> None:
        """A delivery was tried just now: it is done, or comes again later, or is given up."""
        if accepted or delivery.tries >= len(self._delays) or delivery.endpoint_id not in self._endpoints:
            return
        due = self._clock() + self._delays[delivery.tries]
        self._queue[delivery.number] = replace(delivery, due=due, tries=delivery.tries + 1)

    @property
    def next_due(self) -> float | None:
        """When the next delivery is due, None if there is none."""
        return min((delivery.due for delivery in self._queue.values()), default=None)
