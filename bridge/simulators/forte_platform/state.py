"""What the simulated Forte knows: projects, users, services, payments, the clock and the ids.

Values only, and how they look as JSON; what happens to them is in the modules beside. `lock` guards all of it.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from string import ascii_letters, digits
from typing import Any

from ..ledger import Ledger
from ..stripe.cards import Card
from .errors import Json, not_found

_PREFIXES = {"pi": "pi_3", "ch": "ch_3", "re": "re_3", "acct": "acct_1", "taxcalc": "taxcalc_1", "tax": "tax_1"}


def iso(moment: float) -> str:
    """Unix seconds as Forte writes times: ISO 8601, UTC, milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Trigger:
    """A service's wish to hear of events."""

    id: str
    project: str
    display_name: str
    service: str
    path: str
    events: tuple[str, ...]
    enabled: bool
    created: float

    @property
    def shape(self) -> Json:
        return {
            "triggerId": self.id,
            "displayName": self.display_name,
            "targetServiceId": self.service,
            "targetPath": self.path,
            "events": list(self.events),
            "enabled": self.enabled,
            "createdAt": iso(self.created),
        }


@dataclass
class Delivery:
    """A body that is owed to a trigger. `outcome` is pending, delivered, abandoned (after the last attempt) or dropped
    (the trigger was disabled or deleted meanwhile); `due` is Unix seconds."""

    trigger_id: str
    body: Json
    due: float
    attempts: int = 0
    outcome: str = field(default="pending")


@dataclass(frozen=True)
class Project:
    """A project of one owner. `account` is the Stripe account that is charged; `publishable_key` is of Forte's own
    Stripe platform, in the project's mode; `api_key` never shows in a repr."""

    id: str
    sandbox: bool
    compliance: str
    payments_set_up: bool
    account: str
    publishable_key: str
    api_key: str = field(repr=False)


@dataclass(frozen=True)
class User:
    """An end-user of a project, as its owner registered them. `state` is ACTIVE, SUSPENDED or DELETED."""

    sequence: int
    id: str
    project: str
    contact_id: str
    email: str | None
    phone: str | None
    full_name: str | None
    state: str
    metadata: Mapping[str, str]
    created: float


@dataclass(frozen=True)
class SavedMethod:
    """A card that a user has saved."""

    id: str
    user: str
    card: Card = field(repr=False)

    @property
    def shape(self) -> Json:
        """The PaymentMethodObject of the SDK."""
        card = {"brand": self.card.brand, "last4": self.card.last4, "expMonth": 12, "expYear": 2034}
        return {"id": self.id, "type": "card", **card, "funding": self.card.funding, "isDefault": False}


@dataclass(frozen=True)
class Service:
    """A service of a project; `base_url` stands for its internal DNS name, None if nothing answers there."""

    id: str
    project: str
    base_url: str | None


@dataclass(frozen=True)
class Quote:
    """What a cart costs, in minor units. `lines` are as the request had them, with `taxAmountCents` if tax was
    computed; `tax` is None if it was not."""

    currency: str
    lines: tuple[Json, ...]
    subtotal: int
    tax: int | None
    addresses: Mapping[str, Json]

    @property
    def amount(self) -> int:
        return self.subtotal + (self.tax or 0)


@dataclass(frozen=True)
class AuditEntry:
    """A line of a user's audit trail."""

    time: float
    user_id: str
    payment_id: str
    action: str


@dataclass
class Payment:
    """A Forte payment with the Stripe payment intent behind it. Times are Unix seconds, amounts minor units."""

    sequence: int
    id: str
    project: Project
    user_id: str
    quote: Quote
    description: str | None
    metadata: Mapping[str, str]
    intent_id: str
    charge_id: str
    tax_calculation: str | None
    created: float
    client_secret: str = field(repr=False)
    state: str = "DRAFT"
    stripe_status: str = "requires_payment_method"
    tax_transaction: str | None = None
    updated: float | None = None
    history: list[tuple[float, str]] = field(default_factory=list)
    refunds: list[tuple[float, int, str]] = field(default_factory=list)
    held: bool = False
    supported: tuple[str, ...] = ("CREDIT_CARD",)
    waiting_card: Card | None = field(default=None, repr=False)
    last_error: Json | None = None

    @property
    def refunded(self) -> int:
        return sum(amount for _, amount, _ in self.refunds)

    @property
    def shape(self) -> Json:
        """The PaymentObject of the SDK; what is not known is absent."""
        quote = self.quote
        known = {
            "id": self.id,
            "projectId": self.project.id,
            "userId": self.user_id,
            "state": self.state,
            "subtotalCents": quote.subtotal,
            "taxCents": quote.tax,
            "amountCents": quote.amount,
            "currency": quote.currency,
            "description": self.description,
            "lineItems": [dict(line) for line in quote.lines],
            "metadata": dict(self.metadata),
            **quote.addresses,
            "supportedPaymentMethods": list(self.supported),
            "stripePaymentIntentId": self.intent_id,
            "stripeStatus": self.stripe_status,
            "stripeTaxCalculationId": self.tax_calculation,
            "stripeTaxTransactionId": self.tax_transaction,
            "stateHistory": [{"timestamp": iso(moment), "state": word} for moment, word in self.history],
            "refundHistory": [
                {"amountCents": amount, "timestamp": iso(moment), "stripeRefundId": refund}
                for moment, amount, refund in self.refunds
            ],
            "createdAt": iso(self.created),
            "updatedAt": None if self.updated is None else iso(self.updated),
            "refundedAmountCents": self.refunded or None,
        }
        return {name: value for name, value in known.items() if value is not None}


class State:
    """Everything of one simulator. `changed` is notified after each request, attempt and operator's action."""

    def __init__(self, clock: Callable[[], float], random: Random, ledger: Ledger) -> None:
        self.clock = clock
        self.ledger = ledger
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.projects: dict[str, Project] = {}
        self.users: dict[str, User] = {}
        self.methods: dict[str, SavedMethod] = {}
        self.services: dict[str, Service] = {}
        self.payments: dict[str, Payment] = {}
        self.triggers: dict[str, Trigger] = {}
        self.deliveries: list[Delivery] = []
        self.audit: list[AuditEntry] = []
        self._random = random
        self.keys = {sandbox: f"pk_{mode}_{self.letters(24)}" for sandbox, mode in ((True, "test"), (False, "live"))}

    def reset(self) -> None:
        """Nobody has paid anything yet. Its caller holds the lock."""
        self.payments.clear()
        self.deliveries.clear()
        self.audit.clear()

    def letters(self, length: int) -> str:
        """Random letters and digits."""
        with self.lock:
            return "".join(self._random.choices(ascii_letters + digits, k=length))

    def mint(self, prefix: str) -> str:
        """A new id: `pay_...`, and Stripe's own look for Stripe's objects."""
        return f"{_PREFIXES.get(prefix, f'{prefix}_')}{self.letters(15 if prefix == 'acct' else 23)}"

    def user(self, project: Project, user_id: str) -> User:
        """The project's user. ForteError NOT_FOUND if there is none, or only in another project."""
        found = self.users.get(user_id)
        if found is None or found.project != project.id:
            raise not_found("user", user_id)
        return found

    def payment(self, project: Project, payment_id: str) -> Payment:
        """The project's payment. ForteError NOT_FOUND if there is none, or only in another project."""
        found = self.payments.get(payment_id)
        if found is None or found.project.id != project.id:
            raise not_found("payment", payment_id)
        return found


def as_in_may(answer: Any) -> Any:
    """An answer without what payments have only since June 2026; refunds in part were not told at all."""
    if isinstance(answer, list):
        return [as_in_may(one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    known = {name: as_in_may(value) for name, value in answer.items() if name not in _SINCE_JUNE}
    return {**known, "state": "COMPLETED"} if known.get("state") == "PARTIALLY_REFUNDED" else known


_SINCE_JUNE = frozenset({"supportedPaymentMethods", "refundHistory", "refundedAmountCents"})


@dataclass(frozen=True)
class Call:
    """One request that has passed the door: of whose project, with which path ids, query and checked body."""

    state: State
    project: Project
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    page_size: int
    triggers_on_refund: bool
