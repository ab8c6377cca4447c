"""The routes of webhooks."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from .paging import page_of
from .rest_values import Answer, RestError, RestRequest
from .serializers import webhook_shape
from .state import Shop
from .webhooks import Webhook, is_topic

COLLECTION = "/wc/v3/webhooks"
SORT_FIELDS = {"date": "created", "title": "name"}


def _error(problem: str, message: str, status: int = 400) -> RestError:
    return RestError(f"woocommerce_rest_shop_webhook_{problem}", message, status)


def _webhook(shop: Shop, request: RestRequest) -> Webhook:
    """Recorded: 404 for one that is not there, whatever is asked of it."""
    webhook = shop.webhooks.by_id.get(request.number("id"))
    if webhook is None:
        raise _error("invalid_id", "Invalid ID.", 404)
    return webhook


def _answer(request: RestRequest, webhook: Webhook) -> Answer:
    return Answer(webhook_shape(webhook), links=request.links(f"{COLLECTION}/{webhook.id}", COLLECTION))


def list_all(shop: Shop, request: RestRequest) -> Answer:
    status = request.get("status")
    found = [webhook for webhook in shop.webhooks.by_id.values() if status in ("all", webhook.status)]
    by = SORT_FIELDS.get(request.get("orderby"), "id")
    found.sort(key=lambda webhook: (getattr(webhook, by), webhook.id), reverse=request.get("order") == "desc")
    return page_of(found, request, COLLECTION, lambda webhook: _answer(request, webhook), {})


def read(shop: Shop, request: RestRequest) -> Answer:
    return _answer(request, _webhook(shop, request))


def create(shop: Shop, request: RestRequest) -> Answer:
    """A webhook is born active, whatever the request says."""
    if request.get("id"):
        raise _error("exists", "Cannot create existing shop_webhook.")
    topic, url = request.get("topic"), request.get("delivery_url")
    if not is_topic(topic):
        raise _error("invalid_topic", "Webhook topic is required and must be valid.")
    _check_url(url)
    now = shop.clock()
    name = request.get("name") or f"Webhook created on {datetime.fromtimestamp(now, UTC):%b %d, %Y @ %I:%M %p}"
    webhook = shop.webhooks.add(topic, url, request.get("secret") or "", name, request.home, now)
    created = _answer(request, webhook)
    created.status = 201
    created.headers["Location"] = request.url(f"{COLLECTION}/{webhook.id}")
    return created


def update(shop: Shop, request: RestRequest) -> Answer:
    """A new address gets a ping, if the webhook is active. The count of failures stays: one that was disabled and is
    active again is disabled by its next failure. Source: `WC_Webhook_Data_Store::update`.
    """
    webhook = _webhook(shop, request)
    changes = {name: request.get(name) for name in ("topic", "delivery_url", "secret", "status", "name")}
    changes = {name: str(value) for name, value in changes.items() if value}
    if not is_topic(changes.get("topic", webhook.topic)):
        raise _error("invalid_topic", "Webhook topic must be valid.")
    _check_url(changes.get("delivery_url", webhook.delivery_url))
    moved = changes.get("delivery_url", webhook.delivery_url) != webhook.delivery_url
    for name, value in changes.items():
        setattr(webhook, name, value)
    webhook.modified = shop.clock()
    if moved and webhook.status == "active":
        shop.webhooks.ping(webhook)
    return _answer(request, webhook)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise _error("invalid_delivery_url", message)


def delete(shop: Shop, request: RestRequest) -> Answer:
    if not request.get("force"):
        raise RestError("woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.", 501)
    webhook = _webhook(shop, request)
    del shop.webhooks.by_id[webhook.id]
    return _answer(request, webhook)
