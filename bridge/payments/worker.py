"""The worker: works the inbox, settles what is unknown, looks after open payments, delivers the outbox, does the jobs.

Any number may run: rows are claimed, and what two of them do twice has one effect. Three lanes, so that a provider that
hangs does not keep the shops waiting, nor the other way round, and a long job neither.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

from bridge.domain import logs
from bridge.domain.errors import BridgeError
from bridge.payments.attempts import look_at, settle
from bridge.payments.events import work_due
from bridge.payments.jobs import beat, run_jobs
from bridge.payments.outbox import deliver_due
from bridge.payments.services import Services
from bridge.storage import intents as rows

log = logs.logger(__name__)
Lane = Callable[[Services], bool]

LOOK_AGAIN = 600.0
"""Seconds until a payment is looked at again whose provider could not be asked."""
IDLE_SECONDS = 1.0
"""How long an idle worker sleeps unless it is woken."""
TROUBLED_SECONDS = 5.0
"""How long it sleeps after a fault of its own, or of the database."""


def run_once(services: Services) -> int:
    """One round; how many of inbox, unknowns, looks and outbox had something to do. Without the jobs."""
    return sum(work(services) for work in QUEUES)


def settle_due(services: Services) -> bool:
    """Look at every attempt whose outcome is unknown and whose time has come. False if there is none."""
    with services.database.read() as connection:
        due = rows.due_attempts(connection, services.clock())
    for attempt in due:
        if services.is_ending():
            break
        try:
            store = services.connections.store(attempt.store_id)
            settle(services, store, attempt, resend=False)
        except BridgeError as error:
            log.warning("attempt %s cannot be settled: %s", attempt.id, error)
    return bool(due)


def look_due(services: Services) -> bool:
    """Ask how an open payment stands that nothing was heard of: an authorisation that ran out, a buyer who went away.

    False if there is none.
    """
    now = services.clock()
    claimed = rows.claim_look(services.database, now, now + LOOK_AGAIN)
    if claimed is None:
        return False
    intent_id, store_id = claimed
    try:
        look_at(services, services.connections.store(store_id), intent_id)
    except BridgeError as error:
        log.warning("intent %s cannot be looked at: %s", intent_id, error)
    return True


QUEUES: tuple[Lane, ...] = (work_due, settle_due, look_due, deliver_due)
LANES: dict[str, tuple[Lane, ...]] = {
    "providers": (work_due, settle_due, look_due, beat),
    "shops": (deliver_due,),
    "jobs": (run_jobs,),
}


class Worker:
    """Works in threads of this process until it is stopped. `wake` makes it look at once."""

    def __init__(self, services: Services) -> None:
        self._stopping = threading.Event()
        self._services = replace(services, is_ending=self._stopping.is_set)
        self._woken = {lane: threading.Event() for lane in LANES}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for lane in LANES:
            thread = threading.Thread(target=self._run, args=(lane,), name=f"wcpay-bridge-{lane}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        for woken in self._woken.values():
            woken.set()

    def ask_to_stop(self) -> None:
        """Take nothing more in hand."""
        self._stopping.set()
        self.wake()

    def stop(self, timeout: float | None = 30.0) -> None:
        """Finish what is in hand and end; waits `timeout` seconds at the most for each lane, None for ever."""
        self.ask_to_stop()
        for thread in self._threads:
            thread.join(timeout)

    def _run(self, lane: str) -> None:
        woken = self._woken[lane]
        while not self._stopping.is_set():
            woken.clear()
            pause = 0.0 if self._stopping.is_set() else self._round(lane)
            if pause and not self._stopping.is_set():
                woken.wait(pause)

    def _round(self, lane: str) -> float:
        """One round; how many seconds to rest after it."""
        busy = False
        for work in LANES[lane]:
            if self._stopping.is_set():
                break
            try:
                busy = work(self._services) or busy
            except Exception:
                log.exception("a round of the worker failed")
                return TROUBLED_SECONDS
        if busy:
            self.wake()  # what one lane did can be work for the other
        return 0.0 if busy else IDLE_SECONDS
