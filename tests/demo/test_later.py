"""What happens to the demo's payments later, and at a card reader: in the sandbox and at the simulated Stripe."""

from collections.abc import Callable

import pytest

from tests.demo.conftest import DemoStore

OpenStore = Callable[[str], DemoStore]
STRIPE = ["stripe_connect", "stripe_connect_destination"]
EVERY = ["sandbox", *STRIPE]


@pytest.mark.parametrize("name", EVERY)
def test_the_apps_collect_a_payment_at_a_reader(open_store: OpenStore, name: str) -> None:
    store = open_store(name)
    assert store.post("connection_tokens")["secret"].startswith("pst_test_")
    assert store.post(f"orders/{store.order}/create_customer")["id"].startswith("cus_")
    intent = store.post(f"orders/{store.order}/create_terminal_intent")["id"]
    if name in STRIPE:
        store.at("stripe", f"/simulator/present_card/{intent}")
    answer = store.post(f"orders/{store.order}/capture_terminal_payment/", payment_intent_id=intent)
    assert answer == {"status": "succeeded", "id": intent}
    assert store.becomes("completed")


@pytest.mark.parametrize("name", EVERY)
def test_a_payment_is_disputed_at_once(open_store: OpenStore, name: str) -> None:
    store = open_store(name)
    store.create("pm_card_createDispute")
    assert store.is_noted("Payment has been disputed for 10.23 USD")
    assert store.becomes("on-hold")


@pytest.mark.parametrize(("won", "status"), [("true", "processing"), ("false", "refunded")])
def test_the_bank_decides_a_dispute_at_stripe(open_store: OpenStore, won: str, status: str) -> None:
    store = open_store("stripe_connect")
    charge = store.create()["charge"]["id"]
    assert store.becomes("processing")
    dispute = store.at("stripe", f"/simulator/dispute/{charge}")["id"]
    assert store.becomes("on-hold")
    store.at("stripe", f"/simulator/close_dispute/{dispute}?won={won}")
    assert store.becomes(status)


@pytest.mark.parametrize("name", STRIPE)
def test_a_refund_fails_later_at_stripe(open_store: OpenStore, name: str) -> None:
    store = open_store(name)
    store.create("pm_card_refundFail")
    refund = store.post("refund", order_id=store.order, amount=1023)
    assert store.becomes("refunded")
    store.at("stripe", f"/simulator/fail_refund/{refund['id']}")
    assert store.is_noted("A refund of 10.23 USD was unsuccessful")


def test_a_hold_runs_out_at_stripe(open_store: OpenStore) -> None:
    store = open_store("stripe_connect")
    intent = store.post(f"orders/{store.order}/create_terminal_intent")["id"]
    store.at("stripe", f"/simulator/present_card/{intent}")
    assert store.becomes("on-hold")
    store.at("stripe", f"/simulator/expire/{intent}")
    assert store.is_noted("expired")
