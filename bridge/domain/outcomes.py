"""What adapters are given and what they answer."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bridge.domain.intents import Charge, Dispute, Refund, Status
from bridge.domain.orders import Address, Order

IN_PERSON = frozenset({"card_present", "interac_present"})
"""Types of payment methods that only a card reader takes."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What an adapter is asked to collect. `amount` in minor units, `currency` upper case, `capture` automatic or
    manual.

    `metadata` are WooPayments' ten keys plus our attempt id; `description` is what the payer's statement of account
    shows.
    """

    attempt_id: str
    order: Order
    amount: int
    currency: str
    customer: str
    payment_method: str
    capture: str
    metadata: dict[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Decline:
    """The payer's side declined. `code` and `decline_code` are Stripe's words (source: Stripe, "Decline codes")."""

    code: str
    message: str
    decline_code: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something prevents this buyer from paying, and nothing is decided yet: the payment stays open.

    `code` is the provider's own word.
    """

    type: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A provider's answer about one payment, in our words.

    `reference` is the provider's id of it, opaque. `amount` (minor units) and `currency` are what the provider says it
    charges, and are compared with what we asked for. `refunds` are all that the provider has of the charge, `expired`
    means that an authorization ran out. `attempt_id` and `metadata` are what the provider keeps with it: what we gave
    it, or what somebody else did who made the payment. `tip` (minor units) is the part of `amount` that the payer added
    at a reader; `is_for_account` is False if the money does not go to the store's account. `client_secret`,
    `next_action` and `provider_data` are for the caller of create only and are never stored. `raw` is the scrubbed
    answer.
    """

    status: Status
    reference: str | None
    amount: int
    currency: str
    public_id: str | None = None
    customer: str | None = None
    payment_method: str | None = None
    charge: Charge | None = None
    decline: Decline | None = None
    problem: Problem | None = None
    refunds: tuple[Refund, ...] = ()
    dispute: Dispute | None = None
    expired: bool = False
    attempt_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    created: float | None = None
    tip: int = 0
    is_for_account: bool = True
    next_action: dict[str, Any] | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    provider_data: dict[str, Any] | None = field(default=None, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_in_person(self) -> bool:
        """Whether a card reader took it, as its charge says."""
        return self.charge is not None and self.charge.payment_method_type in IN_PERSON


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What an adapter is asked to refund: `amount` minor units of the charge's currency.

    `reason` is Stripe's word (duplicate, fraudulent, requested_by_customer) or "". `operation_id` is our attempt's id.
    """

    reference: str
    charge_id: str
    amount: int
    currency: str
    reason: str
    operation_id: str


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    """A payer as the order has them."""

    name: str
    email: str
    phone: str
    address: Address
    metadata: dict[str, str]


class EventKind(StrEnum):
    """What a provider's message is about; whatever it says, the bridge asks for the object itself."""

    PAYMENT = "payment"
    ACCOUNT = "account"
    ORDER = "order"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A message from a provider whose sender is proven, normalized. `at` is Unix seconds.

    `reference` is the provider's id of the payment, `attempt_id` ours if the message has it; `account` and `live` are
    those of the message, None where it does not say; so are `amount` (minor units) and `currency` (upper case). `type`
    is the provider's own word. `related` is what a message names in place of the payment (`charge:ch_1`): which payment
    that belongs to, the adapter has to ask (`resolved`). `names_no_order`: the payment is for no order, as it says.
    """

    id: str
    type: str
    kind: EventKind
    at: float
    reference: str | None = None
    attempt_id: str | None = None
    account: str | None = None
    live: bool | None = None
    amount: int | None = None
    currency: str | None = None
    related: str | None = None
    names_no_order: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A place to send the buyer's browser to, once. `expires` is Unix seconds."""

    url: str = field(repr=False)
    expires: float = 0.0


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """A line of a cart: `unit_amount` minor units after discounts, `tax` minor units (an answer has it)."""

    description: str
    unit_amount: int
    quantity: int
    tax: int = 0
    tax_code: str = ""

    @property
    def subtotal(self) -> int:
        return self.unit_amount * self.quantity

    @property
    def total(self) -> int:
        return self.subtotal + self.tax


@dataclass(frozen=True, slots=True)
class Cart:
    """What is quoted. `currency` upper case; `order` is the one that the lines are of, None for what is not an order
    yet.

    The lines sum to what a create would charge, but for tax that the provider adds.
    """

    currency: str
    lines: tuple[QuoteLine, ...]
    address: Address | None = None
    order: Order | None = None

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)

    def as_quote(self) -> "Quote":
        """The sums of its lines, for a provider that charges what the store says."""
        tax = sum(line.tax for line in self.lines)
        return Quote(self.currency, self.lines, self.total - tax, tax, self.total)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a cart would cost; amounts in minor units. `total` is `subtotal` and `tax`."""

    currency: str
    lines: tuple[QuoteLine, ...]
    subtotal: int
    tax: int
    total: int
