"""The cases of WooPayments' refunds controller, and of its gateway's refunds, captures and voids, over HTTP.

The judges are Stripe's simulator and the shop. Reference: WooPayments 8.4.0, `tests/unit`.
"""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.lifecycle.cases import plays
from tests.lifecycle.conftest import LiveIn
from tests.lifecycle.lives import PAYMENTS, Life
from tests.plugins.local import refusal

REFUNDS, GATEWAY = "gateway: refunds", "gateway: capture and cancel"
CURRENCIES = pytest.mark.parametrize("currency", ["USD", "EUR"])


def fail_next(life: Life, path: str, message: str, status: int = 400) -> None:
    assert life.local.provider_faults
    error = {"error": {"type": "invalid_request_error", "message": message}}
    life.local.provider_faults.next(Fault.STATUS, match=path, status=status, body=error)


def told_again(life: Life, order: int, intent: str) -> None:
    """All that Stripe has to tell changes nothing any more."""
    before = life.notes(order)
    life.tell(intent)
    assert life.notes(order) == before


@plays("refunds controller", "process_refund_without_order_id")
def test_a_charge_is_refunded_without_its_order(life: Life) -> None:
    order = life.order("50.00")
    charge = life.pay(order)["charge"]["id"]
    answer = life.refund(charge_id=charge, amount=5000, reason="duplicate")
    assert answer.status_code == 200
    assert answer.get_json().items() >= {"charge": charge, "amount": 5000, "reason": "duplicate"}.items()
    assert life.stripe.find(answer.get_json()["id"])["reason"] == "duplicate"


@plays(
    REFUNDS,
    "process_refund",
    "process_refund_should_work_without_payment_method_id_meta",
    "process_refund_save_wcpay_refund_id_to_refund_meta_and_order_note",
    "process_refund_non_usd",
    "process_refund_with_reason_non_usd",
    "process_refund_success_does_not_set_refund_failed_meta",
    "process_refund_returns_error_when_refund_not_found",
)
@plays(
    "order service",
    "set_wcpay_refund_id",
    "get_wcpay_refund_id",
    "set_wcpay_refund_status",
    "get_wcpay_refund_status",
    "add_note_and_metadata_for_refund_partially_refunded",
)
@CURRENCIES
@pytest.mark.parametrize("reason", ["", "requested_by_customer", "The hat was too small."])
def test_a_refund_is_in_the_shop_with_its_id_and_a_note(life: Life, currency: str, reason: str) -> None:
    order = life.order(currency=currency)
    life.pay(order)
    life.local.shop.update_order(order, meta={"_payment_method_id": ""})
    made = life.refund(order_id=order, amount=300, reason=reason).get_json()
    [written] = life.local.shop.refunds(order)
    assert (written["amount"], written["reason"], written["refunded_payment"]) == ("3.00", reason, False)
    assert {"_wcpay_refund_id": made["id"]}.items() <= {
        entry["key"]: entry["value"] for entry in written["meta_data"]
    }.items()
    because = f". Reason: {reason}." if reason else ""
    title = life.local.store.options["payment_method_title"]
    note = f"A refund of 3.00 {currency} was successfully processed using {title}{because} ({made['id']})."
    assert life.said(order, note) == 1
    assert life.meta(order)["_wcpay_refund_status"] == "successful"
    assert life.status(order) == "processing"


@plays("order service", "add_note_and_metadata_for_refund_fully_refunded")
def test_a_full_refund_makes_the_order_refunded(life: Life) -> None:
    order = life.order()
    life.pay(order)
    made = life.refund(order_id=order, amount=1023).get_json()
    assert (life.status(order), life.refunds(order), life.said(order, made["id"])) == ("refunded", ["10.23"], 1)


@plays(REFUNDS, "process_refund_card_present")
def test_what_a_reader_took_is_refunded_as_anything(manual: Life) -> None:
    order = manual.order()
    intent = manual.at("create_terminal_intent", order).get_json()["id"]
    manual.present_card(intent)
    assert manual.at("capture_terminal_payment", order, intent).status_code == 200
    manual.work()
    assert manual.refund(order_id=order, amount=1023).get_json()["status"] == "succeeded"
    assert manual.net(intent) == 0


def interac(life: Life) -> tuple[int, str]:
    order = life.order("5.00", currency="CAD")
    intent = life.at("create_terminal_intent", order, payment_methods=["interac_present"]).get_json()["id"]
    life.present_card(intent, "pm_card_interac")
    assert life.at("capture_terminal_payment", order, intent).status_code == 200
    life.work()
    return order, intent


@plays(
    REFUNDS,
    "process_refund_interac_present_without_app_refund",
    "process_refund_interac_present_with_unsuccessful_app_refund",
    "process_refund_interac_present",
    "process_refund_interac_present_without_payment_method_id_meta",
)
@pytest.mark.parametrize("apps_word", ["", "failed", "successful"])
def test_an_interac_payment_is_refunded_at_the_reader(manual: Life, apps_word: str) -> None:
    """Whatever the shop's meta claims: the money is where the provider says it is."""
    order, intent = interac(manual)
    if apps_word:
        manual.local.shop.update_order(order, meta={"_wcpay_refund_status": apps_word})
    status, code, message = refusal(manual.refund(order_id=order, amount=500))
    assert (status, code) == (500, "wcpay_edit_order_refund_failure")
    assert "reader" in message
    assert (manual.net(intent), manual.refunds(order)) == (500, [])


@plays(REFUNDS, "process_refund_on_uncaptured_payment")
def test_what_was_not_captured_is_not_refunded(manual: Life) -> None:
    order = manual.order()
    intent = manual.pay(order)["id"]
    assert refusal(manual.refund(order_id=order, amount=1023))[:2] == (500, "uncaptured-payment")
    assert manual.stripe.find(intent)["status"] == "requires_capture"


@plays(REFUNDS, "process_refund_on_zero_amount", "process_refund_on_invalid_amount")
@pytest.mark.parametrize("amount", [0, -500, "", None])
def test_an_amount_that_is_none_is_not_refunded(life: Life, amount: Any) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    refused = refusal(life.refund(order_id=order, amount=amount))
    assert refused == (500, "invalid-amount", "The refund amount is not valid.")
    assert life.net(intent) == 1023


@plays(
    REFUNDS,
    "process_refund_failure_sets_refund_failed_meta",
    "process_refund_on_api_error",
    "process_refund_on_api_error_non_usd",
)
@CURRENCIES
def test_a_refund_that_the_provider_refuses_is_noted_in_the_order(life: Life, currency: str) -> None:
    order = life.order(currency=currency)
    intent = life.pay(order)["id"]
    fail_next(life, "POST /v1/refunds", "Test message")
    refused = refusal(life.refund(order_id=order, amount=300))
    assert refused == (500, "wcpay_edit_order_refund_failure", "Error: Test message")
    title = life.local.store.options["payment_method_title"]
    assert life.said(order, f"A refund of 3.00 {currency} failed to complete using {title}: Error: Test message") == 1
    assert life.meta(order)["_wcpay_refund_status"] == "failed"
    assert (life.net(intent), life.refunds(order), life.status(order)) == (1023, [], "processing")


# --- captures and voids


@plays(GATEWAY, "capture_charge_success", "capture_charge_success_non_usd")
@plays(
    "order service",
    "mark_payment_authorized",
    "mark_payment_capture_completed",
    "set_intention_status",
    "get_intention_status",
)
@CURRENCIES
def test_a_capture_pays_the_order(manual: Life, currency: str) -> None:
    order = manual.order(currency=currency)
    intent = manual.pay(order)["id"]
    title = manual.local.store.options["payment_method_title"]
    assert (manual.status(order), manual.meta(order)["_intention_status"]) == ("on-hold", "requires_capture")
    assert manual.said(order, f"A payment of 10.23 {currency} was authorized using {title} ({intent}).") == 1
    assert manual.capture(order, intent).get_json() == {"status": "succeeded", "id": intent}
    assert (manual.status(order), manual.meta(order)["_intention_status"]) == ("processing", "succeeded")
    assert manual.said(order, f"A payment of 10.23 {currency} was successfully captured using {title} ({intent}).") == 1
    told_again(manual, order, intent)


@plays(
    GATEWAY,
    "capture_charge_failure",
    "capture_charge_failure_non_usd",
    "capture_charge_api_failure",
    "capture_charge_api_failure_non_usd",
)
@plays(
    "order service",
    "mark_payment_capture_failed_with_provider",
    "mark_payment_capture_failed_null_intent_status",
)
@CURRENCIES
def test_a_capture_that_fails_is_noted_and_the_order_stays_as_it_is(manual: Life, currency: str) -> None:
    order = manual.order(currency=currency)
    intent = manual.pay(order)["id"]
    fail_next(manual, "/capture", "test exception")
    assert refusal(manual.capture(order, intent))[:2] == (400, "wcpay_capture_error")
    title = manual.local.store.options["payment_method_title"]
    note = f"A capture of 10.23 {currency} failed to complete using {title} ({intent})."
    assert manual.said(order, note) == 1
    assert (manual.status(order), manual.meta(order)["_intention_status"]) == ("on-hold", "requires_capture")
    assert manual.capture(order, intent).status_code == 200
    assert (manual.status(order), manual.net(intent)) == ("processing", 1023)


@plays(GATEWAY, "capture_charge_expired")
@plays("order service", "mark_payment_capture_expired_with_provider")
def test_an_authorization_that_ran_out_fails_its_order(manual: Life) -> None:
    order = manual.order()
    intent = manual.pay(order)["id"]
    manual.stripe.expire(intent)
    assert refusal(manual.capture(order, intent))[:2] == (502, "wcpay_capture_error")
    assert manual.status(order) == "failed"
    assert manual.said(order, f"Payment authorization has expired ({intent}).") == 1
    told_again(manual, order, intent)
    assert manual.local.show(intent).get_json()["status"] == "canceled"


@plays(GATEWAY, "capture_charge_metadata", "capture_charge_without_level3")
def test_a_capture_says_nothing_but_the_amount(live: LiveIn) -> None:
    life = live("direct", capture="manual", settings={"country": "US"})
    order = life.order()
    intent = life.at("create_terminal_intent", order, metadata={"reader_ID": "wisepad"}).get_json()["id"]
    life.present_card(intent)
    assert life.at("capture_terminal_payment", order, intent).status_code == 200
    asked = next(one for one in reversed(life.stripe.requests) if one.path.endswith("/capture"))
    assert asked.params.pop("expand", None) is not ...
    assert asked.params == {"amount_to_capture": "1023"}
    known = {"reader_ID": "wisepad", "customer_name": "John Doe", "order_id": str(order)}
    assert life.stripe.find(intent)["metadata"].items() >= known.items()


@plays(GATEWAY, "capture_cancelling_order_cancels_authorization")
@plays("order service", "mark_payment_capture_cancelled")
def test_a_void_cancels_the_order(manual: Life) -> None:
    order = manual.order()
    intent = manual.pay(order)["id"]
    assert manual.at("cancel_authorization", order, intent).status_code == 200
    manual.work()
    assert (manual.status(order), manual.book(intent)["canceled"]) == ("cancelled", 1023)
    assert manual.said(order, "Payment authorization was successfully cancelled") == 1
    told_again(manual, order, intent)


@plays(GATEWAY, "capture_cancelling_order_does_not_cancel_captured_authorization")
def test_what_is_captured_is_not_voided(manual: Life) -> None:
    order = manual.order()
    intent = manual.pay(order)["id"]
    manual.capture(order, intent)
    refused = refusal(manual.at("cancel_authorization", order, intent))
    assert refused == (409, "wcpay_payment_uncapturable", "The payment cannot be canceled")
    assert manual.net(intent) == 1023


@plays(
    GATEWAY,
    "cancel_authorization_handles_api_exception_when_canceling",
    "cancel_authorization_handles_all_api_exceptions",
)
@pytest.mark.parametrize("canceled", [True, False])
def test_a_void_that_fails_is_noted_unless_it_was_done(manual: Life, canceled: bool) -> None:
    order = manual.order()
    intent = manual.pay(order)["id"]
    if canceled:
        manual.stripe.expire(intent)
    fail_next(manual, "/cancel", "test exception")
    answer = manual.at("cancel_authorization", order, intent)
    manual.work()
    if canceled:
        assert (answer.status_code, answer.get_json()) == (200, {"status": "canceled", "id": intent})
        assert manual.status(order) in ("cancelled", "failed")
    else:
        assert refusal(answer)[:2] == (502, "wcpay_cancel_error")
        sentence = "Canceling authorization failed to complete with the following message: "
        assert manual.said(order, f"{sentence}Error: test exception") == 1
        assert manual.status(order) == "on-hold"


def test_a_refund_by_order_names_no_other_shops_order(live: LiveIn) -> None:
    """The order's number alone proves nothing: another store's order of the same number is not refunded."""
    first, second = live("direct"), live("direct", capture="manual")
    order = first.order()
    intent = first.pay(order)["id"]
    answer = second.local.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 1})
    assert answer.status_code == 500
    assert first.net(intent) == 1023
