"""How the bridge is doing: what `metrics` and `doctor` tell. No names, no amounts, no secrets."""

from dataclasses import dataclass

from bridge.reconcile.run import HEARTBEAT
from bridge.services import Services
from bridge.storage import jobs, metrics, refusals
from bridge.storage.metrics import Queue
from bridge.storage.refusals import Refused


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counts, and ages in seconds (None where there is nothing to be old).

    `unable_stores` are those whose account at the provider cannot take payments, `misdirected_stores` those whose
    messages are sent elsewhere.

    `keys_refused_by_stores` are those of clients that the store refuses, or lets do less than they were given.

    `open_intents` are all that are not over, `recent_intents` those that were begun within a day, each by status.
    `refused` are credentials and messages, since the beginning.
    """

    now: float
    open_intents: dict[str, int]
    recent_intents: dict[str, int]
    unknown: Queue
    inbox: Queue
    outbox: Queue
    flagged: int
    unable_stores: int
    misdirected_stores: int
    heartbeat: float | None
    sweep_due: float | None
    failing_jobs: int
    keys_refused_by_stores: int
    refused: list[Refused]

    def age(self, moment: float | None) -> float | None:
        return None if moment is None else max(self.now - moment, 0.0)


def collect_metrics(services: Services) -> Metrics:
    now = services.clock()
    services.refusals.write(every=0.0)
    with services.database.read() as connection:
        beat = jobs.one(connection, HEARTBEAT)
        unable_stores, misdirected_stores, refused_keys = metrics.troubled_stores(connection)
        failing_jobs, sweep_due = jobs.standing(connection, now)
        return Metrics(
            now=now,
            open_intents=metrics.open_intents(connection),
            recent_intents=metrics.recent_intents(connection, now),
            unknown=metrics.unsettled(connection, now),
            inbox=metrics.inbox_queue(connection),
            outbox=metrics.outbox_queue(connection),
            flagged=metrics.flagged(connection),
            unable_stores=unable_stores,
            misdirected_stores=misdirected_stores,
            heartbeat=beat.seen if beat else None,
            sweep_due=sweep_due,
            failing_jobs=failing_jobs,
            keys_refused_by_stores=refused_keys,
            refused=refusals.totals(connection),
        )
