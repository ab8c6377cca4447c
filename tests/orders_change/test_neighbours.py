"""Neighbours of the cases: other values, statuses, adapters and orders of events. Numbers are those of the cases."""

import pytest

from bridge.simulators.faults import Fault
from tests.cli.operator import operate_json
from tests.orders_change.conftest import BANK, Beside
from tests.orders_change.test_held_and_paid import ADAPTERS, Open, flag, happens, make, pays
from tests.orders_change.test_waiting import is_closed
from tests.payments.orders import PAYMENTS, at, hint
from tests.payments.test_order_amount import ADAPTERS as EVERY_ADAPTER
from tests.payments.test_order_amount import BUYER, opened
from tests.payments.test_order_amount import Open as OpenAny
from tests.plugins.local import MakeLocal
from tests.web.conftest import open_shop

__all__ = ["make", "open_shop", "opened"]
PLUGINS_OWN = ["shipped", "awaiting-shipment", "partially-paid", "pre-ordered"]
"""Statuses that plugins add (`wc-shipped` in the database)."""


# --- A1 to A3, A16: what waits for its buyer


@pytest.mark.parametrize("status", [*PLUGINS_OWN, "auto-draft"])
def test_a2_a3_an_order_in_a_plugins_own_status_can_not_be_paid(beside: Beside, status: str) -> None:
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, status=status)
    beside.happens()
    is_closed(beside, created)
    assert beside.again().get_json()["data"]["reason"] == "order_not_payable"


@pytest.mark.parametrize("status", ["failed", "checkout-draft"])
def test_a2_an_order_that_can_still_be_paid_keeps_what_waits(beside: Beside, status: str) -> None:
    created = beside.create()
    beside.shop.local.shop.update_order(beside.order, status=status)
    beside.happens()
    assert beside.show(created)["pay_url"] == created["pay_url"]
    assert beside.again().get_json()["id"] == created["id"]
    assert beside.flag() == ""


def test_a2_an_order_that_is_cancelled_opened_again_and_paid_otherwise_is_closed_for_good(beside: Beside) -> None:
    created = beside.create()
    for changes in ({"status": "cancelled"}, {"status": "pending"}, BANK):
        beside.by_rest(**changes)
        beside.happens()
    is_closed(beside, created)
    assert beside.again().get_json()["data"]["reason"] == "order_processing"
    assert beside.shop.local.order(beside.shop.order)["transaction_id"] == "BANK1"


def test_a2_what_happened_between_two_messages_and_is_over_closes_nothing(beside: Beside) -> None:
    """The messages come late, with the order as it is then."""
    created = beside.create()
    for status in ("cancelled", "pending", "on-hold", "failed", "pending"):
        beside.shop.local.shop.update_order(beside.order, status=status)
    beside.happens()
    assert beside.show(created)["pay_url"] == created["pay_url"]
    assert beside.flag() == ""


def test_a16_refunds_beyond_the_total_of_an_unpaid_order_close_what_waits(beside: Beside) -> None:
    created = beside.create()
    beside.shop.local.shop.refund(beside.order, "4.00")
    beside.shop.local.shop.update_order(beside.order, total="3.00")
    beside.happens()
    is_closed(beside, created)
    assert beside.again().get_json()["data"]["reason"] == "invalid_amount"


# --- A8 to A12: what is authorised


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("cancelled", "cancelled, still held"),
        ("completed", "completed, not captured"),
        ("processing", "processing, not captured"),
        ("trash", "is in the trash"),
        ("refunded", "was refunded"),
        ("failed", "has failed"),
    ],
)
def test_a8_reconcile_names_what_happened_to_an_authorised_order_that_nobody_told(
    make: Open, status: str, words: str
) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    local.work()
    if status == "trash":
        local.shop.trash(local.orders["payable"])
    else:
        local.shop.update_order(local.orders["payable"], status=status)
    [report] = operate_json(local, "reconcile", "--since", "1h", code=1)
    [difference] = report["differences"]
    assert words in difference["text"], difference
    assert not difference["healed"]
    assert local.show(intent).get_json()["status"] == "requires_capture"
    assert any(words.split(",")[0] in check["text"] for check in operate_json(local, "doctor", code=1))


@pytest.mark.parametrize("status", PLUGINS_OWN)
def test_a11_an_authorised_order_in_a_plugins_own_status_is_neither_captured_nor_voided(
    make: Open, status: str
) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    happens(local)
    local.shop.update_order(local.orders["payable"], status=status)
    happens(local)
    assert local.show(intent).get_json()["status"] == "requires_capture"
    local.shop.update_order(local.orders["payable"], status="cancelled")
    happens(local)
    assert local.show(intent).get_json()["status"] == "canceled"


def test_a12_an_authorised_order_that_is_opened_again_before_anybody_heard_of_its_end_keeps_its_hold(
    make: Open,
) -> None:
    local = make("manual")
    intent = local.create().get_json()["id"]
    happens(local)
    for status in ("cancelled", "on-hold"):
        local.shop.update_order(local.orders["payable"], status=status)
    happens(local)
    assert (local.show(intent).get_json()["status"], flag(local)) == ("requires_capture", "")


def test_a12_an_order_that_is_opened_again_after_its_hold_was_voided_is_paid_anew(make: Open) -> None:
    local = make("manual")
    first = local.create().get_json()["id"]
    happens(local)
    for status in ("cancelled", "pending"):
        local.shop.update_order(local.orders["payable"], status=status)
        happens(local)
    assert local.show(first).get_json()["status"] == "canceled"
    local.clock.advance(60)
    second = local.create().get_json()
    assert (second["status"], second["id"] != first) == ("requires_capture", True)
    happens(local)
    assert (local.order()["status"], local.order()["transaction_id"]) == ("on-hold", second["id"])


# --- A14, A17, B2: whose payment an order shows


@pytest.mark.parametrize("adapter", EVERY_ADAPTER)
@pytest.mark.parametrize("transaction", ["PAYPAL-1", ""])
@pytest.mark.parametrize("status", ["pending", "failed", "checkout-draft"])
def test_b2_an_order_with_a_date_of_payment_is_not_charged_in_whatever_status_it_is(
    opened: OpenAny, adapter: str, transaction: str, status: str
) -> None:
    local = opened(adapter)
    order_id = local.shop.add_order(total="10.23", billing=BUYER)
    local.shop.update_order(order_id, status="processing", payment_method="ppcp", transaction_id=transaction)
    local.shop.update_order(order_id, status=status)
    assert local.shop.order(order_id)["date_paid"]
    assert local.create(order_id).get_json()["data"]["reason"] == "order_paid"
    assert local.shop.order(order_id)["transaction_id"] == transaction


def test_b2_an_order_that_we_were_paid_for_and_that_fell_back_is_not_charged_again(make: Open) -> None:
    local = make()
    first = local.create().get_json()
    happens(local)
    local.shop.update_order(local.orders["payable"], status="pending")
    happens(local)
    again = local.create().get_json()
    assert again.get("id") == first["id"] or again["data"]["reason"] == "order_paid"
    other = local.create(payment_method="pm_card_mastercard").get_json()
    assert other.get("id") == first["id"] or other["data"]["reason"] == "order_paid"
    assert local.show(first["id"]).get_json()["status"] == "succeeded"


@pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
def test_a17_a_duplicate_that_has_the_date_of_payment_as_well_is_not_charged(opened: OpenAny, adapter: str) -> None:
    local = opened(adapter)
    first = local.create().get_json()["id"]
    local.work()
    order_id = local.shop.add_order(total="10.23", meta=local.meta())
    local.shop.update_order(order_id, status="processing", transaction_id=first)
    local.shop.update_order(order_id, status="pending")
    assert local.create(order_id).get_json()["data"]["reason"] == "order_paid"


@pytest.mark.parametrize("capture", ["automatic", "manual"])
def test_a14_an_order_under_another_key_is_no_repeat(make: Open, capture: str) -> None:
    local = make(capture)
    first = local.create().get_json()["id"]
    happens(local)
    local.shop.update_order(local.orders["payable"], order_key="wc_order_restored")
    happens(local)
    again = local.create().get_json()
    assert again.get("id") != first
    assert again["data"]["reason"] == ("order_processing" if capture == "automatic" else "order_on_hold")
    local.shop.update_order(local.orders["payable"], status="pending")
    happens(local)
    again = local.create().get_json()
    assert again["data"]["reason"] == ("order_paid" if capture == "automatic" else "order_has_payment")
    assert ("another" in flag(local)) is (capture == "manual")


# --- B1, B3, B6: what an order owes


@pytest.mark.parametrize(
    "total", ["1,023.00", "1 023.00", "1e3", "0x10", "10.23 USD", "$10.23", "NaN", "-5.00", "\u0661\u0660"]
)
@pytest.mark.parametrize("adapter", EVERY_ADAPTER)
def test_b1_a_total_that_is_no_plain_number_is_charged_by_nobody(opened: OpenAny, adapter: str, total: str) -> None:
    local = opened(adapter)
    order_id = local.shop.add_order(total="10.23", billing=BUYER)
    local.shop_faults.next(Fault.WRONG_JSON, times=9, body=local.shop.order(order_id) | {"total": total})
    answer = local.create(order_id)
    assert answer.status_code >= 400
    assert answer.get_json()["data"]["reason"] in ("store_refused", "invalid_amount", "order_not_payable")
    local.shop_faults.clear()
    assert local.create(order_id).get_json()["amount"] == 1023


@pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
@pytest.mark.parametrize(
    ("currency", "total", "amount"),
    [
        ("JPY", "500.00", 500),
        ("jpy", "500", 500),
        ("KWD", "1.230", 1230),
        ("kwd", "1.23", None),
        ("eur", "27.50", 2750),
        ("JPY", "500.50", None),
    ],
)
def test_b1_currencies_of_every_exponent_in_either_case(
    opened: OpenAny, adapter: str, currency: str, total: str, amount: int | None
) -> None:
    local = opened(adapter)
    order_id = local.shop.add_order(total="10.23", billing=BUYER)
    said = local.shop.order(order_id) | {"total": total, "currency": currency}
    local.shop_faults.next(Fault.WRONG_JSON, times=9, body=said)
    answer = local.create(order_id).get_json()
    if amount is None:
        assert answer["data"]["reason"] == "amount_not_representable"
    else:
        assert (answer["amount"], answer["currency"]) == (amount, currency.upper())


@pytest.mark.parametrize("adapter", EVERY_ADAPTER)
def test_b1_a_negative_fee_lowers_what_is_owed_by_the_total_alone(opened: OpenAny, adapter: str) -> None:
    local = opened(adapter)
    created = local.create("shipping_tax_fee_discount" if adapter != "forte_payments" else "virtual").get_json()
    order = local.order("shipping_tax_fee_discount" if adapter != "forte_payments" else "virtual")
    assert created["amount"] == round(float(order["total"]) * 100)


@pytest.mark.parametrize("adapter", EVERY_ADAPTER)
@pytest.mark.parametrize(("refunds", "left"), [(["10.22"], 1), (["10.23"], None), (["5.00", "5.23"], None)])
def test_b3_refunds_of_an_unpaid_order_down_to_nothing(
    opened: OpenAny, adapter: str, refunds: list[str], left: int | None
) -> None:
    local = opened(adapter)
    order_id = local.shop.add_order(total="10.23", billing=BUYER)
    for refund in refunds:
        local.shop.refund(order_id, refund)
    answer = local.create(order_id).get_json()
    if left is None or "amount" not in answer:  # a cent is less than some providers take
        assert answer["data"]["reason"] in ("invalid_amount", "order_refunded", "provider_refused"), answer
    else:
        assert answer["amount"] == left


# --- B10, A10: what is left


@pytest.mark.parametrize("parts", [[1023], [500, 523], [1, 1022]])
def test_b10_money_that_was_sent_back_in_parts_leaves_a_refunded_order(make: Open, parts: list[int]) -> None:
    local = make()
    local.create()
    happens(local)
    for amount in parts:
        body = {"order_id": local.orders["payable"], "amount": amount}
        assert local.post(f"{PAYMENTS}/refund", body).status_code == 200
        happens(local)
    assert (local.order()["status"], flag(local)) == ("refunded", "")
    too_much = local.post(f"{PAYMENTS}/refund", {"order_id": local.orders["payable"], "amount": 7})
    assert too_much.status_code == 500


@pytest.mark.parametrize("name", ["stripe direct", "stripe destination"])
def test_b9_a_dispute_that_is_won_takes_a_processing_order_back_over_http(
    make_local: MakeLocal, sqlite_url: str, name: str
) -> None:
    adapter, settings = ADAPTERS[name]
    local = make_local(sqlite_url, adapter, settings=settings or None)
    assert local.stripe
    intent = local.create().get_json()["id"]
    local.work()
    dispute = local.stripe.dispute(local.stripe.find(intent)["latest_charge"])["id"]
    hint(local, intent)
    local.work()
    assert local.order()["status"] == "on-hold"
    local.stripe.close_dispute(dispute, won=True)
    hint(local, intent)
    local.work()
    assert (local.order()["status"], flag(local)) == ("processing", "")


# --- A4, B5: money that arrives


@pytest.mark.parametrize("status", [*PLUGINS_OWN, "on-hold", "refunded", "completed"])
def test_a4_money_for_an_order_that_went_on_meanwhile_fulfils_nothing(
    make_local: MakeLocal, sqlite_url: str, status: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    created = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
    local.work()
    local.clock.advance(7)
    local.shop.update_order(local.orders["payable"], status=status)
    pays(local, created["id"])
    local.work()
    assert local.order()["status"] == status
    assert flag(local)


def test_a13_a_refund_while_one_of_two_disputes_is_open_is_refused(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    intent = local.create().get_json()["id"]
    local.work()
    charge = local.stripe.find(intent)["latest_charge"]
    first = local.stripe.dispute(charge, amount=300)["id"]
    hint(local, intent)
    local.stripe.close_dispute(first, won=True)
    hint(local, intent)
    local.work()
    assert local.post(f"{PAYMENTS}/refund", {"order_id": local.orders["payable"], "amount": 100}).status_code == 200
    local.stripe.dispute(charge, amount=200)
    hint(local, intent)
    before = sum(record.path == "/v1/refunds" for record in local.stripe.requests)
    refused = local.post(f"{PAYMENTS}/refund", {"order_id": local.orders["payable"], "amount": 200}).get_json()
    assert refused["data"]["reason"] == "disputed"
    assert sum(record.path == "/v1/refunds" for record in local.stripe.requests) == before


@pytest.mark.parametrize("end", ["cancelled", "failed", "trash"])
def test_b5_an_order_on_delivery_that_has_ended_gets_nothing_at_the_reader(
    make_local: MakeLocal, sqlite_url: str, end: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    order = local.orders["payable"]
    local.shop.update_order(order, payment_method="cod", status="processing")
    intent = at(local, "create_terminal_intent", "payable").get_json()["id"]
    if end == "trash":
        local.shop.trash(order)
    else:
        local.shop.update_order(order, status=end)
    local.stripe.present_card(intent)
    answer = at(local, "capture_terminal_payment", "payable", intent)
    if end == "failed":  # an order whose first try has failed still owes its money
        assert answer.get_json()["status"] == "succeeded"
    else:
        assert answer.status_code >= 400
        assert local.stripe.find(intent)["status"] == "requires_capture"
