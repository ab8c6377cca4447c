"""Payments that WooCommerce's apps make themselves, with Stripe's Terminal SDK: taken over when they are named, by a
message or by a look at the provider's list. Cases C1 and C2."""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from bridge.worker.sweep import sweep
from tests.http.app_decoders import undecodable
from tests.payments.orders import CAPTURE_FAILED, MISMATCH, PAYMENTS, UNCAPTURABLE, asked, at, taken
from tests.payments.tills import DESTINATION, HEARS, compared, direct, flagged, made, opened, story, tell, till
from tests.plugins.local import Local, MakeLocal, refusal

__all__ = ["direct", "till"]

# --- C1: manual capture


def test_c1_what_an_app_has_made_is_captured_when_it_is_named(till: Local) -> None:
    intent = made(till)
    answer = at(till, "capture_terminal_payment", "payable", intent)
    assert (answer.status_code, answer.get_json()) == (200, {"status": "succeeded", "id": intent})
    till.work()
    assert taken(till) == [1023]
    order = till.order()
    assert (order["status"], order["transaction_id"]) == ("completed", intent)
    assert order["payment_method_title"] == "WooCommerce In-Person Payments"
    told = story(till, intent)
    assert (told["channel"], told["status"], told["flag"]) == ("terminal", "succeeded", None)
    assert told["events"][0]["kind"] == "taken_over"
    assert told["events"][0]["detail"]["why"] == "an app named it"


@pytest.mark.parametrize("hears", HEARS)
def test_c1_whatever_comes_first_it_is_captured_once(till: Local, hears: str) -> None:
    intent = made(till)
    HEARS[hears](till)
    till.work()
    assert story(till, intent)["status"] == "requires_capture"
    assert till.order()["status"] == "on-hold"
    for _ in range(2):
        assert at(till, "capture_terminal_payment", "payable", intent).get_json()["status"] == "succeeded"
    HEARS[hears](till)
    till.work()
    assert (taken(till), asked(till, "capture")) == ([1023], 1)
    assert till.order()["status"] == "completed"
    assert [update["state"] for update in story(till, intent)["store_updates"]] == ["delivered", "delivered"]
    assert flagged(till) == []


def test_c1_a_hold_that_is_taken_over_is_voided_through_the_route_for_that(till: Local) -> None:
    assert till.stripe
    intent = made(till)
    assert at(till, "cancel_authorization", "payable", intent).get_json() == {"status": "canceled", "id": intent}
    till.work()
    assert till.stripe.find(intent)["status"] == "canceled"
    assert till.order()["status"] == "cancelled"
    assert till.create("payable_2").status_code == 200


def test_c1_a_payment_that_was_captured_at_stripe_meanwhile_is_answered(till: Local) -> None:
    intent = made(till)
    till.at_stripe(f"payment_intents/{intent}/capture")
    answer = at(till, "capture_terminal_payment", "payable", intent)
    assert answer.get_json() == {"status": "succeeded", "id": intent}
    till.work()
    assert (taken(till), till.order()["status"]) == ([1023], "completed")


# --- C2: taken at the reader


@pytest.mark.parametrize("hears", HEARS)
def test_c2_what_a_reader_took_is_not_charged_again(till: Local, hears: str) -> None:
    intent = made(till, capture_method="automatic")
    HEARS[hears](till)
    till.work()
    assert till.order()["status"] == "completed"
    refused = till.create()
    assert (refused.status_code, refused.get_json()["data"]["reason"]) == (500, "order_paid")
    assert taken(till) == [1023]
    assert story(till, intent)["events"][0]["detail"]["why"] == "a card reader took it"
    assert at(till, "capture_terminal_payment", "payable", intent).get_json() == {"status": "succeeded", "id": intent}
    assert asked(till, "capture") == 0
    assert flagged(till) == []


def test_c2_interac_is_taken_at_once_whatever_the_app_wants(till: Local) -> None:
    till.orders["payable"] = till.shop.add_order(total="10.23", currency="CAD")
    kinds = ("card_present", "interac_present")
    intent = made(till, card="pm_card_interac", currency="cad", kinds=kinds)
    assert at(till, "capture_terminal_payment", "payable", intent).get_json() == {"status": "succeeded", "id": intent}
    till.work()
    assert (taken(till), asked(till, "capture"), till.order()["status"]) == ([1023], 0, "completed")


def test_c2_a_tip_is_named_and_nothing_that_the_order_owes(till: Local) -> None:
    intent = made(till, tip=150)
    assert at(till, "capture_terminal_payment", "payable", intent).status_code == 200
    till.work()
    assert taken(till) == [1173]
    assert (till.order()["status"], flagged(till)) == ("completed", [])
    assert any("1.50 USD of it is a tip" in note for note in till.notes())
    assert story(till, intent)["events"][0]["detail"]["tip"] == 150
    assert compared(till).agrees


# --- a takeover is a row like any other


@pytest.mark.parametrize("capture", ["manual", "automatic"])
def test_refunds_and_disputes_work_on_it(till: Local, capture: str) -> None:
    assert till.stripe
    intent = made(till, capture_method=capture)
    assert at(till, "capture_terminal_payment", "payable", intent).status_code == 200
    till.work()
    charge = till.show(intent).get_json()["charge"]["id"]
    answer = till.post(f"{PAYMENTS}/refund", {"charge_id": charge, "amount": 300})
    assert answer.status_code == 200
    till.work()
    assert [refund["total"] for refund in till.order()["refunds"]] == ["-3.00"]
    till.stripe.dispute(charge, amount=500)
    tell(till)
    assert till.order()["status"] == "on-hold"
    assert [each["amount"] for each in story(till, intent)["disputes"]] == [500]
    rows = till.get(f"{PAYMENTS}/transactions").get_json()["data"]
    assert sorted(row["type"] for row in rows) == ["charge", "dispute", "refund"]


def test_what_was_sent_back_before_it_was_taken_over_is_told_as_well(till: Local) -> None:
    intent = made(till, capture_method="automatic")
    till.at_stripe("refunds", payment_intent=intent, amount=300)
    tell(till)
    assert (till.order()["status"], till.order()["transaction_id"]) == ("completed", intent)
    assert [refund["total"] for refund in till.order()["refunds"]] == ["-3.00"]


def test_with_a_tip_the_store_books_no_more_than_the_order_had(direct: Local) -> None:
    intent = made(direct, tip=150)
    assert at(direct, "capture_terminal_payment", "payable", intent).status_code == 200
    direct.work()
    order = direct.orders["payable"]
    assert direct.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 1173}).status_code == 200
    direct.work()
    assert direct.order()["status"] == "refunded"
    assert [refund["total"] for refund in direct.order()["refunds"]] == ["-10.23"]
    assert flagged(direct) == []


def test_a_cancelled_order_voids_a_hold_that_was_taken_over(till: Local) -> None:
    assert till.stripe
    intent = made(till)
    tell(till)
    till.shop.update_order(till.orders["payable"], status="cancelled")
    till.clock.advance(61)
    sweep(till.bridge.services.at(till.store))
    assert till.stripe.find(intent)["status"] == "canceled"


# --- several


@pytest.mark.parametrize("capture", ["manual", "automatic"])
@pytest.mark.parametrize("hears", HEARS)
def test_of_two_payments_at_readers_the_second_is_flagged(direct: Local, capture: str, hears: str) -> None:
    till = direct
    first, second = (made(till, capture_method=capture) for _ in range(2))
    HEARS[hears](till)
    till.work()
    [flag] = flagged(till)
    assert flag.startswith("duplicate_payment: ")
    names = {first, second}
    [kept] = [name for name in names if till.show(name).status_code == 200]
    [other] = names - {kept}
    assert other in flag
    assert till.order()["status"] == ("on-hold" if capture == "manual" else "completed")
    HEARS[hears](till)
    till.work()
    assert flagged(till) == [flag]
    assert sum("second payment" in note for note in till.notes()) == 1


@pytest.mark.parametrize(("tips", "told"), [((0, 150), "11.73"), ((150, 0), "10.23")])
def test_a_second_payment_is_told_with_its_own_sum(till: Local, tips: tuple[int, int], told: str) -> None:
    for tip in tips:
        made(till, capture_method="automatic", tip=tip)
        tell(till)
    [note] = [note for note in till.notes() if "second payment" in note]
    assert f"A second payment of {told} USD was made" in note
    assert "tip" not in note


def test_a_second_payment_that_an_app_names_is_flagged_at_once(till: Local) -> None:
    first, second = made(till), made(till)
    assert at(till, "capture_terminal_payment", "payable", first).status_code == 200
    assert refusal(at(till, "capture_terminal_payment", "payable", second))[:2] == (409, UNCAPTURABLE)
    assert taken(till) == [1023]
    [flag] = flagged(till)
    assert flag.startswith(f"duplicate_payment: {second}")


def test_an_order_that_is_paid_here_and_at_a_reader_is_flagged(till: Local) -> None:
    paid = till.create().get_json()["id"]
    till.work()
    second = made(till, capture_method="automatic")
    tell(till)
    [flag] = flagged(till)
    assert second in flag
    assert (story(till, paid)["flag"], till.order()["transaction_id"]) == (flag, paid)


def test_what_waits_for_its_buyer_is_voided_once_a_reader_has_taken_the_money(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = opened(make_local, sqlite_url, off_session="no", publishable_key="pk_test_1")
    waits = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
    assert waits["status"] == "requires_action"
    intent = made(local, capture_method="automatic")
    tell(local)
    assert local.stripe
    assert local.stripe.find(waits["id"])["status"] == "canceled"
    assert (local.order()["transaction_id"], local.order()["status"]) == (intent, "completed")
    assert flagged(local) == []


def test_an_own_terminal_intent_that_no_card_was_held_to_makes_way(till: Local) -> None:
    assert till.stripe
    own = at(till, "create_terminal_intent", "payable").get_json()["id"]
    intent = made(till)
    assert at(till, "capture_terminal_payment", "payable", intent).status_code == 200
    assert till.stripe.find(own)["status"] == "canceled"
    assert taken(till) == [1023]


# --- what does not fit

MISFITS: dict[str, dict[str, Any]] = {
    "another sum": {"amount": 1000},
    "another currency": {"currency": "eur"},
    "another key": {"metadata": {"order_key": "wc_order_another"}},
    "no key": {"metadata": {"order_key": None}},
    "another site": {"metadata": {"site_url": "https://another.example"}},
    "a site with another port": {"metadata": {"site_url": "https://127.0.0.1:1"}},
    "no site": {"metadata": {"site_url": None}},
    "an order that is not there": {"metadata": {"order_id": 999999}},
    "no order": {"metadata": {"order_id": None}},
    "nonsense for an order": {"metadata": {"order_id": "12; drop"}},
}


@pytest.mark.parametrize("misfit", MISFITS)
@pytest.mark.parametrize("capture", ["manual", "automatic"])
def test_what_does_not_fit_is_not_captured_and_blocks_nothing(direct: Local, misfit: str, capture: str) -> None:
    till = direct
    intent = made(till, capture_method=capture, **MISFITS[misfit])
    before = taken(till)
    refused = refusal(at(till, "capture_terminal_payment", "payable", intent))
    assert refused == (409, MISMATCH, "The payment cannot be captured")
    for hears in HEARS.values():
        hears(till)
    report = compared(till)
    lines = [*report.strangers, *(each.payment for each in report.differences)]
    assert any(intent in line for line in lines) or "order" in misfit
    assert till.show(intent).status_code == 500
    assert till.create().status_code == 200
    assert taken(till) == [*before, 1023]
    assert asked(till, "capture") == asked(till, "cancel") == asked(till, "refunds") == 0
    assert flagged(till) == []


@pytest.mark.parametrize("route", ["capture_terminal_payment", "capture_authorization", "cancel_authorization"])
def test_an_intent_of_another_order_is_not_this_orders(till: Local, route: str) -> None:
    intent = made(till, "payable_2")
    assert refusal(at(till, route, "payable", intent))[:2] == (409, MISMATCH)
    assert asked(till, "capture") == asked(till, "cancel") == 0
    assert at(till, "capture_terminal_payment", "payable_2", intent).status_code == 200


@pytest.mark.parametrize("state", ["waits for a card", "declined", "canceled", "sent back"])
def test_what_took_nothing_or_was_sent_back_is_no_capture_that_was_made_before(till: Local, state: str) -> None:
    assert till.stripe
    card = {"waits for a card": "", "declined": "pm_card_chargeDeclined"}.get(state, "pm_card_visa")
    intent = made(till, card=card, capture_method="automatic" if state == "sent back" else "manual")
    if state == "canceled":
        till.at_stripe(f"payment_intents/{intent}/cancel")
    if state == "sent back":
        till.at_stripe("refunds", payment_intent=intent)
    answer = at(till, "capture_terminal_payment", "payable", intent)
    status, code, sentence = refusal(answer)
    assert (status, code) == (409, "wcpay_capture_error")
    assert sentence.startswith(CAPTURE_FAILED)
    tell(till)
    assert any(intent in line for line in compared(till).strangers)
    assert till.create().status_code == 200


def test_what_goes_to_another_account_is_not_the_stores(make_local: MakeLocal, sqlite_url: str) -> None:
    local = opened(make_local, sqlite_url, DESTINATION)
    assert local.stripe
    other = local.stripe.add_account()
    for receiver in (None, other):
        intent = made(local, transfer_to=receiver)
        assert refusal(at(local, "capture_terminal_payment", "payable", intent))[:2] == (409, MISMATCH)
        tell(local)
    assert len(compared(local).strangers) == 2
    assert local.create().status_code == 200


def test_a_payment_of_the_other_mode_is_not_the_stores(direct: Local) -> None:
    assert direct.stripe
    assert direct.provider_faults
    intent = made(direct)
    live = direct.stripe.find(intent) | {"livemode": True}
    live["latest_charge"] = direct.stripe.find(live["latest_charge"])
    match = f"GET /v1/payment_intents/{intent}"
    direct.provider_faults.next(Fault.STATUS, times=9, match=match, status=200, body=live)
    answer = at(direct, "capture_terminal_payment", "payable", intent)
    assert answer.status_code == 500
    direct.provider_faults.clear()
    assert direct.show(intent).status_code == 500
    assert (taken(direct), asked(direct, "capture"), direct.order()["status"]) == ([], 0, "pending")


def test_an_id_that_nobody_has(till: Local) -> None:
    for name in ("pi_nobodys", "", "a/../b", "ch_1", "pi_1?x=y"):
        answer = at(till, "capture_terminal_payment", "payable", name)
        assert (answer.status_code, answer.get_json()["code"]) != (200, UNCAPTURABLE)
        assert answer.status_code in (400, 500)


# --- the site


def spellings(address: str) -> list[str]:
    """Other ways to write https://HOST:PORT."""
    return [address, f"{address}/", address.replace("https://", "http://"), address.upper(), address[8:]]


def test_a_site_may_be_written_in_many_ways(direct: Local) -> None:
    for number, site in enumerate(spellings(direct.store.identity), start=2):
        order = f"payable_{number}"
        intent = made(direct, order, metadata={"site_url": site})
        assert at(direct, "capture_terminal_payment", order, intent).status_code == 200, site


def test_the_address_of_wordpress_is_the_site_as_well(direct: Local) -> None:
    direct.shop.put_wordpress_at("https://www.xn--mnchen-3ya.example/wp/")
    for number, site in enumerate(("https://münchen.example/wp", "http://WWW.MÜNCHEN.example:80/wp/"), start=2):
        intent = made(direct, f"payable_{number}", metadata={"site_url": site}, capture_method="automatic")
        tell(direct)
        assert story(direct, intent)["status"] == "succeeded"
    intent = made(direct, metadata={"site_url": "https://münchen.example/wp2"})
    assert refusal(at(direct, "capture_terminal_payment", "payable", intent))[:2] == (409, MISMATCH)


# --- orders as the judge sees them


def test_of_a_hold_no_more_is_taken_than_the_order_still_owes(direct: Local) -> None:
    """B3: staff took an item off before the app held the whole total."""
    direct.shop.refund(direct.orders["payable"], "3.00")
    intent = made(direct)
    assert at(direct, "capture_terminal_payment", "payable", intent).status_code == 200
    assert taken(direct) == [723]


def test_an_order_for_cash_on_delivery_is_paid_at_a_reader(direct: Local) -> None:
    order = direct.orders["payable"]
    direct.shop.update_order(order, payment_method="cod", status="processing")
    intent = made(direct)
    assert at(direct, "capture_terminal_payment", "payable", intent).status_code == 200
    direct.work()
    assert (taken(direct), direct.order()["status"], flagged(direct)) == ([1023], "completed", [])


def test_an_order_that_was_sent_back_whole_is_paid_again_by_an_app(direct: Local) -> None:
    order = direct.orders["payable"]
    for number in range(2):
        intent = made(direct)
        assert at(direct, "capture_terminal_payment", "payable", intent).status_code == 200
        direct.work()
        if number == 0:
            assert direct.post(f"{PAYMENTS}/refund", {"order_id": order, "amount": 1023}).status_code == 200
            direct.work()
            direct.shop.update_order(order, status="pending")
    assert (taken(direct), direct.order()["status"]) == ([1023, 1023], "completed")


def test_a_tip_on_an_intent_that_was_made_here_is_named_as_well(till: Local) -> None:
    assert till.stripe
    intent = at(till, "create_terminal_intent", "payable").get_json()["id"]
    till.stripe.present_card(intent, tip=150)
    assert at(till, "capture_terminal_payment", "payable", intent).status_code == 200
    till.work()
    assert (taken(till), till.order()["status"], flagged(till)) == ([1173], "completed", [])
    assert any("1.50 USD of it is a tip" in note for note in till.notes())


def test_both_apps_can_decode_the_charge_of_what_they_made(till: Local) -> None:
    intent = made(till)
    assert at(till, "capture_terminal_payment", "payable", intent).status_code == 200
    charge = till.show(intent).get_json()["charge"]["id"]
    assert undecodable(till.get(f"{PAYMENTS}/charges/{charge}").get_json()) == []
