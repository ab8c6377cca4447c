"""`audit`: who has done what, and whether that record is whole."""

import click

from bridge.app import Bridge
from bridge.cli.console import iso_time, json_option, note, print_json, with_bridge
from bridge.operations import audit as use_cases


@click.group()
def audit() -> None:
    """The audit trail: every administrative act, each chained to the one before."""


@audit.command("list")
@click.option("--limit", default=50, show_default=True)
@click.option("--act", metavar="ACT", help="Only acts of this kind, such as keys.revoke.")
@click.option("--about", metavar="ID", help="Only what was done to this store, key, payment, message or update.")
@json_option
@with_bridge
def list_(bridge: Bridge, limit: int, act: str | None, about: str | None, as_json: bool) -> None:
    """List the newest acts, newest first."""
    found = use_cases.acts(bridge.services, limit, act, about)
    if as_json:
        print_json(found)
        return
    for each in found:
        detail = " ".join(f"{name}={value}" for name, value in each["detail"].items() if value not in (None, ""))
        who = f"{each['kind']} {each['who']} ({each['origin']})"
        click.echo("\t".join((str(each["number"]), iso_time(each["at"]), each["act"], each["subject"], who, detail)))


@audit.command()
@click.option("--anchor", metavar="NUMBER:DIGEST", help="The line that an earlier `audit verify` printed.")
@json_option
@with_bridge
def verify(bridge: Bridge, anchor: str | None, as_json: bool) -> None:
    """Verify that no act was changed, removed or moved. Exit code 1 if one was."""
    found = use_cases.verify(bridge.services, known=anchor)
    if as_json:
        print_json({"ok": not found.problems, "end": str(found.end or ""), "problems": found.problems})
    else:
        for problem in found.problems:
            click.echo(f"NO  {problem}")
        if not found.problems:
            click.echo(f"{found.end}")
            note(
                "The audit trail is intact up to this act. "
                "Keep this line elsewhere: --anchor compares the trail with it later."
            )
    if found.problems:
        raise SystemExit(1)
