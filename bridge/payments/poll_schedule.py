"""When a provider, or a store, is asked about a payment without news.

The provider is asked soon at first, and then less and less often. The order of money that was taken is read in the
sweep's lists, up to a hundred in one request, because staff refund, edit or delete paid orders, and a store whose
webhook was refused just then never reports it again; what is found is followed as a message of the store's would be.
"""

from zlib import crc32

from bridge.domain.deadlines import DAY, HOUR
from bridge.domain.intents import FINAL, PaymentIntent, RefundStatus, Status
from bridge.domain.outcomes import Outcome
from bridge.services import StoreHandle
from bridge.storage import jobs, sweeps

FIRST_POLL_SECONDS = 60.0
"""Seconds until the first look."""
MAX_POLL_SECONDS = 3600.0
"""Seconds after which, at the latest, a pending refund, an open dispute or what is overdue is looked at again."""
WATCH_SECONDS = 7 * DAY
"""Seconds for which what seems to be settled is looked at all the same, if the provider does not notify us."""
AUTHORIZATION_SECONDS = 7 * DAY
"""Seconds that an authorization lasts where the provider does not say."""


def next_poll(now: float, before: PaymentIntent, status: Status, outcome: Outcome, *, is_told: bool) -> float | None:
    """Unix seconds; None if nothing more is expected. `is_told` if the provider notifies us of what happens."""
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
    """At that moment; every hour if it has passed without a result."""
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


WEEK = 7 * DAY
DAILY = WEEK
"""Seconds of a payment's age up to which its order is read once a day, and then once a week."""
FOLLOWED = 30 * DAY
"""Seconds of a payment's age after which its order is no longer read."""
SHARED = DAY / 4
"""Seconds within which a store's orders that are due wait for each other, so that they share a list."""
IN_VAIN = HOUR
"""Seconds after which an order is read again that its payment could not follow: the store has yet to be told of it."""


def first_read(now: float, store_id: str) -> float:
    """When the order of a payment that takes money now is read again for the first time (all in Unix seconds)."""
    return _shared(now + DAY, store_id)


def next_read(now: float, store_id: str, created: float, *, is_listed: bool = True) -> float | None:
    """When it is read the next time, None if never. One that its store does not list is read singly, and so more
    seldom."""
    wait = DAY if is_listed and now - created < DAILY else WEEK
    return None if now - created + wait > FOLLOWED else _shared(now + wait, store_id)


def read_all_soon(store: StoreHandle) -> None:
    """The store may have missed reporting changes: its webhooks were switched off, or did not exist."""
    now = store.clock()
    with store.database.write() as connection:
        if sweeps.hurry_paid(connection, store.id, now):
            jobs.hurry_sweep(connection, store.id, now)


def _shared(moment: float, store_id: str) -> float:
    """The first of the store's four moments of the day from then on; those of stores differ."""
    return moment + (crc32(store_id.encode()) - moment) % SHARED
