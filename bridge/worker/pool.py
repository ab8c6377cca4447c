"""The threads of a worker, and who is served by them: nobody's slowness is another's.

A shop has one delivery or message of its own under way at a time, and so has a store's provider; a store has one sweep
and one other job. Deliveries, what asks providers, sweeps and other jobs are four sides, each of which always finds
some threads. One account at a provider has a quarter of all at the most, and what was slow or failed the last time
waits in a small share of its side, however many such stores there are.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from enum import Enum, auto
from queue import SimpleQueue

from bridge.domain import logs
from bridge.services import Exclusions, Queue, Work

log = logs.logger(__name__)

MAX_THREADS = 32
"""Threads of one process that work on the queues. They are started when they are needed."""
RESERVED_THREADS = 4
"""Of them, how many each side finds, whatever the others do. So one side alone has POOL - 3 * RESERVED."""
SHARE_OF_ACCOUNT = MAX_THREADS // 4
"""The most that ask one account at a provider."""
SHARE_OF_SLOW = RESERVED_THREADS - 1
"""The most of one side that work for stores that were slow, or on what failed before: quick ones always find one."""
SLOW_SECONDS = 5.0
"""A store is slow whose last work of that side took longer."""
TROUBLED_SECONDS = 5.0
"""How long something rests that ended by a fault of ours, or of the database."""


class _Side(Enum):
    DELIVERIES = auto()
    QUESTIONS = auto()
    JOBS = auto()
    SWEEPS = auto()


_SIDES = {
    Queue.DELIVERIES: _Side.DELIVERIES,
    Queue.MESSAGES: _Side.QUESTIONS,
    Queue.UNKNOWNS: _Side.QUESTIONS,
    Queue.LOOKS: _Side.QUESTIONS,
    Queue.JOBS: _Side.JOBS,
    Queue.SWEEPS: _Side.SWEEPS,
}


class Pool:
    """`account` names the account at the provider that a store or endpoint has; `ended` is told of work that is done.

    One thread takes work and begins it; `room` says what there is room for until then.
    """

    def __init__(
        self,
        account: Callable[[str], str],
        ended: Callable[[Work], None],
        stopping: threading.Event,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._ended = ended
        self._stopping = stopping
        self._ticks = ticks
        self._lock = threading.Lock()
        self._running: dict[Work, str] = {}
        self._slow: defaultdict[_Side, set[str]] = defaultdict(set)
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self._running

    def room(self, queue: Queue) -> Exclusions | None:
        """None if no thread may work on this queue now."""
        side = _SIDES[queue]
        with self._lock:
            running, slow = dict(self._running), set(self._slow[side])
        taken = Counter(_SIDES[work.queue] for work in running)
        kept = sum(max(RESERVED_THREADS - taken[other], 0) for other in _Side if other is not side)
        if len(running) + kept >= MAX_THREADS:
            return None
        beside = [work for work in running if _SIDES[work.queue] is side]
        has_share = sum(work.is_retry or not slow.isdisjoint(work.names) for work in beside) < SHARE_OF_SLOW
        left_out = set() if has_share else slow
        asked = Counter(running.values())
        return Exclusions(
            shops={work.shop for work in running if work.shop} | left_out,
            providers={work.provider for work in beside if work.provider} | left_out,
            jobs={work.job for work in beside if work.job} | left_out,
            retries=has_share,
            may_ask=lambda name: asked[self._account(name)] < SHARE_OF_ACCOUNT,
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
            began = self._ticks()
            try:
                with logs.about():
                    work.run()
            except Exception:
                log.exception("work of the worker failed (%s)", work.queue.name.lower())
                self._stopping.wait(TROUBLED_SECONDS)
            finally:
                self._end(work, is_slow=self._ticks() - began > SLOW_SECONDS)

    def _end(self, work: Work, *, is_slow: bool) -> None:
        with self._lock:
            del self._running[work]
            slow = self._slow[_SIDES[work.queue]]
            if is_slow:
                slow |= work.names
            else:
                slow -= work.names
        self._ended(work)
