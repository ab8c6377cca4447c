"""`doctor`, `flags`, `prune`, `reconcile`, `rekey` and `settle`: what an operator does by hand."""

import time
from dataclasses import replace

import click

from bridge.app import Bridge
from bridge.cli.console import (
    command_line,
    json_option,
    moment,
    note,
    opened_bridge,
    order_option,
    print_json,
    who,
    with_bridge,
)
from bridge.domain.errors import BridgeError
from bridge.domain.orders import called
from bridge.domain.shops import named_beside
from bridge.operations.doctor import Check, examine
from bridge.operations.manual_settlement import Verdict, settle_manually
from bridge.payments import flags as flag_cases
from bridge.reconcile import run as reconcile_cases
from bridge.reconcile.report import Report
from bridge.registry import stores
from bridge.worker.prune import prune as prune_now

reason_option = click.option("--reason", required=True, help="The reason, which is kept with the payment.")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Ask every store, and search a large SQLite file for damage.")
@json_option
def doctor(everything: bool, as_json: bool) -> None:
    """Check whether everything is as it should be. Exit code 1 if something is not.

    If there are many stores, it asks some of them, first those with payments under way.
    """
    try:
        with opened_bridge() as bridge:
            checks = [Check("configuration", True, "The settings are right, and the key opens the database.")]
            checks += examine(bridge.services, bridge.check_store, everything=everything)
            checks = [
                replace(check, text=check.text.replace("`wcpay-bridge ", f"`{command_line()} ")) for check in checks
            ]
    except BridgeError as error:
        checks = [Check("configuration", False, line) for line in str(error).splitlines()]
    if as_json:
        print_json([check.as_dict() for check in checks])
    else:
        for check in checks:
            click.echo(f"{'ok' if check.ok else 'NO'}  {check.about}: {check.text}")
    if not all(check.ok for check in checks):
        raise SystemExit(1)


@click.command()
@click.argument("intent")
@click.option("--as", "verdict", type=click.Choice(["paid", "not-paid"]), required=True, help="What became of it.")
@click.option("--reference", default="", help="The provider's id of the payment (or of the refund).")
@reason_option
@click.option("--unchecked", is_flag=True, help="Accept your word if the provider cannot be asked.")
@json_option
@with_bridge
def settle(
    bridge: Bridge, intent: str, verdict: str, reference: str, reason: str, unchecked: bool, as_json: bool
) -> None:
    """Settle a payment whose outcome is unknown, by what you have seen at the provider.

    `paid`: the money moved (of a refund: back to the buyer). `not-paid`: it did not, and the order is free again.
    """
    said = Verdict(verdict == "paid", who(), reason, reference.strip(), unchecked)
    settled = settle_manually(bridge.services, intent, said)
    if as_json:
        print_json({"payment_intent": settled.shown_id, "status": settled.status.value, "unknown": settled.unknown})
    else:
        click.echo(f"{settled.shown_id}: {settled.status.value}. The store will be updated.")


@click.command()
@click.option("--store", metavar="STORE", help="Only this store: its id or address.")
@click.option("--since", metavar="WHEN", help="2026-01-31, 2026-01-31T12:00 (UTC), or 90m, 36h, 7d ago. Default: 1d.")
@click.option(
    "--after-restore", is_flag=True, help="The database has been restored: no money moves until it has been compared."
)
@click.option("--release", is_flag=True, help="Release STORE, although not everything could be compared.")
@json_option
@with_bridge
def reconcile(
    bridge: Bridge, store: str | None, since: str | None, after_restore: bool, release: bool, as_json: bool
) -> None:
    """Compare provider, bridge and store, and repair what can be repaired without moving money.

    Exit code 0: they agree. 1: there were differences, or something could not be compared.
    """
    services = bridge.services
    if release:
        if not store:
            raise click.UsageError("--release needs --store: each store is a separate decision.")
        reconcile_cases.release(services, reconcile_cases.chosen(services, store)[0].id)
        note(f"Store {store} takes money again.")
        return
    if after_restore:
        made = moment(since, services.clock()) if since else None
        held = reconcile_cases.hold_all(services, made)
        note(f"{len(held)} stores are held until they have been compared.")
    reports = []
    for each in reconcile_cases.chosen(services, store):
        if each.awaits_reconcile and (since is None or after_restore):
            begin = reconcile_cases.default_since(services.at(each), reconcile_cases.job_name(each.id))
        else:
            begin = moment(since or "1d", services.clock())
        reports.append(reconcile_cases.reconcile(services, each.id, begin))
    if as_json:
        print_json([report.as_dict() for report in reports])
    else:
        for report in reports:
            _tell(report)
    if not all(report.agrees for report in reports):
        raise SystemExit(1)


@click.command()
@json_option
@with_bridge
def prune(bridge: Bridge, as_json: bool) -> None:
    """Delete what is no longer needed. Payments stay on record. The worker does this by itself."""
    dropped = prune_now(bridge.services)
    if as_json:
        print_json(dropped)
        return
    for what, count in dropped.items():
        click.echo(f"{count}\t{what}")


@click.command()
@with_bridge
def rekey(bridge: Bridge) -> None:
    """Re-encrypt everything with the first of the secret keys, so that the others can be discarded."""
    click.echo(f"{stores.rekey(bridge.services)} secrets have been re-encrypted.")


@click.group()
def flags() -> None:
    """Payments that need an operator."""


@flags.command("list")
@click.option("--limit", default=50, show_default=True)
@order_option
@json_option
@with_bridge
def list_flags(bridge: Bridge, limit: int, order: str | None, as_json: bool) -> None:
    """List the flagged payments, oldest first."""
    found = flag_cases.flagged(bridge.services, limit, order)
    if as_json:
        print_json(found)
        return
    for each in found:
        order = f"order {called(each['order_id'], each['order'])}"
        store = named_beside(each["store"], each["other_entries"])
        click.echo("\t".join((each["payment_intent"], store, order, each["flag"])))


@flags.command()
@click.argument("intent")
@reason_option
@with_bridge
def clear(bridge: Bridge, intent: str, reason: str) -> None:
    """Clear the flag of INTENT, or of the one flagged payment of an order (by its id or number)."""
    cleared = flag_cases.clear(bridge.services, intent, who(), reason)
    note(f"{cleared.shown_id} no longer needs an operator.")


def _tell(report: Report) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(max(report.since, 0.0)))
    click.echo(f"{report.store}, since {since}Z: {report.payments} payments and {report.orders} orders compared")
    for difference in report.differences:
        mark = "healed" if difference.healed else "NEEDS AN OPERATOR"
        click.echo(f"  {mark}: order {difference.order} ({difference.payment}): {difference.text}")
    for stranger in report.strangers:
        click.echo(f"  not ours: {stranger}")
    for problem in report.problems:
        click.echo(f"  NOT COMPARED: {problem}")
    for remark in report.remarks:
        click.echo(f"  note: {remark}")
    if report.released:
        click.echo("  the store takes money again")
    if report.agrees:
        click.echo("  all agree")
