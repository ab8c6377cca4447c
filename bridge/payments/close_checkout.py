"""Close a payment that waits for its buyer, because its order can no longer be paid by it.

It is written down before the provider is told of it: from then on there is no page, no `pay_url` and no secret in any
answer. A provider that can void is then asked to; what it cannot void stays closed on our side, and holds its order as
long as it could still be paid. A void that comes too late is an answer: what the provider says instead is recorded, and
an operator is told. Nothing is refunded automatically.
"""

from bridge.domain import logs
from bridge.domain.errors import BridgeError, OrderLocked
from bridge.domain.intents import JournalKind, PaymentIntent, Status
from bridge.domain.judgement import Bar
from bridge.domain.money import Money
from bridge.payments import flags
from bridge.payments.attempts import cancel_open_payment
from bridge.payments.record import WAITING
from bridge.services import Services, StoreHandle
from bridge.storage import intents, journal

log = logs.logger(__name__)


def close_payment(store: StoreHandle, intent: PaymentIntent, found: Bar) -> PaymentIntent:
    """Close it and, where that can be done, void it; how it stands then.

    Raises InProgress while another request about it is not resolved: then it is closed, and not voided yet.
    """
    why = f"Order {intent.order_number} {found.words}."
    with store.database.write() as connection:
        known = intents.get(connection, intent.id, lock=True)
        if known.status not in WAITING:
            return known
        if known.closed != why:
            intents.change(connection, intent.id, closed=why)
            journal.write(connection, store.clock(), intent.id, JournalKind.CLOSED, why=why, reason=found.reason)
    try:
        after = cancel_open_payment(store, known, why)
    except OrderLocked:  # this provider cannot void it
        with store.database.read() as connection:
            return intents.get(connection, intent.id)
    if after.status not in (Status.CANCELED, *WAITING):
        _too_late(store, after, why)
    store.wake()
    return after


def try_to_close(store: StoreHandle, intent: PaymentIntent, found: Bar) -> None:
    """The same for somebody who has to be answered now: what cannot be voided yet, the next look at the order voids."""
    try:
        close_payment(store, intent, found)
    except BridgeError as error:
        log.info("intent %s is closed, and could not be voided yet: %s", intent.id, error)


def reopen_payment(services: Services, intent: PaymentIntent) -> PaymentIntent:
    """The order can be paid with it again, and the provider has never ended it."""
    with services.database.write() as connection:
        known = intents.get(connection, intent.id, lock=True)
        if known.closed and known.status in WAITING:
            intents.change(connection, intent.id, closed="")
            journal.write(connection, services.clock(), intent.id, JournalKind.REOPENED)
        return intents.get(connection, intent.id)


def _too_late(services: Services, intent: PaymentIntent, why: str) -> None:
    money = Money(intent.amount, intent.currency)
    stands = f"Its payment of {money} ({intent.shown_id}) could not be voided any more: it is {intent.status.value}."
    flag = f"{flags.ORDER_FLAG}{why} {stands}"
    with services.database.write() as connection:
        flags.put_unless_graver(connection, intent.id, flag, services.clock())
