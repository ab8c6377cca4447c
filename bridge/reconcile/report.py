"""What a reconciliation finds: a report for people and for programs."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.domain.intents import PaymentIntent


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that provider, bridge and store do not agree about.

    `healed` means that the bridge knows it now, and owes the store what it has to know; else an operator must act.
    `kind` is a word for programs: unknown, status, refund, dispute, duplicate, missing, adopted, amount, unpaid,
    undelivered, order, shop_refund, closed, held, taken_over, known, misfit.
    """

    kind: str
    payment: str
    order: str
    text: str
    healed: bool


@dataclass
class Report:
    """What was compared of one store, since when (Unix seconds), and what was found.

    `problems` are why something could not be compared; `remarks` what can never be compared, with this provider.
    `strangers` are payments that others made and that fit no order; they are not a fault, and block nothing.
    """

    store: str
    since: float
    payments: int = 0
    orders: int = 0
    differences: list[Difference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    released: bool = False

    @property
    def agrees(self) -> bool:
        return not self.differences and not self.problems

    def found(self, kind: str, intent: PaymentIntent, text: str, *, healed: bool) -> None:
        self.differences.append(Difference(kind, intent.shown_id, intent.order_number, text, healed))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"agrees": self.agrees}
