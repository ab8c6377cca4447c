"""The cases of WooPayments' payment intents controller and of its amounts, line items and metadata, over HTTP.

The judge of what was asked is Stripe's simulator. Reference: WooPayments 8.4.0, `tests/unit`.
"""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.lifecycle.cases import plays
from tests.lifecycle.conftest import LiveIn
from tests.lifecycle.lives import Life
from tests.plugins.local import CREATED, refusal


@pytest.fixture
def life(live: LiveIn) -> Life:
    return live("direct", settings={"country": "US", "from_postal_code": "94110"})


def sent(life: Life, intent: str) -> dict[str, Any]:
    """What Stripe was asked to make of it."""
    made: dict[str, Any] = life.stripe.find(intent)
    return made


@plays("payment intents controller", "create_payment_intent_success")
@plays("create intention", "create_intent_request_will_be_created")
def test_an_order_is_charged(life: Life) -> None:
    order = life.order("50.00")
    answer = life.create(order, payment_method_types=["card"]).get_json()
    assert list(answer)[: len(CREATED)] == CREATED
    made = sent(life, answer["id"])
    assert (answer["id"], answer["amount"], answer["currency"]) == (made["id"], 5000, "USD")
    assert answer["charge"]["id"] == made["latest_charge"]
    assert (made["confirmation_method"], made["capture_method"]) == ("automatic", "automatic")
    assert life.book(answer["id"])["captured"] == 5000


@plays("payment intents controller", "create_payment_intent_no_order")
def test_an_order_that_is_not_there_is_not_charged(life: Life) -> None:
    assert refusal(life.local.create(order=None, order_id="no_such_order"))[:2] == (500, "wcpay_server_error")


@plays("payment intents controller", "create_payment_intent_missing_required_params")
def test_customer_and_payment_method_are_required(life: Life) -> None:
    order = life.order()
    for missing in ({"customer": ...}, {"payment_method": ...}, {"customer": ..., "payment_method": ...}):
        assert refusal(life.create(order, **missing))[:2] == (500, "wcpay_server_error")
    assert life.taken_for(order) == 0


@plays("payment intents controller", "create_payment_intent_server_error")
def test_what_the_provider_says_of_a_payment_is_handed_on(life: Life) -> None:
    order = life.order()
    assert life.local.provider_faults
    error = {"error": {"type": "invalid_request_error", "message": "Test error."}}
    life.local.provider_faults.next(Fault.STATUS, match="/v1/payment_intents", status=400, body=error)
    assert refusal(life.create(order)) == (500, "wcpay_server_error", "Error: Test error.")
    assert life.taken_for(order) == 0


@plays(
    "create intention",
    "exception_will_throw_if_amount_is_negative_number",
    "exception_will_throw_if_amount_is_not_set",
    "exception_will_throw_if_currency_is_not_set",
)
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"total": "-5.00"}, "Invalid number passed. Number -500 needs to be larger than 0"),
        ({"total": "0.00"}, "Invalid number passed. Number 0 needs to be larger than 0"),
        ({"currency": "ABCD"}, "abcd is not a supported currency for payments."),
    ],
)
def test_an_order_without_an_amount_or_a_currency_is_not_charged(
    life: Life, changes: dict[str, str], sentence: str
) -> None:
    order = life.order()
    life.local.shop.update_order(order, **changes)
    status, code, message = refusal(life.create(order))
    assert (status, code) == (500, "wcpay_server_error")
    assert sentence in message
    assert life.taken_for(order) == 0


# --- amounts


@plays("amounts", "prepare_amount", "is_zero_decimal_currency", "get_order_intent_currency")
@pytest.mark.parametrize(
    ("total", "currency", "amount"),
    [
        ("100", "USD", 10000),
        ("245", "USD", 24500),
        ("100", "JPY", 100),
        ("500", "JPY", 500),
        ("100", "BIF", 100),
        ("1.230", "KWD", 1230),  # there three decimals are not known: 123, a tenth
    ],
)
def test_what_is_charged_is_the_total_in_minor_units(life: Life, total: str, currency: str, amount: int) -> None:
    order = life.order(total, currency=currency, **({"decimals": 3} if currency == "KWD" else {}))
    intent = life.pay(order)
    assert (intent["amount"], intent["currency"]) == (amount, currency)
    made = sent(life, intent["id"])
    assert (made["amount"], made["currency"]) == (amount, currency.lower())
    assert life.meta(order)["_wcpay_intent_currency"] == currency


@plays("amounts", "interpret_stripe_amount")
@pytest.mark.parametrize(
    ("total", "currency", "amount", "written"),
    [("10.00", "USD", 100, "1.00"), ("500", "JPY", 100, "100"), ("500", "BIF", 100, "100")],
)
def test_minor_units_are_the_shops_own_sums_again(
    life: Life, total: str, currency: str, amount: int, written: str
) -> None:
    order = life.order(total, currency=currency, **({} if currency == "USD" else {"decimals": 0}))
    life.pay(order)
    assert life.refund(order_id=order, amount=amount).status_code == 200
    assert life.refunds(order) == [written]


# --- line items, that is level 3; what a line says is in test_case_line_items


@plays("line items", "full_level3_data")
def test_stripe_gets_the_lines_of_a_us_merchants_order(life: Life) -> None:
    product = life.local.shop.add_product("Beanie with Logo", f"B-{life.order()}", "18.00")
    lines = [{"product_id": product, "quantity": 2, "total": "36.00"}]
    order = life.order(lines=lines, shipping={"postcode": "98012"})
    life.pay(order)
    asked = next(one for one in reversed(life.stripe.requests) if one.path == "/v1/payment_intents")
    said = {name: value for name, value in asked.params.items() if "details" in name}
    assert said == {
        "amount_details": {
            "enforce_arithmetic_validation": "false",
            "line_items": {
                "0": {
                    "product_code": str(product),
                    "product_name": "Beanie with Logo",
                    "quantity": "2",
                    "tax": {"total_tax_amount": "0"},
                    "unit_cost": "1800",
                }
            },
            "shipping": {"amount": "0", "from_postal_code": "94110", "to_postal_code": "98012"},
        },
        "payment_details": {"customer_reference": str(order), "order_reference": str(order)},
    }


@plays("line items", "non_us_customer_level_3_data")
def test_the_lines_of_other_merchants_orders_are_nobodys_business(live: LiveIn) -> None:
    life = live("direct", settings={"country": "CA"})
    life.pay(life.order())
    asked = next(one for one in reversed(life.stripe.requests) if one.path == "/v1/payment_intents")
    assert not [name for name in asked.params if "details" in name]


# --- metadata


@plays("metadata", "get_payment_metadata_without_subscriptions")
def test_the_provider_knows_whose_order_it_is(life: Life) -> None:
    order = life.order(created_via="checkout")
    life.local.shop.update_order(order, order_key="ABC123")
    made = sent(life, life.pay(order)["id"])
    assert list(made["metadata"])[:10] == [
        "customer_name",
        "customer_email",
        "site_url",
        "order_id",
        "order_number",
        "order_key",
        "payment_type",
        "checkout_type",
        "client_version",
        "subscription_payment",
    ]
    known = {
        "customer_name": "John Doe",
        "customer_email": "random.email@example.com",
        "order_id": str(order),
        "order_number": str(order),
        "order_key": "ABC123",
        "payment_type": "single",
        "checkout_type": "checkout",
        "subscription_payment": "no",
    }
    assert made["metadata"].items() >= known.items()
    assert made["description"].startswith(f"Online Payment for Order #{order} for ")
