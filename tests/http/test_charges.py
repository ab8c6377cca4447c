"""One charge, the stand-in for an order without one, and the timeline of a payment."""

from tests.http.conftest import Door
from tests.http.payments import DAY, PAYMENTS, capture_by_hand, listed, look, pay, sandbox
from tests.plugins.clock import START


def test_a_charge_has_its_order_its_refunds_and_its_dispute(door: Door) -> None:
    created = pay(door, 20)
    door.post(f"{PAYMENTS}/refund", json={"order_id": 20, "amount": 300, "reason": "duplicate"})
    sandbox(door).dispute(created["id"])
    look(door, created["id"])
    charge = door.get(f"{PAYMENTS}/charges/{created['charge']['id']}").json
    assert charge["object"] == "charge"
    assert (charge["id"], charge["payment_intent"], charge["livemode"]) == (
        created["charge"]["id"],
        created["id"],
        False,
    )
    assert charge["billing_details"]["formatted_address"].startswith("123 Random St<br/>")
    assert (charge["order"]["number"], charge["order"]["customer_name"]) == ("20", "John Doe")
    assert (charge["amount_refunded"], charge["refunded"], charge["disputed"]) == (300, False, True)
    [refund] = charge["refunds"]["data"]
    assert (refund["amount"], refund["reason"], refund["charge"]) == (300, "duplicate", charge["id"])
    assert (charge["refunds"]["object"], charge["refunds"]["total_count"]) == ("list", 1)
    assert (charge["dispute"]["amount"], charge["dispute"]["status"]) == (723, "needs_response")
    shown = door.get(f"{PAYMENTS}/payment_intents/{created['id']}").json["charge"]
    assert set(shown) <= set(charge)


ORDER_AS_CHARGE = [
    "id",
    "amount",
    "amount_captured",
    "amount_refunded",
    "application_fee_amount",
    "balance_transaction",
    "billing_details",
    "created",
    "currency",
    "disputed",
    "outcome",
    "order",
    "paid",
    "paydown",
    "payment_intent",
    "payment_method_details",
    "refunded",
    "refunds",
    "status",
]


def test_an_order_stands_in_for_a_charge(door: Door) -> None:
    door.shelf.put(19, created=1_780_000_000)
    answer = door.get(f"{PAYMENTS}/charges/order/19")
    assert list(answer.json) == ORDER_AS_CHARGE
    assert answer.json["billing_details"]["formatted_address"].startswith("123 Random St<br/>")
    shown = {name: answer.json[name] for name in ORDER_AS_CHARGE if name not in ("billing_details", "order")}
    assert shown == {
        "id": 19,
        "amount": 1023,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application_fee_amount": 0,
        "balance_transaction": {"currency": "USD", "amount": 1023, "fee": 0},
        "created": 1_780_000_000,
        "currency": "USD",
        "disputed": False,
        "outcome": False,
        "paid": False,
        "paydown": None,
        "payment_intent": None,
        "payment_method_details": {"card": {"country": "US", "checks": [], "network": ""}, "type": "card"},
        "refunded": False,
        "refunds": None,
        "status": "pending",
    }
    created = door.create(body={"payment_method": "pm_card_authenticationRequired"}).json
    again = door.get(f"{PAYMENTS}/charges/order/19").json
    assert (again["payment_intent"], again["created"]) == (created["id"], 1_780_000_000)


def types(door: Door, name: str) -> list[str]:
    return [event["type"] for event in listed(door, f"timeline/{name}")]


def test_a_timeline_tells_what_happened_newest_first(door: Door) -> None:
    capture_by_hand(door)
    created = pay(door, 20)
    door.post(f"{PAYMENTS}/orders/20/capture_authorization", json={"payment_intent_id": created["id"], "amount": 1000})
    door.clock.advance(60)
    for amount in (300, 700):
        door.post(f"{PAYMENTS}/refund", json={"order_id": 20, "amount": amount})
        door.clock.advance(60)
    events = listed(door, f"timeline/{created['id']}")
    assert [(event["type"], event["datetime"] - int(START)) for event in events] == [
        ("full_refund", 190),
        ("partial_refund", 130),
        ("captured", 70),
        ("authorized", 10),
    ]
    assert events[3] == {"type": "authorized", "datetime": int(START) + 10, "amount": 1023, "currency": "USD"}
    assert events[2] == {
        "type": "captured",
        "datetime": int(START) + 70,
        "amount": 1023,
        "amount_captured": 1000,
        "fee": 0,
        "deposit": None,
        "transaction_details": {
            "customer_currency": "USD",
            "customer_amount": 1023,
            "customer_amount_captured": 1000,
            "customer_fee": 0,
            "store_currency": "USD",
            "store_amount": 1023,
            "store_amount_captured": 1000,
            "store_fee": 0,
        },
        "currency": "USD",
    }
    assert (events[1]["amount_refunded"], events[0]["amount_refunded"]) == (300, 700)


def test_a_timeline_of_an_order_has_all_its_intents(door: Door) -> None:
    door.create(body={"payment_method": "pm_card_chargeDeclinedInsufficientFunds"})
    door.clock.advance(60)
    door.create()
    events = listed(door, "timeline/19")
    assert [event["type"] for event in events] == ["captured", "failed"]
    assert (events[1]["amount"], events[1]["reason"]) == (1023, "card_declined")


def test_a_void_a_start_and_a_dispute_have_their_words(door: Door) -> None:
    started = pay(door, 20, payment_method="pm_card_authenticationRequired")
    assert types(door, started["id"]) == ["started"]
    disputed = pay(door, 21)
    sandbox(door).dispute(disputed["id"], "product_not_received")
    look(door, disputed["id"])
    door.clock.advance(60)
    sandbox(door).close_dispute(disputed["id"], "lost")
    look(door, disputed["id"])
    events = listed(door, f"timeline/{disputed['id']}")
    assert [event["type"] for event in events] == ["dispute_lost", "dispute_needs_response", "captured"]
    asked = events[1]
    assert (asked["amount"], asked["fee"], asked["reason"]) == (1023, 0, "product_not_received")
    assert asked["dispute_id"].startswith("dp_")
    assert asked["evidence_due_by"] > START
    inquiry = pay(door, 22, payment_method="pm_card_createDisputeInquiry")
    look(door, inquiry["id"])
    assert listed(door, f"timeline/{inquiry['id']}")[0]["amount"] is None
    capture_by_hand(door)
    voided = pay(door, 23)
    door.post(f"{PAYMENTS}/orders/23/cancel_authorization", json={"payment_intent_id": voided["id"]})
    assert types(door, voided["id"]) == ["authorization_voided", "authorized"]


def test_an_authorization_that_ran_out_has_its_word(door: Door) -> None:
    capture_by_hand(door)
    created = pay(door, 20)
    door.clock.advance(8 * DAY)
    look(door, created["id"])
    assert types(door, created["id"]) == ["authorization_expired", "authorized"]


def test_a_timeline_of_what_is_not_there(door: Door) -> None:
    for name in ("pi_x", "999", "9" * 30):
        answer = door.get(f"{PAYMENTS}/timeline/{name}")
        assert (answer.status_code, answer.json) == (
            500,
            {"code": "resource_missing", "message": f"Error: No such payment_intent: '{name}'", "data": None},
        )
