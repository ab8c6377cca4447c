"""What stands in the way of removing a store, and of a change of its adapter, mode or account: payments that are not
over. Only the account at which one was begun can end it, and only a store that is here hears of it.
"""

from dataclasses import dataclass

from bridge.domain import logs
from bridge.domain.errors import Refused
from bridge.domain.intents import JournalKind
from bridge.payments import flags
from bridge.storage import Connection, journal, obstacles

log = logs.logger(__name__)

REASON = "open_payments"
_WORDS = {
    "open": ("open payment", "open payments"),
    "unknown": ("unknown outcome", "unknown outcomes"),
    "flagged": ("payment that needs an operator", "payments that need an operator"),
    "refunds": ("refund that is under way", "refunds that are under way"),
    "untold": ("update that the store has not received", "updates that the store has not received"),
    "dead": ("dead letter", "dead letters"),
}
_WAYS = {
    "open": "wait until they are over, cancel their orders, or capture or void what is held",
    "unknown": "wcpay-bridge settle INTENT --as paid/not-paid --reason ...",
    "flagged": "wcpay-bridge flags list, then flags clear INTENT --reason ...",
    "refunds": "wait until the provider has carried them out",
    "untold": "wait for the store, wcpay-bridge outbox list",
    "dead": "wcpay-bridge outbox retry --all-dead",
}
_LOST = {
    "open": "a buyer may still pay, and the bridge will not know; money that is held is neither captured nor voided",
    "unknown": "nobody finds out whether money has moved; their orders stay held",
    "flagged": "the flags stay until somebody clears them",
    "refunds": "the bridge does not learn whether they fail",
    "untold": "the store is not updated",
    "dead": "the store is not updated",
}


@dataclass(frozen=True, slots=True)
class Obstacles:
    """How many of what, by the names of _WORDS; what is not there is left out."""

    counts: dict[str, int]

    def __bool__(self) -> bool:
        return bool(self.counts)

    def __str__(self) -> str:
        return ", ".join(f"{count} {_WORDS[name][count > 1]}" for name, count in self.counts.items())

    @property
    def way_on(self) -> str:
        """One line for each: what the owner can do."""
        return self._lines(_WAYS)

    @property
    def lost(self) -> str:
        """One line for each: what is lost without that."""
        return self._lines(_LOST)

    def _lines(self, told: dict[str, str]) -> str:
        return "\n".join(f"  {count} {_WORDS[name][count > 1]}: {told[name]}" for name, count in self.counts.items())


def find(connection: Connection, store_id: str) -> Obstacles:
    """From here until the transaction ends nothing new begins at the store."""
    obstacles.lock_store(connection, store_id)
    return Obstacles({name: count for name, count in obstacles.counts(connection, store_id).items() if count})


def require_none(found: Obstacles, store_id: str, what: str) -> None:
    """Raises Refused with the counts, and with the way on."""
    if found:
        raise Refused(
            f"Store {store_id} {what}: {found} would be left behind.\n{found.way_on}\nOr use --force, and lose them.",
            reason=REASON,
        )


def leave_behind(connection: Connection, store_id: str, why: str, now: float, *, is_removed: bool) -> None:
    """Somebody wants it in spite of all: each payment is flagged, so that a person looks at it, and nobody asks a
    provider about it any more, who may not know it now."""
    found = obstacles.left_behind(connection, store_id)
    for intent_id in found:
        journal.write(connection, now, intent_id, JournalKind.LEFT_BEHIND, why=why)
        flags.put_unless_graver(connection, intent_id, f"{why} Check at the provider what has become of it.", now)
    obstacles.let_be(connection, store_id, found)
    if is_removed:
        obstacles.forget_updates(connection, store_id)
    log.warning("store %s: %s %d payments were left behind", store_id, why, len(found))
