"""What all commands share: the Bridge they work on, how they print and how they fail."""

import getpass
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import Flask
from flask.cli import ScriptInfo

from bridge.app import EXTENSION, Bridge
from bridge.cli.lazy_group import CHOSEN
from bridge.domain.deadlines import DAY, HOUR
from bridge.domain.errors import BridgeError, Refused
from bridge.storage.vault import is_reference

Command = TypeVar("Command", bound=Callable[..., Any])
UNITS = {"m": 60.0, "h": HOUR, "d": DAY}
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
order_option = click.option("--order", metavar="ORDER", help="Only this order: its id or its number.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@contextmanager
def chosen_bridge() -> Iterator[Bridge]:
    """Under `flask bridge` the one that the host app has mounted (under the name of `--bridge`), in the app's context;
    else one from the environment's settings. Nothing of it is open yet."""
    context = click.get_current_context()
    script = context.find_object(ScriptInfo)
    if script is None:
        bridge = Bridge()
        try:
            yield bridge
        finally:
            bridge.close()
        return
    app = script.load_app()
    with app.app_context():
        yield _mounted(app, context.find_root().meta.get(CHOSEN))


@contextmanager
def opened_bridge() -> Iterator[Bridge]:
    """The same with its database open. Raises NotReady."""
    with chosen_bridge() as bridge:
        bridge.open()
        yield bridge


def _mounted(app: Flask, name: str | None) -> Bridge:
    mounted = {key: each for key, each in app.extensions.items() if isinstance(each, Bridge)}
    if not mounted:
        raise click.ClickException("No bridge is mounted in this app: call Bridge(...).init_app(app).")
    wanted = name or (EXTENSION if EXTENSION in mounted else next(iter(mounted)))
    if wanted not in mounted:
        like = get_close_matches(wanted, mounted, n=1)
        question = f" Did you mean {like[0]}?" if like else ""
        raise click.ClickException(
            f"No bridge of this app is called {wanted} (there are: {', '.join(mounted)}).{question}"
        )
    return mounted[wanted]


def command_line() -> str:
    """How the commands begin for whoever runs this one."""
    context = click.get_current_context()
    if context.find_object(ScriptInfo) is None:
        return "wcpay-bridge"
    name = context.find_root().meta.get(CHOSEN)
    return f"flask bridge --bridge {name}" if name else "flask bridge"


def with_bridge(command: Command) -> Command:
    """Give the command the Bridge as its first argument, and turn our errors into one message and exit code 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        with plain_errors(), opened_bridge() as bridge:
            return command(bridge, *args, **kwargs)

    return run  # type: ignore[return-value]


@contextmanager
def plain_errors() -> Iterator[None]:
    try:
        yield
    except BridgeError as error:
        raise click.ClickException(str(error).removeprefix("Error: ")) from None


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def iso_time(seconds: float) -> str:
    """A time in Unix seconds, as people and programs read it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def moment(text: str, now: float, *, ahead: bool = False) -> float:
    """Unix seconds of a time, or of so long ago, or ahead. Raises Refused."""
    if match := re.fullmatch(r"([0-9]{1,6})([mhd])", text):
        seconds = int(match[1]) * UNITS[match[2]]
        return now + seconds if ahead else now - seconds
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise Refused(f"{text} is not a time such as 2026-01-31, 2026-01-31T12:00 or 36h.") from None


def note(message: str) -> None:
    """For people: to stderr, so that stdout stays for results."""
    click.echo(message, err=True)


def catch_endings() -> Callable[[], None]:
    """From now on SIGTERM, Ctrl-C and SIGHUP interrupt nothing, however often they come; gives what waits for one.

    SIGHUP comes when the terminal is closed. Where it is ignored already, as under `nohup`, it stays so; SIGINT does
    not, which shells ignore for what a script starts in the background.

    It waits for a byte that the interpreter writes in whichever thread the signal finds, so that none is lost: a
    handler could run just before a wait, or in the middle of another handler.
    """
    waiting, telling = socket.socketpair()
    telling.setblocking(False)
    signal.set_wakeup_fd(telling.fileno(), warn_on_full_buffer=False)
    endings = _endings()
    for number in endings:
        signal.signal(number, lambda *_: None)

    def wait() -> None:
        with waiting, telling:
            while waiting.recv(1)[0] not in endings:
                pass
            for number in endings:
                signal.signal(number, signal.SIG_IGN)
            signal.set_wakeup_fd(-1)

    return wait


def interrupt_on_endings() -> None:
    """From now on each of the signals of `catch_endings` is a KeyboardInterrupt, so that nothing is left behind."""
    for number in _endings():
        signal.signal(number, signal.default_int_handler)


def _endings() -> list[signal.Signals]:
    is_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [number for number in ENDINGS if number is not signal.SIGHUP or not is_nohup]


def who() -> str:
    """Who runs the command, as far as this machine knows; behind sudo, the one who asked for it."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def warn_of_secret(option: str, better: str) -> None:
    """On stderr, so that what the command prints for programs stays as it is."""
    note(f"Warning: {option} contains a secret, which the process list and the shell's history show. Better: {better}.")


def secret(value: str | None, prompt: str) -> str:
    """A secret from an option.

    `-` reads a line of stdin, nothing asks at the terminal, `env:` and `file:` stay as they are. Any other is the
    secret itself, which is taken with a warning.
    """
    if value == "-":
        return sys.stdin.readline().strip()
    if value and not is_reference(value):
        option = f"--{prompt.lower().replace(' ', '-')}"
        warn_of_secret(option, "leave it out to be prompted, or give - for stdin, env:NAME or file:PATH")
    return value if value else str(click.prompt(prompt, hide_input=True, err=True))


def write_private(path: Path, text: str) -> None:
    """All or nothing, readable by the owner only."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)
