"""The database: one engine, short write transactions, no transaction across anything slow.

SQLite runs in WAL mode with full synchronisation; writers queue on a lock of this process and then take the write
lock at BEGIN, so that nobody sees "database is locked". PostgreSQL needs none of that.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection as CoreConnection
from sqlalchemy import create_engine, event, exc, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from bridge.domain.errors import ConfigurationError
from bridge.storage.compiled import Connection, Connections, Watcher
from bridge.storage.tables import HEAD

SQLITE_BUSY_SECONDS = 30
"""How long a writer of one process waits for a writer of another."""
CHECKPOINT_PAGES = 10_000
"""Pages of SQLite's write-ahead log, some 40 MB, at which a commit copies them into the database file if no worker has:
ten times as many as SQLite's default, so that it is not in somebody's request."""
POOL_SIZE, MAX_CONNECTIONS = 16, 128
"""How many connections a process keeps, and how many it opens: a new one costs PostgreSQL a process."""
_CHECKPOINT = text("PRAGMA wal_checkpoint(PASSIVE)")
_MIGRATING = threading.Lock()
"""Alembic keeps what it works on in its module: one migration at a time in a process."""


class Database:
    """An engine and its manners.

    `read()` and `write()` give connections; `write()` commits at its end or rolls back. `troubles` is what they raise
    while the database is full, read-only or away. `watchers` are told of all that those connections send: they are for
    measuring, and set for one database or, on the class, for all of a process. Without `prepares` nothing is kept at
    the server from one transaction to the next, as PgBouncer asks for.
    """

    troubles = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
    watchers: Sequence[Watcher] = ()

    def __init__(self, url: str, *, prepares: bool = True) -> None:
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {
            "pool_size": POOL_SIZE,
            "max_overflow": MAX_CONNECTIONS - POOL_SIZE,
            "hide_parameters": True,
        }
        # Neither driver begins a transaction by itself.
        options["connect_args"] = (
            {"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False, "isolation_level": None}
            if self.is_sqlite
            else {"autocommit": True} | ({} if prepares else {"prepare_threshold": None})
        )
        try:
            self.engine = create_engine(self.url, **options)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"The database URL needs the Python package {error.name}: pip install 'wcpay-bridge[postgres]'."
            ) from None
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure_sqlite)
        self._migrating = self.engine.execution_options(begin="BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        event.listen(self.engine, "begin", _begin)
        self._connections = Connections(self.engine)
        self._write_lock = self._new_write_lock()
        self._open: Callable[[], None] = self._make_file
        self._forget: Callable[[], None] = _nothing
        self._is_open = False
        self._opening = threading.local()
        self._of_parents: list[Any] = []
        _after_fork(weakref.WeakMethod(self._leave_to_parent))

    def before_first_use(self, open_: Callable[[], None], forget: Callable[[], None]) -> None:
        """Call `open_` before the first connection of this process, which may use the database itself, and before any
        other as long as it raises; `forget` in a process that was forked from this one."""
        self._open, self._forget = open_, forget

    def use(self) -> None:
        """What happens before the first connection, if it has not yet. Raises what `open_` raises."""
        if self._is_open or getattr(self._opening, "by_this_thread", False):
            return
        self._opening.by_this_thread = True
        try:
            self._open()
        finally:
            self._opening.by_this_thread = False
        self._is_open = True

    def read(self) -> AbstractContextManager[Connection]:
        """A connection for looking: every statement sees what is committed."""
        return self._connect("")

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A connection for looking at what was committed when the first statement was run, and at nothing newer."""
        return self._connect("BEGIN DEFERRED" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction that is meant to take milliseconds. Never call out while it is open."""
        begun = self._connect("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        with self._write_lock, begun as connection:
            yield connection

    def checkpoint(self) -> None:
        """Copy what SQLite's write-ahead log has into the database file, as far as nobody is in the way: a worker's
        task, so that commits need not. Nobody waits for it, and every commit is durable without it.

        Source: https://www.sqlite.org/pragma.html#pragma_wal_checkpoint.
        """
        if self.is_sqlite:
            with self.read() as connection:
                connection.execute(_CHECKPOINT)

    def _connect(self, begin: str) -> Connection:
        self.use()
        return Connection(self._connections, begin, self.watchers)

    def close(self) -> None:
        """Close all connections. The next use opens it again."""
        self._is_open = False
        self.engine.dispose()

    def _new_write_lock(self) -> AbstractContextManager[Any]:
        return threading.Lock() if self.is_sqlite else nullcontext()

    def _leave_to_parent(self) -> None:
        """In a process that was forked: what the parent has open must neither be used nor closed here.

        Source: https://www.sqlite.org/howtocorrupt.html, 2.6; SQLAlchemy, "Using Connection Pools with
        Multiprocessing or os.fork()".
        """
        self._of_parents.append(self.engine.pool)
        self.engine.dispose(close=False)
        self._write_lock, self._opening, self._is_open = self._new_write_lock(), threading.local(), False
        self._forget()

    def _make_file(self) -> None:
        """An SQLite file that only its owner may read; the folder has to be there."""
        if self.is_sqlite:
            with suppress(OSError):  # told when the database is opened
                Path(str(self.url.database)).touch(mode=0o600)

    def version(self) -> str | None:
        """The migration that the database is at.

        None for an empty one. Raises SQLAlchemyError if it cannot be reached.
        """
        self._make_file()
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("select version_num from alembic_version")).scalar()

    @property
    def _called(self) -> str:
        return f"The database file {self.url.database}" if self.is_sqlite else "The database"

    def is_current(self) -> bool:
        """Whether it is at the newest migration. Raises SQLAlchemyError if it cannot be reached."""
        return self.version() == HEAD

    def migrates_itself(self) -> bool:
        """Whether it is an empty SQLite, which needs nobody's command. Raises SQLAlchemyError if it cannot be
        reached."""
        return self.is_sqlite and self.version() is None

    def require_current(self) -> None:
        """Refuse a database that is not at the newest migration, with the command to run; migrate an empty SQLite."""
        if self.is_sqlite and not Path(str(self.url.database)).parent.is_dir():
            raise ConfigurationError(f"{self._called} is in a folder that does not exist. Run `wcpay-bridge init`.")
        try:
            version = self.version()
        except SQLAlchemyError as error:
            raise ConfigurationError(f"{self._called} cannot be opened: {_first_line(error)}") from None
        if version is None and self.is_sqlite:
            migrate(self.url.render_as_string(hide_password=False))
        elif version != HEAD:
            state = "empty" if version is None else f"at version {version}, and this program needs {HEAD}"
            raise ConfigurationError(f"The database is {state}. Run `wcpay-bridge migrate` first.")


def parse_url(url: str) -> URL:
    """Check a database URL. `postgres://` and `postgresql://` mean psycopg 3. Raises ConfigurationError."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ConfigurationError("The database URL is not a URL such as sqlite:////var/lib/wcpay-bridge/db") from None
    if backend in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigurationError(f"The database must be SQLite or PostgreSQL, not {backend}.")
    if parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("An SQLite database needs a file: an in-memory one would lose payments.")
    return parsed


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for another one. Raises ConfigurationError."""
    parsed = parse_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to the newest schema, or up to a `revision`; does nothing to one that is there. Creates an
    SQLite file, mode 0600."""
    from alembic import command
    from alembic.config import Config

    database = Database(url, prepares=False)
    database.use()
    config = Config()
    config.set_main_option("script_location", "bridge:storage/migrations")
    config.set_main_option("path_separator", "os")
    try:
        with _MIGRATING, database._migrating.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        database.close()


def _configure_sqlite(connection: Any, _record: Any) -> None:
    wal = ("journal_mode=WAL", "synchronous=FULL", f"wal_autocheckpoint={CHECKPOINT_PAGES}")
    for pragma in (*wal, "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: CoreConnection) -> None:
    if begin := connection.get_execution_options().get("begin"):
        connection.exec_driver_sql(begin)


def _nothing() -> None:
    pass


def _after_fork(leave: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call a method in every process that is forked from now on, as long as its object is there."""

    def call() -> None:
        if method := leave():
            method()

    os.register_at_fork(after_in_child=call)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
