"""Refunds of a provider that does not say which of them are ours: they are recognized by charge, amount and time.

A refund whose answer was lost is never taken for one that did not happen, and never counted twice.
"""

from collections.abc import Sequence
from dataclasses import replace

from bridge.domain.intents import PaymentIntent, Refund
from bridge.domain.outcomes import Outcome
from bridge.services import Services
from bridge.storage import Connection, refunds

CLOCK_SKEW_SECONDS = 300
"""Seconds by which a provider's time of a refund may be before ours of asking for it."""


def match_refunds(services: Services, connection: Connection, intent: PaymentIntent, outcome: Outcome) -> Outcome:
    """The outcome with our operation ids in its refunds, as far as they can be told."""
    if all(refund.operation_id for refund in outcome.refunds):
        return outcome
    adapter = services.store(intent.store_id).adapter
    if adapter.names_refunds:
        return outcome
    return replace(outcome, refunds=_named(outcome.refunds, refunds.of_intent(connection, intent.id)))


def _named(told: Sequence[Refund], known: Sequence[Refund]) -> tuple[Refund, ...]:
    """Each reserved amount goes to the first refund that may be it; references are given once."""
    ours = {refund.id: refund.operation_id for refund in known if refund.id}
    waiting = [refund for refund in known if not refund.id and refund.status.counts]
    named = []
    for refund in sorted(told, key=lambda each: each.created):
        operation = refund.operation_id or ours.get(refund.id, "")
        if not operation and (match := next((each for each in waiting if _may_be(refund, each)), None)):
            waiting.remove(match)
            operation = match.operation_id
        named.append(replace(refund, operation_id=operation))
    return tuple(named)


def _may_be(told: Refund, asked: Refund) -> bool:
    """Whether a refund may be the one that was asked for; one without a time may be any."""
    late_enough = not told.created or told.created >= asked.created - CLOCK_SKEW_SECONDS
    return late_enough and told.amount == asked.amount and told.charge_id == asked.charge_id
