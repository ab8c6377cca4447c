"""What the contract suite has to know of a provider: subclass Provider and give it to `bridge.adapters.contract`."""

# ruff: noqa: ARG002 hooks that do nothing until somebody overrides them

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from bridge.adapters.context import AdapterContext
from bridge.adapters.loading import construct
from bridge.domain.ids import RandomIds
from bridge.domain.orders import Address, Line, LineKind, Order
from bridge.domain.outcomes import Payment
from bridge.domain.ports import Adapter

Message = tuple[Mapping[str, str], bytes]
"""The headers that prove a message (names in lower case) and its body."""


class Provider:
    """Your provider, or a stand-in for it, as the suite sees it: how to reach it, break it, and read its ledger.

    A hook that answers None skips the tests that need it: a skipped promise is one that nobody has checked.
    """

    adapter: ClassVar[type[Adapter]]
    customer: str = "cus_Contract0001"
    good: str = "pm_card_visa"
    declined: str = "pm_card_chargeDeclined"
    currency: ClassVar[str] = "USD"
    documentation: ClassVar[Path | None] = None
    """A file that names every setting."""
    saving_customer: str | None = None
    """A customer who has saved something to pay with."""
    unknown_customer: str | None = None
    refund_fails: str | None = None
    """A payment method whose refunds fail, sooner or `later`."""
    event_secrets: tuple[str, ...] = ()
    """The secrets that prove messages with `settings`: two, if the adapter takes two while they are rotated."""
    event_tolerance: float | None = None
    """Seconds that a message may be old, or ahead of the clock."""

    def __init__(self, settings: Mapping[str, str], other_settings: Mapping[str, str] | None = None) -> None:
        self.settings = settings
        self.other_settings = other_settings
        self._orders = count(1)
        self._made: list[Adapter] = []

    def context(self) -> AdapterContext:
        """What the adapter is constructed with."""
        return AdapterContext(timeout=5.0, allow_private_urls=True)

    def make(self, settings: Mapping[str, str] | None = None, *, live: bool = False) -> Adapter:
        """A new adapter, as a process makes it at its start."""
        chosen = self.settings if settings is None else settings
        adapter = construct(self.adapter, chosen, live=live, context=self.context())
        self._made.append(adapter)
        return adapter

    def payment(self, payment_method: str | None = None, **changes: Any) -> Payment:
        """A payment of 10.23 for an order of its own; `changes` are other members."""
        number = next(self._orders)
        item = Line(
            LineKind.PRODUCT, "Beanie", Decimal(1), Decimal("10.23"), Decimal("10.23"), Decimal(0), product_id=9
        )
        order = Order(
            id=number,
            number=str(number),
            key=f"wc_order_{number}",
            status="pending",
            currency=self.currency,
            total="10.23",
            needs_payment=True,
            billing=Address("Ann", "Example", "1 Main St", "", "Springfield", "IL", "62701", "US", "ann@example.com"),
            lines=(item,),
        )
        payment = Payment(
            attempt_id=RandomIds().attempt(),
            order=order,
            amount=1023,
            currency=self.currency,
            customer=self.customer,
            payment_method=self.good if payment_method is None else payment_method,
            capture="automatic",
            metadata={
                "site_url": "https://shop.example",
                "order_id": number,
                "order_number": str(number),
                "order_key": order.key,
            },
            description=f"Online Payment for Order #{number} for shop.example",
        )
        return replace(payment, **changes)

    def close(self) -> None:
        """Close every adapter that was made and can be closed."""
        for adapter in self._made:
            getattr(adapter, "close", lambda: None)()

    def customer_of(self, settings: Mapping[str, str]) -> str:
        """A customer that can pay with the account of `settings`."""
        return self.customer

    def charges(self, settings: Mapping[str, str], payment: Payment) -> int | None:
        """How often money was taken or held for `payment` with the account of `settings`, by the provider's own ledger.

        None if it shows none; then "charged once" is only checked by references.
        """
        return None

    def refused(self, payment: Payment) -> Payment | None:
        """A payment that the provider refuses to process, through no fault of the payer."""
        return None

    def unreachable(self, payment: Payment) -> Payment | None:
        """Arrange that the next create of this payment does not reach the provider."""
        return None

    def lost_answer(self, payment: Payment) -> Payment | None:
        """Arrange that the provider charges this payment, and that its answer does not come back, once."""
        return None

    def nonsense(self, payment: Payment) -> Payment | None:
        """Arrange that the provider charges this payment and answers something unintelligible, once."""
        return None

    def strange_status(self, payment: Payment) -> Payment | None:
        """Arrange that the answer's status is a word that nobody knows yet."""
        return None

    def expire(self, reference: str) -> bool:
        """Let the hold of this payment run out. False if that cannot be arranged, and so in what follows."""
        return False

    def dispute(self, reference: str) -> bool:
        """Let the payer's bank ask for all of this payment back."""
        return False

    def lose(self, reference: str) -> bool:
        """Let the payer's bank decide against the store."""
        return False

    def present(self, reference: str) -> bool:
        """Present a card to the reader that waits for this payment."""
        return False

    def later(self) -> None:
        """Let the time pass until what happens later has happened."""

    def message(self, payment: Payment, reference: str, *, at: float, secret: str | None = None) -> Message | None:
        """A message about this payment as the provider sends it at that time (Unix seconds).

        It is proven by `secret`, by default by one that is right.
        """
        return None
