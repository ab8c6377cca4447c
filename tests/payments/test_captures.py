"""Capture and void over HTTP, case by case as WooPayments' own tests have them, against Stripe's simulator."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from tests.payments.orders import (
    CAPTURE_FAILED,
    CAPTURES,
    MISMATCH,
    MISSING,
    PAYMENTS,
    REFUNDED,
    UNCAPTURABLE,
    asked,
    at,
    authorized,
    hint,
    presented,
    taken,
)
from tests.payments.rows import behind_the_row
from tests.plugins.local import Local, MakeLocal, refusal


@pytest.mark.parametrize(
    ("route", "status"), [("capture_authorization", "succeeded"), ("cancel_authorization", "canceled")]
)
def test_what_the_buyer_has_just_authorised_is_captured_or_voided_before_anybody_told_of_it(
    make_local: MakeLocal, sqlite_url: str, route: str, status: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual", settings={"off_session": "no"})
    assert local.stripe
    intent = local.create(payment_method="pm_card_authenticationRequired").get_json()["id"]
    assert refusal(at(local, route, "payable", intent))[:2] == (409, UNCAPTURABLE)
    local.stripe.authenticate(intent)
    assert at(local, route, "payable", intent).get_json() == {"status": status, "id": intent}


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


@pytest.mark.parametrize("wanted", [{}, {"amount": 500}], ids=["whole", "part"])
def test_an_order_that_changed_its_currency_is_not_captured(stripe: Local, wanted: dict[str, Any]) -> None:
    intent = authorized(stripe)
    stripe.shop.update_order(stripe.orders["payable"], currency="EUR")
    status, code, message = refusal(at(stripe, "capture_authorization", "payable", intent, **wanted))
    assert (status, code) == (502, "wcpay_capture_error")
    assert message == f"{CAPTURE_FAILED}the order is in EUR now, and 10.23 USD was authorized."
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


def test_an_intent_of_another_order_at_the_reader(stripe: Local) -> None:
    intent = presented(stripe)
    assert refusal(at(stripe, "capture_terminal_payment", "payable_2", intent))[:2] == (409, MISMATCH)
    assert asked(stripe, "capture") == 0


@pytest.mark.parametrize("route", CAPTURES)
def test_what_was_canceled_cannot_be_captured(stripe: Local, route: str) -> None:
    intent = authorized(stripe) if route == "capture_authorization" else presented(stripe)
    if route == "capture_terminal_payment":
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


@pytest.mark.parametrize(
    ("route", "verb"),
    [
        ("capture_authorization", "captured"),
        ("capture_terminal_payment", "captured"),
    ],
)
def test_nothing_is_captured_of_an_order_that_staff_refunded_whole(stripe: Local, route: str, verb: str) -> None:
    intent = presented(stripe) if route == "capture_terminal_payment" else authorized(stripe)
    stripe.shop.refund(stripe.orders["payable"], "10.23")
    message = f"Payment cannot be {verb} for partially or fully refunded orders."
    assert refusal(at(stripe, route, "payable", intent)) == (400, REFUNDED, message)
    assert asked(stripe, "capture") + asked(stripe, "cancel") == 0


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "once"}], ids=["no key", "key"])
@pytest.mark.parametrize(("wanted", "amount"), [({}, 1023), ({"amount": 500}, 500)], ids=["whole", "part"])
@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, Fault.ERROR_503])
def test_a_capture_whose_answer_is_lost_is_unknown_and_not_failed(
    stripe: Local, fault: Fault, wanted: dict[str, int], amount: int, headers: dict[str, str]
) -> None:
    intent = authorized(stripe)

    def capture() -> TestResponse:
        body = {"payment_intent_id": intent} | wanted
        return stripe.post(f"{PAYMENTS}/orders/{stripe.orders['payable']}/capture_authorization", body, headers=headers)

    assert stripe.provider_faults
    stripe.provider_faults.next(fault, times=9, match="/capture")
    answer = capture()
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, "wcpay_server_error")
    data = body["data"]
    assert (data["outcome"], data["reason"], data["retryable"]) == ("unknown", "outcome_unknown", True)
    assert stripe.show(data["attempt_id"]).get_json()["id"] == intent
    assert capture().get_json()["data"]["reason"] in ("in_progress", "outcome_unknown")
    stripe.provider_faults.clear()
    for _ in range(3):
        stripe.clock.advance(700)
        stripe.work()
    for _ in range(2):
        assert capture().get_json() == {"status": "succeeded", "id": intent}
    assert taken(stripe) == [amount]


@pytest.mark.parametrize("route", [*CAPTURES, "cancel_authorization", "create_customer", "create_terminal_intent"])
def test_a_shop_that_is_down_is_told_as_such(stripe: Local, route: str) -> None:
    stripe.shop_faults.next(Fault.ERROR_503, times=9)
    answer = at(stripe, route, "payable", "pi_x")
    assert (answer.status_code, answer.get_json()["data"]["reason"]) == (500, "store_unreachable")


def test_an_authorization_is_voided_and_its_order_cancelled(stripe: Local) -> None:
    intent = authorized(stripe)
    answer = at(stripe, "cancel_authorization", "payable", intent)
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, f'{{"status":"canceled","id":"{intent}"}}')
    again = at(stripe, "cancel_authorization", "payable", intent)
    assert (again.status_code, again.data) == (200, answer.data)
    assert asked(stripe, "cancel") == 1
    stripe.work()
    assert stripe.order()["status"] == "cancelled"


@pytest.mark.parametrize("route", ["capture_authorization", "cancel_authorization"])
def test_of_many_that_wait_for_each_other_one_reaches_the_provider(
    make_local: MakeLocal, postgres_url: str, route: str
) -> None:
    local = make_local(postgres_url, "stripe_connect", capture="manual")
    created = local.create().get_json()
    local.work()

    def ask(number: int) -> TestResponse:
        part = {"amount": 100 + number} if route == "capture_authorization" else {}
        return at(local, route, "payable", created["id"], **part)

    statuses = [answer.status_code for answer in behind_the_row(postgres_url, created["attempt_id"], 5, ask)]
    assert asked(local, "capture") + asked(local, "cancel") == 1
    assert statuses.count(200) >= 1


@pytest.mark.parametrize("route", ["capture_authorization", "cancel_authorization"])
@pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
def test_the_payment_of_an_order_that_came_back_with_another_key_is_left_alone(
    make_local: MakeLocal, sqlite_url: str, adapter: str, route: str
) -> None:
    local = make_local(sqlite_url, adapter, capture="manual")
    intent = authorized(local)
    local.shop.update_order(local.orders["payable"], order_key="wc_order_another")
    assert refusal(at(local, route, "payable", intent))[:2] == (409, MISMATCH)
    assert local.show(intent).get_json()["status"] == "requires_capture"


def test_what_is_captured_in_parts_never_exceeds_what_was_authorised(make_local: MakeLocal, sqlite_url: str) -> None:
    """The bridge says so itself: what is left to the provider to refuse, the shop would hear of as a failed capture."""
    local = make_local(sqlite_url, capture="manual", settings={"multicapture": "yes"})
    intent = authorized(local)
    assert at(local, "capture_authorization", "payable", intent, amount=1000).status_code == 200
    for amount in (24, 1023):
        status, _, message = refusal(at(local, "capture_authorization", "payable", intent, amount=amount))
        assert (status, "between zero and the authorized 0.23 USD" in message) == (502, True)
    local.work()
    assert not any("failed to complete" in note for note in local.notes())
    assert at(local, "capture_authorization", "payable", intent, amount=23).status_code == 200
    assert local.show(intent).get_json()["charge"]["amount_captured"] == 1023
