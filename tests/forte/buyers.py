"""Where a buyer pays at Forte: what they are shown, what they do there, and what Forte's own books say."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.payments.unresolved import CANNOT_ASK
from bridge.simulators.faults import Match
from tests.forte.conftest import makes_a_payment, tell
from tests.web.conftest import Shop


@dataclass(frozen=True)
class Book:
    """A payment at Forte that took money. Amounts are minor units."""

    payment: str
    captured: int
    sent_back: list[int] = field(default_factory=list)


@dataclass
class Sale:
    """An order, with the payments at Forte that its buyer was shown, oldest first.

    `refunds` were answered as done, what became of the `doubtful` ones was not known. Amounts are minor units.
    """

    order: int
    total: int
    shown: list[str] = field(default_factory=list)
    refunds: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)


class Till(Protocol):
    """`asks` tells its create's own request from others; `refunds`: Forte can send money back;
    `many_pages`: a buyer may have several pages open, each of which can be paid; `lost` is what a person is told of a
    create whose answer never came."""

    shop: Shop
    asks: Match
    refunds: bool
    many_pages: bool
    lost: str
    faults: Any

    def show(self, answer: dict[str, Any]) -> str | None:
        """The payment that a buyer with a create's answer sees; None if there is nothing to pay with."""

    def pay(self, payment: str, agrees: bool) -> None:
        """The buyer pays, or does not and it is over. ValueError if Forte does not let them."""

    def books(self, sale: Sale) -> list[Book]:
        """An order's payments that took money."""

    def tell(self, times: int) -> None:
        """Forte says so often what it has to say: never, once or twice."""


class Widget:
    """Forte Payments, in the widget."""

    asks: Match = "POST /payments/v2/intent"
    refunds = False
    many_pages = False
    lost = CANNOT_ASK

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.forte: Any = shop.forte
        self.faults: Any = shop.faults

    def show(self, answer: dict[str, Any]) -> str | None:
        data: dict[str, Any] = answer.get("provider_data", {}).get("data", {})
        return data.get("payment_intent_id")

    def pay(self, payment: str, agrees: bool) -> None:
        (self.forte.approve if agrees else self.forte.decline)(payment)

    def books(self, sale: Sale) -> list[Book]:
        return [
            Book(intent.id, intent.amount)
            for intent in self.forte.intents
            if intent.reference.startswith(f"{sale.order}:") and intent.status == "Approved"
        ]

    def tell(self, times: int) -> None:
        for delivery in self.forte.pending if times != 1 else ():
            if times == 0:
                self.forte.spoil_next_webhook(lambda _: None)
            else:
                self.forte.repeat(delivery.event.id)
        self.forte.deliver_due()


class Redirect(Widget):
    """Forte Payments, on its own page, whose address a visit to the buyer's page makes."""

    many_pages = True

    def show(self, answer: dict[str, Any]) -> str | None:
        known = len(self.forte.intents)
        if "pay_url" not in answer:
            return None
        url = self.shop.reachable(answer)["pay_url"]
        if self.shop.get(url).status_code != 303:
            self.shop.press(url, "again")
        return str(self.forte.intents[-1].id) if len(self.forte.intents) > known else None


class Platform:
    """Forte Platforms, whose users confirm in Stripe's form."""

    asks = staticmethod(makes_a_payment)
    refunds = True
    many_pages = False
    lost = ""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.forte: Any = shop.platform
        self.faults: Any = shop.faults

    def show(self, answer: dict[str, Any]) -> str | None:
        if not answer.get("client_secret"):
            return None
        [shown] = [each["id"] for each in self.forte.payments if each["stripePaymentIntentId"] == answer["id"]]
        return str(shown)

    def pay(self, payment: str, agrees: bool) -> None:
        self.forte.set_stripe_status(payment, "succeeded" if agrees else "canceled")

    def books(self, sale: Sale) -> list[Book]:
        return [
            Book(each["id"], each["amountCents"], [refund["amountCents"] for refund in each["refundHistory"]])
            for each in self.forte.payments
            if each["metadata"]["wc_order_id"] == str(sale.order)
            and each["state"] in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
        ]

    def tell(self, times: int) -> None:
        for _ in range(times):
            for payment in self.forte.payments:
                assert tell(self.shop, payment["id"], payment["state"], X_Forte_Trusted="1") == 200
