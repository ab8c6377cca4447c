"""What Forte is sent for an order: lines that sum to its total, to the cent."""

from decimal import Decimal

import pytest

from bridge.adapters import Address, InvalidParameter, Refused
from tests.adapters.forte_platform_provider import adapter, fee, line, payment
from tests.adapters.forte_platform_wire import CALLS
from tests.adapters.orders import ATTEMPT

BODY = next(call.body for call in CALLS if call.method == "POST" and call.path.endswith("/payments"))
TIMES = "\u00d7"
SHIPPING = "txcd_92010001"


def prepare(*lines, amount=1023, settings=None, **changes):
    made = adapter(**(settings or {}))
    try:
        return made.prepare(payment(*lines, amount=amount, **changes))
    finally:
        made.close()


def lines_of(*lines, amount, settings=None, **changes):
    """The lines as tuples, once they are proven to be possible and to sum to the amount."""
    body = prepare(*lines, amount=amount, settings=settings, **changes)["body"]
    assert BODY(body), body
    sent = body["lineItems"]
    assert sum(one["unitAmountCents"] * one["quantity"] for one in sent) == amount
    return [(one["description"], one["unitAmountCents"], one["quantity"]) for one in sent]


def test_73_a_total_below_zero_is_refused():
    with pytest.raises(Refused, match=r"Order 12 cannot be paid at Forte: lineItems\.0\.unitAmountCents") as caught:
        prepare(line(total="-1.00"), amount=-100)
    assert caught.value.reason == "order_not_expressible"


def test_104_the_amount_is_the_orders():
    request = prepare(line("Beanie", "3", "30.00"), amount=3000)
    assert request["amount"] == 3000
    assert request["body"]["lineItems"] == [{"description": "Beanie", "unitAmountCents": 1000, "quantity": 3}]


def test_73_a_total_that_cannot_be_divided_is_one_line():
    assert lines_of(line("Beanie", "3", "10.00"), amount=1000) == [(f"Beanie {TIMES} 3", 1000, 1)]


@pytest.mark.parametrize("quantity", ["1.5", "0", "0.5"])
def test_73_a_quantity_that_is_not_whole_is_one_line(quantity):
    assert lines_of(line("Rope", quantity, "10.00"), amount=1000) == [(f"Rope {TIMES} {quantity}", 1000, 1)]


def test_shipping_tax_and_fees_are_lines_of_their_own():
    sent = prepare(
        line(total="10.00", tax="2.10"),
        fee("Gift wrap", "1.50", tax="0.32"),
        shipping_total="5.00",
        shipping_tax="1.05",
        amount=1997,
    )["body"]["lineItems"]
    assert sent == [
        {"description": "Pro plan", "unitAmountCents": 1000, "quantity": 1},
        {"description": "Gift wrap", "unitAmountCents": 150, "quantity": 1},
        {"description": "Shipping", "unitAmountCents": 500, "quantity": 1, "taxCode": SHIPPING},
        {"description": "Tax", "unitAmountCents": 347, "quantity": 1},
    ]


def test_a_discount_is_in_the_total_of_its_line_already():
    assert lines_of(line(total="7.50", subtotal="10.00"), amount=750) == [("Pro plan", 750, 1)]


def test_a_negative_fee_makes_one_line_of_the_goods_and_keeps_shipping_and_tax():
    sent = lines_of(
        line(total="10.00", tax="2.10"),
        line("Mug", "2", "8.00"),
        fee("Goodwill", "-3.00"),
        shipping_total="5.00",
        amount=2210,
        number="1042",
    )
    assert sent == [("Order #1042 (3 items)", 1500, 1), ("Shipping", 500, 1), ("Tax", 210, 1)]


def test_a_discount_larger_than_the_goods_makes_one_line_of_all():
    sent = lines_of(line(total="2.00"), fee("Goodwill", "-3.00"), shipping_total="5.00", amount=400)
    assert sent == [("Order #12 (1 item)", 400, 1)]


def test_an_order_of_nothing_but_fees_counts_no_items():
    assert lines_of(fee("Deposit", "9.00"), fee("Goodwill", "-3.00"), amount=600) == [("Order #12", 600, 1)]


def test_discount_negative_fee_shipping_and_tax_sum_to_the_cent():
    goods = [
        line("A", "3", "8.99", subtotal="9.99", tax="1.89"),
        line("B", "7", "13.37", subtotal="14.86", tax="2.81"),
        fee("Refund of a deposit", "-0.07", tax="-0.01"),
    ]
    assert sum(unit for _, unit, _ in lines_of(*goods, shipping_total="4.95", shipping_tax="1.04", amount=3297)) == 3297


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (1001, [("A", 333, 1), ("B", 667, 1), ("Rounding", 1, 1)]),
        (1000, [("A", 333, 1), ("B", 667, 1)]),
        (999, [("Order #12 (2 items)", 999, 1)]),
        (1500, [("Order #12 (2 items)", 1500, 1)]),
    ],
)
def test_the_total_wins_over_the_sum_of_its_parts(amount, expected):
    assert lines_of(line("A", total="3.33"), line("B", total="6.67"), amount=amount) == expected


@pytest.mark.parametrize(
    ("count", "shipping", "sent"), [(50, "0", 50), (51, "0", 1), (49, "1.00", 50), (50, "1.00", 2)]
)
def test_73_more_than_fifty_lines_become_one(count, shipping, sent):
    goods = [line(f"Item {number}", total="1.00") for number in range(count)]
    amount = 100 * count + int(Decimal(shipping) * 100)
    assert len(lines_of(*goods, shipping_total=shipping, amount=amount)) == sent


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("<b>Mug</b> &amp; saucer", "Mug & saucer"),
        ("Mug\x00\x07\n\tblue", "Mug blue"),
        ("", "Item"),
        ("<br>", "Item"),
        ("x" * 250, "x" * 250),
        ("x" * 251, "x" * 247 + "..."),
        ("\U0001f600" * 251, "\U0001f600" * 247 + "..."),
        ("é" * 250, "é" * 250),
    ],
)
def test_73_descriptions_are_plain_text_of_at_most_250_characters(name, expected):
    assert lines_of(line(name), amount=1023) == [(expected, 1023, 1)]


def test_73_a_long_name_keeps_its_quantity():
    [(description, _, _)] = lines_of(line("x" * 300, "3", "10.00"), amount=1000)
    assert (len(description), description[-7:]) == (250, f"... {TIMES} 3")


@pytest.mark.parametrize(("length", "kept"), [(500, 500), (501, 500)])
def test_73_the_payments_description_has_500_characters(length, kept):
    body = prepare(line(), description="d" * length)["body"]
    assert len(body["description"]) == kept
    assert BODY(body)


def test_73_the_currency_is_in_lower_case():
    assert prepare()["body"]["currency"] == "usd"


def test_the_whole_request():
    assert prepare(line("Pro plan"), id=12, number="1042") == {
        "project": "prj_1",
        "live": False,
        "user": "usr_1",
        "amount": 1023,
        "tax_on_top": False,
        "body": {
            "currency": "usd",
            "description": "Online Payment for Order #12 for shop.example",
            "lineItems": [{"description": "Pro plan", "unitAmountCents": 1023, "quantity": 1}],
            "metadata": {
                "bridge_attempt": ATTEMPT,
                "wc_order_id": "12",
                "wc_order_key": "wc_order_abc",
                "store": "https://shop.example",
            },
        },
    }


def test_with_the_shops_tax_no_address_is_sent():
    body = prepare(line(tax="0.90"), amount=1113)["body"]
    assert not {"customerAddress", "shippingAddress"} & body.keys()


FORTE_TAX = {"tax_mode": "forte", "tax_code": "txcd_10000000"}


def test_with_fortes_tax_the_addresses_and_the_tax_codes_are_sent():
    there = Address("Bea", "", "1 Main St", "Flat 2", "Reno", "NV", "89501", "us")
    body = prepare(line(), shipping_total="5.00", amount=1523, settings=FORTE_TAX, shipping=there)["body"]
    assert BODY(body)
    assert [one["taxCode"] for one in body["lineItems"]] == ["txcd_10000000", SHIPPING]
    assert body["customerAddress"] == {
        "line1": "354 Oyster Point Blvd",
        "city": "South San Francisco",
        "state": "CA",
        "postalCode": "94080",
        "country": "US",
    }
    assert body["shippingAddress"] == {
        "line1": "1 Main St",
        "line2": "Flat 2",
        "city": "Reno",
        "state": "NV",
        "postalCode": "89501",
        "country": "US",
    }


@pytest.mark.parametrize(
    ("goods", "changes", "reason"),
    [
        ([line(tax="0.90")], {"amount": 1113}, "taxed_twice"),
        ([line()], {"shipping_tax": "0.50", "amount": 1073}, "taxed_twice"),
        ([line()], {"prices_include_tax": True}, "taxed_twice"),
        ([line()], {"billing": Address(country="US", postal_code="94080")}, "address_required"),
        ([line(), fee("Goodwill", "-12.00")], {"shipping_total": "5.00", "amount": 323}, "order_not_expressible"),
    ],
)
def test_with_fortes_tax_an_order_that_would_be_taxed_wrong_is_refused(goods, changes, reason):
    with pytest.raises(Refused) as caught:
        prepare(*goods, settings=FORTE_TAX, **changes)
    assert caught.value.reason == reason


@pytest.mark.parametrize("param", ["customer", "payment_method"])
@pytest.mark.parametrize("value", [None, "", "x", 7])
def test_102_a_missing_or_wrong_parameter_is_named(param, value):
    with pytest.raises(InvalidParameter) as caught:
        prepare(**{param: value})
    assert caught.value.details["param"] == param


def test_111_of_the_customer_nothing_is_sent_but_the_user():
    text = str(prepare())
    assert not any(private in text for private in ("ann@example.com", "Oyster", "Example", "pm_card_visa", "cus_"))
