"""What a provider does not tell by itself is found by looking: soon, then ever more seldom, and not for ever."""

from itertools import pairwise
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from bridge.storage import intents
from bridge.worker.runner import claim_poll
from tests.plugins.local import Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"
WEEK = 7 * 24 * 3600.0


def paid(local: Local, payment_method: str = "pm_card_visa") -> dict[str, Any]:
    created: dict[str, Any] = local.create(payment_method=payment_method).get_json()
    assert created["status"] == "succeeded"
    local.work()
    return created


def refunded(local: Local, payment_method: str) -> None:
    paid(local, payment_method)
    local.clock.advance(3600.0)
    local.work()
    wanted = {"order_id": local.orders["payable"], "amount": 1023}
    assert local.post(f"{PAYMENTS}/refund", wanted).status_code == 200
    local.work()
    assert local.order()["status"] == "refunded"


def looks(local: Local, intent: str) -> list[float]:
    """Seconds from now at which the provider is asked until nothing more is expected, and it was asked then."""
    begun, found = local.clock.now, []
    while True:
        with local.bridge.services.database.read() as connection:
            known = intents.find(connection, local.store.id, intent)
        if known is None or known.look_at is None:
            return found
        local.clock.now = known.look_at
        local.work()
        found.append(local.clock.now - begun)


@pytest.mark.parametrize("payment_method", ["pm_card_refundFail", "pm_sandbox_refund_fails"])
def test_a_refund_that_fails_after_a_minute_is_out_of_the_order_a_minute_later(
    local: Local, payment_method: str
) -> None:
    refunded(local, payment_method)
    local.clock.advance(61.0)
    local.work()
    assert (local.order()["status"], local.shop.refunds(local.orders["payable"])) == ("failed", [])
    assert sum("A refund of 10.23 USD was unsuccessful" in note for note in local.notes()) == 1


def test_a_refund_that_arrives_after_a_minute_is_known_to_have_arrived(local: Local) -> None:
    refunded(local, "pm_card_pendingRefund")
    assert local.meta()["_wcpay_refund_status"] == "pending"
    local.clock.advance(61.0)
    local.work()
    assert local.meta()["_wcpay_refund_status"] == "successful"


@pytest.mark.parametrize(
    ("payment_method", "status"), [("pm_sandbox_dispute_won", "processing"), ("pm_sandbox_dispute_lost", "refunded")]
)
def test_a_dispute_that_is_decided_after_a_minute_is_over_then(local: Local, payment_method: str, status: str) -> None:
    paid(local, payment_method)
    assert local.order()["status"] == "on-hold"
    local.clock.advance(61.0)
    local.work()
    assert local.order()["status"] == status


def test_a_dispute_that_lasts_a_week_is_looked_at_every_hour_at_the_latest(local: Local) -> None:
    found = looks(local, paid(local, "pm_card_createDispute")["id"])
    pauses = [after - before for before, after in pairwise(found)]
    assert found[0] == 60.0
    assert len(found) > 7 * 24
    assert all(60.0 <= pause <= 3600.0 for pause in pauses[:-1])
    assert local.order()["status"] == "refunded"


def test_a_payment_of_a_provider_that_tells_nothing_is_looked_at_for_a_week_and_seldom(local: Local) -> None:
    found = looks(local, paid(local)["id"])
    assert found[:4] == [60.0, 120.0, 240.0, 480.0]
    assert len(found) == 15
    assert WEEK < found[-1] < 2 * WEEK


def test_a_refund_begins_the_watch_anew(local: Local) -> None:
    intent = paid(local)["id"]
    looks(local, intent)
    assert local.post(f"{PAYMENTS}/refund", {"order_id": local.orders["payable"], "amount": 1}).status_code == 200
    assert len(looks(local, intent)) == 15


def test_a_provider_that_tells_by_itself_is_asked_about_what_is_pending_alone(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    intent = paid(local, "pm_card_pendingRefund")["id"]
    assert looks(local, intent) == []
    made = local.post(f"{PAYMENTS}/refund", {"order_id": local.orders["payable"], "amount": 1}).get_json()
    local.work()
    local.stripe.complete_refund(made["id"])
    assert looks(local, intent) == [60.0]
    assert local.meta()["_wcpay_refund_status"] == "successful"


def test_a_hold_that_its_provider_does_not_end_in_time_is_looked_at_again_an_hour_later(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", capture="manual")
    assert local.stripe
    assert local.provider_faults
    intent = local.create().get_json()["id"]
    held = local.stripe.find(intent) | {"latest_charge": None}
    local.provider_faults.next(Fault.STATUS, match=f"GET /v1/payment_intents/{intent}", status=200, body=held)
    local.clock.advance(WEEK + 3600.0)
    look = claim_poll(local.bridge.services)
    assert look
    look.run()
    with local.bridge.services.database.read() as connection:
        known = intents.find(connection, local.store.id, intent)
    assert known
    assert known.look_at == local.clock.now + 3600.0
