"""What is asked often is found by an index that has just that, however much a store has sold: SQLite says how.

And the means that explain every statement of a test run (tests/plugins/plans.py) refuse what they should.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.storage import Connection, intents, reports, transaction_filters
from bridge.storage.compiled import Watcher
from bridge.storage.engine import Database
from bridge.storage.reports import Page
from tests.plugins.databases import Server
from tests.plugins.local import Local
from tests.plugins.plans import RECORDER, Asked, Explainer, explainers, refusals
from tests.plugins.statements import watched

NEWEST = Page(1, 25, "at", descending=True)

QUESTIONS: dict[str, tuple[Callable[[Connection], Any], set[str]]] = {
    "what waits to be captured": (
        lambda connection: reports.authorizations(connection, "shop", NEWEST),
        {"ix_intents_authorized (store_id=?)", "ix_charges_intent_id (intent_id=?)"},
    ),
    "its sums": (
        lambda connection: reports.authorized_sums(connection, "shop"),
        {"ix_intents_authorized (store_id=?)", "ix_charges_intent_id (intent_id=?)"},
    ),
    "the newest transactions": (
        lambda connection: reports.transactions(connection, NEWEST, transaction_filters.choose(connection, "shop", {})),
        {"ix_charges_created (store_id=?)", "ix_refunds_created (store_id=?)", "ix_disputes_created (store_id=?)"},
    ),
    "a transaction": (
        lambda connection: reports.transaction(connection, "shop", "txn_1"),
        {"ix_charges_balance_transaction (store_id=? AND balance_transaction=?)"},
    ),
    "customers of the newest charges": (
        lambda connection: reports.customers(connection, "shop", "doe", 20, 10_000),
        {"ix_charges_created (store_id=?)"},
    ),
    "an order's intents": (
        lambda connection: intents.of_order(connection, "shop", 12),
        {"ix_intents_order (order_id=? AND shop_id=?)"},
    ),
    "the ids of an order's intents": (
        lambda connection: reports.intents_of_order(connection, "shop", 12),
        {"ix_intents_order (order_id=? AND shop_id=?)"},
    ),
    "what an owner calls by an order's number": (
        lambda connection: intents.named(connection, "A-23"),
        {"ix_intents_number (order_number=?)"},
    ),
    "what an owner calls by an order's id": (
        lambda connection: intents.named(connection, "12"),
        {"ix_intents_number (order_number=?)", "ix_intents_order (order_id=?)"},
    ),
    "an order's intents in every store": (
        lambda connection: intents.of_order_everywhere(connection, 12),
        {"ix_intents_order (order_id=?)"},
    ),
}


def test_customers_are_searched_among_the_newest_charges(local: Local) -> None:
    for order, name in enumerate(("Ann", "Bob", "Cid"), 2):
        local.shop.update_order(local.orders[f"payable_{order}"], billing={"first_name": name, "last_name": "Roe"})
        local.create(f"payable_{order}")
        local.clock.advance(1)
    with local.bridge.services.database.read() as connection:
        found = [name for name, _ in reports.customers(connection, local.store.id, "roe", 20, newest=2)]
    assert found == ["Bob Roe", "Cid Roe"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_has_its_index(sqlite_url: str, question: str) -> None:
    ask, wanted = QUESTIONS[question]
    asked: list[tuple[str, Any]] = []
    database = Database(sqlite_url)
    try:
        note: Watcher = lambda _connection, statement, values: asked.append((statement, values))  # noqa: E731
        with watched(database, note), database.read() as connection:
            ask(connection)
        with database.engine.connect() as explaining:
            plan = {
                step.detail.partition(" INDEX ")[2]
                for statement, values in asked
                for step in explaining.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            }
    finally:
        database.close()
    assert wanted <= plan


SCANS = {
    "states among the values": ("sqlite", "select id from attempts where state in (?, ?)", ("sent", "unknown")),
    "no index": ("sqlite", "select id from intents where order_number = ?", ("12",)),
    "every row": ("sqlite", "select name from jobs", ()),
    "in an update": ("sqlite", "update outbox set due = 0 where last_error = ?", ("x",)),
    "no index, ": ("postgresql", "select id from intents where order_number = %(a)s", {"a": "12"}),
    "every row, ": ("postgresql", "select count(*) from jobs", {}),
    "of the other table": (
        "postgresql",
        "select id from stores where id = 'a' or id in (select store_id from intents where order_number = %(a)s)",
        {"a": "12"},
    ),
}
FITTING = {
    "states in the text": ("sqlite", "select id from attempts where state in ('sent', 'unknown')", ()),
    "by a key": ("sqlite", "select id from intents where id = ?", ("intent-1",)),
    "what is under way": ("sqlite", "select status from intents where status not in ('canceled', 'succeeded')", ()),
    "by a key, ": ("postgresql", "select id from intents where id = %(a)s", {"a": "intent-1"}),
    "the first few": ("postgresql", "select id from stores order by id limit 5", {}),
    "what most rows are": ("postgresql", "select id from outbox where state = 'delivered' and delivered > 0", {}),
}


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[dict[str, Explainer]]:
    server = Server(postgres_server.admin_url, f"{postgres_server.prefix}-plans")
    with explainers(tmp_path_factory.mktemp("plans"), server) as found:
        yield found


@pytest.mark.parametrize("scan", SCANS)
def test_a_scan_of_a_table_that_grows_is_refused(explained: dict[str, Explainer], scan: str) -> None:
    dialect, statement, values = SCANS[scan]
    told = refusals([Asked(dialect, statement, values, "storage/x.py:y")], explained)
    assert told
    assert all(each.startswith(f"storage/x.py:y on {dialect}: ") for each in told)


@pytest.mark.parametrize("fitting", FITTING)
def test_what_an_index_answers_passes(explained: dict[str, Explainer], fitting: str) -> None:
    assert refusals([Asked(*FITTING[fitting], "storage/x.py:y")], explained) == []


def test_a_commands_list_may_read_everything_and_a_request_may_not(explained: dict[str, Explainer]) -> None:
    lists = Asked("sqlite", "select * from stores", (), "storage/stores.py:everything")
    assert refusals([lists], explained) == []
    assert refusals([Asked("sqlite", lists.statement, (), lists.by, in_request=True)], explained)


def test_what_the_product_asks_is_remembered(local: Local, request: pytest.FixtureRequest) -> None:
    local.create()
    asked = {each.by: each for each in request.config.stash[RECORDER].asked.values()}
    assert asked["storage/intents.py:add_intent"].in_request
    assert "storage/intents.py:add_attempt" in asked
    assert not any(by.startswith(("tests", "selftest", "simulators")) for by in asked)


PLANTED = """
from bridge.storage import stores
from bridge.storage.engine import Database

pytest_plugins = ["tests.plugins.shared", "tests.plugins.tools", "tests.plugins.databases", "tests.plugins.plans"]


def test_it_passes(sqlite_url):
    stores.everything.__code__ = stores.everything.__code__.replace(co_name="planted")
    database = Database(sqlite_url)
    with database.read() as connection:
        assert stores.everything(connection) == []
    database.close()
"""


def test_a_run_whose_tests_pass_fails_for_a_scan(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(PLANTED.partition("\n\n\n")[0])
    (tmp_path / "test_planted.py").write_text(PLANTED.replace("pytest_plugins = ", "_ = "))
    root = Path(__file__).parents[2]
    arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)]
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1, told.stdout + told.stderr
    assert "1 passed" in told.stdout
    assert "storage/stores.py:planted on sqlite: SCAN stores" in told.stdout
