"""Values that live elsewhere: `env:NAME` and `file:PATH` are read when they are needed and never stored."""

import os
from pathlib import Path


class UnreadableReference(ValueError):
    """One sentence about a reference that leads nowhere."""


def is_reference(value: str) -> bool:
    return value.startswith(("env:", "file:"))


def resolve(value: str) -> str:
    """What `env:NAME` or `file:PATH` stands for; any other value is itself. Raises UnreadableReference."""
    if not is_reference(value):
        return value
    kind, _, name = value.partition(":")
    if kind == "env":
        if name not in os.environ:
            raise UnreadableReference(f"the environment variable {name} is not set")
        return os.environ[name].strip()
    try:
        return Path(name).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableReference(f"the file {name} cannot be read ({error.__class__.__name__})") from None
