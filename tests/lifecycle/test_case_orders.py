"""The cases of WooPayments' orders controller, over HTTP, against Stripe's simulator: 8.4.0, `tests/unit`."""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.lifecycle.cases import plays
from tests.lifecycle.lives import Life
from tests.plugins.local import refusal

GROUP = "orders controller"
NOT_CAPTURED = "Payment capture failed to complete with the following message: "
NOT_CANCELED = "Payment cancel failed to complete with the following message: "
CAPTURES = pytest.mark.parametrize("route", ["capture_terminal_payment", "capture_authorization"])


@pytest.fixture
def life(manual: Life) -> Life:
    return manual


def authorized(life: Life, route: str = "capture_authorization") -> tuple[int, str]:
    """An order, and its intent as the route wants it: paid on the web, or by a card at the reader."""
    order = life.order()
    if route == "capture_authorization":
        return order, str(life.pay(order)["id"])
    intent = str(life.at("create_terminal_intent", order).get_json()["id"])
    life.present_card(intent)
    return order, intent


def fails_with(life: Life, path: str, message: str, status: int = 400) -> None:
    """Stripe refuses the next request of that kind."""
    assert life.local.provider_faults
    kind = "card_error" if status == 402 else "invalid_request_error"
    error = {"error": {"type": kind, "message": message}}
    life.local.provider_faults.next(Fault.STATUS, match=path, status=status, body=error)


@plays(GROUP, "capture_terminal_payment_success", "capture_authorization_success")
@CAPTURES
def test_what_was_authorised_is_captured(life: Life, route: str) -> None:
    order, intent = authorized(life, route)
    answer = life.at(route, order, intent)
    assert (answer.status_code, answer.data) == (200, f'{{"status":"succeeded","id":"{intent}"}}'.encode())
    life.work()
    shown = life.shown(order)
    options = life.local.store.options
    assert (shown["payment_method"], shown["transaction_id"]) == (options["payment_method"], intent)
    assert (shown["payment_method_title"], shown["status"]) == (
        ("WooCommerce In-Person Payments", "completed")
        if route == "capture_terminal_payment"
        else (options["payment_method_title"], "processing")
    )
    assert life.book(intent)["captured"] == 1023


@plays(GROUP, "capture_terminal_payment_succeeded_intent")
def test_what_interacs_network_took_at_once_is_not_captured_again(life: Life) -> None:
    order = life.order("5.00", currency="CAD")
    intent = life.at("create_terminal_intent", order, payment_methods=["interac_present"]).get_json()["id"]
    life.present_card(intent, "pm_card_interac")
    before = life.asked("capture")
    answer = life.at("capture_terminal_payment", order, intent)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "succeeded", "id": intent})
    life.work()
    assert life.asked("capture") == before
    assert (life.status(order), life.book(intent)["captured"]) == ("completed", 500)


@plays(GROUP, "capture_terminal_payment_completed_order")
def test_the_provider_told_of_the_payment_before_the_app_asked_for_it(life: Life) -> None:
    order = life.order()
    intent = life.at("create_terminal_intent", order, capture_method="automatic").get_json()["id"]
    life.present_card(intent)
    life.tell(intent)
    life.local.shop.update_order(order, status="completed")
    answer = life.at("capture_terminal_payment", order, intent)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "succeeded", "id": intent})
    life.work()
    assert (life.status(order), life.book(intent)["captured"]) == ("completed", 1023)


@plays(GROUP, "capture_terminal_payment_intent_non_capturable", "capture_authorization_intent_non_capturable")
@CAPTURES
def test_what_no_card_was_presented_for_cannot_be_captured(life: Life, route: str) -> None:
    order = life.order()
    intent = life.at("create_terminal_intent", order).get_json()["id"]
    before = life.asked("capture")
    refused = refusal(life.at(route, order, intent))
    assert refused == (409, "wcpay_payment_uncapturable", "The payment cannot be captured")
    assert life.asked("capture") == before


@plays(
    GROUP,
    "capture_terminal_succeeded_payment_intent_missing_order_id",
    "capture_authorization_with_succeeded_payment_intent_and_missing_order_id_throws_error",
)
@CAPTURES
def test_an_intent_that_was_not_made_for_the_order_is_not_captured_for_it(life: Life, route: str) -> None:
    order = life.order()
    _, foreign = authorized(life, route)
    assert refusal(life.at(route, order, foreign)) == (
        409,
        "wcpay_intent_order_mismatch",
        "The payment cannot be captured",
    )
    assert refusal(life.at(route, order, "pi_without_any_metadata"))[:2] == (500, "wcpay_server_error")
    life.work()
    assert life.status(order) == "pending"
    assert life.book(foreign)["captured"] == 0


@plays(GROUP, "capture_terminal_payment_refunded_order", "capture_authorization_refunded_order")
@CAPTURES
def test_nothing_of_a_refunded_order_is_captured(life: Life, route: str) -> None:
    order, intent = authorized(life, route)
    life.at(route, order, intent)
    life.work()
    assert life.refund(order_id=order, amount=1).status_code == 200
    requests = len(life.stripe.requests)
    sentence = "Payment cannot be captured for partially or fully refunded orders."
    assert refusal(life.at(route, order, intent)) == (400, "wcpay_refunded_order_uncapturable", sentence)
    assert len(life.stripe.requests) == requests


@plays(
    GROUP,
    "capture_terminal_payment_error_when_capturing",
    "capture_authorization_error_when_capturing",
    "capture_terminal_payment_error_invalid_arguments",
    "capture_authorization_error_invalid_arguments",
)
@CAPTURES
@pytest.mark.parametrize(("provider", "status"), [(401, 502), (403, 502), (400, 400), (402, 402)])
def test_why_a_capture_failed_is_handed_on(life: Life, route: str, provider: int, status: int) -> None:
    order, intent = authorized(life, route)
    fails_with(life, "/capture", "Test error", provider)
    refused = refusal(life.at(route, order, intent))
    assert refused[:2] == (status, "wcpay_capture_error")
    if provider < 401:
        assert refused[2] == f"{NOT_CAPTURED}Error: Test error"
    assert refused[2].startswith(NOT_CAPTURED)
    life.work()
    assert life.status(order) == "on-hold"
    assert life.book(intent)["captured"] == 0


@plays(GROUP, "capture_terminal_payment_handles_exceptions", "capture_authorization_handles_exceptions")
@CAPTURES
def test_a_provider_or_a_shop_that_cannot_be_asked(life: Life, route: str) -> None:
    order, intent = authorized(life, route)
    for faults in (life.local.provider_faults, life.local.shop_faults):
        assert faults
        faults.next(Fault.ERROR_503, times=9)
        assert refusal(life.at(route, order, intent))[:2] == (500, "wcpay_server_error")
        faults.clear()
        life.local.clock.advance(700)
        life.work()
        life.local.clock.advance(700)
        life.work()
    assert life.at(route, order, intent).status_code == 200
    assert life.book(intent)["captured"] == 1023


@plays(GROUP, "capture_terminal_payment_not_found", "capture_authorization_not_found")
@CAPTURES
@pytest.mark.parametrize("order", ["not_an_id", 999_999])
def test_the_order_is_not_there(life: Life, route: str, order: Any) -> None:
    assert refusal(life.at(route, order, "pi_mock")) == (404, "wcpay_missing_order", "Order not found")


@plays(GROUP, "capture_authorization_succeeded_intent_throws_error")
def test_what_was_captured_is_answered_again(life: Life) -> None:
    order, intent = authorized(life)
    first = life.capture(order, intent)
    before = life.asked("capture")
    assert life.capture(order, intent).data == first.data
    assert life.asked("capture") == before


# --- voids


@plays(GROUP, "cancel_authorization_success")
def test_an_authorization_is_voided(life: Life) -> None:
    order, intent = authorized(life)
    answer = life.at("cancel_authorization", order, intent)
    assert (answer.status_code, answer.data) == (200, f'{{"status":"canceled","id":"{intent}"}}'.encode())
    life.work()
    assert life.status(order) == "cancelled"
    assert life.book(intent)["canceled"] == 1023


@plays(GROUP, "cancel_authorization_will_fail_if_order_is_incorrect")
@pytest.mark.parametrize("order", ["not_an_id", 999_999])
def test_nothing_of_an_order_that_is_not_there_is_voided(life: Life, order: Any) -> None:
    assert refusal(life.at("cancel_authorization", order, "pi_mock")) == (
        404,
        "wcpay_missing_order",
        "Order not found",
    )


@plays(GROUP, "cancel_authorization_will_fail_if_order_is_refunded")
def test_nothing_of_a_refunded_order_is_voided(life: Life) -> None:
    order, intent = authorized(life)
    life.capture(order, intent)
    assert life.refund(order_id=order, amount=1).status_code == 200
    sentence = "Payment cannot be canceled for partially or fully refunded orders."
    refused = refusal(life.at("cancel_authorization", order, intent))
    assert refused == (400, "wcpay_refunded_order_uncapturable", sentence)


@plays(GROUP, "cancel_authorization_will_fail_if_order_does_not_match_with_payment_intent")
def test_another_orders_authorization_is_not_voided(life: Life) -> None:
    _, intent = authorized(life)
    refused = refusal(life.at("cancel_authorization", life.order(), intent))
    assert refused == (409, "wcpay_intent_order_mismatch", "The payment cannot be canceled")
    assert life.stripe.find(intent)["status"] == "requires_capture"


@plays(GROUP, "cancel_authorization_will_fail_if_gateway_fails_to_cancel_authorization")
@pytest.mark.parametrize("status", [400, 402])
def test_a_void_that_the_provider_refuses_is_502(life: Life, status: int) -> None:
    order, intent = authorized(life)
    fails_with(life, "/cancel", "Test error", status)
    refused = refusal(life.at("cancel_authorization", order, intent))
    assert refused == (502, "wcpay_cancel_error", f"{NOT_CANCELED}Error: Test error")
    life.work()
    assert life.status(order) == "on-hold"


# --- nobody is charged twice at the reader

ALLOWED, OTHER_PAYMENT = 200, 409
MATRIX = [
    ("requires_capture", "pi_xyz", OTHER_PAYMENT),
    ("", "pi_xyz", OTHER_PAYMENT),
    ("succeeded", "pi_abc", ALLOWED),  # there 409; here the first answer again, and nothing is captured
    ("succeeded", "pi_xyz", OTHER_PAYMENT),
    ("canceled", "pi_abc", OTHER_PAYMENT),
    ("canceled", "pi_xyz", 500),  # there 409; here the order is free again, and nobody knows the other intent
    ("processing", "pi_abc", OTHER_PAYMENT),
]


@plays(GROUP, "capture_terminal_payment_prevents_double_charging_order_with_intent_meta")
@pytest.mark.parametrize(("stored", "requested", "status"), MATRIX, ids=str)
def test_nobody_is_charged_twice(life: Life, stored: str, requested: str, status: int) -> None:
    """`pi_abc` is the order's intent, known with the status `stored`."""
    if stored == "processing":
        slow = life.stripe.add_payment_method("pm_card_visa", life.local.customer, life.local.store.settings["account"])
        life.stripe.answer_later(slow)
        order = life.order()
        intent = life.pay(order, payment_method=slow)["id"]
    else:
        order, intent = authorized(life, "capture_terminal_payment")
        if stored:
            life.tell(intent)
        if stored == "succeeded":
            life.at("capture_terminal_payment", order, intent)
        if stored == "canceled":
            life.at("cancel_authorization", order, intent)
    captures, taken = life.asked("capture"), life.book(intent)["captured"]
    answer = life.at("capture_terminal_payment", order, intent if requested == "pi_abc" else "pi_xyz")
    assert answer.status_code == status
    if status == OTHER_PAYMENT:
        assert answer.get_json()["code"] == "wcpay_payment_uncapturable"
    life.work()
    assert life.asked("capture") == captures
    assert life.book(intent)["captured"] == taken


@plays(GROUP, "capture_terminal_payment_allows_charging_order_with_intent_meta")
@pytest.mark.parametrize("stored", ["", "requires_capture"])
def test_what_is_open_may_be_captured(life: Life, stored: str) -> None:
    order, intent = authorized(life, "capture_terminal_payment")
    if stored:
        life.tell(intent)
    answer = life.at("capture_terminal_payment", order, intent)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "succeeded", "id": intent})
    assert life.book(intent)["captured"] == 1023
