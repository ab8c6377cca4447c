"""What is done once per period, by whichever worker comes first: a row per job says when it is due and who is at it."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.domain import logs
from bridge.domain.errors import BridgeError, ProviderUnreachable
from bridge.payments import stores
from bridge.payments.prune import prune
from bridge.payments.reconcile import HEARTBEAT, default_since, job_name, reconcile
from bridge.payments.services import Ending, Services
from bridge.storage import jobs as rows

log = logs.logger(__name__)

CATCH_UP = 300.0
"""Seconds between looks at the provider's list: the way by which we hear of payments whose messages never come."""
OUTAGE = CATCH_UP + 60.0
"""Seconds without a look after which the provider is asked to send its messages again, if it can: nobody was there."""
DAILY = 24 * 3600.0
LEASE = 900.0
"""Seconds after which a job is begun again whose worker was killed."""
RETRY = 60.0
"""Seconds until a job that failed is tried again, plus up to a tenth."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a job does, every `period` seconds; it is given the `seen` of its row. `lease` is in seconds."""

    period: float
    run: Callable[[Services, float | None], object]
    lease: float = LEASE
    at_start: bool = True


def _beat(_services: Services, _seen: float | None) -> None:
    """A worker is alive."""


def _prune(services: Services, _seen: float | None) -> None:
    log.info("pruned: %s", prune(services))


def _catching_up(store_id: str) -> Callable[[Services, float | None], None]:
    """Compare with the provider alone, where it lists its payments, or can send its messages again."""

    def catch_up(services: Services, seen: float | None) -> None:
        store = services.connections.store(store_id)
        adapter = services.connections.adapter(store)
        was_away = seen is not None and services.clock() - seen > OUTAGE
        if "listed" in adapter.operations or (was_away and hasattr(adapter, "replay")):
            since = default_since(services, store, catch_up_name(store_id))
            report = reconcile(services, store_id, since, with_shop=False, replay=was_away)
            _require_complete(report.problems)

    return catch_up


def _reconciling(store_id: str) -> Callable[[Services, float | None], None]:
    """Compare with provider and shop."""

    def compare(services: Services, _seen: float | None) -> None:
        store = services.connections.store(store_id)
        since = default_since(services, store, job_name(store_id))
        report = reconcile(services, store_id, since)
        _require_complete(report.problems)
        log.info("store %s: %d payments, %d differences", store_id, report.payments, len(report.differences))

    return compare


def _require_complete(problems: list[str]) -> None:
    """What could not be compared is looked at again, from where it was."""
    if problems:
        raise ProviderUnreachable("; ".join(problems)[:500], sent=False)


COMMON: dict[str, Task] = {
    HEARTBEAT: Task(15.0, _beat, lease=30.0),
    "prune": Task(6 * 3600.0, _prune),
}


def tasks(services: Services) -> dict[str, Task]:
    """All jobs by name: the common ones, and those of every store."""
    found = dict(COMMON)
    for store in stores.every(services):
        found[catch_up_name(store.id)] = Task(CATCH_UP, _catching_up(store.id))
        found[job_name(store.id)] = Task(DAILY, _reconciling(store.id), at_start=False)
    return found


def catch_up_name(store_id: str) -> str:
    return f"catch_up:{store_id}"


def beat(services: Services) -> bool:
    """Say that a worker is alive, if that is due. False if it is not."""
    return _run_first(services, _known(services), {HEARTBEAT: COMMON[HEARTBEAT]})


def run_jobs(services: Services) -> bool:
    """Do one job that is due. False if there is none."""
    known, wanted = _known(services), tasks(services)
    if gone := [name for name in known if ":" in name and name not in wanted]:
        with services.database.write() as connection:
            rows.forget(connection, gone)
    return _run_first(services, known, wanted)


def _known(services: Services) -> dict[str, rows.Job]:
    with services.database.read() as connection:
        return rows.every(connection)


def _run_first(services: Services, known: dict[str, rows.Job], wanted: dict[str, Task]) -> bool:
    """Do the first that is due."""
    now = services.clock()
    for name, task in wanted.items():
        if name not in known:
            rows.add(services.database, name, now if task.at_start else now + task.period)
        elif known[name].due > now or known[name].busy_until > now:
            continue
        job = rows.claim(services.database, name, now, task.lease)
        if job is not None:
            _run(services, task, job)
            return True
    return False


def _run(services: Services, task: Task, job: rows.Job) -> None:
    begun, seen, error, wait = services.clock(), None, "", task.period
    try:
        task.run(services, job.seen)
        seen = begun
    except Ending:
        wait = 0.0
    except BridgeError as problem:
        error = str(problem)
        log.warning("job %s: %s", job.name, error)
    except Exception:
        error = "A fault of the bridge; the log says which."
        log.exception("job %s failed", job.name)
    if error:
        wait = min(task.period, RETRY * (1 + services.jitter() / 10))
    with services.database.write() as connection:
        rows.finish(connection, job, due=begun + wait, seen=seen, error=error)
