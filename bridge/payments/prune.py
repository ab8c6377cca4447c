"""Forget what nobody needs any more, a little at a time. Never anything of a payment: that stays on record."""

from collections.abc import Callable

from bridge.payments import idempotency
from bridge.payments.events import KEPT
from bridge.payments.keys import NONCE_WINDOW
from bridge.payments.services import Services
from bridge.storage import Connection, forgetting, inbox, outbox
from bridge.storage import idempotency as idempotency_rows

DAY = 24 * 3600.0
DELIVERED_KEPT = 30 * DAY
"""Seconds that an update is kept which the shop has heard of. The journal says so for ever."""
MATERIAL_KEPT = 10 * DAY
"""Seconds that what the buyer's page needed is kept, at the most, after the payment began and when it is over."""
AT_ONCE = 500
"""Rows deleted in one transaction, so that nobody waits for it."""

Drop = Callable[[Connection, float, int], int]
RULES: tuple[tuple[str, float, Drop], ...] = (
    ("messages without effect", KEPT, inbox.drop),
    ("updates that shops have heard of", DELIVERED_KEPT, outbox.drop),
    ("sealed material of the buyer's page", MATERIAL_KEPT, forgetting.forget_material),
    ("idempotency keys", idempotency.KEPT, idempotency_rows.prune),
    ("nonces", 2.0 * NONCE_WINDOW, forgetting.drop_nonces),
)
"""What is forgotten, after how many seconds, and by what."""


def prune(services: Services) -> dict[str, int]:
    """Forget it all; how many rows of each. Raises Ending."""
    now = services.clock()
    return {what: _drop_all(services, drop, now - kept) for what, kept, drop in RULES}


def _drop_all(services: Services, drop: Drop, before: float) -> int:
    total = 0
    while True:
        services.raise_if_ending()
        with services.database.write() as connection:
            count = drop(connection, before, AT_ONCE)
        total += count
        if count < AT_ONCE:
            return total
