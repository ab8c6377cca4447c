"""What of a store's payments is not over, counted and let be; one statement for each, by indexes of just those rows."""

from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, literal_column, select, union, update

from bridge.domain.intents import FINAL, UNSETTLED
from bridge.storage.compiled import Connection
from bridge.storage.intents import unsettled
from bridge.storage.payment_tables import attempts, intents, refunds
from bridge.storage.tables import EMPTY, outbox, stores, word, words

NEVER_DUE = float("inf")


def lock_store(connection: Connection, store_id: str) -> None:
    """Until this transaction ends nothing begins at the store: an attempt refers to its row (see `add_attempt`)."""
    connection.execute(_LOCK, {"store": store_id})


def counts(connection: Connection, store_id: str) -> dict[str, int]:
    """How many, by what they are."""
    return {name: int(connection.execute(query, {"store": store_id}).scalar() or 0) for name, query in _COUNTS.items()}


def left_behind(connection: Connection, store_id: str) -> list[str]:
    """The ids of the intents that are behind the counts, but for those that are only flagged."""
    return list(connection.execute(_LEFT_BEHIND, {"store": store_id}).scalars())


def let_be(connection: Connection, store_id: str, intent_ids: list[str]) -> None:
    """Nobody asks a provider about them any more. What is unknown stays so, and what holds its order goes on."""
    connection.execute(_FREEZE, {"store": store_id, "busy_until": NEVER_DUE, "next_check_at": NEVER_DUE})
    for intent_id in intent_ids:
        connection.execute(_NO_LOOK, {"the_id": intent_id, "look_at": None})


def is_left_behind(connection: Connection, intent_id: str) -> bool:
    """Whether the outcome of an intent is unknown, and nobody will ask for it any more (`let_be`)."""
    attempt = unsettled(connection, intent_id)
    return attempt is not None and attempt.busy_until == NEVER_DUE


def forget_updates(connection: Connection, store_id: str) -> None:
    """Nobody tells the shop any more what it has not heard."""
    connection.execute(_FORGET, {"store": store_id})


def _count(table: Any, *conditions: Any) -> Select[Any]:
    return select(func.count()).select_from(table).where(table.c.store_id == bindparam("store"), *conditions)


_is_open = and_(intents.c.status.not_in(words(FINAL)), ~intents.c.only_known)  # those are others' to end
_is_unsettled = attempts.c.state.in_(words(UNSETTLED))
_is_untold = outbox.c.state == word("pending")
_is_dead = outbox.c.state == word("dead")
_is_pending = refunds.c.status == word("pending")
_COUNTS = {
    "open": _count(intents, _is_open),
    "unknown": _count(attempts, _is_unsettled),
    "flagged": _count(intents, intents.c.flag != EMPTY),
    "refunds": _count(refunds, _is_pending),
    "untold": _count(outbox, _is_untold),
    "dead": _count(outbox, _is_dead),
}
_of_store: Any = bindparam("store")
_LEFT_BEHIND = union(
    select(intents.c.id).where(intents.c.store_id == _of_store, _is_open),
    select(attempts.c.intent_id).where(attempts.c.store_id == _of_store, _is_unsettled),
    select(refunds.c.intent_id).where(refunds.c.store_id == _of_store, _is_pending),
    select(outbox.c.intent_id).where(outbox.c.store_id == _of_store, _is_untold),
    select(outbox.c.intent_id).where(outbox.c.store_id == _of_store, _is_dead),
)
_LOCK = select(stores.c.id).where(stores.c.id == bindparam("store")).with_for_update()
_FREEZE = update(attempts).where(attempts.c.store_id == bindparam("store"), _is_unsettled)
_NO_LOOK = update(intents).where(intents.c.id == bindparam("the_id"))
_FORGET = delete(outbox).where(
    outbox.c.store_id == bindparam("store"), outbox.c.state.in_((literal_column("'pending'"), literal_column("'dead'")))
)
