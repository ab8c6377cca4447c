"""The store's webhooks that tell the bridge about orders: found by address and topic, made where they are missing."""

from bridge.domain.ports import StoreWebhook
from bridge.schemas.woocommerce import WebhookSchema
from bridge.stores.woocommerce.rest import RestApi, load, rows
from bridge.stores.woocommerce.webhooks import TOPICS

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
        return f"{topic}: made webhook {load(WEBHOOK, made.value)['id']}"
    keep, *rest = ids
    api.ask("PUT", f"{PATH}/{keep}", query={"_fields": "id"}, body=values)
    for one in rest:
        api.ask("DELETE", f"{PATH}/{one}", query={"_fields": "id", "force": "true"})
    gone = f", deleted {', '.join(map(str, rest))}" if rest else ""
    return f"{topic}: updated webhook {keep}{gone}"
