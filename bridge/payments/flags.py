"""What an operator has to look at, and that an operator has."""

from collections.abc import Callable
from typing import Any

from bridge.domain.card_data import refuse_card_data
from bridge.domain.errors import Refused
from bridge.domain.intents import JournalKind, PaymentIntent
from bridge.services import Services
from bridge.storage import Connection, intents, journal, metrics, obstacles, shops

AUTHORIZED_FLAG = "authorized: "
"""How a flag begins about money that is only held: when the hold is released, there is nothing left to look at."""
DISPUTED_FLAG = "disputed: "
"""How a flag begins about an open dispute: when it is closed, nobody can answer it any more."""
ORDER_FLAG = "order: "
"""How a flag begins about money whose order cannot take it as it stands: when staff have put the order right, or the
money was refunded in full, there is nothing left to look at."""
PAID_TWICE_FLAG = "paid twice: "
"""How a flag begins about money for an order that somebody else has paid, too: it goes only when it was refunded in
full."""
AMOUNT_FLAG = "amount_differs"
"""How the flag begins of a payment for which the provider has named a different amount."""


def put(connection: Connection, intent_id: str, why: str, now: float) -> None:
    """An operator has to look at it. What was there before is in the journal.

    A flag about a different amount stays, and the journal alone tells of this one: as long as it is there, nothing that
    the provider says is recorded.
    """
    known = intents.get(connection, intent_id, lock=True)
    if known.flag == why:
        return
    if not known.flag.startswith(AMOUNT_FLAG):
        intents.change(connection, intent_id, flag=why, updated=now)
    journal.write(connection, now, intent_id, JournalKind.FLAGGED, why=why)


def put_unless_graver(connection: Connection, intent_id: str, why: str, now: float) -> None:
    """An operator has to look at the order, unless there is more to look at already: then the journal alone tells of
    it."""
    known = intents.get(connection, intent_id, lock=True)
    is_grave = known.flag and not known.flag.startswith((AUTHORIZED_FLAG, ORDER_FLAG))
    if is_grave and not (known.flag.startswith(PAID_TWICE_FLAG) and why.startswith(PAID_TWICE_FLAG)):
        if why not in _whys(connection, intent_id, JournalKind.FLAGGED, "why"):
            journal.write(connection, now, intent_id, JournalKind.FLAGGED, why=why)
        return
    put(connection, intent_id, why, now)


def flag(services: Services, intent_id: str, why: str, how: Callable[..., None] = put) -> None:
    """An operator has to look at it: one of the rules below and above, in a transaction of its own."""
    with services.database.write() as connection:
        how(connection, intent_id, why, services.clock())


def put_once(connection: Connection, intent_id: str, why: str, now: float) -> None:
    """An operator has to look at something of which they are told once, whatever has become of that flag."""
    if why not in _whys(connection, intent_id, JournalKind.FLAGGED, "why"):
        put(connection, intent_id, why, now)


def was_cleared(connection: Connection, intent_id: str, why: str) -> bool:
    """Whether an operator has said that this very thing is dealt with."""
    return why in _whys(connection, intent_id, JournalKind.FLAG_CLEARED, "flag")


def put_unless_cleared(connection: Connection, intent_id: str, why: str, now: float) -> None:
    """An operator has to look at a paid order, unless one has said that this very thing is dealt with."""
    if not was_cleared(connection, intent_id, why):
        put_unless_graver(connection, intent_id, why, now)


def clear_order_flag(connection: Connection, intent_id: str, why: str, now: float, *, is_back: bool = False) -> None:
    """Nobody has to look at the order any more, and the story says why. `is_back`: the money was refunded in full."""
    known = intents.get(connection, intent_id, lock=True)
    if known.flag.startswith(
        (AUTHORIZED_FLAG, ORDER_FLAG, PAID_TWICE_FLAG) if is_back else (AUTHORIZED_FLAG, ORDER_FLAG)
    ):
        intents.change(connection, intent_id, flag="", updated=now)
        journal.write(connection, now, intent_id, JournalKind.FLAG_SETTLED, flag=known.flag, why=why)


def flagged(services: Services, limit: int = 50, order: str | None = None) -> list[dict[str, Any]]:
    """The payments that need an operator, the one that waits longest first; of one `order` (id or number) only."""
    with services.database.read() as connection:
        found = metrics.flagged_intents(connection, limit, order)
        others = shops.beside(connection, {each["store_id"] for each in found})
        return [
            {
                "payment_intent": each["public_id"] or each["id"],
                "store": each["store_id"],
                "other_entries": others.get(each["store_id"], []),
                "order": each["order_number"],
                "order_id": each["order_id"],
                "flag": each["flag"],
                "since": each["updated"],
            }
            for each in found
        ]


def clear(services: Services, name: str, who: str, reason: str) -> PaymentIntent:
    """Somebody has done what there was to do about a payment, named by any of its ids or by its order.

    Raises Refused without a reason, for card data in it, if nothing waits,
    or if an order has several payments that do.
    """
    if not reason.strip():
        raise Refused("Give a reason that says what was done: it is kept with the payment.")
    refuse_card_data(reason)
    now = services.clock()
    with services.database.write() as connection:
        found = [intent for intent in intents.named(connection, name) if intent.flag]
        if len(found) > 1:
            waiting = ", ".join(intent.shown_id for intent in found)
            raise Refused(f"{name} names several payments that need an operator: {waiting}. Name one of them.")
        if not found:
            raise Refused(f"There is no flagged payment {name}.")
        intent = intents.get(connection, found[0].id, lock=True)
        if intent.unknown and not obstacles.is_left_behind(connection, intent.id):
            raise Refused(f"The outcome of {name} is unknown: settle it. That clears the flag, too.")
        intents.change(connection, intent.id, flag="", updated=now)
        journal.write(connection, now, intent.id, JournalKind.FLAG_CLEARED, flag=intent.flag, who=who, why=reason)
        services.audit_act(connection, "flags.clear", intent.shown_id, flag=intent.flag, why=reason)
        return intents.get(connection, intent.id)


def _whys(connection: Connection, intent_id: str, kind: str, name: str) -> set[str]:
    """That member of the journal lines of a kind, for one payment."""
    return {line["detail"].get(name, "") for line in journal.read(connection, intent_id) if line["kind"] == kind}
