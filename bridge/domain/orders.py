"""What the store says is owed, and what we owe the store."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address with its name; absent parts are empty strings. `country` is ISO 3166-1 alpha-2."""

    first_name: str = ""
    last_name: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class LineKind(StrEnum):
    PRODUCT = "product"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order. Sums are major units without tax, before (`subtotal`) and after (`total`) discounts."""

    kind: LineKind
    name: str
    quantity: Decimal
    subtotal: Decimal
    total: Decimal
    tax: Decimal
    product_id: int = 0
    variation_id: int = 0
    sku: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One order as it was read. `total` is the store's decimal string, untouched; `currency` upper case.

    `key` is the store's secret name of this order: an order id that comes back with another key is another order.
    `needs_payment` is the store's own word (WooCommerce: pending or failed, and more than nothing to pay). `refunded`
    is the sum of its refunds in major units, whoever made them; `created` and `date_paid` are Unix seconds, None if
    nothing says them. `payment_method` is the store's id of the gateway that the order shows, `""` for none.
    `total_is_rounded`: the store may have taken decimals off the total that its currency has, as far as can be known.
    `needs_shipping` is None where the order book cannot tell; `meta` is the order's own, as the store keeps it.
    """

    id: int
    number: str
    key: str = field(repr=False)
    status: str
    currency: str
    total: str
    needs_payment: bool
    created_via: str = ""
    customer_id: int = 0
    transaction_id: str = ""
    payment_method: str = ""
    date_paid: int | None = None
    prices_include_tax: bool = False
    billing: Address = field(default_factory=Address)
    shipping: Address = field(default_factory=Address)
    lines: tuple[Line, ...] = ()
    shipping_total: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    created: int | None = None
    needs_shipping: bool | None = None
    total_is_rounded: bool = False
    meta: dict[str, Any] = field(default_factory=dict, repr=False)


def is_order_id(text: str) -> bool:
    """Whether it can be the id of an order: decimal digits, no more than any database holds."""
    return text.isdecimal() and text.isascii() and len(text) < 19


def called(order_id: int, number: str) -> str:
    """What a person calls an order: its number, and its id where that is another one."""
    return number if number == str(order_id) else f"{number} (id {order_id})"


PAID_STATUSES = frozenset({"processing", "completed"})
PAYABLE = frozenset({"pending", "failed"})
"""The statuses in which WooCommerce takes a payment. Source: `WC_Order::needs_payment`."""
NOT_PAID = PAYABLE | {"on-hold", "cancelled", "refunded", "trash", "auto-draft", "checkout-draft"}
"""Every other status is a paid one once the order has a date of payment: stores add statuses of their own."""


class UpdateKind(StrEnum):
    """What happened to the payment, as far as the store has to know."""

    PAID = "paid"
    AUTHORIZED = "authorized"
    STARTED = "started"
    CANCELLED = "cancelled"
    FAILED = "failed"
    NOTE = "note"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """What we owe the store about one event of one payment.

    `operation_id` names the update forever: it stands in every note, so that a repeated delivery can be recognized.
    `order_key`, `amount` (minor units) and `currency` are those of the payment, `deducted` (minor units) is what
    refunds had taken off the unpaid order; an order that no longer has them is not fulfilled. `read_at` (Unix seconds)
    is when the order was read, 0 if it has to be read again before anything is written; with `over` nothing is left of
    what was captured. The refund's members are for the kinds about refunds and for a dispute that was lost;
    `refund_amount` is minor units of `refund_currency`, `""` where that is the payment's. `status` is where a paid
    order goes, and `title` what it shows as its payment method, where that is not the store's own choice.
    """

    operation_id: str
    kind: UpdateKind
    order_id: int
    order_key: str = field(repr=False)
    amount: int
    currency: str
    transaction_id: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    deducted: int = 0
    read_at: float = 0.0
    refund_id: str = ""
    refund_amount: int = 0
    refund_reason: str = ""
    status: str = ""
    title: str = ""
    over: bool = False
    refund_currency: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of an OrderUpdate. `flag` is a sentence for an operator, if one has to look at it. `is_twice`: somebody
    else has paid the order, too, which no change of the order fixes."""

    done: bool
    detail: str
    flag: str = ""
    is_twice: bool = False


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """Something happened to an order, as the store's own webhook says.

    `delivery_id` tells deliveries apart, not events.
    """

    topic: str
    order_id: int
    delivery_id: str


HOLD = "_wcpay_bridge_authorization"
"""Order meta: the transaction for whose authorization we put the order on hold. Unlike `_intent_id` a PAID never writes
it, so it still says so after a set_paid that the store ignored."""
NOT_BOOKED = "It is not among the order's refunds"
"""What our note says about a refund that could not be added to the store."""
PAIRED = "_wcpay_bridge_refund_"
"""Order meta: with the id of a store's refund behind it, the provider's id of the same refund, which staff began."""


@dataclass(frozen=True, slots=True)
class OrderNote:
    """A note of an order. `ours` if the bridge has written it; else it is the store's own, or somebody's."""

    text: str
    ours: bool


@dataclass(frozen=True, slots=True)
class StoreRefund:
    """A refund as the store has it: made by us, or by staff. `amount` is the store's decimal string (`""`: none).

    `refund_id` is the provider's id, `""` if the provider has no such refund as far as the store knows;
    `refunded_payment` means that the store's own gateway has sent the money.
    """

    id: int
    amount: str
    reason: str
    refund_id: str
    refunded_payment: bool
