"""What the sandbox answers: its books as an Outcome."""

from bridge.adapters.sandbox.books import Entry, Page
from bridge.adapters.sandbox.magic import AUTHORIZATION_SECONDS
from bridge.adapters.sandbox.names import charge_of, name
from bridge.domain.intents import Charge, Refund, Status
from bridge.domain.outcomes import Decline, Outcome

_UNCONFIRMED = frozenset({Status.REQUIRES_ACTION, Status.REQUIRES_CONFIRMATION})
_NOT_PROVEN = Decline("payment_intent_authentication_failure", "The payer's bank could not make sure who is paying.")
"""Source of the code: Stripe, "Error codes"."""


def outcome_of(page: Page, entry: Entry) -> Outcome:
    """A payment with everything that the books have of it."""
    refunds = tuple(page.refunds(entry))
    unpaid = entry.status is Status.REQUIRES_ACTION or (entry.reader is not None and entry.payment_method is None)
    return Outcome(
        status=entry.status,
        reference=entry.reference,
        public_id=entry.reference,
        amount=entry.amount,
        currency=entry.request["currency"].upper(),
        customer=entry.request["customer"],
        payment_method=entry.payment_method,
        charge=_charge(page, entry, refunds),
        decline=_NOT_PROVEN if entry.asked_in_vain else entry.magic.decline,
        refunds=refunds,
        dispute=page.dispute(entry),
        expired=entry.status is Status.CANCELED and page.sum(entry, "expired") > 0,
        created=entry.created,
        next_action={"type": "use_stripe_sdk"} if entry.status is Status.REQUIRES_ACTION else None,
        client_secret=name(f"{entry.reference}_secret_", entry.reference) if unpaid else None,
        provider_data={"kind": "sandbox"} if entry.status is Status.REQUIRES_ACTION or entry.asked_in_vain else None,
        raw={"status": entry.status.value, "reference": entry.reference},
    )


def captured(page: Page, entry: Entry) -> int:
    """Minor units that were taken."""
    return page.sum(entry, "charged", "captured")


def _charge(page: Page, entry: Entry, refunds: tuple[Refund, ...]) -> Charge | None:
    if entry.status in _UNCONFIRMED or entry.payment_method is None or entry.asked_in_vain:
        return None
    magic, taken = entry.magic, captured(page, entry)
    failed = magic.decline is not None
    held = entry.request["capture_method"] == "manual" and not failed
    return Charge(
        id=charge_of(entry.reference),
        amount=entry.amount,
        status="failed" if failed else "pending" if entry.status is Status.PROCESSING else "succeeded",
        captured=taken > 0,
        amount_captured=taken,
        amount_refunded=sum(refund.amount for refund in refunds if refund.status.counts),
        balance_transaction=name("txn_", entry.reference) if taken else None,
        billing_details=entry.request["billing_details"],
        card={
            "amount_authorized": None if failed else entry.amount,
            "brand": magic.brand,
            "capture_before": int(entry.held_from) + AUTHORIZATION_SECONDS if held else None,
            "country": "US",
            "exp_month": 12,
            "exp_year": 2034,
            "last4": magic.last4,
            "three_d_secure": None,
        },
        payment_method_type=entry.reader or "card",
        created=int(entry.held_from),
    )
