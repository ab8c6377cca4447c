"""The cases of WooPayments' webhook controller and processing service, over HTTP: the legacy route, which is a hint.

What a message claims changes nothing; what the provider shows does. Reference: WooPayments 8.4.0, `tests/unit`.
"""

from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.simulators.faults import Fault
from tests.lifecycle.cases import plays
from tests.lifecycle.lives import PAYMENTS, Life

GROUP = "webhook processing"
SUCCESS, BAD, ERROR = (200, {"result": "success"}), (400, {"result": "bad_request"}), (500, {"result": "error"})


def say(life: Life, message: Any) -> tuple[int, Any]:
    answer = life.local.post(f"{PAYMENTS}/webhook", message)
    life.work()
    return answer.status_code, answer.get_json()


def about(kind: str, **members: Any) -> dict[str, Any]:
    return {"id": "evt_1", "type": kind, "livemode": False, "data": {"object": members}}


def refund_failed(refund: dict[str, Any], **changes: Any) -> dict[str, Any]:
    members = {name: refund[name] for name in ("id", "charge", "amount", "currency")} | {"status": "failed"} | changes
    return about("charge.refund.updated", **members)


def stays(life: Life, order: int, message: Any, answer: Any = SUCCESS) -> None:
    """The message has no effect on the order."""
    before = life.shown(order), life.notes(order), life.refunds(order)
    assert say(life, message) == answer
    assert (life.shown(order), life.notes(order), life.refunds(order)) == before


@plays("webhook controller", "handle_webhook_returns_success_message")
@plays(GROUP, "noop_webhook")
@pytest.mark.parametrize("kind", ["unknown.webhook.event", "account.updated", "wcpay.notification", "invoice.paid"])
def test_what_is_about_no_payment_is_taken_without_effect(life: Life, kind: str) -> None:
    assert say(life, about(kind, id="x")) == SUCCESS


@plays("webhook controller", "handle_webhook_with_invalid_data_returns_bad_request_message")
@plays(GROUP, "webhook_with_no_type_property", "webhook_with_no_object_property", "webhook_with_no_data_property")
@pytest.mark.parametrize(
    "message",
    [{}, {"id": "evt_1", "data": {"object": {}}}, {"type": "charge.refunded"}, {"type": "charge.refunded", "data": {}}],
    ids=str,
)
def test_what_lacks_its_parts_is_a_bad_request(life: Life, message: Any) -> None:
    assert say(life, message) == BAD


@plays("webhook controller", "handle_webhook_returns_error_message")
@plays(GROUP, "valid_failed_refund_update_webhook_with_unknown_charge_id", "process_refund_throws_when_order_not_found")
def test_what_is_about_an_unknown_charge_is_an_error(life: Life) -> None:
    unknown = {"id": "re_1", "charge": "ch_unknown", "amount": 999, "currency": "gbp"}
    assert say(life, refund_failed(unknown)) == ERROR
    assert say(life, about("charge.refunded", id="ch_unknown", refunded=True)) == ERROR
    order = life.order()
    intent = life.pay(order)["id"]
    assert life.local.provider_faults
    life.local.provider_faults.next(Fault.ERROR_503, times=9)
    assert say(life, about("payment_intent.succeeded", id=intent)) == ERROR
    life.local.provider_faults.clear()


@plays(GROUP, "mode_mismatch_detection", "webhook_with_live_event_and_test_gateway")
@pytest.mark.parametrize(("livemode", "heard"), [(True, False), (False, True), (None, True)])
def test_a_message_of_the_other_mode_is_ignored(life: Life, livemode: bool | None, heard: bool) -> None:
    order = life.order()
    intent = life.pay(order)
    life.refund_elsewhere(intent["charge"]["id"], 100)
    assert say(life, about("charge.refunded", id=intent["charge"]["id"]) | {"livemode": livemode}) == SUCCESS
    assert life.refunds(order) == (["1.00"] if heard else [])


@plays(GROUP, "webhook_with_test_event_and_live_gateway")
def test_a_message_of_test_mode_is_ignored_by_a_live_store(life: Life) -> None:
    order = life.order()
    intent = life.pay(order)["id"]
    store = life.local.store
    asked = len(life.stripe.requests)
    key = {"secret_key": "sk_live_0123456789abcdefghijkl", "api_base": "https://api.stripe.com"}
    live = life.local.bridge.add_store(replace(store, id="", live=True, settings=store.settings | key))
    pair = keys.create(life.local.bridge.services, live.id, Permissions.READ_WRITE)
    of_live = Life(replace(life.local, store=live, pair=pair), "direct")
    assert say(of_live, about("payment_intent.succeeded", id=intent)) == SUCCESS
    assert say(of_live, about("payment_intent.succeeded", id=intent) | {"livemode": True}) == ERROR
    assert len(life.stripe.requests) == asked


# --- refunds that fail later


@plays(
    GROUP,
    "valid_failed_refund_webhook_sets_failed_meta",
    "valid_failed_refund_webhook_deletes_wc_refund",
    "valid_failed_refund_update_webhook",
    "valid_failed_refund_update_webhook_non_usd",
    "valid_failed_refund_update_webhook_zero_decimal_currency",
    "process_refund_ignores_failed_refund_event",
)
@pytest.mark.parametrize(
    ("currency", "total", "amount", "money"),
    [
        ("GBP", "10.23", 999, "9.99 GBP"),
        ("EUR", "10.23", 999, "9.99 EUR"),
        ("JPY", "1023", 999, "999 JPY"),
        ("USD", "10.23", 1023, "10.23 USD"),
    ],
)
def test_a_refund_that_fails_later_is_taken_out_of_the_order(
    life: Life, currency: str, total: str, amount: int, money: str
) -> None:
    order = life.order(total, currency=currency, **({"decimals": 0} if currency == "JPY" else {}))
    intent = life.pay(order)["id"]
    made = life.refund(order_id=order, amount=amount).get_json()
    assert len(life.refunds(order)) == 1
    life.stripe.fail_refund(made["id"])
    assert say(life, refund_failed(made)) == SUCCESS
    title = life.local.store.options["payment_method_title"]
    assert life.said(order, f"A refund of {money} was unsuccessful using {title} ({made['id']}).") == 1
    assert (life.refunds(order), life.meta(order)["_wcpay_refund_status"]) == ([], "failed")
    assert life.status(order) == ("failed" if amount == 1023 else "processing")
    assert life.net(intent) == life.book(intent)["captured"]
    stays(life, order, refund_failed(made))
    stays(life, order, about("charge.refunded", id=made["charge"], refunds={"data": [made | {"status": "failed"}]}))


@plays(GROUP, "non_failed_refund_update_webhook_does_not_set_failed_meta", "non_failed_refund_update_webhook")
@pytest.mark.parametrize("status", ["failed", "succeeded", "pending"])
def test_a_refund_that_the_provider_shows_as_good_stays(life: Life, status: str) -> None:
    """Even if a message claims that it has failed."""
    order = life.order()
    life.pay(order)
    made = life.refund(order_id=order, amount=300).get_json()
    stays(life, order, refund_failed(made, status=status))
    assert life.meta(order)["_wcpay_refund_status"] == "successful"


# --- refunds that somebody made elsewhere


@plays(GROUP, "process_full_refund_succeeded", "process_partial_refund_succeeded")
@pytest.mark.parametrize(("amount", "status"), [(1023, "refunded"), (300, "processing")])
def test_a_refund_of_the_providers_dashboard_is_written_into_the_order(life: Life, amount: int, status: str) -> None:
    order = life.order()
    intent = life.pay(order)
    made = life.refund_elsewhere(intent["charge"]["id"], amount)
    assert say(life, about("charge.refunded", id=intent["charge"]["id"])) == SUCCESS
    [written] = life.local.shop.refunds(order)
    assert (written["amount"], written["refunded_payment"]) == (f"{amount / 100:.2f}", False)
    assert {"_wcpay_refund_id": made}.items() <= {e["key"]: e["value"] for e in written["meta_data"]}.items()
    assert (life.status(order), life.said(order, made)) == (status, 1)
    assert life.net(intent["id"]) == 1023 - amount


@plays(
    GROUP,
    "process_refund_ignores_processed_event",
    "process_refund_ignores_event",
    "process_refund_throws_with_negative_amount",
    "process_refund_throws_with_invalid_refunded_amount",
)
@pytest.mark.parametrize("amount", [300, -300, 0, 999_999])
def test_a_refund_that_is_known_is_not_written_again_whatever_is_claimed_of_it(life: Life, amount: int) -> None:
    order = life.order()
    charge = life.pay(order)["charge"]["id"]
    made = life.refund(order_id=order, amount=300).get_json()
    claimed = {"data": [{"id": made["id"], "amount": amount, "status": "succeeded"}]}
    for refunds in (claimed, {"data": []}, None):
        stays(life, order, about("charge.refunded", id=charge, amount_refunded=amount, refunds=refunds))
    assert life.refunds(order) == ["3.00"]


# --- payments that succeed


@plays(
    GROUP,
    "payment_intent_successful_and_completes_order",
    "payment_intent_successful_and_completes_order_without_intent_id",
    "payment_intent_successful_when_retrying",
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_payment_whose_answer_was_lost_pays_its_order_once(life: Life, times: int) -> None:
    order = life.order()
    assert life.local.provider_faults
    life.local.provider_faults.next(Fault.DROPPED, times=9, match="POST /v1/payment_intents")
    attempt = life.create(order).get_json()["data"]["attempt_id"]
    life.local.provider_faults.clear()
    assert life.taken_for(order) == 1
    assert (life.status(order), life.meta(order)) == ("pending", {})
    intent = life.stripe.ledger.entries("captured", metadata={"order_id": str(order)})[0].object_id
    for _ in range(times):
        made = life.stripe.find(intent)
        message = about("payment_intent.succeeded", id=attempt, metadata=made["metadata"], amount=made["amount"])
        life.local.clock.advance(30)
        assert say(life, message)[0] in (200, 500)
    life.local.clock.advance(3600)
    life.work()
    assert (life.status(order), life.meta(order)["_intent_id"], life.taken_for(order)) == ("processing", intent, 1)
    assert life.said(order, intent) == 1
