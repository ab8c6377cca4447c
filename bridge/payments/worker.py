"""The worker: works the inbox, settles what is unknown, looks after open payments, delivers the outbox.

Any number may run: rows are claimed, and what two of them do twice has one effect.
"""

import logging
import threading

from bridge.domain.errors import BridgeError
from bridge.payments.attempts import look_at, settle
from bridge.payments.events import work_due
from bridge.payments.outbox import deliver_due
from bridge.payments.services import Services
from bridge.storage import intents as rows

log = logging.getLogger(__name__)

LOOK_AGAIN = 600.0
"""Seconds until a payment is looked at again whose provider could not be asked."""
IDLE_SECONDS = 1.0
"""How long an idle worker sleeps unless it is woken."""


def run_once(services: Services) -> int:
    """One round; how many rows were taken in hand."""
    return work_due(services) + settle_due(services) + look_due(services) + deliver_due(services)


def settle_due(services: Services) -> int:
    """Look at every attempt whose outcome is unknown and whose time has come."""
    with services.database.read() as connection:
        due = rows.due_attempts(connection, services.clock())
    for attempt in due:
        try:
            store = services.connections.store(attempt.store_id)
            settle(services, store, attempt, resend=False)
        except BridgeError as error:
            log.warning("attempt %s cannot be settled: %s", attempt.id, error)
    return len(due)


def look_due(services: Services) -> int:
    """Ask how open payments stand that nothing was heard of: an authorisation that ran out, a buyer who went away."""
    with services.database.read() as connection:
        due = rows.to_look_at(connection, services.clock())
    for intent_id, store_id in due:
        try:
            look_at(services, services.connections.store(store_id), intent_id)
        except BridgeError as error:
            log.warning("intent %s cannot be looked at: %s", intent_id, error)
            with services.database.write() as connection:
                rows.change(connection, intent_id, look_at=services.clock() + LOOK_AGAIN)
    return len(due)


class Worker:
    """Runs rounds in a thread of this process until it is stopped. `wake` makes it look at once."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="wcpay-bridge-worker", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._woken.set()

    def stop(self, timeout: float = 30.0) -> None:
        """Finish the round and end; waits `timeout` seconds at the most."""
        self._stopping.set()
        self._woken.set()
        if self._thread:
            self._thread.join(timeout)

    def run(self) -> None:
        """Work in the calling thread until `stop`."""
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                busy = run_once(self._services)
            except Exception:
                log.exception("a round of the worker failed")
                busy = 0
            if not busy:
                self._woken.wait(IDLE_SECONDS)
