"""Rows of `jobs`: what is done once per period by whichever worker comes first, however many there are.

`due` and `busy_until` are Unix seconds. `seen` is when the last run that succeeded began: what was before it is done.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bridge.storage.engine import Database
from bridge.storage.tables import jobs


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands. `last_error` is "" after a run that succeeded."""

    name: str
    due: float
    busy_until: float
    seen: float | None
    last_error: str


def every(connection: Connection) -> dict[str, Job]:
    return {row.name: Job(**row._mapping) for row in connection.execute(_EVERY)}


def add(database: Database, name: str, due: float) -> None:
    """Make it known, unless it is."""
    try:
        with database.write() as connection:
            connection.execute(_ADD, {"name": name, "due": due, "busy_until": 0.0, "last_error": ""})
    except IntegrityError:
        return


def claim(database: Database, name: str, now: float, lease: float) -> Job | None:
    """Be the only one at it for `lease` seconds. None if it is not due, or somebody else is."""
    with database.write() as connection:
        row = connection.execute(_CLAIM, {"the_name": name, "now": now, "until": now + lease}).first()
        return Job(**row._mapping) if row else None


def finish(connection: Connection, job: Job, *, due: float, seen: float | None = None, error: str = "") -> None:
    """End a run, unless its lease ran out and somebody else is at it. `seen` only if it succeeded."""
    values: dict[str, Any] = {"due": due, "busy_until": 0.0, "last_error": error}
    if seen is not None:
        values["seen"] = seen
    mine = (jobs.c.name == job.name, jobs.c.busy_until == job.busy_until)
    connection.execute(update(jobs).where(*mine).values(**values))


def begin_again(connection: Connection, name: str, due: float, seen: float | None) -> None:
    """Have it run at `due`, as if the last run that succeeded had begun at `seen`."""
    values: dict[str, Any] = {"due": due, "busy_until": 0.0, "seen": seen, "last_error": ""}
    if not connection.execute(update(jobs).where(jobs.c.name == name).values(**values)).rowcount:
        connection.execute(insert(jobs), {"name": name, **values})


def forget(connection: Connection, names: list[str]) -> None:
    connection.execute(delete(jobs).where(jobs.c.name.in_(names)))


_EVERY = select(jobs)
_ADD = insert(jobs)
_CLAIM = (
    update(jobs)
    .where(jobs.c.name == bindparam("the_name"), jobs.c.due <= bindparam("now"), jobs.c.busy_until <= bindparam("now"))
    .values(busy_until=bindparam("until"))
    .returning(*jobs.c)
)
