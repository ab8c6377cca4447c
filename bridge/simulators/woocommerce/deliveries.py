"""Delivering webhooks: one signed POST for what is due, with the order as it is at that moment. Nothing is repeated."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..background import Background
from ..posting import Post
from . import order_routes
from .answers import to_json, with_links
from .lists import shaped
from .rest_values import RestError, RestRequest
from .state import VERSION, Shop
from .store_routes import WORDPRESS
from .webhooks import Due, Webhook

USER_AGENT = f"WooCommerce/{VERSION} Hookshot (WordPress/{WORDPRESS})"
TIMEOUT = 60.0
ORDER_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Delivery:
    """A webhook that was sent: what the endpoint answered, or what went wrong. A ping has no topic."""

    webhook_id: int
    topic: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    error: str | None = None


class Postman:
    """Sends what is due, without the store's lock: when it is told to, or by itself in the `background`. `context` is
    for https endpoints; None trusts the machine's own authorities. `post` is the way out."""

    def __init__(self, shop: Shop, changed: threading.Condition, context: ssl.SSLContext | None, post: Post) -> None:
        self._shop = shop
        self._changed = changed
        self._context = context
        self._post = post
        self._sent: list[Delivery] = []
        self.background = Background("woocommerce-webhooks", changed, shop.webhooks.wait, self.deliver)

    @property
    def sent(self) -> tuple[Delivery, ...]:
        with self._changed:
            return tuple(self._sent)

    def deliver(self) -> tuple[Delivery, ...]:
        """Send everything that is due now, oldest first."""
        with self._changed:
            taken = self._shop.webhooks.taken()
        return tuple(delivery for due in taken if (delivery := self._send(due)) is not None)

    def _send(self, due: Due) -> Delivery | None:
        with self._changed:
            webhook = self._shop.webhooks.by_id.get(due.webhook_id)
            if webhook is None:
                return None
            written = self._ping(webhook) if due.order_id is None else self._written(webhook, due.order_id)
        status, error = self._post(written.url, written.headers, written.body, timeout=TIMEOUT, context=self._context)
        delivery = replace(written, status=status, error=error)
        with self._changed:
            if due.order_id is not None:
                self._shop.webhooks.answered(webhook, delivery.status)
            self._sent.append(delivery)
            self._changed.notify_all()
        return delivery

    def _ping(self, webhook: Webhook) -> Delivery:
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/x-www-form-urlencoded"}
        return Delivery(webhook.id, "", webhook.delivery_url, headers, f"webhook_id={webhook.id}".encode())

    def _written(self, webhook: Webhook, order_id: int) -> Delivery:
        body = to_json(self._payload(webhook, order_id)).encode()
        signature = b64encode(hmac.digest(webhook.secret.encode(), body, hashlib.sha256)).decode()
        headers = {
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{webhook.home}/",
            "X-WC-Webhook-Topic": webhook.topic,
            "X-WC-Webhook-Resource": webhook.resource,
            "X-WC-Webhook-Event": webhook.event,
            "X-WC-Webhook-Signature": signature,
            "X-WC-Webhook-ID": str(webhook.id),
            "X-WC-Webhook-Delivery-ID": self._shop.webhooks.delivery_id(),
        }
        return Delivery(webhook.id, webhook.topic, webhook.delivery_url, headers, body)

    def _payload(self, webhook: Webhook, order_id: int) -> Any:
        """The order as the REST API shows it to a manager; if it is gone by now, the API's error."""
        if webhook.event == "deleted":
            return {"id": order_id}
        if webhook.resource == "action":
            return {"action": webhook.event, "arg": order_id}
        path = f"{order_routes.COLLECTION}/{order_id}"
        request = RestRequest("GET", path, webhook.home, {}, in_path={"id": order_id}, allowed=ORDER_METHODS)
        try:
            return shaped(with_links(order_routes.read(self._shop, request)), self._shop.list_shape)
        except RestError as error:
            return error.body
