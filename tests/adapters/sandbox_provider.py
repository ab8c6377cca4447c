"""The sandbox as a Provider of the contract suite: its own books tell, and its clock is ours."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bridge.adapters import AdapterContext, Payment
from bridge.adapters.contract import Provider
from bridge.adapters.sandbox import SandboxAdapter

DOCUMENTATION = Path(__file__).parents[2] / "docs/adapters/sandbox.md"
NOON = 1_700_000_000.0
DAY = 24 * 3600


class SandboxProvider(Provider):
    adapter = SandboxAdapter
    documentation = DOCUMENTATION
    saving_customer = "cus_Anybody"
    unknown_customer = "7"
    refund_fails = "pm_card_refundFail"

    now = NOON

    def context(self) -> AdapterContext:
        return AdapterContext(clock=lambda: self.now)

    def make(self, settings: Mapping[str, str] | None = None, *, live: bool = False) -> SandboxAdapter:
        made = super().make(settings, live=live)
        assert isinstance(made, SandboxAdapter)
        return made

    def ledger(self, order_id: int | None = None) -> list[tuple[str, int]]:
        """Kind and amount of every entry, of one order or of all."""
        if not Path(self.settings["books"]).exists():
            return []
        with closing(sqlite3.connect(self.settings["books"])) as books:
            query = "select kind, amount from ledger where order_id = coalesce(?, order_id) order by seq"
            return books.execute(query, (order_id,)).fetchall()

    def charges(self, settings: Mapping[str, str], payment: Payment) -> int:
        if settings != self.settings:
            return SandboxProvider(settings).charges(settings, payment)
        return sum(kind in ("charged", "authorized") for kind, _ in self.ledger(payment.order.id))

    def refused(self, payment: Payment) -> Payment:
        return replace(payment, payment_method="pm_card_nobodyHasThis")

    def unreachable(self, payment: Payment) -> Payment:
        return replace(payment, payment_method="pm_sandbox_unreachable")

    def lost_answer(self, payment: Payment) -> Payment:
        return replace(payment, payment_method="pm_sandbox_lost_answer")

    def expire(self, reference: str) -> bool:
        self.now += 7 * DAY
        return True

    def dispute(self, reference: str) -> bool:
        self.make().dispute(reference)
        return True

    def lose(self, reference: str) -> bool:
        self.make().close_dispute(reference, "lost")
        return True

    def present(self, reference: str) -> bool:
        self.make().present(reference)
        return True

    def later(self) -> None:
        self.now += 60
