"""Where `serve` and `worker` write their lines: to stderr, as text or JSON, without secrets. A host has its own."""

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import click

from bridge.domain import logs

Command = TypeVar("Command", bound=Callable[..., Any])
LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
IN_A_PATH = "/!$&'()*+,;=:@"
"""What need not be escaped there (RFC 3986, 3.3)."""
LONGEST_MESSAGE = 1000
"""Characters. A client may ask for an address that is longer."""


def log_options(command: Command) -> Command:
    """`--log-level` and `--log-format`."""
    level = click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
    form = click.option("--log-format", type=click.Choice(FORMATS), default="text", show_default=True)
    return level(form(command))


@contextmanager
def logging_to_stderr(level: str, form: str, secrets: Collection[str] = ()) -> Iterator[None]:
    """Every logger of the process, and what a thread dies of, meanwhile. `secrets` are the process' own, which are
    hidden wherever they stand, whatever stands around them."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(secrets) if form == "json" else TextFormatter(secrets))
    handler.addFilter(logs.Redaction())
    root, before, hook = logging.root, logging.root.level, threading.excepthook
    root.addHandler(handler)
    root.setLevel(level.upper())
    sdk = logs.logger("stripe")
    sdk_before = sdk.level
    if level != "debug":  # it tells of every request at INFO, which is DEBUG's business here
        sdk.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    threading.excepthook = _log_death
    try:
        yield
    finally:
        threading.excepthook = hook
        logging.captureWarnings(False)
        sdk.setLevel(sdk_before)
        root.setLevel(before)
        root.removeHandler(handler)


class _Formatter(logging.Formatter):
    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        spelled = {*secrets, *(quote(secret, safe) for secret in secrets for safe in ("", "/", IN_A_PATH))}
        longest_first = sorted(spelled, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if secrets else None

    def _hide(self, text: str) -> str:
        return self._secrets.sub(logs.HIDDEN, text) if self._secrets else text

    def _message(self, record: logging.LogRecord) -> str:
        """Cut only when nothing is in it any more of which a part would tell."""
        message = self._hide(record.getMessage())
        if len(message) <= LONGEST_MESSAGE:
            return message
        return f"{message[:LONGEST_MESSAGE]}... ({len(message)} characters)"

    def _names(self) -> dict[str, str]:
        return {name: self._hide(value) for name, value in logs.names().items()}

    def _traceback(self, record: logging.LogRecord) -> str:
        """Whoever filtered the record has put it there."""
        return self._hide(record.exc_text or "")


class TextFormatter(_Formatter):
    """`2026-01-31T12:00:00.000Z INFO [123] bridge.access: message (request_id=..., attempt_id=...)`."""

    def format(self, record: logging.LogRecord) -> str:
        names = ", ".join(f"{name}={value}" for name, value in self._names().items())
        message = self._message(record) + (f" ({names})" if names else "")
        line = f"{_moment(record)} {record.levelname} [{record.process}] {record.name}: {_one_line(message)}"
        return "\n".join([line, *([text] if (text := self._traceback(record)) else [])])


class JsonFormatter(_Formatter):
    """One object a line: `time`, `level`, `process`, `logger`, `message`, `request_id` and such, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "process": record.process,
            "logger": record.name,
            "message": self._message(record),
            **self._names(),
        }
        if text := self._traceback(record):
            said["exception"] = text
        return json.dumps(said)


def _moment(record: logging.LogRecord) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z"


def _one_line(message: str) -> str:
    """Nobody forges a second line."""
    return message.replace("\r", "\\r").replace("\n", "\\n")


def _log_death(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        logs.logger(__name__).error("a thread has died", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
