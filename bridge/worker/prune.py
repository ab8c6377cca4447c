"""Forget what nobody needs any more, a little at a time. Never anything of a payment: that stays on record."""

from bridge.domain.deadlines import DAY
from bridge.inbound.provider_inbox import MESSAGE_RETENTION
from bridge.payments import idempotency
from bridge.registry.keys import NONCE_WINDOW
from bridge.services import Services
from bridge.storage import retention
from bridge.storage.retention import Rule

DELIVERED_RETENTION = 30 * DAY
"""Seconds that an update is kept which the shop has heard of. The journal says so for ever."""
MATERIAL_RETENTION = 10 * DAY
"""Seconds that what the buyer's page needed is kept, at the most, after the payment began and when it is over."""
BATCH_ROWS = 500
"""Rows deleted in one transaction, so that nobody waits for it."""

RULES: tuple[tuple[str, float, Rule], ...] = (
    ("messages without effect", MESSAGE_RETENTION, retention.MESSAGES),
    ("updates that shops have heard of", DELIVERED_RETENTION, retention.UPDATES),
    ("sealed material of the buyer's page", MATERIAL_RETENTION, retention.MATERIAL),
    ("idempotency keys", idempotency.KEY_RETENTION, retention.KEYS),
    ("nonces", 2.0 * NONCE_WINDOW, retention.NONCES),
)
"""What is forgotten, after how many seconds, and by what."""


def prune(services: Services) -> dict[str, int]:
    """Forget it all; how many rows of each. Raises Ending."""
    now = services.clock()
    return {what: _drop_all(services, rule, now - kept) for what, kept, rule in RULES}


def _drop_all(services: Services, rule: Rule, before: float) -> int:
    """Until nothing is left. What somebody has taken up again since it was found stays, and is not found again."""
    total = 0
    while True:
        services.raise_if_ending()
        keys = retention.find(services.database, rule, before, BATCH_ROWS)
        if keys:
            total += retention.drop(services.database, rule, keys, before)
        if len(keys) < BATCH_ROWS:
            return total
