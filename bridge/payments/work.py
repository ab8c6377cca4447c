"""What a worker may take in hand now, and what it has taken."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bridge.services import Queue
from bridge.storage import Connection
from bridge.storage.engine import Database


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
