"""WooCommerce's own webhooks: found by address and topic, or made; and read: who sent one, and about which order.

Only the body is signed, so topic and delivery id are the sender's word: an event is a hint to read the order again.
Source: WooCommerce REST API documentation, "Webhooks"; `WC_Webhook` in its public source.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping

from bridge.domain.errors import EventRefused
from bridge.domain.messages import read_json
from bridge.domain.orders import StoreEvent
from bridge.domain.ports import StoreWebhook
from bridge.schemas.woocommerce import DeliveredOrderSchema, WebhookSchema
from bridge.stores.woocommerce.rest import RestApi, load, rows

TOPICS = ("order.updated", "order.deleted", "order.restored")
"""What we want to hear of. WooCommerce sends `order.deleted` for an order that goes to the trash, and nothing for one
that is deleted for good."""
LARGEST_TEXT = 100
_PING = re.compile(rb"webhook_id=[0-9]{1,20}")
_ORDER = DeliveredOrderSchema()


def is_ping(body: bytes) -> bool:
    """Whether it is the unsigned greeting of a new webhook. It deserves a 200 and nothing else."""
    return _PING.fullmatch(body) is not None


def read_event(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> StoreEvent | None:
    """The event of a delivery that one of `secrets` has signed; None for one that is about none of TOPICS or no order.

    Header names are lower case. Raises EventRefused for an unsigned delivery and for one that makes no sense.
    """
    signature = headers.get("x-wc-webhook-signature", "").encode()
    if not any(hmac.compare_digest(sign(body, secret), signature) for secret in secrets if secret):
        raise EventRefused("The webhook's signature is missing or wrong.", cause="wrong_signature")
    topic = headers.get("x-wc-webhook-topic", "")
    if topic not in TOPICS:
        return None
    try:
        order_id = _ORDER.read(read_json(body))["id"]
    except (ValueError, EventRefused):
        raise EventRefused("The webhook's body makes no sense.", cause="unreadable") from None
    if order_id <= 0:
        return None
    return StoreEvent(topic, order_id, headers.get("x-wc-webhook-delivery-id", "")[:LARGEST_TEXT])


def sign(body: bytes, secret: str) -> bytes:
    """The signature of `body`: HMAC-SHA256 in base64."""
    return b64encode(hmac.digest(secret.encode(), body, "sha256"))


PATH = "wc/v3/webhooks"
WEBHOOK = WebhookSchema()
WEBHOOKS = WebhookSchema(many=True)


def register(api: RestApi, url: str, secret: str) -> list[str]:
    """One active webhook per topic that delivers to `url`, signed with `secret`; a second one is deleted.

    A store never shows a secret, so it is written in any case, and one that the store has disabled delivers again.
    Raises StoreUnreachable, StoreRefused.
    """
    pages = api.pages(PATH, {"_fields": WEBHOOK.names})
    existing = [each for page in pages for each in load(WEBHOOKS, rows(page)) if each["delivery_url"] == url]
    return [
        _register(api, topic, url, secret, sorted(each["id"] for each in existing if each["topic"] == topic))
        for topic in TOPICS
    ]


def listed(api: RestApi) -> list[StoreWebhook]:
    """All webhooks of the store, its own and others'. Raises StoreUnreachable, StoreRefused."""
    pages = api.pages(PATH, {"_fields": WEBHOOK.names})
    found = (each for page in pages for each in load(WEBHOOKS, rows(page)))
    return [StoreWebhook(each["id"], each["topic"], each["status"], each["delivery_url"], TOPICS) for each in found]


def enable(api: RestApi, webhook_id: int) -> None:
    """Raises StoreUnreachable, StoreRefused."""
    api.ask("PUT", f"{PATH}/{webhook_id}", query={"_fields": "id"}, body={"status": "active"})


def _register(api: RestApi, topic: str, url: str, secret: str, ids: list[int]) -> str:
    values = {"name": f"wcpay-bridge {topic}", "status": "active", "secret": secret}
    if not ids:
        made = api.ask("POST", PATH, query={"_fields": "id"}, body=values | {"topic": topic, "delivery_url": url})
        return f"{topic}: created webhook {load(WEBHOOK, made.value)['id']}"
    keep, *rest = ids
    api.ask("PUT", f"{PATH}/{keep}", query={"_fields": "id"}, body=values)
    for one in rest:
        api.ask("DELETE", f"{PATH}/{one}", query={"_fields": "id", "force": "true"})
    gone = f", deleted {', '.join(map(str, rest))}" if rest else ""
    return f"{topic}: updated webhook {keep}{gone}"
