"""`webhooks register`: the shop tells what staff do, and a provider that lets itself be told sends its messages."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy.engine import make_url

from bridge.simulators.forte_payments import FortePaymentsSimulator
from tests.cli.forte_shop import CLIENT_SECRET, manage, payments
from tests.plugins.commandline import CommandLine
from tests.plugins.local import Local, MakeLocal

Owned = tuple[CommandLine, Local, FortePaymentsSimulator, str]


@pytest.fixture
def owned(cli: CommandLine, make_local: MakeLocal, sqlite_url: str) -> Iterator[Owned]:
    with payments(make_local, sqlite_url) as (local, forte, url):
        manage(cli, local, url)
        yield cli, local, forte, url


def register(cli: CommandLine, local: Local, **kwargs: int) -> dict:
    return cli.json("webhooks", "register", local.store.id, **kwargs)


def stored(local: Local) -> str:
    """The setting as it stands in the database."""
    with closing(sqlite3.connect(str(make_url(local.bridge.settings.database_url).database))) as database:
        [(settings,)] = database.execute("SELECT settings FROM stores")
    return json.loads(settings).get("webhook_secret", "")


def change(cli: CommandLine, local: Local, setting: str) -> None:
    cli.run("stores", "update", local.store.id, "--set", setting)


def test_a_subscription_is_made_once_and_its_key_is_kept_encrypted(owned: Owned) -> None:
    cli, local, forte, url = owned
    told = register(cli, local)
    [subscription] = forte.subscriptions
    address = f"{url}/bridge/v1/webhooks/{local.store.id}"
    assert told["provider"] == {"id": subscription.id, "url": address, "learned": True}
    assert (subscription.endpoint, subscription.enabled) == (address, True)
    assert stored(local).startswith("encrypted:")
    assert cli.json("stores", "show", local.store.id)["settings"]["webhook_secret"] == "(encrypted)"
    kept = stored(local)
    again = register(cli, local)
    assert again["provider"] == {"id": subscription.id, "url": address, "learned": False}
    assert (forte.subscriptions, stored(local)) == ((subscription,), kept)


def test_nothing_that_is_printed_has_a_secret(owned: Owned) -> None:
    cli, local, forte, _ = owned
    outputs = [cli.run("webhooks", "register", local.store.id, *more).output for more in ((), (), ("--json",))]
    assert "its signing key is stored now" in outputs[0]
    assert "its signing key was here already" in outputs[1]
    for output in outputs:
        assert forte.subscriptions[0].signing_key not in output
        assert CLIENT_SECRET not in output


def test_the_messages_of_the_subscription_are_believed_and_pay_the_order(owned: Owned) -> None:
    cli, local, forte, _ = owned
    register(cli, local)
    local.clock.advance(10)
    created = local.create("virtual").json
    forte.approve(forte.intents[0].id)
    assert [attempt.status for attempt in forte.deliver_due()] == [200]
    local.work()
    assert local.show(created["id"]).json["status"] == "succeeded"
    assert {finding["ok"] for finding in cli.json("stores", "check", local.store.id)} == {True}


def test_the_shops_own_webhooks_are_registered_as_ever(owned: Owned) -> None:
    cli, local, _, url = owned
    first = register(cli, local)["shop"]
    assert [sentence.partition(":")[2][:8] for sentence in first] == [" created"] * len(first)
    assert {webhook["delivery_url"] for webhook in local.shop.webhooks()} == {
        f"{url}/bridge/v1/webhooks/{local.store.id}"
    }
    again = register(cli, local)["shop"]
    assert [sentence.partition(":")[2][:8] for sentence in again] == [" updated"] * len(first)
    assert len(local.shop.webhooks()) == len(first)


def test_a_store_whose_provider_is_told_by_hand_has_its_shop_registered(cli: CommandLine, local: Local) -> None:
    manage(cli, local, "https://bridge.example")
    told = register(cli, local)
    assert told["provider"] is None
    assert len(told["shop"]) == len(local.shop.webhooks()) > 0


def test_a_subscription_that_was_disabled_is_enabled_again(owned: Owned) -> None:
    cli, local, forte, _ = owned
    first = register(cli, local)["provider"]
    adapter = local.bridge.services.stores.adapter(local.store)
    adapter.switch_webhook(first["id"], on=False)  # type: ignore[attr-defined]
    assert not forte.subscriptions[0].enabled
    assert register(cli, local)["provider"] == first | {"learned": False}
    assert [subscription.enabled for subscription in forte.subscriptions] == [True]


def test_a_key_that_was_replaced_at_forte_is_learned_and_the_old_one_forgotten(owned: Owned) -> None:
    cli, local, forte, url = owned
    kept = forte.subscribe(f"{url}/elsewhere").signing_key
    register(cli, local)
    ours = forte.subscriptions[1]
    change(cli, local, f"webhook_secret={ours.signing_key} {kept} OfNobody")
    fresh = forte.rotate_signing_key(ours.id).signing_key
    assert register(cli, local)["provider"]["learned"]
    sealed = stored(local).removeprefix("encrypted:")
    assert local.bridge.services.vault.decrypt(sealed) == f"{fresh} {kept}"


def test_stores_that_share_an_endpoint_share_the_subscription(
    cli: CommandLine, make_local: MakeLocal, sqlite_url: str
) -> None:
    with payments(make_local, sqlite_url, webhook_endpoint="forte") as (local, forte, url):
        manage(cli, local, url)
        assert register(cli, local)["provider"]["url"] == f"{url}/bridge/v1/webhooks/forte"
        assert len(forte.subscriptions) == 1


def test_a_secret_that_is_kept_elsewhere_is_never_overwritten(owned: Owned) -> None:
    cli, local, forte, _ = owned
    cli.environ["FORTE_KEY"] = "another"
    change(cli, local, "webhook_secret=env:FORTE_KEY")
    told = cli.run("webhooks", "register", local.store.id, code=1)
    assert "webhook_secret is env:FORTE_KEY, which does not hold its signing key" in told.stderr
    assert forte.subscriptions[0].signing_key not in told.output
    assert stored(local) == "env:FORTE_KEY"
    cli.environ["FORTE_KEY"] = forte.subscriptions[0].signing_key
    assert register(cli, local)["provider"]["learned"] is False
    assert stored(local) == "env:FORTE_KEY"


def test_63_above_fortes_limit_the_subscriptions_in_the_way_are_named_and_none_is_deleted(owned: Owned) -> None:
    cli, local, forte, url = owned
    for number in range(3):
        forte.subscribe(f"{url}/{number}")
    told = cli.run("webhooks", "register", local.store.id, code=1)
    assert f"Disable one of these first: {url}/0, {url}/1, {url}/2." in told.stderr
    assert len(forte.subscriptions) == 3
    assert stored(local) == ""


def test_without_a_public_address_nothing_is_registered(owned: Owned) -> None:
    cli, local, forte, _ = owned
    cli.environ["BRIDGE_PUBLIC_URL"] = None
    assert "BRIDGE_PUBLIC_URL is not set" in cli.run("webhooks", "register", local.store.id, code=1).stderr
    assert (forte.subscriptions, local.shop.webhooks()) == ((), [])
