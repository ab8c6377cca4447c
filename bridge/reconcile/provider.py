"""The provider against the bridge: what the provider says is recorded, as if a message had reported it."""

from collections.abc import Iterator

from bridge.domain.errors import BridgeError, ProviderConfused, ProviderError, ProviderRefused
from bridge.domain.intents import FINAL, MONEY, Attempt, Operation, PaymentIntent, Refund, Status, may_become
from bridge.domain.money import Money
from bridge.domain.outcomes import Outcome
from bridge.domain.ports import Adapter
from bridge.payments.attempts import conclude
from bridge.payments.flags import flag
from bridge.payments.outcomes import poll_payment, resolve
from bridge.payments.record import SOURCE_RECONCILE, record
from bridge.payments.takeover import Site, match_payment
from bridge.reconcile.report import Difference, Report
from bridge.reconcile.restore_missing import restore_payments
from bridge.services import Services, StoreHandle
from bridge.storage import intents, reconcile, refunds


def compare(store: StoreHandle, report: Report, *, in_full: bool = True) -> None:
    """Go through what the provider has listed since then, then ask for what it should have listed and for what is open.

    What others made and fits no order is told only `in_full`: whoever looks every few minutes would repeat it forever.
    Raises Ending.
    """
    adapter = store.adapter
    can_list = "listed" in adapter.operations
    seen = compare_listed(store, report, in_full=in_full) if can_list else set[str]()
    if not can_list:
        report.remarks.append(
            f"{store.config.adapter} does not list its payments: the bridge asked for those that it knows, one by "
            "one, and cannot find others."
        )
    for intent in changed(store, report.since):
        if intent.id not in seen and _is_to_ask(intent, report.since, can_list=can_list):
            _ask_for(store, intent, report)


def compare_listed(store: StoreHandle, report: Report, *, in_full: bool = False) -> set[str]:
    """What the provider lists since then; our ids of the payments that were in the list. Raises Ending."""
    seen, site = set[str](), Site(store)
    for outcome in _listed(store.adapter, report):
        store.raise_if_ending()
        _compare_one(store, outcome, seen, report, site, in_full=in_full)
    return seen


def changed(store: StoreHandle, since: float) -> Iterator[PaymentIntent]:
    """The store's intents that were changed since then and before now, page by page. Raises Ending."""
    until, after = store.clock(), (since, "")
    while True:
        with store.database.read() as connection:
            page = reconcile.changed(connection, store.id, until, after)
        for intent in page:
            store.raise_if_ending()
            yield intent
        if len(page) < reconcile.PAGE:
            return
        after = (page[-1].updated, page[-1].id)


def _listed(adapter: Adapter, report: Report) -> Iterator[Outcome]:
    try:
        yield from adapter.listed(report.since)
    except ProviderError as error:
        report.problems.append(f"The provider's payments could not all be listed. {error}")


def _compare_one(
    store: StoreHandle, outcome: Outcome, seen: set[str], report: Report, site: Site, *, in_full: bool
) -> None:
    report.payments += 1
    try:
        intent = _ours(store, outcome)
        if intent is not None:
            seen.add(intent.id)
            _heal(store, intent, outcome, report)
        elif outcome.attempt_id is not None:
            intent = restore_payments(store, outcome, report)
        else:
            intent = _meet(store, outcome, report, site, in_full=in_full)
        if intent is not None:
            seen.add(intent.id)
    except BridgeError as error:
        report.problems.append(f"The payment {outcome.reference} could not be compared. {error}")


def _meet(store: StoreHandle, outcome: Outcome, report: Report, site: Site, *, in_full: bool) -> PaymentIntent | None:
    """Of a payment that somebody else has made."""
    met = match_payment(store, outcome, site)
    money = Money(outcome.amount, outcome.currency.upper())
    if met.intent:
        done = "it is only known" if met.intent.only_known else "it is taken over"
        text = f"a payment of {money} ({outcome.status.value}) was not made here: {done}"
        report.found("known" if met.intent.only_known else "taken_over", met.intent, text, healed=True)
    elif met.holder:
        text = f"the provider has a second payment for the order: {money} ({outcome.reference})"
        report.found("duplicate", met.holder, text, healed=False)
    elif met.misfit and met.misfit.is_grave:
        text = f"the provider has a payment of {money} for it that was not made here, but {met.misfit.why}"
        report.differences.append(Difference("misfit", str(outcome.reference), met.misfit.order, text, False))
    elif met.misfit and in_full:
        named = f"{outcome.reference}: a payment of {money} ({outcome.status.value}) for order {met.misfit.order}"
        report.strangers.append(f"{named}: {met.misfit.why}")
    return met.intent


def _ours(store: StoreHandle, outcome: Outcome) -> PaymentIntent | None:
    with store.database.read() as connection:
        for name in filter(None, (outcome.attempt_id, outcome.reference)):
            if found := intents.find(connection, store.id, name):
                return found
    return None


def _heal(store: StoreHandle, intent: PaymentIntent, outcome: Outcome, report: Report) -> None:
    kind, text = _difference(store, intent, outcome)
    if not kind:
        return
    conflict = ""
    try:
        _record(store, intent, outcome)
    except ProviderConfused as error:
        conflict = str(error)
    except BridgeError as error:
        text = f"{text} ({error})"
    with store.database.read() as connection:
        after = intents.get(connection, intent.id)
    if intent.status in MONEY and outcome.status not in MONEY and not may_become(intent.status, outcome.status):
        conflict = f"The provider says {outcome.status.value} of a payment that was taken as {intent.status.value}."
    if conflict:
        flag(store, intent.id, conflict)
    still, _ = _difference(store, after, outcome)
    is_settled = not conflict and (not still or still == "refund_gone") and kind != "duplicate" and not after.flag
    if kind == "refund_gone":
        flag(store, intent.id, f"Reconciled: {text}.")
        is_settled = False
    report.found("refund" if kind == "refund_gone" else kind, after, text, healed=is_settled)


def _record(store: StoreHandle, intent: PaymentIntent, outcome: Outcome) -> None:
    with store.database.read() as connection:
        unsettled = intents.unsettled(connection, intent.id)
    if unsettled and unsettled.operation == Operation.CREATE:
        conclude(store, unsettled, outcome)
        return
    if unsettled:
        resolve(store, unsettled, resend=False)
    record(store, intent.id, outcome, source=SOURCE_RECONCILE)
    store.wake()


def _difference(services: Services, intent: PaymentIntent, outcome: Outcome) -> tuple[str, str]:
    """The first thing in which the two do not agree, as a word and a sentence; two empty texts if they agree."""
    if intent.unknown:
        return "unknown", f"its outcome was unknown; the provider says {outcome.status.value}"
    with services.database.read() as connection:
        created = intents.attempts_of(connection, intent.id)[0]
        known_refunds = refunds.of_intent(connection, intent.id)
        told = outcome.dispute
        quarrel = refunds.dispute(connection, intent.store_id, told.id) if told else None
    if _is_another(intent, created, outcome):
        return "duplicate", f"the provider has another payment of it ({outcome.reference}), which has to be refunded"
    if outcome.status is not intent.status:
        is_news = may_become(intent.status, outcome.status)
        if is_news or {outcome.status, intent.status} & MONEY:
            return "status", f"the provider says {outcome.status.value}, and the bridge had {intent.status.value}"
    if outcome.currency and (outcome.amount, outcome.currency.upper()) != (intent.amount, intent.currency):
        theirs, ours = Money(outcome.amount, outcome.currency.upper()), Money(intent.amount, intent.currency)
        return "amount", f"the provider has {theirs}, and the bridge {ours}"
    if found := _of_refunds(known_refunds, outcome):
        return found
    if told and (quarrel is None or quarrel.status != told.status):
        return "dispute", f"the payment is disputed ({told.id}, {told.status}), which the bridge did not know"
    ours_charge, theirs_charge = intent.charge, outcome.charge
    if ours_charge and theirs_charge and theirs_charge.amount_captured != ours_charge.amount_captured:
        return "amount", f"the provider has captured {Money(theirs_charge.amount_captured, intent.currency)}"
    return "", ""


def _is_another(intent: PaymentIntent, created: Attempt, outcome: Outcome) -> bool:
    """Whether it is a second payment at the provider under the name of one that has money."""
    if outcome.status not in MONEY or intent.status not in MONEY or not (intent.charge and outcome.charge):
        return False
    return created.operation == Operation.CREATE and intent.charge.id != outcome.charge.id


def _of_refunds(ours: list[Refund], outcome: Outcome) -> tuple[str, str] | None:
    by_name = {name: refund for refund in ours for name in (refund.operation_id, refund.id) if name}
    for told in outcome.refunds:
        known = by_name.get(told.operation_id) or by_name.get(told.id)
        money = Money(told.amount, outcome.currency.upper()) if outcome.currency else told.amount
        if known is None:
            return "refund", f"the provider has a refund of {money} ({told.id}) that the bridge did not know"
        if known.status is not told.status:
            return "refund", f"the refund {told.id} is {told.status.value}, and the bridge had {known.status.value}"
    shown = {name for told in outcome.refunds for name in (told.operation_id, told.id)}
    for refund in ours:
        if refund.id and refund.status.counts and not {refund.id, refund.operation_id} & shown:
            return "refund_gone", f"the provider does not show the refund {refund.id} of {refund.amount} any more"
    return None


def _is_to_ask(intent: PaymentIntent, since: float, *, can_list: bool) -> bool:
    if intent.status is Status.CANCELED:
        return False
    return intent.status not in FINAL or intent.unknown or not can_list or intent.created >= since


def _ask_for(store: StoreHandle, intent: PaymentIntent, report: Report) -> None:
    """Ask for one that was not listed, unless somebody is working on it right now."""
    with store.database.read() as connection:
        created = intents.attempts_of(connection, intent.id)[0]
        unsettled = intents.unsettled(connection, intent.id)
    at_work = unsettled is not None and unsettled.busy_until > store.clock()
    if at_work or (unsettled is None and created.reference is None):
        return
    report.payments += 1
    try:
        if unsettled:
            resolve(store, unsettled, resend=False)
        else:
            poll_payment(store, intent.id)
    except ProviderRefused as error:
        why = f"The provider does not know the payment {created.reference}. {error}"
        flag(store, intent.id, why)
        report.found("missing", intent, why, healed=False)
        return
    except BridgeError as error:
        report.problems.append(f"The payment {intent.shown_id} could not be looked up. {error}")
        return
    with store.database.read() as connection:
        after = intents.get(connection, intent.id)
    if after.unknown:
        report.found("unknown", after, "its outcome is unknown", healed=False)
    elif intent.unknown or (after.status, after.charge) != (intent.status, intent.charge):
        had = "its outcome was unknown" if intent.unknown else f"the bridge had {intent.status.value}"
        text = f"the provider says {after.status.value}, and {had}"
        report.found("unknown" if intent.unknown else "status", after, text, healed=not after.flag)
