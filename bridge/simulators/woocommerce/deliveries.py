"""Delivering webhooks: one signed POST for what is due, with the order as it is at that moment. Nothing is repeated."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from . import order_routes
from .answers import to_json, with_links
from .rest import RestError, RestRequest
from .shop import VERSION, Shop
from .shop_routes import WORDPRESS
from .webhooks import Due, Webhook

USER_AGENT = f"WooCommerce/{VERSION} Hookshot (WordPress/{WORDPRESS})"
TIMEOUT = 60.0
JOIN_SECONDS = 5.0
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
    """Sends what is due, without the store's lock. `context` is for https endpoints; None trusts the machine's own
    authorities."""

    def __init__(self, shop: Shop, changed: threading.Condition, context: ssl.SSLContext | None) -> None:
        self._shop = shop
        self._changed = changed
        self._context = context
        self._sent: list[Delivery] = []
        self._thread: threading.Thread | None = None

    @property
    def sent(self) -> tuple[Delivery, ...]:
        with self._changed:
            return tuple(self._sent)

    def deliver(self) -> tuple[Delivery, ...]:
        """Send everything that is due now, oldest first."""
        with self._changed:
            taken, self._shop.webhooks.due = self._shop.webhooks.due, []
        return tuple(delivery for due in taken if (delivery := self._send(due)) is not None)

    def _send(self, due: Due) -> Delivery | None:
        with self._changed:
            webhook = self._shop.webhooks.by_id.get(due.webhook_id)
            if webhook is None:
                return None
            written = self._ping(webhook) if due.order_id is None else self._written(webhook, due.order_id)
        delivery = self._post(written)
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
            return with_links(order_routes.read(self._shop, request))
        except RestError as error:
            return error.body

    def _post(self, delivery: Delivery) -> Delivery:
        parts = urlsplit(delivery.url)
        host = parts.hostname or ""
        connection = HTTPConnection(host, parts.port, timeout=TIMEOUT)
        if parts.scheme == "https":
            connection = HTTPSConnection(host, parts.port, timeout=TIMEOUT, context=self._context)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, delivery.body, dict(delivery.headers))
            return replace(delivery, status=connection.getresponse().status)
        except (OSError, HTTPException, ValueError) as error:
            return replace(delivery, error=f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    def start(self) -> None:
        """Send in the background what becomes due, until `close`; starting twice is one thread."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the background thread, if there is one, and wait for it."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._thread is not me or self._shop.webhooks.due)
                if self._thread is not me:
                    return
            self.deliver()
