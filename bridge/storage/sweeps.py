"""What is recorded of open payments about their orders: when each was read last, and since when it is not there."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from bridge.domain.intents import FINAL
from bridge.storage.literals import words
from bridge.storage.tables import intents


@dataclass(frozen=True, slots=True)
class Open:
    """A payment that is not over. Times are Unix seconds: when it was begun, its page looked at its order, the sweep
    read its order, and the store first said that it does not have it (None if it has)."""

    id: str
    order_id: int
    closed: str
    created: float
    order_seen: float
    order_swept: float
    order_missed: float | None

    def is_gone(self, apart: float) -> bool:
        """Whether its order was not there twice, so many seconds apart."""
        return self.order_missed is not None and self.order_swept - self.order_missed >= apart


def of_store(connection: Connection, store_id: str) -> list[Open]:
    """Those that were not swept for longest come first."""
    found = [Open(**row._mapping) for row in connection.execute(_OPEN, {"store": store_id})]
    return sorted(found, key=lambda each: (each.order_swept, each.created, each.id))


def swept(connection: Connection, ids: Collection[str], now: float) -> None:
    """Their orders were read, or tried to be; `now` 0: they are to be read by the next sweep."""
    connection.execute(_SWEPT, {"ids": list(ids), "now": now})


def missed(connection: Connection, intent_id: str, since: float | None) -> None:
    connection.execute(_MISSED, {"the_id": intent_id, "since": since})


_OPEN = select(*(intents.c[name] for name in Open.__slots__)).where(
    intents.c.store_id == bindparam("store"), intents.c.status.not_in(words(FINAL))
)
_SWEPT = update(intents).where(intents.c.id.in_(bindparam("ids", expanding=True))).values(order_swept=bindparam("now"))
_MISSED = update(intents).where(intents.c.id == bindparam("the_id")).values(order_missed=bindparam("since"))
