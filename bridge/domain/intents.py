"""PaymentIntent, Attempt and Charge, and the one table of transitions.

An intent starts `processing` with its outcome unknown and moves only along TRANSITIONS. An event never ends a final
state: late, repeated and reordered news change nothing.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bridge.domain.money import Money


class Status(StrEnum):
    """Stripe's seven. Source: Stripe, PaymentIntent object, `status`."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"

    @classmethod
    def of(cls, word: str) -> "Status":
        """A provider's status; an unknown one means `processing`."""
        return cls(word) if word in cls._value2member_map_ else cls.PROCESSING


_OPEN = frozenset(
    {Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION, Status.PROCESSING}
)
FINAL = frozenset({Status.CANCELED, Status.SUCCEEDED})
MONEY = frozenset({Status.REQUIRES_CAPTURE, Status.SUCCEEDED})
"""Where money is held or taken."""

TRANSITIONS: dict[Status, frozenset[Status]] = {
    **{status: _OPEN | {Status.REQUIRES_CAPTURE} | FINAL for status in _OPEN},
    Status.REQUIRES_CAPTURE: FINAL,
    Status.SUCCEEDED: frozenset(),
    Status.CANCELED: frozenset(),
}


def may_become(old: Status, new: Status) -> bool:
    """Whether news of the status `new` moves an intent whose status is `old`."""
    return new in TRANSITIONS[old] and new != old


class Operation(StrEnum):
    """What an attempt asks of the provider. The value is the text that is stored."""

    CREATE = "create"
    CANCEL = "cancel"
    CAPTURE = "capture"
    REFUND = "refund"
    OPEN = "open"

    @property
    def sent(self) -> "JournalKind":
        return JournalKind(f"{self}_sent")

    @property
    def answered(self) -> "JournalKind":
        return JournalKind(f"{self}_answered")


class JournalKind(StrEnum):
    """What a line of the journal tells. The value is the text that is stored."""

    CREATE_SENT = "create_sent"
    CANCEL_SENT = "cancel_sent"
    CAPTURE_SENT = "capture_sent"
    REFUND_SENT = "refund_sent"
    OPEN_SENT = "open_sent"
    CREATE_ANSWERED = "create_answered"
    CANCEL_ANSWERED = "cancel_answered"
    CAPTURE_ANSWERED = "capture_answered"
    REFUND_ANSWERED = "refund_answered"
    NEWS = "news"
    OUTCOME_UNKNOWN = "outcome_unknown"
    ABANDONED = "abandoned"
    GIVEN_UP = "given_up"
    OPENED = "opened"
    OPEN_FAILED = "open_failed"
    OPEN_ENDED = "open_ended"
    CLOSED = "closed"
    REOPENED = "reopened"
    RELEASED = "released"
    REFUND = "refund"
    DISPUTE = "dispute"
    FLAGGED = "flagged"
    FLAG_SETTLED = "flag_settled"
    FLAG_CLEARED = "flag_cleared"
    AMOUNT_DIFFERS = "amount_differs"
    DUPLICATE_PAYMENT = "duplicate_payment"
    LATE_PAYMENT = "late_payment"
    TAKEN_OVER = "taken_over"
    OWED_AGAIN = "owed_again"
    LEFT_BEHIND = "left_behind"
    STORE_UPDATED = "store_updated"
    STORE_NOT_UPDATED = "store_not_updated"
    KNOWN = "known"
    SETTLED_BY_HAND = "settled_by_hand"


class AttemptState(StrEnum):
    """`sent`: the request may have left us. `unknown`: it did, and no answer can be trusted. The rest is resolved."""

    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    ABANDONED = "abandoned"


UNSETTLED = frozenset({AttemptState.SENT, AttemptState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Charge:
    """Money authorized or taken. Amounts in minor units of the intent's currency.

    `billing_details`, `card` (the member of `payment_method_details` that its `type` names) and `outcome` are Stripe's
    objects, and `details` has further members of the charge, with its `balance_transaction` as an object if the
    provider has shown it. Source: Stripe, Charge object. None where the provider has none.
    """

    id: str
    amount: int
    status: str
    captured: bool
    amount_captured: int = 0
    amount_refunded: int = 0
    application_fee_amount: int | None = None
    balance_transaction: str | None = None
    billing_details: dict[str, Any] | None = None
    card: dict[str, Any] | None = None
    payment_method_type: str = "card"
    created: int = 0
    outcome: dict[str, Any] | None = None
    details: dict[str, Any] | None = None

    @property
    def is_sent_back(self) -> bool:
        """Whether nothing is left of what was captured, as far as the provider's own total shows."""
        return self.captured and self.amount_refunded >= self.amount_captured

    def after(self, known: "Charge | None") -> "Charge":
        """With the balance transaction of the same charge as it was `known`, where this answer has but its id."""
        shown = (known.details or {}).get("balance_transaction") if known and known.id == self.id else None
        if not shown or shown.get("id") != self.balance_transaction:
            return self
        return replace(self, details={"balance_transaction": shown} | (self.details or {}))


class RefundStatus(StrEnum):
    """Stripe's, except for `requires_action`, which is `pending` here. Source: Stripe, Refund object, `status`."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @classmethod
    def of(cls, word: str) -> "RefundStatus":
        """A provider's status; an unknown one means `pending`."""
        return cls(word) if word in cls._value2member_map_ else cls.PENDING

    @property
    def counts(self) -> bool:
        """Whether its money is gone, or may be."""
        return self in (RefundStatus.PENDING, RefundStatus.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Refund:
    """Money refunded from a charge. `id` is the provider's, `amount` minor units, `created` Unix seconds.

    `operation_id` is the id of our attempt, if the provider says that we asked for it.
    """

    id: str
    charge_id: str
    amount: int
    status: RefundStatus
    reason: str = ""
    operation_id: str = ""
    created: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """The payer's bank claims the money back.

    `status` is Stripe's word; `created`, `due_by` and `closed` are Unix seconds. No provider says when a dispute was
    closed: it is when the bridge heard of it. `amount` is minor units of its own `currency` (upper case), which need
    not be the charge's; `""` means the charge's. Source: Stripe, Dispute object, `amount` and `currency`.
    """

    id: str
    charge_id: str
    amount: int
    status: str
    reason: str = ""
    due_by: int | None = None
    created: int = 0
    closed: int | None = None
    currency: str = ""

    def money(self, currency: str) -> Money:
        """What it is about; `currency` is the charge's."""
        return Money(self.amount, self.currency or currency)

    @property
    def is_closed(self) -> bool:
        return self.status in ("won", "lost", "warning_closed", "prevented")

    @property
    def is_inquiry(self) -> bool:
        """The bank has only inquired so far: the money is still here, and a full refund closes it. Source: Stripe,
        "Dispute inquiries"."""
        return self.status.startswith("warning_")


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """One order, one status, one adapter. `created`, `updated` and `order_read` are Unix seconds, `amount` minor units.

    `id` is the id of its first attempt, and shown only while there is no `public_id`. `holding` means that the order
    cannot be paid again, `unknown` that its newest attempt is not resolved. `payment_method` is the one that was used
    in the end, `requested_payment_method` the one that the caller named; `channel` is `online` or `terminal` (a card
    reader). At `look_at` (Unix seconds) the provider is asked how it stands, if there was no news before.

    `closed` says why nobody may pay it any more: its order cannot take it, whatever the provider may still do.
    `deducted` (minor units) is what refunds had taken off the unpaid order. At `order_seen` (Unix seconds) its order
    was last read for the buyer's page; with `notes_read` the order's notes were looked through after it was paid.

    `tip` (minor units) is what the payer added at a reader to what the order owed; it is part of `amount`. A payment
    that is `only_known` was made by somebody else and is nobody's to act on here: no write, capture, void or refund.
    """

    id: str
    public_id: str | None
    store_id: str
    adapter: str
    live: bool
    order_id: int
    order_number: str
    order_key: str = field(repr=False)
    amount: int
    currency: str
    customer: str
    payment_method: str
    requested_payment_method: str
    channel: str
    capture: str
    status: Status
    unknown: bool
    holding: bool
    order_read: float
    look_at: float | None
    created: float
    updated: float
    metadata: dict[str, Any] = field(default_factory=dict)
    last_error: dict[str, Any] | None = None
    flag: str = ""
    closed: str = ""
    deducted: int = 0
    order_seen: float = 0.0
    notes_read: bool = False
    tip: int = 0
    only_known: bool = False
    charge: Charge | None = None

    @property
    def shown_id(self) -> str:
        return self.public_id or self.id

    @property
    def has_or_holds_money(self) -> bool:
        """Whether money of it is held, taken or on its way, and was not refunded in full."""
        if self.status not in (*MONEY, Status.PROCESSING):
            return False
        return not (self.charge and self.charge.is_sent_back)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, written before the provider is called. `request` is exactly what is sent, every time.

    `key` is the provider's idempotency key. `sent_at` (Unix seconds) starts the provider's idempotency window; at
    `sent_again_at` the same request went out for the last time. Until `busy_until` somebody is working on it, and at
    `answered` it was first known what became of it. `material` is what the buyer's page needs, encrypted, as long as it
    is needed.
    """

    id: str
    intent_id: str
    store_id: str
    operation: Operation
    request: dict[str, Any] = field(repr=False)
    key: str = ""
    state: AttemptState = AttemptState.SENT
    exposed: bool = True
    reference: str | None = None
    created: float = 0.0
    sent_at: float = 0.0
    sent_again_at: float | None = None
    busy_until: float = 0.0
    next_check_at: float = 0.0
    checks: int = 0
    answered: float | None = None
    material: str | None = field(default=None, repr=False)

    @property
    def last_sent_at(self) -> float:
        """When its request left us for the last time, in Unix seconds."""
        return max(self.sent_at, self.sent_again_at or 0.0)
