"""`init`, `migrate`, `openapi`, `serve`: the bridge as a program."""

import secrets
from pathlib import Path
from typing import Any

import click

from bridge.app import Bridge, create_app
from bridge.cli.console import (
    chosen_bridge,
    command_line,
    note,
    plain_errors,
    print_json,
    with_bridge,
    write_private,
)
from bridge.cli.logging_setup import log_options, logging_to_stderr
from bridge.domain.errors import ConfigurationError
from bridge.payments.shops import rivals
from bridge.reconcile.run import hold_all
from bridge.settings import Settings
from bridge.storage import migrate as migrate_database
from bridge.storage.engine import sqlite_file
from bridge.storage.key_files import exposure

ON_SQLITE, ON_POSTGRESQL = 1, 2
"""Processes of `serve` by default: writers of several SQLite connections in one process wait for each other on a lock,
in several processes by trying again."""


@click.command()
def init() -> None:
    """Create a secret key and the database, where the settings say or in the data directory."""
    with plain_errors(), chosen_bridge() as bridge:
        settings = bridge.settings
        if not settings.secret_key and settings.key_file:
            _make_key(settings.key_file)
            note(f"Secret key: {settings.key_file} (keep a copy: without it the database cannot be read)")
        settings.keys()
        if file := sqlite_file(settings.database_url):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        migrate_database(settings.database_url)
        bridge.open()
    note("Database: ready")
    note("Next, connect a store with a read/write REST key of its own:")
    click.echo(f"{command_line()} stores add --url https://shop.example --consumer-key ck_... --adapter sandbox --test")


def _make_key(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        write_private(file, secrets.token_urlsafe(48) + "\n")


@click.command()
def migrate() -> None:
    """Migrate the database to the newest schema."""
    with plain_errors(), chosen_bridge() as bridge:
        url = bridge.settings.database_url
        migrate_database(url)
        count = rivals(url)
    note("The database is at the newest schema.")
    if count:
        note(f"{count} payments hold an order beside one of another entry of their shop: {command_line()} flags list")


@click.command()
@with_bridge
def openapi(bridge: Bridge) -> None:
    """Print the OpenAPI document."""
    response = create_app(bridge).test_client().get("/bridge/v1/openapi.json")
    print_json(response.get_json())


@click.command()
@click.option("--bind", default="127.0.0.1:8080", show_default=True, help="HOST:PORT or unix:PATH.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default: 1 with SQLite, 2 with PostgreSQL.")
@click.option("--threads", default=64, show_default=True, help="Threads of each process.")
@click.option("--certfile", type=click.Path(exists=True, dir_okay=False))
@click.option("--keyfile", type=click.Path(exists=True, dir_okay=False))
@click.option("--no-worker", is_flag=True, help="Only serve; `wcpay-bridge worker` runs elsewhere.")
@click.option(
    "--after-restore", is_flag=True, help="The database has been restored: no money moves before `reconcile`."
)
@click.option("--access-log", is_flag=True, help="Log one line for each request.")
@log_options
def serve(
    bind: str,
    workers: int | None,
    threads: int,
    certfile: str | None,
    keyfile: str | None,
    no_worker: bool,
    after_restore: bool,
    access_log: bool,
    log_level: str,
    log_format: str,
) -> None:
    """Serve with gunicorn."""
    from bridge.server.application import GunicornServer

    if bool(certfile) != bool(keyfile):
        raise click.UsageError("--certfile and --keyfile go together.")
    with plain_errors():
        settings = Settings.load()
        if keyfile and not settings.shared_key_files and (problem := exposure(Path(keyfile))):
            raise ConfigurationError(f"--keyfile: {problem}.")
        bridge = Bridge(settings)
        bridge.open()
        if after_restore:
            note(f"{len(hold_all(bridge.services))} stores are held until they have been compared.")
        bridge.close()
    options: dict[str, Any] = {
        "bind": bind,
        "workers": workers or (ON_SQLITE if sqlite_file(settings.database_url) else ON_POSTGRESQL),
        "threads": threads,
        "certfile": certfile,
        "keyfile": keyfile,
        "accesslog": "-" if access_log else None,
    }
    with logging_to_stderr(log_level, log_format, settings.secrets()):
        GunicornServer(settings, worker=not no_worker, **options).run()
