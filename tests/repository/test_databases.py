"""The databases of the tests are fresh for each, migrated, and gone with the run, however it ends."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.plugins.databases import Server
from tests.plugins.distributions import ROOT

PLUGINS = ("-p", "tests.plugins.shared", "-p", "tests.plugins.tools", "-p", "tests.plugins.databases")
CONFTEST = """
import pytest
import sqlalchemy

@pytest.fixture(scope="session")
def migrate():
    def migrate(url):
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE coins (id INTEGER PRIMARY KEY)"))
        engine.dispose()
    return migrate
"""
FRESH = """
import os
import pytest
import sqlalchemy

@pytest.mark.parametrize("turn", range(4))
def test_each_finds_the_schema_and_no_rows(database_url, turn):
    engine = sqlalchemy.create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM coins")).scalar_one() == 0
        connection.execute(sqlalchemy.text("INSERT INTO coins VALUES (1)"))
        connection.commit()
    engine.dispose()
    with open("urls", "a") as file:
        print(database_url, file=file)
"""
ENDLESS = """
import sys

def test_that_never_ends(postgres_server):
    print(postgres_server.admin_url, flush=True)
    sys.stdin.read()
"""


def command(folder: Path, tests: str, *arguments: str) -> list[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_databases.py").write_text(tests)
    return [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), *PLUGINS, *arguments]


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TEST_POSTGRES"))}
    return {**inherited, "PYTHONPATH": str(ROOT), **more}


def urls_seen(folder: Path) -> list[str]:
    """The databases of a run of FRESH."""
    urls = (folder / "urls").read_text().splitlines()
    assert sum(url.startswith("sqlite:///") for url in urls) == 4
    return [url for url in urls if url.startswith("postgresql+psycopg://")]


@pytest.mark.needs("postgresql")
def test_workers_share_a_server_that_is_gone_afterwards(tmp_path: Path) -> None:
    run = command(tmp_path, FRESH, "-n", "2")
    told = subprocess.run(run, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    urls = urls_seen(tmp_path)
    assert len(set(urls)) == 4
    (folder,) = {make_url(url).query["host"] for url in urls}
    assert not Path(folder).parent.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@/postgres?host={folder}")


def test_another_server_is_used_when_told_and_left_clean(tmp_path: Path, postgres_server: Server) -> None:
    run = command(tmp_path, FRESH)
    told_of = environment(TEST_POSTGRES_URL=postgres_server.admin_url)
    told = subprocess.run(run, cwd=tmp_path, env=told_of, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    urls = urls_seen(tmp_path)
    assert len(set(urls)) == 4
    assert {make_url(url).query["host"] for url in urls} == {make_url(postgres_server.admin_url).query["host"]}
    (prefix,) = {str(make_url(url).database).rpartition("-")[0] for url in urls}
    with postgres_server.connect() as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname::text, %s)", [prefix])
        assert left.fetchall() == []


@pytest.mark.needs("postgresql")
def test_a_killed_run_leaves_no_server_behind(tmp_path: Path) -> None:
    run = command(tmp_path, ENDLESS, "-s")
    with subprocess.Popen(
        run, cwd=tmp_path, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        url = next(line for line in process.stdout if line.startswith("postgresql"))
        folder = Path(url.strip().partition("?host=")[2])
        with socket.socket(socket.AF_UNIX) as server, (folder.parent / "alive").open() as alive:
            server.connect(str(folder / ".s.PGSQL.5432"))
            process.send_signal(signal.SIGKILL)
            assert server.recv(1) == b""
            fcntl.flock(alive, fcntl.LOCK_EX)
    assert not folder.parent.exists()
