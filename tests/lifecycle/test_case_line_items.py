"""The cases of WooPayments' line items for US merchants, under Stripe's present names, without a network between.

Reference: WooPayments 8.4.0, `tests/unit`. Whole orders are in test_case_payments.
"""

from decimal import Decimal
from typing import Any

import pytest

from bridge.adapters import Address, Line, LineKind
from bridge.adapters.stripe_connect.line_items import bundle, line_item_details
from tests.adapters.payments import line, order
from tests.lifecycle.cases import plays

GROUP = "line items"


def details(*lines: Line, from_postal_code: str = "", **changes: Any) -> dict[str, Any]:
    return line_item_details(order(*lines, **changes), "USD", from_postal_code)


def items(*lines: Line) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = details(*lines)["amount_details"]["line_items"]
    return found


@plays(GROUP, "us_store_level_3_data", "us_customer_level_3_data")
def test_woopayments_order_210() -> None:
    beanie = line("Beanie with Logo", subtotal="18.00", tax="2.70", product_id=30)
    made = details(
        beanie,
        id=210,
        shipping_total=Decimal("30.00"),
        shipping_tax=Decimal("8.00"),
        shipping=Address(postal_code="98012"),
        from_postal_code="94110",
    )
    assert made == {
        "amount_details": {
            "shipping": {"amount": 3800, "to_postal_code": "98012", "from_postal_code": "94110"},
            "line_items": [
                {
                    "product_code": "30",
                    "product_name": "Beanie with Logo",
                    "quantity": 1,
                    "unit_cost": 1800,
                    "tax": {"total_tax_amount": 270},
                }
            ],
            "enforce_arithmetic_validation": False,
        },
        "payment_details": {"order_reference": "210", "customer_reference": "210"},
    }


@plays(GROUP, "full_level3_data_with_fee")
def test_a_fee_is_a_line_whose_code_is_its_name() -> None:
    [item] = items(line("Fee for Gift Wrapping", subtotal="10.00", tax="1.50", kind=LineKind.FEE))
    assert item == {
        "product_code": "fee-for-gift",
        "product_name": "Fee for Gift Wrapping",
        "quantity": 1,
        "unit_cost": 1000,
        "tax": {"total_tax_amount": 150},
    }


@plays(GROUP, "full_level3_data_with_negative_price_product")
def test_a_negative_fee_costs_nothing_and_is_all_discount() -> None:
    [item] = items(line("Loyalty", subtotal="-18.99", tax="-2.70", kind=LineKind.FEE))
    assert (item["unit_cost"], item["discount_amount"], item["tax"]) == (0, 1899, {"total_tax_amount": 0})


@plays(GROUP, "full_level3_data_with_float_quantity", "full_level3_data_with_float_quantity_zero")
@pytest.mark.parametrize(
    ("quantity", "expected"), [("1", (1, 1800)), ("3.7", (4, 450)), ("0.4", (1, 1800)), ("0", (1, 1800))]
)
def test_quantities_are_rounded_up(quantity: str, expected: tuple[int, int]) -> None:
    [item] = items(line(quantity=quantity, subtotal="18.00"))
    assert (item["quantity"], item["unit_cost"]) == expected


def test_a_coupon_is_a_discount() -> None:
    [item] = items(line(quantity="2", subtotal="20.00", total="15.00"))
    assert (item["unit_cost"], item["discount_amount"]) == (1000, 500)


def test_a_variation_goes_before_its_product() -> None:
    [item] = items(line(product_id=30, variation_id=31))
    assert item["product_code"] == "31"


def test_what_has_no_code_or_name_still_has_a_name() -> None:
    [item] = items(line(" ", product_id=0))
    assert "product_code" not in item
    assert item["product_name"] == "-"


@plays(GROUP, "full_level3_data_with_product_id_longer_than_12_characters")
def test_names_and_codes_are_as_long_as_cards_take() -> None:
    [item] = items(line("A product name of more than twenty-six", product_id=12345678901234))
    assert item["product_name"] == "A product name of more tha"
    assert item["product_code"] == "123456789012"


@plays(GROUP, "us_store_level_3_data", "us_customer_level_3_data")
@pytest.mark.parametrize("code", ["", "9000", "W1A 1AA", "9411", "941100", "94110-12"])
def test_only_us_postal_codes_are_sent(code: str) -> None:
    assert details(line(), shipping=Address(postal_code=code))["amount_details"]["shipping"] == {"amount": 0}


def test_a_long_postal_code_is_one_too() -> None:
    shipping = details(line(), shipping=Address(postal_code="94110-1234"))["amount_details"]["shipping"]
    assert shipping["to_postal_code"] == "94110-1234"


@plays(GROUP, "level3_data_bundle_for_orders_with_more_than_200_items")
def test_five_hundred_lines_are_two_hundred() -> None:
    made = items(*(line(f"Item {number}", subtotal="1.00") for number in range(500)))
    assert len(made) == 200
    assert made[198]["product_name"] == "Item 198"
    assert made[199] == {
        "product_code": "more-items",
        "product_name": "301 more items",
        "quantity": 1,
        "unit_cost": 30100,
        "tax": {"total_tax_amount": 0},
    }


def test_two_hundred_lines_stay_as_they_are() -> None:
    assert items(*(line(f"Item {number}") for number in range(200)))[199]["product_name"] == "Item 199"


@plays(GROUP, "level3_data_bundle")
def test_a_bundle_is_the_sum_of_its_items() -> None:
    first = {"quantity": 4, "unit_cost": 1000, "tax": {"total_tax_amount": 200}, "discount_amount": 500}
    second = {"quantity": 3, "unit_cost": 5000, "tax": {"total_tax_amount": 1000}, "discount_amount": 200}
    assert bundle([first, second]) == {
        "product_code": "more-items",
        "product_name": "2 more items",
        "quantity": 1,
        "unit_cost": 19000,
        "tax": {"total_tax_amount": 1200},
        "discount_amount": 700,
    }


def test_an_order_without_lines_says_so() -> None:
    assert items() == [
        {
            "product_code": "empty-order",
            "product_name": "The order is empty",
            "quantity": 1,
            "unit_cost": 0,
            "tax": {"total_tax_amount": 0},
        }
    ]


def test_amounts_are_in_the_currencys_minor_units() -> None:
    [item] = line_item_details(order(line(subtotal="500")), "JPY", "")["amount_details"]["line_items"]
    assert item["unit_cost"] == 500
