"""How long an upgrade stops the service: each migration on a database that is filled at the first schema.

    python benchmarks/upgrade.py [--payments 1000000] [--stores 1000] [--database URL]

The database (a new SQLite file, or an empty PostgreSQL database) holds a year of payments, written at the first
schema. Then each migration runs by itself, as `wcpay-bridge migrate` runs them. Printed are seconds of wall-clock
time and the size of the database before and after; `probe` times a copy of the same bytes, as a measure of the disk.
"""

import argparse
import shutil
import tempfile
import time
from importlib.resources import files
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import text

from bridge.selftest.fill_database import fill
from bridge.storage import Database, migrate

FIRST = "0001"
LATER_COLUMN = "webhook_endpoint"
"""The one column that `fill` writes and the first schema lacks: it is there only while the database is filled."""


def upgrade(url: str, revision: str) -> float:
    """Seconds that the migration took."""
    started = time.monotonic()
    migrate(url, revision)
    return time.monotonic() - started


def fill_at_first_schema(database: Database, stores: int, payments: int) -> float:
    """Seconds that it took."""
    started = time.monotonic()
    with database.write() as connection:
        connection.execute(text(f"alter table stores add column {LATER_COLUMN} text"))
    fill(database, stores, payments, time.time(), shops=False)
    with database.write() as connection:
        connection.execute(text(f"alter table stores drop column {LATER_COLUMN}"))
    return time.monotonic() - started


def size(database: Database) -> float:
    """Gigabytes of the database, without SQLite's write-ahead log."""
    pages = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
    query = pages if database.is_sqlite else "select pg_database_size(current_database())"
    with database.read() as connection:
        return float(connection.execute(text(query)).scalar_one()) / 1e9


def probe(folder: Path, gigabytes: float) -> float:
    """Seconds that the disk takes to write and read as much."""
    started = time.monotonic()
    block = bytes(1 << 20)
    with (folder / "probe").open("wb") as file:
        for _ in range(int(gigabytes * 1000)):
            file.write(block)
    shutil.copyfile(folder / "probe", folder / "copy")
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--stores", type=int, default=1_000)
    parser.add_argument("--database", help="URL of an empty database; default: a new SQLite file")
    options = parser.parse_args()
    scripts = ScriptDirectory(str(files("bridge") / "storage" / "migrations"))
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{Path(folder) / 'bridge.sqlite'}"
        upgrade(url, FIRST)
        database = Database(url)
        seconds = fill_at_first_schema(database, options.stores, options.payments)
        print(f"filled with {options.payments} payments in {seconds:.0f} s: {size(database):.2f} GB", flush=True)
        total = 0.0
        for script in reversed(list(scripts.iterate_revisions("head", FIRST))):
            total += (seconds := upgrade(url, script.revision))
            print(f"{script.revision} {seconds:8.1f} s  {(script.doc or '').splitlines()[0]}", flush=True)
        print(f"all  {total:8.1f} s, then {size(database):.2f} GB")
        print(f"probe {probe(Path(folder), size(database)):7.1f} s for a file of that size, written and copied")
        database.close()


if __name__ == "__main__":
    main()
