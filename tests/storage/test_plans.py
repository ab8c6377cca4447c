"""What is asked often is found by an index that has just that, however much a store has sold: SQLite says how."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bridge.storage import intents, reports
from bridge.storage.engine import Database
from bridge.storage.reports import Page
from tests.plugins.local import Local

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
        lambda connection: reports.transactions(connection, "shop", NEWEST, {}),
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
        {"ix_intents_order (order_id=? AND store_id=?)"},
    ),
    "the ids of an order's intents": (
        lambda connection: reports.intents_of_order(connection, "shop", 12),
        {"ix_intents_order (order_id=? AND store_id=?)"},
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
        with database.read() as connection:

            def remember(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
                asked.append((statement, values))

            event.listen(connection, "before_cursor_execute", remember)
            ask(connection)
            event.remove(connection, "before_cursor_execute", remember)
            plan = {
                step.detail.partition(" INDEX ")[2]
                for statement, values in asked
                for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            }
    finally:
        database.close()
    assert wanted <= plan
