"""Fresh, migrated databases: each test gets a copy of a template.

`database_url` runs a test on SQLite and on PostgreSQL, `sqlite_url` and `postgres_url` on one of them. `old_url` is a
database of the first version, on each of them.
TEST_POSTGRES_URL names a server, with a user that may create databases, to use instead of an own one.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plugins import postgresql
from tests.plugins.shared import FOLDER, Once, is_worker
from tests.plugins.tools import require

Migrate = Callable[[str], None]
OTHER_SERVER = "TEST_POSTGRES_URL"


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server, and how the names of this test run's databases begin."""

    admin_url: str
    prefix: str

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        from sqlalchemy import make_url

        url = make_url(self.admin_url).set(drivername=driver, database=database)
        return url.render_as_string(hide_password=False)

    def connect(self) -> Any:
        import psycopg
        from sqlalchemy import make_url

        database = make_url(self.admin_url).database or "postgres"
        return psycopg.connect(self.url(database, driver="postgresql"), autocommit=True)

    def create(self, database: str, template: str) -> None:
        with self.connect() as connection:
            quickly = "STRATEGY file_copy" if connection.info.server_version >= 150000 else ""
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" {quickly}')

    def drop(self, prefix: str) -> None:
        """Drops the databases whose names begin so, whoever is still connected."""
        ours = "SELECT datname FROM pg_database WHERE starts_with(datname::text, %s)"
        with self.connect() as connection:
            for (name,) in connection.execute(ours, [prefix]):
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def other_server(config: pytest.Config) -> Server | None:
    url = os.environ.get(OTHER_SERVER)
    return Server(url, config.stash[FOLDER].name) if url else None


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if is_worker(config):
        return
    shared = config.stash[FOLDER]
    postgresql.stop(shared / "postgresql")
    if (server := other_server(config)) and (shared / "postgresql-template.lock").exists():
        server.drop(server.prefix)


@pytest.fixture(scope="session")
def migrate() -> Migrate:
    """What brings an empty database, given by its URL, to the newest schema."""
    from bridge.storage import migrate

    return migrate


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest, once: Once) -> Server:
    if server := other_server(request.config):
        return server
    require("postgresql")
    shared = request.config.stash[FOLDER]
    folder = once("postgresql", lambda folder: postgresql.start(folder, alive=shared / "alive"))
    return Server(postgresql.url(folder), prefix=shared.name)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server, migrate: Migrate, once: Once) -> str:
    template = f"{postgres_server.prefix}-template"

    def make(_: Path) -> None:
        postgres_server.drop(template)
        postgres_server.create(template, "template1")
        migrate(postgres_server.url(template))

    once("postgresql-template", make)
    return template


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database of the newest schema."""
    database = f"{postgres_server.prefix}-{secrets.token_hex(6)}"
    postgres_server.create(database, postgres_template)
    yield postgres_server.url(database)
    postgres_server.drop(database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, migrate: Migrate) -> Path:
    template = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{template}")
    return template


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh SQLite database of the newest schema."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'bridge.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database of the newest schema: the test runs once on each kind."""
    return request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the first version, which has a store `shop`: the test runs once on each kind."""
    from sqlalchemy import create_engine, text

    from bridge.selftest.postgresql import drop_database, new_database
    from tests.storage.test_killed_migrations import STORE, migrated_to

    is_postgresql = request.param == "postgresql"
    server: Server | None = request.getfixturevalue("postgres_server") if is_postgresql else None
    url = new_database(server.admin_url) if server else f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(migrated_to(url, "0001"))
    with engine.begin() as connection:
        connection.execute(text(STORE), {"id": "shop", "settings": "{}"})
    engine.dispose()
    yield url
    if server:
        drop_database(url)
