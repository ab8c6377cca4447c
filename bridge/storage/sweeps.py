"""What is recorded of payments about their orders: when each was read last, when the next time is, and since when it is
not there."""

from collections.abc import Collection
from dataclasses import dataclass
from math import inf

from sqlalchemy import bindparam, select, update

from bridge.domain.intents import FINAL
from bridge.storage.compiled import Connection
from bridge.storage.payment_tables import intents
from bridge.storage.tables import words


@dataclass(frozen=True, slots=True)
class Follower:
    """A payment that follows its order. Times are Unix seconds: when it was begun, its page looked at its order, the
    sweep read its order, and the store first said that it does not have it (None if it has).

    At `order_due` the order of one that took money is to be read the next time; None as long as it is open."""

    id: str
    order_id: int
    closed: str
    created: float
    order_seen: float
    order_swept: float
    order_missed: float | None
    order_due: float | None

    @property
    def is_paid(self) -> bool:
        return self.order_due is not None

    def is_gone(self, apart: float) -> bool:
        """Whether its order was not there twice, so many seconds apart."""
        return self.order_missed is not None and self.order_swept - self.order_missed >= apart


def of_store(connection: Connection, store_id: str) -> list[Follower]:
    """Those that are open. Those that were not swept for longest come first."""
    found = [Follower(**row._mapping) for row in connection.execute(_OPEN, {"store": store_id})]
    return sorted(found, key=lambda each: (each.order_swept, each.created, each.id))


def paid(connection: Connection, store_id: str, limit: int, until: float = inf) -> list[Follower]:
    """Those that took money and whose orders are to be read by then; those that are due first come first."""
    wanted = {"store": store_id, "until": until, "limit": limit}
    return [Follower(**row._mapping) for row in connection.execute(_PAID, wanted)]


def swept(connection: Connection, ids: Collection[str], now: float) -> None:
    """Their orders were read, or tried to be; `now` 0: they are to be read by the next sweep."""
    connection.execute(_SWEPT, {"ids": list(ids), "now": now})


def paid_swept(connection: Connection, ids: Collection[str], now: float, due: float | None) -> None:
    """The same of payments that took money: at `due` their orders are read again, None if never."""
    connection.execute(_PAID_SWEPT, {"ids": list(ids), "now": now, "due": due})


def hurry_paid(connection: Connection, store_id: str, now: float) -> bool:
    """Have the orders of all payments that took money read that are read at all. False if there is none."""
    return connection.execute(_HURRY, {"store": store_id, "now": now}).rowcount > 0


def missed(connection: Connection, intent_id: str, since: float | None) -> None:
    connection.execute(_MISSED, {"the_id": intent_id, "since": since})


_FOLLOWER = select(*(intents.c[name] for name in Follower.__slots__)).where(intents.c.store_id == bindparam("store"))
_OPEN = _FOLLOWER.where(intents.c.status.not_in(words(FINAL)))
_PAID = (
    _FOLLOWER.where(intents.c.order_due.is_not(None), intents.c.order_due <= bindparam("until"))
    .order_by(intents.c.order_due)
    .limit(bindparam("limit"))
)
_of_ids = intents.c.id.in_(bindparam("ids", expanding=True))
_SWEPT = update(intents).where(_of_ids).values(order_swept=bindparam("now"))
_PAID_SWEPT = update(intents).where(_of_ids).values(order_swept=bindparam("now"), order_due=bindparam("due"))
_later = (
    select(intents.c.id)
    .where(intents.c.store_id == bindparam("store"))
    .where(intents.c.order_due.is_not(None), intents.c.order_due > bindparam("now"))
    .with_for_update(skip_locked=True)  # that one has its order read right now; nobody waits for many, nor they for him
)
_HURRY = update(intents).where(intents.c.id.in_(_later)).values(order_due=bindparam("now"))
_MISSED = update(intents).where(intents.c.id == bindparam("the_id")).values(order_missed=bindparam("since"))
