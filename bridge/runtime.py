"""One bridge at work: settings, a database, its stores with their edges, and a worker in this process.

Making one opens nothing. The database is opened when it is first used, in each process by itself: a host may be made
before there is a key or a database, and before its server forks.
"""

import os

from bridge.domain.errors import ConfigurationError, NotReady
from bridge.domain.ids import RandomIds
from bridge.domain.ports import Clock, Ids
from bridge.key_memory import KeyMemory
from bridge.opened_stores import OpenedStores, OrderBookFactory
from bridge.refusals import Refusals
from bridge.services import Queue, Services
from bridge.settings import Settings
from bridge.storage import Database
from bridge.storage.vault import Vault
from bridge.store_setup import StoreSetup
from bridge.version import __version__
from bridge.worker.runner import Worker

PROGRAM, IN_A_HOST = "`wcpay-bridge ", "`flask bridge "
"""How sentences name our commands, and what they are in an app of somebody else's."""


class Runtime:
    """`is_mounted` in somebody else's app, whose commands are `flask bridge ...`.

    Raises ConfigurationError for a database URL whose driver is not installed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        ids: Ids | None = None,
        order_book: OrderBookFactory | None = None,
    ) -> None:
        self.settings = settings
        self.is_mounted = False
        self.worker: Worker | None = None
        self._worker_process = 0
        database = Database(settings.database_url, prepares=not settings.database_pgbouncer)
        self.opened_stores = OpenedStores(settings, clock, ids or RandomIds(), order_book)
        self.services = Services(
            database=database,
            vault=Vault.unopened(settings.keys, database),
            clock=clock,
            ids=self.opened_stores.ids,
            stores=self.opened_stores,
            provider_timeout=settings.provider_timeout,
            version=__version__,
            refusals=Refusals(database, clock),
            key_memory=KeyMemory(clock),
            max_sweeps=settings.max_sweeps,
            wake=self._wake,
        )
        self.opened_stores.services = self.services
        self.store_setup = StoreSetup(self.services, self.opened_stores, settings.public_urls)
        database.before_first_use(self._open, self._forget)

    def open(self) -> None:
        """Open the database now. Raises NotReady with what is missing."""
        self.services.database.use()

    def start_worker(self) -> None:
        """Deliver the outbox and settle what is unknown in threads of this process, from now on."""
        if self.worker is None or self._worker_process != os.getpid():
            self.worker, self._worker_process = Worker(self.services), os.getpid()
            self.worker.start()

    def close(self) -> None:
        """Stop the worker, if there is one, and close the database."""
        if self.worker and self._worker_process == os.getpid():
            self.worker.stop()
        self.worker = None
        self.opened_stores.close()
        self.services.refusals.write(every=0.0)
        self.services.database.close()

    def _open(self) -> None:
        try:
            self.settings.keys()
            self.services.database.require_current()
            self.services.vault.open()
        except ConfigurationError as problem:
            raise NotReady(*(self._as_mounted(sentence) for sentence in problem.problems)) from None

    def _forget(self) -> None:
        """In a process that was forked from this one."""
        self.opened_stores.forget()
        self.services.key_memory.forget()

    def _as_mounted(self, sentence: str) -> str:
        return sentence.replace(PROGRAM, IN_A_HOST) if self.is_mounted else sentence

    def _wake(self, queue: Queue = Queue.DELIVERIES, /) -> None:
        if self.worker:
            self.worker.wake(queue)
