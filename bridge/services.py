"""What the use cases are given: the Bridge, as far as they may see it; and what a worker has taken in hand."""

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Protocol

from bridge.domain import logs
from bridge.domain.actors import Actor, process_actor
from bridge.domain.ports import Adapter, Clock, Ids, OrderBook
from bridge.domain.stores import Store
from bridge.key_memory import KeyMemory
from bridge.refusals import Refusals
from bridge.storage import Connection, audit
from bridge.storage.engine import Database
from bridge.storage.vault import Vault

log = logs.logger(__name__)


class StoreRegistry(Protocol):
    """Stores with their edges, made once and kept until the store's row changes."""

    def store(self, store_id: str, updated: float | None = None) -> Store:
        """The store, as it was at `updated` or newer.

        Raises ConfigurationError if it is gone or its secrets cannot be read.
        """
        ...

    def adapter(self, store: Store) -> Adapter: ...

    def order_book(self, store: Store) -> OrderBook: ...


class Queue(Enum):
    """What a worker works on."""

    DELIVERIES = "updates for stores"
    MESSAGES = "messages from providers and stores"
    UNKNOWNS = "attempts whose outcome is unknown"
    LOOKS = "payments without news"
    JOBS = "what is done for a store once per period"
    SWEEPS = "orders of open payments"


class Wake(Protocol):
    def __call__(self, queue: Queue = Queue.DELIVERIES, /) -> None:
        """There is something new in the queue."""


def _nobody(_queue: Queue = Queue.DELIVERIES, /) -> None:
    """There is no worker in this process: others look by themselves, every second."""


class Stopping(Exception):
    """Who does long work is asked to stop: what is left is taken up later, by whoever comes first."""


@dataclass(frozen=True)
class Services:
    """The database and the edges, with everything that must not be taken from the air.

    `provider_timeout` is in seconds; `max_sweeps` stores are swept at a time, by all processes together. `wake` tells
    the worker of this process, if there is one, where there is work, `is_ending` whether it was asked to stop. `actor`
    is who asks for what is done with them, for the audit trail: the process' own user, unless somebody says otherwise.
    """

    database: Database
    vault: Vault = field(repr=False)
    clock: Clock
    ids: Ids
    stores: StoreRegistry
    provider_timeout: float
    version: str
    refusals: Refusals = field(repr=False)
    key_memory: KeyMemory = field(repr=False)
    max_sweeps: int = 8
    wake: Wake = _nobody
    is_ending: Callable[[], bool] = lambda: False
    jitter: Callable[[], float] = random.random
    pause: Callable[[float], None] = time.sleep
    actor: Callable[[], Actor] = process_actor

    def audit_act(self, connection: Connection, act: str, subject: str, **detail: Any) -> None:
        """Write an administrative act down, in the transaction of the act and as the last that it locks.

        `act` is a command's words, such as `keys.revoke`; `subject` is what it was done to; `detail` holds no secret.
        In this process it counts from the next request on, whatever was remembered of keys and their stores.
        """
        self.key_memory.forget()
        actor = self.actor()
        done = audit.append(connection, self.vault, self.clock(), actor, act, subject, detail)
        log.info("audit %s: %s %s by %s %s", done, act, subject, actor.kind, actor.name)

    def raise_if_ending(self) -> None:
        """Between two steps of long work. Raises Ending."""
        if self.is_ending():
            raise Stopping

    def store(self, store_id: str, updated: float | None = None) -> "StoreHandle":
        """What a use case is given of a store, as it was at `updated` (Unix seconds) or newer.

        Raises ConfigurationError if it is gone or its secrets cannot be read.
        """
        return self.at(self.stores.store(store_id, updated))

    def at(self, store: Store) -> "StoreHandle":
        """The same of a store that was read before."""
        given = {each.name: getattr(self, each.name) for each in fields(Services)}
        return StoreHandle(**given, config=store)


@dataclass(frozen=True, kw_only=True)
class StoreHandle(Services):
    """One store with all that a use case needs: the services, the store as its row has it (`config`), and its edges,
    opened when they are first used."""

    config: Store

    @property
    def id(self) -> str:
        return self.config.id

    @property
    def adapter(self) -> Adapter:
        return self.stores.adapter(self.config)

    @property
    def order_book(self) -> OrderBook:
        return self.stores.order_book(self.config)


Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What is not to be taken now: what talks to the shops of these stores, asks the providers of these stores or
    endpoints, or is a job of these stores, because somebody is at that or because they are slow; what was tried before,
    unless `retries`; what `may_ask` says no to."""

    shops: Collection[str] = ()
    providers: Collection[str] = ()
    jobs: Collection[str] = ()
    retries: bool = True
    may_ask: Callable[[str], bool] = lambda _: True

    def busy(self, database: Database, first: Callable[[Connection, Collection[str]], str | None]) -> set[str] | None:
        """All whose provider is not to be asked now. None if nobody else waits.

        `first` says who waits longest, but for the busy ones.
        """
        busy = set(self.providers)
        while True:
            with database.read() as connection:
                waiting = first(connection, busy)
            if waiting is None:
                return None
            if self.may_ask(waiting):
                return busy
            busy.add(waiting)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """Something that was taken in hand, to be run once: it says by itself how it went, and raises for faults of ours.

    `shop` is the store whose shop it talks to, `provider` the store or endpoint whose provider it asks, `job` the store
    that it is a job of, "" if none. A job leaves its shop to deliveries as well: it may take minutes.
    """

    queue: Queue
    run: Callable[[], object]
    shop: str = ""
    provider: str = ""
    job: str = ""
    is_retry: bool = False

    @property
    def names(self) -> set[str]:
        """The stores, or the endpoint, that it is about."""
        return {self.shop, self.provider, self.job} - {""}


Take = Callable[..., Work | None]
NO_EXCLUSIONS = Exclusions()
