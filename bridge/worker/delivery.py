"""Deliver what we owe the stores: at least once, in order per order, with back-off and a dead letter in the end."""

from functools import partial

from bridge.domain import logs
from bridge.domain.errors import BridgeError, ConfigurationError, StoreUnreachable
from bridge.domain.intents import JournalKind, Status
from bridge.domain.orders import Delivery, UpdateKind
from bridge.payments import flags, leases
from bridge.services import NO_EXCLUSIONS, Exclusions, Queue, Services, Work
from bridge.storage import Connection, intents, journal, outbox, refunds
from bridge.storage.outbox import OutboxMessage

log = logs.logger(__name__)

RETRY_DELAYS = (2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds before a failed delivery is tried again, plus up to a tenth; the last one repeats."""
GIVE_UP_SECONDS = 80
"""Deliveries begun before it becomes a dead letter: about three days."""
HOLD_BACK_SECONDS = (15.0, 60.0)
"""Seconds, at least and at most, for which everything else waits that a shop which cannot be reached has to hear of."""


def claim_delivery(services: Services, room: Exclusions = NO_EXCLUSIONS) -> Work | None:
    """The update that is due first. None if there is none."""
    end = leases.lease_end(services, leases.DELIVERY_TIMEOUTS)
    lease = leases.lease_seconds(services, leases.DELIVERY_TIMEOUTS)
    message = outbox.claim(services.database, services.clock(), lease, room.shops, retries=room.retries)
    if message is None:
        return None
    deliver = partial(_deliver_by, services, message, end)
    return Work(Queue.DELIVERIES, deliver, shop=message.store_id, is_retry=message.tries > 1)


def _deliver_by(services: Services, message: OutboxMessage, end: float) -> None:
    with leases.within_lease(services, end):
        _deliver(services, message)


def _deliver(services: Services, message: OutboxMessage) -> None:
    update = message.update
    try:
        store = services.store(message.store_id)
        delivery = store.order_book.deliver(update, first=message.tries == 1)
    except StoreUnreachable as error:
        _failed(services, message, str(error), is_down=True)
    except (BridgeError, ConfigurationError) as error:
        _failed(services, message, str(error))
    except Exception:
        log.exception("delivering to store %s failed", message.store_id)
        _failed(services, message, "The order book failed; the log says why.")
    else:
        _delivered(services, message, delivery)


def _delivered(services: Services, message: OutboxMessage, delivery: Delivery) -> None:
    now = services.clock()
    with services.database.write() as connection:
        outbox.delivered(connection, message.update.operation_id, now)
        journal.write(
            connection,
            now,
            message.intent_id,
            JournalKind.STORE_UPDATED,
            update=message.update.kind,
            detail=delivery.detail,
        )
        if delivery.flag:
            _flag(connection, message, delivery, now)
        elif message.update.kind is UpdateKind.PAID:
            flags.clear_order_flag(connection, message.intent_id, "its order has been updated, and shows it", now)


def _flag(connection: Connection, message: OutboxMessage, delivery: Delivery, now: float) -> None:
    """A person has to look at it, unless it is about money that was only held, or about a dispute, and that is over."""
    intent = intents.get(connection, message.intent_id, lock=True)
    about, is_over = "", False
    if message.update.kind is UpdateKind.AUTHORIZED:
        about, is_over = flags.AUTHORIZED_FLAG, intent.status is Status.CANCELED
    elif message.update.kind is UpdateKind.DISPUTED:
        dispute = refunds.dispute(connection, intent.store_id, message.update.refund_id)
        about, is_over = flags.DISPUTED_FLAG, dispute is not None and dispute.is_closed
    elif message.update.kind is UpdateKind.PAID or message.update.over:
        about = flags.PAID_TWICE_FLAG if delivery.is_twice else flags.ORDER_FLAG
    if not is_over:
        flags.put(connection, intent.id, f"{about}{delivery.flag}", now)


def _failed(services: Services, message: OutboxMessage, why: str, *, is_down: bool = False) -> None:
    """Later, or never. While a shop is down, one update knocks at its door and the others wait, untried."""
    now = services.clock()
    operation_id = message.update.operation_id
    with services.database.write() as connection:
        if message.tries >= GIVE_UP_SECONDS:
            outbox.dead(connection, operation_id, why)
            flags.put(connection, message.intent_id, f"The store could not be updated: {why}", now)
        else:
            delay = RETRY_DELAYS[min(message.tries, len(RETRY_DELAYS)) - 1]
            due = now + delay * (1 + services.jitter() / 10)
            outbox.postponed(connection, message, due, why)
            if is_down:
                outbox.hold_back(
                    connection, message.store_id, now, now + min(max(delay, HOLD_BACK_SECONDS[0]), HOLD_BACK_SECONDS[1])
                )
        if message.tries == 1 or message.tries >= GIVE_UP_SECONDS:
            journal.write(
                connection, now, message.intent_id, JournalKind.STORE_NOT_UPDATED, update=message.update.kind, why=why
            )
