"""When the order of a payment that took money is read again although no message of its store came.

Staff refund, edit or delete paid orders, and a store whose webhook was refused just then never tells of it again. A
store's paid orders are read in the sweep's lists, up to a hundred in one request, so that each costs a share of a few
of them; what is found is followed as a message of the store's would be.
"""

from zlib import crc32

from bridge.services import StoreHandle
from bridge.storage import jobs, sweeps
from bridge.storage.jobs import DAY, HOUR

WEEK = 7 * DAY
DAILY = WEEK
"""Seconds of a payment's age up to which its order is read once a day, and then once a week."""
FOLLOWED = 30 * DAY
"""Seconds of a payment's age after which its order is read no more."""
SHARED = DAY / 4
"""Seconds within which a store's orders that are due wait for each other, so that they share a list."""
IN_VAIN = HOUR
"""Seconds after which an order is read again that its payment could not follow: the store has still to hear of it."""


def first_read(now: float, store_id: str) -> float:
    """When the order of a payment that takes money now is read again for the first time (all in Unix seconds)."""
    return _shared(now + DAY, store_id)


def next_read(now: float, store_id: str, created: float, *, is_listed: bool = True) -> float | None:
    """When it is read the next time, None if never. One that its store does not list is read singly, and so more
    seldom."""
    wait = DAY if is_listed and now - created < DAILY else WEEK
    return None if now - created + wait > FOLLOWED else _shared(now + wait, store_id)


def read_all_soon(store: StoreHandle) -> None:
    """Nobody knows what the store did not tell: its webhooks were switched off, or were none."""
    now = store.clock()
    with store.database.write() as connection:
        if sweeps.hurry_paid(connection, store.id, now):
            jobs.hurry_sweep(connection, store.id, now)


def _shared(moment: float, store_id: str) -> float:
    """The first of the store's four moments of the day from then on; those of stores differ."""
    return moment + (crc32(store_id.encode()) - moment) % SHARED
