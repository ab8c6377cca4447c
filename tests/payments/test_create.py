"""Create over the HTTP API: what is charged, what is answered, what the shop hears of it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.payments.orders import PAYMENTS, hint
from tests.payments.providers import PROVIDERS, REFUNDING, asks_for_a_payment, creates, pay, shop_at, taken
from tests.plugins.concurrently import at_once
from tests.plugins.local import INTENTS, Local, MakeLocal
from tests.web.conftest import OpenShop, Shop

ENVELOPE = "wcpay_server_error"
REFUND = f"{PAYMENTS}/refund"


def ledger(local: Local, kind: str) -> list[int]:
    """The amounts that the sandbox has in its ledger."""
    if not Path(local.store.settings["books"]).exists():
        return []
    with closing(sqlite3.connect(local.store.settings["books"])) as books:
        found = books.execute("select amount from ledger where kind = ?", (kind,))
        return [amount for (amount,) in found]


def test_an_order_is_charged(local: Local) -> None:
    answer = local.create()
    assert answer.status_code == 200
    body = answer.get_json()
    assert (body["amount"], body["currency"], body["status"]) == (1023, "USD", "succeeded")
    assert ledger(local, "charged") == [1023]


def test_the_shop_hears_of_a_payment_with_one_read_and_one_write(local: Local) -> None:
    before = len(local.shop.requests)
    intent = local.create().get_json()
    local.work()
    order = local.order()
    assert (order["status"], order["transaction_id"]) == ("processing", intent["id"])
    assert order["payment_method"] == "wcpay_bridge"
    meta = local.meta()
    assert meta["_intent_id"] == intent["id"]
    assert meta["_charge_id"] == intent["charge"]["id"]
    assert meta["_intention_status"] == "succeeded"
    assert meta["_wcpay_mode"] == "test"
    assert local.notes() == [f"Payment via Card (wcpay-bridge) ({intent['id']})."]
    assert [request.method for request in local.shop.requests[before:]] == ["GET", "PUT"]


def test_a_repeat_gets_the_same_answer_and_charges_nothing(local: Local) -> None:
    first = local.create()
    local.work()
    again = local.create(order_id=str(local.orders["payable"]))
    assert again.data == first.data
    assert ledger(local, "charged") == [1023]


@pytest.mark.parametrize("number_of_requests", [20])
def test_concurrent_creates_charge_once_and_all_get_that_intent(
    make_local: MakeLocal, database_url: str, number_of_requests: int
) -> None:
    local = make_local(database_url)
    answers = at_once(number_of_requests, lambda _: local.create())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert ledger(local, "charged") == [1023]


def test_an_intent_is_found_by_its_id_and_by_its_attempt(local: Local) -> None:
    created = local.create().get_json()
    by_id = local.show(created["id"])
    by_attempt = local.show(created["attempt_id"])
    assert by_id.status_code == 200
    assert by_id.data == by_attempt.data
    assert by_id.get_json()["metadata"] == {
        "customer_name": "John Doe",
        "customer_email": "random.email@example.com",
        "site_url": local.store.identity,
        "order_id": local.orders["payable"],
        "order_number": str(local.orders["payable"]),
        "order_key": local.order()["order_key"],
        "payment_type": "single",
        "checkout_type": local.order()["created_via"],
        "client_version": local.bridge.services.version,
        "subscription_payment": "no",
    }


def test_manual_capture_authorises_and_puts_the_order_on_hold(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, capture="manual")
    body = local.create().get_json()
    local.work()
    assert body["status"] == "requires_capture"
    card = body["charge"]["payment_method_details"]["card"]
    assert card["capture_before"] == 1_790_000_000 + 7 * 24 * 3600
    assert (local.order()["status"], local.order()["transaction_id"]) == ("on-hold", body["id"])
    assert any(
        f"A payment of 10.23 USD was authorized using Card (wcpay-bridge) ({body['id']})." in n for n in local.notes()
    )


@pytest.mark.parametrize(
    ("order", "amount", "currency"),
    [("jpy", 500, "JPY"), ("kwd", 1230, "KWD"), ("virtual", 999, "USD")],
)
def test_amounts_are_minor_units_of_the_orders_currency(local: Local, order: str, amount: int, currency: str) -> None:
    body = local.create(order).get_json()
    local.work()
    assert (body["amount"], body["currency"]) == (amount, currency)
    assert local.order(order)["status"] in ("processing", "completed")


BAD_PARAMETERS = [
    ({"order_id": ...}, "Order not found (order_id is missing).", "order_not_found"),
    ({"order_id": None}, "Order not found (order_id is missing).", "order_not_found"),
    ({"order_id": ""}, "Order not found (order_id is missing).", "order_not_found"),
    ({"order_id": "abc"}, "Order not found (order_id is not the number of an order).", "order_not_found"),
    ({"order_id": [1]}, "Order not found (order_id is not the number of an order).", "order_not_found"),
    ({"order_id": True}, "Order not found (order_id is not the number of an order).", "order_not_found"),
    ({"order_id": 999_999}, "Order not found", "order_not_found"),
    ({"customer": ...}, "Missing parameter: customer.", "invalid_parameter"),
    ({"customer": None}, "Missing parameter: customer.", "invalid_parameter"),
    ({"customer": ""}, "Empty parameter is not allowed (customer).", "invalid_parameter"),
    (
        {"customer": "abc"},
        "abc is not a valid Stripe identifier (customer must start with cus_).",
        "invalid_parameter",
    ),
    (
        {"customer": ["cus_1"]},
        "Invalid parameter: customer is a list, not a text that starts with cus_.",
        "invalid_parameter",
    ),
    ({"payment_method": ...}, "Missing parameter: payment_method.", "invalid_parameter"),
    ({"payment_method": ""}, "Empty parameter is not allowed (payment_method).", "invalid_parameter"),
    (
        {"payment_method": "tok_visa"},
        "tok_visa is not a valid Stripe identifier (payment_method must start with pm_ or src_ or card_).",
        "invalid_parameter",
    ),
    ({"payment_method": "pm_card_typo"}, "Error: No such PaymentMethod: 'pm_card_typo'", "provider_refused"),
]


@pytest.mark.parametrize(("changes", "message", "reason"), BAD_PARAMETERS)
def test_bad_parameters_are_told_and_charge_nothing(
    local: Local, changes: dict[str, object], message: str, reason: str
) -> None:
    answer = local.create(**changes)
    body = answer.get_json()
    assert (answer.status_code, body["code"], body["message"]) == (500, ENVELOPE, message)
    assert (body["data"]["status"], body["data"]["reason"]) == (500, reason)
    assert ledger(local, "charged") == []


BAD_ORDERS = [
    ("paid", "Order {} is already paid.", "order_processing"),
    ("cancelled", "Order {} is cancelled.", "order_cancelled"),
    ("refunded", "Order {} was refunded.", "order_refunded"),
    (
        "zero_total",
        "Invalid number passed. Number 0 needs to be larger than 0 (the total of order {}).",
        "invalid_amount",
    ),
]


@pytest.mark.parametrize(("order", "message", "reason"), BAD_ORDERS)
def test_orders_that_cannot_be_paid_are_refused(local: Local, order: str, message: str, reason: str) -> None:
    answer = local.create(order)
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, ENVELOPE)
    assert body["message"] == message.format(local.orders[order])
    assert body["data"]["reason"] == reason
    assert ledger(local, "charged") == []


def test_a_negative_total_is_refused(local: Local) -> None:
    order_id = local.shop.add_order(total="-5.00")
    body = local.create(order_id).get_json()
    assert (
        body["message"]
        == f"Invalid number passed. Number -500 needs to be larger than 0 (the total of order {order_id})."
    )


def test_a_total_that_cannot_be_charged_exactly_is_refused_unless_the_store_rounds(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url)
    order_id = local.shop.add_order(total="10.235", decimals=3)
    answer = local.create(order_id)
    assert answer.status_code == 500
    assert answer.get_json()["data"]["reason"] == "amount_not_representable"
    assert answer.get_json()["message"] == (
        "The amount 10.235 USD cannot be charged exactly. Change the order's total, "
        "or let the store round half up (setting rounding=half_up)."
    )


def test_a_store_that_rounds_half_up_charges_the_rounded_total(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, options={"rounding": "half_up"})
    order_id = local.shop.add_order(total="10.235", decimals=3)
    assert local.create(order_id).get_json()["amount"] == 1024


def test_a_decline_is_told_with_its_code_and_frees_the_order(local: Local) -> None:
    answer = local.create(payment_method="pm_card_chargeDeclinedInsufficientFunds")
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, ENVELOPE)
    assert body["message"] == "Error: Your card has insufficient funds."
    assert body["data"]["decline_code"] == "insufficient_funds"
    assert body["data"]["outcome"] == "failed"
    declined = local.show(body["data"]["attempt_id"]).get_json()
    assert declined["status"] == "canceled"
    assert declined["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert local.create().get_json()["status"] == "succeeded"
    local.work()
    assert local.order()["status"] == "processing"
    assert sum("Your card has insufficient funds." in note for note in local.notes()) == 1


def test_another_payment_method_for_a_paid_order_is_refused(local: Local) -> None:
    paid = local.create().get_json()
    body = local.create(payment_method="pm_card_mastercard").get_json()
    number = local.orders["payable"]
    assert body["message"] == f"Order {number} is already paid ({paid['id']}); it cannot be charged again."
    assert body["data"]["reason"] == "order_paid"
    assert ledger(local, "charged") == [1023]


def test_an_open_intent_is_voided_before_another_payment_method_is_tried(local: Local) -> None:
    waiting = local.create(payment_method="pm_card_authenticationRequired").get_json()
    assert waiting["status"] == "requires_action"
    assert waiting["client_secret"].startswith(waiting["id"])
    paid = local.create().get_json()
    assert paid["status"] == "succeeded"
    assert local.show(waiting["id"]).get_json()["status"] == "canceled"
    assert ledger(local, "canceled") == [1023]
    assert ledger(local, "charged") == [1023]


def test_an_open_intent_is_answered_again_with_its_secret_which_get_never_shows(local: Local) -> None:
    first = local.create(payment_method="pm_card_authenticationRequired").get_json()
    again = local.create(payment_method="pm_card_authenticationRequired").get_json()
    assert again == first
    shown = local.show(first["id"]).get_data(as_text=True)
    assert first["client_secret"] not in shown


def test_a_total_that_changed_voids_the_open_intent(local: Local) -> None:
    waiting = local.create(payment_method="pm_card_authenticationRequired").get_json()
    local.shop.update_order(local.orders["payable"], total="12.00")
    fresh = local.create(payment_method="pm_card_authenticationRequired").get_json()
    assert (fresh["amount"], fresh["status"]) == (1200, "requires_action")
    assert local.show(waiting["id"]).get_json()["status"] == "canceled"


def test_a_total_that_changed_after_payment_is_refused(local: Local) -> None:
    local.create()
    local.shop.update_order(local.orders["payable"], total="12.00")
    assert local.create().get_json()["data"]["reason"] == "order_paid"
    assert ledger(local, "charged") == [1023]


def test_an_unknown_intent_is_missing_in_woopayments_words(local: Local) -> None:
    answer = local.show("pi_x")
    assert answer.status_code == 500
    assert answer.get_data(as_text=True) == (
        '{"code":"resource_missing","message":"Error: No such payment_intent: \'pi_x\'","data":null}'
    )


def test_no_store_sees_the_intents_of_another(make_local: MakeLocal, sqlite_url: str) -> None:
    ours = make_local(sqlite_url)
    created = ours.create().get_json()
    theirs = ours.shop.add_key()
    assert theirs
    from dataclasses import replace

    from bridge.domain.stores import Permissions
    from bridge.registry import keys

    other = ours.bridge.add_store(replace(ours.store, id=""), shop=ours.store.id)
    ours.pair = keys.create(ours.bridge.services, other.id, Permissions.READ_WRITE)
    for name in (created["id"], created["attempt_id"]):
        answer = ours.show(name)
        assert (answer.status_code, answer.get_json()["code"]) == (500, "resource_missing")


def test_parameters_come_from_form_and_query_too(local: Local) -> None:
    answer = local._open(
        INTENTS,
        method="POST",
        data={"customer": local.customer, "payment_method": "pm_card_visa"},
        query_string={"order_id": local.orders["payable"]},
    )
    assert answer.get_json()["status"] == "succeeded"


def test_a_currency_that_the_account_does_not_take_is_refused(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"currencies": "usd"})
    answer = local.create("jpy")
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, ENVELOPE)
    assert body["message"] == "jpy is not a supported currency for payments."
    assert body["data"]["reason"] == "currency_not_supported"
    assert local.stripe is not None
    assert local.stripe.ledger.entries("captured") == ()


def test_a_hold_that_was_not_heard_of_yet_is_not_voided_for_another_payment_method(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual", settings={"off_session": "no"})
    assert local.stripe
    waiting = local.create(payment_method="pm_card_authenticationRequired").get_json()
    local.stripe.authenticate(waiting["id"])
    refused = local.create()
    assert refused.get_json()["data"]["reason"] == "order_authorized"
    assert local.show(waiting["id"]).get_json()["status"] == "requires_capture"
    assert [entry.amount for entry in local.stripe.ledger.entries("canceled")] == []
    local.work()
    assert local.order()["status"] == "on-hold"


def test_an_open_intent_whose_provider_is_away_is_neither_voided_nor_replaced(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    assert local.provider_faults
    waiting = local.create(payment_method="pm_card_authenticationRequired").get_json()
    local.provider_faults.next(Fault.REFUSED, times=2, match="GET /v1/payment_intents")
    away = local.create().get_json()
    assert away["data"]["reason"] == "provider_unreachable"
    assert local.show(waiting["id"]).get_json()["status"] == "requires_action"
    assert local.create().get_json()["status"] == "succeeded"


def test_an_order_that_the_shop_will_hear_is_cancelled_takes_no_new_payment(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, capture="manual")
    held = local.create().get_json()
    cancel = f"/wp-json/wc/v3/payments/orders/{local.orders['payable']}/cancel_authorization"
    assert local.post(cancel, {"payment_intent_id": held["id"]}).status_code == 200
    early = local.create().get_json()
    assert early["data"]["reason"] == "in_progress"
    assert early["message"] == f"Order {local.orders['payable']} is being cancelled. Ask again in a moment."
    local.work()
    assert local.create().get_json()["data"]["reason"] == "order_cancelled"
    assert ledger(local, "authorized") == [1023]


ANOTHER = {
    "customer": {"customer": "cus_AnotherPayer00"},
    "payment method": {"payment_method": "pm_card_mastercard"},
    "total": {"total": "12.00"},
    "currency": {"currency": "EUR"},
}
"""What a second create asks for that the first one did not: by parameter, or because staff changed the order."""
ASKS_ITS_BUYER = {"payment_method": "pm_card_authenticationRequired"}


def ask_for_another(shop: Shop, what: str, **first: str) -> Any:
    """A second create that differs from the `first` in just this."""
    changes = dict(ANOTHER[what])
    if what in ("total", "currency"):
        shop.local.shop.update_order(shop.local.orders[shop.order], **changes)
        changes = {}
    elif what == "customer" and shop.local.stripe:
        charged_here = shop.local.store.settings.get("charge_type") == "destination"
        changes["customer"] = shop.local.stripe.add_customer(
            None if charged_here else shop.local.store.settings["account"]
        )
    return shop.local.create(shop.order, **(first | changes))


def open_payment(shop: Shop) -> dict[str, Any]:
    """A create that waits for its buyer."""
    created = shop.create(**ASKS_ITS_BUYER)
    assert created["status"] in ("requires_action", "requires_payment_method")
    return created


@pytest.mark.parametrize("what", ANOTHER)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_paid_order_is_charged_nothing_for_who_asks_for_something_else(
    open_shop: OpenShop, provider: str, what: str
) -> None:
    shop = shop_at(open_shop, provider)
    intent = shop.create()
    if intent["status"] != "succeeded":
        pay(shop, intent["id"])
        hint(shop.local, intent["id"])
    asked = creates(shop)
    refused = ask_for_another(shop, what)
    assert (refused.status_code, refused.get_json()["data"]["reason"]) == (500, "order_paid")
    assert creates(shop) == asked
    assert len(taken(shop)) == 1


@pytest.mark.parametrize("what", ANOTHER)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_asks_for_something_else_never_gets_the_open_payment_of_the_first(
    open_shop: OpenShop, provider: str, what: str
) -> None:
    buyer = {"off_session": "no"} if provider.startswith("stripe") else {}
    shop = shop_at(open_shop, provider, **buyer)
    first = open_payment(shop)
    answer = ask_for_another(shop, what, **ASKS_ITS_BUYER).get_json()
    assert answer.get("id") != first["id"]
    assert first.get("client_secret") is None or answer.get("client_secret") != first["client_secret"]


@pytest.mark.parametrize("what", ANOTHER)
@pytest.mark.parametrize("provider", ["stripe", "stripe_destination", "forte_platform"])
def test_who_asks_for_something_else_does_not_send_an_unknown_create_again(
    open_shop: OpenShop, provider: str, what: str
) -> None:
    shop = shop_at(open_shop, provider)
    shop.faults.next(Fault.DROPPED, times=9, match=asks_for_a_payment(shop))
    assert shop.local.create(shop.order).get_json()["data"]["outcome"] == "unknown"
    shop.faults.clear()
    [(key, sent)] = creates(shop).items()
    ask_for_another(shop, what)
    assert creates(shop)[key] == sent


@pytest.mark.parametrize("state", ["open", "paid"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_order_that_comes_back_with_another_key_never_gets_the_payment_of_the_other(
    open_shop: OpenShop, provider: str, state: str
) -> None:
    buyer = {"off_session": "no"} if provider.startswith("stripe") and state == "open" else {}
    shop = shop_at(open_shop, provider, **buyer)
    first = open_payment(shop) if state == "open" else shop.create()
    shop.local.shop.update_order(shop.local.orders[shop.order], order_key="wc_order_another")
    answer = shop.local.create(shop.order, **(ASKS_ITS_BUYER if state == "open" else {})).get_json()
    assert answer.get("id") != first["id"]
    assert "client_secret" not in answer or answer["client_secret"] != first.get("client_secret")


@pytest.mark.parametrize("provider", ["sandbox", *REFUNDING])
def test_a_paid_order_is_free_only_when_all_of_it_was_sent_back_and_the_shop_asks_again(
    open_shop: OpenShop, provider: str
) -> None:
    shop = shop_at(open_shop, provider)
    first = shop.create()
    if first["status"] != "succeeded":
        pay(shop, first["id"])
        hint(shop.local, first["id"])
    shop.local.work()
    order = shop.local.orders[shop.order]

    def sends_back(amount: int) -> None:
        assert shop.local.post(REFUND, {"order_id": order, "amount": amount}).status_code == 200
        shop.local.work()

    def asks_again() -> Any:
        shop.local.shop.update_order(order, status="pending")
        return shop.local.create(shop.order).get_json()

    for amount in (1, 1000):
        sends_back(amount)
        assert asks_again().get("id") in (None, first["id"])
        assert len(taken(shop)) == 1
    sends_back(22)
    assert shop.local.create(shop.order).get_json().get("id") in (None, first["id"]), "the shop asks for nothing"
    second = asks_again()
    assert (second["id"] != first["id"], second["amount"]) == (True, 1023)


def test_a_shop_that_was_asked_for_a_released_order_twice_at_once_is_charged_once(local: Local) -> None:
    """Whoever lets go of a paid order does so once: the loser finds the payment of the winner."""
    local.create()
    local.work()
    order = local.orders["payable"]
    assert local.post(REFUND, {"order_id": order, "amount": 1023}).status_code == 200
    local.work()
    local.shop.update_order(order, status="pending")
    answers = at_once(6, lambda _: local.create())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert ledger(local, "charged") == [1023, 1023]
