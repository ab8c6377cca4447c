"""What is done once per period, by whichever worker comes first: a row per job says when it is due and who is at it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bridge.domain import logs
from bridge.domain.deadlines import DAY, within
from bridge.domain.errors import BridgeError, ProviderUnreachable, StoreRefused
from bridge.inbound import webhook_watch
from bridge.payments import takeover
from bridge.reconcile.provider import compare_listed
from bridge.reconcile.report import Report
from bridge.reconcile.run import HEARTBEAT, default_since, reconcile
from bridge.registry import accounts, stores
from bridge.services import NO_EXCLUSIONS, Exclusions, Queue, Services, Stopping, Work
from bridge.storage import jobs
from bridge.storage import reconcile as comparing
from bridge.storage.jobs import Job
from bridge.worker.prune import prune
from bridge.worker.sweep import LEASE_SECONDS as LEASE_OF_SWEEP
from bridge.worker.sweep import OLD_INTERVAL, sweeping, until_next

log = logs.logger(__name__)

CATCH_UP = jobs.CATCH_UP
"""Seconds between looks at the provider's list: the way by which we hear of payments whose messages never come."""
QUIET = jobs.QUIET
"""Seconds between looks, at the most, of a store at which nothing happens: a tenth of the time since something did."""
LATE = 60.0
"""Seconds after which a look that is overdue, or was tried in vain, counts as an outage: the provider is asked to send
its messages again, if it can."""
LEASE = 900.0
"""Seconds after which a job is begun again whose worker was killed."""
LEASE_OF_LOOK = 300.0
"""Seconds that one look for what readers took may take, at the most."""
BACK = 3600.0
"""Seconds that such a look reaches back: an app may make a payment long before somebody presents a card for it."""
RETRY, LONGEST_RETRY = 60.0, 3600.0
"""Seconds until a job that failed is tried again, twice as many each time up to the longest, plus up to a tenth."""
AT_ONCE = 500
"""Rows that are added in one transaction."""
MOST = 100
"""Jobs that are due and are looked through for one whose provider may be asked now."""
ASKING = ("access", "catch_up", "reconcile", jobs.READERS)
"""Jobs that ask the provider first of all."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a job does, every `period` seconds or when `wait` says (in seconds); it is given its row. `lease` is in
    seconds."""

    period: float
    run: Callable[[Services, Job], object]
    lease: float = LEASE
    wait: Callable[[Services], float] | None = None
    is_sweep: bool = False


def _beat(_services: Services, _job: Job) -> None:
    """A worker is alive."""


def _prune(services: Services, _job: Job) -> None:
    log.info("pruned: %s", prune(services))


def _enroll(services: Services, _job: Job) -> None:
    """See to it that every job has its row: of stores that an older version has added, and of newer kinds."""
    now = services.clock()
    for name in COMMON:
        jobs.add(services.database, name, now)
    with services.database.read() as connection:
        lost = jobs.lost(connection, now)
    for start in range(0, len(lost), AT_ONCE):
        services.raise_if_ending()
        with services.database.write() as connection:
            jobs.add_lost(connection, lost[start : start + AT_ONCE])


def _catching_up(store_id: str) -> Callable[[Services, Job], None]:
    """Compare with the provider alone, where it lists its payments, or can send its messages again."""

    def catch_up(services: Services, job: Job) -> None:
        store = services.store(store_id)
        adapter = store.adapter
        was_away = _was_away(job, services.clock())
        if "listed" in adapter.operations or (was_away and hasattr(adapter, "replay")):
            since = default_since(store, job.name)
            report = reconcile(services, store_id, since, with_shop=False, replay=was_away)
            _require_complete(report.problems)

    return catch_up


def _was_away(job: Job, now: float) -> bool:
    """Whether nobody has looked for longer than was meant: no worker was there, or the provider was not."""
    if job.seen is None or now - job.seen <= CATCH_UP + LATE:
        return False
    return now - job.due > LATE or job.failures > 0


def _looking(store_id: str) -> Callable[[Services, Job], None]:
    """Look for what card readers took: their apps make such payments by themselves, and may never tell of them."""

    def look(services: Services, job: Job) -> None:
        if not takeover.readers_in_use(services, store_id):
            return
        store = services.store(store_id)
        if store.adapter.names_orders:
            since = min(default_since(store, job.name), services.clock() - BACK)
            report = Report(store.id, since)
            with within(LEASE_OF_LOOK - LATE):
                compare_listed(store, report)
            _require_complete(report.problems)

    return look


def _until_next_look(store_id: str) -> Callable[[Services], float]:
    """Every minute while readers are used, else when they are used again."""
    return lambda services: jobs.LOOK if takeover.readers_in_use(services, store_id) else DAY


def _until_next(store_id: str) -> Callable[[Services], float]:
    """A store is looked at the more seldom, the longer nothing has happened there. What begins there hurries it."""

    def wait(services: Services) -> float:
        store = services.store(store_id)
        with services.database.read() as connection:
            changed = comparing.last_change(connection, store_id)
        quiet = services.clock() - max(store.config.created, changed or 0.0)
        return min(max(CATCH_UP, quiet / 10), QUIET)

    return wait


def _reconciling(store_id: str) -> Callable[[Services, Job], None]:
    """Compare with provider and shop."""

    def compare(services: Services, job: Job) -> None:
        store = services.store(store_id)
        since = default_since(store, job.name)
        report = reconcile(services, store_id, since)
        _require_complete(report.problems)
        log.info("store %s: %d payments, %d differences", store_id, report.payments, len(report.differences))

    return compare


def _asking_currency(store_id: str) -> Callable[[Services, Job], None]:
    """What a total is worth depends on it; a payment must not wait for the question."""

    def ask(services: Services, _job: Job) -> None:
        stores.learn_currency(services, store_id)

    return ask


def _require_complete(problems: list[str]) -> None:
    """What could not be compared is looked at again, from where it was."""
    if problems:
        raise ProviderUnreachable("; ".join(problems)[:500], sent=False)


COMMON: dict[str, Task] = {
    HEARTBEAT: Task(15.0, _beat, lease=30.0),
    "prune": Task(6 * 3600.0, _prune),
    "enroll": Task(3600.0, _enroll),
}


def _task(name: str) -> Task | None:
    """What the job of that name does. None for one that this version does not know."""
    kind, _, store_id = name.partition(":")
    if kind == "catch_up":
        return Task(CATCH_UP, _catching_up(store_id), wait=_until_next(store_id))
    if kind == jobs.READERS:
        return Task(jobs.LOOK, _looking(store_id), lease=LEASE_OF_LOOK, wait=_until_next_look(store_id))
    if kind == "sweep":
        return Task(OLD_INTERVAL, sweeping(store_id), lease=LEASE_OF_SWEEP, wait=until_next(store_id), is_sweep=True)
    if kind == "reconcile":
        return Task(DAY, _reconciling(store_id))
    if kind == "webhooks":
        return Task(DAY, webhook_watch.watching(store_id), wait=webhook_watch.until_next(store_id))
    if kind == "access":
        return Task(DAY, accounts.checking(store_id), wait=accounts.until_next)
    if kind == "currency":
        return Task(DAY, _asking_currency(store_id))
    return COMMON.get(name)


def write_heartbeat(services: Services) -> bool:
    """Say that a worker is alive, if that is due. False if it is not."""
    now = services.clock()
    with services.database.read() as connection:
        job = jobs.one(connection, HEARTBEAT)
    return job is not None and max(job.due, job.busy_until) <= now and _begin(services, HEARTBEAT, now)


def run_jobs(services: Services) -> bool:
    """Do the job that is due first, whatever it is. False if there is none."""
    now = services.clock()
    while True:
        with services.database.read() as connection:
            name = jobs.first_due(connection, now, services.max_sweeps)
        if name is None:
            return False
        if _begin(services, name, now):
            return True


def run_common(services: Services) -> bool:
    """Do those that are not any store's and are due. False if none was."""
    now, done = services.clock(), False
    with services.database.read() as connection:
        known = [jobs.one(connection, name) for name in COMMON]
    for job in known:
        if job and max(job.due, job.busy_until) <= now:
            done |= _begin(services, job.name, now)
    return done


def claim_job(services: Services, room: Exclusions = NO_EXCLUSIONS) -> Work | None:
    """The job of a store that is due first, but for the sweeps. None if there is none."""
    return _take(services, Queue.JOBS, room)


def claim_sweep(services: Services, room: Exclusions = NO_EXCLUSIONS) -> Work | None:
    """The sweep that is due first. None if there is none."""
    return _take(services, Queue.SWEEPS, room)


def _take(services: Services, queue: Queue, room: Exclusions) -> Work | None:
    now, sweeps = services.clock(), queue is Queue.SWEEPS
    with services.database.read() as connection:
        max_sweeps = services.max_sweeps if sweeps else 0
        names = jobs.due_of_stores(connection, now, MOST, room.jobs, max_sweeps=max_sweeps, retries=room.retries)
    for name in names:
        kind, _, store_id = name.partition(":")
        provider = store_id if kind in ASKING else ""
        if provider and not room.may_ask(provider):
            continue
        claimed = _claim(services, name, now)
        if claimed:
            task, job = claimed
            run = partial(_run, services, task, job)
            return Work(queue, run, provider=provider, job=store_id, is_retry=job.failures > 0)
    return None


def _begin(services: Services, name: str, now: float) -> bool:
    """Do it, unless somebody else has taken it meanwhile."""
    claimed = _claim(services, name, now)
    if claimed:
        _run(services, *claimed)
    return claimed is not None


def _claim(services: Services, name: str, now: float) -> tuple[Task, Job] | None:
    """What is to be done and its row. None if somebody else was faster, or nobody knows any more what it is."""
    task = _task(name)
    if task is None:
        with services.database.write() as connection:
            jobs.forget(connection, name)
        return None
    if task.is_sweep:
        job = jobs.claim_sweep(services.database, name, now, task.lease, services.max_sweeps)
    else:
        job = jobs.claim(services.database, name, now, task.lease)
    return (task, job) if job else None


def _run(services: Services, task: Task, job: Job) -> None:
    begun, seen, error, wait = services.clock(), None, "", task.period
    try:
        task.run(services, job)
        seen = begun
        wait = task.wait(services) if task.wait else task.period
    except Stopping:
        wait = 0.0
    except BridgeError as problem:
        error = str(problem)
        log.warning("job %s: %s", job.name, error)
        is_answered = task.is_sweep and isinstance(problem, StoreRefused)  # its other orders are read as before
        wait = jobs.SWEEP if is_answered else _retry(services, task, job)
    except Exception:
        error = "The bridge failed; its log says why."
        log.exception("job %s failed", job.name)
        wait = _retry(services, task, job)
    with services.database.write() as connection:
        jobs.finish(connection, job, due=begun + wait, seen=seen, error=error)


def _retry(services: Services, task: Task, job: Job) -> float:
    """Seconds until a job that failed is tried again."""
    retry = min(RETRY * 2.0 ** min(job.failures, 10), LONGEST_RETRY)
    return min(task.period, retry * (1 + services.jitter() / 10))
