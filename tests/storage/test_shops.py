"""A database of before shops becomes one with them: what is there is moved, and nothing lets go of its order."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from bridge.selftest.postgresql import drop_database, new_database
from bridge.storage import migrate
from tests.plugins.commandline import CommandLine

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "migration.py"
OF_BEFORE = """
insert into intents (id, store_id, adapter, live, order_id, order_number, order_key, amount, currency, channel,
    customer, payment_method, requested_payment_method, capture, status, unknown, holding, metadata, flag, order_read,
    created, updated)
values (:id, :store, 'sandbox', false, 9999, '9999', 'k', 1, 'USD', 'online', 'c', 'p', 'p', 'automatic', 'succeeded',
    false, true, '{}', '', 0, 0, 0)
"""


@pytest.fixture(scope="module")
def migration() -> Any:
    """The command's own functions."""
    spec = importlib.util.spec_from_file_location("benchmarks_migration", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'before.sqlite'}"
        return
    url = new_database(request.getfixturevalue("postgres_server").admin_url)
    yield url
    drop_database(url)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_migration_that_is_killed_anywhere_comes_out_as_one_that_was_not(
    request: pytest.FixtureRequest, database: str
) -> None:
    """A slice of what the command does with 100,000 payments."""
    url = ["--url", request.getfixturevalue("postgres_server").admin_url] if database == "postgresql" else []
    wanted = ["--payments", "300", "--kills", "5", "--database", database, *url]
    ran = subprocess.run([sys.executable, str(PROGRAM), *wanted], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{database}: 3" in ran.stdout
    assert " 0 beside another one" not in ran.stdout


def test_payments_of_one_order_through_two_entries_both_hold_it_and_name_each_other(
    migration: Any, empty_url: str
) -> None:
    migration.fill(empty_url, 300)
    holding = migration.count(empty_url, migration.HOLDING)
    migrate(empty_url)
    migration.check(empty_url, holding)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        query = "select store_id, status, rival, flag from intents where order_id = :order order by rival"
        twice = connection.execute(text(query), {"order": 240}).all()
        entries = ("shop-1", "second")
        waiting = [row for row in connection.execute(text(query), {"order": 241}) if row.store_id in entries]
        words = connection.execute(text("select who, what from shop_history where store_id = 'second'")).all()
    engine.dispose()
    assert [(row.store_id, row.status, row.rival) for row in twice] == [
        ("shop-1", "succeeded", 0),
        ("second", "succeeded", 1),
    ]
    assert twice[0].flag == (
        "paid twice: Order 240 has another payment: pi_rival_240 through the entry second. Send one back."
    )
    assert [row.status for row in waiting] == ["requires_action"] * 2
    assert waiting[1].flag == "order: Order 241 has another payment: pi_241 through the entry shop-1."
    assert words == [("migration 0013", "found")]


def test_orders_that_were_paid_within_a_month_are_looked_at_after_an_upgrade(migration: Any, empty_url: str) -> None:
    migration.fill(empty_url, 300)
    migrate(empty_url)
    engine = create_engine(empty_url)
    with engine.connect() as connection:
        month = "created > (select max(created) from intents) - 30 * 86400.0"
        query = "select count(*) from intents where {} and (order_due is not null) <> (status = 'succeeded' and {})"
        wrong = connection.execute(text(query.format("true", month))).scalar()
        due = connection.execute(text("select count(*) from intents where order_due = 0")).scalar()
        late = connection.execute(text("select count(*) from jobs where name like 'sweep:%' and due > 0")).scalar()
    engine.dispose()
    assert (wrong, late) == (0, 0)
    assert due


def test_the_command_names_payments_of_one_order(migration: Any, cli: CommandLine, tmp_path: Path) -> None:
    url = migration.fill(f"sqlite:///{tmp_path / 'before.sqlite'}", 300)
    cli.environ["BRIDGE_DATABASE_URL"] = url
    cli.environ["BRIDGE_SECRET_KEY"] = "k" * 40
    for _ in range(2):
        told = cli.run("migrate").stderr
        assert "payments hold an order beside one of another entry of their shop: wcpay-bridge flags list" in told


def test_a_process_of_the_version_before_that_was_forgotten_can_hold_nothing(postgres_url: str) -> None:
    """It would hold the order for its entry alone."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("insert into shops (id, created) values ('s', 0)"))
        connection.execute(
            text(
                "insert into stores (id, shop_id, url, identity, consumer_key, consumer_secret, adapter, settings,"
                " options, capture, live, created, updated)"
                " values ('a', 's', 'u', 'u', '', '', 'sandbox', '{}', '{}', 'automatic', false, 0, 0)"
            )
        )
    with pytest.raises(IntegrityError, match="shop_id"), engine.begin() as connection:
        connection.execute(text(OF_BEFORE), {"id": "1", "store": "a"})
    engine.dispose()
