"""What happens to a payment in the sandbox: it is paid, presented, captured, refunded, disputed, or time passes."""

from typing import Any

from bridge.adapters.sandbox.answers import captured
from bridge.adapters.sandbox.database import Entry, Page, charge_of, name
from bridge.adapters.sandbox.test_cards import AUTHORIZATION_SECONDS, LATER_SECONDS, NOBODY, DisputePlan, test_card_of
from bridge.domain.errors import ProviderRefused
from bridge.domain.intents import Dispute, Refund, RefundStatus, Status
from bridge.domain.outcomes import RefundRequest

Json = dict[str, Any]
_VOIDABLE = frozenset(Status) - {Status.SUCCEEDED, Status.CANCELED}
_WRITTEN = {
    Status.SUCCEEDED: "charged",
    Status.REQUIRES_CAPTURE: "authorized",
    Status.REQUIRES_PAYMENT_METHOD: "declined",
}
"""What the ledger calls the bank's answer."""
_CLOSED = {"won": "dispute_won", "lost": "dispute_lost", "warning_closed": "inquiry_closed"}
"""How a dispute may end, and how the ledger says so."""
_HARMLESS = frozenset({"won", "warning_closed"})


def begin(page: Page, key: str, request: Json) -> Entry:
    """A payment that was asked for: paid by its payment method, or waiting for a card reader."""
    reference = name("pi_", key)
    if request.get("terminal"):
        _presented(request)
        entry = page.add(reference, key, request, Status.REQUIRES_PAYMENT_METHOD)
        page.write("started", entry)
        return entry
    status = test_card_of(request["payment_method"]).status
    at_once = request["capture_method"] != "manual"
    return _answered(page, page.add(reference, key, request, _paid(status, at_once=at_once)))


def present(page: Page, entry: Entry, payment_method: str | None = None) -> Entry:
    """A card is held to the reader: this one, or for the first time the one that the metadata name.

    What Interac's network takes, it takes at once.
    """
    if entry.reader is None or entry.status is not Status.REQUIRES_PAYMENT_METHOD:
        return entry
    if payment_method is None:
        payment_method = NOBODY if entry.payment_method else _presented(entry.request)
        if payment_method == NOBODY:
            return entry
    declined = test_card_of(payment_method).decline is not None
    entry = page.present(entry, payment_method)
    at_once = entry.reader == "interac_present" or entry.request["capture_method"] != "manual"
    status = Status.REQUIRES_PAYMENT_METHOD if declined else _paid(Status.SUCCEEDED, at_once=at_once)
    return _answered(page, page.change(entry, status))


def authenticate(page: Page, entry: Entry, *, success: bool) -> Entry:
    """The payer answers the bank's question, also once more after a wrong answer. Raises ProviderRefused."""
    if entry.status is not Status.REQUIRES_ACTION and not entry.asked_in_vain:
        sentence = "Error: The payer's bank has not asked the payer about this payment."
        raise ProviderRefused(sentence, code="payment_intent_unexpected_state", status=400)
    if not success:
        return page.change(entry, Status.REQUIRES_PAYMENT_METHOD)
    entry = page.present(entry, str(entry.payment_method))
    at_once = entry.request["capture_method"] != "manual"
    return _answered(page, page.change(entry, _paid(Status.SUCCEEDED, at_once=at_once)))


def capture(page: Page, entry: Entry, amount: int, key: str, *, is_last: bool) -> Entry:
    """Take `amount` of what is held, only once under the same key, and release the rest if it is the last one.

    Raises ProviderRefused.
    """
    if entry.status is not Status.REQUIRES_CAPTURE or page.knows_capture(key):
        return entry
    held = entry.amount - captured(page, entry)
    if not 0 < amount <= held:
        sentence = f"Error: The amount to capture, {amount}, is not between 1 and the authorized {held}."
        raise ProviderRefused(sentence, code="amount_too_large" if amount > 0 else "amount_too_small", status=400)
    page.add_capture(key)
    page.write("captured", entry, amount)
    return _concluded(page, entry) if is_last or amount == held else entry


def _concluded(page: Page, entry: Entry) -> Entry:
    """Nothing is held any more."""
    if (rest := entry.amount - captured(page, entry)) > 0:
        page.write("released", entry, rest)
    entry = page.change(entry, Status.SUCCEEDED)
    _dispute_by_magic(page, entry)
    return entry


def void(page: Page, entry: Entry) -> Entry:
    """Release what is held. Raises ProviderRefused for what was captured in part."""
    if entry.status not in _VOIDABLE:
        return entry
    if captured(page, entry):
        sentence = "Error: Part of this payment has been captured. Capture the rest, or let it expire."
        raise ProviderRefused(sentence, code="payment_intent_unexpected_state", status=400)
    page.write("canceled", entry)
    return page.change(entry, Status.CANCELED)


def refund(page: Page, entry: Entry, request: RefundRequest, key: str) -> Refund:
    """Refund money, never more than was taken; only once under the same key. Raises ProviderRefused."""
    identifier = page.refund_of_key(key)
    if identifier is None:
        identifier = name("re_", key)
        _require_refundable(page, entry, request)
        status = entry.magic.refund[0]
        made = Refund(
            identifier, charge_of(entry.reference), request.amount, status, request.reason, request.operation_id
        )
        page.add_refund(entry, key, made)
        page.write("refunded", entry, request.amount)
    return next(one for one in page.refunds(entry) if one.id == identifier)


def dispute(page: Page, entry: Entry, quarrel: DisputePlan) -> None:
    """The payer's bank asks for what was taken and not sent back. Raises ProviderRefused."""
    amount, before = _left(page, entry), page.dispute(entry)
    if amount == 0 or (before and before.status not in _HARMLESS):
        raise ProviderRefused("Error: There is nothing to dispute.", code="nothing_to_dispute", status=400)
    number = 0 if before is None else before.created
    made = Dispute(
        id=name("dp_", f"{entry.reference}{number}"),
        charge_id=charge_of(entry.reference),
        amount=amount,
        status=quarrel.begins,
        reason=quarrel.reason,
        due_by=int(page.now) + quarrel.seconds,
        created=int(page.now),
    )
    page.add_dispute(entry, made)
    page.write("inquiry" if quarrel.begins.startswith("warning") else "disputed", entry, amount)


def close_dispute(page: Page, entry: Entry, status: str) -> None:
    """The payer's bank has decided. Raises ProviderRefused if it has nothing to decide."""
    open_dispute = page.dispute(entry)
    if open_dispute is None or open_dispute.is_closed:
        raise ProviderRefused("Error: There is no open dispute.", code="no_open_dispute", status=400)
    if open_dispute.status.startswith("warning"):
        status = "warning_closed"
    page.change_dispute(open_dispute, status)
    page.write(_CLOSED[status], entry, open_dispute.amount)


def pass_time(page: Page, entry: Entry) -> Entry:
    """What has happened automatically until now: a hold ran out, a refund came to its end, a dispute was decided."""
    if entry.status is Status.REQUIRES_CAPTURE and page.now >= entry.held_from + AUTHORIZATION_SECONDS:
        if captured(page, entry):
            return _concluded(page, entry)
        page.write("expired", entry)
        entry = page.change(entry, Status.CANCELED)
    for one in page.refunds(entry):
        if one.status is not entry.magic.refund[1] and page.now >= one.created + LATER_SECONDS:
            _end_refund(page, entry, one, entry.magic.refund[1])
    quarrel = entry.magic.quarrel or DisputePlan()
    current = page.dispute(entry)
    if current and not current.is_closed and page.now >= (current.due_by or 0):
        close_dispute(page, entry, quarrel.ends)
    return entry


def _paid(status: Status, *, at_once: bool) -> Status:
    return Status.REQUIRES_CAPTURE if status is Status.SUCCEEDED and not at_once else status


def _answered(page: Page, entry: Entry) -> Entry:
    """The payer's bank has answered."""
    page.write(_WRITTEN.get(entry.status, "started"), entry)
    if entry.status is Status.SUCCEEDED:
        _dispute_by_magic(page, entry)
    return entry


def _presented(request: Json) -> str:
    """The card that will be presented to the reader. Raises ProviderRefused for one that is not valid."""
    wish = str(request["metadata"].get("sandbox_present") or "pm_card_visa")
    if wish != NOBODY:
        test_card_of(wish)
    return wish


def _left(page: Page, entry: Entry) -> int:
    """Minor units that were taken and not sent back."""
    sent_back = sum(one.amount for one in page.refunds(entry) if one.status.counts)
    return captured(page, entry) - sent_back


def _require_refundable(page: Page, entry: Entry, request: RefundRequest) -> None:
    left, charge = _left(page, entry), charge_of(entry.reference)
    current = page.dispute(entry)
    problem = None
    if request.charge_id not in ("", charge):
        problem = ("resource_missing", f"No such charge: '{request.charge_id}'")
    elif captured(page, entry) == 0:
        problem = ("charge_not_captured", f"The charge {charge} has not been captured; cancel the payment instead.")
    elif request.currency.lower() != entry.request["currency"]:
        problem = ("currency_mismatch", f"The charge {charge} is in {entry.request['currency']}.")
    elif current and current.status not in _HARMLESS:
        problem = ("charge_disputed", f"The charge {charge} is disputed and cannot be refunded.")
    elif left == 0:
        problem = ("charge_already_refunded", f"Charge {charge} has already been refunded.")
    elif not 0 < request.amount <= left:
        problem = ("amount_too_large", f"Refund amount ({request.amount}) is not between 1 and what is left ({left}).")
    if problem:
        raise ProviderRefused(f"Error: {problem[1]}", code=problem[0], status=400)


def _end_refund(page: Page, entry: Entry, one: Refund, status: RefundStatus) -> None:
    failed = not status.counts
    page.change_refund(one, status, "expired_or_canceled_card" if failed else "")
    page.write("refund_failed" if failed else "refund_settled", entry, one.amount)


def _dispute_by_magic(page: Page, entry: Entry) -> None:
    if entry.magic.quarrel:
        dispute(page, entry, entry.magic.quarrel)
