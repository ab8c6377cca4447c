"""`demo`, and from another terminal `demo env` and `demo trigger`, which find the one that runs."""

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import requests

from bridge.cli.console import catch_endings, note, write_private
from bridge.cli.demo_hands import TRIGGERS, lay_hands, named

PROGRAM = "wcpay-bridge"
FOLDER = "wcpay-bridge-demo-"
"""How the names of a demo's folders in the temporary directory begin."""
INFO = "info.json"
SECONDS_TO_ANSWER = 10.0


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, help="0 picks a free one.")
@click.option("--info", type=click.Path(dir_okay=False, path_type=Path), help="Write addresses and keys as JSON.")
@click.pass_context
def demo(context: click.Context, host: str, port: int, info: Path | None) -> None:
    """Start a complete local environment: a store, providers and a bridge. Nothing is kept, and no money moves."""
    if context.invoked_subcommand is None:
        _run(host, port, info)


def _run(host: str, port: int, info: Path | None) -> None:
    from bridge.cli.demo_world import World, welcome

    wait_for_end = catch_endings()
    try:
        world = World(host, port)
    except OSError as error:
        raise click.ClickException(f"Port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}.") from None
    with world:
        told = world.info()
        for file in filter(None, (info, world.directory / INFO)):
            write_private(file, json.dumps(told, indent=2) + "\n")
        click.echo(welcome(told, _program()))
        wait_for_end()
    if info:
        info.unlink(missing_ok=True)


store_option = click.option("--store", metavar="NAME", help="A store of the demo, as its first page names it.")
port_option = click.option("--port", type=int, help="The port of the demo, if several are running.")


@demo.command()
@store_option
@port_option
def env(store: str | None, port: int | None) -> None:
    """Print the variables of the running demo as `export` lines: eval "$(wcpay-bridge demo env)"."""
    info = running(port)
    for name, value in variables(info, named(info, store or "sandbox")).items():
        click.echo(f"export {name}={shlex.quote(value)}")


NAMES = "\b\nNAME is one of\n" + "\n".join(f"  {name:15}  {trigger.does}" for name, trigger in TRIGGERS.items())


@demo.command(epilog=NAMES)
@click.argument("name")
@click.argument("order")
@store_option
@port_option
def trigger(name: str, order: str, store: str | None, port: int | None) -> None:
    """Make something happen to the newest payment of ORDER, at its provider or in its store.

    If several stores have one, it is the store where that can happen, or else the one of `demo env` in this shell.
    """
    note(lay_hands(running(port), name, order, store, near=os.environ.get("STORE", "")))


def running(port: int | None = None) -> dict[str, Any]:
    """What the running demo of this user has told. Raises ClickException unless there is exactly one."""
    found = [info for info in _written() if port in (None, urlsplit(info["base_url"]).port) and _answers(info)]
    if not found:
        raise click.ClickException(f"No demo is running{f' at port {port}' if port else ''}. Start one: {PROGRAM} demo")
    if len(found) > 1:
        ports = ", ".join(sorted(str(urlsplit(info["base_url"]).port) for info in found))
        raise click.ClickException(f"Several demos are running: choose one with --port (there are: {ports}).")
    return found[0]


def _written() -> Iterator[dict[str, Any]]:
    """By demos of this user only: what others put into the temporary directory is nothing for a shell."""
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{FOLDER}*")):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            info = json.loads((folder / INFO).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # it is just starting, or has just ended
            continue
        yield info


def _answers(info: dict[str, Any]) -> bool:
    try:
        answer = requests.get(f"{info['base_url']}/bridge/v1/health/live", timeout=SECONDS_TO_ANSWER)
    except requests.RequestException:
        return False
    return answer.ok


def variables(info: dict[str, Any], store: dict[str, Any]) -> dict[str, str]:
    """For a shell: what the pages about the demo use."""
    pair, simulators = store["keys"]["read_write"], info["simulators"]
    orders = {name.upper().replace("PAYABLE", "ORDER"): str(order) for name, order in store["orders"].items()}
    return {
        "KEY": f"{pair['consumer_key']}:{pair['consumer_secret']}",
        "BRIDGE": info["base_url"],
        "PAYMENTS": f"{info['base_url']}/wp-json/wc/v3/payments",
        "STORE": store["id"],
        "SHOP": f"{store['store_url']}/wp-json/wc/v3",
        "CUSTOMER": store["customer"],
        **{name: order for name, order in orders.items() if name.startswith(("ORDER", "VIRTUAL"))},
        "CA": info["ca_file"],
        "SHOPS": simulators["woocommerce"],
        "STRIPE": simulators["stripe"],
        "FORTE": simulators["forte_payments"],
        "PLATFORM": simulators["forte_platform"],
        "BRIDGE_DATABASE_URL": info["database_url"],
        "BRIDGE_SECRET_KEY": info["secret_key"],
        "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
    }


def _program() -> str:
    """How whoever started this program can start it again."""
    return PROGRAM if shutil.which(PROGRAM) else shlex.quote(os.path.abspath(sys.argv[0]))
