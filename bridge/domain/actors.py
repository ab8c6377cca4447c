"""Who performs an audited act: a person at this machine, a consumer key, or a store's staff."""

import os
import socket
from dataclasses import dataclass

USER, KEY, STAFF = "user", "key", "staff"
"""Kinds of actors: a system user (a command, or a host's own program), a consumer key, the store's staff."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is USER, KEY or STAFF; `name` the system user, the key's id or the store's id; `origin` the machine and
    process, the client's address, or how a store was heard."""

    kind: str
    name: str
    origin: str


def system_user() -> str:
    """Who runs this process. Behind sudo also who asked for it: `alice as root`.

    The user is that of the process, not one of the environment's words, which everybody can set; sudo's word stands
    beside it.
    """
    asked = os.environ.get("SUDO_USER")
    name = _login_name()
    return f"{asked} as {name}" if asked and asked != name else name


def process_actor() -> Actor:
    """The system user, on this machine, in this process."""
    return Actor(USER, system_user(), f"{socket.gethostname()}, pid {os.getpid()}")


def _login_name() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):  # not on Unix, or a container whose user has no name
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else os.environ.get("USERNAME", "unknown")
