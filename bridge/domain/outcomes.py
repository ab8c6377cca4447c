"""What adapters are given and what they answer."""

from dataclasses import dataclass, field
from typing import Any

from bridge.domain.intents import Charge, Status
from bridge.domain.orders import Order


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
    """The payer's side said no. `code` and `decline_code` are Stripe's words (source: Stripe, "Decline codes")."""

    code: str
    message: str
    decline_code: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A provider's answer about one payment, in our words.

    `reference` is the provider's id of it, opaque. `amount` (minor units) and `currency` are what the provider says it
    charges, and are compared with what we asked for. `client_secret`, `next_action` and `provider_data` are for the
    caller of create only and are never stored. `raw` is the scrubbed answer.
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
    created: float | None = None
    next_action: dict[str, Any] | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    provider_data: dict[str, Any] | None = field(default=None, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
