"""Payments of another gateway on the same account: known, in the way while they have money, and never acted on."""

from dataclasses import replace

import pytest

from bridge.domain.intents import Charge, Status
from bridge.domain.judgement import OTHERS, bar_of_capture, misfit, misfit_of_hold
from bridge.payments.orders import agreed_for
from bridge.simulators.faults import Fault
from bridge.storage import intents
from bridge.worker.runner import run_once
from tests.payments.orders import PAYMENTS, UNCAPTURABLE, asked, at, taken
from tests.payments.tills import (
    DIRECT,
    HEARS,
    SECRET,
    acted_on,
    compared,
    direct,
    elsewhere,
    flagged,
    looked,
    made,
    opened,
    story,
    tell,
    till,
    told_the_store,
)
from tests.plugins.local import Local, MakeLocal, refusal

__all__ = ["direct", "till"]


@pytest.mark.parametrize("capture", ["automatic", "manual"])
@pytest.mark.parametrize("hears", HEARS)
def test_another_gateways_payment_is_known_and_in_the_way(till: Local, hears: str, capture: str) -> None:
    intent = elsewhere(till, capture=capture)
    before = taken(till)
    HEARS[hears](till)
    told = story(till, intent)
    assert (told["events"][0]["kind"], told["holds_order"]) == ("known", True)
    refused = till.create()
    assert refused.status_code == 500
    assert refused.get_json()["data"]["reason"] in ("order_paid", "order_authorized")
    assert refusal(at(till, "create_terminal_intent", "payable"))[0] in (409, 500)
    assert (taken(till), acted_on(till, intent)) == (before, [])
    assert (till.order()["status"], till.notes(), told["store_updates"]) == ("pending", [], [])


def test_nobody_here_acts_on_it(till: Local) -> None:
    paid, held = elsewhere(till), elsewhere(till, "payable_2", capture="manual")
    tell(till)
    charge = till.show(paid).get_json()["charge"]["id"]
    refused = till.post(f"{PAYMENTS}/refund", {"charge_id": charge, "amount": 1023})
    assert refused.status_code >= 400
    refused = till.post(f"{PAYMENTS}/refund", {"order_id": till.orders["payable"], "amount": 1023})
    assert refused.status_code >= 400
    for status in ("cancelled", "completed"):
        till.shop.update_order(till.orders["payable_2"], status=status)
        compared(till)
        till.work()
    assert (acted_on(till, paid), acted_on(till, held), asked(till, "refunds")) == ([], [], 0)
    assert till.get(f"{PAYMENTS}/transactions").get_json()["data"] == []
    assert till.get(f"{PAYMENTS}/authorizations").get_json()["data"] == []


def test_a_known_payment_that_a_caller_names_is_taken_over(till: Local) -> None:
    """As if nobody had heard of it before."""
    intent = elsewhere(till, capture="manual")
    tell(till)
    assert at(till, "capture_authorization", "payable", intent).get_json() == {"status": "succeeded", "id": intent}
    till.work()
    assert (taken(till), till.order()["transaction_id"]) == ([1023], intent)
    assert [event["kind"] for event in story(till, intent)["events"]].count("taken_over") == 1


# --- the order that stays unpaid


def test_an_order_that_stays_unpaid_beside_it_is_flagged_after_ten_minutes(till: Local) -> None:
    intent = elsewhere(till)
    tell(till)
    till.clock.advance(599)
    till.work()
    assert flagged(till) == []
    till.clock.advance(2)
    till.work()
    [flag] = flagged(till)
    assert intent in flag
    assert "is pending" in flag
    assert not compared(till).agrees
    told_the_store(till)
    assert compared(till).agrees
    assert flagged(till) == []


@pytest.mark.parametrize("capture", ["automatic", "manual"])
def test_an_order_of_which_the_store_was_told_is_not_flagged(till: Local, capture: str) -> None:
    elsewhere(till, capture=capture)
    tell(till)
    if capture == "manual":
        told_the_store(till, status="on-hold")
    else:
        told_the_store(till)
    till.clock.advance(601)
    till.work()
    assert flagged(till) == []
    assert till.create().status_code == 500


def test_a_store_that_cannot_be_asked_is_asked_again(direct: Local) -> None:
    elsewhere(direct)
    tell(direct)
    direct.shop_faults.next(Fault.ERROR_503, times=9)
    direct.clock.advance(601)
    direct.work()
    assert flagged(direct) == []
    direct.shop_faults.clear()
    direct.clock.advance(601)
    assert run_once(direct.bridge.services)
    assert len(flagged(direct)) == 1


# --- only while it has or holds money


@pytest.mark.parametrize("ends", ["sent back", "void"])
@pytest.mark.parametrize("hears", HEARS)
def test_once_its_money_is_back_it_is_in_nobodys_way(till: Local, ends: str, hears: str) -> None:
    intent = elsewhere(till, capture="manual" if ends == "void" else "automatic")
    HEARS[hears](till)
    if ends == "void":
        till.at_stripe(f"payment_intents/{intent}/cancel")
    else:
        till.at_stripe("refunds", payment_intent=intent)
    HEARS[hears](till)
    till.work()
    assert till.create().status_code == 200
    assert till.notes() == [] or all(intent not in note for note in till.notes())
    assert flagged(till) == []


def test_a_part_that_was_sent_back_leaves_it_in_the_way(till: Local) -> None:
    intent = elsewhere(till)
    tell(till)
    till.at_stripe("refunds", payment_intent=intent, amount=1022)
    tell(till)
    assert till.create().status_code == 500


def test_what_has_taken_nothing_is_not_in_the_way(till: Local) -> None:
    elsewhere(till, confirm=False)
    tell(till)
    looked(till)
    assert till.create().status_code == 200


# --- beside a payment of ours


def test_what_waits_for_its_buyer_here_makes_way(make_local: MakeLocal, sqlite_url: str) -> None:
    local = opened(make_local, sqlite_url, off_session="no", publishable_key="pk_test_1")
    waits = local.create(payment_method="pm_card_threeDSecure2Required").get_json()["id"]
    elsewhere(local)
    tell(local)
    assert local.stripe
    assert local.stripe.find(waits)["status"] == "canceled"
    assert local.create().status_code == 500
    assert taken(local) == [1023]


def test_an_authorised_payment_here_is_not_captured_beside_one_that_has_the_money(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(
        sqlite_url, "stripe_connect", capture="manual", settings={"charge_type": DIRECT, "webhook_secret": SECRET}
    )
    ours = local.create().get_json()["id"]
    local.work()
    other = elsewhere(local)
    tell(local)
    [flag] = flagged(local)
    assert flag.startswith(f"duplicate_payment: {other}")
    assert story(local, ours)["flag"] == flag


def test_a_reader_beside_another_gateway_is_a_second_payment(till: Local) -> None:
    first = elsewhere(till)
    tell(till)
    second = made(till)
    assert refusal(at(till, "capture_terminal_payment", "payable", second))[:2] == (409, UNCAPTURABLE)
    assert acted_on(till, first) == acted_on(till, second) == []
    [flag] = flagged(till)
    assert flag.startswith(f"duplicate_payment: {second}")
    assert till.notes() == []


def test_what_waits_for_its_buyer_here_is_refused_by_the_judge(make_local: MakeLocal, sqlite_url: str) -> None:
    """Its void has failed, so that it still holds its order: the buyer's page takes no payment all the same."""
    local = opened(make_local, sqlite_url, off_session="no", publishable_key="pk_test_1")
    created = local.create(payment_method="pm_card_threeDSecure2Required").get_json()
    order = local.shop.order(local.orders["payable"])
    with local.bridge.services.database.read() as connection:
        ours = intents.find(connection, local.store.id, created["id"])
        assert ours
        known = replace(ours, id="k", public_id="pi_other", only_known=True, status=Status.SUCCEEDED)
        agreed = agreed_for(local.store, ours, [ours, known])
    read = local.bridge.services.stores.order_book(local.store).read(order["id"])
    for found in (misfit(read, agreed), bar_of_capture(read, agreed, ()), misfit_of_hold(read, agreed, ())):
        assert found
        assert (found.reason, "pi_other" in found.words) == (OTHERS, True)
    back = replace(known, charge=Charge("ch_1", 1023, "succeeded", True, 1023, 1023))
    assert misfit(read, agreed_for(local.store, ours, [ours, back])) is None
