"""What the sandbox answers: its data as an Outcome."""

from typing import Any

from bridge.adapters.sandbox.database import Entry, Page, charge_of, name
from bridge.adapters.sandbox.test_cards import AUTHORIZATION_SECONDS
from bridge.domain.intents import Charge, Refund, Status
from bridge.domain.outcomes import Decline, Outcome

_UNCONFIRMED = frozenset({Status.REQUIRES_ACTION, Status.REQUIRES_CONFIRMATION})
_CHECKS = {"address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": None}
_TAPPED = {"read_method": "contactless_emv", "overcapture_supported": False}
_RECEIPT = {"application_preferred_name": "Sandbox", "dedicated_file_name": "A000000003101001"}
_NOT_PROVEN = Decline("payment_intent_authentication_failure", "The payer's bank could not authenticate the payer.")
"""Source of the code: Stripe, "Error codes"."""


def outcome_of(page: Page, entry: Entry) -> Outcome:
    """A payment with everything that the database has about it."""
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
            **_read(entry),
        },
        payment_method_type=entry.reader or "card",
        created=int(entry.held_from),
        details={"balance_transaction": _balance(entry, taken)} if taken else None,
    )


def _read(entry: Entry) -> dict[str, Any]:
    """What else the card said, online or to a reader. An Interac card is one of debit."""
    if entry.reader is None:
        return {"funding": "credit", "network": entry.magic.brand, "checks": _CHECKS}
    is_interac = entry.reader == "interac_present"
    receipt = {"account_type": "checking" if is_interac else "credit", **_RECEIPT}
    network = "interac" if is_interac else entry.magic.brand
    return {"funding": "debit" if is_interac else "credit", "network": network, "receipt": receipt, **_TAPPED}


def _balance(entry: Entry, taken: int) -> dict[str, Any]:
    """The sandbox keeps no fee of what was taken, and has it for its owner at once."""
    at, currency = int(entry.held_from), entry.request["currency"].lower()
    kinds = {"object": "balance_transaction", "type": "charge", "reporting_category": "charge", "status": "available"}
    sums = {"amount": taken, "fee": 0, "fee_details": [], "net": taken, "currency": currency, "exchange_rate": None}
    moments = {"created": at, "available_on": at}
    return {"id": name("txn_", entry.reference), "source": charge_of(entry.reference), **kinds, **sums, **moments}
