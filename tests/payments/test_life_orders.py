"""The routes of an order over HTTP, case by case as WooPayments' own tests have them, against Stripe's simulator."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from tests.plugins.local import Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"
CAPTURE_FAILED = "Payment capture failed to complete with the following message: "
CANCEL_FAILED = "Payment cancel failed to complete with the following message: "
MISSING = {"code": "wcpay_missing_order", "message": "Order not found"}
REFUNDED = "wcpay_refunded_order_uncapturable"
UNCAPTURABLE, MISMATCH = "wcpay_payment_uncapturable", "wcpay_intent_order_mismatch"
CAPTURES = ("capture_authorization", "capture_terminal_payment")


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    """A store that captures by hand, with direct charges."""
    return make_local(sqlite_url, "stripe_connect", capture="manual")


def at(local: Local, route: str, order: str | int, intent: str | None = None, **more: Any) -> TestResponse:
    order_id = local.orders.get(order, order) if isinstance(order, str) else order
    named = {} if intent is None else {"payment_intent_id": intent}
    return local.post(f"{PAYMENTS}/orders/{order_id}/{route}", named | more)


def authorized(local: Local, order: str = "payable") -> str:
    created = local.create(order).get_json()
    assert created["status"] == "requires_capture"
    local.work()
    return str(created["id"])


def presented(local: Local, order: str | int = "payable", card: str = "pm_card_visa", **wanted: Any) -> str:
    """A terminal intent that a card was held to the reader for."""
    assert local.stripe
    intent = at(local, "create_terminal_intent", order, **wanted).get_json()["id"]
    local.stripe.present_card(intent, card)
    return str(intent)


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    body = answer.get_json()
    assert body["data"]["status"] == answer.status_code
    return answer.status_code, body["code"], body["message"]


def taken(local: Local) -> list[int]:
    """What Stripe's own book says was captured."""
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries() if entry.kind == "captured"]


def asked(local: Local, verb: str) -> int:
    """How often Stripe was asked to do it."""
    assert local.stripe
    return sum(record.method == "POST" and record.path.endswith(f"/{verb}") for record in local.stripe.requests)


# --- capture_authorization


def test_an_authorization_is_captured_for_the_orders_total(stripe: Local) -> None:
    intent = authorized(stripe)
    answer = at(stripe, "capture_authorization", "payable", intent)
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, f'{{"status":"succeeded","id":"{intent}"}}')
    stripe.work()
    assert taken(stripe) == [1023]
    assert stripe.order()["status"] == "processing"
    assert any("successfully captured" in note for note in stripe.notes())


def test_what_was_captured_is_answered_again_and_not_captured_again(stripe: Local) -> None:
    intent = authorized(stripe)
    first = at(stripe, "capture_authorization", "payable", intent)
    again = at(stripe, "capture_authorization", "payable", intent)
    assert (again.status_code, again.data) == (200, first.data)
    assert taken(stripe) == [1023]
    assert asked(stripe, "capture") == 1


def test_an_order_that_became_cheaper_is_captured_for_what_it_costs_now(stripe: Local) -> None:
    intent = authorized(stripe)
    stripe.shop.update_order(stripe.orders["payable"], total="8.00")
    assert at(stripe, "capture_authorization", "payable", intent).status_code == 200
    assert taken(stripe) == [800]


def test_an_order_that_became_dearer_is_not_captured(stripe: Local) -> None:
    intent = authorized(stripe)
    stripe.shop.update_order(stripe.orders["payable"], total="20.00")
    status, code, message = refusal(at(stripe, "capture_authorization", "payable", intent))
    assert (status, code) == (502, "wcpay_capture_error")
    assert message.startswith(CAPTURE_FAILED)
    assert asked(stripe, "capture") == 0


@pytest.mark.parametrize("amount", [500, "500", 500.0])
def test_a_part_is_captured_and_the_rest_let_go(stripe: Local, amount: Any) -> None:
    intent = authorized(stripe)
    assert at(stripe, "capture_authorization", "payable", intent, amount=amount).status_code == 200
    assert stripe.stripe
    assert [(e.kind, e.amount) for e in stripe.stripe.ledger.entries() if e.kind in ("captured", "released")] == [
        ("captured", 500),
        ("released", 523),
    ]


@pytest.mark.parametrize("amount", [0, -1, 1024, 10**17])
def test_an_amount_beyond_the_authorization_is_refused_without_a_call(stripe: Local, amount: int) -> None:
    intent = authorized(stripe)
    status, code, message = refusal(at(stripe, "capture_authorization", "payable", intent, amount=amount))
    assert (status, code) == (502, "wcpay_capture_error")
    assert message.startswith(CAPTURE_FAILED)
    assert asked(stripe, "capture") == 0


@pytest.mark.parametrize("amount", ["much", True, 1.5, [500], {}, "", "5e2"])
def test_an_amount_that_is_no_integer_is_an_invalid_parameter(stripe: Local, amount: Any) -> None:
    answer = at(stripe, "capture_authorization", "payable", "pi_x", amount=amount)
    sentence = "amount is not of type integer."
    assert (answer.status_code, answer.get_json()) == (
        400,
        {
            "code": "rest_invalid_param",
            "message": "Invalid parameter(s): amount",
            "data": {
                "status": 400,
                "params": {"amount": sentence},
                "details": {"amount": {"code": "rest_invalid_type", "message": sentence, "data": {"param": "amount"}}},
            },
        },
    )


@pytest.mark.parametrize("route", [*CAPTURES, "cancel_authorization"])
@pytest.mark.parametrize("order", [999, "0", "no_such_order", "9" * 30, "00"])
def test_an_order_that_is_not_there(stripe: Local, route: str, order: Any) -> None:
    answer = at(stripe, route, order, "pi_x")
    assert answer.status_code == 404
    assert answer.get_json().items() >= MISSING.items()


@pytest.mark.parametrize("route", [*CAPTURES, "cancel_authorization"])
@pytest.mark.parametrize("intent", ["pi_unknown", "", "pi x", 123, ["pi_x"], {"id": "pi_x"}, "pi_\0", "x" * 1000])
def test_an_intent_that_is_not_there(stripe: Local, route: str, intent: Any) -> None:
    answer = at(stripe, route, "payable", intent)
    assert refusal(answer) == (500, "wcpay_server_error", "Unexpected server error")
    assert answer.get_json()["data"]["explanation"].startswith("No such payment_intent: ")


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("capture_authorization", "The payment cannot be captured"),
        ("cancel_authorization", "The payment cannot be canceled"),
    ],
)
def test_an_intent_of_another_order(stripe: Local, route: str, message: str) -> None:
    intent = authorized(stripe)
    assert refusal(at(stripe, route, "payable_2", intent)) == (409, MISMATCH, message)
    assert taken(stripe) == []


def test_an_intent_of_another_order_at_the_reader(stripe: Local) -> None:
    intent = presented(stripe)
    assert refusal(at(stripe, "capture_terminal_payment", "payable_2", intent))[:2] == (409, MISMATCH)
    assert asked(stripe, "capture") == 0


@pytest.mark.parametrize("route", CAPTURES)
def test_what_was_canceled_cannot_be_captured(stripe: Local, route: str) -> None:
    intent = authorized(stripe) if route == "capture_authorization" else presented(stripe)
    if route == "capture_terminal_payment":
        stripe.get(f"{PAYMENTS}/payment_intents/{intent}")
        hint(stripe, intent)
    assert at(stripe, "cancel_authorization", "payable", intent).status_code == 200
    assert refusal(at(stripe, route, "payable", intent))[:2] == (409, UNCAPTURABLE)
    assert taken(stripe) == []


@pytest.mark.parametrize(
    ("route", "verb"),
    [
        ("capture_authorization", "captured"),
        ("capture_terminal_payment", "captured"),
        ("cancel_authorization", "canceled"),
    ],
)
def test_nothing_of_a_refunded_order_is_captured_or_voided(stripe: Local, route: str, verb: str) -> None:
    message = f"Payment cannot be {verb} for partially or fully refunded orders."
    assert refusal(at(stripe, route, "refunded", "pi_x")) == (400, REFUNDED, message)
    intent = authorized(stripe)
    at(stripe, "capture_authorization", "payable", intent)
    order_id = stripe.orders["payable"]
    assert stripe.post(f"{PAYMENTS}/refund", {"order_id": order_id, "amount": 1}).status_code == 200
    before = asked(stripe, "capture") + asked(stripe, "cancel")
    assert refusal(at(stripe, route, "payable", intent)) == (400, REFUNDED, message)
    assert asked(stripe, "capture") + asked(stripe, "cancel") == before


@pytest.mark.parametrize(("status", "message"), [(400, "Test error"), (402, "Your card was declined.")])
@pytest.mark.parametrize("route", CAPTURES)
def test_what_the_provider_says_of_a_capture_is_handed_on(stripe: Local, route: str, status: int, message: str) -> None:
    intent = authorized(stripe) if route == "capture_authorization" else presented(stripe)
    assert stripe.provider_faults
    kind = "card_error" if status == 402 else "invalid_request_error"
    error = {"error": {"type": kind, "message": message}}
    stripe.provider_faults.next(Fault.STATUS, match="/capture", status=status, body=error)
    answer = at(stripe, route, "payable", intent)
    assert refusal(answer) == (status, "wcpay_capture_error", CAPTURE_FAILED + message)
    stripe.work()
    assert sum(message in note for note in stripe.notes()) == 1
    assert at(stripe, route, "payable", intent).status_code == 200
    assert taken(stripe) == [1023]


def test_an_authorization_that_ran_out_cannot_be_captured(stripe: Local) -> None:
    intent = authorized(stripe)
    assert stripe.stripe
    stripe.stripe.expire(intent)
    status, code, message = refusal(at(stripe, "capture_authorization", "payable", intent))
    assert (status, code) == (502, "wcpay_capture_error")
    assert message.startswith(CAPTURE_FAILED)
    stripe.work()
    assert stripe.order()["status"] == "failed"


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, Fault.ERROR_503])
def test_a_capture_whose_answer_is_lost_is_unknown_and_not_failed(stripe: Local, fault: Fault) -> None:
    intent = authorized(stripe)
    assert stripe.provider_faults
    stripe.provider_faults.next(fault, times=9, match="/capture")
    answer = at(stripe, "capture_authorization", "payable", intent)
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, "wcpay_server_error")
    data = body["data"]
    assert (data["outcome"], data["reason"], data["retryable"]) == ("unknown", "outcome_unknown", True)
    assert stripe.show(data["attempt_id"]).get_json()["id"] == intent
    again = at(stripe, "capture_authorization", "payable", intent)
    assert again.get_json()["data"]["reason"] in ("in_progress", "outcome_unknown")
    stripe.provider_faults.clear()
    for _ in range(3):
        stripe.clock.advance(700)
        stripe.work()
    assert at(stripe, "capture_authorization", "payable", intent).status_code == 200
    assert taken(stripe) == [1023]


@pytest.mark.parametrize("route", [*CAPTURES, "cancel_authorization", "create_customer", "create_terminal_intent"])
def test_a_shop_that_is_down_is_told_as_such(stripe: Local, route: str) -> None:
    stripe.shop_faults.next(Fault.ERROR_503, times=9)
    answer = at(stripe, route, "payable", "pi_x")
    assert (answer.status_code, answer.get_json()["data"]["reason"]) == (500, "store_unreachable")


# --- cancel_authorization


def test_an_authorization_is_voided_and_its_order_cancelled(stripe: Local) -> None:
    intent = authorized(stripe)
    answer = at(stripe, "cancel_authorization", "payable", intent)
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, f'{{"status":"canceled","id":"{intent}"}}')
    again = at(stripe, "cancel_authorization", "payable", intent)
    assert (again.status_code, again.data) == (200, answer.data)
    assert asked(stripe, "cancel") == 1
    stripe.work()
    assert stripe.order()["status"] == "cancelled"


def test_what_is_paid_is_not_voided(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url)
    intent = local.create().get_json()["id"]
    answer = at(local, "cancel_authorization", "payable", intent)
    assert refusal(answer) == (409, UNCAPTURABLE, "The payment cannot be canceled")


@pytest.mark.parametrize("status", [400, 402])
def test_a_void_that_the_provider_refuses_is_502_whatever_it_said(stripe: Local, status: int) -> None:
    intent = authorized(stripe)
    assert stripe.provider_faults
    kind = "card_error" if status == 402 else "invalid_request_error"
    error = {"error": {"type": kind, "message": "Test error"}}
    stripe.provider_faults.next(Fault.STATUS, match="/cancel", status=status, body=error)
    answer = at(stripe, "cancel_authorization", "payable", intent)
    assert refusal(answer) == (502, "wcpay_cancel_error", CANCEL_FAILED + "Test error")
    assert at(stripe, "cancel_authorization", "payable", intent).status_code == 200


# --- capture_terminal_payment


def test_an_in_person_payment_is_captured_with_a_trailing_slash(stripe: Local) -> None:
    intent = presented(stripe)
    answer = stripe.post(
        f"{PAYMENTS}/orders/{stripe.orders['payable']}/capture_terminal_payment/", {"payment_intent_id": intent}
    )
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, f'{{"status":"succeeded","id":"{intent}"}}')
    stripe.work()
    assert taken(stripe) == [1023]
    assert stripe.order()["transaction_id"] == intent


def test_what_the_readers_network_took_already_is_not_captured_again(stripe: Local) -> None:
    order = stripe.shop.add_order(total="5.00", currency="CAD")
    intent = presented(stripe, order, "pm_card_interac", payment_methods=["interac_present"])
    answer = at(stripe, "capture_terminal_payment", order, intent)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "succeeded", "id": intent})
    assert asked(stripe, "capture") == 0


def test_no_card_was_held_to_the_reader_yet(stripe: Local) -> None:
    intent = at(stripe, "create_terminal_intent", "payable").get_json()["id"]
    answer = at(stripe, "capture_terminal_payment", "payable", intent)
    assert refusal(answer) == (409, UNCAPTURABLE, "The payment cannot be captured")
    assert asked(stripe, "capture") == 0


def test_a_payment_of_the_web_is_not_captured_at_the_reader(stripe: Local) -> None:
    intent = authorized(stripe)
    sentence = "The payment cannot be captured for completed or processed orders."
    answer = at(stripe, "capture_terminal_payment", "payable", intent)
    assert refusal(answer) == (409, UNCAPTURABLE, sentence)
    assert asked(stripe, "capture") == 0


def test_a_provider_that_cannot_be_asked_before_a_capture(stripe: Local) -> None:
    intent = presented(stripe)
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_503, times=9)
    answer = at(stripe, "capture_terminal_payment", "payable", intent)
    assert refusal(answer) == (500, "wcpay_server_error", "Unexpected server error")
    stripe.provider_faults.clear()
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    assert taken(stripe) == [1023]


OTHER = "pi_xyz"


def hint(local: Local, intent: str) -> None:
    """Let the bridge look at a payment now."""
    body = {"type": "payment_intent.amount_capturable_updated", "data": {"object": {"id": intent}}}
    assert local.post(f"{PAYMENTS}/webhook", body).status_code == 200


@pytest.mark.parametrize(
    ("stored", "same", "expected"),
    [
        ("", False, 409),
        ("requires_capture", False, 409),
        ("succeeded", False, 409),
        ("canceled", True, 409),
        ("", True, 200),
        ("requires_capture", True, 200),
        # WooPayments says 409 here. Here it is what the first answer was, for whoever did not get that.
        ("succeeded", True, 200),
        # The order is free again, and nobody knows the other intent.
        ("canceled", False, 500),
    ],
)
def test_nobody_is_charged_twice_at_the_reader(stripe: Local, stored: str, same: bool, expected: int) -> None:
    """WooPayments' matrix: what is known of the order's intent, and whether that one or another is to be captured."""
    intent = presented(stripe)
    if stored:
        hint(stripe, intent)
    if stored == "succeeded":
        assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    if stored == "canceled":
        assert at(stripe, "cancel_authorization", "payable", intent).status_code == 200
    before = asked(stripe, "capture")
    answer = at(stripe, "capture_terminal_payment", "payable", intent if same else OTHER)
    assert answer.status_code == expected
    if expected == 409:
        assert answer.get_json()["code"] == UNCAPTURABLE
    captured = stored == "succeeded" or expected == 200
    assert taken(stripe) == ([1023] if captured else [])
    assert asked(stripe, "capture") == before + (expected == 200 and stored != "succeeded")


def test_an_intent_that_is_processing_is_not_captured(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url)
    intent = local.create(payment_method="pm_sandbox_processing").get_json()["id"]
    assert refusal(at(local, "capture_terminal_payment", "payable", intent))[:2] == (409, UNCAPTURABLE)


# --- create_terminal_intent


def test_a_terminal_intent_is_for_what_the_order_owes(stripe: Local) -> None:
    answer = at(stripe, "create_terminal_intent", "payable", metadata={"reader_ID": "tmr_1", "order_id": "4711"})
    assert (answer.status_code, list(answer.get_json())) == (200, ["id"])
    assert stripe.stripe
    intent = stripe.stripe.find(answer.get_json()["id"])
    assert (intent["amount"], intent["currency"], intent["capture_method"]) == (1023, "usd", "manual")
    assert intent["payment_method_types"] == ["card_present"]
    assert intent["metadata"]["order_id"] == str(stripe.orders["payable"])
    assert intent["metadata"]["reader_ID"] == "tmr_1"


def test_a_terminal_intent_takes_what_it_is_told(stripe: Local) -> None:
    wanted = {
        "payment_methods": ["card_present", "interac_present"],
        "capture_method": "automatic",
        "customer_id": stripe.customer,
    }
    assert stripe.stripe
    order = stripe.shop.add_order(total="5.00", currency="CAD")
    intent = stripe.stripe.find(at(stripe, "create_terminal_intent", order, **wanted).get_json()["id"])
    assert intent["payment_method_types"] == ["card_present", "interac_present"]
    assert (intent["capture_method"], intent["customer"]) == ("automatic", stripe.customer)


def test_a_repeated_terminal_intent_is_the_same(stripe: Local) -> None:
    first, again = (at(stripe, "create_terminal_intent", "payable").get_json() for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    "wanted",
    [
        {"payment_methods": "card_present"},
        {"payment_methods": []},
        {"payment_methods": ["card_present", "card"]},
        {"payment_methods": [["card_present"]]},
        {"capture_method": "later"},
        {"capture_method": ["manual"]},
        {"metadata": "x"},
        {"metadata": ["x"]},
    ],
    ids=str,
)
def test_wrong_wishes_for_a_terminal_intent(stripe: Local, wanted: dict[str, Any]) -> None:
    answer = at(stripe, "create_terminal_intent", "payable", **wanted)
    assert refusal(answer) == (500, "wcpay_server_error", "Unexpected server error")
    data = answer.get_json()["data"]
    assert (data["reason"], data["param"]) == ("invalid_parameter", next(iter(wanted)))


def test_a_terminal_intent_that_the_provider_refuses(stripe: Local) -> None:
    answer = at(stripe, "create_terminal_intent", "payable", customer_id="cus_unknown1")
    assert refusal(answer) == (500, "wcpay_server_error", "Unexpected server error")
    assert "No such customer" in answer.get_json()["data"]["explanation"]
    assert at(stripe, "create_terminal_intent", "payable").status_code == 200


def test_a_terminal_intent_of_an_order_that_is_not_there(stripe: Local) -> None:
    answer = at(stripe, "create_terminal_intent", 999)
    assert answer.status_code == 404
    assert answer.get_json().items() >= MISSING.items()


def test_an_order_that_is_paid_gets_no_terminal_intent(stripe: Local) -> None:
    authorized(stripe)
    assert refusal(at(stripe, "create_terminal_intent", "payable"))[:2] == (409, UNCAPTURABLE)
    answer = at(stripe, "create_terminal_intent", "paid")
    assert (answer.status_code, answer.get_json()["data"]["reason"]) == (500, "order_processing")


# --- create_customer


def test_a_guests_customer_is_made_and_then_kept_up_to_date(stripe: Local) -> None:
    assert stripe.stripe
    answer = at(stripe, "create_customer", "payable")
    assert (answer.status_code, list(answer.get_json())) == (200, ["id"])
    customer = answer.get_json()["id"]
    found = stripe.stripe.find(customer)
    assert (found["name"], found["email"], found["phone"]) == ("John Doe", "random.email@example.com", "5555555555")
    billing = stripe.order()["billing"]
    stripe.shop.update_order(stripe.orders["payable"], billing=billing | {"last_name": "Smith"})
    assert at(stripe, "create_customer", "payable").get_json() == {"id": customer}
    assert stripe.stripe.find(customer)["name"] == "John Smith"


def test_a_registered_shopper_is_one_customer_for_all_orders(stripe: Local) -> None:
    shopper = stripe.shop.add_customer("jane@example.com", "Jane", "Roe")
    orders = [stripe.shop.add_order(total="5.00", customer_id=shopper) for _ in range(2)]
    customers = [at(stripe, "create_customer", order).get_json()["id"] for order in orders]
    assert customers[0] == customers[1]
    assert at(stripe, "create_customer", "payable").get_json()["id"] != customers[0]


@pytest.mark.parametrize("status", ["completed", "cancelled", "refunded", "failed"])
def test_a_closed_order_gets_no_customer(stripe: Local, status: str) -> None:
    stripe.shop.update_order(stripe.orders["payable"], status=status)
    answer = at(stripe, "create_customer", "payable")
    assert refusal(answer) == (400, "wcpay_invalid_order_status", "Invalid order status")


def test_a_customer_of_an_order_that_is_not_there(stripe: Local) -> None:
    answer = at(stripe, "create_customer", 999)
    assert answer.status_code == 404
    assert answer.get_json().items() >= MISSING.items()


def test_a_customer_that_the_provider_refuses(stripe: Local) -> None:
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.STATUS, match="/v1/customers", status=400)
    answer = at(stripe, "create_customer", "payable")
    assert refusal(answer) == (500, "wcpay_server_error", "Unexpected server error")
