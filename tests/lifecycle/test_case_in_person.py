"""The cases of WooPayments' orders and customer controllers about customers and intents for card readers, over HTTP.

The judge is Stripe's simulator. Reference: WooPayments 8.4.0, `tests/unit`.
"""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.lifecycle.cases import plays
from tests.lifecycle.lives import Life
from tests.plugins.local import refusal

GROUP = "orders controller"


@pytest.fixture
def life(manual: Life) -> Life:
    return manual


# --- customers


@plays(GROUP, "create_customer_invalid_order_id")
@pytest.mark.parametrize("order", ["not_an_id", 999_999])
def test_no_customer_of_an_order_that_is_not_there(life: Life, order: Any) -> None:
    assert refusal(life.at("create_customer", order)) == (404, "wcpay_missing_order", "Order not found")


@plays(
    GROUP,
    "create_customer_from_order_guest_without_customer_id",
    "create_customer_from_order_guest_with_customer_id",
)
def test_a_guests_customer_is_made_once_and_then_updated(life: Life) -> None:
    order = life.order()
    answer = life.at("create_customer", order)
    assert (answer.status_code, list(answer.get_json())) == (200, ["id"])
    customer = answer.get_json()["id"]
    made = life.stripe.find(customer)
    assert (made["name"], made["email"], made["phone"]) == ("John Doe", "random.email@example.com", "5555555555")
    life.local.shop.update_order(order, billing={"last_name": "Smith"})
    assert life.at("create_customer", order).get_json() == {"id": customer}
    assert life.stripe.find(customer)["name"] == "John Smith"


@plays(
    GROUP,
    "create_customer_from_order_non_guest_without_customer_id",
    "create_customer_from_order_non_guest_with_customer_id",
    "create_customer_from_order_non_guest_with_customer_id_from_order_meta",
)
def test_a_registered_shopper_is_the_same_customer_for_every_order(life: Life) -> None:
    shopper = life.local.shop.add_customer(f"jane{life.order()}@example.com", "Jane", "Roe")
    first, second = (life.order(customer_id=shopper) for _ in range(2))
    customer = life.at("create_customer", first).get_json()["id"]
    assert customer.startswith("cus_")
    life.local.shop.update_order(second, billing={"last_name": "Roe-Smith"})
    assert life.at("create_customer", second).get_json()["id"] == customer
    assert life.stripe.find(customer)["name"] == "John Roe-Smith"
    assert life.at("create_customer", life.order()).get_json()["id"] != customer


@plays(GROUP, "create_customer_from_order_with_invalid_status")
@pytest.mark.parametrize("status", ["completed", "cancelled", "refunded", "failed"])
def test_a_closed_order_gets_no_customer(life: Life, status: str) -> None:
    order = life.order(status=status)
    assert refusal(life.at("create_customer", order)) == (400, "wcpay_invalid_order_status", "Invalid order status")


@plays("customer controller", "get_customer_payment_methods_endpoint_will_return_correct_response_for_card")
def test_a_customers_cards_are_shown_without_what_is_nobodys_business(life: Life) -> None:
    account = life.local.store.settings["account"]
    customer = life.stripe.add_customer(account)
    method = life.stripe.add_payment_method("pm_card_visa", customer, account)
    [shown] = life.get(f"customers/{customer}/payment_methods")
    assert list(shown) == ["id", "type", "billing_details", "card"]
    assert (shown["id"], shown["type"]) == (method, "card")
    assert list(shown["card"]) == ["brand", "last4", "exp_month", "exp_year"]
    assert list(shown["billing_details"]) == ["address", "email", "name", "phone"]


# --- intents for card readers


@plays(
    GROUP,
    "create_terminal_intent_success",
    "get_terminal_intent_payment_method",
    "get_terminal_intent_capture_method",
)
@pytest.mark.parametrize(
    ("wanted", "methods", "capture"),
    [
        ({}, ["card_present"], "manual"),
        ({"payment_methods": ["card_present", "interac_present"]}, ["card_present", "interac_present"], "manual"),
        ({"capture_method": "automatic"}, ["card_present"], "automatic"),
    ],
)
def test_a_reader_gets_an_intent(life: Life, wanted: dict[str, Any], methods: list[str], capture: str) -> None:
    order = life.order(currency="CAD")
    answer = life.at("create_terminal_intent", order, **wanted)
    assert (answer.status_code, list(answer.get_json())) == (200, ["id"])
    made = life.stripe.find(answer.get_json()["id"])
    assert (made["amount"], made["currency"], made["status"]) == (1023, "cad", "requires_payment_method")
    assert (made["payment_method_types"], made["capture_method"]) == (methods, capture)
    assert made["metadata"]["order_id"] == made["metadata"]["order_number"] == str(order)


@plays(GROUP, "create_terminal_intent_will_return_error_response_if_server_request_fails")
def test_the_provider_makes_no_intent(life: Life) -> None:
    order = life.order()
    assert life.local.provider_faults
    error = {"error": {"type": "invalid_request_error", "message": "Something went wrong"}}
    life.local.provider_faults.next(Fault.STATUS, match="POST /v1/payment_intents", status=400, body=error)
    refused = refusal(life.at("create_terminal_intent", order))
    assert refused == (500, "wcpay_server_error", "Unexpected server error")
    assert life.at("create_terminal_intent", order).status_code == 200


@plays(GROUP, "create_terminal_intent_order_not_found")
@pytest.mark.parametrize("order", ["not_an_id", 999_999])
def test_no_intent_for_an_order_that_is_not_there(life: Life, order: Any) -> None:
    assert refusal(life.at("create_terminal_intent", order)) == (404, "wcpay_missing_order", "Order not found")


@plays(
    GROUP,
    "create_terminal_intent_invalid_payment_method_format",
    "get_terminal_intent_payment_method_not_an_array",
    "create_terminal_intent_invalid_payment_method",
    "get_terminal_intent_payment_method_invalid_value",
    "create_terminal_intent_invalid_capture_method",
    "get_terminal_intent_capture_method_invalid_value",
)
@pytest.mark.parametrize(
    "wanted",
    [
        {"payment_methods": "not_an_array"},
        {"payment_methods": ["wrong_payment_method"]},
        {"payment_methods": ["card_present", "wrong_payment_method"]},
        {"capture_method": "wrong_capture_method"},
    ],
    ids=str,
)
def test_what_no_reader_knows_is_refused(life: Life, wanted: dict[str, Any]) -> None:
    refused = refusal(life.at("create_terminal_intent", life.order(), **wanted))
    assert refused == (500, "wcpay_server_error", "Unexpected server error")
