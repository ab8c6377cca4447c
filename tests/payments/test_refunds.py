"""Refunds over HTTP: in parts, by order and by charge, what is refused, and who wins when many ask at once."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.simulators.faults import Fault
from tests.payments.orders import asked, hint
from tests.payments.providers import REFUNDING, pay, refunds, shop_at
from tests.payments.rows import behind_the_row
from tests.plugins.concurrently import at_once
from tests.plugins.local import Local, MakeLocal
from tests.web.conftest import OpenShop

PAYMENTS = "/wp-json/wc/v3/payments"
MEMBERS = ["id", "object", "amount", "currency", "charge", "payment_intent", "reason", "status", "created"]


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


def refund(local: Local, **wanted: Any) -> TestResponse:
    return local.post(f"{PAYMENTS}/refund", wanted)


def paid(local: Local, order: str | int = "payable") -> dict[str, Any]:
    created: dict[str, Any] = local.create(order).get_json()
    assert created["status"] == "succeeded"
    local.work()
    return created


def sent_back(local: Local) -> list[int]:
    """What the provider's own book says."""
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries() if entry.kind == "refunded"]


def refusal(answer: TestResponse) -> tuple[int, str, str]:
    body = answer.get_json()
    assert body["data"]["status"] == answer.status_code
    return answer.status_code, body["code"], body["message"]


def test_a_payment_is_sent_back_in_three_parts(stripe: Local) -> None:
    intent = paid(stripe)
    order, charge = stripe.orders["payable"], intent["charge"]["id"]
    answers = [
        refund(stripe, order_id=order, amount=300, reason="duplicate"),
        refund(stripe, charge_id=charge, amount="200", reason="The hat was too small."),
        refund(stripe, order_id=str(order), charge_id=charge, amount=523),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    first, second, third = (answer.get_json() for answer in answers)
    assert list(first) == MEMBERS
    assert stripe.stripe
    assert first == {
        "id": first["id"],
        "object": "refund",
        "amount": 300,
        "currency": "usd",
        "charge": charge,
        "payment_intent": intent["id"],
        "reason": "duplicate",
        "status": "succeeded",
        "created": int(stripe.clock()),
    }
    assert [stripe.stripe.find(each["id"])["reason"] for each in (first, second, third)] == ["duplicate", None, None]
    assert (second["reason"], third["reason"]) == ("The hat was too small.", None)
    assert sent_back(stripe) == [300, 200, 523]
    shown = stripe.get(f"{PAYMENTS}/charges/{charge}").get_json()
    assert (shown["amount_refunded"], shown["refunded"], shown["captured"]) == (1023, True, True)
    assert [each["amount"] for each in shown["refunds"]["data"]] == [300, 200, 523]


def test_no_more_is_sent_back_than_was_captured(stripe: Local) -> None:
    paid(stripe)
    order = stripe.orders["payable"]
    assert refund(stripe, order_id=order, amount=1000).status_code == 200
    for amount in (24, 1023, 10**14):
        assert refusal(refund(stripe, order_id=order, amount=amount)) == (500, "error", "Invalid refund amount.")
    assert refund(stripe, order_id=order, amount=23).status_code == 200
    assert refusal(refund(stripe, order_id=order, amount=1))[1] == "error"
    assert sent_back(stripe) == [1000, 23]


def test_what_was_captured_in_part_is_sent_back_in_part(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    intent = local.create().get_json()
    order = local.orders["payable"]
    answer = refund(local, order_id=order, amount=1)
    assert refusal(answer)[:2] == (500, "uncaptured-payment")
    path = f"{PAYMENTS}/orders/{order}/capture_authorization"
    local.post(path, {"payment_intent_id": intent["id"], "amount": 600})
    assert refusal(refund(local, order_id=order, amount=601))[1] == "error"
    assert refund(local, order_id=order, amount=600).status_code == 200
    assert sent_back(local) == [600]


@pytest.mark.parametrize("amount", [None, 0, -1, "", "1.5", 1.5, True, [1], {}, "much", "1e2", "٣"], ids=repr)
def test_an_amount_that_is_no_sum_of_money_is_refused(stripe: Local, amount: Any) -> None:
    paid(stripe)
    answer = refund(stripe, order_id=stripe.orders["payable"], amount=amount)
    assert refusal(answer) == (500, "invalid-amount", "The refund amount is not valid.")
    assert sent_back(stripe) == []


def test_a_reason_that_no_database_takes_is_taken_without_that(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url)
    paid(local)
    answer = refund(local, order_id=local.orders["payable"], amount=300, reason="too\0 small")
    assert (answer.status_code, answer.get_json()["reason"]) == (200, "too small")


def test_an_amount_that_the_shop_cannot_write_down_is_refused_before_the_call(stripe: Local) -> None:
    order = stripe.shop.add_order(total="10", decimals=0)
    paid(stripe, order)
    status, code, message = refusal(refund(stripe, order_id=order, amount=150))
    assert (status, code) == (500, "invalid-amount")
    assert "1.50 USD" in message
    assert refund(stripe, order_id=order, amount=200).status_code == 200
    assert sent_back(stripe) == [200]


@pytest.mark.parametrize("charge", ["ch_unknown", "x", "ch_\0", "ch x", 7, ["ch_x"], "x" * 999], ids=repr)
def test_a_charge_that_is_not_there(stripe: Local, charge: Any) -> None:
    status, code, message = refusal(refund(stripe, charge_id=charge, amount=1))
    assert (status, code) == (500, "wcpay_refund_payment")
    assert message.startswith("Error: No such charge: ")


@pytest.mark.parametrize("order", ["payable_2", 999, "x", 0])
def test_a_charge_that_is_not_the_orders_is_not_sent_back(stripe: Local, order: Any) -> None:
    charge = paid(stripe)["charge"]["id"]
    answer = refund(stripe, order_id=stripe.orders.get(order, order), charge_id=charge, amount=1)
    sentence = "The charge does not belong to this order."
    assert refusal(answer) == (500, "wcpay_refund_payment", sentence)
    assert answer.get_json()["data"]["reason"] == "order_mismatch"
    assert sent_back(stripe) == []


@pytest.mark.parametrize("order", ["payable", 999])
def test_an_order_without_a_payment(stripe: Local, order: Any) -> None:
    answer = refund(stripe, order_id=stripe.orders.get(order, order), amount=1)
    assert refusal(answer)[:2] == (500, "wcpay_edit_order_refund_not_possible")


@pytest.mark.parametrize(
    "wanted", [{}, {"order_id": None}, {"order_id": "x"}, {"order_id": [1]}, {"order_id": "9" * 30}]
)
def test_nothing_says_what_is_to_be_refunded(stripe: Local, wanted: dict[str, Any]) -> None:
    answer = refund(stripe, amount=1, **wanted)
    assert refusal(answer)[:2] == (500, "wcpay_refund_payment")
    assert answer.get_json()["data"]["param"] == "order_id"


@pytest.mark.parametrize(
    ("by", "code"), [("order_id", "wcpay_edit_order_refund_failure"), ("charge_id", "wcpay_refund_payment")]
)
def test_what_the_provider_says_is_handed_on_and_the_sum_is_free_again(stripe: Local, by: str, code: str) -> None:
    intent = paid(stripe)
    named = {by: stripe.orders["payable"] if by == "order_id" else intent["charge"]["id"]}
    assert stripe.provider_faults
    error = {"error": {"type": "invalid_request_error", "message": "Insufficient funds."}}
    stripe.provider_faults.next(Fault.STATUS, match="POST /v1/refunds", status=400, body=error)
    assert refusal(refund(stripe, amount=1023, **named)) == (500, code, "Error: Insufficient funds.")
    assert refund(stripe, amount=1023, **named).status_code == 200
    assert sent_back(stripe) == [1023]


def test_a_refund_whose_answer_is_lost_is_unknown_and_its_sum_stays_reserved(stripe: Local) -> None:
    paid(stripe)
    order = stripe.orders["payable"]
    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.DROPPED, times=2, match="POST /v1/refunds")
    answer = refund(stripe, order_id=order, amount=600)
    data = answer.get_json()["data"]
    assert refusal(answer)[:2] == (500, "wcpay_server_error")
    assert (data["outcome"], data["reason"]) == ("unknown", "outcome_unknown")
    assert refusal(refund(stripe, order_id=order, amount=600, reason="another"))[1] == "error"
    for _ in range(3):
        stripe.clock.advance(700)
        stripe.work()
    assert refusal(refund(stripe, order_id=order, amount=600))[1] == "error"
    assert refund(stripe, order_id=order, amount=423).status_code == 200
    assert sent_back(stripe) == [600, 423]


def test_many_who_ask_at_once_get_no_more_than_was_captured(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url, "stripe_connect")
    paid(local)
    order = local.orders["payable"]
    answers = at_once(8, lambda number: refund(local, order_id=order, amount=300, reason=f"number {number}"))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200] * 3 + [500] * 5
    assert sent_back(local) == [300] * 3
    assert asked(local, "refunds") == 3, "what is too much is not left to the provider to refuse"


def test_a_refund_that_fails_later_can_be_made_again(stripe: Local) -> None:
    intent = paid(stripe)
    charge = intent["charge"]["id"]
    made = refund(stripe, charge_id=charge, amount=1023).get_json()
    assert stripe.stripe
    stripe.stripe.fail_refund(made["id"])
    body = {"type": "charge.refund.updated", "data": {"object": {"id": made["id"], "charge": charge}}}
    assert stripe.post(f"{PAYMENTS}/webhook", body).get_json() == {"result": "success"}
    kinds = [event["type"] for event in stripe.get(f"{PAYMENTS}/timeline/{intent['id']}").get_json()["data"]]
    assert kinds == ["refund_failed", "full_refund", "captured"]
    assert refund(stripe, charge_id=charge, amount=1023).status_code == 200


def test_the_sandbox_refunds_too(local: Local) -> None:
    intent = paid(local)
    answer = refund(local, charge_id=intent["charge"]["id"], amount=1023, reason="fraudulent")
    assert (answer.status_code, list(answer.get_json())) == (200, MEMBERS)


@pytest.mark.parametrize("provider", REFUNDING)
def test_refunds_that_wait_for_each_other_reserve_no_more_than_was_captured(
    open_shop: OpenShop, postgres_url: str, provider: str
) -> None:
    """What is too much never reaches the provider, which might send it."""
    shop = shop_at(open_shop, provider, database_url=postgres_url)
    intent = shop.create()
    if intent["status"] != "succeeded":
        pay(shop, intent["id"])
        hint(shop.local, intent["id"])
    order = shop.local.orders[shop.order]

    def ask(number: int) -> TestResponse:
        return refund(shop.local, order_id=order, amount=300, reason=f"number {number}")

    statuses = [answer.status_code for answer in behind_the_row(postgres_url, intent["attempt_id"], 8, ask)]
    assert refunds(shop) == 3
    assert sorted(statuses) == [200] * 3 + [500] * 5


@pytest.mark.parametrize("provider", ["sandbox", *REFUNDING])
def test_what_was_sent_back_shows_at_once(open_shop: OpenShop, provider: str) -> None:
    """Before anybody asks the provider for the payment again."""
    shop = shop_at(open_shop, provider)
    intent = shop.create()
    if intent["status"] != "succeeded":
        pay(shop, intent["id"])
        hint(shop.local, intent["id"])
    for amount, sum_ in ((300, 300), (200, 500), (523, 1023)):
        answer = refund(shop.local, order_id=shop.local.orders[shop.order], amount=amount)
        assert answer.status_code == 200
        charge = shop.show(intent["id"])["charge"]
        assert (charge["amount_refunded"], charge["refunded"]) == (sum_, sum_ == 1023)


@pytest.mark.parametrize("hours", [1, 25])
@pytest.mark.parametrize("provider", ["stripe", "stripe_destination"])
def test_an_unknown_refund_is_sent_again_under_its_key_only_while_the_provider_knows_that(
    open_shop: OpenShop, provider: str, hours: int
) -> None:
    shop = shop_at(open_shop, provider)
    shop.create()
    shop.local.work()
    order = shop.local.orders["payable"]

    def ask() -> TestResponse:
        body = {"order_id": order, "amount": 600}
        return shop.local.post(f"{PAYMENTS}/refund", body, headers={"Idempotency-Key": "once"})

    shop.faults.next(Fault.DROPPED, times=2, match="POST /v1/refunds")
    assert ask().get_json()["data"]["outcome"] == "unknown"
    sent = refunds(shop)
    shop.local.clock.advance(hours * 3600)
    ask()
    assert refunds(shop) == sent + (hours == 1)
    assert sent_back(shop.local) == [600]


def test_a_refund_that_was_sent_again_may_still_arrive_and_keeps_its_sum(stripe: Local) -> None:
    """By the first sending's clock its sum would be free again while the second may still be made."""
    paid(stripe)

    def ask(key: str, reason: str) -> TestResponse:
        body = {"order_id": stripe.orders["payable"], "amount": 600, "reason": reason}
        return stripe.post(f"{PAYMENTS}/refund", body, headers={"Idempotency-Key": key})

    assert stripe.provider_faults
    stripe.provider_faults.next(Fault.ERROR_500, times=9, match="POST /v1/refunds")
    assert ask("first", "one").get_json()["data"]["outcome"] == "unknown"
    stripe.clock.advance(650)
    assert ask("first", "one").get_json()["data"]["outcome"] == "unknown"
    stripe.provider_faults.clear()
    for _ in range(3):
        stripe.clock.advance(180)
        stripe.work()
        assert refusal(ask("second", "another"))[0] == 500
    stripe.clock.advance(12 * 3600)
    stripe.work()
    assert ask("second", "another").status_code == 200
    assert sent_back(stripe) == [600]
