"""The audit trail for its readers; and acts that are not transactions of ours, such as what is asked of a provider."""

from dataclasses import dataclass
from typing import Any

from bridge.domain.errors import Refused
from bridge.services import Services
from bridge.storage import audit
from bridge.storage.audit import BEGINNING, Anchor

NEWEST = 1000
"""Acts that `doctor` verifies each time: some milliseconds' work."""


@dataclass(frozen=True, slots=True)
class Verified:
    """`end` is where the trail ends (None without a head): whoever keeps it elsewhere can tell later that no newer act
    than those that were noted is missing."""

    end: Anchor | None
    problems: list[str]


def record(services: Services, act: str, subject: str, **detail: Any) -> None:
    """Write down what is about to be done elsewhere: nothing is done without a trace."""
    with services.database.write() as connection:
        services.audit_act(connection, act, subject, **detail)


def acts(services: Services, limit: int, act: str | None = None, subject: str | None = None) -> list[dict[str, Any]]:
    """The newest acts, newest first; of one kind or about one thing only."""
    with services.database.read() as connection:
        return audit.latest(connection, limit, act, subject)


def verify(services: Services, *, newest: int | None = None, known: str | None = None) -> Verified:
    """Whether the trail is whole: all of it, or the `newest` acts. `known` is NUMBER:DIGEST, noted at another time.

    Raises Refused for an invalid anchor.
    """
    anchor = _anchor(known) if known else None
    with services.database.snapshot() as connection:
        problems = list(audit.verify(connection, services.vault, newest=newest, known=anchor))
        return Verified(audit.end(connection), problems)


def _anchor(text: str) -> Anchor:
    if text == str(BEGINNING):
        return BEGINNING
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdigit() and len(digest) == 64):
        raise Refused("An anchor is NUMBER:DIGEST, as `audit verify` prints it.")
    return Anchor(int(number), digest)
