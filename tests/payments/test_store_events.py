"""What staff do to an order in the shop: the payment follows, or a person is told; nothing moves twice."""

import pytest

from bridge.operations import webhook_registration
from bridge.operations.why import why
from bridge.simulators.server import serve
from tests.payments.orders import hint
from tests.plugins.local import Local, MakeLocal


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str):
    """A store with manual capture, whose shop tells the bridge about its orders over a socket."""
    made = make_local(sqlite_url, capture="manual")
    with serve(made.app) as server:
        webhook_registration.register_webhooks(made.bridge.services.at(made.store), server.url)
        yield made


def happens(local: Local) -> None:
    """The shop tells what happened, and the worker works, until nothing is left to tell."""
    for _ in range(3):
        local.shop.deliver_due()
        local.work()


def flag(local: Local) -> str | None:
    return why(local.bridge.services, str(local.orders["payable"]))[0]["flag"]


def test_an_order_that_staff_complete_is_captured(local: Local) -> None:
    intent = local.create().get_json()
    happens(local)
    local.shop.update_order(local.orders["payable"], status="completed")
    happens(local)
    shown = local.show(intent["id"]).get_json()
    assert (shown["status"], shown["charge"]["amount_captured"]) == ("succeeded", 1023)


def test_an_order_that_staff_cancel_is_voided(local: Local) -> None:
    intent = local.create().get_json()
    happens(local)
    local.shop.update_order(local.orders["payable"], status="cancelled")
    happens(local)
    assert local.show(intent["id"]).get_json()["status"] == "canceled"
    assert local.order()["status"] == "cancelled"


@pytest.mark.parametrize("first", ["the delivery", "the void"])
def test_what_was_authorised_for_an_order_that_staff_cancelled_meanwhile_needs_nobody(local: Local, first: str) -> None:
    intent = local.create().get_json()["id"]
    local.shop.update_order(local.orders["payable"], status="cancelled")
    local.clock.advance(60)
    if first == "the delivery":
        local.work()
        assert "was authorized, but the order is cancelled" in str(flag(local))
    happens(local)
    assert local.show(intent).get_json()["status"] == "canceled"
    assert flag(local) is None


@pytest.mark.parametrize("staff", ["trash", "delete"])
def test_what_is_authorised_for_an_order_that_is_gone_needs_nobody_once_it_is_voided(local: Local, staff: str) -> None:
    intent = local.create().get_json()["id"]
    happens(local)
    local.shop.trash(local.orders["payable"])
    if staff == "delete":
        local.shop.delete(local.orders["payable"])
    happens(local)
    assert flag(local)
    adapter = local.bridge.services.stores.adapter(local.store)
    adapter.cancel(intent, "by hand")
    hint(local, intent)
    happens(local)
    assert local.show(intent).get_json()["status"] == "canceled"
    assert flag(local) is None


def test_what_ran_out_of_time_still_needs_somebody(local: Local) -> None:
    local.create()
    happens(local)
    local.shop.trash(local.orders["payable"])
    happens(local)
    local.clock.advance(8 * 24 * 3600.0)
    happens(local)
    assert "trash" in str(flag(local))


def test_an_order_in_the_trash_is_flagged_and_its_payment_left_alone(local: Local) -> None:
    intent = local.create().get_json()
    happens(local)
    local.shop.trash(local.orders["payable"])
    happens(local)
    assert local.show(intent["id"]).get_json()["status"] == "requires_capture"
    assert "trash" in str(flag(local))


def test_a_refund_that_staff_make_is_reported_and_moves_no_money(local: Local) -> None:
    intent = local.create().get_json()
    local.post(
        f"/wp-json/wc/v3/payments/orders/{local.orders['payable']}/capture_authorization",
        {"payment_intent_id": intent["id"]},
    )
    happens(local)
    local.shop.refund(local.orders["payable"], "5.00")
    happens(local)
    assert local.show(intent["id"]).get_json()["charge"]["amount_refunded"] == 0
    assert "5.00 USD" in str(flag(local))


def test_a_message_with_a_wrong_signature_is_refused(local: Local) -> None:
    answer = local.app.test_client().post(
        f"/bridge/v1/webhooks/{local.store.id}",
        json={"id": local.orders["payable"]},
        headers={
            "User-Agent": "WooCommerce/10.5.0 Hookshot (WordPress/6.9.1)",
            "X-WC-Webhook-Topic": "order.updated",
            "X-WC-Webhook-Signature": "AAAA",
        },
    )
    assert answer.status_code == 400


def test_a_refund_that_staff_make_is_carried_out_once_where_the_store_says_so(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, options={"store_refunds": "execute"})
    with serve(local.app) as server:
        webhook_registration.register_webhooks(local.bridge.services.at(local.store), server.url)
        intent = local.create().get_json()
        happens(local)
        local.shop.refund(local.orders["payable"], "5.00")
        for _ in range(3):
            happens(local)
            local.clock.advance(700)
    shown = local.show(intent["id"]).get_json()
    assert shown["charge"]["amount_refunded"] == 500
    assert [refund["amount"] for refund in local.shop.refunds(local.orders["payable"])] == ["5.00"]
    assert sum("A refund of 5.00 USD" in note for note in local.notes()) == 1
    assert flag(local) is None


def test_our_own_refund_is_never_taken_for_one_that_staff_made(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, options={"store_refunds": "execute"})
    with serve(local.app) as server:
        webhook_registration.register_webhooks(local.bridge.services.at(local.store), server.url)
        intent = local.create().get_json()
        happens(local)
        local.post("/wp-json/wc/v3/payments/refund", {"order_id": local.orders["payable"], "amount": 300})
        for _ in range(3):
            happens(local)
            local.clock.advance(700)
    assert local.show(intent["id"]).get_json()["charge"]["amount_refunded"] == 300
    assert [refund["amount"] for refund in local.shop.refunds(local.orders["payable"])] == ["3.00"]


def test_a_capture_after_staff_lowered_the_total_takes_that_and_pays_the_order(local: Local) -> None:
    intent = local.create().get_json()
    happens(local)
    local.shop.update_order(local.orders["payable"], total="8.00")
    captured = local.post(
        f"/wp-json/wc/v3/payments/orders/{local.orders['payable']}/capture_authorization",
        {"payment_intent_id": intent["id"]},
    )
    assert captured.get_json() == {"status": "succeeded", "id": intent["id"]}
    happens(local)
    assert local.show(intent["id"]).get_json()["charge"]["amount_captured"] == 800
    assert local.order()["status"] == "processing"
    assert flag(local) is None


@pytest.mark.parametrize("status", ["pending", "failed", "on-hold", "processing", "refunded"])
@pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
def test_only_a_cancelled_order_voids_its_authorisation_and_only_a_completed_one_captures_it(
    make_local: MakeLocal, sqlite_url: str, adapter: str, status: str
) -> None:
    """A shop's "failed" is what any failed try of another gateway leaves behind."""
    local = make_local(sqlite_url, adapter, capture="manual")
    with serve(local.app) as server:
        webhook_registration.register_webhooks(local.bridge.services.at(local.store), server.url)
        intent = local.create().get_json()["id"]
        happens(local)
        local.shop.update_order(local.orders["payable"], status=status)
        happens(local)
        assert local.show(intent).get_json()["status"] == "requires_capture"
        local.shop.update_order(local.orders["payable"], status="cancelled")
        happens(local)
        assert local.show(intent).get_json()["status"] == "canceled"
