"""The sweep: what shops' messages only hint at is found out for certain. The orders of a store's open payments are read
again and again, so that a payment follows its order although no message comes.

Orders are asked for by their ids, which needs no clock and no time zone of the store's. What the answer leaves out is
read singly. An order that was deleted is one that is not there twice, MISSING seconds apart; many that are missing at
once are the store's fault (a restored database, a broken plugin), and nothing is closed for it.
"""

from collections.abc import Callable, Iterable

from bridge.domain import logs
from bridge.domain.deadlines import within
from bridge.domain.errors import BridgeError, OrderNotFound, StoreError, StoreRefused
from bridge.domain.orders import Order
from bridge.domain.ports import OrderBook
from bridge.domain.stores import Store
from bridge.payments.follow import follow_order
from bridge.payments.services import Services
from bridge.storage import intents as rows
from bridge.storage import sweeps
from bridge.storage.jobs import QUIET, SWEEP, Job
from bridge.storage.sweeps import Open

log = logs.logger(__name__)

LEASE = 600.0
"""Seconds that one sweep of a store may take."""
YOUNG, RECENT = 2 * 3600.0, 24 * 3600.0
"""Seconds of a payment's age up to which its order is read every SWEEP, and every LATER seconds; then every SELDOM."""
LATER, SELDOM = 300.0, 900.0
SEEN = 600.0
"""Seconds for which a buyer whose page was shown may still be there."""
BATCH = 100
"""Orders of one request: the largest page that WooCommerce gives."""
SINGLES = 20
"""Orders that are read one by one in one sweep."""
MANY = 5
"""More orders than these are not deleted at once, each with a payment that is open."""
MISSING = 60.0
"""Seconds between the two looks that show that an order was deleted."""
FRESH = 5.0
"""Seconds after which an order is read again before its payment follows it."""
EARLY = 0.1
"""The part of an interval by which a sweep may be early, so that stores do not keep in step."""


def sweeping(store_id: str) -> Callable[[Services, Job], None]:
    """A job's work. Raises StoreError."""

    def run(services: Services, _job: Job) -> None:
        store = services.connections.store(store_id)
        if not store.awaits_reconcile:  # no money moves before the store was compared
            with within(LEASE - SWEEP):
                sweep(services, store)

    return run


def until_next(store_id: str) -> Callable[[Services], float]:
    """Seconds until the next sweep: QUIET if nothing is open, and then it asks the store nothing."""

    def wait(services: Services) -> float:
        now = services.clock()
        with services.database.read() as connection:
            known = sweeps.of_store(connection, store_id)
        first = min((_due(each, now) for each in known), default=now + QUIET)
        return min(max(first - now, 1.0), QUIET) * (1 - EARLY * services.jitter())

    return wait


def sweep(services: Services, store: Store) -> None:
    """Read the orders that it is time for, and have their payments follow them.

    Raises StoreError if the store cannot be asked, or misses many orders at once.
    """
    now = services.clock()
    with services.database.read() as connection:
        known = sweeps.of_store(connection, store.id)
    due = [each for each in known if _due(each, now) - now <= _leeway(each, now)]
    book = services.connections.order_book(store)
    left_out: list[Open] = []
    for start in range(0, len(due), BATCH):
        services.raise_if_ending()
        left_out += _sweep_batch(services, store, book, due[start : start + BATCH])
    _sweep_singly(services, store, book, left_out[:SINGLES])


def _interval(payment: Open, now: float) -> float:
    age = now - payment.created
    since = max(payment.order_seen, payment.order_missed or 0.0)
    if age < YOUNG or now - since < SEEN:
        return SWEEP
    return LATER if age < RECENT else SELDOM


def _leeway(payment: Open, now: float) -> float:
    """Seconds by which an order may be read early; not the second time that one is looked for."""
    return EARLY * _interval(payment, now) if payment.order_missed is None else 0.0


def _due(payment: Open, now: float) -> float:
    """When its order is to be read (Unix seconds). A clock that was set back makes nobody wait for it."""
    return min(max(payment.order_swept, payment.created), now) + _interval(payment, now)


def _sweep_batch(services: Services, store: Store, book: OrderBook, batch: list[Open]) -> list[Open]:
    """What is left out of the answer, and is to be read singly."""
    found = {order.id: order for order in read_orders(book, sorted({each.order_id for each in batch}))}
    read_at = services.clock()
    there = [each for each in batch if each.order_id in found]
    with services.database.write() as connection:
        sweeps.swept(connection, [each.id for each in there], read_at)
    for each in there:
        services.raise_if_ending()
        order = found[each.order_id]
        try:
            if services.clock() - read_at > FRESH:
                order = book.read(order.id)
            _follow(services, store, each, order)
        except BridgeError as error:
            log.warning("intent %s cannot follow its order yet: %s", each.id, error)
    return [each for each in batch if each.order_id not in found]


def _sweep_singly(services: Services, store: Store, book: OrderBook, left_out: list[Open]) -> None:
    missing: list[Open] = []
    for each in left_out:
        services.raise_if_ending()
        try:
            _follow(services, store, each, book.read(each.order_id))
        except OrderNotFound:
            missing.append(each)
        except StoreError:
            raise
        except BridgeError as error:
            log.warning("intent %s cannot follow its order yet: %s", each.id, error)
    now = services.clock()
    with services.database.write() as connection:
        sweeps.swept(connection, [each.id for each in left_out], now)
    new = [each for each in missing if each.order_missed is None and not each.closed]
    if len(new) > MANY:
        raise StoreRefused(
            f"{len(new)} orders with open payments are not in the store all at once: was it "
            "restored or replaced? Nothing was closed."
        )
    for each in missing:
        _miss(services, store, each, now)


def _miss(services: Services, store: Store, payment: Open, now: float) -> None:
    """Once is no proof that an order was deleted."""
    if payment.order_missed is None:
        with services.database.write() as connection:
            sweeps.missed(connection, payment.id, now)
    elif now - payment.order_missed >= MISSING:
        try:
            _follow(services, store, payment, None)
        except BridgeError as error:
            log.warning("intent %s cannot follow its order, which was deleted, yet: %s", payment.id, error)


def _follow(services: Services, store: Store, payment: Open, order: Order | None) -> None:
    if order is not None and payment.order_missed is not None:
        with services.database.write() as connection:
            sweeps.missed(connection, payment.id, None)
    with services.database.read() as connection:
        intent = rows.get(connection, payment.id)
    if intent.holding:
        follow_order(services, store, intent, order)


def read_orders(book: OrderBook, order_ids: list[int]) -> Iterable[Order]:
    """Those of the orders that the store gives, of which it may leave some out. A host's own OrderBook that has no
    `read_many` is asked one by one."""
    read_many = getattr(book, "read_many", None)
    if read_many is not None:
        return list(read_many(order_ids))
    found = []
    for order_id in order_ids:
        try:
            found.append(book.read(order_id))
        except OrderNotFound:
            continue
    return found
