"""The store's webhooks: who subscribes to what, and what waits to be delivered. Not thread-safe.

Topics are names for WordPress' hooks. What is due is queued once per webhook and order, however often it comes up
before it is delivered. Source: `WC_Webhook` and wc-webhook-functions.php in WooCommerce's public source.
"""

from __future__ import annotations

import itertools
import re
import string
from dataclasses import dataclass, field
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
"""With more failures in a row than that on record, the next one disables the webhook."""
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
    """Something to deliver: about an order, or (None) the ping of a new webhook."""

    webhook_id: int
    order_id: int | None


class Webhooks:
    """The webhooks by id, and what is due, oldest first."""

    def __init__(self, random: Random) -> None:
        self.by_id: dict[int, Webhook] = {}
        self.due: list[Due] = []
        self._random = random
        self._next_id = itertools.count(1).__next__

    def add(self, topic: str, delivery_url: str, secret: str, name: str, home: str, now: float) -> Webhook:
        secret = secret or "".join(self._random.choices(SECRET_SIGNS, k=50))
        webhook = Webhook(self._next_id(), name, topic, delivery_url, secret, home, now, now)
        self.by_id[webhook.id] = webhook
        self.due.append(Due(webhook.id, None))
        return webhook

    def fired(self, hook: str, order_id: int) -> None:
        """A hook has been called: whoever subscribes to it shall hear of the order."""
        for webhook in self.by_id.values():
            one = Due(webhook.id, order_id)
            if webhook.status == "active" and hook in webhook.hooks and one not in self.due:
                self.due.append(one)

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
