"""Whether everything is as it should be, for the owner: one finding a line. Moves no money and changes nothing."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from bridge.domain.deadlines import DAY
from bridge.domain.errors import BridgeError
from bridge.domain.orders import called
from bridge.domain.ports import Finding
from bridge.domain.shops import named_beside
from bridge.domain.stores import Store
from bridge.operations import audit
from bridge.operations.metrics import Metrics, collect_metrics
from bridge.refusals import MESSAGE
from bridge.registry import stores
from bridge.services import Services
from bridge.storage import health, jobs, keys, metrics, refusals, shops
from bridge.storage.stores import held as stores_held_back
from bridge.storage.stores import troubled as troubled_stores

WORKER_SILENT_SECONDS = 120.0
"""Seconds without a sign of a worker after which none is alive."""
OVERDUE_SECONDS = 900.0
"""Seconds after which what waits in a queue has waited too long."""
MAX_CLOCK_SKEW = 60.0
"""Seconds that this machine's clock may differ from the database's, or be behind what was written."""
REFUSED_WITHIN = DAY
"""Seconds for which a refused message is told of."""
KEYS_END_WITHIN = 14 * DAY
"""Seconds before the end of a client's key in which its owner is told."""
MAX_SHOWN = 20
"""Payments, jobs and held stores that are named."""
MAX_STORES_ASKED = 20
"""Stores that are asked, unless all are: those first that have something under way."""
PARALLEL_STORES = 8
"""Stores that are asked at the same time."""
SEARCH_SECONDS = 256 * 1024**2
"""Bytes of the largest SQLite file that is searched for damage each time: about a second's work."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `about` is a word for programs, or a store's id behind `store:`."""

    about: str
    ok: bool
    text: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


CheckStore = Callable[[Store], list[Finding]]


def examine(services: Services, check_store: CheckStore, *, everything: bool = False) -> Iterator[Check]:
    """One thing after the other, in the order in which they depend on each other. `check_store` asks a store's shop and
    provider. What takes the longer, the more there is, is done in part unless `everything` is wanted."""
    try:
        yield from _database(services, everything=everything)
        yield from _clock(services)
        found = collect_metrics(services)
        yield from _worker(services, found)
        yield from _unknown(services, found)
        yield from _flags(services, found)
        yield from _queues(found)
        yield from _refused(services, found)
    except health.Unusable as error:
        yield Check("database", False, f"The database cannot be used: {health.first_line(error)}")
        return
    yield from _audit(services, everything=everything)
    yield from _held(services)
    yield from _troubled(services)
    yield from _keys(services)
    yield from _ending_keys(services)
    yield from _stores(services, check_store, everything=everything)


def _database(services: Services, *, everything: bool) -> Iterator[Check]:
    version = services.database.version()
    current = services.database.is_current()
    words = f"The database is at version {version}"
    yield Check("database", current, f"{words}." if current else f"{words}. Run `wcpay-bridge migrate`.")
    why_not = health.why_not_writable(services.database)
    yield Check("database", not why_not, why_not or "It can be written to.")
    size = health.size(services.database)
    if size is not None and size > SEARCH_SECONDS and not everything:
        text = f"It has {size / 1024**3:.1f} GiB and was not checked for damage: `doctor --all` checks it."
        yield Check("database", True, text)
        return
    for problem in health.damage(services.database):
        yield Check("database", False, f"SQLite reports damage: {problem}")


def _clock(services: Services) -> Iterator[Check]:
    now = services.clock()
    with services.database.read() as connection:
        theirs, newest = health.clock(connection), health.newest_line(connection)
    if theirs is not None and abs(theirs - now) > MAX_CLOCK_SKEW:
        yield Check("clock", False, f"This machine's clock is {now - theirs:+.0f} seconds off the database's.")
    elif newest is not None and newest - now > MAX_CLOCK_SKEW:
        yield Check("clock", False, f"The clock went back: something was written {newest - now:.0f} seconds from now.")
    else:
        yield Check("clock", True, "The clock agrees with the database.")


def _worker(services: Services, found: Metrics) -> Iterator[Check]:
    age = found.age(found.heartbeat)
    if age is None or age > WORKER_SILENT_SECONDS:
        since = "has ever been seen" if age is None else f"has been seen for {age:.0f} seconds"
        yield Check("worker", False, f"No worker {since}. Run `wcpay-bridge worker`, or `serve` without --no-worker.")
    else:
        yield Check("worker", True, f"A worker was alive {age:.0f} seconds ago.")
    with services.database.read() as connection:
        named = jobs.failing(connection, MAX_SHOWN)
    for job in named:
        yield Check("worker", False, f"The job {job.name} failed: {job.last_error}")
    if found.failing_jobs > MAX_SHOWN:
        yield Check("worker", False, f"{found.failing_jobs - MAX_SHOWN} more jobs failed.")


def _unknown(services: Services, found: Metrics) -> Iterator[Check]:
    if not found.unknown.waiting:
        yield Check("unknown", True, "No payment has an unknown outcome.")
        return
    with services.database.read() as connection:
        named = metrics.unsettled_intents(connection, found.now, MAX_SHOWN)
        others = shops.beside(connection, {each["store_id"] for each in named})
    for each in named:
        age = (found.now - each["sent_at"]) / 60
        name, order = each["public_id"] or each["id"], called(each["order_id"], each["order_number"])
        store = named_beside(each["store_id"], others.get(each["store_id"], []))
        yield Check(
            "unknown",
            False,
            f"Order {order} of {store}: the outcome of a {each['operation']} has been unknown for "
            f"{age:.0f} minutes ({name}). It is being resolved, or: wcpay-bridge settle {name} --as ...",
        )
    if found.unknown.waiting > MAX_SHOWN:
        yield Check("unknown", False, f"{found.unknown.waiting - MAX_SHOWN} more have an unknown outcome.")


def _flags(services: Services, found: Metrics) -> Iterator[Check]:
    if not found.flagged:
        yield Check("flags", True, "No payment needs an operator.")
        return
    with services.database.read() as connection:
        named = metrics.flagged_intents(connection, MAX_SHOWN)
        others = shops.beside(connection, {each["store_id"] for each in named})
    for each in named:
        store = named_beside(each["store_id"], others.get(each["store_id"], []))
        name = each["public_id"] or each["id"]
        yield Check(
            "flags",
            False,
            f"Order {called(each['order_id'], each['order_number'])} of {store} ({name}): {each['flag']}",
        )
    if found.flagged > MAX_SHOWN:
        yield Check("flags", False, f"{found.flagged - MAX_SHOWN} more need an operator.")


def _queues(found: Metrics) -> Iterator[Check]:
    for about, what, queue, command in (
        ("outbox", "updates for stores", found.outbox, "outbox list --state dead"),
        ("inbox", "messages from providers", found.inbox, "events list --state dead"),
    ):
        age = found.age(queue.oldest) or 0.0
        late = age > OVERDUE_SECONDS
        words = f"{queue.waiting} {what} wait" + (f", the oldest for {age / 60:.0f} minutes." if queue.waiting else ".")
        yield Check(about, not late, words)
        if queue.dead:
            yield Check(about, False, f"{queue.dead} {what} are dead letters: wcpay-bridge {command}")


def _audit(services: Services, *, everything: bool) -> Iterator[Check]:
    found = audit.verify(services, newest=None if everything else audit.NEWEST)
    for problem in found.problems[:MAX_SHOWN]:
        yield Check("audit", False, f"{problem} Somebody has changed the database by hand: wcpay-bridge audit verify")
    if not found.problems:
        number = found.end.number if found.end else 0
        extent = "intact" if everything or number <= audit.NEWEST else f"intact in its newest {audit.NEWEST} acts"
        yield Check("audit", True, f"The audit trail of {number} acts is {extent}.")


def _held(services: Services) -> Iterator[Check]:
    with services.database.read() as connection:
        held = stores_held_back(connection, MAX_SHOWN + 1)
    for store_id in held[:MAX_SHOWN]:
        why = "The database has been restored, or the store is a different one."
        yield Check(f"store:{store_id}", False, f"{why} No money moves: wcpay-bridge reconcile --store {store_id}")
    if len(held) > MAX_SHOWN:
        yield Check("stores", False, "More stores are held until they have been compared: wcpay-bridge reconcile")


def _troubled(services: Services) -> Iterator[Check]:
    """Stores whose account or endpoint at the provider is not as it should be."""
    with services.database.read() as connection:
        troubled = troubled_stores(connection, MAX_SHOWN + 1)
    for store_id, problem in troubled[:MAX_SHOWN]:
        yield Check(f"store:{store_id}", False, problem)
    if len(troubled) > MAX_SHOWN:
        yield Check("stores", False, "More stores have a problem at their provider: wcpay-bridge stores check STORE")


def _keys(services: Services) -> Iterator[Check]:
    """Clients' keys with a problem in their store: one that it refuses is a finding, one that it lets do less than
    before is only told."""
    with services.database.read() as connection:
        named = keys.with_problems(connection, MAX_SHOWN + 1)
    for each in named[:MAX_SHOWN]:
        yield Check(f"store:{each.store_id}", each.allowed is not None, each.store_problem)
    if len(named) > MAX_SHOWN:
        yield Check(
            "keys", False, "More keys are refused by their stores, or may do less there: wcpay-bridge keys list"
        )


def _ending_keys(services: Services) -> Iterator[Check]:
    """Keys whose clients are locked out, or soon will be, because nobody has thought of their end."""
    now = services.clock()
    with services.database.read() as connection:
        named = keys.ending(connection, now + KEYS_END_WITHIN, MAX_SHOWN + 1)
    for each in named[:MAX_SHOWN]:
        left = (each.expires or now) - now
        when = f"ends in {left / DAY:.1f} days" if left > 0 else f"expired {-left / DAY:.1f} days ago"
        yield Check(
            f"store:{each.store_id}",
            False,
            f"The key ...{each.truncated} {when}. Extend it: `wcpay-bridge keys update {each.id} --expires WHEN`. "
            f"Or revoke it: `wcpay-bridge keys revoke {each.id}`.",
        )
    if len(named) > MAX_SHOWN:
        yield Check("keys", False, "More keys have expired, or soon will: wcpay-bridge keys list")


def _refused(services: Services, found: Metrics) -> Iterator[Check]:
    """Endpoints that refuse what comes: mostly the secret is another one than the sender's."""
    with services.database.read() as connection:
        named = refusals.recent(connection, MESSAGE, found.now - REFUSED_WITHIN, MAX_SHOWN)
        refusing = [each for each in named if not refusals.accepted_since(connection, each.subject, each.last)]
    for each in refusing:
        age = found.now - each.last
        yield Check(
            "messages",
            False,
            f"Messages to the endpoint {each.subject} are refused ({each.reason}, {each.count} in all, the last one "
            f"{age / 60:.0f} minutes ago), and none has been accepted since. The log says why each was refused.",
        )


def _stores(services: Services, check_store: CheckStore, *, everything: bool) -> Iterator[Check]:
    found = stores.every(services) if everything else stores.busiest(services, MAX_STORES_ASKED + 1)
    if not found:
        yield Check("stores", False, "There is no store yet: wcpay-bridge stores add")
    asked = found if everything else found[:MAX_STORES_ASKED]
    with ThreadPoolExecutor(PARALLEL_STORES) as pool:
        for findings in pool.map(lambda store: _ask(check_store, store), asked):
            yield from findings
    if len(asked) < len(found):
        text = f"{len(asked)} stores were asked: `doctor --all` asks every one, `stores check STORE` one."
        yield Check("stores", True, text)


def _ask(check_store: CheckStore, store: Store) -> list[Check]:
    about = f"store:{store.id}"
    try:
        return [Check(about, finding.ok, finding.text) for finding in check_store(store)]
    except BridgeError as error:
        return [Check(about, False, str(error))]
