"""Consumer keys that have just been proven, so that the next requests of a client need not ask the database.

A pair is remembered for a second, and found again only by whoever shows key and secret once more: what is kept is a
keyed hash of the two together, and no secret. So a wrong secret is never taken for a right one, and it costs the same
work whether or not the right one was remembered.
"""

import hmac
import os
from dataclasses import dataclass

from bridge.domain.ports import Clock
from bridge.domain.stores import ApiKey

REMEMBERED_SECONDS = 1.0
"""After this time what was changed or revoked by another process has come into effect here."""
MOST_KEYS = 1000
"""As many are remembered by a process."""


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """A key as the database had it at `read_at` (Unix seconds), and the version of its store's row by then."""

    key: ApiKey
    store_updated: float
    read_at: float


class KeyMemory:
    """Of one bridge in one process. Entries are put and found in one step each: it needs no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hash_key = os.urandom(32)
        self._proven: dict[bytes, ProvenKey] = {}

    def forget(self) -> None:
        """Ask the database for every key anew: something was changed, or this process was forked from another."""
        self._proven = {}

    def keep(self, consumer_key: str, consumer_secret: str, proven: ProvenKey) -> None:
        """Only for a caller who has proven to know the secret."""
        if len(self._proven) >= MOST_KEYS:
            self._proven = {}
        self._proven[self._name(consumer_key, consumer_secret)] = proven

    def recall(self, consumer_key: str, consumer_secret: str) -> ProvenKey | None:
        proven = self._proven.get(self._name(consumer_key, consumer_secret))
        return proven if proven and 0 <= self._clock() - proven.read_at < REMEMBERED_SECONDS else None

    def _name(self, consumer_key: str, consumer_secret: str) -> bytes:
        """Nobody can make one that is like another by trying: its key is this process' own."""
        pair = f"{len(consumer_key)} {consumer_key} {consumer_secret}"
        return hmac.digest(self._hash_key, pair.encode("utf-8", "surrogatepass"), "sha256")
