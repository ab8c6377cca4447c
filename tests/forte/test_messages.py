"""Forte's messages at the bridge: early, repeated, out of order, about somebody else, and with another sum."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.forte.conftest import OpenShop, Shop, edit_order, hear, letters, story

STATUSES = "/payments/v1/payments/statuses"


def publish(shop: Shop, name: str = "payment_approved", **changes: Any) -> None:
    """Forte says something about the newest intent, true or not."""
    intent = shop.forte.intents[-1]
    data = {"payment_intent_id": intent.id, "reference": intent.reference, "amount": intent.total} | changes
    shop.forte.publish(name, {key: value for key, value in data.items() if value is not ...})


def test_54_a_message_is_kept_and_answered_with_200_before_forte_is_asked(widget: Shop) -> None:
    widget.create()
    publish(widget)
    [attempt] = widget.forte.deliver_due()
    assert attempt.status == 200
    assert letters(widget) == [("payment_approved", "new")]
    assert widget.door.to(STATUSES) == []
    widget.local.work()
    assert len(widget.door.to(STATUSES)) == 1


def test_54_55_a_repeated_message_is_answered_with_200_and_changes_nothing(widget: Shop) -> None:
    widget.create()
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    asked = len(widget.door.to(STATUSES))
    for _ in range(3):
        widget.forte.repeat(widget.forte.attempts[0].event_id)
    hear(widget)
    assert (letters(widget), len(widget.door.to(STATUSES))) == ([("payment_approved", "done")], asked)
    assert len(widget.local.meta("virtual")) == len(set(widget.local.meta("virtual")))


def test_53_a_message_that_is_not_signed_right_is_refused_and_nothing_is_asked(widget: Shop) -> None:
    widget.create()
    body = json.dumps(
        {"id": "1", "event": "payment_approved", "data": {"payment_intent_id": widget.forte.intents[0].id}}
    )
    url = f"{widget.url}/bridge/v1/webhooks/forte"
    for headers in ({}, {"X-Forte-Signature": "0" * 64, "X-Forte-Timestamp": str(int(widget.local.clock()))}):
        assert widget.session.post(url, body, headers=headers, timeout=10).status_code == 400
    assert (letters(widget), widget.door.to(STATUSES)) == ([], [])
    assert widget.status() == "pending"


def test_56_a_message_that_comes_before_the_answer_is_parked_and_matched(widget: Shop) -> None:
    """The answer to the create is lost; the message knows the reference and the intent."""
    widget.faults.next(Fault.DROPPED, match="POST /payments/v2/intent")
    assert widget.local.create("virtual").json["data"]["outcome"] == "unknown"
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    assert widget.status() == "processing"
    assert widget.local.create("virtual").json["status"] == "succeeded"
    assert len(widget.forte.intents) == 1


def test_56_a_message_about_nothing_of_ours_is_answered_parked_and_without_effect(widget: Shop) -> None:
    widget.create()
    foreign = "440b0e4e-ae70-4886-ad6b-1521cc22cbca"
    publish(widget, payment_intent_id=foreign, reference=f"1:{'f' * 32}")
    hear(widget)
    assert letters(widget) == [("payment_approved", "new")]
    assert widget.status() == "pending"
    for _ in range(100):
        widget.local.clock.advance(3600)
        widget.local.work()
    assert letters(widget)[0] == ("payment_approved", "foreign")


@pytest.mark.parametrize("late", ["payment_declined", "payment_expired", "payment_created"])
def test_57_news_out_of_order_never_move_a_final_state(widget: Shop, late: str) -> None:
    created = widget.create()
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    for word in ("Declined", "Expired", "Created"):
        widget.forte.spoil_next(STATUSES, lambda _body, status, word=word: ({"data": [{"status": word}]}, status))
        publish(widget, late, id=word)
    hear(widget)
    assert widget.show(created["id"])["status"] == "succeeded"
    assert widget.status() == "processing"


@pytest.mark.parametrize("name", ["test", "payment_refunded", "chargeback", "kyc_completed"])
def test_58_events_that_nobody_knows_are_kept_and_have_no_effect(widget: Shop, name: str) -> None:
    widget.create()
    publish(widget, name)
    hear(widget)
    assert (letters(widget), widget.door.to(STATUSES)) == ([(name, "done")], [])


@pytest.mark.parametrize("changes", [{"amount": "1.00"}, {"currency": "EUR"}, {"amount": "9.99", "currency": "JPY"}])
def test_60_a_message_with_another_sum_fulfils_nothing_and_a_person_has_to_look(
    widget: Shop, changes: dict[str, str]
) -> None:
    created = widget.create()
    widget.forte.spoil_next_webhook(lambda _webhook: None)  # the true message is lost
    widget.forte.approve(widget.forte.intents[0].id)
    widget.forte.deliver_due()
    publish(widget, **changes)
    hear(widget)
    assert letters(widget) == [("payment_approved", "dead")]
    assert widget.status() == "on-hold"
    assert story(widget, created["id"])["flag"].startswith("amount_differs")
    widget.local.clock.advance(3)
    assert widget.stage(created["pay_url"]) == "processing"
    widget.local.clock.advance(7200)
    assert widget.status() == "on-hold"
    assert len([note for note in widget.local.notes("virtual") if "Somebody has to look" in note]) == 1


def test_60_another_sum_is_what_a_person_is_told_whatever_became_of_the_order(widget: Shop) -> None:
    created = widget.create()
    publish(widget, amount="1.00")
    edit_order(widget, status="cancelled")
    hear(widget)
    widget.forte.approve(widget.forte.intents[0].id)
    for _ in range(3):
        hear(widget)
        publish(widget)
    told = story(widget, created["id"])
    assert told["flag"].startswith("amount_differs")
    assert told["status"] == "processing"


@pytest.mark.parametrize("amount", ["9.99", 9.99, "nine", None, True, [], "9.990"])
def test_60_a_message_with_the_right_sum_or_none_that_can_be_read_is_a_hint_like_any_other(
    widget: Shop, amount: object
) -> None:
    widget.create()
    widget.forte.spoil_next_webhook(lambda _webhook: None)
    widget.forte.approve(widget.forte.intents[0].id)
    widget.forte.deliver_due()
    publish(widget, amount=amount)
    hear(widget)
    assert widget.status() == "processing"


def test_61_a_message_that_lies_changes_nothing_because_forte_is_asked(widget: Shop) -> None:
    created = widget.create()
    publish(widget)
    hear(widget)
    assert widget.show(created["id"])["status"] == "requires_action"
    assert widget.status() == "pending"


def test_62_64_a_payment_whose_message_was_lost_is_found_by_asking(widget: Shop) -> None:
    widget.create()
    widget.forte.spoil_next_webhook(lambda _webhook: None)
    widget.forte.approve(widget.forte.intents[0].id)
    widget.forte.deliver_due()
    widget.local.clock.advance(120)
    assert widget.status() == "processing"
    asked = [sent.body["payment_intent_ids"] for sent in widget.door.to(STATUSES)]
    assert asked == [[widget.forte.intents[0].id]]


def test_59_a_message_that_names_one_payment_and_the_reference_of_another_is_set_aside(widget: Shop) -> None:
    """Both are ours, and both are approved at Forte before anybody hears of it."""
    ann = {"email": "ann@example.com"}
    orders = [widget.local.shop.add_order(total="9.99", billing=ann) for _ in range(2)]
    created = [widget.create(order) for order in orders]
    first, second = widget.forte.intents
    widget.forte.publish("payment_approved", {"payment_intent_id": first.id, "reference": second.reference})
    widget.forte.spoil_next_webhook(lambda webhook: webhook)
    widget.forte.deliver_due()
    widget.forte.spoil_next_webhook(lambda _webhook: None)
    widget.forte.approve(first.id)
    widget.forte.deliver_due()
    widget.local.work()
    assert letters(widget) == [("payment_approved", "dead")]
    assert [widget.local.shop.order(order)["status"] for order in orders] == ["pending", "pending"]
    assert [widget.show(each["id"])["status"] for each in created] == ["requires_action"] * 2


def test_62_who_has_not_paid_is_asked_about_ever_more_seldom_and_not_for_ever(widget: Shop) -> None:
    widget.create()
    times: list[float] = []
    for _ in range(60):
        before = len(widget.door.to(STATUSES))
        widget.local.clock.advance(60)
        widget.local.work()
        times += [widget.local.clock()] * (len(widget.door.to(STATUSES)) - before)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]
    widget.local.clock.advance(600)
    assert widget.status() == "failed", "the simulator ends a session after an hour"
    asked = len(widget.door.to(STATUSES))
    widget.local.clock.advance(7 * 24 * 3600)
    widget.local.work()
    assert len(widget.door.to(STATUSES)) == asked


def test_64_messages_of_a_ten_minute_outage_come_again_and_heal_redirect_mode(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    assert shop.get(shop.create()["pay_url"]).status_code == 303
    since = shop.local.clock()
    shop.forte.spoil_next_webhook(lambda _webhook: None)
    shop.forte.approve(shop.forte.intents[0].id)
    shop.forte.deliver_due()
    shop.local.clock.advance(600)
    assert (letters(shop), shop.status()) == ([], "pending")
    for _ in range(2):
        shop.adapter.replay(since)
        hear(shop)
    assert letters(shop) == [("payment_approved", "done")]
    assert shop.status() == "processing"


def test_55_many_deliveries_at_once_are_one_message(widget: Shop) -> None:
    widget.create()
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    for _ in range(5):
        widget.forte.repeat(widget.forte.attempts[0].event_id)
    with ThreadPoolExecutor(5) as threads:
        attempts = list(threads.map(lambda _: widget.forte.deliver_due(), range(5)))
    assert {each.status for several in attempts for each in several} == {200}
    assert letters(widget) == [("payment_approved", "done")]
