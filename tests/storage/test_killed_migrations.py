"""A migration that is killed in the middle can be run again, and comes out as one that was not."""

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

import bridge
from bridge.selftest.postgresql import drop_database, new_database
from bridge.storage import migrate
from tests.storage import upgrading

KILLS = 10
"""From nothing, and as many from the version before."""
NEXT = """
import sqlalchemy as sa
from alembic import op

from bridge.storage.tables import HEAD

revision, down_revision = "9999", HEAD


def upgrade() -> None:
    op.create_table("extras", sa.Column("name", sa.Text(), primary_key=True))
    op.execute("insert into extras select name from secrets")
    with op.batch_alter_table("secrets") as table:
        table.add_column(sa.Column("length", sa.Integer(), nullable=False, server_default="0"))
        table.alter_column("value", new_column_name="sealed")
    op.execute("update secrets set length = length(sealed)")
    op.execute("delete from jobs where name = 'old'")
"""
ROWS = (
    *(f"insert into secrets (name, value) values ('secret {number}', '{'x' * number}')" for number in range(1, 50)),
    "insert into jobs (name, due, busy_until, last_error) values ('old', 0, 0, ''), ('new', 0, 0, '')",
)
NewUrl = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Makes empty databases."""
    made: list[str] = []

    def make() -> str:
        if request.param == "sqlite":
            return f"sqlite:///{tmp_path / secrets.token_hex(4)}.sqlite"
        made.append(new_database(request.getfixturevalue("postgres_server").admin_url))
        return made[-1]

    yield make
    for url in made:
        drop_database(url)


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """A folder with this bridge and one more migration: of a table that SQLite can only change by copying it."""
    folder = tmp_path / "next"
    package = Path(bridge.__file__).parent
    shutil.copytree(package, folder / "bridge", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "bridge/storage/migrations/versions/9999_next.py").write_text(NEXT)
    return folder


def migrated(folder: Path, jobs: list[tuple[str, int]]) -> list[int]:
    command = [sys.executable, "-c", Path(upgrading.__file__).read_text()]
    ran = subprocess.run(command, cwd=folder, input=json.dumps(jobs), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    passed: list[int] = json.loads(ran.stdout)
    return passed


def contents(url: str) -> dict[str, Any]:
    """Every table's columns, indexes and rows."""
    engine = create_engine(url)
    with engine.connect() as connection:
        look = inspect(connection)
        found = {
            table: (
                [(column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(table)],
                sorted(str(index["name"]) for index in look.get_indexes(table)),
                sorted(str(tuple(row)) for row in connection.execute(text(f'select * from "{table}"'))),
            )
            for table in look.get_table_names()
        }
    engine.dispose()
    return found


def configured() -> Config:
    config = Config()
    config.set_main_option("script_location", "bridge:storage/migrations")
    config.set_main_option("path_separator", "os")
    return config


def revisions() -> list[str]:
    """Of all versions there were, the oldest first."""
    return [each.revision for each in ScriptDirectory.from_config(configured()).walk_revisions()][::-1]


def migrated_to(url: str, revision: str) -> str:
    """At the schema of an earlier version."""
    config = configured()
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    return url


def with_rows(url: str) -> str:
    """At the schema of today, with something in it."""
    migrate(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in ROWS:
            connection.execute(text(statement))
    engine.dispose()
    return url


@pytest.mark.parametrize("prepare", [lambda url: url, with_rows], ids=["from nothing", "from the version before"])
def test_each_is_all_or_nothing_and_can_be_run_again(
    new_url: NewUrl, next_version: Path, prepare: Callable[[str], str]
) -> None:
    whole = prepare(new_url())
    versions = [contents(whole)]
    if not versions[0]:
        versions += [contents(migrated_to(new_url(), revision)) for revision in revisions()]
    [points] = migrated(next_version, [(whole, 0)])
    versions.append(after := contents(whole))
    assert "sealed" in [name for name, *_ in after["secrets"][0]]
    step = max(points // KILLS, 1)
    jobs = [(prepare(new_url()), point) for point in range(1, points + 1, step)]
    assert len(jobs) >= min(points, KILLS)
    assert migrated(next_version, jobs) == [-1] * len(jobs)
    for url, point in jobs:
        assert contents(url) in versions, f"half-way at point {point}"
    migrated(next_version, [(url, 0) for url, _ in jobs])
    assert [url for url, _ in jobs if contents(url) != after] == []


STORE = """
insert into stores (id, url, identity, consumer_key, consumer_secret, adapter, settings, options, capture, live,
    awaits_reconcile, created, updated)
values (:id, 'https://shop.example', 'https://shop.example', 'ck', 'cs', 'sandbox', :settings, '{}', 'automatic', false,
    false, 0, 0)
"""


def test_stores_of_the_first_version_keep_the_endpoints_that_they_share(new_url: NewUrl) -> None:
    url = migrated_to(new_url(), "0001")
    settings = {"a": '{"webhook_endpoint": "shared"}', "b": '{"webhook_endpoint": ""}', "c": "{}"}
    engine = create_engine(url)
    with engine.begin() as connection:
        for name, value in settings.items():
            connection.execute(text(STORE), {"id": name, "settings": value})
    migrate(url)
    with engine.connect() as connection:
        endpoints = connection.execute(text("select id, webhook_endpoint from stores order by id")).all()
        due = connection.execute(text("select name from jobs where due = 0")).scalars().all()
    engine.dispose()
    assert endpoints == [("a", "shared"), ("b", None), ("c", None)]
    assert due == ["enroll"]
