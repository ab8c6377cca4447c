"""One order, one payment at Forte: lost answers, many at once, conflicts, and tokens that end in between."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
import requests

from bridge.domain.deadlines import ON_ITS_WAY
from bridge.simulators.faults import Fault
from tests.forte.conftest import OpenShop, Shop, hear, makes_a_payment, pay, story, tell
from tests.plugins.local import INTENTS

CREATE = "POST /payments/v2/intent"


def creates(shop: Shop) -> int:
    """How often a payment was asked for."""
    return len(
        [sent for sent in shop.door.sent if sent.method == "POST" and sent.path.endswith(("/intent", "/payments"))]
    )


def ask(shop: Shop, order: str | None = None) -> Any:
    """A create over the network, as a shop's own server sends it."""
    body = {
        "payment_method": "pm_card_visa",
        "customer": shop.local.customer,
        "order_id": shop.local.orders[order or shop.order],
    }
    auth = (shop.local.pair.consumer_key, shop.local.pair.consumer_secret)
    return requests.post(f"{shop.url}{INTENTS}", json=body, auth=auth, timeout=30)


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.CUT, Fault.PROCESSED_500, Fault.HTML, Fault.TRUNCATED])
def test_19_49_a_lost_answer_and_a_retry_are_one_intent(widget: Shop, fault: Fault) -> None:
    widget.faults.next(fault, match=CREATE)
    lost = widget.local.create("virtual")
    assert (lost.status_code, lost.json["data"]["outcome"]) == (500, "unknown")
    again = widget.create()
    [intent] = widget.forte.intents
    assert again["provider_data"]["data"]["payment_intent_id"] == intent.id
    bodies = {sent.content for sent in widget.door.to("/payments/v2/intent")}
    assert len(bodies) == 1
    widget.forte.approve(intent.id)
    hear(widget)
    assert widget.status() == "processing"
    assert len(widget.forte.ledger.entries("captured")) == 1


def test_45_a_payment_that_was_submitted_already_is_looked_up_and_never_made_again(widget: Shop) -> None:
    """The answer is lost, a message tells the intent, and the key answers ERR04."""
    widget.faults.next(Fault.DROPPED, match=CREATE)
    assert widget.local.create("virtual").json["data"]["outcome"] == "unknown"
    [intent] = widget.forte.intents
    widget.forte.submit(intent.id)
    unsettled = widget.local.create("virtual")
    assert unsettled.json["data"]["outcome"] == "unknown"
    widget.forte.approve(intent.id)
    hear(widget)
    assert widget.status() == "processing"
    assert widget.create()["status"] == "succeeded"
    assert len(widget.forte.intents) == 1


def test_45_what_cannot_be_looked_up_is_an_error_of_its_own(widget: Shop) -> None:
    widget.local.shop.update_order(widget.local.orders["virtual"], total="409.04")
    answer = widget.local.create("virtual")
    assert answer.status_code == 500
    assert (answer.json["data"]["outcome"], answer.json["data"]["cause"]) == ("unknown", "payment_already_submitted")
    assert answer.json["data"]["provider_code"] == "ERR04"
    assert widget.status() == "pending"


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.PROCESSED_500, Fault.WRONG_JSON])
def test_71_a_lost_answer_leaves_one_payment_that_anybody_could_pay(platform: Shop, fault: Fault) -> None:
    """The lost one is found by its metadata. Nobody has its secret: it was never exposed, and the retry has its own."""
    platform.faults.next(fault, match=makes_a_payment)
    lost = platform.local.create()
    assert lost.json["data"]["outcome"] == "unknown"
    assert len(platform.platform.payments) == 1
    again = platform.create()
    assert again["client_secret"]
    first, second = platform.platform.payments
    assert again["id"] == second["stripePaymentIntentId"]
    assert platform.create()["client_secret"] == again["client_secret"]
    assert len(platform.platform.payments) == 2
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(again["pay_url"]) == "paid"
    assert platform.status() == "processing"
    abandoned = story(platform, first["id"])
    assert (abandoned["status"], abandoned["flag"]) == ("canceled", None)


def test_71_a_payment_whose_answer_is_still_on_its_way_is_not_given_up(platform: Shop) -> None:
    """A trigger, which lies, comes while the create is waiting for its answer."""
    go_on = Event()
    platform.faults.next(Fault.STALLED_AFTER, match=makes_a_payment, until=go_on)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(platform.create)
        assert platform.platform.wait_until(lambda: bool(platform.platform.payments))
        assert tell(platform, platform.platform.payments[0]["id"], X_Forte_Trusted="1") == 200
        platform.local.work()
        go_on.set()
        created = waiting.result(10)
    assert (created["status"], bool(created["client_secret"])) == ("requires_payment_method", True)
    assert platform.create()["client_secret"] == created["client_secret"]
    assert len(platform.platform.payments) == 1
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(created["pay_url"]) == "paid"


def test_71_a_payment_that_nobody_could_pay_and_that_is_paid_is_flagged(platform: Shop) -> None:
    platform.faults.next(Fault.DROPPED, match=makes_a_payment)
    platform.local.create()
    again = platform.create()
    first, second = (payment["id"] for payment in platform.platform.payments)
    platform.platform.set_stripe_status(first, "succeeded")
    assert tell(platform, first, X_Forte_Trusted="1") == 200
    platform.local.work()
    assert "succeeded" in story(platform, first)["flag"]
    assert platform.show(again["id"])["status"] == "requires_payment_method"
    assert platform.status() == "pending"
    assert second != first


def test_71_what_never_arrived_is_retried_once_it_cannot_arrive_any_more(platform: Shop) -> None:
    platform.faults.next(Fault.ERROR_503, match=makes_a_payment)
    assert platform.local.create().json["data"]["outcome"] == "unknown"
    assert platform.local.create().json["data"]["outcome"] == "unknown"
    assert platform.platform.payments == ()
    platform.local.clock.advance(ON_ITS_WAY + 120)
    platform.local.work()
    assert platform.create()["client_secret"]
    assert len(platform.platform.payments) == 1


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_70_107_twenty_at_once_make_one_payment(open_shop: OpenShop, database_url: str, adapter: str) -> None:
    shop = open_shop(adapter, database_url=database_url)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: ask(shop), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    secrets = {json.dumps(answer.json()["provider_data"], sort_keys=True) for answer in answers}
    assert len(secrets) == 1
    assert creates(shop) == 1
    assert len(shop.forte.intents if shop.forte else shop.platform.payments) == 1


def test_70_107_twenty_at_once_in_redirect_mode_are_one_intent(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: ask(shop).json(), range(20)))
    assert len({answer["id"] for answer in answers}) == 1
    assert shop.door.sent == []


def test_03_a_token_that_ends_in_a_batch_interrupts_nothing(widget: Shop) -> None:
    ann = {"email": "ann@example.com"}
    orders = [widget.local.shop.add_order(total="9.99", billing=ann) for _ in range(6)]
    for number, order in enumerate(orders):
        if number == 2:
            widget.local.clock.advance(3700)
        if number == 4:
            widget.forte.revoke_tokens()
        assert widget.create(order)["provider_data"]["data"]["payment_intent_id"]
    assert len(widget.forte.intents) == len(orders)
    tokens = [sent for sent in widget.door.sent if "oauth2" in sent.path]
    assert len(tokens) == 3
    keys = [sent.body["idempotency_key"] for sent in widget.door.to("/payments/v2/intent")]
    assert (len(keys), len(set(keys))) == (len(orders) + 1, len(orders))


def test_an_order_whose_total_has_changed_can_be_paid_in_redirect_mode_as_long_as_nobody_could_pay(
    open_shop: OpenShop,
) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    created = shop.create()
    shop.local.shop.update_order(shop.local.orders["virtual"], total="12.00")
    second = shop.create()
    assert (second["amount"], second["id"] != created["id"]) == (1200, True)
    assert shop.show(created["id"])["status"] == "canceled"
    assert shop.get(second["pay_url"]).status_code == 303
    shop.local.shop.update_order(shop.local.orders["virtual"], total="13.00")
    assert shop.local.create("virtual").json["data"]["reason"] == "order_has_payment"
