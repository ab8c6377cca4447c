"""The sweep: what shops' messages only hint at is found out for certain. The orders of a store's open payments are read
again and again, so that a payment follows its order although no message comes; those of payments that took money are
read along now and then (`bridge.payments.poll_schedule`).

Orders are asked for by their ids, which needs no clock and no time zone of the store's. What the answer leaves out is
read singly. An order that was deleted is one that is not there twice, MISSING seconds apart. Many that are missing at
once, or all of several, are the store's fault (a restored or emptied database, a broken plugin), and nothing is closed
for it.
"""

from collections.abc import Callable, Collection

from bridge.domain import logs
from bridge.domain.deadlines import DAY, HOUR, is_over, within
from bridge.domain.errors import BridgeError, OrderNotFound, StoreRefused
from bridge.domain.orders import Order
from bridge.domain.ports import OrderBook
from bridge.inbound.order_changes import order_read
from bridge.payments.follow_order import follow_order
from bridge.payments.poll_schedule import IN_VAIN, next_read
from bridge.services import Services, StoreHandle
from bridge.storage import intents, sweeps
from bridge.storage.jobs import QUIET, SWEEP, Job
from bridge.storage.sweeps import Follower

log = logs.logger(__name__)

LEASE_SECONDS = 120.0
"""Seconds after which others go on whose sweep was killed: until then its store is told nothing."""
MAX_WORK_SECONDS = 60.0
"""Seconds for which one sweep asks store and provider. What is left is done by the next one, right after deliveries."""
YOUNG_SECONDS, RECENT_SECONDS = 2 * HOUR, DAY
"""Seconds of a payment's age up to which its order is read every SWEEP, and every LATER seconds; then every SELDOM."""
RECENT_INTERVAL, OLD_INTERVAL = 300.0, 900.0
PAGE_SEEN_SECONDS = 600.0
"""Seconds for which a buyer whose page was shown may still be there."""
MAX_BATCH = 100
"""Orders of one request: the largest page that WooCommerce gives."""
MAX_SINGLE_READS = 20
"""Orders that are read one by one in one sweep."""
MAX_DELETED = 5
"""More orders than these are not deleted at once, each with a payment that is open; nor is more than one, if no order
of any open payment is there."""
DELETED_AFTER_SECONDS = 60.0
"""Seconds between the two looks that show that an order was deleted."""
FRESH_SECONDS = 5.0
"""Seconds after which an order is read again before its payment follows it."""
JITTER_PART = 0.1
"""The part of an interval by which a sweep may be early, so that stores do not keep in step."""

_Read = tuple[Follower, float | None]
"""One whose order was read, or tried to be, and when it is again if it took money (Unix seconds, None if never)."""


def sweeping(store_id: str) -> Callable[[Services, Job], None]:
    """A job's work. Raises StoreError."""

    def run(services: Services, _job: Job) -> None:
        store = services.store(store_id)
        if not store.config.awaits_reconcile:  # no money moves before the store was compared
            with within(MAX_WORK_SECONDS):
                sweep(store)

    return run


def until_next(store_id: str) -> Callable[[Services], float]:
    """Seconds until the next sweep: QUIET if nothing is open, and then it asks the store nothing."""

    def wait(services: Services) -> float:
        now = services.clock()
        with services.database.read() as connection:
            known = [*sweeps.of_store(connection, store_id), *sweeps.paid(connection, store_id, 1)]
        first = min((_due(each, now) for each in known), default=now + QUIET)
        return min(max(first - now, 1.0), QUIET) * (1 - JITTER_PART * services.jitter())

    return wait


def sweep(store: StoreHandle) -> None:
    """Read the orders that it is time for, and have their payments follow them.

    Raises StoreError if the store cannot be asked, or misses many orders at once.
    """
    now = store.clock()
    with store.database.read() as connection:
        known = sweeps.of_store(connection, store.id)
        paid = sweeps.paid(connection, store.id, MAX_BATCH, now + JITTER_PART * QUIET)
    due = [*(each for each in known if _due(each, now) - now <= _leeway(each, now)), *paid]
    book = store.order_book
    left_out: list[Follower] = []
    for start in range(0, len(due), MAX_BATCH):
        left_out += _sweep_batch(store, book, due[start : start + MAX_BATCH])
        if is_over():
            return
    missing, refused = _sweep_singly(store, book, left_out[:MAX_SINGLE_READS])
    is_one_there = len(left_out) < len(due) or len(missing) < len(left_out[:MAX_SINGLE_READS])
    if any(each.is_paid for each in missing):
        with store.database.read() as connection:
            known += sweeps.paid(connection, store.id, MAX_BATCH)
    _require_some(book, known, missing, is_one_there=is_one_there)
    for each in missing:
        _miss(store, each, store.clock())
    if refused:
        raise refused


def _interval(payment: Follower, now: float) -> float:
    age = now - payment.created
    since = max(payment.order_seen, payment.order_missed or 0.0)
    if age < YOUNG_SECONDS or now - since < PAGE_SEEN_SECONDS:
        return SWEEP
    return RECENT_INTERVAL if age < RECENT_SECONDS else OLD_INTERVAL


def _leeway(payment: Follower, now: float) -> float:
    """Seconds by which an order may be read early; not the second time that one is looked for."""
    return JITTER_PART * _interval(payment, now) if payment.order_missed is None else 0.0


def _due(payment: Follower, now: float) -> float:
    """When its order is to be read (Unix seconds). A clock that was set back makes nobody wait for it."""
    if payment.order_due is not None:
        return payment.order_due
    return min(max(payment.order_swept, payment.created), now) + _interval(payment, now)


def _sweep_batch(store: StoreHandle, book: OrderBook, batch: list[Follower]) -> list[Follower]:
    """What is left out of the answer, and is to be read singly."""
    found = {order.id: order for order in read_orders(book, sorted({each.order_id for each in batch}))}
    read_at = store.clock()
    done: list[_Read] = []
    try:
        for each in batch:
            if order := found.get(each.order_id):
                store.raise_if_ending()
                is_followed = _follow_read(store, book, each, order, read_at)
                done.append((each, next_read(read_at, store.id, each.created) if is_followed else read_at + IN_VAIN))
                if is_over():
                    break
    finally:
        _record(store, done, read_at)
    return [each for each in batch if each.order_id not in found]


def _record(services: Services, done: list[_Read], read_at: float) -> None:
    dues: dict[float | None, list[str]] = {}
    for each, due in done:
        if each.is_paid:
            dues.setdefault(due, []).append(each.id)
    with services.database.write() as connection:
        sweeps.swept(connection, [each.id for each, _ in done if not each.is_paid], read_at)
        for due, ids in dues.items():
            sweeps.paid_swept(connection, ids, read_at, due)


def _follow_read(store: StoreHandle, book: OrderBook, payment: Follower, order: Order, read_at: float) -> bool:
    """Whether all is done that it asks for."""
    try:
        if store.clock() - read_at > FRESH_SECONDS:
            order = book.read(order.id)
        _follow(store, payment, order)
    except BridgeError as error:
        log.warning("intent %s cannot follow its order yet: %s", payment.id, error)
        return False
    return True


def _sweep_singly(
    store: StoreHandle, book: OrderBook, left_out: list[Follower]
) -> tuple[list[Follower], StoreRefused | None]:
    """Those whose orders are not there, and why an order is not given that is. Raises StoreUnreachable."""
    missing: list[Follower] = []
    done: list[_Read] = []
    refused: StoreRefused | None = None
    try:
        for each in left_out:
            store.raise_if_ending()
            now = store.clock()
            due = next_read(now, store.id, each.created, is_listed=False)
            try:
                order = book.read(each.order_id)
                if not _follow_read(store, book, each, order, store.clock()):
                    due = now + IN_VAIN
            except OrderNotFound:
                missing.append(each)
                due = due if each.is_gone(DELETED_AFTER_SECONDS) else now + DELETED_AFTER_SECONDS
            except StoreRefused as error:  # one that makes no sense keeps none of the others from being read
                log.warning("order %s cannot be read: %s", each.order_id, error)
                refused = error
            done.append((each, due))
            if is_over():
                break
    finally:
        _record(store, done, store.clock())
    return missing, refused


def _require_some(book: OrderBook, known: list[Follower], missing: list[Follower], *, is_one_there: bool) -> None:
    """Raises StoreRefused if the store misses more orders than staff delete at once, or all of several."""
    gone = {each.order_id for each in missing}
    doubtful = {each.order_id for each in missing if not each.closed and not each.is_gone(DELETED_AFTER_SECONDS)}
    others = sorted({each.order_id for each in known if not each.is_gone(DELETED_AFTER_SECONDS)} - gone)
    if not doubtful:
        return
    is_empty = len(doubtful) + len(others) > 1 and not is_one_there and not _is_one_there(book, others)
    if is_empty or len(doubtful) > MAX_DELETED:
        raise StoreRefused(
            f"{len(doubtful) + (len(others) if is_empty else 0)} orders with payments have disappeared from the "
            "store at once: was it restored, emptied or replaced? Nothing has been closed."
        )


def _is_one_there(book: OrderBook, order_ids: list[int]) -> bool:
    """Whether the store has any of these orders, which may have a status that it does not list."""
    if order_ids and read_orders(book, order_ids[:MAX_BATCH]):
        return True
    for order_id in order_ids[:MAX_SINGLE_READS]:
        try:
            book.read(order_id)
        except OrderNotFound:
            continue
        return True
    return False


def _miss(store: StoreHandle, payment: Follower, now: float) -> None:
    """Once is not proof that an order was deleted."""
    if payment.order_missed is None:
        with store.database.write() as connection:
            sweeps.missed(connection, payment.id, now)
    elif now - payment.order_missed >= DELETED_AFTER_SECONDS:
        try:
            _follow(store, payment, None)
        except BridgeError as error:
            log.warning("intent %s cannot follow its order, which was deleted, yet: %s", payment.id, error)


def _follow(store: StoreHandle, payment: Follower, order: Order | None) -> None:
    if order is not None and payment.order_missed is not None:
        with store.database.write() as connection:
            sweeps.missed(connection, payment.id, None)
    if payment.is_paid:
        order_read(store, payment.order_id, order)
        return
    with store.database.read() as connection:
        intent = intents.get(connection, payment.id)
    if intent.holding:
        follow_order(store, intent, order)


def read_orders(book: OrderBook, order_ids: list[int]) -> Collection[Order]:
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
