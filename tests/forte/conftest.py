"""Both Fortes end to end: a shop, a bridge and a simulated Forte, all over real HTTP.

Numbers in names of tests are those of the checklist for Forte.
"""

from dataclasses import replace
from typing import Any

import pytest
import requests

from bridge.operations import inbox_admin
from bridge.operations.why import why
from tests.web.conftest import OpenShop, Shop, open_shop

__all__ = [
    "OpenShop",
    "Shop",
    "edit_order",
    "hear",
    "letters",
    "makes_a_payment",
    "open_shop",
    "pay",
    "story",
    "tell",
    "with_settings",
]

CREATE = "POST /payments/v2/intent"
"""Of Forte Payments in widget mode; also how its redirect begins."""
LOOP = "127.0.0.1/32"


@pytest.fixture
def widget(open_shop: OpenShop) -> Shop:
    return open_shop("forte_payments", max_retries="0")


@pytest.fixture
def platform(open_shop: OpenShop) -> Shop:
    return open_shop("forte_platform", trusted_networks=LOOP, webhook_endpoint="forte")


def makes_a_payment(request: Any) -> bool:
    """Whether it asks Forte Platforms for one."""
    made: bool = request.method == "POST" and request.path.endswith("/payments")
    return made


def hear(shop: Shop) -> None:
    """Forte sends what it has to say, and the bridge works on it."""
    attempts = (shop.forte or shop.platform).deliver_due()
    assert all(attempt.status == 200 for attempt in attempts), attempts
    shop.local.work()


def story(shop: Shop, name: str) -> dict[str, Any]:
    return why(shop.local.bridge.services, name)[-1]


def letters(shop: Shop) -> list[tuple[str, str]]:
    """The messages that were kept, oldest first: what they are about and what became of them."""
    return [(row["event"]["type"], row["state"]) for row in reversed(inbox_admin.messages(shop.local.bridge.services))]


def pay(shop: Shop, status: str = "succeeded") -> str:
    """Stripe reports this of the newest payment of the platform; its id."""
    newest = shop.platform.payments[-1]["id"]
    shop.platform.set_stripe_status(newest, status)
    return str(newest)


def tell(shop: Shop, payment: str, state: str = "COMPLETED", **headers: str) -> int:
    """Somebody sends a trigger to the bridge; the HTTP status that they get."""
    body = {"userId": "usr_1", "paymentId": payment, "paymentTime": "2026-05-10T18:42:11.123Z", "state": state}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = shop.session.post(f"{shop.url}/bridge/v1/webhooks/forte", json=body, headers=named, timeout=10)
    return answer.status_code


def edit_order(shop: Shop, **fields: Any) -> None:
    """Somebody changes the shop's order by its REST API."""
    store = shop.local.store
    url = f"{store.url}/wp-json/wc/v3/orders/{shop.local.orders[shop.order]}"
    auth = shop.local.shop.add_key()
    answer = requests.put(url, json=fields, auth=auth, verify=store.ca_file, timeout=10)
    assert answer.status_code == 200, answer.text


def with_settings(shop: Shop, **settings: str) -> None:
    """The owner changes settings of the store."""
    store = shop.local.store
    shop.local.clock.advance(1)
    shop.local.store = shop.local.bridge.update_store(replace(store, settings={**store.settings, **settings}))
    shop.local.clock.advance(10)
