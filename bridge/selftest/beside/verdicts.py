"""What must never be, said from ledgers, shops and what others did: nothing of the bridge's own judgement is here.

Each verdict has a name of its own, and is counted as one: all of them are 0.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.selftest.beside.acts import BANK, PAYPAL, Owed
from bridge.selftest.beside.books import Money
from bridge.selftest.judge import FLAGGED, Kind

VERDICTS: Mapping[str, tuple[Kind, str]] = {
    "untold": ("lost", "orders that took more than they owed, and nobody was told"),
    "again": ("double", "paid orders that were charged again"),
    "ended": ("wrong", "orders that were charged although they owed nothing or another sum when they were read"),
    "held": ("stuck", "holds left one interval after their order was cancelled"),
    "unflagged": ("lost", "other holds whose order had changed, and nobody was told"),
    "fulfilled": ("wrong", "orders that stand fulfilled for another sum a minute later"),
    "told": ("wrong", "buyers and clients who were told paid, or not paid, wrongly"),
    "given": ("wrong", "ways to pay that were given for what is not owed"),
    "unpaid": ("lost", "orders that were paid, and are not shown so"),
    "refused": ("stuck", "buyers who could not pay what is owed"),
    "forgotten": ("lost", "payments at readers, and of stores that were changed or removed, that nobody was told of"),
    "left": ("lost", "stores that were changed or removed, unforced, while payments were under way"),
    "barred": ("stuck", "owners who could not change or remove a store although nothing was under way"),
}
"""By name: how the table of all batteries counts it, and what it is."""
FULFILLED = ("processing", "completed")


@dataclass(frozen=True)
class Finding:
    """A verdict against one order."""

    verdict: str
    text: str


def too_much(grown: int, read: Owed, verb: str) -> Iterator[Finding]:
    """Money that was charged or captured by something for which the order had been read, when it owed `read`."""
    if grown > read.sum:
        verdict = "again" if read.paid or read.is_ours else "ended"
        yield Finding(verdict, f"{grown} {verb}, and {read.sum} was owed when the order was read ({_state(read)})")


def told_falsely(paid: bool, words: str, has_money: bool) -> Iterator[Finding]:
    """What somebody was told, against what the provider has at that moment."""
    if paid != has_money:
        there = "there is money" if has_money else "there is none"
        yield Finding("told", f"{words}, and {there}")


def holds(money: Iterable[Money], owed: Owed, is_told: bool) -> Iterator[Finding]:
    """Money that is held, an interval after its order has changed for the last time."""
    held = [each for each in money if each.is_held]
    for each in held:
        if owed.ended == "cancelled":
            yield Finding("held", f"{each.name} still holds {each.authorised}")
        elif (owed.sum == 0 or owed.sum > each.authorised or owed.handed_out) and not is_told:
            yield Finding("unflagged", f"{each.name} holds {each.authorised}, and {owed.sum} is owed ({_state(owed)})")


def fulfilment(money: Iterable[Money], order: Mapping[str, Any] | None, owed: Owed) -> Iterator[Finding]:
    """An order that stands as paid by us, a minute after it was."""
    kept = sum(each.kept for each in money)
    if order is None or order["status"] not in FULFILLED or not kept or owed.ended or owed.paid or owed.is_ours:
        return
    if shows_others(order) or order["date_paid"] is None:
        return
    if kept != owed.sum:
        yield Finding("fulfilled", f"the order is {order['status']} for {kept}, and {owed.sum} is owed")


def in_the_end(
    money: list[Money], order: Mapping[str, Any] | None, owed: Owed, *, is_told: bool, is_quiet: bool
) -> Iterator[Finding]:
    """Two days later. `is_quiet`: nobody has acted on the order."""
    kept = sum(each.kept for each in money)
    live = [each.name for each in money if each.is_live]
    if len(live) > 1 and not is_told:
        yield Finding("again", f"{len(live)} payments hold or took money: {', '.join(live)}")
    if kept > owed.sum and not is_told:
        yield Finding("untold", f"{kept} was taken, and {owed.sum} is owed ({_state(owed)})")
    is_left = len(live) > 1 and is_told  # to a person, who has to send one back
    if (
        is_quiet
        and kept
        and not is_left
        and (order is None or order["status"] not in FULFILLED or order["date_paid"] is None)
    ):
        yield Finding("unpaid", f"{kept} was taken, and the order is {order and order['status']}")


def is_noted(notes: Iterable[str]) -> bool:
    """Whether the store's staff were told on the order that they have to decide."""
    return any(FLAGGED in note for note in notes)


def shows_others(order: Mapping[str, Any]) -> bool:
    return str(order["transaction_id"]).startswith((BANK, PAYPAL))


def _state(owed: Owed) -> str:
    if owed.ended:
        return owed.ended
    return "paid otherwise" if owed.paid else "paid by us" if owed.is_ours else f"of {owed.total} less {owed.refunded}"
