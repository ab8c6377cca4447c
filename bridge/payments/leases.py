"""How long somebody may work on something; all of their exchanges end before that.

One exchange ends after the provider timeout, whatever the other side does (`bridge.outbound.transport`). Whoever holds
a lease makes several, and gives all of them together no more time than the lease has left (`within_lease`). So nobody
is still working on something when the next one takes it over, and a request about money leaves us while the attempt is
ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from bridge.domain.deadlines import within
from bridge.services import Services

WRITE_MARGIN_SECONDS = 2.0
"""Seconds at the end of a lease for writing down what came of its exchanges."""
REQUEST_TIMEOUTS = 2
"""Timeouts in the lease of a caller's request: one for the store, and one for the provider."""
LOOK_UP_TIMEOUTS = 4
"""Timeouts in the lease of whoever finds out what became of an attempt: lists have many pages."""
DELIVERY_TIMEOUTS = 8
"""Timeouts in the lease of a delivery or a message: neither takes more exchanges."""


def lease_seconds(services: Services, timeouts: int = 1) -> float:
    """Seconds for exchanges that take so many provider timeouts; one is for a request that moves money."""
    return timeouts * services.provider_timeout + WRITE_MARGIN_SECONDS


def lease_end(services: Services, timeouts: int = 1) -> float:
    """When a lease ends that begins now (Unix seconds)."""
    return services.clock() + lease_seconds(services, timeouts)


@contextmanager
def within_lease(services: Services, busy_until: float) -> Iterator[None]:
    """Every exchange in here ends before this lease does. One without time left is not started."""
    with within(busy_until - WRITE_MARGIN_SECONDS - services.clock()):
        yield
