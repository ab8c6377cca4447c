"""Rows of `jobs`: what is done once per period by whichever worker comes first, however many there are.

`due` and `busy_until` are Unix seconds. `seen` is when the last run that succeeded began: what was before it is done.
A store has its jobs from the transaction that adds it to the one that removes it, so that nobody has to look for them:
what is due is one question to an index, however many stores there are.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Double,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bridge.domain.deadlines import DAY, HOUR
from bridge.storage.compiled import Connection
from bridge.storage.engine import Database
from bridge.storage.tables import jobs, outbox, stores, word

CATCH_UP = 300.0
"""Seconds between looks at the provider's list while a store is in use."""
SWEEP = 60.0
"""Seconds between looks at the orders of young open payments, at the most."""
PER_STORE = {"access": DAY, "catch_up": 0.0, "currency": 0.0, "reconcile": DAY, "sweep": SWEEP, "webhooks": HOUR}
"""The jobs that every store has, and how many seconds after it was added each is due for the first time."""
WHEN_IN_USE = {"catch_up": CATCH_UP, "sweep": SWEEP, "webhooks": HOUR}
"""The jobs that are done seldom at a quiet store, and how many seconds after something began there they are due."""
READERS, LOOK = "readers", 60.0
"""The job that looks at the provider's list for payments that card readers took, which a store has from when it first
uses one, and the seconds between two looks while it does."""
QUIET = 6 * 3600.0
"""Seconds between looks at the provider's list, at the most."""
MANY = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. `last_error` is "" after a run that succeeded; `failures` counts runs since then."""

    name: str
    due: float
    busy_until: float
    seen: float | None
    last_error: str
    failures: int = 0


def name_of(kind: str, store_id: str) -> str:
    """The name of a store's job; `kind` is one of PER_STORE."""
    return f"{kind}:{store_id}"


def one(connection: Connection, name: str) -> Job | None:
    row = connection.execute(_ONE, {"the_name": name}).first()
    return Job(**row._mapping) if row else None


def first_due(connection: Connection, now: float, max_sweeps: int) -> str | None:
    """The name of the job that waits longest and may begin. `max_sweeps` is as in `claim_sweep`."""
    return connection.execute(_FIRST_DUE, {"now": now, "limit": 1, "max_sweeps": max_sweeps}).scalar()


def due_of_stores(
    connection: Connection, now: float, limit: int, busy: Collection[str] = (), *, max_sweeps: int, retries: bool = True
) -> list[str]:
    """The names of the sweeps, or with `max_sweeps` 0 of the other jobs, of stores that wait longest and may begin.

    None of the stores in `busy`; without `retries` only of those whose last run did not fail. `max_sweeps` is as in
    `claim_sweep`.
    """
    names = [name_of(kind, store_id) for store_id in busy for kind in (*PER_STORE, READERS)]
    wanted = {"now": now, "limit": limit, "busy": [*names, ""], "most_failures": MANY if retries else 0}
    if max_sweeps:
        return list(connection.execute(_DUE_SWEEPS, wanted | {"max_sweeps": max_sweeps}).scalars())
    return list(connection.execute(_DUE_JOBS, wanted).scalars())


def failing(connection: Connection, limit: int) -> list[Job]:
    """Jobs whose last run failed, in the order of their names."""
    return [Job(**row._mapping) for row in connection.execute(_FAILING, {"limit": limit})]


def standing(connection: Connection, now: float) -> tuple[int, float | None]:
    """How many jobs' last run failed, and since when the sweep that waits longest is due (Unix seconds; None if none
    is)."""
    failing, due = connection.execute(_STANDING, {"now": now}).one()
    return int(failing), due


def add(database: Database, name: str, due: float) -> None:
    """Make it known, unless it is."""
    with database.write() as connection:
        add_lost(connection, [_new(name, due)])


def add_store(connection: Connection, store_id: str, now: float) -> None:
    """Give a new store its jobs."""
    connection.execute(_ADD, [_new(name_of(kind, store_id), now + after) for kind, after in PER_STORE.items()])


def forget_store(connection: Connection, store_id: str) -> None:
    for kind in (*PER_STORE, READERS):
        forget(connection, name_of(kind, store_id))


def forget(connection: Connection, name: str) -> None:
    connection.execute(_FORGET, {"the_name": name})


def lost(connection: Connection, now: float) -> list[dict[str, Any]]:
    """Rows of jobs that stores should have and have not, as after an upgrade. They are due one after the other."""
    found: list[dict[str, Any]] = []
    for kind, after in PER_STORE.items():
        ids = list(connection.execute(_WITHOUT, {"prefix": f"{kind}:"}).scalars())
        apart = (SWEEP if kind == "sweep" else QUIET) / max(len(ids), 1)
        found += [_new(name_of(kind, each), now + after + number * apart) for number, each in enumerate(ids)]
    return found


def add_lost(connection: Connection, lost: list[dict[str, Any]]) -> None:
    """Make them known, but for those that are by now."""
    connection.execute(_ADD_LOST[connection.dialect.name], lost)


def hurry(connection: Connection, store_id: str, now: float) -> None:
    """Something begins at a store: each job of WHEN_IN_USE is due within its seconds, however quiet the store was.

    Also if somebody is at it right now: `finish` puts off nothing that was hurried meanwhile.
    """
    known: dict[str, Any] = {"now": now}
    for kind, seconds in WHEN_IN_USE.items():
        known |= {f"{kind}_name": name_of(kind, store_id), f"{kind}_soon": now + seconds}
    connection.execute(_HURRY_ALL, known)


def hurry_sweep(connection: Connection, store_id: str, now: float) -> None:
    """The orders of its open payments are read within SWEEP seconds: a payment begins, or its buyer is there."""
    connection.execute(_HURRY, {"the_name": name_of("sweep", store_id), "now": now, "soon": now + SWEEP})


def hurry_readers(connection: Connection, store_id: str, now: float) -> None:
    """The store's card readers are used: the provider's list is looked at within LOOK seconds."""
    name, soon = name_of(READERS, store_id), now + LOOK
    add_lost(connection, [_new(name, soon)])
    connection.execute(_HURRY, {"the_name": name, "now": now, "soon": soon})


def claim(database: Database, name: str, now: float, lease: float) -> Job | None:
    """Be the only one at it for `lease` seconds. None if it is not due, or somebody else is."""
    with database.write() as connection:
        row = connection.execute(_CLAIM, {"the_name": name, "now": now, "until": now + lease}).first()
        return Job(**row._mapping) if row else None


def claim_sweep(database: Database, name: str, now: float, lease: float, max_sweeps: int) -> Job | None:
    """Like `claim`, for a sweep: None as well while `max_sweeps` are under way in all processes together, or while
    something is being delivered to the store, which then would get two requests at a time."""
    wanted = {"the_name": name, "now": now, "until": now + lease, "max_sweeps": max_sweeps}
    with database.write() as connection:
        if not database.is_sqlite:  # two that count at the same time would both find room; SQLite has one writer
            connection.execute(_ONE_AT_A_TIME)
            connection.execute(_LOCK, wanted)  # a delivery that is being claimed is seen by the next statement
        row = connection.execute(_CLAIM_SWEEP, wanted).first()
        return Job(**row._mapping) if row else None


def finish(connection: Connection, job: Job, *, due: float, seen: float | None = None, error: str = "") -> None:
    """End a run, unless its lease ran out and somebody else is at it. `seen` only if it succeeded."""
    values: dict[str, Any] = {"busy_until": 0.0, "last_error": error, "failures": job.failures + 1 if error else 0}
    if seen is not None:
        values["seen"] = seen
    is_as_claimed = or_(jobs.c.due == job.due, jobs.c.due > due)
    values["due"] = case((is_as_claimed, literal(due)), else_=jobs.c.due)
    mine = (jobs.c.name == job.name, jobs.c.busy_until == job.busy_until)
    connection.execute(update(jobs).where(*mine).values(**values))


def begin_again(connection: Connection, name: str, due: float, seen: float | None) -> None:
    """Have it run at `due`, as if the last run that succeeded had begun at `seen`."""
    values = _new(name, due) | {"seen": seen, "failures": 0}
    if not connection.execute(update(jobs).where(jobs.c.name == name).values(**values)).rowcount:
        connection.execute(_ADD, values)


def _new(name: str, due: float) -> dict[str, Any]:
    return {"name": name, "due": due, "busy_until": 0.0, "last_error": ""}


_ADD = insert(jobs)
_ADD_LOST = {
    "sqlite": sqlite.insert(jobs).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(jobs).on_conflict_do_nothing(),
}
_ONE = select(jobs).where(jobs.c.name == bindparam("the_name"))
_FORGET = delete(jobs).where(jobs.c.name == bindparam("the_name"))
_is_sweep = jobs.c.name.like(literal_column("'sweep:%'"))
_under_way = jobs.alias()
_has_room = (
    select(func.count())
    .where(
        _under_way.c.name.like(literal_column("'sweep:%'")),
        _under_way.c.busy_until > literal_column("0"),  # as the index says
        _under_way.c.busy_until > bindparam("now"),
    )
    .scalar_subquery()
) < bindparam("max_sweeps")
_is_told = exists().where(
    outbox.c.store_id == func.substr(jobs.c.name, len("sweep:") + 1),
    outbox.c.state == word("pending"),
    outbox.c.busy_until > literal_column("0"),  # as the index says
    outbox.c.busy_until > bindparam("now"),
)
_may_sweep = and_(_has_room, ~_is_told)
_can_begin = and_(jobs.c.due <= bindparam("now"), jobs.c.busy_until <= bindparam("now"))
_DUE = select(jobs.c.name).where(_can_begin).order_by(jobs.c.due).limit(bindparam("limit"))
_FIRST_DUE = _DUE.where(or_(~_is_sweep, _may_sweep))
_is_for_taking = and_(
    jobs.c.name.not_in(bindparam("busy", expanding=True)), jobs.c.failures <= bindparam("most_failures")
)
_DUE_SWEEPS = _DUE.where(_is_sweep, _may_sweep, _is_for_taking)
_DUE_JOBS = _DUE.where(jobs.c.name.like(literal_column("'%:%'")), ~_is_sweep, _is_for_taking)
_is_failing = jobs.c.last_error != literal_column("''")
_FAILING = select(jobs).where(_is_failing).order_by(jobs.c.name).limit(bindparam("limit"))
_STANDING = select(
    select(func.count()).select_from(jobs).where(_is_failing).scalar_subquery(),
    select(jobs.c.due).where(jobs.c.due <= bindparam("now"), _is_sweep).order_by(jobs.c.due).limit(1).scalar_subquery(),
)
_WITHOUT = select(stores.c.id).where(
    stores.c.removed.is_(None),
    ~select(jobs.c.name).where(jobs.c.name == bindparam("prefix") + stores.c.id).exists(),
)
_HURRY = (
    update(jobs)
    .where(
        jobs.c.name == bindparam("the_name"),
        or_(jobs.c.due > bindparam("soon"), jobs.c.busy_until > bindparam("now")),
    )
    .values(due=bindparam("soon"))
)
_soon_of = case(
    *((jobs.c.name == bindparam(f"{kind}_name"), bindparam(f"{kind}_soon", type_=Double)) for kind in WHEN_IN_USE),
    else_=jobs.c.due,
)
_to_hurry = (
    select(jobs.c.name)
    .where(
        jobs.c.name.in_([bindparam(f"{kind}_name") for kind in WHEN_IN_USE]),
        or_(jobs.c.due > _soon_of, jobs.c.busy_until > bindparam("now")),
    )
    .order_by(jobs.c.name)
    .with_for_update()
)
"""Locked in the order of their names, in which no two can wait for each other: an update alone locks rows as its plan
meets them."""
_HURRY_ALL = update(jobs).where(jobs.c.name.in_(_to_hurry)).values(due=_soon_of)
_CLAIM = (
    update(jobs)
    .where(jobs.c.name == bindparam("the_name"), _can_begin)
    .values(busy_until=bindparam("until"))
    .returning(*jobs.c)
)
_CLAIM_SWEEP = _CLAIM.where(_may_sweep)
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(literal_column("9027315518")))
"""Any number that nobody else locks in our database."""
_LOCK = select(jobs.c.name).where(jobs.c.name == bindparam("the_name")).with_for_update()
