"""`keys`: the consumer keys of a store's clients."""

from dataclasses import asdict
from typing import Any

import click

from bridge.app import Bridge
from bridge.cli.console import iso_time, json_option, moment, note, print_json, secret, with_bridge
from bridge.cli.stores import suggesting_unchecked, unchecked_option
from bridge.domain.stores import FROM_STORE, NOTHING, ApiKey, Permissions, Restrictions
from bridge.registry import keys as use_cases
from bridge.registry import store_keys
from bridge.registry import stores as store_cases
from bridge.registry.keys import KeyPair
from bridge.storage.vault import resolve

permissions_option = click.option(
    "--permissions", type=click.Choice([p.value for p in Permissions]), default="read_write", show_default=True
)
NEVER, ANY = "never", "any"
store_option = click.option("--store", required=True, metavar="STORE", help="Id or address of the store.")
description_option = click.option("--description", default="", help="What the key is for.")
expires_option = click.option(
    "--expires",
    metavar="WHEN",
    help="When it expires: 2027-01-31, 2027-01-31T12:00 (UTC), 90d or 36h from now, `never`.",
)
_RESTRICTIONS = (
    expires_option,
    click.option(
        "--networks", metavar="LIST", help="The networks that it may be used from: 10.0.0.0/8,192.0.2.7; or `any`."
    ),
    click.option("--refunds/--no-refunds", "may_refund", default=None, help="Whether it may make refunds."),
)


def restriction_options(command: Any) -> Any:
    for option in reversed(_RESTRICTIONS):
        command = option(command)
    return command


@click.group()
def keys() -> None:
    """Consumer keys: who may call the bridge for which store."""


@keys.command()
@store_option
@permissions_option
@description_option
@restriction_options
@json_option
@with_bridge
def create(bridge: Bridge, store: str, permissions: str, description: str, as_json: bool, **restrictions: Any) -> None:
    """Create a new pair. The secret is shown once.

    By default the pair may be used from any network, never expires and may make refunds.
    """
    found = store_cases.get(bridge.services, store)
    restricted = Restrictions(**_changes(bridge, **restrictions))
    pair = use_cases.create(bridge.services, found.id, Permissions(permissions), description, restricted)
    _show_pair(pair, as_json)


@keys.command("import")
@store_option
@click.option("--consumer-key", required=True, metavar="ck_...")
@click.option(
    "--consumer-secret", metavar="cs_...", help="`-` reads it from stdin; without the option, the command prompts."
)
@click.option(
    "--permissions",
    type=click.Choice([p.value for p in Permissions]),
    help="Fewer than the store grants it; default: the store's.",
)
@unchecked_option
@description_option
@restriction_options
@json_option
@with_bridge
def import_(
    bridge: Bridge,
    store: str,
    consumer_key: str,
    consumer_secret: str | None,
    permissions: str | None,
    unchecked: bool,
    description: str,
    as_json: bool,
    **restrictions: Any,
) -> None:
    """Import a pair that the store's clients already use, with the permissions that the store grants it."""
    if unchecked and not permissions:
        raise click.UsageError("With --unchecked give the --permissions that the key has in the store.")
    found = store_cases.get(bridge.services, store)
    consumer_secret = resolve(secret(consumer_secret, "Consumer secret"))
    wanted = Permissions(permissions) if permissions else None
    restricted = Restrictions(**_changes(bridge, **restrictions))
    if unchecked and wanted:
        pair = use_cases.import_pair(
            *(bridge.services, found.id, consumer_key, consumer_secret, wanted, description),
            origin=FROM_STORE,
            restrictions=restricted,
        )
    else:
        with suggesting_unchecked():
            pair = store_keys.import_proven(
                bridge.services.at(found), consumer_key, consumer_secret, wanted, description, restricted
            )
    if as_json:
        print_json(_facts(pair.key))
    else:
        click.echo(f"{pair.key.id}\t...{pair.key.truncated}")


@keys.command("list")
@click.option("--store", metavar="STORE", help="Only the keys of this store.")
@json_option
@with_bridge
def list_(bridge: Bridge, store: str | None, as_json: bool) -> None:
    """List the keys, without their secrets."""
    store_id = store_cases.get(bridge.services, store).id if store else None
    found = use_cases.every(bridge.services, store_id)
    if as_json:
        print_json([_facts(key) for key in found])
        return
    for key in found:
        click.echo(_line(bridge, key))


@keys.command()
@click.argument("key")
@restriction_options
@json_option
@with_bridge
def update(bridge: Bridge, key: str, as_json: bool, **restrictions: Any) -> None:
    """Change when KEY (its id, or how its consumer key ends) expires, which networks it may be used from, and whether
    it may make refunds.

    Options that are not given keep their values.
    """
    changes = _changes(bridge, **restrictions)
    if not changes:
        raise click.UsageError("Specify what to change: --expires, --networks, --refunds or --no-refunds.")
    changed = use_cases.update(bridge.services, key, **changes)
    if as_json:
        print_json(_facts(changed))
    else:
        click.echo(_line(bridge, changed))


@keys.command()
@click.argument("key")
@click.option(
    "--overlap", type=float, default=24.0, show_default=True, help="Hours for which the old pair keeps working."
)
@expires_option
@json_option
@with_bridge
def rotate(bridge: Bridge, key: str, overlap: float, expires: str | None, as_json: bool) -> None:
    """Create a new pair for KEY (its id, or how its consumer key ends); the old one expires after the overlap.

    The new pair may do what the old one may, and expires when that would have, unless --expires says otherwise.
    """
    changes = _changes(bridge, expires=expires)
    _show_pair(use_cases.rotate(bridge.services, key, overlap * 3600, **changes), as_json)


@keys.command()
@click.argument("key")
@with_bridge
def revoke(bridge: Bridge, key: str) -> None:
    """Revoke KEY (its id, or how its consumer key ends) immediately and for good."""
    revoked = use_cases.revoke(bridge.services, key)
    note(f"The key that ends in {revoked.truncated} has been revoked.")


def _show_pair(pair: KeyPair, as_json: bool) -> None:
    shown = {"consumer_key": pair.consumer_key, "consumer_secret": pair.consumer_secret}
    if as_json:
        print_json(_facts(pair.key) | shown)
        return
    for name, value in shown.items():
        click.echo(f"{name}: {value}")
    note("Save the secret now: it is not shown again.")


def _changes(
    bridge: Bridge, *, expires: str | None = None, networks: str | None = None, may_refund: bool | None = None
) -> dict[str, Any]:
    """The restrictions that were said. Raises Refused."""
    changes: dict[str, Any] = {} if may_refund is None else {"may_refund": may_refund}
    if expires is not None:
        changes["expires"] = None if expires == NEVER else moment(expires, bridge.services.clock(), ahead=True)
    if networks is not None:
        changes["networks"] = () if networks == ANY else tuple(networks.replace(",", " ").split())
        if networks != ANY and not changes["networks"]:
            raise click.UsageError(f"--networks takes addresses and networks, or `{ANY}`.")
    return changes


def _facts(key: ApiKey) -> dict[str, Any]:
    facts = asdict(key) | {"permissions": key.allowed or NOTHING}
    times = {name: facts[name] for name in ("created", "last_used", "expires", "revoked")}
    return facts | {name: iso_time(seconds) if seconds else None for name, seconds in times.items()}


def _line(bridge: Bridge, key: ApiKey) -> str:
    return "\t".join(
        (
            *(key.id, key.store_id, f"...{key.truncated}", key.permissions, _state(bridge, key)),
            f"last used {iso_time(key.last_used) if key.last_used else 'never'}",
            f"from {','.join(key.networks) or 'anywhere'}",
            "refunds" if key.may_refund else "no refunds",
            key.description,
        )
    )


def _state(bridge: Bridge, key: ApiKey) -> str:
    if key.revoked:
        return "revoked"
    if key.allowed is None:
        return "refused by the store"
    if use_cases.why_unusable(key, bridge.services.clock()):
        return "expired"
    return f"active until {iso_time(key.expires)}" if key.expires else "active"
