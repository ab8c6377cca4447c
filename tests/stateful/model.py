"""What should be true of payments, in a hundred lines: money, who may ask for more of it, and how the shop ends.

Knows nothing of the bridge. Amounts are minor units, times Unix seconds.
"""

from dataclasses import dataclass, field

WEEK = 7 * 24 * 3600.0
PAYABLE = ("pending", "failed")
PAYS, THINKS = ("pm_card_visa", "pm_card_mastercard", "pm_sandbox_lost_answer"), "pm_card_authenticationRequired"
DECLINES, DOWN, LOST = "pm_card_chargeDeclined", "pm_sandbox_unreachable", "pm_sandbox_lost_answer"
METHODS = (PAYS[0], *PAYS, THINKS, DECLINES, DOWN)


@dataclass
class Payment:
    """One payment at the provider. `refused`: the payer's bank did not believe the payer."""

    method: str
    amount: int
    state: str  # waiting, authorised, captured, voided
    since: float
    name: str = ""
    refused: bool = False
    captured: int = 0
    refunded: int = 0
    dispute: str = ""  # open, won, lost
    disputed: float = 0.0
    let_go: bool = False
    """It was refunded whole, and the shop has asked for another one since."""

    def expire(self, now: float) -> None:
        if self.state == "authorised" and now >= self.since + WEEK:
            self.state = "voided"
        if self.dispute == "open" and now >= self.disputed + WEEK:
            self.dispute = "lost"  # the sandbox's merchants never answer

    @property
    def end(self) -> str:
        """What became of it, in one word."""
        return "disputed" if self.dispute else "refunded" if self.refunded else self.state

    @property
    def net(self) -> int:
        """What is the merchant's, and could be refunded."""
        return 0 if self.dispute in ("open", "lost") else self.captured - self.refunded


@dataclass
class Owed:
    """An order and what was paid for it, by whichever store captures `at_once` or by hand."""

    order: int
    total: int
    at_once: bool
    payments: list[Payment] = field(default_factory=list)
    touched: bool = False
    """Staff had their hands in it: its status is theirs."""

    @property
    def live(self) -> Payment | None:
        """The one that holds the order."""
        newest = self.payments[-1] if self.payments else None
        return newest if newest and newest.state != "voided" else None

    @property
    def taken(self) -> Payment | None:
        """The newest that was captured."""
        return next((payment for payment in reversed(self.payments) if payment.captured), None)

    @property
    def refunded(self) -> int:
        """Of all its payments."""
        return sum(payment.refunded for payment in self.payments)

    @property
    def is_sent_back(self) -> bool:
        """Whether something of the payment that holds it was refunded: nothing more is captured or voided then."""
        return self.payments[-1].refunded > 0 and not self.payments[-1].let_go

    def create(self, status: str, method: str, now: float) -> Payment | None:
        """What a create does at the provider, for an order that the shop shows as `status`; the payment it makes."""
        live = self.live
        if live and live.state == "waiting" and (live.refused or live.method != method):
            live.state, live = "voided", None
        if live and status in PAYABLE and live.state == "captured" and live.refunded == live.captured:
            live.let_go, live = True, None
        if status not in PAYABLE or live or method in (DECLINES, DOWN):
            return None
        payment = Payment(method, self.total, "waiting", now)
        self.payments.append(payment)
        if method != THINKS:
            self.take(payment, now)
        return payment

    def take(self, payment: Payment, now: float) -> None:
        """The payer's bank agrees."""
        payment.state, payment.since = ("captured" if self.at_once else "authorised"), now
        payment.captured = payment.amount if self.at_once else 0

    @property
    def end(self) -> str | None:
        """The shop's status in the end, where the model can tell."""
        if self.touched or len(self.payments) > 1:
            return None
        if not self.payments:
            return "pending"
        [payment] = self.payments
        if payment.state != "captured":
            waits = "failed" if payment.refused else "pending"
            return {"waiting": waits, "authorised": "on-hold"}.get(payment.state)
        if payment.dispute:
            return {"open": "on-hold", "won": "processing", "lost": "refunded"}[payment.dispute]
        return "refunded" if payment.refunded == payment.captured == payment.amount else "processing"
