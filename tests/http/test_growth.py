"""What a store looks up costs the same however much it has sold; what cannot is refused before it costs too much.

SQLite counts the steps that it takes: no clock, and no other load, has a part in it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from bridge.reports.lists import MAX_READ_LINES
from bridge.selftest.fill_database import fill
from tests.http.conftest import Door, MakeDoor, make_pairs
from tests.http.payments import PAYMENTS, listed, pay
from tests.plugins.databases import Migrate

FEW, MANY = 400, 8000
"""Payments, of which half are the store's."""
SAME = 1.5
"""How many times the steps with FEW payments it may take with MANY."""
LEAST = 400
"""Steps that are not worth comparing."""
ONE = 280
"""A payment of the store's, which was sent back and disputed in part."""
LOOK_UPS = (
    f"payment_intents/pi_{ONE}",
    "payment_intents/pi_none",
    f"charges/ch_{ONE}",
    "charges/ch_none",
    f"timeline/pi_{ONE}",
    f"timeline/{ONE}",
    "transactions",
    "transactions?direction=asc&pagesize=100",
    "transactions?page=3",
    "transactions?type_is=refund&pagesize=2",
    "transactions?type_is_not=charge&pagesize=2",
    "transactions?type_is=dispute&pagesize=2",
    "transactions?type_is=dispute_reversal&pagesize=2",
    f"transactions?order_id={ONE}",
    f"transactions?order_id={ONE}&sort=amount",
    f"transactions?match=any&order_id={ONE}&search=ch_{ONE}",
    "transactions?order_id=999999",
    f"transactions?search=Order%20%23{ONE}",
    f"transactions?search=ch_{ONE}&sort=customer_name",
    f"transactions?search[]=re_{ONE}&search[]=txn_{ONE}&search[]=dp_{ONE}&search[]=pi_{ONE}",
    f"transactions/summary?order_id={ONE}",
    f"transactions/summary?search=pi_{ONE}",
    f"transactions/txn_{ONE}",
    f"transactions/re_{ONE}",
    f"transactions/dp_{ONE}",
    "transactions/none",
    f"authorizations/pi_{ONE}",
)
COMMANDS = (
    ("why", f"pi_{ONE}"),
    ("why", f"{ONE}"),
    ("why", "#A-1"),
    ("why", f"attempt-{ONE}"),
    ("settle", f"pi_{ONE}", "--as", "not-paid", "--reason", "x"),
    ("flags", "clear", f"pi_{ONE}", "--reason", "x"),
    ("flags", "list", "--order", f"{ONE}"),
)

Ask = Callable[[Door], object]


@contextmanager
def counted() -> Iterator[list[int]]:
    """Steps of all SQLite connections that are opened meanwhile."""
    steps = [0]

    def step() -> None:
        steps[0] += 10

    def watch(connection: Any, _record: Any) -> None:
        connection.set_progress_handler(step, 10)

    event.listen(Engine, "connect", watch)
    yield steps
    event.remove(Engine, "connect", watch)


def filled(make_door: MakeDoor, migrate: Migrate, folder: Path, payments: int) -> Door:
    """A door to the store that has half of so many payments; without statistics, as SQLite is in life."""
    url = f"sqlite:///{folder / f'{payments}.db'}"
    migrate(url)
    door = make_door(database_url=url)
    database = door.bridge.services.database
    fill(database, 20, payments, door.clock())
    own = "(select {0} from stores where id = :own)"
    columns = ("consumer_key", "consumer_secret", "settings", "options")
    with database.write() as connection:
        copied = ", ".join(f"{name} = {own.format(name)}" for name in columns)
        connection.execute(text(f"update stores set {copied} where id = 'shop-1'"), {"own": door.store.id})
        connection.execute(text("delete from sqlite_stat1"))
    database.close()
    return replace(door, store=replace(door.store, id="shop-1"), pairs=make_pairs(door.bridge, "shop-1"))


def look(path: str, door: Door) -> object:
    answer = door.get(f"{PAYMENTS}/{path}")
    return answer.status_code, len(answer.json.get("data") or [])


def refund(door: Door) -> object:
    return door.post(f"{PAYMENTS}/refund", json={"charge_id": f"ch_{ONE}", "amount": 1}).status_code


def command(words: tuple[str, ...], door: Door) -> object:
    told = door.app.test_cli_runner().invoke(args=["bridge", *words])
    assert isinstance(told.exception, SystemExit | None), told.exception
    return told.exit_code, len(told.output)


def test_what_a_store_looks_up_costs_the_same_however_much_it_has_sold(
    make_door: MakeDoor, migrate: Migrate, tmp_path: Path
) -> None:
    asks: dict[str, Ask] = {path: partial(look, path) for path in LOOK_UPS}
    asks |= {" ".join(words): partial(command, words) for words in COMMANDS}
    asks["refund"] = refund
    taken: dict[str, list[int]] = {name: [] for name in asks}
    answers: dict[str, list[object]] = {name: [] for name in asks}
    for payments in (FEW, MANY):
        with counted() as steps:
            door = filled(make_door, migrate, tmp_path, payments)
            for name, ask in asks.items():
                ask(door)  # the first one opens connections
                before = steps[0]
                answers[name].append(ask(door))
                taken[name].append(steps[0] - before)
    assert {name: said for name, said in answers.items() if said[0] != said[1]} == {}
    few_and_many = {name: (few, many) for name, (few, many) in taken.items() if many > max(few * SAME, LEAST)}
    assert few_and_many == {}


PLENTY = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < :count)
insert into charges (store_id, id, intent_id, amount, amount_captured, amount_refunded, status, captured,
    balance_transaction, payment_method_type, created)
select store_id, 'ch_plenty_' || n.i, intent_id, 1000 + n.i % 7, 1000 + n.i % 7, 0, status, captured,
    'txn_plenty_' || n.i, payment_method_type, charges.created - n.i
from n cross join charges where charges.id = :charge
"""
REFUSED = (
    "transactions?sort=amount",
    "transactions?sort=customer_name&direction=asc",
    "transactions?channel_is=in_person",
    "transactions?customer_country_is=at",
    "transactions?risk_level_is=2&date_after=2020-01-01",
    "transactions?search=nobody",
    "transactions?match=any&order_id=20&channel_is=online",
    f"transactions?page={MAX_READ_LINES // 100 + 1}&pagesize=100",
    "transactions/summary",
    "transactions/summary?type_is=charge",
    "transactions/summary?date_after=2020-01-01",
)
ANSWERED = {
    "transactions": 25,
    f"transactions?page={MAX_READ_LINES // 100}&pagesize=100": 100,
    "transactions?type_is=charge": 25,
    "transactions?type_is=refund&sort=amount": 1,
    "transactions?date_after=2026-09-21T14:13:15&sort=amount&direction=asc": 8,
    "transactions?search=Order%20%2320&sort=amount": 25,
    "transactions?search=ch_plenty_7": 1,
    "transactions?date_before=2020-01-01&channel_is=in_person": 0,
    "transactions?type_is=transfer&sort=amount": 0,
}


def test_what_would_read_too_much_is_refused_with_what_to_do(make_door: MakeDoor, database_url: str) -> None:
    door = make_door(database_url=database_url, error_status="precise")
    charge = pay(door, 20)["charge"]["id"]
    assert door.post(f"{PAYMENTS}/refund", json={"charge_id": charge, "amount": 1}).status_code == 200
    plenty = {"count": MAX_READ_LINES - 1, "charge": charge}
    with door.bridge.services.database.write() as connection:
        connection.execute(text(PLENTY), plenty)
    assert door.get(f"{PAYMENTS}/transactions/summary").json["count"] == MAX_READ_LINES + 1  # with the refund
    assert listed(door, "transactions?sort=amount")[0]["amount"] == 1023
    with door.bridge.services.database.write() as connection:
        connection.execute(text(PLENTY.replace("ch_plenty_", "ch_one_")), plenty | {"count": 2})
    refused = {path: door.get(f"{PAYMENTS}/{path}") for path in REFUSED}
    assert {path: (answer.status_code, answer.json["code"]) for path, answer in refused.items()} == dict.fromkeys(
        REFUSED, (400, "wcpay_bad_request")
    )
    assert refused["transactions/summary"].json["message"] == (
        "Error: More than 100,000 transactions would have to be read for that: choose fewer by date_between, or by "
        "order_id."
    )
    assert {path: len(listed(door, path)) for path in ANSWERED} == ANSWERED
    of_late = door.get(f"{PAYMENTS}/transactions/summary?date_after=2026-09-21T14:13:15").json
    assert (of_late["count"], of_late["total"]) == (
        8,
        1023 + sum(1000 + i % 7 for i in range(1, 5)) + 1001 + 1002 - 1,
    )


def test_an_id_that_is_searched_for_finds_just_that(door: Door) -> None:
    paid = pay(door, 20)
    charge = paid["charge"]["id"]
    pay(door, 21, billing=replace(door.shelf.orders[20].billing, last_name=charge))
    assert [row["order_id"] for row in listed(door, f"transactions?search={charge}")] == [20]
    assert [row["order_id"] for row in listed(door, f"transactions?search={charge}&search[]=doe")] == [20]
    assert [row["order_id"] for row in listed(door, f"transactions?search={charge[:-1]}")] == [21]


@pytest.mark.parametrize("number", ["#12", "#A 12"])
def test_a_number_with_a_hash_is_searched_for_as_it_is(door: Door, number: str) -> None:
    pay(door, 20, number=number.replace(" ", ""))
    pay(door, 12)
    found = listed(door, f"transactions?search=Order%20%23{number.replace(' ', '').replace('#', '%23')}")
    assert [row["order_id"] for row in found] == [20]
