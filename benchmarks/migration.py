"""Tries the newest migration of payments on a database of the version before it, and kills it in the middle.

    python benchmarks/migration.py --payments 100000 --kills 10 [--database postgresql] [--url URL]

The database has payments of many shops, half of them in one. Two entries of one shop, as they could be added until
schema 0013, have payments of the same orders, open ones among them. It is migrated once as it is, then as often as
asked, each time killed (SIGKILL) after another statement or commit and migrated again: what comes out must be the same.
PostgreSQL is started in a temporary folder; `--url` is of a database of an own server beside which others are made.
"""

import argparse
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, inspect, make_url, text
from sqlalchemy.engine import Engine

from bridge.selftest import fill_database
from bridge.selftest.postgresql import PostgreSql, drop_database, new_database
from bridge.storage import Database, migrate

BEFORE = "0012"
NOW = 1_790_000_000.0
TWICE = 20
"""Every so many payments of the first entry, the second one has a payment of the same order."""
VOLATILE = {
    *(("shops", "created"), ("shop_history", "at"), ("shop_history", "id")),
    *(("journal", "at"), ("journal", "id"), ("intents", "updated")),
}
"""When it was migrated, and numbers of lines, which PostgreSQL counts on after a rollback. All else is the same."""
SECOND = """
insert into stores (id, url, identity, consumer_key, consumer_secret, adapter, settings, options, capture, live,
    awaits_reconcile, created, updated)
select 'second', url, identity, consumer_key, consumer_secret, adapter, settings, options, capture, live,
    awaits_reconcile, created + 1, updated
from stores where id = 'shop-1'
"""
OF_HOST = """
insert into stores (id, url, identity, consumer_key, consumer_secret, adapter, settings, options, capture, live,
    awaits_reconcile, created, updated)
select 'host-' || i, 'https://host.example', 'https://host.example', '', '', adapter, settings, options, capture, live,
    awaits_reconcile, created + 1, updated
from stores cross join (select 1 as i union all select 2) as numbers where id = 'shop-1'
"""
COLUMNS = """adapter, live, order_id, order_number, order_key, amount, currency, customer, payment_method,
    requested_payment_method, channel, capture, status, unknown, holding, metadata, flag, order_read, look_at"""
RIVALS = f"""
insert into intents (id, public_id, store_id, {COLUMNS}, created, updated)
select 'rival-' || order_id, 'pi_rival_' || order_id, 'second', {COLUMNS}, created + 60, updated + 60
from intents where store_id = 'shop-1' and holding and (order_id % :twice = 0 or status = 'requires_action')
"""
OF_TENANTS = f"""
insert into intents (id, public_id, store_id, {COLUMNS}, created, updated)
select 'host-' || i || '-' || order_id, 'pi_host_' || i || '_' || order_id, 'host-' || i, {COLUMNS}, created, updated
from intents cross join (select 1 as i union all select 2) as numbers
where store_id = 'shop-1' and holding and order_id % :twice = 1
"""


@dataclass(frozen=True)
class Trial:
    """What was found. `seconds` is how long the whole migration took; `points` are its statements and commits; `killed`
    after which of them it was, and `wrong` those after which something else came out."""

    payments: int
    rivals: int
    seconds: float
    points: int
    killed: list[int]
    wrong: list[int]


HOLDING = "select count(*) from intents where holding"
NewUrl = Callable[[], str]
Copy = Callable[[str], str]


def trial(payments: int, kills: int, new_url: NewUrl, copy: Copy) -> Trial:
    """`new_url` makes an empty database, `copy` one with what another has."""
    before = fill(new_url(), payments)
    whole = copy(before)
    began = time.monotonic()
    points = passed(whole, 0)
    seconds = time.monotonic() - began
    check(whole, count(before, HOLDING))
    wanted = digest(whole)
    killed = sorted({1 + number * (points - 1) // max(kills - 1, 1) for number in range(kills)})
    return Trial(
        payments=count(whole, "select count(*) from intents"),
        rivals=count(whole, "select count(*) from intents where rival > 0"),
        seconds=seconds,
        points=points,
        killed=killed,
        wrong=[point for point in killed if not _comes_out(copy(before), point, wanted)],
    )


def fill(url: str, payments: int) -> str:
    """A database of the version before, as a bridge that has served many stores for a year would have it."""
    upgrade(url, BEFORE)
    database = Database(url)
    fill_database.fill(database, max(payments // 100, 10), payments, NOW, shops=False)
    with database.write() as connection:
        for statement in (SECOND, OF_HOST):
            connection.execute(text(statement))
        for statement in (RIVALS, OF_TENANTS):
            connection.execute(text(statement), {"twice": TWICE})
    database.close()
    return url


def upgrade(url: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "bridge:storage/migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine(make_url(url))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def passed(url: str, point: int) -> int:
    """Migrate in a process of its own, which is killed at that point (0: never); how many it passed, -1 if killed."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(readable)
            os.write(writable, str(_migrate(url, point)).encode())
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as told:
        said = told.read()
    os.waitpid(child, 0)
    return int(said or -1)


def check(url: str, holding: int) -> None:
    """The rules that the migration has to keep: so many payments were `holding` their orders. Raises AssertionError."""
    assert count(url, HOLDING) == holding, "nothing lets go of its order"
    rules = {
        "every payment has its entry's shop": "select count(*) from intents join stores on stores.id = store_id"
        " where intents.shop_id <> stores.shop_id or intents.shop_id = ''",
        "an entry of the same address is one of the same shop": "select count(*) from stores a join stores b"
        " on a.identity = b.identity and a.shop_id <> b.shop_id where a.consumer_key <> ''",
        "tenants of a host are apart": "select count(*) from stores a join stores b on a.shop_id = b.shop_id"
        " where a.id = 'host-1' and b.id = 'host-2'",
        "whoever holds an order beside another is flagged": "select count(*) from intents r join intents f"
        " on r.shop_id = f.shop_id and r.live = f.live and r.order_id = f.order_id and r.order_key = f.order_key"
        " and r.id <> f.id where r.holding and f.holding and r.flag = ''",
    }
    for rule, broken in rules.items():
        assert count(url, broken) == 0, rule


def count(url: str, query: str) -> int:
    engine = create_engine(make_url(url))
    with engine.connect() as connection:
        found = int(connection.execute(text(query)).scalar_one())
    engine.dispose()
    return found


def digest(url: str) -> str:
    """Of every table's columns, indexes and rows, but for the time of the migration."""
    engine, told = create_engine(make_url(url)), hashlib.sha256()
    with engine.connect() as connection:
        for line in _contents(connection):
            told.update(line.encode())
    engine.dispose()
    return told.hexdigest()


def _contents(connection: Connection) -> Iterator[str]:
    look = inspect(connection)
    for table in sorted(look.get_table_names()):
        names = [column["name"] for column in look.get_columns(table)]
        indexes = [
            (str(index["name"]), index["column_names"], bool(index["unique"])) for index in look.get_indexes(table)
        ]
        yield f"{table} {names} {sorted(indexes)}"
        kept = [name for name in names if (table, name) not in VOLATILE]
        if kept:
            columns = ", ".join(f'"{name}"' for name in kept)
            query = text(f'select {columns} from "{table}"').execution_options(stream_results=True)
            yield from sorted(str(tuple(row)) for row in connection.execute(query))


def _migrate(url: str, point: int) -> int:
    reached = 0

    def reach(*_: object) -> None:
        nonlocal reached
        reached += 1
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("after_cursor_execute", "commit"):
        event.listen(Engine, name, reach)
    migrate(url)
    return reached


def _comes_out(url: str, point: int, wanted: str) -> bool:
    return passed(url, point) == -1 and passed(url, 0) > 0 and digest(url) == wanted


def _copy_sqlite(folder: Path) -> tuple[NewUrl, Copy]:
    made = iter(range(1_000_000))

    def new_url() -> str:
        return f"sqlite:///{folder / str(next(made))}.sqlite"

    def copy(url: str) -> str:
        fresh = new_url()
        shutil.copy(url.removeprefix("sqlite:///"), fresh.removeprefix("sqlite:///"))
        return fresh

    return new_url, copy


def _copy_postgresql(admin_url: str, stack: ExitStack) -> tuple[NewUrl, Copy]:
    def made(url: str) -> str:
        stack.callback(drop_database, url)
        return url

    def copy(url: str) -> str:
        return made(new_database(admin_url, template=str(make_url(url).database)))

    return lambda: made(new_database(admin_url)), copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--url", help="of a database of a PostgreSQL server of your own")
    wanted = parser.parse_args()
    with ExitStack() as stack:
        if wanted.database == "sqlite":
            new_url, copy = _copy_sqlite(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        else:
            admin = wanted.url or stack.enter_context(PostgreSql()).new_url()
            new_url, copy = _copy_postgresql(admin, stack)
        found = trial(wanted.payments, wanted.kills, new_url, copy)
    print(
        f"{wanted.database}: {found.payments} payments, {found.rivals} beside another one, migrated in "
        f"{found.seconds:.1f} s; killed after {', '.join(map(str, found.killed))} of {found.points} steps"
    )
    if found.wrong:
        sys.exit(f"something else came out after {found.wrong}")


if __name__ == "__main__":
    main()
