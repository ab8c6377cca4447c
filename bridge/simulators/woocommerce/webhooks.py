"""The store's webhooks: who subscribes to what, and what waits to be delivered. Not thread-safe.

Topics are names for WordPress' hooks. What is due is queued once per webhook and order, however often it comes up
before it is delivered. Source: `WC_Webhook` and wc-webhook-functions.php in WooCommerce's public source.

The queue is Action Scheduler's, which WP-Cron runs: as a rule within a minute, after hours in a store that has no
visitors, and never where WP-Cron is off or kept out. Sources: woocommerce issues 11991, 20754 and 22146.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from random import Random

NEW, UPDATED, REFUNDED = "woocommerce_new_order", "woocommerce_update_order", "woocommerce_order_refunded"
TRASHED, UNTRASHED = "woocommerce_trash_order", "woocommerce_untrash_order"
HOOKS = {
    "order.created": (NEW,),
    "order.updated": (UPDATED, REFUNDED),
    "order.deleted": ("wp_trash_post", TRASHED),
    "order.restored": ("untrashed_post", UNTRASHED),
}
STATUSES = ("active", "paused", "disabled")
MOST_FAILURES = 5
"""With more failures in a row than that on record, the next one disables the webhook: the seventh.

Source: `WC_Webhook::failed_delivery`; recorded as `disabled` after more than five.
"""
SOONEST, LATEST = 1.0, 60.0
"""Seconds by which a late delivery is late."""
NEVER = inf
SECRET_SIGNS = string.ascii_letters + string.digits + "!@#$%^&*()-_ []{}<>~`+=,.;:/?|"
_TOPIC = re.compile(r"(coupon|customer|order|product)\.(created|updated|deleted|restored)|action\.(woocommerce|wc)_.+")


def is_topic(text: str) -> bool:
    """Topics of other resources than orders are valid as well, but nothing happens to those here."""
    return _TOPIC.fullmatch(text) is not None


@dataclass
class Webhook:
    """`home` is the site's address as the request that made it knew it."""

    id: int
    name: str
    topic: str
    delivery_url: str
    secret: str = field(repr=False)
    home: str
    created: float
    modified: float
    status: str = "active"
    failures: int = 0

    @property
    def resource(self) -> str:
        return self.topic.partition(".")[0]

    @property
    def event(self) -> str:
        return self.topic.partition(".")[2]

    @property
    def hooks(self) -> tuple[str, ...]:
        return (self.event,) if self.resource == "action" else HOOKS.get(self.topic, ())


@dataclass(frozen=True)
class Due:
    """Something to deliver: about an order, or (None) a webhook's ping. `at` is when, in Unix seconds or NEVER."""

    webhook_id: int
    order_id: int | None
    at: float = field(default=0.0, compare=False)


class Webhooks:
    """The webhooks by id, and what is due, oldest first."""

    def __init__(self, clock: Callable[[], float], random: Random) -> None:
        self.by_id: dict[int, Webhook] = {}
        self.due: list[Due] = []
        self.lateness: tuple[float, float] | None = (0.0, 0.0)
        """How many seconds a delivery waits, at least and at most; None: it is never made."""
        self._clock = clock
        self._random = random
        self._next_id = itertools.count(1).__next__

    def add(self, topic: str, delivery_url: str, secret: str, name: str, home: str, now: float) -> Webhook:
        secret = secret or "".join(self._random.choices(SECRET_SIGNS, k=50))
        webhook = Webhook(self._next_id(), name, topic, delivery_url, secret, home, now, now)
        self.by_id[webhook.id] = webhook
        self.ping(webhook)
        return webhook

    def ping(self, webhook: Webhook) -> None:
        """Pings are sent by the request itself, whatever the queue does. Source: `WC_Webhook::deliver_ping`."""
        self.due.append(Due(webhook.id, None, self._clock()))

    def set_lateness(self, lateness: tuple[float, float] | None) -> None:
        """From now on; what was never to be delivered is then delivered after all."""
        if lateness is not None and not 0 <= lateness[0] <= lateness[1] <= LATEST:
            raise ValueError(f"a delivery is at most {LATEST:.0f} s late: {lateness}")
        self.lateness = lateness
        self.due = [replace(due, at=self._moment()) if due.at == NEVER else due for due in self.due]

    def taken(self) -> list[Due]:
        """What is due now, oldest first. It is in the queue no more."""
        now = self._clock()
        taken, self.due = [due for due in self.due if due.at <= now], [due for due in self.due if due.at > now]
        return sorted(taken, key=lambda due: due.at)

    def wait(self) -> float | None:
        """Seconds until something is due, None if nothing will be."""
        first = min((due.at for due in self.due), default=NEVER)
        return None if first == NEVER else max(first - self._clock(), 0.0)

    def _moment(self) -> float:
        return NEVER if self.lateness is None else self._clock() + self._random.uniform(*self.lateness)

    def fired(self, hook: str, order_id: int) -> None:
        """A hook has been called: whoever subscribes to it shall hear of the order."""
        for webhook in self.by_id.values():
            one = Due(webhook.id, order_id)
            if webhook.status == "active" and hook in webhook.hooks and one not in self.due:
                self.due.append(replace(one, at=self._moment()))

    def delivery_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def answered(self, webhook: Webhook, status: int | None) -> None:
        """Keep count of failures, which are all that is not a 2xx, 301 or 302. Nothing is sent a second time."""
        if status is not None and 200 <= status < 303:
            webhook.failures = 0
        elif webhook.failures > MOST_FAILURES:
            webhook.status = "disabled"
        else:
            webhook.failures += 1
