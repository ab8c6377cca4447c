"""Once a day for each store: whether the shop still takes the keys that it has given out, and the provider's account
still takes payments. What either has against one is written down, so that it is told without asking again.
"""

from collections.abc import Callable

from bridge.domain.errors import BridgeError
from bridge.registry import accounts, store_keys
from bridge.services import Services
from bridge.storage.jobs import DAY, Job


def checking(store_id: str) -> Callable[[Services, Job], None]:
    """A job's work. Shop and provider are asked each, whatever the other says; then raises what the first one raised
    (StoreError, Refused, ProviderError)."""

    def check(services: Services, _job: Job) -> None:
        store = services.store(store_id)
        failed: list[BridgeError] = []
        for look in (store_keys.look_at_keys, accounts.look_at_account):
            try:
                look(store)
            except BridgeError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    return check


def until_next(services: Services) -> float:
    """A day, and up to a tenth more, so that stores do not keep in step."""
    return DAY * (1 + services.jitter() / 10)
