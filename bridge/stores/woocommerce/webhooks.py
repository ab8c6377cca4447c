"""WooCommerce's own webhooks, read: who sent one, and which order it is about. Pure.

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
from bridge.schemas.woocommerce import DeliveredOrderSchema

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
