"""Record what a provider said: attempt, intent, charge, refunds, dispute, journal and what the store is told of it, in
one transaction. Recording the same twice changes nothing."""

import json
from dataclasses import asdict, replace
from typing import Any

from bridge.domain.errors import NotOurs
from bridge.domain.intents import (
    FINAL,
    MONEY,
    UNSETTLED,
    Attempt,
    AttemptState,
    Dispute,
    JournalKind,
    Operation,
    PaymentIntent,
    Refund,
    Status,
    may_become,
)
from bridge.domain.money import Money
from bridge.domain.orders import OrderUpdate, UpdateKind
from bridge.domain.outcomes import Outcome
from bridge.payments import flags, order_updates
from bridge.payments.flags import AMOUNT_FLAG, AUTHORIZED_FLAG, DISPUTED_FLAG
from bridge.payments.poll_schedule import first_read, next_poll
from bridge.payments.refund_matching import match_refunds
from bridge.payments.unresolved import UNKNOWN_FLAGS
from bridge.services import Services
from bridge.storage import Connection, intents, journal, outbox, refunds

WAITING = frozenset({Status.REQUIRES_ACTION, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_PAYMENT_METHOD})
"""Where the buyer has to do something."""
_DOUBTED = "The payment provider reports {second} for this payment of {money} ({id}). Somebody has to look at it."
SOURCE_POLL, SOURCE_MESSAGE, SOURCE_RECONCILE, SOURCE_STAFF = "look", "message", "reconcile", "staff"
"""What made the provider tell the news: somebody looked, a message, a reconciliation, an operator who settled it."""


def record(
    services: Services,
    intent_id: str,
    outcome: Outcome,
    attempt: Attempt | None = None,
    total: int | None = None,
    *,
    source: str = SOURCE_POLL,
) -> PaymentIntent:
    """Record an answer to `attempt`, or news from `source`. Raises NotOurs for what is not about this payment.

    `total` is what the order comes to now, in minor units, if it was just read and may have changed.
    """
    with services.database.write() as connection:
        return record_in(services, connection, intent_id, outcome, attempt, total, source=source)


def record_in(
    services: Services,
    connection: Connection,
    intent_id: str,
    outcome: Outcome,
    attempt: Attempt | None = None,
    total: int | None = None,
    *,
    source: str = SOURCE_POLL,
) -> PaymentIntent:
    """The same in a transaction that the caller has begun."""
    now = services.clock()
    before = intents.get(connection, intent_id, lock=True)
    if not outcome.currency:
        if before.flag.startswith(AMOUNT_FLAG):
            raise NotOurs("The provider's message named another amount: an operator has to look at it first.")
        outcome = _filled(outcome, before)
    before = _with_tip(connection, before, outcome)
    _require_ours(connection, before, outcome, attempt)
    outcome = match_refunds(services, connection, before, outcome)
    if _is_second(before, outcome):
        IntentWriter(services, connection, before, now).report_second(outcome)
        return before
    answered = _settle_attempt(connection, now, attempt, outcome, _material(services, outcome))
    first = answered == Operation.CREATE
    changes = _changes(services, before, outcome, first) | {"updated": now}
    after_status = changes.get("status", before.status)
    if after_status in FINAL:
        _end_voids(connection, before.id)
    changes["unknown"] = not first and intents.is_unsettled(connection, before.id)
    if _is_moot(before, outcome, changes):
        changes = {"flag": ""} | changes
    intents.change(connection, before.id, **changes, **_order_due(before, after_status, now))
    charge = outcome.charge.after(before.charge) if outcome.charge else before.charge
    if charge:
        intents.put_charge(connection, before, charge)
    after = replace(before, **changes, charge=charge)
    if before.status in WAITING and after.status not in WAITING:
        intents.forget_material(connection, after.id)
    writer = IntentWriter(services, connection, after, now)
    if answered or after.status is not before.status:
        writer.note_payment(attempt, outcome, source)
    if words := order_updates.of_payment(before, after, outcome, first):
        # rule 7: only what the create itself answered as taken is written without another look at the order
        read_at = after.order_read if first and words is order_updates.CHARGED else 0.0
        writer.notify_store(words, _taken(words, before, after), total, read_at)
    if before.status is Status.CANCELED and outcome.status in MONEY:
        writer.report_late(outcome)
    for refund in sorted(outcome.refunds, key=lambda refund: refund.created):
        writer.put_refund(refund, "provider")
    if outcome.dispute:
        writer.put_dispute(outcome.dispute)
    return after


def flag_amount_mismatch(services: Services, intent_id: str, said: Money) -> None:
    """A proven message names a different amount than ours: nothing is fulfilled automatically, and the order waits on
    hold."""
    now = services.clock()
    with services.database.write() as connection:
        intent = intents.get(connection, intent_id, lock=True)
        flag = (
            f"{AMOUNT_FLAG}: the provider speaks of {said}, the payment is of {Money(intent.amount, intent.currency)}."
        )
        if intent.flag == flag:
            return
        changes: dict[str, Any] = {"flag": flag, "look_at": None, "updated": now}
        held = intent.status in WAITING
        if held:
            changes["status"] = Status.PROCESSING
        intents.change(connection, intent.id, **changes)
        intents.forget_material(connection, intent.id)
        writer = IntentWriter(services, connection, replace(intent, **changes), now)
        writer.log(JournalKind.AMOUNT_DIFFERS, None, amount=said.amount, currency=said.currency)
        writer.notify_store((UpdateKind.AUTHORIZED if held else UpdateKind.NOTE, _DOUBTED), second=str(said))


class IntentWriter:
    """Writes about one intent in an open transaction that has locked it."""

    def __init__(self, services: Services, connection: Connection, intent: PaymentIntent, now: float) -> None:
        self._services = services
        self._connection = connection
        self._intent = intent
        self._now = now
        self._known: dict[str, Refund] | None = None

    def notify_store(
        self,
        words: order_updates.Words,
        amount: int | None = None,
        total: int | None = None,
        read_at: float = 0.0,
        **more: str,
    ) -> None:
        """The store has to be told of it; `read_at` is when the order was read, if it may be written to without a
        look."""
        self._owe(order_updates.build(self._new_id(), self._title, self._intent, words, amount, total, read_at, **more))

    def report_second(self, outcome: Outcome) -> None:
        """The order was paid twice: nothing is fulfilled for the second payment, and an operator has to refund it."""
        flag = "duplicate_payment: {names} paid the order once more. Refund it at the provider."
        self._report(JournalKind.DUPLICATE_PAYMENT, outcome, flag, order_updates.DUPLICATE)

    def report_late(self, outcome: Outcome) -> None:
        """Money came for a payment that was taken as canceled: nothing is fulfilled, and an operator has to decide."""
        flag = f"The provider reports {outcome.status.value} for a payment that was recorded as canceled ({{names}})."
        self._report(JournalKind.LATE_PAYMENT, outcome, flag, order_updates.LATE)

    def _report(self, kind: JournalKind, outcome: Outcome, flag: str, words: order_updates.Words) -> None:
        """Money that does not fulfill anything, reported once for each payment at the provider. The flag names all that
        nobody has dealt with."""
        waiting: list[str] = []
        for line in journal.read(self._connection, self._intent.id):
            if line["kind"] == JournalKind.FLAG_CLEARED:
                waiting = []
            if line["kind"] == kind:
                if line["detail"]["reference"] == outcome.reference:
                    return
                waiting.append(line["detail"]["reference"])
        self._flag(flag.format(names=" and ".join([*waiting, str(outcome.reference)])))
        self.log(kind, None, reference=outcome.reference, amount=outcome.amount)
        # what has to be sent back is its own sum, with a tip of its own: not that of the payment which it is beside
        amount = outcome.amount if outcome.currency else None
        self.notify_store(words, amount, reference=str(outcome.reference), currency=outcome.currency.upper())

    def note_payment(self, attempt: Attempt | None, outcome: Outcome, source: str) -> None:
        detail: dict[str, Any] = {"status": outcome.status, "reference": outcome.reference}
        if attempt is None:
            detail["source"] = source
        if outcome.charge:
            detail["charge"] = outcome.charge.id
        if outcome.decline:
            detail |= asdict(outcome.decline)
        if outcome.expired:
            detail["expired"] = True
        kind = attempt.operation.answered if attempt else JournalKind.NEWS
        self.log(kind, attempt.id if attempt else None, **detail)

    def put_refund(self, refund: Refund, origin: str) -> None:
        """One refund as the provider has it now. One of ours is known by its operation id, another by its own."""
        if self._known is None:
            self._known = {r.operation_id: r for r in refunds.of_intent(self._connection, self._intent.id)}
        by_reference = {known.id: known for known in self._known.values() if known.id}
        before = self._known.get(refund.operation_id) or by_reference.get(refund.id)
        if before and (before.id, before.status, before.failure) == (refund.id, refund.status, refund.failure):
            return
        if before is None:
            refund = replace(refund, operation_id=self._new_id())
            refunds.add(self._connection, self._intent, refund, refund.operation_id, origin, self._now)
        else:
            refund = replace(refund, operation_id=before.operation_id, reason=before.reason or refund.reason)
            refunds.change(
                self._connection,
                before.operation_id,
                reference=refund.id or None,
                status=refund.status,
                failure=refund.failure,
            )
        self._known[refund.operation_id] = refund
        self.log(JournalKind.REFUND, refund.operation_id, **asdict(refund))
        left = refunds.left(self._connection, self._intent.store_id, refund.charge_id)
        is_over = left == 0 and refund.status.counts
        if is_over:
            why = "its money was refunded in full"
            flags.clear_order_flag(self._connection, self._intent.id, why, self._now, is_back=True)
        if words := order_updates.of_refund(before, refund):
            new_id, intent = self._new_id(), self._intent
            self._owe(order_updates.build_refund(new_id, self._title, intent, words, refund, origin, over=is_over))

    def put_dispute(self, dispute: Dispute) -> None:
        before = refunds.dispute(self._connection, self._intent.store_id, dispute.id)
        if dispute.is_closed:
            dispute = replace(dispute, closed=(before and before.closed) or int(self._now))
        if before == dispute:
            return
        refunds.put_dispute(self._connection, self._intent, dispute)
        self.log(JournalKind.DISPUTE, None, **asdict(dispute))
        if dispute.is_closed and self._intent.flag.startswith(DISPUTED_FLAG):
            intents.change(self._connection, self._intent.id, flag="")
        for words in order_updates.of_dispute(before, dispute):
            self._owe(order_updates.build_dispute(self._new_id(), self._title, self._intent, words, dispute))

    def log(self, kind: JournalKind, attempt_id: str | None, **detail: Any) -> None:
        journal.write(self._connection, self._now, self._intent.id, kind, attempt_id=attempt_id, **detail)

    @property
    def _title(self) -> str:
        return self._services.stores.store(self._intent.store_id).options["payment_method_title"]

    def _new_id(self) -> str:
        return self._services.ids.attempt()

    def _flag(self, why: str) -> None:
        """Unless a doubt about the amount is flagged, which goes before everything else."""
        if not self._intent.flag.startswith(AMOUNT_FLAG):
            intents.change(self._connection, self._intent.id, flag=why, updated=self._now)

    def _owe(self, update: OrderUpdate) -> None:
        if self._intent.only_known:  # rule 13: what somebody else has taken is theirs to tell the store
            return
        outbox.add(self._connection, self._now, self._intent.store_id, self._intent.id, update)


def _require_ours(connection: Connection, intent: PaymentIntent, outcome: Outcome, attempt: Attempt | None) -> None:
    """Raises NotOurs for a different amount, or for an attempt that is not the intent's."""
    if (outcome.amount, outcome.currency.upper()) != (intent.amount, intent.currency):
        raise NotOurs("The payment provider's answer is about another amount.")
    named = outcome.attempt_id
    if named is None or named == intent.id or (attempt and named == attempt.id):
        return
    if all(named != known.id for known in intents.attempts_of(connection, intent.id)):
        raise NotOurs("The payment provider's answer is about another payment.")


def _with_tip(connection: Connection, intent: PaymentIntent, outcome: Outcome) -> PaymentIntent:
    """A reader's payment to which the payer has added a tip: it is the same payment, if the rest of it is its
    amount."""
    is_added = outcome.tip != intent.tip and outcome.amount - outcome.tip == intent.amount - intent.tip
    if intent.channel != "terminal" or not is_added:
        return intent
    intents.change(connection, intent.id, amount=outcome.amount, tip=outcome.tip)
    return replace(intent, amount=outcome.amount, tip=outcome.tip)


def _filled(outcome: Outcome, intent: PaymentIntent) -> Outcome:
    """An answer of a provider that does not say amounts: they are what it was asked for."""
    charge = outcome.charge
    if charge:
        charge = replace(charge, amount=intent.amount, amount_captured=intent.amount if charge.captured else 0)
    return replace(outcome, amount=intent.amount, currency=intent.currency, charge=charge)


def _is_second(before: PaymentIntent, outcome: Outcome) -> bool:
    """Whether money has come for a payment that another one has paid already."""
    paid = before.status in MONEY and outcome.status in MONEY
    return bool(paid and before.charge and outcome.charge and before.charge.id != outcome.charge.id)


def _taken(words: order_updates.Words, before: PaymentIntent, after: PaymentIntent) -> int | None:
    """Minor units that a note about money that was taken speaks of."""
    if words is order_updates.PART_CAPTURED:
        return order_updates.captured_now(before, after)
    return (
        after.charge.amount_captured
        if after.charge and words in (order_updates.CAPTURED, order_updates.CHARGED)
        else None
    )


def _material(services: Services, outcome: Outcome) -> str | None:
    """What the buyer's page needs, sealed; nothing once the payment needs no buyer."""
    if outcome.status not in WAITING or not (outcome.provider_data or outcome.client_secret):
        return None
    needed = {
        "client_secret": outcome.client_secret,
        "next_action": outcome.next_action,
        "provider_data": outcome.provider_data,
    }
    return services.vault.encrypt(json.dumps(needed))


def _end_voids(connection: Connection, intent_id: str) -> None:
    """A payment that is over cannot be voided any more, and shows whether it was: whoever says so settles it."""
    for attempt in intents.attempts_of(connection, intent_id):
        if attempt.operation == Operation.CANCEL and attempt.state is AttemptState.UNKNOWN:
            intents.change_attempt(connection, attempt.id, state=AttemptState.DONE)


def _settle_attempt(
    connection: Connection, now: float, attempt: Attempt | None, outcome: Outcome, material: str | None
) -> str:
    """The operation to which this is the first answer, "" if it is none."""
    if attempt is None:
        return ""
    unsettled = intents.attempt(connection, attempt.id).state in UNSETTLED
    intents.answer(connection, attempt.id, now, outcome.reference, material)
    return attempt.operation if unsettled else ""


def _order_due(before: PaymentIntent, after: Status, now: float) -> dict[str, float]:
    """Staff may change an order once its money was taken, and the store's message may never come."""
    is_taken = after is Status.SUCCEEDED and before.status is not Status.SUCCEEDED
    return {"order_due": first_read(now, before.store_id)} if is_taken else {}


def _is_moot(before: PaymentIntent, outcome: Outcome, changes: dict[str, Any]) -> bool:
    """Whether nobody has to look any more: it is known now, or what was held is not, and did not just run out."""
    if before.flag.startswith(AUTHORIZED_FLAG):
        return changes["status"] is not before.status and not outcome.expired
    return before.flag in UNKNOWN_FLAGS and not changes["unknown"]


def _changes(services: Services, before: PaymentIntent, outcome: Outcome, first: bool) -> dict[str, Any]:
    """What the answer changes about the intent. `first` is the first answer to its create."""
    status = outcome.status if may_become(before.status, outcome.status) else before.status
    adapter = services.store(before.store_id).adapter
    changes: dict[str, Any] = {
        "status": status,
        "holding": before.holding and status is not Status.CANCELED,
        "look_at": next_poll(services.clock(), before, status, outcome, is_told="events" in adapter.operations),
    }
    if before.only_known:  # nobody here can end it: without money it is in nobody's way; `beside` says when to look
        changes["holding"] &= status not in WAITING
        changes["look_at"] = before.look_at
    if first:
        changes["public_id"] = outcome.public_id or services.ids.public("pi_")
        changes["created"] = outcome.created or before.created
    if adapter.reference_name and outcome.reference and before.status not in FINAL:
        changes["metadata"] = {**before.metadata, adapter.reference_name: outcome.reference}
    if outcome.payment_method:
        changes["payment_method"] = outcome.payment_method
    if outcome.decline:
        changes["last_error"] = {"type": "card_error", **asdict(outcome.decline)}
    elif outcome.problem:
        changes["last_error"] = asdict(outcome.problem)
    elif status in MONEY:
        changes["last_error"] = None
    return changes
