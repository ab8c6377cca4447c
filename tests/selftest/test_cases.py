"""What the batteries have found, each as a case of its own."""

from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from bridge.operations import inbox_admin
from bridge.simulators.faults import Fault
from tests.plugins.local import Local, MakeLocal

SECRET = "whsec_0123456789abcdef"
DAY = 24 * 3600.0


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect", settings={"webhook_secret": SECRET})


def refund(local: Local, **wanted: Any) -> TestResponse:
    return local.post("/wp-json/wc/v3/payments/refund", {"order_id": local.orders["payable"], **wanted})


def test_a_clock_that_was_set_back_does_not_hide_which_payment_it_is(stripe: Local) -> None:
    """The oldest attempt was taken for the create, and after a step back of the clock it was a refund."""
    stripe.create()
    stripe.work()
    stripe.clock.advance(-100)
    assert refund(stripe, amount=100).status_code == 200
    assert refund(stripe, amount=200).status_code == 200
    stripe.clock.advance(300)
    stripe.work()
    assert [each["amount"] for each in stripe.shop.refunds(stripe.orders["payable"])] == ["1.00", "2.00"]


def test_a_shop_that_answers_410_is_away_and_its_order_is_not_gone(stripe: Local) -> None:
    """A host's page for a site that is switched off was taken for WooCommerce's word that the order was deleted."""
    stripe.create()
    stripe.shop_faults.next(Fault.STATUS, times=2, status=410, match="/orders/")
    stripe.work()
    assert stripe.order()["status"] == "pending"
    stripe.shop_faults.clear()
    stripe.clock.advance(10)
    stripe.work()
    assert stripe.order()["status"] == "processing"


def test_a_message_is_kept_encrypted(stripe: Local) -> None:
    """It has the payment's client secret in it, which could be read in the database."""
    assert stripe.stripe
    secret = stripe.stripe.find(stripe.create().get_json()["id"])["client_secret"]
    endpoint = stripe.stripe.add_webhook_endpoint("http://127.0.0.1:9/never", connect=True, secrets=[SECRET])
    message = stripe.stripe.signed(stripe.stripe.events[-1]["id"], endpoint.id)
    assert secret in message.body.decode()
    path = f"/bridge/v1/webhooks/{stripe.store.id}"
    assert stripe.app.test_client().post(path, data=message.body, headers=dict(message.headers)).status_code == 200
    with stripe.bridge.services.database.read() as connection:
        [stored] = connection.execute(text("select * from inbox")).all()
    assert secret not in str(tuple(stored))
    assert inbox_admin.message(stripe.bridge.services, stored.id)["body"] == message.body.decode()


def test_a_message_is_not_given_up_because_nobody_worked_for_days(stripe: Local) -> None:
    """Its age alone made a dead letter of it, at the first trouble after a long pause."""
    assert stripe.stripe
    assert stripe.provider_faults
    stripe.create()
    stripe.work()
    endpoint = stripe.stripe.add_webhook_endpoint("http://127.0.0.1:9/never", connect=True, secrets=[SECRET])
    message = stripe.stripe.signed(stripe.stripe.events[-1]["id"], endpoint.id)
    path = f"/bridge/v1/webhooks/{stripe.store.id}"
    assert stripe.app.test_client().post(path, data=message.body, headers=dict(message.headers)).status_code == 200
    stripe.clock.advance(4 * DAY)
    stripe.provider_faults.next(Fault.ERROR_503, times=9)
    stripe.work()
    stripe.provider_faults.clear()
    assert [told["state"] for told in inbox_admin.messages(stripe.bridge.services)] == ["new"]
    stripe.clock.advance(2 * 3600)
    stripe.work()
    assert [told["state"] for told in inbox_admin.messages(stripe.bridge.services)] == ["done"]


def test_a_void_whose_answer_was_lost_is_settled_by_a_look_that_shows_it_voided(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    """Nobody worked for a month, the provider was away at the last check, and the outcome stayed unknown for ever."""
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    assert local.provider_faults
    intent = local.create(payment_method="pm_card_threeDSecure2Required").get_json()["id"]
    local.work()
    local.shop.update_order(local.orders["payable"], status="cancelled")
    local.provider_faults.next(Fault.DROPPED, times=9, match="/cancel")
    assert local.create().get_json()["code"]
    local.provider_faults.clear()
    assert local.show(intent).get_json()["outcome"] == "unknown"
    local.clock.advance(32 * DAY)
    local.provider_faults.next(Fault.ERROR_503, times=9, match="/cancel")
    local.work()
    local.clock.advance(2 * DAY)
    local.work()
    shown = local.show(intent).get_json()
    assert (shown["status"], shown.get("outcome", "known")) == ("canceled", "known")
