"""The threads of a worker, and who is served by them: nobody's slowness is another's.

A shop has one delivery or message of its own under way at a time, and so has a store's provider. Deliveries on one
side, and everything that asks a provider on the other, never take all threads, so that each always finds some; one
account at a provider, and deliveries that failed before, have half of them at the most.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue

from bridge.domain import logs
from bridge.payments.services import Queue
from bridge.payments.work import Room, Work

log = logs.logger(__name__)

POOL = 16
"""Threads of one process that work on the queues. They are started when they are needed."""
SIDE = 12
"""Of them, the most that deliveries take, and the most that everything else takes."""
HALF = POOL // 2
TROUBLED_SECONDS = 5.0
"""How long something rests that ended by a fault of ours, or of the database."""


class Pool:
    """`account` names the account at the provider that a store or endpoint has; `ended` is told of work that is done.

    One thread takes work and begins it; `room` says what there is room for until then.
    """

    def __init__(self, account: Callable[[str], str], ended: Callable[[Work], None], stopping: threading.Event) -> None:
        self._account = account
        self._ended = ended
        self._stopping = stopping
        self._lock = threading.Lock()
        self._running: dict[Work, str] = {}
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self._running

    def room(self, queue: Queue) -> Room | None:
        """None if no thread may work on this queue now."""
        with self._lock:
            running = dict(self._running)
        deliveries = sum(work.queue is Queue.DELIVERIES for work in running)
        side = deliveries if queue is Queue.DELIVERIES else len(running) - deliveries
        if len(running) >= POOL or side >= SIDE:
            return None
        asked = Counter(running.values())
        return Room(
            shops={work.shop for work in running if work.shop},
            providers={work.provider for work in running if work.provider},
            retries=sum(work.is_retry for work in running) < HALF,
            may_ask=lambda name: asked[self._account(name)] < HALF,
        )

    def begin(self, work: Work) -> None:
        """Have a thread do it. There has to be room."""
        account = self._account(work.provider) if work.provider else ""
        with self._lock:
            self._running[work] = account
            is_short = len(self._running) > len(self._threads)
        if is_short:
            thread = threading.Thread(target=self._serve, name=f"wcpay-bridge-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._waiting.put(work)

    def close(self, end: float | None) -> None:
        """Wait until what is in hand is done, or until `end` (monotonic clock)."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(None if end is None else max(end - time.monotonic(), 0))

    def _serve(self) -> None:
        while (work := self._waiting.get()) is not None:
            try:
                with logs.about():
                    work.run()
            except Exception:
                log.exception("work of the worker failed (%s)", work.queue.name.lower())
                self._stopping.wait(TROUBLED_SECONDS)
            finally:
                with self._lock:
                    del self._running[work]
                self._ended(work)
