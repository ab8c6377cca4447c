"""What condition the database is in: for the owner's own commands."""

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from bridge.storage.compiled import Connection
from bridge.storage.engine import Database
from bridge.storage.reconcile import newest_line
from bridge.storage.tables import jobs

__all__ = ["Unusable", "clock", "damage", "first_line", "newest_line", "why_not_writable"]
Unusable = SQLAlchemyError
"""What is raised by a database that cannot be used."""
PROBE = "doctor"


class _TakenBack(Exception):
    """Ends a transaction that leaves nothing."""


def why_not_writable(database: Database) -> str:
    """Why nothing can be written; "" if it can. What is tried is taken back."""
    try:
        with database.write() as connection:
            connection.execute(jobs.insert(), {"name": PROBE, "due": 0.0, "busy_until": 0.0, "last_error": ""})
            raise _TakenBack
    except _TakenBack:
        return ""
    except SQLAlchemyError as error:
        return f"It cannot be written to: {first_line(error)}"


def size(database: Database) -> int | None:
    """Bytes of an SQLite file; None for PostgreSQL."""
    if not database.is_sqlite:
        return None
    with database.read() as connection:
        pages, bytes_each = (
            connection.execute(text(f"pragma {name}")).scalar_one() for name in ("page_count", "page_size")
        )
    return int(pages * bytes_each)


def damage(database: Database) -> list[str]:
    """What SQLite finds broken in its file. PostgreSQL has checksums of its own."""
    if not database.is_sqlite:
        return []
    try:
        with database.read() as connection:
            found = [str(line) for line in connection.execute(text("pragma integrity_check(20)")).scalars()]
            foreign = connection.execute(text("pragma foreign_key_check")).all()
    except SQLAlchemyError as error:
        return [first_line(error)]
    if foreign:
        found.append(f"{len(foreign)} rows refer to rows that are not there")
    return [line for line in found if line != "ok"]


def clock(connection: Connection) -> float | None:
    """The database's own time (Unix seconds); None for SQLite, which has this machine's."""
    if connection.dialect.name == "sqlite":
        return None
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
