"""Canaries: what is secret is in the answer that it is for, and nowhere else."""

import json
import logging
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from bridge.operations import inbox_admin
from bridge.operations.why import why
from bridge.simulators.faults import Fault
from tests.forte.conftest import OpenShop, Shop, hear, pay, tell
from tests.web.conftest import API_KEY, CLIENT_SECRET

RELAY = "CanaryOfTheRelay0123456789abcdef"
PAYMENTS = "/wp-json/wc/v3/payments"
LOOKS = ("charges/order/{order}", "transactions", "timeline/{name}", "payment_intents/{name}")


def everywhere(shop: Shop, name: str, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """All that the bridge keeps, logs and answers about a payment."""
    services, order = shop.local.bridge.services, shop.local.orders[shop.order]
    with closing(sqlite3.connect(str(services.database.url.database))) as connection:
        dump = "\n".join(connection.iterdump())
    records = [record for record in caplog.records if not record.name.startswith("bridge.simulators")]
    assert {"urllib3.connectionpool"} <= {record.name for record in records}, "the loggers of packages are heard too"
    orders = [shop.local.shop.order(order) for order in shop.local.orders.values()]
    notes = [note["note"] for order in shop.local.orders.values() for note in shop.local.shop.notes(order)]
    return {
        "database": dump,
        "logs": "\n".join(f"{record.getMessage()} {record.__dict__}" for record in records),
        "look-up": json.dumps(shop.show(name)),
        **{path: shown(shop, path.format(order=order, name=name)) for path in LOOKS},
        "journal": json.dumps(why(services, name), default=str),
        "messages": json.dumps(inbox_admin.messages(services), default=str),
        "shop": json.dumps(orders, default=str) + json.dumps(notes),
        "store": repr(services.store(shop.local.store.id)) + repr(shop.adapter),
    }


def shown(shop: Shop, path: str) -> str:
    answer = shop.local.get(f"{PAYMENTS}/{path}")
    assert answer.is_json
    return str(answer.get_data(as_text=True))


def found(secrets: dict[str, str], places: dict[str, str]) -> list[tuple[str, str]]:
    assert all(len(secret) > 10 for secret in secrets.values())
    return [(name, place) for name, secret in secrets.items() for place, text in places.items() if secret in text]


def tokens(shop: Shop) -> dict[str, str]:
    return {
        f"token {number}": sent.headers["Authorization"].removeprefix("Bearer ")
        for number, sent in enumerate(shop.door.sent)
        if "Authorization" in sent.headers
    }


def test_01_32_the_widgets_data_tokens_and_keys_are_nowhere(widget: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    created = widget.create()
    secrets = {
        "widget_data": created["provider_data"]["data"]["widget_data"],
        "client_secret": CLIENT_SECRET,
        "signing key": widget.forte.subscriptions[0].signing_key,
        **tokens(widget),
    }
    assert found(secrets, everywhere(widget, created["id"], caplog)) == []
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    secrets |= tokens(widget)
    assert len(secrets) > 3
    assert found(secrets, everywhere(widget, created["id"], caplog)) == []


def test_01_32_not_even_when_everything_goes_wrong(widget: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    widget.forte.spoil_next("/payments/v2/intent", _without_an_id)
    answer = widget.local.create("virtual")
    created = widget.create()
    secrets = {
        "widget_data": created["provider_data"]["data"]["widget_data"],
        "client_secret": CLIENT_SECRET,
        "other widget_data": "CanaryOfAnAnswerThatMakesNoSense",
        **tokens(widget),
    }
    places = everywhere(widget, created["id"], caplog) | {"error": json.dumps(answer.json)}
    assert found(secrets, places) == []


def _without_an_id(body: dict[str, Any], _status: int) -> tuple[dict[str, Any], int]:
    return {"data": {"widget_data": ["CanaryOfAnAnswerThatMakesNoSense"], "payment_intent_id": 7}}, 201


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.TRUNCATED, Fault.PROCESSED_500])
def test_76_not_even_when_an_answer_of_the_platform_is_lost_or_spoilt(
    platform: Shop, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    platform.faults.next(fault, match="/payments", times=2)  # the search for it, and the create itself
    first = platform.local.create()
    platform.faults.clear()
    platform.local.clock.advance(3600)
    platform.local.work()
    created = platform.create()
    kept = {each["id"]: f"{each['stripePaymentIntentId']}_secret_" for each in platform.platform.payments}
    assert created["client_secret"].startswith(tuple(kept.values()))
    places = everywhere(platform, created["id"], caplog) | {"error": json.dumps(first.json)}
    assert found({**kept, "api_key": API_KEY}, places) == []


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.TRUNCATED, Fault.PROCESSED_500])
def test_34_not_even_when_an_answer_with_an_address_is_lost_or_spoilt(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = open_shop("forte_payments", mode="redirect", max_retries="0")
    created = shop.create()
    shop.faults.next(fault, match="/redirect")
    page = shop.get(created["pay_url"])
    assert page.status_code != 303
    address = shop.get(created["pay_url"]).headers["Location"]
    secrets = {
        "redirect token": address.partition("redirect_token=")[2],
        "client_secret": CLIENT_SECRET,
        **tokens(shop),
    }
    places = everywhere(shop, created["id"], caplog) | {"page": page.text, "error": str(page.headers)}
    assert found(secrets, places) == []


def test_34_the_redirects_address_and_tokens_are_nowhere(open_shop: OpenShop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shop = open_shop("forte_payments", mode="redirect")
    created = shop.create()
    address = shop.get(created["pay_url"]).headers["Location"]
    secrets = {
        "redirect token": address.partition("redirect_token=")[2],
        "client_secret": CLIENT_SECRET,
        "signing key": shop.forte.subscriptions[0].signing_key,
        **tokens(shop),
    }
    assert found(secrets, everywhere(shop, created["id"], caplog)) == []
    shop.forte.approve(shop.forte.intents[0].id)
    hear(shop)
    assert found(secrets, everywhere(shop, created["id"], caplog)) == []


def test_76_83_the_client_secret_and_the_keys_are_nowhere(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = {"trusted_networks": "127.0.0.1/32", "webhook_endpoint": "forte", "relay_secret": RELAY}
    shop = open_shop("forte_platform", **settings)
    created = shop.create()
    assert shop.create()["client_secret"] == created["client_secret"]
    secrets = {"client secret": created["client_secret"], "api_key": API_KEY, "relay_secret": RELAY}
    assert found(secrets, everywhere(shop, created["id"], caplog)) == []
    tell(shop, pay(shop), X_Forte_Trusted="1")
    shop.local.work()
    assert found(secrets, everywhere(shop, created["id"], caplog)) == []
    assert found(secrets, {"page": shop.get(created["pay_url"]).text}) == []


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_111_nothing_of_the_buyer_is_in_a_log(
    open_shop: OpenShop, caplog: pytest.LogCaptureFixture, adapter: str
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = open_shop(adapter)
    buyer = {
        "email": "canary@example.com",
        "first_name": "Canaria",
        "last_name": "Canaryson",
        "address_1": "1 Canary St",
    }
    order = shop.local.shop.add_order(total="9.99", billing=buyer)
    created = shop.create(order)
    shop.faults.next(Fault.DROPPED, times=2)
    shop.local.create(shop.local.shop.add_order(total="9.99", billing=buyer))
    if shop.forte:
        shop.forte.approve(shop.forte.intents[0].id)
        hear(shop)
    else:
        pay(shop)
        shop.local.clock.advance(60)
        shop.stage(created["pay_url"])
    shop.local.work()
    records = [record for record in caplog.records if record.name.startswith("bridge.")]
    ours = [record for record in records if not record.name.startswith("bridge.simulators")]
    assert ours
    text = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    assert "canar" not in text.lower()
