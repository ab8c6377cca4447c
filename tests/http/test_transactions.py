"""Charges, refunds and disputes as one list: shapes, filters, pages, sums, suggestions."""

import re
from typing import Any

import pytest

from tests.http.conftest import Door, MakeDoor
from tests.http.payments import PAYMENTS, capture_by_hand, fill, listed, look, pages, pay, sandbox

TRANSACTION = [
    "transaction_id",
    "date",
    "type",
    "channel",
    "source",
    "source_identifier",
    "customer_name",
    "customer_email",
    "customer_country",
    "amount",
    "fees",
    "net",
    "currency",
    "customer_amount",
    "customer_currency",
    "charge_id",
    "risk_level",
    "deposit_id",
    "deposit_status",
    "available_on",
    "exchange_rate",
    "amount_in_usd",
    "loan_id",
    "source_device",
    "order_id",
    "order",
    "payment_intent_id",
]


@pytest.fixture
def busy(make_door: MakeDoor, database_url: str) -> Door:
    return fill(make_door(database_url=database_url))


def test_charges_refunds_and_disputes_are_transactions(door: Door) -> None:
    created = pay(door, 20)
    assert door.post(f"{PAYMENTS}/refund", json={"order_id": 20, "amount": 300}).status_code == 200
    door.clock.advance(60)
    sandbox(door).dispute(created["id"])
    look(door, created["id"])
    rows = listed(door, "transactions")
    assert [list(row) for row in rows] == [TRANSACTION] * 3
    assert [(row["type"], row["amount"], row["net"]) for row in rows] == [
        ("dispute", -723, -723),
        ("refund", -300, -300),
        ("charge", 1023, 1023),
    ]
    assert [row["date"] for row in rows] == ["2026-09-21 14:15:20", "2026-09-21 14:14:20", "2026-09-21 14:13:20"]
    assert {row["payment_intent_id"] for row in rows} == {created["id"]}
    assert {row["charge_id"] for row in rows} == {created["charge"]["id"]}
    assert rows[2]["order"] == {
        "number": "20",
        "url": "https://shop.example/wp-admin/admin.php?page=wc-orders&action=edit&id=20",
        "customer_url": None,
        "customer_name": "John Doe",
        "customer_email": "random.email@example.com",
        "subscriptions": [],
        "fraud_meta_box_type": "",
    }
    for row in rows:
        assert door.get(f"{PAYMENTS}/transactions/{row['transaction_id']}").json == row
    assert door.get(f"{PAYMENTS}/transactions/{created['charge']['id']}").json == rows[2]


def test_t4_a_transaction_has_the_members_that_nobody_knows_here(door: Door) -> None:
    pay(door, 20)
    pay(door, 21, currency="JPY", total="500")
    yen, dollars = listed(door, "transactions")
    for row in (yen, dollars):
        unknown = ("exchange_rate", "loan_id", "source_device", "deposit_id", "deposit_status")
        assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)
        assert row["available_on"] == ""
        assert row["order"]["subscriptions"] == []
    assert (dollars["amount_in_usd"], yen["amount_in_usd"]) == (1023, None)


def test_a_dispute_that_was_won_gives_the_money_back(door: Door) -> None:
    created = pay(door, 20)
    sandbox(door).dispute(created["id"])
    look(door, created["id"])
    assert door.get(f"{PAYMENTS}/transactions/summary").json["total"] == 0
    door.clock.advance(60)
    sandbox(door).close_dispute(created["id"], "won")
    look(door, created["id"])
    rows = listed(door, "transactions")
    assert [(row["type"], row["amount"], row["date"]) for row in rows] == [
        ("dispute_reversal", 1023, "2026-09-21 14:15:20"),
        ("dispute", -1023, "2026-09-21 14:14:20"),
        ("charge", 1023, "2026-09-21 14:13:20"),
    ]
    assert door.get(f"{PAYMENTS}/transactions/{rows[0]['transaction_id']}").json == rows[0]
    assert door.get(f"{PAYMENTS}/transactions/summary").json["total"] == 1023


def test_what_moved_no_money_is_no_transaction(door: Door) -> None:
    pay(door, 20, payment_method="pm_card_authenticationRequired")
    door.shelf.put(21)
    assert door.create(body={"order_id": 21, "payment_method": "pm_card_chargeDeclined"}).status_code == 500
    inquiry = pay(door, 22, payment_method="pm_card_createDisputeInquiry")
    look(door, inquiry["id"])
    capture_by_hand(door)
    pay(door, 23)
    assert [row["order_id"] for row in listed(door, "transactions")] == [22]
    missing = door.get(f"{PAYMENTS}/transactions/txn_none")
    assert (missing.status_code, missing.json) == (
        500,
        {"code": "resource_missing", "message": "Error: No such transaction: 'txn_none'", "data": None},
    )


def found(door: Door, query: str) -> list[tuple[str, int]]:
    return [(row["type"], row["order_id"]) for row in listed(door, f"transactions?{query}")]


ALL = [("refund", 20), ("charge", 23), ("charge", 22), ("charge", 21), ("charge", 20)]
CHOSEN = [
    ("", ALL),
    ("direction=asc", ALL[::-1]),
    ("type_is=charge", ALL[1:]),
    ("type_is=refund,dispute", ALL[:1]),
    ("type_is[]=refund&type_is[]=charge", ALL),
    ("type_is_not=charge", ALL[:1]),
    ("type_is=transfer", []),
    ("order_id=20", [ALL[0], ALL[4]]),
    ("order_id=20&type_is=charge", ALL[4:]),
    ("order_id=20&type_is=charge&match=all", ALL[4:]),
    ("order_id=20&type_is=charge&match=any", ALL),
    ("customer_currency_is=jpy", [("charge", 22)]),
    ("store_currency_is=JPY", [("charge", 22)]),
    ("customer_currency_is_not=usd", [("charge", 22)]),
    ("customer_country_is=ca", [("charge", 21)]),
    ("customer_country_is_not=CA,FR", [each for each in ALL if each[1] != 21]),
    ("channel_is=online", ALL),
    ("channel_is=in_person", []),
    ("channel_is_not=in_person", ALL),
    ("risk_level_is=0", ALL),
    ("risk_level_is_not=0", []),
    ("risk_level_is=high", []),
    ("date_before=2026-09-21", ALL[4:]),
    ("date_after=2026-09-24", ALL[:2]),
    ("date_after=2026-09-24T14:13:20", ALL[:1]),
    ("date_after=2026-09-24T14:13:20Z", ALL[:1]),
    ("date_after=2026-09-24T16:13:20%2B02:00", ALL[:1]),
    ("date_after=2026-09-24+16:13:19&user_timezone=%2B02:00", ALL[:2]),
    ("date_after=2026-09-24+16:13:20&user_timezone=+02:00", ALL[:1]),
    ("date_between=2026-09-22,2026-09-23", [("charge", 22), ("charge", 21)]),
    ("date_between[]=2026-09-22+14:13:20&date_between[]=2026-09-22+14:13:20", [("charge", 21)]),
    ("search=jane", [("charge", 21)]),
    ("search=JANE_ROE@", [("charge", 21)]),
    ("search=janexroe", []),
    ("search=%25", []),
    ("search[]=jane&search[]=Order+%2322", [("charge", 22), ("charge", 21)]),
    ("search=order+%2320", [ALL[0], ALL[4]]),
    ("search=Order+%23A-23", [("charge", 23)]),
    ("search=Order+%2399999999999999999999", []),
    ("search=%00", ALL),
    ("sort=amount", [("charge", 21), ("charge", 20), ("charge", 23), ("charge", 22), ("refund", 20)]),
    ("sort=net&direction=asc&pagesize=1", ALL[:1]),
    ("sort=customer_currency&pagesize=1", [("refund", 20)]),
    ("sort=customer_currency&direction=asc&pagesize=1", [("charge", 22)]),
    ("page=2&pagesize=3", ALL[3:]),
    ("page=3&pagesize=3", []),
]


def test_transactions_are_chosen_sorted_and_paged(busy: Door) -> None:
    assert {query: found(busy, query) for query, _ in CHOSEN} == dict(CHOSEN)


def test_search_finds_ids(busy: Door) -> None:
    row = listed(busy, "transactions?order_id=21")[0]
    for name in ("transaction_id", "charge_id", "payment_intent_id"):
        assert found(busy, f"search={row[name]}") == [("charge", 21)]


def test_the_summary_counts_what_the_same_filters_let_through(busy: Door) -> None:
    answer = busy.get(f"{PAYMENTS}/transactions/summary").json
    assert list(answer) == ["count", "currency", "total", "fees", "net", "store_currencies", "customer_currencies"]
    assert answer == {
        "count": 5,
        "currency": "usd",
        "total": 3500,
        "fees": 0,
        "net": 3500,
        "store_currencies": ["usd", "jpy"],
        "customer_currencies": ["usd", "jpy"],
    }
    of_one = busy.get(f"{PAYMENTS}/transactions/summary?order_id=20").json
    assert (of_one["count"], of_one["total"], of_one["store_currencies"]) == (2, 900, ["usd"])
    of_none = busy.get(f"{PAYMENTS}/transactions/summary?order_id=99").json
    assert (of_none["count"], of_none["total"], of_none["currency"]) == (0, 0, None)


SUGGESTIONS = {
    "doe": ["John Doe (random.email@example.com)"],
    "example.com": ["Jane Roe (jane_roe@example.com)", "John Doe (random.email@example.com)"],
    "20": ["Order #20"],
    "A-23": ["Order #A-23"],
    "nobody": [],
    "": [],
    "%20": [],
    "%00": [],
    "%25": [],
}


def test_suggestions_name_orders_and_customers(busy: Door) -> None:
    for term, labels in SUGGESTIONS.items():
        answer = busy.get(f"{PAYMENTS}/transactions/search?search_term={term}")
        assert (answer.status_code, answer.json) == (200, [{"label": label} for label in labels]), term
    assert busy.get(f"{PAYMENTS}/transactions/search").json == []


def test_pages_fit_together_though_all_lines_look_alike(make_door: MakeDoor, database_url: str) -> None:
    door = make_door(database_url=database_url)
    for order in range(20, 27):
        door.shelf.put(order)
        assert door.create(body={"order_id": order}).status_code == 200
        assert door.post(f"{PAYMENTS}/refund", json={"order_id": order, "amount": 1}).status_code == 200
    for sort in ("date", "amount", "fees", "currency", "customer_name"):
        for direction in ("asc", "desc"):
            query = f"transactions?sort={sort}&direction={direction}"
            whole = [row["transaction_id"] for row in listed(door, f"{query}&pagesize=100")]
            assert len(set(whole)) == 14
            for size in (3, 5):
                assert [row["transaction_id"] for page in pages(door, query, size) for row in page] == whole


def test_no_look_up_reads_a_whole_table(door: Door) -> None:
    """What other stores have must not make ours slower."""
    fill(door)
    database = door.bridge.services.database
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, statement: str, parameters: Any) -> None:
        seen.append((statement, parameters))

    before = database.watchers
    database.watchers = [*before, note]
    created = listed(door, "transactions?order_id=20")[0]
    for path in (
        "authorizations",
        "authorizations/summary",
        f"authorizations/{created['payment_intent_id']}",
        "transactions?search=doe&type_is=charge&sort=amount",
        "transactions/summary",
        "transactions/search?search_term=20",
        f"transactions/{created['transaction_id']}",
        f"charges/{created['charge_id']}",
        "charges/order/20",
        f"timeline/{created['payment_intent_id']}",
        "timeline/20",
    ):
        assert door.get(f"{PAYMENTS}/{path}").status_code in (200, 500)
    database.watchers = before
    statements = {statement: parameters for statement, parameters in seen if statement.startswith("SELECT")}
    assert len(statements) > 10
    with database.engine.connect() as connection:
        for statement, parameters in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            scans = [row[3] for row in plan if re.match(r"SCAN (?!anon_)", row[3])]
            assert scans == [], statement
