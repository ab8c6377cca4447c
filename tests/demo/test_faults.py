"""Everything that the demo simulates can be made to fail, by whoever runs it."""

from collections.abc import Callable

import pytest
import requests

from bridge.cli.demo_world import World
from tests.demo.conftest import PATIENCE, DemoStore
from tests.plugins.commandline import CommandLine

OpenStore = Callable[[str], DemoStore]


@pytest.mark.parametrize(
    ("name", "provider", "match"),
    [
        ("stripe_connect", "stripe", "POST /v1/payment_intents"),
        ("forte_payments_widget", "forte_payments", "POST /payments/v2/intent"),
        ("forte_platform", "forte_platform", "POST /api/v1/projects/"),
    ],
)
def test_an_answer_of_a_provider_can_be_lost(
    open_store: OpenStore, commands: CommandLine, name: str, provider: str, match: str
) -> None:
    store = open_store(name)
    arranged = store.at(provider, "/__sim/faults", {"fault": "dropped", "match": match, "times": 2})
    assert arranged["pending"] == 2
    lost = store.ask(
        "POST",
        "payment_intents",
        {"order_id": store.order, "customer": store.facts["customer"], "payment_method": "pm_card_visa"},
    )
    requests.delete(store.world.info()["simulators"][provider] + "/__sim/faults", timeout=PATIENCE)
    assert (lost.status_code, lost.json()["data"]["outcome"]) == (500, "unknown")
    again = store.create()
    assert again["status"] in ("succeeded", "requires_action", "requires_payment_method")
    assert "The outcome is unknown" in commands.run("why", str(store.order)).stdout


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_a_scenario_has_a_name_and_a_provider_can_be_laid_hands_on(own_world: World, adapter: str) -> None:
    name = "forte_payments_widget" if adapter == "forte_payments" else adapter
    store = DemoStore(own_world, name)
    store.at(adapter, "/__sim/faults", {"scenario": "lost_response_after_create"})
    body = {"order_id": store.order, "customer": store.facts["customer"], "payment_method": "pm_card_visa"}
    assert store.ask("POST", "payment_intents", body).json()["data"]["outcome"] == "unknown"
    url = own_world.info()["simulators"][adapter]
    asked = requests.get(f"{url}/__sim/requests", timeout=PATIENCE).json()["requests"]
    assert [entry["path"] for entry in asked if entry["path"].endswith(("/payments/v2/intent", "/payments"))]
    created = store.create()
    assert created["status"] in ("requires_action", "requires_payment_method")
    assert store.at(adapter, "/__sim/clock/advance", {"seconds": 25 * 3600})["ahead"] == 25 * 3600
    simulator = own_world.providers[adapter].simulator
    if adapter == "forte_payments":
        assert {intent.status for intent in simulator.intents} == {"Expired"}
        store.post("webhook", type="charge.updated", data={"object": {"payment_intent": created["id"]}})
        assert store.becomes("failed")
    else:
        assert {payment["state"] for payment in simulator.payments} == {"CANCELLED"}
    assert store.at(adapter, "/__sim/reset")["ahead"] == 0
    asked = requests.get(f"{url}/__sim/requests", timeout=PATIENCE).json()["requests"]
    assert not [entry for entry in asked if entry["method"] == "POST"]  # the worker may have looked meanwhile


def test_the_shops_can_be_away(open_store: OpenStore, world: World) -> None:
    store = open_store("sandbox")
    url, trust = world.info()["simulators"]["woocommerce"] + "/__sim/faults", world.info()["ca_file"]
    given = {"fault": "error_503", "match": f"/sandbox/wp-json/wc/v3/orders/{store.order}", "times": 100}
    assert requests.post(url, json=given, verify=trust, timeout=PATIENCE).json()["pending"] == 100
    body = {"order_id": store.order, "customer": store.facts["customer"], "payment_method": "pm_card_visa"}
    answer = store.ask("POST", "payment_intents", body)
    requests.delete(url, verify=trust, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["data"]["reason"]) == (500, "store_unreachable")
    assert store.create()["status"] == "succeeded"
