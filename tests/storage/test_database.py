"""The database: no "locked" under pressure, rules held by constraints, migrations, encryption at rest."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bridge import Bridge
from bridge.domain.errors import ConfigurationError
from bridge.storage import Database, migrate
from bridge.storage.engine import parse_url
from bridge.storage.tables import HEAD, metadata, stores
from bridge.storage.vault import Vault

KEY, NEWER = "k" * 32, "n" * 32


def test_the_newest_migration_is_the_one_that_the_program_expects() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "bridge:storage/migrations")
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_the_migrations_make_exactly_the_tables(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database(database_url)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_an_empty_sqlite_database_is_migrated_at_start(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    database.require_current()
    assert database.version() == HEAD
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    database.close()


@pytest.mark.parametrize("kind", ["read", "snapshot", "write"])
def test_whatever_is_used_first_opens_the_database(tmp_path: Path, kind: str) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    with getattr(database, kind)() as connection:
        assert connection.execute(text("select 1")).scalar() == 1
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    database.close()
    opened: list[str] = []
    database.before_first_use(lambda: opened.append(kind), lambda: None)
    with getattr(database, kind)():
        assert opened == [kind]
    database.close()


def test_an_old_database_is_refused_with_the_command_to_run(database_url: str) -> None:
    database = Database(database_url)
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    with pytest.raises(ConfigurationError, match="Run `wcpay-bridge migrate` first"):
        database.require_current()
    database.close()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    database = Database(database_url)
    assert database.version() == HEAD
    database.close()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_a_database_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_url(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_means_psycopg(scheme: str) -> None:
    assert parse_url(f"{scheme}://u@h/d").drivername == "postgresql+psycopg"


def test_many_writers_never_see_a_locked_database(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    with databases[0].write() as connection:
        connection.execute(text("insert into secrets (name, value) values ('count', '0')"))
    failures: list[SQLAlchemyError] = []

    def write(database: Database) -> None:
        for _ in range(25):
            try:
                with database.write() as connection:
                    connection.execute(
                        text("update secrets set value = cast(cast(value as integer) + 1 as text) where name = 'count'")
                    )
            except SQLAlchemyError as error:
                failures.append(error)

    threads = [threading.Thread(target=write, args=(database,)) for database in databases for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with databases[0].read() as connection:
        assert connection.execute(text("select value from secrets where name = 'count'")).scalar() == "200"
    for database in databases:
        database.close()


def test_a_transaction_that_fails_leaves_nothing(database_url: str) -> None:
    database = Database(database_url)

    def fail() -> None:
        with database.write() as connection:
            connection.execute(text("insert into secrets (name, value) values ('a', 'b')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.read() as connection:
        assert connection.execute(text("select count(*) from secrets")).scalar() == 0
    database.close()


def test_the_database_itself_refuses_a_second_holder_of_an_order_of_a_shop(database_url: str) -> None:
    database = Database(database_url)
    row = (
        "insert into intents (id, store_id, shop_id, adapter, live, order_id, order_number, order_key, amount, currency"
        ", channel, customer, payment_method, requested_payment_method, capture, status, unknown, holding, metadata"
        ", flag, order_read, created, updated) values (:id, :store, 'one shop', 'sandbox', :live, 7, '7', 'k', 1, 'USD'"
        ", 'online', 'c', 'p', 'p', 'automatic', 'succeeded', false, :holding, '{}', '', 0, 0, 0)"
    )
    with database.write() as connection:
        connection.execute(
            text(
                "insert into stores (id, shop_id, url, identity, consumer_key, consumer_secret, adapter, settings,"
                " options, capture, live, created, updated)"
                " values (:id, 'one shop', 'u', 'u', '', '', 'sandbox', :empty, :empty, 'automatic', false, 0, 0)"
            ),
            [{"id": "s", "empty": "{}"}, {"id": "t", "empty": "{}"}],
        )
        for name, more in {"1": {}, "2": {"holding": False}, "3": {"live": True}}.items():
            connection.execute(text(row), {"id": name, "store": "s", "holding": True, "live": False, **more})
    for store in "st":
        with pytest.raises(IntegrityError), database.write() as connection:
            connection.execute(text(row), {"id": "4", "store": store, "holding": True, "live": False})
    database.close()


def test_ciphertexts_survive_a_new_first_key_and_refuse_a_foreign_one(database_url: str) -> None:
    database = Database(database_url)
    sealed = Vault([KEY], database).encrypt("cs_secret")
    rotated = Vault([NEWER, KEY], database)
    assert rotated.decrypt(sealed) == "cs_secret"
    assert rotated.lookup_hash("ck_1") == Vault([KEY], database).lookup_hash("ck_1")
    assert Vault([NEWER, KEY], database).decrypt(rotated.encrypt("x")) == "x"
    with pytest.raises(ConfigurationError, match="does not belong to this database"):
        Vault([NEWER], database)
    assert KEY not in repr(rotated)
    database.close()


def test_a_wrong_statement_does_not_tell_its_parameters(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with pytest.raises(Exception, match="no such table") as caught, database.read() as connection:
        connection.execute(text("select * from nowhere where a = :a"), {"a": "cs_canary"})
    assert "cs_canary" not in str(caught.value)
    database.close()


@pytest.mark.parametrize("pgbouncer", [True, False])
def test_behind_pgbouncer_nothing_is_kept_at_the_server(postgres_url: str, pgbouncer: bool) -> None:
    bridge = Bridge(secret_key=KEY, database_url=postgres_url, database_pgbouncer=pgbouncer)
    with bridge.services.database.read() as connection:
        for _ in range(10):
            connection.execute(select(stores.c.id).where(stores.c.id == "x"))
        kept = connection.execute(text("select count(*) from pg_prepared_statements")).scalar_one()
    bridge.close()
    assert (kept == 0) is pgbouncer


def test_every_table_has_what_postgresql_and_sqlite_need(postgres_url: str, sqlite_url: str) -> None:
    found = []
    for url in (postgres_url, sqlite_url):
        engine = create_engine(url)
        found.append({name for name in inspect(engine).get_table_names() if name != "alembic_version"})
        engine.dispose()
    assert found[0] == found[1] == set(metadata.tables)
