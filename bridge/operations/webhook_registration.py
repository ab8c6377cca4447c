"""Where messages are to be sent: registered at a store, and at a provider that permits it, whose signing key is kept
encrypted."""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from bridge.domain.errors import Refused
from bridge.domain.stores import Store
from bridge.payments.poll_schedule import read_all_soon
from bridge.registry import stores
from bridge.services import Services, StoreHandle
from bridge.storage.vault import is_reference

SECRET = "webhook_secret"  # noqa: S105 the name of the setting


class Subscription(Protocol):
    """What a provider says about one address; `secret` signs the messages that are sent there."""

    id: str
    url: str
    enabled: bool
    secret: str


@runtime_checkable
class Subscribing(Protocol):
    """An adapter that manages its subscriptions. Its setting webhook_secret has their keys, with spaces between.

    All raise ProviderError.
    """

    def register_webhook(self, url: str) -> Subscription:
        """Have the provider send its messages to `url`; the one that is there is found, and enabled."""
        ...

    def webhooks(self) -> list[Subscription]: ...


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What stands now. `learned` is False if the store knew the key already."""

    id: str
    url: str
    learned: bool


def register_webhooks(store: StoreHandle, address: str) -> list[str]:
    """Have the store notify us of its orders. `address` is the bridge's public one. Raises StoreError."""
    url = f"{address}/bridge/v1/webhooks/{store.id}"
    secret = store.vault.shop_secret(store.id)
    done = store.order_book.register_webhooks(url, secret)
    read_all_soon(store)
    return done


def subscribe(services: Services, store_id: str, address: str) -> Subscribed | None:
    """Have the provider of a store send its messages to us; None for a provider whose owner does that by hand.

    `address` is the bridge's public one. A key that no enabled subscription has is forgotten. Running it twice is the
    same as once. Raises ProviderError, and Refused if the store's secret is kept where the bridge cannot write.
    """
    store = services.store(store_id)
    adapter = store.adapter
    if not isinstance(adapter, Subscribing):
        return None
    endpoint = store.config.settings.get("webhook_endpoint") or store.id
    made = adapter.register_webhook(f"{address}/bridge/v1/webhooks/{endpoint}")
    known = store.config.settings.get(SECRET, "").replace(",", " ").split()
    if made.secret in known:
        return Subscribed(made.id, made.url, learned=False)
    used = {each.secret for each in adapter.webhooks() if each.enabled}
    keys = [made.secret, *(key for key in known if key in used)]
    _keep(services, store_id, " ".join(keys), {setting.name for setting in adapter.settings if setting.secret})
    return Subscribed(made.id, made.url, learned=True)


def _keep(services: Services, store_id: str, keys: str, secret_settings: set[str]) -> None:
    sealed: Store = stores.get(services, store_id)
    reference = sealed.settings.get(SECRET, "")
    if is_reference(reference):
        raise Refused(
            f"The subscription exists, but {SECRET} is {reference}, which does not hold its signing key. Put it "
            f"there, or empty the setting (stores update {store_id} --set {SECRET}=) and register again."
        )
    stores.update(services, replace(sealed, settings={**sealed.settings, SECRET: keys}), secret_settings, {})
