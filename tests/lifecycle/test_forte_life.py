"""The life of a payment as far as the Fortes lead it: paid, and at Forte Platforms refunded. All books agree.

What they cannot do is said, and nothing is asked of them for it.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.forte.conftest import OpenShop, Shop, hear, open_shop, pay, platform, story, tell, widget
from tests.lifecycle.lives import PAYMENTS

__all__ = ["OpenShop", "open_shop", "platform", "widget"]
UNSUPPORTED = ("cancel_authorization", "create_terminal_intent", "create_customer")


def cents(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def refund(shop: Shop, amount: int) -> Any:
    shop.local.clock.advance(601)
    answer = shop.local.post(f"{PAYMENTS}/refund", {"order_id": shop.local.orders[shop.order], "amount": amount})
    shop.local.work()
    return answer


def lines(shop: Shop) -> list[tuple[str, int]]:
    listed = shop.local.get(f"{PAYMENTS}/transactions?direction=asc").get_json()["data"]
    return [(line["type"], line["amount"]) for line in listed]


def notes_are_said_once(shop: Shop) -> None:
    notes = [note["note"] for note in shop.local.shop.notes(shop.local.orders[shop.order])]
    assert len(set(notes)) == len(notes)


def test_a_payment_of_forte_platforms_is_paid_and_refunded_in_three(platform: Shop) -> None:
    created = platform.create()
    payment = pay(platform)
    for _ in range(2):
        assert tell(platform, payment, "COMPLETED", X_Forte_Trusted="1") == 200
        platform.local.work()
    assert platform.status() == "processing"
    for amount in (100, 200, 723):
        answer = refund(platform, amount)
        assert (answer.status_code, answer.get_json()["amount"]) == (200, amount)
    assert refund(platform, 1).status_code == 500
    [kept] = platform.platform.payments
    assert [one["amountCents"] for one in kept["refundHistory"]] == [100, 200, 723]
    order = platform.local.orders[platform.order]
    assert sorted(cents(one["amount"]) for one in platform.local.shop.refunds(order)) == [100, 200, 723]
    assert platform.status() == "refunded"
    assert sorted(lines(platform)) == [("charge", 1023), ("refund", -723), ("refund", -200), ("refund", -100)]
    told = story(platform, created["id"])
    assert (told["status"], told["flag"]) == ("succeeded", None)
    assert {update["state"] for update in told["store_updates"]} == {"delivered"}
    notes_are_said_once(platform)


def test_a_payment_of_forte_payments_is_paid_once(widget: Shop) -> None:
    created = widget.create()
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    assert widget.status() == "processing"
    amount = created["amount"]
    assert lines(widget) == [("charge", amount)]
    assert [intent.status for intent in widget.forte.intents] == ["Approved"]
    assert widget.create()["id"] == created["id"]
    assert len(widget.forte.intents) == 1
    notes_are_said_once(widget)


@pytest.mark.parametrize("which", ["widget", "platform"])
def test_what_a_forte_cannot_do_is_said(request: pytest.FixtureRequest, which: str) -> None:
    shop: Shop = request.getfixturevalue(which)
    created = shop.create()
    if shop.forte:
        shop.forte.approve(shop.forte.intents[0].id)
        hear(shop)
    else:
        tell(shop, pay(shop), "COMPLETED", X_Forte_Trusted="1")
        shop.local.work()
    order = shop.local.orders[shop.order]
    named = {"payment_intent_id": created["id"]}
    paths = [f"orders/{order}/{route}" for route in UNSUPPORTED] + ["connection_tokens"]
    answers = [shop.local.post(f"{PAYMENTS}/{path}", named) for path in paths]
    methods = shop.local.get(f"{PAYMENTS}/customers/cus_1/payment_methods")
    if which == "widget":
        answers += [methods, refund(shop, 1)]
    else:  # Forte Platforms lists what its users have saved: nothing here
        assert (methods.status_code, methods.get_json()) == (200, [])
    said = [(answer.status_code, answer.get_json()["code"]) for answer in answers]
    assert said == [(501, "wcpay_not_supported")] * len(said)
    captured = shop.local.post(f"{PAYMENTS}/orders/{order}/capture_authorization", named)
    assert captured.get_json() == {"status": "succeeded", "id": created["id"]}
    assert shop.status() == "processing"
