"""The worker: delivers the outbox, works the inbox, settles what is unknown, looks after open payments, does the jobs.

Any number may run: rows are claimed, and what two of them do twice has one effect. One thread takes what is due and
hands it to a pool (`bridge.worker.pool`), so that nothing waits for a shop or provider but what is about it; the jobs
that are not any store's have a thread of their own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

from bridge.domain import logs
from bridge.domain.deadlines import within
from bridge.domain.errors import BridgeError, NotReady
from bridge.domain.intents import Attempt
from bridge.inbound.provider_inbox import claim_message
from bridge.payments import leases
from bridge.payments.outcomes import poll_payment, resolve
from bridge.payments.takeover import watch_order
from bridge.services import NO_EXCLUSIONS, Exclusions, Queue, Services, Take, Work
from bridge.storage import Connection, intents
from bridge.worker.delivery import claim_delivery
from bridge.worker.periodic_jobs import claim_job, claim_sweep, run_common, write_heartbeat
from bridge.worker.pool import TROUBLED_SECONDS, Pool

log = logs.logger(__name__)

POLL_RETRY_SECONDS = 600.0
"""Seconds until a payment is looked at again whose provider could not be asked."""
IDLE_SECONDS = 1.0
"""How long a worker waits at the most before it looks at everything: others may have work for it."""


def run_once(services: Services) -> int:
    """One round, one after the other; how many queues had something to do. Without the jobs."""
    done = 0
    for queue in (Queue.MESSAGES, Queue.UNKNOWNS, Queue.LOOKS, Queue.DELIVERIES):
        work = CLAIMS[queue](services)
        if work:
            with logs.about():
                work.run()
            done += 1
    return done


def claim_unknown(services: Services, room: Exclusions = NO_EXCLUSIONS) -> Work | None:
    """The attempt whose outcome is unknown and whose time has come first. None if there is none.

    Whoever finds out claims it: until then it is only its store that keeps others off.
    """
    now = services.clock()

    def first(connection: Connection, busy: Collection[str]) -> str | None:
        attempt = intents.due_attempt(connection, now, busy)
        return attempt.store_id if attempt else None

    busy = room.busy(services.database, first)
    if busy is None:
        return None
    with services.database.read() as connection:
        attempt = intents.due_attempt(connection, now, busy)
    if attempt is None:
        return None
    return Work(Queue.UNKNOWNS, partial(_settle, services, attempt), provider=attempt.store_id)


def _settle(services: Services, attempt: Attempt) -> None:
    try:
        resolve(services.store(attempt.store_id), attempt, resend=False)
    except BridgeError as error:
        log.warning("attempt %s cannot be resolved: %s", attempt.id, error)
        intents.take(
            services.database, attempt.id, services.clock(), leases.lease_end(services, leases.LOOK_UP_TIMEOUTS)
        )


def claim_poll(services: Services, room: Exclusions = NO_EXCLUSIONS) -> Work | None:
    """The open payment that nothing was heard of for longest: an authorisation that ran out, a buyer who went away.

    None if there is none.
    """
    now = services.clock()
    busy = room.busy(services.database, lambda connection, busy: intents.first_look(connection, now, busy))
    claimed = None if busy is None else intents.claim_look(services.database, now, now + POLL_RETRY_SECONDS, busy)
    if claimed is None:
        return None
    intent_id, store_id = claimed
    return Work(Queue.LOOKS, partial(_look, services, intent_id, store_id), provider=store_id)


def _look(services: Services, intent_id: str, store_id: str) -> None:
    try:
        with within(POLL_RETRY_SECONDS - leases.WRITE_MARGIN_SECONDS):
            store = services.store(store_id)
            intent = poll_payment(store, intent_id)
            if intent.only_known:
                watch_order(store, intent)
    except BridgeError as error:
        log.warning("intent %s cannot be looked at: %s", intent_id, error)


CLAIMS: dict[Queue, Take] = {
    Queue.DELIVERIES: claim_delivery,
    Queue.MESSAGES: claim_message,
    Queue.UNKNOWNS: claim_unknown,
    Queue.LOOKS: claim_poll,
    Queue.JOBS: claim_job,
    Queue.SWEEPS: claim_sweep,
}


class Worker:
    """Works in threads of this process until it is stopped. `wake` makes it look at a queue at once.

    By `ticks`, a monotonic clock in seconds, it finds out who is slow.
    """

    def __init__(self, services: Services, ticks: Callable[[], float] = time.monotonic) -> None:
        self._stopping = threading.Event()
        self._services = replace(services, is_ending=self._stopping.is_set)
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._turns = deque(Queue)
        self._wanted: set[Queue] = set()
        self._later: set[Queue] = set()
        self._pool = Pool(partial(_account, services), self._ended, self._stopping, ticks)
        self._threads = [
            threading.Thread(target=self._repeat, args=(round_,), name=f"wcpay-bridge-{name}", daemon=True)
            for name, round_ in (("queues", self._look), ("jobs", self._work_at_jobs))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self, queue: Queue = Queue.DELIVERIES) -> None:
        with self._lock:
            self._wanted.add(queue)
        self._woken.set()

    def ask_to_stop(self) -> None:
        """Take nothing more in hand."""
        self._stopping.set()
        self._woken.set()

    def stop(self, timeout: float | None = 30.0) -> None:
        """Finish what is in hand and end; waits `timeout` seconds at the most, None for ever."""
        self.ask_to_stop()
        end = None if timeout is None else time.monotonic() + timeout
        for thread in filter(lambda thread: thread.ident, self._threads):  # those that were started
            thread.join(None if end is None else max(end - time.monotonic(), 0))
        self._pool.close(end)

    def _ended(self, work: Work) -> None:
        """Look again where it came from, and where something had to wait for a thread or a store."""
        with self._lock:
            self._wanted |= {work.queue, *self._later}
            self._later.clear()
        self._woken.set()

    def _repeat(self, round_: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                round_()
            except NotReady as problem:
                log.error("the worker cannot begin: %s", problem)
                self._stopping.wait(TROUBLED_SECONDS)
            except Exception:
                log.exception("a round of the worker failed")
                self._stopping.wait(TROUBLED_SECONDS)

    def _look(self) -> None:
        """At all queues, and for IDLE_SECONDS at those of which there is news."""
        write_heartbeat(self._services)
        end = time.monotonic() + IDLE_SECONDS
        wanted = set(Queue)
        while not self._stopping.is_set():
            self._take(wanted)
            if not self._woken.wait(max(end - time.monotonic(), 0)) or time.monotonic() >= end:
                return
            self._woken.clear()
            with self._lock:
                wanted, self._wanted = self._wanted, set()

    def _take(self, wanted: set[Queue]) -> None:
        """Begin all that there is room for: one of each queue in turn, so that none waits behind a long one."""
        self._turns.rotate()
        while wanted and not self._stopping.is_set():
            for queue in [queue for queue in self._turns if queue in wanted]:
                room = self._pool.room(queue)
                work = CLAIMS[queue](self._services, room) if room else None
                if work:
                    self._pool.begin(work)
                else:
                    wanted.discard(queue)
                    self._leave(queue)

    def _leave(self, queue: Queue) -> None:
        """Nothing to take, or nothing that there is room for: what is under way may be in its way."""
        with self._lock:
            self._later.add(queue)
        if self._pool.is_idle:
            with self._lock:
                self._later.discard(queue)

    def _work_at_jobs(self) -> None:
        self._services.database.checkpoint()
        with logs.about():
            busy = run_common(self._services)
        if not busy:
            self._stopping.wait(IDLE_SECONDS)


def _account(services: Services, name: str) -> str:
    """The account at its provider of a store; of a name that stores share for their messages, the name."""
    try:
        adapter = services.store(name).adapter
    except BridgeError:
        return name
    return f"{adapter.name} {adapter.account_name}"
