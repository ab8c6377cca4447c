"""Deliver what we owe the stores: at least once, in order per order, with back-off and a dead letter in the end."""

from functools import partial

from bridge.domain import logs
from bridge.domain.errors import BridgeError, ConfigurationError, StoreUnreachable
from bridge.domain.intents import Status
from bridge.domain.orders import Delivery, UpdateKind
from bridge.payments import flags, leases
from bridge.payments.work import EVERYTHING, Room, Work
from bridge.services import Queue, Services
from bridge.storage import Connection, journal
from bridge.storage import intents as intent_rows
from bridge.storage import outbox as rows
from bridge.storage import refunds as refund_rows
from bridge.storage.outbox import Parcel

log = logs.logger(__name__)

RETRY_DELAYS = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds before a failed delivery is tried again, plus up to a tenth; the last one repeats."""
GIVE_UP_AFTER = 80
"""Deliveries begun before it becomes a dead letter: about three days."""
HELD_BACK = (15.0, 60.0)
"""Seconds, at least and at most, for which everything else waits that a shop which cannot be reached has to hear of."""


def take_delivery(services: Services, room: Room = EVERYTHING) -> Work | None:
    """The update that is due first. None if there is none."""
    end = leases.until(services, leases.WORK)
    lease = leases.lease(services, leases.WORK)
    parcel = rows.claim(services.database, services.clock(), lease, room.shops, retries=room.retries)
    if parcel is None:
        return None
    deliver = partial(_deliver_by, services, parcel, end)
    return Work(Queue.DELIVERIES, deliver, shop=parcel.store_id, is_retry=parcel.tries > 1)


def _deliver_by(services: Services, parcel: Parcel, end: float) -> None:
    with leases.kept(services, end):
        _deliver(services, parcel)


def _deliver(services: Services, parcel: Parcel) -> None:
    update = parcel.update
    try:
        store = services.connections.store(parcel.store_id)
        delivery = services.connections.order_book(store).deliver(update, first=parcel.tries == 1)
    except StoreUnreachable as error:
        _failed(services, parcel, str(error), is_down=True)
    except (BridgeError, ConfigurationError) as error:
        _failed(services, parcel, str(error))
    except Exception:
        log.exception("delivering to store %s failed", parcel.store_id)
        _failed(services, parcel, "The order book failed; the log says how.")
    else:
        _delivered(services, parcel, delivery)


def _delivered(services: Services, parcel: Parcel, delivery: Delivery) -> None:
    now = services.clock()
    with services.database.write() as connection:
        rows.delivered(connection, parcel.update.operation_id, now)
        journal.write(
            connection, now, parcel.intent_id, "store_updated", update=parcel.update.kind, detail=delivery.detail
        )
        if delivery.flag:
            _flag(connection, parcel, delivery, now)
        elif parcel.update.kind is UpdateKind.PAID:
            flags.settle_about_order(connection, parcel.intent_id, "its order has been told, and shows it", now)


def _flag(connection: Connection, parcel: Parcel, delivery: Delivery, now: float) -> None:
    """A person has to look at it, unless it is about money that was only held, or about a dispute, and that is over."""
    intent = intent_rows.get(connection, parcel.intent_id, lock=True)
    about, is_over = "", False
    if parcel.update.kind is UpdateKind.AUTHORIZED:
        about, is_over = flags.HELD, intent.status is Status.CANCELED
    elif parcel.update.kind is UpdateKind.DISPUTED:
        dispute = refund_rows.dispute(connection, intent.store_id, parcel.update.refund_id)
        about, is_over = flags.DISPUTED, dispute is not None and dispute.is_closed
    elif parcel.update.kind is UpdateKind.PAID or parcel.update.over:
        about = flags.TWICE if delivery.is_twice else flags.ORDER
    if not is_over:
        flags.put(connection, intent.id, f"{about}{delivery.flag}", now)


def _failed(services: Services, parcel: Parcel, why: str, *, is_down: bool = False) -> None:
    """Later, or never. While a shop is down, one update knocks at its door and the others wait, untried."""
    now = services.clock()
    operation_id = parcel.update.operation_id
    with services.database.write() as connection:
        if parcel.tries >= GIVE_UP_AFTER:
            rows.dead(connection, operation_id, why)
            flags.put(connection, parcel.intent_id, f"The store could not be told: {why}", now)
        else:
            delay = RETRY_DELAYS[min(parcel.tries, len(RETRY_DELAYS)) - 1]
            due = now + delay * (1 + services.jitter() / 10)
            rows.postponed(connection, parcel, due, why)
            if is_down:
                rows.hold_back(connection, parcel.store_id, now, now + min(max(delay, HELD_BACK[0]), HELD_BACK[1]))
        if parcel.tries == 1 or parcel.tries >= GIVE_UP_AFTER:
            journal.write(connection, now, parcel.intent_id, "store_not_updated", update=parcel.update.kind, why=why)
