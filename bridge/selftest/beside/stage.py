"""What stories of single orders need of the town that they play in."""

from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Protocol

from bridge.selftest.beside.books import Books
from bridge.selftest.beside.lives import Life
from bridge.selftest.beside.town import Town
from bridge.selftest.beside.verdicts import Finding


class Stage(Protocol):
    """`lives` are the orders that are judged in the end, `shares` counts how it went for them."""

    town: Town
    books: Books
    lives: list[Life]
    shares: Counter[str]

    @property
    def random(self) -> Random: ...

    def at(self, moment: float, do: Callable[[], object]) -> None:
        """Let something happen then (Unix seconds), or now if that is over."""
        ...

    def is_told(self, life: Life) -> bool:
        """Whether a person was told of what is wrong about the order."""
        ...

    def doubt(self, life: Life, findings: list[Finding]) -> None:
        """What is found of a payment of others that did not fit, unless an owner who compares is told of it."""
        ...

    def order(self, life: Life) -> Mapping[str, Any] | None:
        """The order as the shop has it; None if it was deleted."""
        ...


def shows(order: Mapping[str, Any] | None, intent: str) -> bool:
    """Whether the shop knows of the payment by its name."""
    kept = {each["key"]: each["value"] for each in order["meta_data"]} if order else {}
    return order is not None and intent in (order["transaction_id"], kept.get("_intent_id"))


def judge_rivals(stage: Stage, life: Life) -> None:
    """An order has one payment that holds or took money, whatever somebody asks for of whom."""
    live = stage.books.live(life.outlet, life.order)
    if len(live) > 1 and not life.is_twice:
        life.is_twice = True
        names = ", ".join(each.name for each in live)
        life.found.append(Finding("again", f"{len(live)} payments hold or took money: {names}"))
