"""Every statement that the product runs in any test of this run is explained in the end, on the kind of database that
it ran on, with the values that it ran with; one that reads a table that grows from end to end fails the run.

The databases are filled, so that planners choose as they do at size. SQLite is asked twice: as it is in life, without
statistics, and with them. Statements of tests, migrations and the simulated world are not looked at.
"""

import pickle
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Connection

import bridge
import bridge.storage.compiled
from bridge.selftest.fill_database import fill
from bridge.storage.engine import Database, migrate
from bridge.storage.tables import metadata
from tests.plugins import postgresql
from tests.plugins.databases import Server, other_server
from tests.plugins.shared import FOLDER, is_worker

NOW = 1_790_000_000.0
STORES, PAYMENTS = 2_000, 40_000
SHOWN = 500
"""Characters of a statement, and of its values, that are told."""
LARGE = 1000
"""Rows from which on PostgreSQL has no reason to read a table for few of them."""
FIXED = {"audit_head", "secrets"}
"""Tables that do not grow."""
UNDER_WAY = {
    "ix_api_keys_store_problem",
    "ix_attempts_material",
    "ix_attempts_unsettled",
    "ix_inbox_dead",
    "ix_inbox_new",
    "ix_intents_authorized",
    "ix_intents_flagged",
    "ix_intents_look_at",
    "ix_intents_open",
    "ix_jobs_busy",
    "ix_jobs_failing",
    "ix_outbox_busy",
    "ix_outbox_dead",
    "ix_outbox_pending",
    "ix_stores_account_problem",
    "ix_stores_held",
    "ix_stores_webhook_problem",
}
"""Indexes of what waits, which may be read from end to end: what is over is not in them."""
ALLOWED = {
    "storage/reconcile.py:hold_stores": "after a restore the owner has all stores held",
    "storage/audit.py:latest": "a command's list of the newest, in the order of the table, with a limit",
    "storage/inbox.py:latest": "a command's list of the newest, in the order of the table, with a limit",
    "storage/jobs.py:lost": "once an hour: every store must have its jobs",
    "storage/keys.py:of_store": "a command's list of all keys",
    "storage/outbox.py:latest": "a command's list of the newest, in the order of the table, with a limit",
    "storage/key_rotation.py:_column": "a command that renews every secret",
    "storage/key_rotation.py:_stores": "a command that renews every secret",
    "storage/stores.py:busiest": "a command's look at the first stores, in the order of their ids, with a limit",
    "storage/stores.py:everything": "a command's list of all stores",
}
"""Who may read a table which grows, and why. Nothing that a request, a tick or a scrape asks."""
PRODUCT = Path(bridge.__file__).parent
TESTS = Path(__file__).parents[1]
THROUGH = Path(bridge.storage.compiled.__file__)
NOT_LOOKED_AT = ("tests", "selftest/", "simulators/", "storage/migrations/")
EXPLAINABLE = re.compile(r"\s*(select|insert|update|delete|with)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """A statement as the driver got it, the first time; `by` is who asked: a file and a function of `bridge`.

    `in_request` if somebody waited for an HTTP answer.
    """

    dialect: str
    statement: str
    values: Any
    by: str
    in_request: bool = False

    @property
    def is_allowed(self) -> bool:
        return self.by in ALLOWED and not self.in_request


Explainer = Callable[[Asked], list[str]]


class Recorder:
    """Remembers what the product asks of its databases."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], Asked] = {}

    def remember(self, connection: bridge.storage.Connection, statement: str, values: Any) -> None:
        key = (connection.dialect.name, statement)
        known = self.asked.get(key)
        if (known and not known.is_allowed) or not EXPLAINABLE.match(statement):
            return
        callers = [path_of(frame) for frame in frames(sys._getframe(1))]
        innermost = next(filter(None, callers), "tests")
        if not innermost.startswith(NOT_LOOKED_AT):
            in_request = any(caller and caller.startswith("http/") for caller in callers)
            self.asked[key] = Asked(*key, values, innermost, in_request)


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """The innermost first."""
    while frame:
        yield frame
        frame = frame.f_back


def path_of(frame: FrameType) -> str | None:
    """A file of the product, from its folder on, and the function; "tests" for one of the tests, None for any other and
    for the file through which all statements go."""
    path = Path(frame.f_code.co_filename)
    if path == THROUGH:
        return None
    if path.is_relative_to(PRODUCT):
        return f"{path.relative_to(PRODUCT).as_posix()}:{frame.f_code.co_name}"
    return "tests" if path.is_relative_to(TESTS) else None


def postgres_server(config: pytest.Config) -> Server:
    """The server that this run has used; one of its own if its tests had servers for themselves alone."""
    if other := other_server(config):
        return other
    shared = config.stash[FOLDER]
    folder = shared / "postgresql"
    if not (shared / "postgresql.done").exists():
        folder.mkdir(exist_ok=True)
        postgresql.start(folder, alive=shared / "alive")
    return Server(postgresql.url(folder), shared.name)


RECORDER = pytest.StashKey[Recorder]()


def pytest_configure(config: pytest.Config) -> None:
    recorder = config.stash[RECORDER] = Recorder()
    Database.watchers = [recorder.remember]
    config.add_cleanup(lambda: setattr(Database, "watchers", ()))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Workers hand in what they have seen; whoever started the run explains it."""
    config = session.config
    folder, recorder = config.stash[FOLDER] / "asked", config.stash[RECORDER]
    folder.mkdir(exist_ok=True)
    if is_worker(config):
        name = config.workerinput["workerid"]  # type: ignore[attr-defined]
        (folder / name).write_bytes(pickle.dumps(recorder.asked))
        return
    for handed_in in folder.iterdir():
        recorder.asked.update(pickle.loads(handed_in.read_bytes()))
    server = postgres_server(config) if any(each.dialect == "postgresql" for each in recorder.asked.values()) else None
    with explainers(config.stash[FOLDER], server) as found:
        refused = refusals(recorder.asked.values(), found)
    if refused:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        config.stash[REFUSED] = refused


REFUSED = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if refused := config.stash.get(REFUSED, []):
        terminalreporter.section("statements that read a table that grows", red=True)
        for each in refused:
            terminalreporter.write_line(each)


def refusals(asked: Iterable[Asked], explainers: dict[str, Explainer]) -> list[str]:
    """What is wrong with how the databases would answer."""
    return [
        f"{each.by} on {each.dialect}: {step}\n    {each.statement[:SHOWN]}\n    {str(each.values)[:SHOWN]}"
        for each in asked
        for step in explainers[each.dialect](each)
        if not each.is_allowed
    ]


@contextmanager
def explainers(folder: Path, postgres: Server | None) -> Iterator[dict[str, Explainer]]:
    """Of both kinds of database, as far as there are servers. Databases are made in the folder, and go with it."""
    with ExitStack() as stack:
        kinds = [stack.enter_context(filled_sqlite(folder / f"explained-{count}.db", count)) for count in (0, PAYMENTS)]
        found: dict[str, Explainer] = {
            "sqlite": lambda each: list(dict.fromkeys(step for kind in kinds for step in sqlite_scans(kind, each)))
        }
        if postgres:
            connection = stack.enter_context(filled_postgresql(postgres))
            found["postgresql"] = lambda each: postgresql_scans(connection, each)
        yield found


@contextmanager
def filled_sqlite(file: Path, payments: int) -> Iterator[Connection]:
    """With so many payments, or as it is without statistics if there are none."""
    database = Database(f"sqlite:///{file}")
    try:
        if not file.exists():
            migrate(f"sqlite:///{file}")
            if payments:
                fill(database, STORES, payments, NOW)
        with database.engine.connect() as connection:
            yield connection
    finally:
        database.close()


@contextmanager
def filled_postgresql(server: Server) -> Iterator[Connection]:
    name = f"{server.prefix}-explained"
    server.create(name, "template1")
    database = Database(server.url(name))
    try:
        migrate(server.url(name))
        fill(database, STORES, PAYMENTS, NOW)
        with database.engine.connect() as connection:
            yield connection
    finally:
        database.close()
        server.drop(name)


def sqlite_scans(connection: Connection, asked: Asked) -> Iterator[str]:
    """Steps that read a table, or an index of all of it, from end to end."""
    for row in connection.exec_driver_sql(f"explain query plan {asked.statement}", asked.values):
        scan = re.fullmatch(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?.*", row.detail)
        if scan and grows(re.sub(r"_\d+$", "", scan[1])) and scan[2] not in UNDER_WAY:
            yield row.detail


def postgresql_scans(connection: Connection, asked: Asked) -> list[str]:
    """Likewise: what it reads so although it could go by an index, or because it cannot.

    A condition that most rows meet is rightly looked for in the table itself.
    """
    scans = [node for node in _nodes(connection, asked) if _reads_all(node)]
    unfit = [node for node in scans if "Filter" not in node or node["Plan Rows"] < 0.1 * _rows(connection, node)]
    connection.exec_driver_sql("set enable_seqscan = off")
    forced = [node for node in _nodes(connection, asked) if _reads_all(node)]
    connection.exec_driver_sql("set enable_seqscan = on")
    large = [node for node in unfit if _rows(connection, node) >= LARGE]
    return [f"{node['Node Type']} of {node.get('Relation Name') or node['Index Name']}" for node in forced or large]


def _nodes(connection: Connection, asked: Asked) -> Iterator[dict[str, Any]]:
    explained = connection.exec_driver_sql(f"explain (format json) {asked.statement}", asked.values).scalar_one()
    waiting = [explained[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        children = node.get("Plans", [])
        for child in children:
            passes = node["Node Type"] in ("LockRows", "Result", "Subquery Scan") and node.get("Limited", False)
            child["Limited"] = node["Node Type"] == "Limit" or passes
        waiting.extend(children)
        yield node


def _reads_all(node: dict[str, Any]) -> bool:
    if node["Node Type"] == "Seq Scan":
        return grows(node["Relation Name"])
    if node["Node Type"] not in ("Index Scan", "Index Only Scan", "Bitmap Index Scan") or "Index Cond" in node:
        return False
    if not grows(node.get("Relation Name", "intents")):
        return False
    is_first_few = node.get("Limited", False) and "Filter" not in node
    return node["Index Name"] not in UNDER_WAY and not is_first_few


def _rows(connection: Connection, node: dict[str, Any]) -> float:
    name = node.get("Relation Name") or node["Index Name"]
    return float(connection.exec_driver_sql("select reltuples from pg_class where relname = %s", (name,)).scalar_one())


def grows(table: str) -> bool:
    return table in metadata.tables and table not in FIXED
