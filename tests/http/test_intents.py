"""What create and look-up answer: the published shape, the plugin's shape, and the bridge's own keys after them."""

import json
import re

from sqlalchemy import text

from tests.http.conftest import ORDER, Door, MakeDoor
from tests.plugins.clock import START
from tests.plugins.local import CREATED, INTENTS

SHOWN = [
    "id",
    "amount",
    "currency",
    "charge",
    "created",
    "customer",
    "metadata",
    "payment_method",
    "payment_method_types",
    "processing",
    "status",
    "order",
]
SHOWN_CHARGE = [
    "id",
    "amount",
    "created",
    "payment_method_details",
    "payment_method",
    "amount_captured",
    "amount_refunded",
    "application_fee_amount",
    "balance_transaction",
    "billing_details",
    "currency",
    "dispute",
    "disputed",
    "order",
    "outcome",
    "paid",
    "paydown",
    "payment_intent",
    "captured",
    "refunded",
    "refunds",
    "status",
]


def test_a_create_answers_in_the_published_shape_with_the_extensions_after_it(door: Door) -> None:
    response = door.create()
    assert response.status_code == 200
    answer = response.json
    assert list(answer) == [*CREATED, "livemode", "metadata", "provider", "attempt_id"]
    assert re.fullmatch(r"pi_\w{24}", answer["id"])
    assert re.fullmatch(r"ch_\w{24}", answer["charge"]["id"])
    assert {name: answer[name] for name in CREATED[1:7]} == {
        "amount": 1023,
        "currency": "USD",
        "created": int(START),
        "customer": "cus_OUQoHGzJLw87Tk",
        "payment_method": "pm_card_visa",
        "status": "succeeded",
    }
    del answer["charge"]["id"]
    as_text = json.dumps(answer["charge"])  # compared with its order of keys
    assert as_text == json.dumps(
        {
            "amount": 1023,
            "application_fee_amount": None,
            "status": "succeeded",
            "billing_details": {
                "address": {
                    "city": "San Francisco",
                    "country": "US",
                    "line1": "123 Random St",
                    "line2": "-",
                    "postal_code": "94101",
                    "state": "CA",
                },
                "email": "random.email@example.com",
                "name": "John Doe",
                "phone": "5555555555",
            },
            "payment_method_details": {
                "card": {
                    "amount_authorized": 1023,
                    "brand": "visa",
                    "capture_before": "",
                    "country": "US",
                    "exp_month": 12,
                    "exp_year": 2034,
                    "last4": "4242",
                    "three_d_secure": "",
                }
            },
        }
    )
    assert (answer["livemode"], answer["provider"]) == (False, "sandbox")


def test_the_woopayments_profile_writes_created_as_a_date_in_a_create_only(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    created = door.create().json
    assert created["created"] == "2026-09-21 14:13:20"
    assert door.get(f"{INTENTS}/{created['id']}").json["created"] == 1_790_000_000


def test_an_intent_without_a_charge_has_no_charge_and_tells_the_caller_of_create_alone_what_to_do(door: Door) -> None:
    created = door.create(body={"payment_method": "pm_card_authenticationRequired"}).json
    assert created["status"] == "requires_action"
    assert "charge" not in created
    assert created["next_action"]
    shown = door.get(f"{INTENTS}/{created['id']}").json
    assert shown["charge"] is None
    assert not {"next_action", "client_secret", "provider_data"} & set(shown)


def test_a_look_up_has_the_plugins_keys_in_its_order(door: Door) -> None:
    created = door.create().json
    shown = door.get(f"{INTENTS}/{created['id']}").json
    assert list(shown) == [*SHOWN, "livemode", "provider", "attempt_id"]
    assert list(shown["charge"]) == SHOWN_CHARGE
    assert shown["charge"]["currency"] == "usd"
    assert shown["charge"]["payment_intent"] == created["id"]
    assert shown["charge"]["payment_method_details"]["type"] == "card"
    address = "123 Random St<br/>-<br/>San Francisco, CA 94101<br/>US"
    assert shown["charge"]["billing_details"]["formatted_address"] == address
    assert (shown["charge"]["paid"], shown["charge"]["refunded"]) == (True, False)
    assert (shown["payment_method_types"], shown["processing"]) == (["card"], [])
    assert shown["metadata"]["order_key"] == ORDER.key
    assert shown["order"] == {
        "number": "19",
        "url": "https://shop.example/wp-admin/admin.php?page=wc-orders&action=edit&id=19",
        "customer_url": None,
        "customer_name": "John Doe",
        "customer_email": "random.email@example.com",
        "subscriptions": [],
        "fraud_meta_box_type": "",
    }


def test_an_unknown_outcome_is_shown_as_processing_and_unknown(door: Door) -> None:
    refusal = door.create(body={"payment_method": "pm_sandbox_lost_answer"}).json
    assert refusal["data"]["outcome"] == "unknown"
    shown = door.get(f"{INTENTS}/{refusal['data']['attempt_id']}").json
    assert (shown["status"], shown["outcome"]) == ("processing", "unknown")


def test_an_open_intent_whose_cancellation_is_unknown_is_processing_too(door: Door) -> None:
    created = door.create(body={"payment_method": "pm_card_authenticationRequired"}).json
    with door.bridge.services.database.write() as connection:
        connection.execute(text("update intents set unknown = true"))
    shown = door.get(f"{INTENTS}/{created['id']}").json
    assert (shown["status"], shown["outcome"]) == ("processing", "unknown")


def test_a_declined_intent_tells_why(door: Door) -> None:
    declined = door.create(body={"payment_method": "pm_card_chargeDeclinedInsufficientFunds"}).json
    shown = door.get(f"{INTENTS}/{declined['data']['attempt_id']}").json
    assert shown["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert shown["status"] == "canceled"


def test_an_intent_of_another_store_does_not_exist(door: Door, make_door: MakeDoor) -> None:
    created = door.create().json
    other = make_door()
    for name in (created["id"], created["attempt_id"], created["charge"]["id"], "pi_x"):
        response = other.get(f"{INTENTS}/{name}")
        assert response.status_code == 500
        assert response.json == {
            "code": "resource_missing",
            "message": f"Error: No such payment_intent: '{name}'",
            "data": None,
        }


NOT_A_CLIENTS = {
    **{"amount": 1, "currency": "jpy", "status": "succeeded", "livemode": True, "store_id": "another", "id": "pi_mine"},
    **{"account": "acct_mine", "application_fee_amount": 900, "transfer_data": {"destination": "acct_mine"}},
    **{
        "on_behalf_of": "acct_mine",
        "attempt_id": "mine",
        "order_key": "mine",
        "capture_method": "manual",
        "paid": True,
    },
}


def test_a_client_says_nothing_of_what_is_paid_and_to_whom(door: Door) -> None:
    door.shelf.put(20)
    plain = door.get(f"{INTENTS}/{door.create().json['id']}").json
    made = door.create(body={"order_id": 20, **NOT_A_CLIENTS}).json
    assert not {made["id"], made["attempt_id"]} & {"pi_mine", "mine"}
    shown = door.get(f"{INTENTS}/{made['id']}").json
    own = re.compile(r"(pi|ch|txn|cus|wc_order)_\w+|\b[0-9a-f]{32}\b|\b(19|20)\b")
    assert own.sub("", json.dumps(shown)) == own.sub("", json.dumps(plain))
    assert shown["amount"] == 1023
