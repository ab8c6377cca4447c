"""When a provider is asked how a payment stands without anybody's word of it: soon at first, then ever more seldom."""

from bridge.domain.intents import FINAL, PaymentIntent, RefundStatus, Status
from bridge.domain.outcomes import Outcome

DAY = 24 * 3600.0
FIRST_POLL_SECONDS = 60.0
"""Seconds until the first look."""
MAX_POLL_SECONDS = 3600.0
"""Seconds after which, at the latest, a pending refund, an open dispute or what is overdue is looked at again."""
WATCH_SECONDS = 7 * DAY
"""Seconds for which what seems to be settled is looked at all the same, if the provider tells nothing by itself."""
AUTHORIZATION_SECONDS = 7 * DAY
"""Seconds that an authorisation lasts where the provider does not say."""


def next_poll(now: float, before: PaymentIntent, status: Status, outcome: Outcome, *, is_told: bool) -> float | None:
    """Unix seconds; None if nothing more is expected. `is_told` if the provider tells by itself what happens."""
    if status in FINAL:
        return _after_the_end(now, before, status, outcome, is_told=is_told)
    if status is Status.REQUIRES_CAPTURE:
        card = outcome.charge.card if outcome.charge and outcome.charge.card else {}
        return _then(
            now, float(card.get("capture_before") or before.created + AUTHORIZATION_SECONDS) + FIRST_POLL_SECONDS
        )
    if outcome.reference is None:
        return _then(now, before.created + DAY)
    return now + min(max(FIRST_POLL_SECONDS, (now - before.created) / 10), DAY)


def _then(now: float, moment: float) -> float:
    """At that moment; every hour if it has passed, and nothing has come of it."""
    return moment if moment > now else now + MAX_POLL_SECONDS


def _after_the_end(
    now: float, before: PaymentIntent, status: Status, outcome: Outcome, *, is_told: bool
) -> float | None:
    """Money that was taken may still go back: counted from the last thing that happened to it."""
    dispute = outcome.dispute
    last = max([before.created, *(refund.created for refund in outcome.refunds), dispute.created if dispute else 0])
    age = now - last
    is_pending = any(refund.status is RefundStatus.PENDING for refund in outcome.refunds)
    if is_pending or (dispute is not None and not dispute.is_closed):
        return now + min(max(FIRST_POLL_SECONDS, age / 10), MAX_POLL_SECONDS)
    is_watched = status is Status.SUCCEEDED and not is_told and age < WATCH_SECONDS
    return now + max(FIRST_POLL_SECONDS, age) if is_watched else None
