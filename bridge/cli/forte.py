"""`forte triggers`: which service of a Forte project hears of payments. The bridge makes none by itself."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bridge.app import Bridge
from bridge.cli.console import json_option, note, print_json, with_bridge
from bridge.cli.keys import store_option
from bridge.domain.errors import Refused
from bridge.operations import audit
from bridge.registry import stores
from bridge.schemas.forte_platform import EVENTS

if TYPE_CHECKING:
    from bridge.adapters.forte_platform.webhook_registration import Trigger, Triggers

NAME = "wcpay-bridge"
path_option = click.option("--path", metavar="/PATH", help="The path on the service that it calls.")
event_option = click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help="One or several.")


@click.group()
def forte() -> None:
    """Resources that exist only at Forte."""


@forte.group()
def triggers() -> None:
    """A Forte project's payment triggers: what calls the bridge, or its relay, inside the project."""


@triggers.command("list")
@store_option
@json_option
@with_bridge
def list_(bridge: Bridge, store: str, as_json: bool) -> None:
    """List all triggers of the store's project."""
    found = _triggers(bridge, store).list()
    if as_json:
        print_json([asdict(trigger) for trigger in found])
        return
    for trigger in found:
        click.echo(_told(trigger))


@triggers.command()
@store_option
@click.option("--service", required=True, metavar="ID", help="A service of the same project.")
@path_option
@click.option("--name", default=NAME, show_default=True)
@event_option
@click.option("--enabled/--disabled", default=True, show_default=True)
@json_option
@with_bridge
def create(
    bridge: Bridge,
    store: str,
    service: str,
    path: str | None,
    name: str,
    events: tuple[str, ...],
    enabled: bool,
    as_json: bool,
) -> None:
    """Create a trigger. Default --path: the store's setting trigger_path; default --event: what the bridge needs."""
    from bridge.adapters.forte_platform.webhook_registration import WANTED

    found = _triggers(bridge, store)
    path = path or stores.get(bridge.services, store).settings.get("trigger_path")
    if not path:
        raise click.UsageError("Give --path: the store's setting trigger_path is empty.")
    audit.record(bridge.services, "forte.triggers.create", store, service=service, path=path)
    _show(found.create(name, service, path, events or WANTED, enabled=enabled), as_json)


@triggers.command()
@click.argument("trigger")
@store_option
@click.option("--service", metavar="ID", help="A service of the same project.")
@path_option
@click.option("--name")
@event_option
@click.option("--enabled/--disabled", default=None)
@json_option
@with_bridge
def update(
    bridge: Bridge,
    trigger: str,
    store: str,
    service: str | None,
    path: str | None,
    name: str | None,
    events: tuple[str, ...],
    enabled: bool | None,
    as_json: bool,
) -> None:
    """Change TRIGGER. Options that are not given keep their values; the events that are given replace all of them."""
    if not events and all(value is None for value in (service, path, name, enabled)):
        raise click.UsageError("Specify what to change: --service, --path, --name, --event, --enabled or --disabled.")
    found = _triggers(bridge, store)
    audit.record(bridge.services, "forte.triggers.update", trigger, store=store)
    changed = found.update(trigger, name=name, service=service, path=path, events=events or None, enabled=enabled)
    _show(changed, as_json)


@triggers.command()
@click.argument("trigger")
@store_option
@click.confirmation_option(prompt="Its pending deliveries are dropped. Delete it?")
@json_option
@with_bridge
def delete(bridge: Bridge, trigger: str, store: str, as_json: bool) -> None:
    """Remove TRIGGER for good."""
    found = _triggers(bridge, store)
    audit.record(bridge.services, "forte.triggers.delete", trigger, store=store)
    found.delete(trigger)
    if as_json:
        print_json({"id": trigger, "deleted": True})
    note(f"Trigger {trigger} has been deleted.")


def _triggers(bridge: Bridge, name: str) -> "Triggers":
    """Raises Refused for a store of another adapter."""
    from bridge.adapters.forte_platform import FortePlatformAdapter

    store = bridge.services.store(stores.get(bridge.services, name).id)
    adapter = store.adapter
    if not isinstance(adapter, FortePlatformAdapter):
        raise Refused(f"Store {store.id} has the adapter {store.config.adapter}; only forte_platform has triggers.")
    return adapter.triggers


def _show(trigger: "Trigger", as_json: bool) -> None:
    if as_json:
        print_json(asdict(trigger))
    else:
        click.echo(_told(trigger))


def _told(trigger: "Trigger") -> str:
    state = "enabled" if trigger.enabled else "disabled"
    return "\t".join((trigger.id, trigger.service, trigger.path, ",".join(trigger.events), state, trigger.name))
