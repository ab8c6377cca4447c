"""What staff do to orders of the demo's shops reaches the bridge: the shops tell it by themselves."""

from collections.abc import Callable

import pytest

from bridge.cli.demo_world import World
from tests.demo.conftest import DemoStore, commands_for
from tests.plugins.commandline import CommandLine

OpenStore = Callable[[str], DemoStore]
FINDINGS_OF_A_SHOP = 5


def test_every_store_is_set_up_right(world: World) -> None:
    bridge = world.bridge
    assert world.stores
    for facts in world.stores.values():
        findings = bridge.check_store(bridge.services.stores.store(facts["id"]))
        assert [finding.text for finding in findings if not finding.ok] == []
        assert len(findings) >= FINDINGS_OF_A_SHOP


@pytest.mark.parametrize(("status", "says"), [("completed", "captured"), ("cancelled", "cancelled")])
def test_an_authorisation_follows_its_order(open_store: OpenStore, status: str, says: str) -> None:
    store = open_store("sandbox_manual")
    assert store.create()["status"] == "requires_capture"
    assert store.becomes("on-hold")
    store.staff("PUT", status=status)
    assert store.is_noted(f"successfully {says}")


def test_a_refund_by_hand_is_told_to_a_person(open_store: OpenStore) -> None:
    store = open_store("stripe_connect")
    created = store.create()
    assert store.becomes("processing")
    store.staff("POST", "/refunds", amount="3.00", reason="broken", api_refund=False)
    assert store.is_flagged(created["id"], "The shop has a refund of 3.00 USD")


def test_a_refund_by_hand_is_carried_out_where_the_store_says_so(own_world: World, cli: CommandLine) -> None:
    store = DemoStore(own_world, "sandbox")
    commands = commands_for(own_world, cli)
    commands.run("stores", "update", store.facts["id"], "--set", "store_refunds=execute")
    created = store.create()
    assert store.becomes("processing")
    store.staff("POST", "/refunds", amount="3.00", reason="broken", api_refund=False)
    assert store.is_noted("A refund of 3.00 USD was successfully processed")
    assert commands.json("why", created["id"])[0]["flag"] is None
