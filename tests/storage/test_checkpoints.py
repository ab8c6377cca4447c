"""SQLite's write-ahead log is copied into the database file by a worker, and not by commits of requests."""

import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import text

from bridge.storage import Database
from tests.cli.processes import wait_for
from tests.plugins.local import Local

ROWS, BYTES = 1_500, 4_096
"""More than the 1,000 pages at which SQLite copies by default."""


def in_the_file(local: Local, folder: Path, query: str) -> list[tuple[object, ...]]:
    """What a reader finds who has no write-ahead log; nothing while the file is being written."""
    database = Path(str(local.bridge.services.database.url.database))
    copy = folder / "copy.sqlite"
    shutil.copy(database, copy)
    connection = sqlite3.connect(copy)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.DatabaseError:
        return []
    finally:
        connection.close()


def write(database: Database, text_of: str) -> None:
    """One commit that is larger than SQLite's own limit."""
    with database.write() as connection:
        for number in range(ROWS):
            values = {"id": number, "name": f"{text_of}-{number}".ljust(BYTES, "x")}
            connection.execute(text("insert into scratch (id, name) values (:id, :name)"), values)


def test_a_commit_leaves_copying_to_a_worker(local: Local, tmp_path: Path) -> None:
    database = local.bridge.services.database
    with database.write() as connection:
        connection.execute(text("create table scratch (id integer primary key, name text)"))
    database.checkpoint()
    write(database, "first")
    assert local.create().status_code == 200
    count = "select count(*) from scratch"
    assert in_the_file(local, tmp_path, count) == [(0,)]
    assert in_the_file(local, tmp_path, "select count(*) from intents") == [(0,)]
    local.bridge.start_worker(local.app)
    try:
        wait_for(lambda: in_the_file(local, tmp_path, count) == [(ROWS,)])
        assert in_the_file(local, tmp_path, "select count(*) from intents") == [(1,)]
    finally:
        local.bridge.close()


def test_a_checkpoint_waits_for_nobody(local: Local) -> None:
    """A reader who stays on what was there before does not hold it up, nor does a writer."""
    database = local.bridge.services.database
    with database.snapshot() as reader, database.write() as writer:
        reader.execute(text("select count(*) from intents")).scalar_one()
        writer.execute(text("update jobs set due = due"))
        database.checkpoint()
    assert local.create().status_code == 200


def test_postgresql_has_nothing_to_copy(postgres_url: str) -> None:
    database = Database(postgres_url)
    database.checkpoint()
    database.close()
