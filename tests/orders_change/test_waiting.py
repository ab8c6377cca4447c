"""A payment that waits for its buyer, and an order that can no longer be paid by it: A2, A3, A14, A16, B2, B3."""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.orders_change.conftest import CHANGES, ENDS, Beside
from tests.payments.orders import asked, at, taken
from tests.plugins.local import MakeLocal


def is_closed(beside: Beside, created: dict[str, Any]) -> None:
    """Nobody can pay it any more: not at the provider, or at least not through us."""
    shown = beside.show(created)
    assert "pay_url" not in shown
    assert "client_secret" not in shown
    if beside.can_void:
        assert shown["status"] == "canceled"
        assert beside.shop.adapter.fetch(created["id"]).status == "canceled"
    page = beside.shop.get(f"{created['pay_url']}?look")
    assert created.get("client_secret", "no secret at all") not in page.text
    assert "Return to" in page.text
    for button in ("Approve", "Continue to payment", "payment-element", "forte-payments-widget"):
        assert button not in page.text
    assert beside.shop.stage(created["pay_url"]) == "ended"


@pytest.mark.parametrize("change", [*ENDS, *CHANGES])
def test_a2_what_waits_is_closed_when_its_order_cannot_be_paid_by_it(beside: Beside, change: str) -> None:
    created = beside.create()
    (ENDS | CHANGES)[change].do(beside)
    beside.happens()
    is_closed(beside, created)
    assert "closed" in beside.kinds()


@pytest.mark.parametrize("change", ENDS)
def test_a3_a_repeat_for_an_order_that_cannot_be_paid_is_refused(beside: Beside, change: str) -> None:
    created = beside.create()
    ENDS[change].do(beside)
    again = beside.again().get_json()
    assert again["data"]["reason"] == ENDS[change].reason
    for secret in ("client_secret", "pay_url", "provider_data"):
        assert secret not in again
    is_closed(beside, created)


@pytest.mark.parametrize("change", ["cancelled", "paid otherwise"])
def test_a3_a_repeat_under_its_key_has_nothing_to_pay_with_either(beside: Beside, change: str) -> None:
    headers = {"Idempotency-Key": "once"}
    order = beside.shop.local.orders[beside.shop.order]
    body = {"payment_method": beside.shop.local.payment_method, "customer": beside.shop.local.customer}
    body |= {"order_id": order} | beside.asked

    def create() -> Any:
        path = "/wp-json/wc/v3/payments/payment_intents"
        return beside.shop.local.post(path, body, headers=headers).get_json()

    created = beside.shop.reachable(create())
    beside.shop.local.work()
    ENDS[change].do(beside)
    again = create()
    for secret in ("client_secret", "pay_url", "provider_data", "next_action"):
        assert secret not in again
    is_closed(beside, created)


def test_a2_an_order_that_can_be_paid_again_reopens_what_could_not_be_voided(beside: Beside) -> None:
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, status="cancelled")
    beside.happens()
    beside.shop.local.shop.update_order(beside.order, status="pending")
    beside.happens()
    again = beside.again().get_json()
    assert "pay_url" in again
    if not beside.can_void and beside.show(created)["status"] != "canceled":
        assert again["id"] == created["id"]
        assert "reopened" in beside.kinds()


def test_a2_a_void_that_comes_too_late_is_recorded_and_flagged(voidable: Beside) -> None:
    beside = voidable
    created = beside.create()
    if beside.shop.local.stripe:
        beside.shop.local.stripe.authenticate(created["id"], success=True)
    else:
        beside.shop.adapter.authenticate(created["id"], True)
    beside.shop.local.shop.update_order(beside.order, status="cancelled")
    beside.happens()
    assert beside.show(created)["status"] == "succeeded"
    assert beside.flag()
    assert beside.shop.local.order(beside.shop.order)["status"] == "cancelled"
    assert beside.show(created)["charge"]["amount_refunded"] == 0


def test_a2_a_void_whose_answer_is_lost_is_settled_and_nobody_pays_meanwhile(afar: Beside) -> None:
    beside = afar
    assert beside.shop.faults
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, status="cancelled")
    beside.shop.faults.next(Fault.DROPPED, times=3, match="/cancel")
    beside.happens()
    assert "pay_url" not in beside.show(created)
    beside.shop.local.clock.advance(60)
    beside.happens()
    is_closed(beside, created)


def test_a16_a_total_of_nothing_closes_what_waits(beside: Beside) -> None:
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, total="0.00")
    assert beside.again().get_json()["data"]["reason"] == "invalid_amount"
    is_closed(beside, created)


def test_a16_an_order_that_the_store_will_not_have_paid_is_refused(beside: Beside) -> None:
    """Such as a plugin's `wc-quote`: the total alone decides nothing."""
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, status="quote")
    assert beside.again().get_json()["data"]["reason"] == "order_not_payable"
    is_closed(beside, created)


def test_a14_a_payment_of_the_same_order_under_another_key_stands_in_the_way(beside: Beside) -> None:
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, order_key="wc_order_restored")
    again = beside.again().get_json()
    if beside.show(created)["status"] == "canceled":
        assert again["id"] != created["id"]
    else:
        assert again["data"]["reason"] == "order_has_payment"
        assert "another key" in beside.flag()
    assert "pay_url" not in beside.show(created)


@pytest.mark.parametrize("state", ["authorised", "unknown", "paid"])
def test_a14_money_under_another_key_stands_in_the_way_until_the_order_itself_shows_it(
    make_local: MakeLocal, sqlite_url: str, state: str
) -> None:
    capture = "manual" if state == "authorised" else "automatic"
    local = make_local(sqlite_url, "stripe_connect", capture=capture)
    assert local.provider_faults
    if state == "unknown":
        local.provider_faults.next(Fault.DROPPED, times=9)
    local.create()
    local.provider_faults.clear()
    local.work()
    local.shop.update_order(local.orders["payable"], order_key="wc_order_restored", status="pending")
    again = local.create().get_json()
    assert again["data"]["reason"] == ("order_paid" if state == "paid" else "order_has_payment")


def test_b2_an_order_that_was_paid_otherwise_and_fell_back_is_not_charged(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    order = local.orders["payable"]
    local.shop.update_order(order, status="processing", payment_method="ppcp", transaction_id="PAYPAL-1")
    local.shop.update_order(order, status="pending")
    answer = local.create().get_json()
    assert answer["data"]["reason"] == "order_paid"
    assert "is already paid" in answer["message"]
    local.shop.refund(order, "10.22")
    assert local.create().get_json()["data"]["reason"] == "order_paid"
    local.shop.refund(order, "0.01")
    local.shop.update_order(order, status="pending")
    assert local.create().get_json()["amount"] == 1023
    local.work()
    assert local.order()["transaction_id"].startswith("pi_")


def test_a17_a_transaction_id_without_a_date_of_payment_is_no_payment(make_local: MakeLocal, sqlite_url: str) -> None:
    """Renewals and duplicates carry a copied one, and our marks."""
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    first = local.create("payable").get_json()["id"]
    local.work()
    order = local.orders["payable_2"]
    copied = local.meta("payable")
    local.shop.update_order(order, transaction_id=first, payment_method="wcpay_bridge", meta=copied)
    assert "_wcpay_bridge_authorization" in copied
    second = local.create("payable_2").get_json()
    assert second["status"] == "requires_capture"
    local.work()
    assert (local.order("payable_2")["status"], local.order("payable_2")["transaction_id"]) == ("on-hold", second["id"])
    assert at(local, "cancel_authorization", "payable_2", second["id"]).status_code == 200
    local.work()
    assert (local.order("payable")["status"], local.order("payable_2")["status"]) == ("on-hold", "cancelled")


def test_b3_what_is_left_of_an_unpaid_order_is_charged_and_fulfils_it(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    order = local.orders["payable"] = local.shop.add_order(total="25.00")
    local.shop.refund(order, "10.00")
    created = local.create().get_json()
    assert (created["amount"], created["status"]) == (1500, "succeeded")
    local.work()
    assert (local.order()["status"], local.order()["transaction_id"]) == ("processing", created["id"])
    assert not [note for note in local.notes() if "not fulfilled" in note]


@pytest.mark.parametrize("refunds", [["1.00"], ["0.01", "2.50"]], ids=str)
def test_b3_every_adapter_charges_and_quotes_what_is_left(beside: Beside, refunds: list[str]) -> None:
    total = 999 if beside.shop.order == "virtual" else 1023
    for refund in refunds:
        beside.shop.local.shop.refund(beside.order, refund)
    left = total - sum(round(float(refund) * 100) for refund in refunds)
    path = "/wp-json/wc/v3/payments/payment_intents/preview"
    customer = {} if beside.shop.platform is None else {"customer": beside.shop.local.customer}
    assert beside.shop.local.post(path, {"order_id": beside.order} | customer).get_json()["total"] == left
    created = beside.create()
    assert created["amount"] == left
    assert beside.show(created)["amount"] == left
    beside.happens()
    assert "pay_url" in beside.show(created)
    assert beside.again().get_json()["id"] == created["id"]


@pytest.mark.parametrize("do", ["capture", "part", "void"])
@pytest.mark.parametrize("reader", [True, False], ids=["at the reader", "on the web"])
def test_b3_what_staff_take_off_while_it_is_held_is_not_captured_and_a_void_is_allowed(
    make_local: MakeLocal, sqlite_url: str, do: str, reader: bool
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    assert local.stripe
    order = local.orders["payable"] = local.shop.add_order(total="25.00")
    if reader:
        intent = at(local, "create_terminal_intent", "payable").get_json()["id"]
        local.stripe.present_card(intent)
    else:
        intent = local.create().get_json()["id"]
        local.work()
    local.shop.refund(order, "10.00")
    route = "capture_terminal_payment" if reader else "capture_authorization"
    if do == "void":
        if reader:
            local.get(f"/wp-json/wc/v3/payments/payment_intents/{intent}")
        answer = at(local, "cancel_authorization", "payable", intent)
        assert (answer.status_code, answer.get_json()["status"]) == (200, "canceled")
        return
    answer = at(local, route, "payable", intent, **({"amount": 700} if do == "part" and not reader else {}))
    assert (answer.status_code, answer.get_json()["status"]) == (200, "succeeded")
    assert taken(local) == [700 if do == "part" and not reader else 1500]
    local.work()
    if do == "capture":
        assert local.order()["status"] == ("completed" if reader else "processing")


@pytest.mark.parametrize("status", ["processing", "on-hold"])
def test_b5_an_order_to_be_paid_on_delivery_is_paid_at_the_reader(
    make_local: MakeLocal, sqlite_url: str, status: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    order = local.orders["payable"]
    local.shop.update_order(order, payment_method="cod", payment_method_title="Cash on delivery", status=status)
    assert local.order()["date_paid"] is None
    intent = at(local, "create_terminal_intent", "payable").get_json()["id"]
    local.stripe.present_card(intent)
    assert at(local, "capture_terminal_payment", "payable", intent).get_json()["status"] == "succeeded"
    local.work()
    assert (local.order()["status"], local.order()["transaction_id"]) == ("completed", intent)
    assert local.order()["date_paid"]
    assert taken(local) == [1023]
    assert at(local, "create_terminal_intent", "payable").get_json()["id"] == intent
    assert local.create().get_json()["data"]["reason"] in ("order_paid", "order_completed")
    assert asked(local, "cancel") == 0


def test_b5_an_order_on_delivery_that_was_paid_is_not_paid_at_the_reader(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    order = local.orders["payable"]
    local.shop.update_order(order, payment_method="cod", status="completed")
    answer = at(local, "create_terminal_intent", "payable")
    assert answer.get_json()["data"]["reason"] == "order_completed"
