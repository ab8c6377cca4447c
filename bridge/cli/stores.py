"""`stores`: the WooCommerce shops that the bridge serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import click

from bridge.adapters import load
from bridge.app import Bridge
from bridge.cli.console import iso_time, json_option, note, print_json, secret, warn_of_secret, who, with_bridge
from bridge.domain.errors import ConfigurationError, Refused, StoreError
from bridge.domain.ports import Finding
from bridge.domain.stores import STORE_OPTIONS, Store
from bridge.payments import shops
from bridge.registry import stores as use_cases
from bridge.registry.obstacles import Obstacles
from bridge.registry.store_keys import STRIPPED
from bridge.storage.vault import is_reference

OPTION_CHOICES = {
    "rounding": ("exact", "half_up"),
    "store_refunds": ("report", "execute"),
    "auth": ("header", "query"),
}

unchecked_option = click.option(
    "--unchecked", is_flag=True, help="For a store that is down: accept what you give without asking the store."
)
force_option = click.option("--force", is_flag=True, help="Leave open payments behind, and say what is lost.")
_FIELDS = (
    click.option("--url", metavar="https://shop.example"),
    click.option("--consumer-key", metavar="ck_...", help="The store's own key for the bridge (read/write)."),
    click.option(
        "--consumer-secret", metavar="cs_...", help="`-`, env:NAME or file:PATH; without it, the command prompts."
    ),
    click.option("--ca-file", type=click.Path(exists=True, dir_okay=False, resolve_path=True), help="A private CA."),
    click.option("--adapter", metavar="NAME"),
    click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting; env:NAME and file:PATH."),
    click.option("--capture", type=click.Choice(["automatic", "manual"])),
    click.option("--live/--test", "live", default=None, help="Whether real money moves."),
    click.option("--shop", metavar="STORE", help="An entry of the same shop; `new`: a shop without an entry here."),
    unchecked_option,
    json_option,
)


def _fields(command: Any) -> Any:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@click.group()
def stores() -> None:
    """The WooCommerce stores that the bridge serves."""


@stores.command()
@_fields
@with_bridge
def add(
    bridge: Bridge,
    url: str | None,
    consumer_key: str | None,
    consumer_secret: str | None,
    ca_file: str | None,
    adapter: str | None,
    assignments: tuple[str, ...],
    capture: str | None,
    live: bool | None,
    shop: str | None,
    unchecked: bool,
    as_json: bool,
) -> None:
    """Add a store. The bridge asks the store for its identity, records it and tries the key.

    An order is paid through only one entry of its shop. A second entry for the same mode needs --shop with the first. A
    store with a host's own order book does not need --consumer-key.
    """
    if not url or not adapter or not (consumer_key or bridge.has_own_orders):
        raise click.UsageError("--url, --consumer-key and --adapter are required.")
    if live is None:
        raise click.UsageError("Choose --live or --test: live and test money never mix.")
    settings, options = _split(assignments)
    _warn_of_secrets(assignments, adapter)
    wanted = Store(
        id="",
        url=url.rstrip("/"),
        adapter=adapter,
        live=live,
        capture=capture or "automatic",
        identity="",
        ca_file=ca_file,
        consumer_key=consumer_key or "",
        consumer_secret=secret(consumer_secret, "Consumer secret") if consumer_key else "",
        settings=settings,
        options=STORE_OPTIONS | options,
    )
    with suggesting_unchecked():
        added = bridge.add_store(wanted, shop=shop, who=who(), unchecked=unchecked, try_query="auth" not in options)
    _tell(wanted, added)
    _show(bridge, added, as_json)


@stores.command()
@click.argument("store")
@_fields
@force_option
@with_bridge
def update(
    bridge: Bridge,
    store: str,
    url: str | None,
    consumer_key: str | None,
    consumer_secret: str | None,
    ca_file: str | None,
    adapter: str | None,
    assignments: tuple[str, ...],
    capture: str | None,
    live: bool | None,
    shop: str | None,
    unchecked: bool,
    as_json: bool,
    force: bool,
) -> None:
    """Change a store. Options that are not given keep their values; `--set KEY=` resets a setting to its default.

    It stays an entry of its shop, wherever that is now. With --shop it becomes an entry of that store's shop, with its
    payments.
    """
    old = use_cases.get(bridge.services, store)
    settings, options = _split(assignments)
    _warn_of_secrets(assignments, adapter or old.adapter)
    given = {
        "url": url and url.rstrip("/"),
        "consumer_key": consumer_key,
        "consumer_secret": secret(consumer_secret, "Consumer secret") if consumer_secret else None,
        "ca_file": ca_file,
        "adapter": adapter,
        "capture": capture,
        "live": live,
    }
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    kept = {} if adapter and adapter != old.adapter else old.settings
    wanted = replace(
        old,
        settings={name: value for name, value in (kept | settings).items() if value},
        options={name: value or STORE_OPTIONS[name] for name, value in (old.options | options).items()},
        **changed,
    )
    with suggesting_unchecked():
        changed_store = bridge.update_store(
            wanted,
            shop=shop,
            who=who(),
            unchecked=unchecked,
            try_query="auth" not in options,
            force=force,
            on_left=_tell_left,
        )
    _tell(wanted, changed_store)
    _show(bridge, changed_store, as_json)


@stores.command("list")
@json_option
@with_bridge
def list_(bridge: Bridge, as_json: bool) -> None:
    """List all stores."""
    found = use_cases.every(bridge.services)
    if as_json:
        others = shops.all_beside(bridge.services, [store.id for store in found])
        print_json([_facts(store, others.get(store.id, [])) for store in found])
        return
    for store in found:
        click.echo("\t".join((store.id, store.url, store.adapter, "live" if store.live else "test", store.capture)))


@stores.command()
@click.argument("store")
@json_option
@with_bridge
def show(bridge: Bridge, store: str, as_json: bool) -> None:
    """Show one store, without its secrets."""
    _show(bridge, use_cases.get(bridge.services, store), as_json)


@stores.command()
@click.argument("store")
@json_option
@with_bridge
def history(bridge: Bridge, store: str, as_json: bool) -> None:
    """Show who has changed the entries and addresses of a store's shop, and when."""
    changes = shops.history(bridge.services.at(use_cases.get(bridge.services, store)))
    if as_json:
        print_json([asdict(change) for change in changes])
        return
    for change in changes:
        columns = (iso_time(change.at), change.store_id, change.what, change.before or "-", change.after or "-")
        click.echo("\t".join((*columns, change.who or "-")))


@stores.command()
@click.argument("store")
@json_option
@with_bridge
def check(bridge: Bridge, store: str, as_json: bool) -> None:
    """Check that the bridge can work with the store and the provider. Moves no money and changes nothing."""
    findings = bridge.check_store(use_cases.get(bridge.services, store))
    if as_json:
        print_json([{"ok": finding.ok, "text": finding.text} for finding in findings])
    else:
        print_findings(findings)
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@stores.command()
@click.argument("store")
@click.confirmation_option(prompt="Its keys stop working at once. Remove it?")
@force_option
@with_bridge
def remove(bridge: Bridge, store: str, force: bool) -> None:
    """Stop serving a store. Its payments stay on record. Refused while payments are open."""
    left = use_cases.remove(bridge.services, use_cases.get(bridge.services, store).id, who(), force=force)
    note(f"Store {store} has been removed.")
    if left:
        _tell_left(left)


@contextmanager
def suggesting_unchecked() -> Iterator[None]:
    """Say how to go on although the shop cannot be asked."""
    try:
        yield
    except StoreError as error:
        raise Refused(
            f"{error} Nothing has been changed. If the store is down, --unchecked accepts it anyway."
        ) from None


def _tell_left(left: Obstacles) -> None:
    note(f"Left behind, and flagged:\n{left.lost}")


def _tell(wanted: Store, made: Store) -> None:
    """What the owner has to know and did not ask for."""
    if made.options["auth"] != wanted.options["auth"]:
        note(STRIPPED)
    if made.awaits_reconcile and not wanted.awaits_reconcile:
        reconcile = f"wcpay-bridge reconcile --store {made.id}"
        note(f"The store has not been asked. No money moves until the worker, or `{reconcile}`, has asked it.")


def print_findings(findings: list[Finding]) -> None:
    for finding in findings:
        click.echo(f"{'ok' if finding.ok else 'NO'}  {finding.text}")


def _split(assignments: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """The adapter's settings and the store's own options."""
    settings: dict[str, str] = {}
    options: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set takes KEY=VALUE, not {name}.")
        if value == "-":
            value = secret("-", name)
        if value.startswith(use_cases.ENCRYPTED):
            raise Refused(f"{name}: a value cannot start with {use_cases.ENCRYPTED}")
        (options if name in STORE_OPTIONS else settings)[name] = value
    for name, choices in OPTION_CHOICES.items():
        if options.get(name) and options[name] not in choices:
            raise ConfigurationError(f"{name} must be one of {', '.join(choices)}.")
    return settings, options


def _warn_of_secrets(assignments: tuple[str, ...], adapter: str) -> None:
    """Of settings whose secrets stand on the command line. Raises ConfigurationError for an adapter that is none."""
    secrets = {setting.name for setting in load(adapter).settings if setting.secret}
    for name, _, value in (assignment.partition("=") for assignment in assignments):
        if name in secrets and value not in ("", "-") and not is_reference(value):
            warn_of_secret(f"--set {name}=...", f"--set {name}=- for stdin, or env:NAME or file:PATH")


def _show(bridge: Bridge, store: Store, as_json: bool) -> None:
    facts = _facts(store, shops.beside(bridge.services.at(store)))
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        if isinstance(value, list):
            value = " ".join(value) or "-"
        if isinstance(value, dict):
            value = " ".join(f"{key}={inner}" for key, inner in value.items()) or "-"
        click.echo(f"{name}: {value if value is not None else '-'}")


def _facts(store: Store, others: list[str]) -> dict[str, Any]:
    secrets = {setting.name for setting in load(store.adapter).settings if setting.secret}
    hidden = {name: _hide(value) if name in secrets else value for name, value in store.settings.items()}
    return {
        "id": store.id,
        "url": store.url,
        "identity": store.identity,
        "shop": store.shop_id,
        "other_entries": others,
        "adapter": store.adapter,
        "mode": "live" if store.live else "test",
        "capture": store.capture,
        "settings": hidden,
        "options": store.options,
        "account_problem": store.account_problem or None,
        "webhook_problem": store.webhook_problem or None,
        "ca_file": store.ca_file,
        "consumer_key": _hide(store.consumer_key) if store.consumer_key else None,
        "consumer_secret": _hide(store.consumer_secret) if store.consumer_secret else None,
    }


def _hide(value: str) -> str:
    return value if value.startswith(("env:", "file:")) else "(encrypted)"
