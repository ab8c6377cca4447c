"""What the providers' ledgers say of an order: every payment with what it holds, took and sent back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bridge.selftest.beside.kinds import KINDS, shop_name
from bridge.selftest.beside.town import Town
from bridge.simulators.ledger import LedgerEntry

Fact = Literal["authorised", "captured", "canceled", "refunded"]
_SANDBOX: dict[str, tuple[Fact, ...]] = {
    "charged": ("authorised", "captured"),
    "authorized": ("authorised",),
    "captured": ("captured",),
    "canceled": ("canceled",),
    "expired": ("canceled",),
    "refunded": ("refunded",),
}
"""The sandbox's words for the same facts."""
_FACTS: tuple[Fact, ...] = ("authorised", "captured", "canceled", "refunded")


@dataclass
class Money:
    """One payment at a provider, in minor units. Times are Unix seconds."""

    name: str
    at: float
    authorised: int = 0
    captured: int = 0
    refunded: int = 0
    is_canceled: bool = False

    @property
    def is_held(self) -> bool:
        return self.authorised > 0 and not self.captured and not self.is_canceled

    @property
    def kept(self) -> int:
        """Minor units that were taken and not sent back."""
        return self.captured - self.refunded

    @property
    def is_live(self) -> bool:
        return self.is_held or self.kept > 0


class Books:
    """Reads the ledgers of one town."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._read: dict[str, int] = {}
        self._money: dict[tuple[str, int], dict[str, Money]] = {}

    def of(self, outlet: str, order: int) -> list[Money]:
        """Its payments, through whichever entry of its shop, oldest first, as far as any money was touched."""
        self._catch_up()
        return [each for each in self._money.get((shop_name(outlet), order), {}).values() if each.authorised]

    def live(self, outlet: str, order: int) -> list[Money]:
        return [each for each in self.of(outlet, order) if each.is_live]

    def sum(self, outlet: str, order: int) -> int:
        """What all its payments hold and keep."""
        return sum(each.kept if each.captured else each.authorised for each in self.live(outlet, order))

    def _catch_up(self) -> None:
        town = self._town
        for name, ledger in (
            ("stripe", town.stripe.ledger),
            ("platform", town.platform.ledger),
            *((name, forte.ledger) for name, forte in town.fortes.items()),
        ):
            entries = ledger.entries(after=self._read.get(name, 0))
            self._read[name] = self._read.get(name, 0) + len(entries)
            for entry in entries:
                self._note_entry(name, entry)
        for name, each in KINDS.items():
            if each.adapter == "sandbox":
                self._read_sandbox(name)

    def _read_sandbox(self, outlet: str) -> None:
        rows = list(self._town.sandbox_rows(outlet))
        for kind, order, amount, reference in rows[self._read.get(outlet, 0) :]:
            for fact in _SANDBOX.get(kind, ()):
                self._note(shop_name(outlet), int(order), reference, fact, amount, self._town.clock())
        self._read[outlet] = len(rows)

    def _note_entry(self, ledger: str, entry: LedgerEntry) -> None:
        name = entry.object_id if ledger in KINDS and ledger != "platform" else entry.charge_id or ""
        for outlet, order in _named(ledger, entry):
            for fact in _FACTS:
                if entry.kind == fact:
                    self._note(outlet, order, name, fact, entry.amount, entry.time)

    def _note(self, outlet: str, order: int, name: str, fact: Fact, amount: int, at: float) -> None:
        money = self._money.setdefault((outlet, order), {}).setdefault(name, Money(name, at))
        if fact == "canceled":
            money.is_canceled = True
        else:
            setattr(money, fact, getattr(money, fact) + amount)


def _named(ledger: str, entry: LedgerEntry) -> Iterator[tuple[str, int]]:
    """The outlet and the order that an entry is about, if it is about one: every provider was told in its own way."""
    said = entry.metadata
    if ledger == "stripe" and entry.charge_id and "order_id" in said:
        yield said["site_url"].rpartition("/")[2], int(said["order_id"])
    elif ledger == "platform" and entry.charge_id and "wc_order_id" in said:
        yield "platform", int(said["wc_order_id"])
    elif ledger in KINDS and ":" in said.get("reference", ""):
        yield ledger, int(said["reference"].partition(":")[0])
