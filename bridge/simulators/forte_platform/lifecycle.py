"""How a payment moves: Forte's state follows Stripe's status, a refund follows a completed payment.

Source: the table "Payment lifecycle and state mapping" of Forte's guide. Every money fact goes into the ledger.
"""

from collections.abc import Mapping

from ..ledger import Kind
from .bodies import EVENTS
from .errors import INVALID, ForteError, Json
from .state import AuditEntry, Call, Payment, State
from .triggers import fire

STATES: Mapping[str, str] = {
    "requires_payment_method": "DRAFT",
    "requires_confirmation": "DRAFT",
    "requires_action": "DRAFT",
    "requires_capture": "DRAFT",
    "processing": "PROCESSING",
    "succeeded": "COMPLETED",
    "canceled": "CANCELLED",
}
"""Forte's state by Stripe's status; any other status is FAILED."""

DRAFT_SECONDS = 24 * 3600
_REFUNDABLE = ("COMPLETED", "PARTIALLY_REFUNDED")


def move(state: State, payment: Payment, status: str, at: float | None = None) -> None:
    """Stripe reports a status, at the Unix time `at` or now. ValueError for a move that Stripe's payment intents do not
    make: out of `succeeded` or `canceled`, and from a hold to anything but these two."""
    before = payment.stripe_status
    if status == before:
        return
    final = before in ("succeeded", "canceled")
    if final or (before == "requires_capture" and status not in ("succeeded", "canceled")):
        raise ValueError(f"a payment intent does not go from {before} to {status}")
    payment.stripe_status = status
    payment.waiting_card = None
    if status in ("requires_capture", "succeeded") and not payment.held:
        payment.held = True
        _note(state, "authorised", payment, payment.quote.amount)
    if status == "succeeded":
        _note(state, "captured", payment, payment.quote.amount)
    elif status == "canceled":
        _note(state, "canceled", payment, payment.quote.amount if payment.held else 0)
    word = STATES.get(status, "FAILED")
    if word == payment.state:
        payment.updated = state.clock() if at is None else at
    else:
        enter(state, payment, word, at)


def enter(state: State, payment: Payment, word: str, at: float | None = None, *, quietly: bool = False) -> None:
    """The payment is in the state `word` from now on: history, audit trail, tax, and, unless `quietly`, triggers."""
    moment = state.clock() if at is None else at
    if payment.history:
        payment.updated = moment
    payment.state = word
    payment.history.append((moment, word))
    state.audit.append(AuditEntry(moment, payment.user_id, payment.id, f"PAYMENT_{word}"))
    if word == "COMPLETED" and payment.tax_calculation:
        payment.tax_transaction = state.mint("tax")
    if word in EVENTS.values() and not quietly:
        fire(state, payment, word, moment)


def sweep(state: State) -> None:
    """Cancel what has been left unconfirmed for 24 hours, as of the moment when they were over. A hold is confirmed."""
    for payment in state.payments.values():
        due = payment.created + DRAFT_SECONDS
        if payment.state == "DRAFT" and not payment.held and state.clock() >= due:
            move(state, payment, "canceled", at=due)


def refund_by_api(call: Call) -> Json:
    """Refund what is left, or `refundAmountCents` of it."""
    state, query = call.state, call.query
    user = state.user(call.project, call.ids["user"])
    payment = state.payment(call.project, call.ids["payment"])
    if payment.user_id != user.id:
        raise ForteError("NOT_FOUND", f"The user {user.id} has no payment {payment.id}.")
    if query.get("keepSubscriptionActive", "false") not in ("true", "false"):
        raise ForteError(INVALID, "keepSubscriptionActive: must be a boolean")
    amount = None if "refundAmountCents" not in query else _cents(query["refundAmountCents"])
    refund(state, payment, amount, quietly=not call.triggers_on_refund)
    return payment.shape


def refund(state: State, payment: Payment, amount: int | None, *, quietly: bool = False) -> None:
    """Send back `amount` minor units, or all that is left. ForteError if payment or amount does not permit it."""
    if payment.state == "REFUNDED":
        raise ForteError("PAYMENT_ALREADY_REFUNDED", f"The payment {payment.id} has been refunded in full.")
    if payment.state not in _REFUNDABLE:
        raise ForteError("PAYMENT_NOT_REFUNDABLE", f"The payment {payment.id} is {payment.state}.")
    left = payment.quote.amount - payment.refunded
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise ForteError("INVALID_REFUND_AMOUNT", f"Between 1 and {left} cents can be refunded, not {amount}.")
    moment = state.clock()
    payment.refunds.append((moment, amount, state.mint("re")))
    payment.updated = moment
    _note(state, "refunded", payment, amount)
    word = "REFUNDED" if amount == left else "PARTIALLY_REFUNDED"
    if word != payment.state:
        enter(state, payment, word, quietly=quietly)


def _cents(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ForteError(INVALID, "refundAmountCents: must be an integer") from error


def _note(state: State, kind: Kind, payment: Payment, amount: int) -> None:
    state.ledger.record(
        kind,
        account=payment.project.account,
        object_id=payment.id,
        charge_id=payment.charge_id if payment.held else None,
        amount=amount,
        currency=payment.quote.currency,
        metadata=payment.metadata,
    )
