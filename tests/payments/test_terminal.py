"""In-person payments and customers over HTTP, case by case as WooPayments' own tests have them."""

from functools import partial
from typing import Any

import pytest

from bridge.reconcile.run import hold_all
from bridge.simulators.faults import Fault
from tests.payments.orders import (
    CAPTURES,
    MISMATCH,
    PAYMENTS,
    REFUNDED,
    UNCAPTURABLE,
    asked,
    at,
    authorized,
    presented,
    taken,
)
from tests.plugins.local import Local, MakeLocal, refusal


def test_a_payment_of_the_web_is_not_captured_at_the_reader(stripe: Local) -> None:
    intent = authorized(stripe)
    sentence = "The payment cannot be captured for completed or processed orders."
    answer = at(stripe, "capture_terminal_payment", "payable", intent)
    assert refusal(answer) == (409, UNCAPTURABLE, sentence)
    assert asked(stripe, "capture") == 0


def test_another_payment_of_the_order_counts_before_whose_payment_it_is(stripe: Local) -> None:
    """WooPayments looks at what it has stored of the order before it asks for the intent: nothing before a capture."""
    intent = presented(stripe)
    own = presented(stripe, "payable_2")
    named = refusal(at(stripe, "capture_terminal_payment", "payable_2", intent))
    assert named == (409, MISMATCH, "The payment cannot be captured")
    assert asked(stripe, "capture") == 0
    assert at(stripe, "capture_terminal_payment", "payable_2", own).status_code == 200
    sentence = "The payment cannot be captured for completed or processed orders."
    assert refusal(at(stripe, "capture_terminal_payment", "payable_2", intent)) == (409, UNCAPTURABLE, sentence)
    assert asked(stripe, "capture") == 1


def test_what_the_provider_is_still_at_is_not_captured(stripe: Local) -> None:
    intent = presented(stripe)
    assert stripe.stripe
    assert stripe.provider_faults
    busy = stripe.stripe.find(intent) | {"status": "processing", "latest_charge": None}
    stripe.provider_faults.next(Fault.STATUS, match=f"GET /v1/payment_intents/{intent}", status=200, body=busy)
    sentence = "The payment cannot be captured for completed or processed orders."
    assert refusal(at(stripe, "capture_terminal_payment", "payable", intent)) == (409, UNCAPTURABLE, sentence)
    assert asked(stripe, "capture") == 0
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200


@pytest.mark.parametrize("route", ["create_terminal_intent", "capture_terminal_payment"])
def test_an_adapter_without_card_readers_says_so(make_local: MakeLocal, sqlite_url: str, route: str) -> None:
    settings = {"client_id": "shop-7", "client_secret": "s" * 40, "mode": "redirect"}
    local = make_local(sqlite_url, "forte_payments", settings=settings)
    answer = at(local, route, "payable", "pi_x")
    assert refusal(answer) == (501, "wcpay_not_supported", f"{route} is not supported by forte_payments.")


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


def test_metadata_that_no_database_takes_are_taken_without_that(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url, "stripe_connect", capture="manual")
    intent = presented(local, metadata={"reader": "tmr\0_1"})
    assert at(local, "capture_terminal_payment", "payable", intent).status_code == 200
    assert local.show(intent).get_json()["metadata"]["reader"] == "tmr_1"
    listed = local.get(f"{PAYMENTS}/transactions").get_json()["data"]
    assert [(line["payment_intent_id"], line["customer_name"]) for line in listed] == [(intent, "John Doe")]


def test_a_repeated_terminal_intent_is_the_same(stripe: Local) -> None:
    first, again = (at(stripe, "create_terminal_intent", "payable").get_json() for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    "other",
    [
        {"payment_methods": ["card_present", "interac_present"]},
        {"metadata": {"reader_ID": "tmr_2"}},
        {"customer_id": ...},
        {"capture_method": "automatic"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_terminal_intent_for_something_else_replaces_the_open_one(stripe: Local, other: dict[str, Any]) -> None:
    stripe.orders["payable"] = stripe.shop.add_order(total="5.00", currency="CAD")
    wanted = {"metadata": {"reader_ID": "tmr_1"}}
    other = {name: stripe.customer if value is ... else value for name, value in other.items()}
    first = at(stripe, "create_terminal_intent", "payable", **wanted).get_json()["id"]
    second = at(stripe, "create_terminal_intent", "payable", **wanted | other).get_json()["id"]
    assert first != second
    assert stripe.stripe
    assert stripe.stripe.find(first)["status"] == "canceled"
    assert at(stripe, "create_terminal_intent", "payable", **wanted | other).get_json()["id"] == second


def test_a_terminal_intent_that_a_card_was_held_to_is_not_replaced(stripe: Local) -> None:
    intent = presented(stripe)
    answer = at(stripe, "create_terminal_intent", "payable", metadata={"reader_ID": "tmr_2"})
    assert refusal(answer)[:2] == (409, UNCAPTURABLE)
    assert stripe.stripe
    assert stripe.stripe.find(intent)["status"] == "requires_capture"


def test_no_reader_is_given_an_intent_before_its_store_was_reconciled(stripe: Local) -> None:
    """Not even one that is open: no attempt is begun for it, which would be refused by itself."""
    assert at(stripe, "create_terminal_intent", "payable").status_code == 200
    assert hold_all(stripe.bridge.services) == [stripe.store.id]
    assert at(stripe, "create_terminal_intent", "payable").get_json()["data"]["reason"] == "reconcile_first"


def test_a_terminal_intent_whose_answer_was_lost_is_found_by_the_next_request(stripe: Local) -> None:
    assert stripe.stripe
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.DROPPED, times=2, match="POST /v1/payment_intents")
    assert at(stripe, "create_terminal_intent", "payable").get_json()["data"]["reason"] == "outcome_unknown"
    stripe.clock.advance(60)
    intent = at(stripe, "create_terminal_intent", "payable").get_json()["id"]
    stripe.stripe.present_card(intent)
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    assert taken(stripe) == [1023]


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


def test_an_order_that_is_paid_gets_no_terminal_intent(stripe: Local) -> None:
    authorized(stripe)
    assert refusal(at(stripe, "create_terminal_intent", "payable"))[:2] == (409, UNCAPTURABLE)
    answer = at(stripe, "create_terminal_intent", "paid")
    assert (answer.status_code, answer.get_json()["data"]["reason"]) == (500, "order_processing")


def test_a_customer_that_the_provider_refuses(stripe: Local) -> None:
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.STATUS, match="/v1/customers", status=400)
    answer = at(stripe, "create_customer", "payable")
    assert refusal(answer) == (500, "wcpay_server_error", "Unexpected server error")


# --- what is handed on as the provider says it


@pytest.mark.parametrize(
    ("method", "path", "at_stripe"),
    [
        ("POST", "connection_tokens", "/v1/terminal/connection_tokens"),
        ("GET", "customers/cus_1/payment_methods", "/v1/customers/cus_1/payment_methods"),
    ],
)
def test_what_the_provider_says_is_handed_on(stripe: Local, method: str, path: str, at_stripe: str) -> None:
    assert stripe.provider_faults
    error = {"error": {"type": "invalid_request_error", "code": "terminal_off", "message": "Not now."}}
    stripe.provider_faults.next(Fault.STATUS, match=at_stripe, status=400, body=error)
    ask = stripe.get if method == "GET" else partial(stripe.post, body={})
    assert refusal(ask(f"{PAYMENTS}/{path}")) == (500, "terminal_off", "Error: Not now.")
    stripe.provider_faults.next(Fault.ERROR_503, times=9, match=at_stripe)
    answer = ask(f"{PAYMENTS}/{path}")
    assert refusal(answer)[:2] == (500, "wcpay_http_request_failed")
    assert answer.get_json()["data"]["retryable"] is True


@pytest.mark.parametrize("reader", [True, False], ids=["at the reader", "on the web"])
def test_an_order_that_was_sent_back_whole_is_paid_again_when_its_shop_asks_for_it(stripe: Local, reader: bool) -> None:
    make, route = (presented, CAPTURES[1]) if reader else (authorized, CAPTURES[0])
    order_id, intents = stripe.orders["payable"], []
    for amount in (1023, 300):
        intents.append(make(stripe))
        assert at(stripe, route, "payable", intents[-1]).get_json() == {"status": "succeeded", "id": intents[-1]}
        stripe.work()
        assert stripe.post(f"{PAYMENTS}/refund", {"order_id": order_id, "amount": amount}).status_code == 200
        assert refusal(at(stripe, route, "payable", intents[-1]))[:2] == (400, REFUNDED)
        stripe.work()
        assert stripe.order()["status"] == ("completed" if reader else "processing") if amount == 300 else "refunded"
        stripe.shop.update_order(order_id, status="pending")
    assert len(set(intents)) == 2
    assert taken(stripe) == [1023, 1023]


def test_an_order_of_which_a_part_was_sent_back_is_not_paid_again_at_the_reader(stripe: Local) -> None:
    intent = presented(stripe)
    assert at(stripe, "capture_terminal_payment", "payable", intent).status_code == 200
    stripe.work()
    order_id = stripe.orders["payable"]
    assert stripe.post(f"{PAYMENTS}/refund", {"order_id": order_id, "amount": 1022}).status_code == 200
    stripe.work()
    stripe.shop.update_order(order_id, status="pending")
    assert refusal(at(stripe, "create_terminal_intent", "payable", metadata={"again": "yes"}))[:2] == (
        409,
        UNCAPTURABLE,
    )
    assert taken(stripe) == [1023]
