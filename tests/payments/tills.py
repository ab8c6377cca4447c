"""Stores whose apps make payments at card readers themselves, and other gateways on the same Stripe account."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from bridge.operations.why import why
from bridge.payments import flags
from bridge.reconcile import run
from tests.plugins.local import ACCOUNT, Local, MakeLocal

SECRET = "whsec_0123456789abcdef"
DIRECT, DESTINATION = "direct", "destination"


@pytest.fixture(params=[DIRECT, DESTINATION])
def till(request: pytest.FixtureRequest, make_local: MakeLocal, sqlite_url: str) -> Local:
    """A store whose apps make their payments themselves."""
    return opened(make_local, sqlite_url, request.param)


@pytest.fixture
def direct(make_local: MakeLocal, sqlite_url: str) -> Local:
    return opened(make_local, sqlite_url, DIRECT)


def opened(make_local: MakeLocal, url: str, charge_type: str = DIRECT, **settings: str) -> Local:
    wanted = {"charge_type": charge_type, "webhook_secret": SECRET} | settings
    return make_local(url, "stripe_connect", settings=wanted)


def is_destination(local: Local) -> bool:
    return local.store.settings["charge_type"] == DESTINATION


def metadata(local: Local, order: str = "payable") -> dict[str, Any]:
    """What both apps set."""
    read = local.order(order)
    site = local.store.identity
    return {"order_id": read["id"], "order_key": read["order_key"], "site_url": site, "payment_type": "single"}


def made(local: Local, order: str = "payable", *, card: str = "pm_card_visa", tip: int = 0, **changes: Any) -> str:
    """An app makes a payment and a card is presented; without a `card` it waits for one. The provider's id."""
    assert local.stripe
    kept = metadata(local, order) | changes.pop("metadata", {})
    kept = {name: value for name, value in kept.items() if value is not None}
    where = {"transfer_to": ACCOUNT} if is_destination(local) else {"account": ACCOUNT}
    wanted = {"amount": 1023} | where | changes
    intent = local.stripe.create_at_reader(**wanted, metadata=kept)["id"]
    if card:
        local.stripe.present_card(intent, card, tip)
    return str(intent)


def tell(local: Local, *types: str, thin: bool = False, name: str = "") -> None:
    """Deliver the provider's messages of these types, or all, to the endpoint of that name (else the store's own), and
    work."""
    assert local.stripe
    endpoint = local.stripe.add_webhook_endpoint(
        "http://127.0.0.1:9/never", connect=not is_destination(local), secrets=[SECRET], thin=thin
    )
    for event in local.stripe.events:
        if types and event["type"] not in types:
            continue
        message = local.stripe.signed(event["id"], endpoint.id)
        path = f"/bridge/v1/webhooks/{name or local.store.id}"
        answer = local.app.test_client().post(path, data=message.body, headers=dict(message.headers))
        assert answer.status_code == 200
    local.work()


def compared(local: Local, store_id: str = "") -> run.Report:
    return run.reconcile(local.bridge.services, store_id or local.store.id, local.clock() - 3600)


def looked(local: Local) -> run.Report:
    """As the worker looks at the provider's list, without the store."""
    return run.reconcile(local.bridge.services, local.store.id, local.clock() - 3600, with_shop=False)


def story(local: Local, intent: str) -> dict[str, Any]:
    return why(local.bridge.services, intent)[-1]


def flagged(local: Local) -> list[str]:
    return [each["flag"] for each in flags.flagged(local.bridge.services)]


HEARS: dict[str, Callable[[Local], object]] = {
    "by a message": tell,
    "by a thin message": lambda local: tell(local, thin=True),
    "by a look": looked,
    "by reconcile": compared,
}


def elsewhere(
    local: Local, order: str = "payable", *, capture: str = "automatic", confirm: bool = True, **changes: Any
) -> str:
    """Another gateway on the same account charges a card for the order; its id at Stripe."""
    kept = metadata(local, order) | changes.pop("metadata", {})
    wanted: dict[str, Any] = {"amount": 1023, "currency": "usd", "capture_method": capture, **changes}
    wanted |= {"allowed_payment_method_types[]": "card", **{f"metadata[{name}]": kept[name] for name in kept}}
    if is_destination(local):
        wanted["transfer_data[destination]"] = ACCOUNT
    if confirm:
        wanted |= {"payment_method": "pm_card_visa", "confirm": "true"}
    return str(local.at_stripe("payment_intents", **wanted)["id"])


def acted_on(local: Local, intent: str) -> list[str]:
    """What the bridge has had Stripe do with a payment."""
    assert local.stripe
    return [one.path for one in local.stripe.requests if one.method == "POST" and intent in one.path]


def told_the_store(local: Local, order: str = "payable", **changes: Any) -> None:
    """The other gateway writes to the store's order, which it says is paid unless `changes` say something else."""
    paid = {"set_paid": True, "payment_method": "stripe", "transaction_id": "ch_1"}
    url = f"{local.store.url}/wp-json/wc/v3/orders/{local.orders[order]}"
    auth = local.shop.add_key()
    answer = requests.put(url, json=changes or paid, auth=auth, verify=local.store.ca_file, timeout=10)
    assert answer.status_code == 200, answer.text
