"""An order is charged once (rule 3), because the partial unique index `uq_intents_holding` lets one intent at a time
hold it, of whichever entry of its shop. The row is there before the provider is asked anything (rule 1).
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError

from bridge.domain.intents import Attempt, JournalKind, PaymentIntent, Status
from bridge.storage import journal
from bridge.storage.compiled import Connection
from bridge.storage.engine import Database
from bridge.storage.intents import WITH_CHARGE, add_attempt, add_intent, first
from bridge.storage.payment_tables import charges, intents
from bridge.storage.shops import shop_of
from bridge.storage.tables import words


def claim(
    database: Database,
    intent: PaymentIntent,
    attempt: Attempt,
    asked: dict[str, Any],
    *,
    generation: int,
    moves_money: bool = True,
    kind: JournalKind = JournalKind.CREATE_SENT,
    then: Callable[[Connection], object] = lambda _connection: None,
) -> bool:
    """Let the intent hold its order, with its first attempt and the journal's first line (of that `kind`), in one
    transaction, in which `then` may write more.

    False if another intent holds the order; then nothing was written. `generation` is that of the store as its adapter
    knows it; `moves_money` and errors as of `add_attempt`.
    """
    try:
        with database.write() as connection:
            add_intent(connection, intent)
            add_attempt(connection, attempt, generation, moves_money=moves_money)
            journal.write(connection, attempt.created, intent.id, kind, attempt_id=attempt.id, **asked)
            then(connection)
    except IntegrityError:
        with database.read() as connection:
            if holding(connection, intent.store_id, intent.live, intent.order_id, intent.order_key) is None:
                raise
        return False
    return True


def holding(connection: Connection, store_id: str, live: bool, order_id: int, order_key: str) -> PaymentIntent | None:
    """The intent that holds the order of the store's shop, whichever entry has begun it; one of them, if several do."""
    return first(connection, _HOLDING, store=store_id, live=live, order=order_id, key=order_key)


_is_open = intents.c.status.in_(
    words((Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION))
)
_HOLDING = (
    WITH_CHARGE.where(
        intents.c.shop_id == shop_of("store"),
        intents.c.live == bindparam("live"),
        intents.c.order_id == bindparam("order"),
        intents.c.order_key == bindparam("key"),
        intents.c.holding,
    )
    .order_by(_is_open, intents.c.rival, charges.c.created.desc())  # of several, what only a proven no ends
    .limit(1)
)
