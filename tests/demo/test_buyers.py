"""Buyers of the demo's Forte stores: from a create over the page to an order that is processing, and a story of it."""

from collections.abc import Callable

import pytest
import requests

from bridge.cli.demo_world import World
from tests.demo.conftest import DemoStore, commands_for
from tests.plugins.commandline import CommandLine
from tests.web.conftest import Buyer

FORTE_VISA, CODE, VISA = "4111111111111111", "947293", "4242424242424242"
OpenStore = Callable[[str], DemoStore]


def pay_in_the_widget(buyer: Buyer, _url: str) -> None:
    buyer.tab.get_by_label("One-time code").fill(CODE)
    buyer.tab.get_by_label("Card number").fill(FORTE_VISA)
    buyer.press("Pay")
    buyer.press("Continue")


def pay_on_the_hosted_page(buyer: Buyer, url: str) -> None:
    assert buyer.reads("Forte payment (test)")
    buyer.press("Approve")
    buyer.tab.get_by_text("The payment was approved.").wait_for()
    buyer.open(url)


def pay_in_the_element(buyer: Buyer, _url: str) -> None:
    buyer.tab.get_by_label("Card number").fill(VISA)
    buyer.press("Pay 10.23 USD")


@pytest.mark.parametrize(
    ("name", "status", "pay"),
    [
        ("forte_payments_widget", "requires_action", pay_in_the_widget),
        ("forte_payments_redirect", "requires_action", pay_on_the_hosted_page),
        ("forte_platform", "requires_payment_method", pay_in_the_element),
    ],
)
def test_a_buyer_pays_and_the_order_is_processed(
    open_store: OpenStore,
    commands: CommandLine,
    buyer: Buyer,
    name: str,
    status: str,
    pay: Callable[[Buyer, str], None],
) -> None:
    store = open_store(name)
    created = store.create()
    assert created["status"] == status
    buyer.open(created["pay_url"])
    pay(buyer, created["pay_url"])
    assert buyer.reads("Paid: thank you")
    assert store.becomes("processing")
    assert store.ask("GET", f"payment_intents/{created['id']}").json()["status"] == "succeeded"
    story = commands.run("why", created["id"]).stdout
    assert f"10.23 USD for order {store.order} of {store.facts['id']}" in story
    assert "status succeeded" in story
    assert "the store has been updated (paid): the order is processing" in story
    assert "NEEDS AN OPERATOR" not in story


@pytest.mark.parametrize("name", ["stripe_connect", "stripe_connect_destination"])
def test_a_payer_who_is_present_answers_the_bank_at_stripe(
    own_world: World, cli: CommandLine, buyer: Buyer, name: str
) -> None:
    store = DemoStore(own_world, name)
    commands_for(own_world, cli).run("stores", "update", store.facts["id"], "--set", "off_session=no")
    created = store.create("pm_card_threeDSecure2Required")
    assert created["status"] == "requires_action"
    buyer.open(created["pay_url"])
    buyer.press("Continue")
    buyer.press("Complete authentication")
    assert buyer.reads("Paid: thank you")
    assert store.becomes("processing")


@pytest.mark.parametrize("name", ["forte_payments_widget", "forte_payments_redirect"])
def test_forte_payments_tells_the_bridge_by_itself(open_store: OpenStore, name: str) -> None:
    store = open_store(name)
    url = store.create()["pay_url"]
    requests.get(url, allow_redirects=False, timeout=10)
    simulator = store.world.providers["forte_payments"].simulator
    store.at("forte_payments", f"/__sim/intents/{simulator.intents[-1].id}/approve")
    assert store.becomes("processing")


def test_forte_platforms_fires_a_trigger(open_store: OpenStore) -> None:
    store = open_store("forte_platform")
    payment = store.create()["provider_data"]["paymentId"]
    store.at("forte_platform", f"/__sim/payments/{payment}/stripe-status", {"status": "succeeded"})
    assert store.becomes("processing")
    store.at("forte_platform", f"/__sim/payments/{payment}/stripe-refund", {"amountCents": 1023})
    assert store.becomes("refunded")
