import pytest

from bridge.testing import Fault


def test_a_card_is_charged_and_the_shop_hears_of_it(app, store):
    paid = store.create()
    assert paid.json["status"] == "succeeded"
    shown = app.test_client().get(f"{store.api}/payment_intents/{paid.json['id']}", auth=store.auth)
    assert shown.json["id"] == paid.json["id"]
    store.work()
    assert store.shop.order(store.orders["payable"])["status"] == "processing"


@pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
def test_a_declined_card(app, store, adapter):
    declined = store.create(payment_method="pm_card_chargeDeclined")
    assert declined.status_code == (402 if app.name == "office" else 500)


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_a_buyer_is_sent_to_pay(store, adapter):
    created = store.create("virtual").json
    assert created["status"].startswith("requires_")
    assert "/bridge/v1/pay/" in created["pay_url"]


def test_an_answer_that_is_lost_is_not_a_second_charge(store, provider, faults):
    faults.next(Fault.DROPPED, times=9, match="POST /v1/payment_intents")
    unknown = store.create()
    assert unknown.json["data"]["outcome"] == "unknown"
    faults.clear()
    store.work()
    assert len(provider.simulator.ledger.entries("captured")) == 1


def test_a_dispute_is_heard_of(store, provider):
    store.create(payment_method="pm_card_createDispute")
    provider.deliver()
    store.work()
    assert any("dispute" in note["note"].lower() for note in store.shop.notes(store.orders["payable"]))
