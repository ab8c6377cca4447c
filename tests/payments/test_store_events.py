"""What staff do to an order in the shop: the payment follows, or a person is told; nothing moves twice."""

import pytest

from bridge.payments import store_events
from bridge.payments.why import why
from bridge.simulators.server import serve
from tests.plugins.local import Local, MakeLocal


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str):
    """A store with manual capture, whose shop tells the bridge about its orders over a socket."""
    made = make_local(sqlite_url, capture="manual")
    with serve(made.app) as server:
        store_events.register(made.bridge.services, made.store, server.url)
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
