"""What a cart or an order would cost: sums to the minor unit, and nothing is left behind anywhere."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import inspect, text

from bridge import Bridge
from bridge.domain.errors import StoreUnreachable
from bridge.domain.orders import Line, LineKind
from bridge.registry import stores
from tests.http.conftest import Door, MakeDoor
from tests.http.payments import PAYMENTS
from tests.plugins.local import Local

PATH = f"{PAYMENTS}/payment_intents/preview"
MUG = {"description": "Mug", "unit_amount": 999, "quantity": 3}
CART = {"currency": "usd", "line_items": [MUG]}
ANN = {"line1": "1 Main St", "city": "South San Francisco", "state": "CA", "postal_code": "94080", "country": "US"}


def ask(door: Door, body: dict[str, Any], **kwargs: Any) -> Any:
    return door.post(PATH, json=body, **kwargs)


def quoted(door: Door, **changes: Any) -> dict[str, Any]:
    """What order 19 would cost after these changes."""
    door.shelf.put(19, **changes)
    answer = ask(door, {"order_id": 19})
    assert answer.status_code == 200, answer.json
    lines = answer.json["line_items"]
    assert answer.json["subtotal"] == sum(line["subtotal"] for line in lines)
    assert answer.json["tax"] == sum(line["tax"] for line in lines)
    assert answer.json["total"] == answer.json["subtotal"] + answer.json["tax"]
    assert all(line["unit_amount"] >= 0 and line["tax"] >= 0 for line in lines)
    return dict(answer.json)


def item(name: str, quantity: str, total: str, tax: str = "0", kind: LineKind = LineKind.PRODUCT) -> Line:
    return Line(kind, name, Decimal(quantity), Decimal(total), Decimal(total), Decimal(tax))


def rows(bridge: Bridge) -> dict[str, int]:
    """How many rows every table has."""
    database = bridge.services.database
    with database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {name: connection.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one() for name in names}


def test_an_order_is_quoted_as_the_shop_has_it_now(door: Door) -> None:
    answer = ask(door, {"order_id": "19"})
    line = {"description": "Hat", "unit_amount": 1023, "quantity": 1, "subtotal": 1023, "tax": 0, "total": 1023}
    told = {"subtotal": 1023, "tax": 0, "total": 1023, "currency": "USD", "line_items": [line], "provider": "sandbox"}
    assert (answer.status_code, answer.json, list(answer.json)) == (200, told, list(told))
    door.shelf.put(19, total="12.50")
    assert ask(door, {"order_id": 19}).json["total"] == 1250
    assert door.shelf.reads == 2


def test_a_cart_is_summed_with_the_shops_own_tax(door: Door) -> None:
    lines = [MUG | {"tax": 630}, {"description": "Pen", "unit_amount": 50}]
    answer = ask(door, {"currency": "usd", "line_items": lines, "address": ANN, "customer": "cus_x"}).json
    assert (answer["subtotal"], answer["tax"], answer["total"], answer["currency"]) == (3047, 630, 3677, "USD")
    assert [(line["quantity"], line["subtotal"], line["total"]) for line in answer["line_items"]] == [
        (3, 2997, 3627),
        (1, 50, 50),
    ]


def test_an_answer_can_be_asked_for_again_and_everything_may_be_text(door: Door) -> None:
    first = ask(door, CART).json
    known = ("description", "unit_amount", "quantity", "tax")
    again = [{name: str(line[name]) for name in known} for line in first["line_items"]]
    assert ask(door, {"currency": "USD", "line_items": again}).json == first
    form = {"currency": "usd", "line_items[0][description]": "Mug", "line_items[0][unit_amount]": "999"}
    assert door.post(PATH, data=form | {"line_items[0][quantity]": "3"}).json == first


def test_taxes_and_shipping_are_told_line_by_line(door: Door) -> None:
    answer = quoted(
        door,
        total="36.30",
        lines=(item("Mug", "3", "20.00", "4.20"),),
        shipping_total=Decimal("10.00"),
        shipping_tax=Decimal("2.10"),
    )
    assert [(line["description"], line["quantity"], line["total"]) for line in answer["line_items"]] == [
        ("Mug \u00d7 3", 1, 2420),
        ("Shipping", 1, 1210),
    ]
    assert (answer["subtotal"], answer["tax"], answer["total"]) == (3000, 630, 3630)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {"total": "15.00", "lines": (item("Mug", "2", "18.00"), item("Bonus", "1", "-3.00", kind=LineKind.FEE))},
            [("Order #19 (2 items)", 1500)],
        ),
        (
            {
                "total": "2.00",
                "lines": (item("Mug", "1", "1.00"), item("Bonus", "1", "-4.00", kind=LineKind.FEE)),
                "shipping_total": Decimal("5.00"),
            },
            [("Order #19 (1 item)", 200)],
        ),
        ({"total": "51.00", "lines": (item("Pin", "1", "1.00"),) * 51}, [("Order #19 (51 items)", 5100)]),
        ({"total": "49.00", "lines": (item("Pin", "1", "1.00"),) * 49}, [("Pin", 100)] * 49),
        ({"total": "10.01", "lines": (item("Mug", "1", "10.00"),)}, [("Mug", 1000), ("Rounding", 1)]),
        ({"total": "9.99", "lines": (item("Mug", "1", "10.00"),)}, [("Order #19 (1 item)", 999)]),
        ({"total": "30.00", "lines": (item("Mug", "1", "10.00"),)}, [("Order #19 (1 item)", 3000)]),
        ({"total": "5.00", "lines": ()}, [("Order #19", 500)]),
        ({"total": "0.00", "lines": (item("Sample", "1", "0.00"),)}, [("Sample", 0)]),
        ({"total": "5.00", "lines": (item("Cheese", "0.5", "5.00"),)}, [("Cheese \u00d7 0.5", 500)]),
    ],
)
def test_what_cannot_be_a_line_of_its_own_is_folded_and_the_total_stays(
    door: Door, changes: dict[str, Any], lines: list[tuple[str, int]]
) -> None:
    answer = quoted(door, **changes)
    assert [(line["description"], line["total"]) for line in answer["line_items"]] == lines
    assert answer["total"] == int(Decimal(changes["total"]) * 100)


@pytest.mark.parametrize(("currency", "total", "amount"), [("JPY", "500", 500), ("KWD", "1.230", 1230)])
def test_amounts_are_in_the_currencys_own_minor_units(door: Door, currency: str, total: str, amount: int) -> None:
    assert quoted(door, currency=currency, total=total, lines=(item("Tea", "1", total),))["total"] == amount


def test_the_paid_order_is_quoted_too_because_nothing_is_charged(door: Door) -> None:
    door.create()
    assert quoted(door, status="processing", needs_payment=False)["total"] == 1023


def test_a_sum_that_the_currency_cannot_express_is_refused_or_rounded_as_the_store_says(door: Door) -> None:
    cart = {"currency": "KWD", "line_items": [{"description": "Dates", "unit_amount": 1234}]}
    door.shelf.put(20, currency="KWD", total="1.234", lines=(item("Dates", "1", "1.234"),))
    for body in (cart, {"order_id": 20}):
        answer = ask(door, body)
        assert (answer.status_code, answer.json["data"]["reason"]) == (500, "amount_not_representable")
    door.clock.advance(10)
    store = stores.get(door.bridge.services, door.store.id)
    stores.update(door.bridge.services, replace(store, options=store.options | {"rounding": "half_up"}), (), {})
    for body in (cart, {"order_id": 20}):
        assert ask(door, body).json["total"] == 1230


@pytest.mark.parametrize("error_status", ["compatible", "precise"])
@pytest.mark.parametrize(
    ("body", "reason", "said", "precise"),
    [
        ({}, "invalid_parameter", "A preview needs an order_id, or a cart; the cart has no currency.", 400),
        ({"currency": "USD"}, "invalid_parameter", "... the cart has no line_items.", 400),
        ({"line_items": [MUG]}, "invalid_parameter", "... the cart has no currency.", 400),
        (CART | {"order_id": 19}, "invalid_parameter", "Name an order or a cart, not order_id and currency.", 400),
        ({"order_id": 404}, "order_not_found", "Order not found", 404),
        (CART | {"currency": "dollar"}, "currency_not_supported", "dollar is not a supported currency", 400),
        (CART | {"currency": "\u00fcsd"}, "currency_not_supported", "\u00fcsd is not a supported currency", 400),
        (
            {"currency": "USD", "line_items": [MUG | {"unit_amount": 10**12 - 1, "quantity": 10**6}]},
            "invalid_amount",
            "The total is larger than",
            400,
        ),
    ],
)
def test_what_cannot_be_quoted_is_refused_with_a_sentence(
    make_door: MakeDoor, error_status: str, body: dict[str, Any], reason: str, said: str, precise: int
) -> None:
    answer = ask(make_door(error_status=error_status), body)
    assert answer.status_code == answer.json["data"]["status"] == (precise if error_status == "precise" else 500)
    assert (answer.json["code"], answer.json["data"]["reason"]) == ("wcpay_server_error", reason)
    assert said.removeprefix("... ") in answer.json["message"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit_amount": 9.99}, "line_items[0].unit_amount: Not a whole number."),
        ({"unit_amount": 10.0}, "line_items[0].unit_amount: Not a whole number."),
        ({"unit_amount": "9.99"}, "line_items[0].unit_amount: Not a whole number."),
        ({"unit_amount": True}, "line_items[0].unit_amount: Not a whole number."),
        ({"unit_amount": -1}, "line_items[0].unit_amount: Must be greater than or equal to 0"),
        ({"unit_amount": 10**12}, "line_items[0].unit_amount: Must be"),
        ({"unit_amount": ...}, "line_items[0].unit_amount: Missing data for required field."),
        ({"quantity": 0}, "line_items[0].quantity: Must be greater than or equal to 1"),
        ({"quantity": 1.5}, "line_items[0].quantity: Not a whole number."),
        ({"tax": -1}, "line_items[0].tax: Must be"),
        ({"tax_code": "mugs"}, "line_items[0].tax_code: Not like txcd_10000000."),
        ({"tax_code": "txcd_10000000\n"}, "line_items[0].tax_code: Not like txcd_10000000."),
        ({"description": ""}, "line_items[0].description: Length must be between 1 and 250."),
        ({"price": "9.99"}, "line_items[0].price: Unknown field."),
    ],
)
def test_a_line_is_taken_strictly(door: Door, change: dict[str, Any], told: str) -> None:
    line = {name: value for name, value in (MUG | change).items() if value is not ...}
    assert refusal(ask(door, CART | {"line_items": [line]}), "line_items").startswith(told)


@pytest.mark.parametrize(
    ("change", "name", "told"),
    [
        ({"line_items": []}, "line_items", "line_items: Length must be between 1 and 100."),
        ({"line_items": [MUG] * 101}, "line_items", "line_items: Length must be between 1 and 100."),
        ({"line_items": "MUG"}, "line_items", "line_items: Not a valid list."),
        ({"line_items": ["MUG"]}, "line_items", "line_items[0]: Invalid input type."),
        ({"address": "here"}, "address", "address: Invalid input type."),
        ({"address": {"postcode": "94080"}}, "address", "address.postcode: Unknown field."),
        ({"address": {"country": "USA"}}, "address", "address.country: Not two letters."),
        ({"currency": 840}, "currency", "currency is not of type string."),
        ({"order_id": "x"}, "order_id", "order_id is not of type integer."),
        ({"order_id": 0}, "order_id", "order_id must be greater than or equal to 1"),
    ],
)
def test_a_cart_is_taken_strictly(door: Door, change: dict[str, Any], name: str, told: str) -> None:
    assert refusal(ask(door, CART | change), name).startswith(told)


def refusal(answer: Any, name: str) -> str:
    """What is said about a parameter that was refused."""
    assert (answer.status_code, answer.json["code"]) == (400, "rest_invalid_param"), answer.json
    return answer.json["data"]["params"][name]


def test_card_numbers_are_refused_here_as_everywhere(door: Door) -> None:
    answer = ask(door, CART | {"line_items": [MUG | {"description": "4111 1111 1111 1111"}]})
    assert (answer.status_code, answer.json["code"]) == (400, "wcpay_card_data_refused")


def test_a_quote_needs_a_key_that_may_write_and_is_posted(door: Door) -> None:
    assert ask(door, CART, key="read").status_code == 401
    assert ask(door, CART, key="write").status_code == 200
    assert (door.get(PATH).status_code, door.get(PATH).json["code"]) == (404, "rest_no_route")
    options = door.open("OPTIONS", PATH)
    assert (options.json["methods"], options.headers["Allow"]) == (["POST"], "POST")
    assert set(options.json["endpoints"][0]["args"]) == {"order_id", "customer", "currency", "line_items", "address"}


def test_a_shop_that_is_away_is_told(door: Door) -> None:
    door.shelf.raises = StoreUnreachable("The store could not be reached.")
    answer = ask(door, {"order_id": 19})
    assert (answer.status_code, answer.json["data"]["reason"]) == (500, "store_unreachable")


def test_nothing_is_left_behind_by_a_quote_that_is_computed(local: Local) -> None:
    before = rows(local.bridge)
    read = len(local.shop.requests)
    for body in ({"order_id": local.orders["shipping_tax_fee_discount"]}, CART, {"order_id": 999}):
        for _ in range(3):
            local.post(PATH, body)
    local.work()
    assert rows(local.bridge) == before
    assert {request.method for request in local.shop.requests[read:]} == {"GET"}


def test_an_order_with_everything_is_quoted_to_the_cent(local: Local) -> None:
    answer = local.post(PATH, {"order_id": local.orders["shipping_tax_fee_discount"]}).json
    assert (answer["total"], answer["subtotal"], answer["tax"]) == (10138, 8538, 1600)
    assert [line["description"] for line in answer["line_items"]] == [
        f"Order #{local.order('shipping_tax_fee_discount')['number']} (3 items)",
        "Shipping",
    ]
