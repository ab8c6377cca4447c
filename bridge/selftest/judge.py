"""The judge: what the provider's ledger and the shop say of an order, held against each other and what is right."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.domain.money import Money
from bridge.selftest.world import World
from bridge.simulators.ledger import LedgerEntry

Kind = Literal["double", "lost", "stuck", "wrong", "leaked"]
PAID = frozenset({"processing", "completed"})
_REFERENCE = re.compile(r"\[ref ([0-9a-f]+)\]")
FLAGGED = "somebody has to decide"
"""How a note ends with which the bridge leaves money to a person."""
REFUND_ID = "_wcpay_refund_id"


@dataclass(frozen=True)
class Fault:
    """Something that must never be. `double`: charged, refunded or told more often than was asked for; `lost`: the
    shop does not know of money; `stuck`: an outcome that is not settled in time; `leaked`: a secret where
    none belongs; `wrong`: anything else."""

    kind: Kind
    text: str


@dataclass
class Charge:
    """Money of one charge at the provider, in minor units."""

    id: str
    intent: str
    authorised: int = 0
    captured: int = 0
    canceled: bool = False
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        return self.captured > 0 or (self.authorised > 0 and not self.canceled)

    @property
    def refunded(self) -> int:
        return sum(self.refunds.values())


@dataclass(frozen=True)
class Facts:
    """An order as provider and shop have it."""

    charges: tuple[Charge, ...]
    order: Mapping[str, Any]
    notes: tuple[str, ...]
    shop_refunds: tuple[Mapping[str, Any], ...]

    @property
    def live(self) -> list[Charge]:
        return [charge for charge in self.charges if charge.is_live]

    def is_flagged(self, charge: Charge) -> bool:
        """Whether the shop's staff were told that this money cannot fulfil its order."""
        return any(charge.intent in note and FLAGGED in note for note in self.notes)

    @property
    def captured(self) -> int:
        return sum(charge.captured for charge in self.charges)

    @property
    def sent_back(self) -> dict[str, int]:
        """The provider's refunds."""
        return {refund: amount for charge in self.charges for refund, amount in charge.refunds.items()}

    @property
    def refunded(self) -> int:
        return sum(self.sent_back.values())


class Judge:
    """Reads the books of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read = 0
        self._charges: dict[tuple[str, int], dict[str, Charge]] = {}

    def facts(self, outlet: str, order_id: int) -> Facts:
        self._catch_up()
        shop = self._world.shops[outlet]
        return Facts(
            tuple(self._charges.get((outlet, order_id), {}).values()),
            shop.order(order_id),
            tuple(note["note"] for note in shop.notes(order_id)),
            tuple(shop.refunds(order_id)),
        )

    def orders(self) -> list[tuple[str, int]]:
        """Every order that the ledger knows, with its outlet."""
        self._catch_up()
        return list(self._charges)

    def faults(self, outlet: str, order_id: int) -> list[Fault]:
        """All that is wrong about an order about which nothing is under way any more."""
        return list(judge(self.facts(outlet, order_id)))

    def _catch_up(self) -> None:
        entries = self._world.stripe.ledger.entries(after=self._read)
        for entry in entries:
            self._note(entry)
        self._read += len(entries)

    def _note(self, entry: LedgerEntry) -> None:
        if entry.charge_id is None or "order_id" not in entry.metadata:
            return
        outlet = entry.metadata["site_url"].rpartition("/")[2]
        charges = self._charges.setdefault((outlet, int(entry.metadata["order_id"])), {})
        charge = charges.setdefault(entry.charge_id, Charge(entry.charge_id, ""))
        if entry.kind == "authorised":
            charge.authorised += entry.amount
            charge.intent = entry.object_id
        elif entry.kind == "captured":
            charge.captured += entry.amount
        elif entry.kind == "canceled":
            charge.canceled = True
        elif entry.kind == "refunded":
            charge.refunds[entry.object_id] = entry.amount
        elif entry.kind == "refund_failed":
            charge.refunds.pop(entry.object_id, None)


def judge(facts: Facts) -> Iterator[Fault]:
    """What is wrong between the books. The order is one that nobody else pays, changes or refunds."""
    live = facts.live
    if len(live) > 1:
        yield Fault("double", f"{len(live)} charges hold or took money: {', '.join(charge.id for charge in live)}")
    yield from beyond_limits(facts)
    yield from _payment(facts, live)
    yield from _refunds(facts)


def beyond_limits(facts: Facts) -> Iterator[Fault]:
    """What may never be, whatever anybody does to the order."""
    for charge in facts.charges:
        if charge.captured > charge.authorised:
            yield Fault("double", f"{charge.id} captured {charge.captured} of {charge.authorised}")
        if charge.refunded > charge.captured:
            yield Fault("double", f"{charge.id} refunded {charge.refunded} of {charge.captured}")
    repeated = Counter(ref for note in facts.notes for ref in _REFERENCE.findall(note))
    for ref, times in repeated.items():
        if times > 1:
            yield Fault("double", f"the shop was told {times} times of {ref}")


def _payment(facts: Facts, live: list[Charge]) -> Iterator[Fault]:
    status = facts.order["status"]
    if not live:
        if status in PAID:
            yield Fault("wrong", f"the order is {status} without money")
        return
    charge = live[0]
    if facts.is_flagged(charge):
        return
    if not charge.captured:
        if status != "on-hold":
            yield Fault("lost", f"{charge.id} is authorised, and the order is {status}")
        return
    paid = PAID | ({"refunded"} if charge.refunded else set())
    if status not in paid:
        yield Fault("lost", f"{charge.id} took {charge.captured}, and the order is {status}")
    if facts.order["transaction_id"] != charge.intent:
        yield Fault("lost", f"the order shows {facts.order['transaction_id']!r} instead of {charge.intent}")


def _refunds(facts: Facts) -> Iterator[Fault]:
    shop = Counter(_meta(refund).get(REFUND_ID, "") for refund in facts.shop_refunds)
    noted = {refund for refund in _noted(facts) if not shop[refund]}
    provider = {refund: amount for refund, amount in facts.sent_back.items() if refund not in noted}
    currency = facts.order["currency"]
    for refund, amount in provider.items():
        if not shop[refund]:
            yield Fault("lost", f"the shop does not know of refund {refund} of {amount}")
        elif shop[refund] > 1:
            yield Fault("double", f"the shop has refund {refund} {shop[refund]} times")
    for refund_id in shop.keys() - provider.keys():
        yield Fault("wrong", f"the shop has a refund {refund_id!r} that the provider does not know")
    in_shop = sum(Money.parse(refund["amount"], currency).amount for refund in facts.shop_refunds)
    if in_shop != sum(provider.values()) and not shop.keys() ^ provider.keys():
        yield Fault("wrong", f"the shop refunded {in_shop}, the provider {sum(provider.values())}")


def _noted(facts: Facts) -> Iterator[str]:
    """Refunds of money that a person has to decide about: it is not the order's, and a note tells of each."""
    for charge in facts.charges:
        if facts.is_flagged(charge):
            yield from (refund for refund in charge.refunds if any(refund in note for note in facts.notes))


def _meta(thing: Mapping[str, Any]) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in thing["meta_data"]}
