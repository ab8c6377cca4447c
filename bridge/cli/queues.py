"""`events`, `outbox` and `webhooks`: what providers and shops say, and what shops are owed."""

from dataclasses import asdict

import click

from bridge.app import Bridge
from bridge.cli.console import iso_time, json_option, note, order_option, print_json, with_bridge
from bridge.domain.orders import called
from bridge.domain.shops import named_beside
from bridge.operations import audit, inbox_admin, webhook_registration
from bridge.registry import stores

limit_option = click.option("--limit", default=50, show_default=True)


@click.group()
def events() -> None:
    """Messages from providers, in the durable inbox."""


@events.command("list")
@click.option("--state", type=click.Choice(["new", "done", "foreign", "dead"]))
@limit_option
@json_option
@with_bridge
def list_events(bridge: Bridge, state: str | None, limit: int, as_json: bool) -> None:
    """List the newest messages."""
    found = inbox_admin.messages(bridge.services, state, limit)
    if as_json:
        print_json(found)
        return
    for each in found:
        event = each["event"]
        columns = (each["id"], iso_time(each["received"]), each["endpoint"], event["type"], event["reference"] or "-")
        click.echo("\t".join((*columns, each["state"], each["last_error"] or "")).rstrip())


@events.command()
@click.argument("event")
@json_option
@with_bridge
def show(bridge: Bridge, event: str, as_json: bool) -> None:
    """Show one message with its body."""
    found = inbox_admin.message(bridge.services, event)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        click.echo(f"{name}: {value}")


@events.command()
@click.argument("event")
@with_bridge
def replay(bridge: Bridge, event: str) -> None:
    """Process a message once more."""
    inbox_admin.replay(bridge.services, event)
    note(f"Message {event} will be processed again.")


@click.group()
def outbox() -> None:
    """Updates that the stores have not received yet, and those that could not be delivered."""


@outbox.command("list")
@click.option("--state", type=click.Choice(["pending", "delivered", "dead"]))
@limit_option
@order_option
@json_option
@with_bridge
def list_updates(bridge: Bridge, state: str | None, limit: int, order: str | None, as_json: bool) -> None:
    """List the newest updates."""
    found = inbox_admin.updates(bridge.services, state, limit, order)
    if as_json:
        print_json(found)
        return
    for each in found:
        columns = (
            each["id"],
            named_beside(each["store_id"], each["other_entries"]),
            f"order {called(each['order_id'], each['order_number'])}",
            each["kind"],
            each["state"],
        )
        click.echo("\t".join((*columns, f"{each['tries']} tries", each["last_error"])).rstrip())


@outbox.command()
@click.argument("update", required=False)
@click.option("--all-dead", is_flag=True, help="All dead letters.")
@with_bridge
def retry(bridge: Bridge, update: str | None, all_dead: bool) -> None:
    """Retry an UPDATE, the undelivered updates of an order (by its id or number), or all dead letters."""
    if bool(update) == all_dead:
        raise click.UsageError("Name an update or an order, or give --all-dead.")
    note(f"{inbox_admin.retry(bridge.services, update)} on the way.")


@click.group()
def webhooks() -> None:
    """Webhooks that notify the bridge: the stores' own, about what staff do to orders, and those of providers that
    allow it."""


@webhooks.command()
@click.argument("store")
@json_option
@with_bridge
def register(bridge: Bridge, store: str, as_json: bool) -> None:
    """Have STORE notify this bridge about its orders, and its provider about payments. It is safe to run again."""
    address = bridge.settings.public_url
    if not address:
        raise click.ClickException("BRIDGE_PUBLIC_URL is not set: the store would not know where to send them.")
    found = bridge.services.store(stores.get(bridge.services, store).id)
    audit.record(bridge.services, "webhooks.register", found.id, address=address)
    sentences = webhook_registration.register_webhooks(found, address)
    if not as_json:
        for sentence in sentences:
            click.echo(sentence)
        if not sentences:
            note("This store does not send messages about its orders: the bridge reads them in intervals.")
    subscribed = webhook_registration.subscribe(bridge.services, found.id, address)
    if as_json:
        print_json({"shop": sentences, "provider": asdict(subscribed) if subscribed else None})
    elif subscribed:
        key = "is stored now" if subscribed.learned else "was here already"
        click.echo(
            f"{found.config.adapter}: subscription {subscribed.id} sends to {subscribed.url}; its signing key {key}"
        )
        note(f"To check whether its messages can be verified: wcpay-bridge stores check {found.id}")
