"""The list of what waits to be captured, one of them, and their sum; and what every list refuses."""

import pytest

from tests.http.conftest import Door, MakeDoor
from tests.http.payments import PAYMENTS, capture_by_hand, listed, pay
from tests.payments.orders import at, authorized
from tests.plugins.local import MakeLocal

AUTHORIZATION = [
    "charge_id",
    "transaction_id",
    "amount",
    "net",
    "amount_captured",
    "amount_refunded",
    "is_captured",
    "created",
    "modified",
    "channel",
    "source",
    "source_identifier",
    "customer_name",
    "customer_email",
    "customer_country",
    "fees",
    "currency",
    "risk_level",
    "payment_intent_id",
    "refunded",
    "order_id",
    "outcome_type",
    "status",
]


def test_an_authorization_has_the_published_members(door: Door) -> None:
    capture_by_hand(door)
    created = pay(door, 20)
    [row] = listed(door, "authorizations")
    assert list(row) == AUTHORIZATION
    assert row == {
        "charge_id": created["charge"]["id"],
        "transaction_id": None,
        "amount": 1023,
        "net": 1023,
        "amount_captured": 0,
        "amount_refunded": 0,
        "is_captured": False,
        "created": "2026-09-21 14:13:30",
        "modified": "2026-09-21 14:13:30",
        "channel": "online",
        "source": "visa",
        "source_identifier": "4242",
        "customer_name": "John Doe",
        "customer_email": "random.email@example.com",
        "customer_country": "US",
        "fees": 0,
        "currency": "usd",
        "risk_level": 0,
        "payment_intent_id": created["id"],
        "refunded": False,
        "order_id": 20,
        "outcome_type": "authorized",
        "status": "succeeded",
    }
    for name in (created["id"], created["attempt_id"]):
        assert door.get(f"{PAYMENTS}/authorizations/{name}").json == row


def test_what_was_captured_is_no_longer_listed_but_still_found(door: Door) -> None:
    capture_by_hand(door)
    created = pay(door, 20)
    path = f"{PAYMENTS}/orders/20/capture_authorization"
    assert door.post(path, json={"payment_intent_id": created["id"]}).status_code == 200
    assert listed(door, "authorizations") == []
    found = door.get(f"{PAYMENTS}/authorizations/{created['id']}").json
    assert (found["is_captured"], found["amount_captured"]) == (True, 1023)
    assert found["transaction_id"].startswith("txn_")


def test_what_was_charged_at_once_is_no_authorization(door: Door) -> None:
    created = pay(door, 20)
    assert listed(door, "authorizations") == []
    answer = door.get(f"{PAYMENTS}/authorizations/{created['id']}")
    assert (answer.status_code, answer.json["code"], answer.json["data"]) == (500, "resource_missing", None)


def test_the_summary_of_authorizations_adds_up_one_currency_and_names_all(
    make_door: MakeDoor, database_url: str
) -> None:
    door = make_door(database_url=database_url)
    empty = {"count": 0, "currency": None, "total": 0, "all_currencies": []}
    assert door.get(f"{PAYMENTS}/authorizations/summary").json == empty
    capture_by_hand(door)
    pay(door, 20)
    pay(door, 21, currency="JPY", total="500")
    pay(door, 22, total="1.00")
    pay(door, 23, payment_method="pm_card_authenticationRequired")
    answer = door.get(f"{PAYMENTS}/authorizations/summary")
    assert list(answer.json) == ["count", "currency", "total", "all_currencies"]
    assert answer.json == {"count": 3, "currency": "usd", "total": 1123, "all_currencies": ["usd", "jpy"]}


def test_the_summary_of_authorizations_has_what_is_left_to_capture(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url, capture="manual", settings={"multicapture": "yes"})
    first, _ = authorized(local), authorized(local, "payable_2")
    assert at(local, "capture_authorization", "payable", first, amount=600).status_code == 200
    summary = {"count": 2, "currency": "usd", "total": 423 + 1023, "all_currencies": ["usd"]}
    assert local.get(f"{PAYMENTS}/authorizations/summary").get_json() == summary
    [row] = [each for each in local.get(f"{PAYMENTS}/authorizations").get_json()["data"] if each["amount_captured"]]
    assert (row["payment_intent_id"], row["amount"], row["amount_captured"]) == (first, 1023, 600)
    assert at(local, "capture_authorization", "payable", first).status_code == 200
    assert local.get(f"{PAYMENTS}/authorizations/summary").get_json() == summary | {"count": 1, "total": 1023}


@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("", [22, 21, 20]),
        ("sort=created&direction=asc", [20, 21, 22]),
        ("sort=created&direction=DESC", [22, 21, 20]),
        ("sort=amount&direction=asc", [22, 20, 21]),
        ("sort=amount&direction=desc", [21, 20, 22]),
        ("sort=order_id&direction=asc&page=0", [20, 21, 22]),
        ("sort=capture_by&direction=asc&page=2&pagesize=2", [22]),
        ("page=4&pagesize=1", []),
        ("sort=", [22, 21, 20]),
    ],
)
def test_authorizations_are_sorted_and_paged(door: Door, query: str, orders: list[int]) -> None:
    capture_by_hand(door)
    for order, total in ((20, "10.00"), (21, "20.00"), (22, "5.00")):
        pay(door, order, total=total)
    assert [row["order_id"] for row in listed(door, f"authorizations?{query}")] == orders


@pytest.mark.parametrize("path", ["authorizations", "transactions"])
@pytest.mark.parametrize(("error_status", "status"), [("compatible", 500), ("precise", 400)])
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("direction=up", "Error: Invalid sorting direction: up"),
        ("direction=", "Error: Invalid sorting direction: "),
        ("sort=&direction=", "Error: Invalid sorting direction: "),
        ("sort=colour", "Error: Invalid sorting field: colour"),
    ],
)
def test_an_order_that_makes_no_sense_is_a_bad_request_in_woopayments_words(
    make_door: MakeDoor, path: str, error_status: str, status: int, query: str, message: str
) -> None:
    answer = make_door(error_status=error_status).get(f"{PAYMENTS}/{path}?{query}")
    assert (answer.status_code, answer.json) == (
        status,
        {"code": "wcpay_bad_request", "message": message, "data": None},
    )


BETWEEN = "must be between {} (inclusive) and {} (inclusive)"
INVALID = [
    ("page=x", "page", "rest_invalid_type", "page is not of type integer."),
    ("page=1.5", "page", "rest_invalid_type", "page is not of type integer."),
    ("page=-1", "page", "rest_out_of_bounds", "page " + BETWEEN.format(0, 1_000_000)),
    ("pagesize=0", "pagesize", "rest_out_of_bounds", "pagesize " + BETWEEN.format(1, 100)),
    ("pagesize=101", "pagesize", "rest_out_of_bounds", "pagesize " + BETWEEN.format(1, 100)),
    ("pagesize[]=1", "pagesize", "rest_invalid_type", "pagesize is not of type integer."),
    ("sort[]=date", "sort", "rest_invalid_type", "sort is not of type string."),
]
INVALID_FILTERS = [
    ("date_after=yesterday", "date_after", "rest_invalid_date", "Invalid date."),
    ("date_before=2026-13-01", "date_before", "rest_invalid_date", "Invalid date."),
    ("date_before[]=2026-12-01", "date_before", "rest_invalid_type", "date_before is not of type string."),
    (
        "date_between=2026-01-01",
        "date_between",
        "rest_too_few_items",
        "date_between must contain at least 2 items.",
    ),
    (
        "date_between[]=2026-01-01&date_between[]=2026-01-02&date_between[]=2026-01-03",
        "date_between",
        "rest_too_many_items",
        "date_between must contain at most 2 items.",
    ),
    ("date_between[a]=b", "date_between", "rest_invalid_type", "date_between is not of type array."),
    ("date_between=2026-01-01,x", "date_between", "rest_invalid_date", "Invalid date."),
    ("user_timezone=Mars/Base", "user_timezone", "rest_invalid_param", "user_timezone is not a time zone."),
    ("user_timezone=%2B99:00", "user_timezone", "rest_invalid_param", "user_timezone is not a time zone."),
    ("order_id=x", "order_id", "rest_invalid_type", "order_id is not of type integer."),
    ("type_is[a]=b", "type_is", "rest_invalid_type", "type_is is not of type array."),
    ("search=" + 201 * "x", "search", "rest_too_long", "search must be at most 200 characters long."),
    ("type_is=" + 50 * ",", "type_is", "rest_too_many_items", "type_is must contain at most 50 items."),
    ("deposit_id=po_1", "deposit_id", "rest_invalid_param", "deposit_id cannot be answered here."),
    ("loan_id_is=1", "loan_id_is", "rest_invalid_param", "loan_id_is cannot be answered here."),
]


@pytest.mark.parametrize(
    ("path", "query", "name", "code", "sentence"),
    [
        *(("authorizations", *row) for row in INVALID),
        *(("transactions", *row) for row in INVALID + INVALID_FILTERS),
        *(("transactions/summary", *row) for row in INVALID_FILTERS),
    ],
)
def test_declared_parameters_are_checked_as_wordpress_checks_them(
    door: Door, path: str, query: str, name: str, code: str, sentence: str
) -> None:
    data = {"param": name} if code in ("rest_invalid_type", "rest_invalid_param") else None  # T3c
    for key in ("read", None):  # before anybody is refused
        answer = door.get(f"{PAYMENTS}/{path}?{query}", key=key)
        assert (answer.status_code, answer.json) == (
            400,
            {
                "code": "rest_invalid_param",
                "message": f"Invalid parameter(s): {name}",
                "data": {
                    "status": 400,
                    "params": {name: sentence},
                    "details": {name: {"code": code, "message": sentence, "data": data}},
                },
            },
        )
