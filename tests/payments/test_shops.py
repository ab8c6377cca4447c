"""The shop holds the order, not the entry: case C4, and which entries are one shop's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from bridge.domain.errors import Refused
from bridge.domain.shops import address_of
from bridge.domain.stores import Permissions, Store
from bridge.operations.why import why
from bridge.payments import shops
from bridge.registry import keys, stores
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.cli.operator import operate, operate_json
from tests.payments.orders import at
from tests.payments.providers import PROVIDERS, WITH_SERVERS, creates, pay, shop_at, taken
from tests.plugins.concurrently import at_once
from tests.plugins.local import Local, MakeLocal
from tests.web.conftest import OpenShop

ORDERS = "/wp-json/wc/v3/payments/orders"
WAITING = {"stripe": "pm_card_threeDSecure2Required", "stripe_destination": "pm_card_threeDSecure2Required"}


def beside(local: Local, adapter: str = "sandbox", tmp_path: Path | None = None, **changes: Any) -> Local:
    """A second entry of the same shop, and a client of it."""
    settings = {"books": str(tmp_path / "beside.sqlite")} if tmp_path else local.store.settings
    store = replace(local.store, id="", adapter=adapter, settings=settings, **changes)
    other = local.bridge.add_store(store, shop=local.store.id, who="ann")
    return client(local, other)


def client(local: Local, store: Store) -> Local:
    return replace(local, store=store, pair=keys.create(local.bridge.services, store.id, Permissions.READ_WRITE))


def said(answer: Any) -> tuple[str, str]:
    """Reason and message of a refusal in the API's own envelope."""
    body = answer.get_json()
    assert (answer.status_code, body["code"]) == (500, "wcpay_server_error"), body
    return body["data"]["reason"], body["message"]


def charged(local: Local) -> list[int]:
    assert local.stripe
    return [entry.amount for entry in local.stripe.ledger.entries("captured")]


def posts(local: Local) -> int:
    """Requests for a payment that have arrived at Stripe."""
    assert local.stripe
    return sum((each.method, each.path) == ("POST", "/v1/payment_intents") for each in local.stripe.requests)


# C4: an order that the other entry has begun to pay


@pytest.mark.parametrize("second", ["sandbox", "stripe_connect"])
def test_c4_a_lost_answer_through_one_entry_is_in_the_way_of_the_other(
    make_local: MakeLocal, database_url: str, tmp_path: Path, second: str
) -> None:
    first = make_local(database_url, "stripe_connect", settings={"max_retries": "0"})
    other = beside(first, second, tmp_path if second == "sandbox" else None)
    assert first.provider_faults
    first.provider_faults.next(Fault.DROPPED, times=9, match="/v1/payment_intents")
    lost = first.create().get_json()["data"]
    assert lost["outcome"] == "unknown"
    reason, message = said(other.create())
    assert reason == "outcome_unknown"
    assert first.store.id in message
    assert posts(first) == 1
    first.provider_faults.clear()
    reason, message = said(other.create())
    assert reason == "order_paid"
    assert f"is already paid through the entry {first.store.id}" in message
    first.work()
    assert (charged(first), posts(first)) == ([1023], 1)
    assert first.order()["status"] == "processing"
    assert first.create().get_json()["status"] == "succeeded"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_c4_a_paid_order_is_refused_through_the_other_entry(open_shop: OpenShop, tmp_path: Path, provider: str) -> None:
    shop = shop_at(open_shop, provider, **({"off_session": "yes"} if provider.startswith("stripe") else {}))
    other = beside(shop.local, "sandbox", tmp_path)
    created = shop.create()
    if created["status"] != "succeeded":
        pay(shop, created["id"])
    reason, message = said(other.create(shop.order))
    assert reason in ("order_paid", "order_processing", "order_completed", "order_has_payment")
    assert (shop.local.store.id in message) or reason != "order_has_payment"
    shop.local.work()
    assert len(taken(shop)) == 1
    assert (
        sum(story["captured"] > 0 for story in why(shop.local.bridge.services, str(shop.local.orders[shop.order]))) <= 1
    )


@pytest.mark.parametrize("provider", WITH_SERVERS)
def test_c4_what_waits_for_its_buyer_elsewhere_is_put_away_or_in_the_way(
    open_shop: OpenShop, tmp_path: Path, provider: str
) -> None:
    shop = shop_at(open_shop, provider, **({"off_session": "no"} if provider in WAITING else {}))
    other = beside(shop.local, "sandbox", tmp_path)
    waiting = shop.create(**({"payment_method": WAITING[provider]} if provider in WAITING else {}))
    answer = other.create(shop.order)
    if provider in WAITING:
        assert answer.get_json()["status"] == "succeeded"
        assert shop.local.stripe
        assert shop.local.stripe.find(waiting["id"])["status"] == "canceled"
        assert said(shop.local.create(shop.order))[0] == "order_paid"
    else:
        reason, message = said(answer)
        assert reason == "order_has_payment"
        assert waiting["id"] in message
        pay(shop, waiting["id"])
        shop.local.work()
    assert sum(creates(shop).values()) == 1


def test_c4_an_authorised_order_is_refused_and_captured_where_it_was_authorised(
    make_local: MakeLocal, database_url: str, tmp_path: Path
) -> None:
    first = make_local(database_url, "stripe_connect", capture="manual")
    other = beside(first, "sandbox", tmp_path)
    held = first.create().get_json()
    first.work()
    assert said(other.create())[0] in ("order_authorized", "order_on_hold")
    route = f"{ORDERS}/{first.orders['payable']}/capture_authorization"
    assert other.post(route, {"payment_intent_id": held["id"]}).status_code == 500
    assert charged(first) == []
    assert first.post(route, {"payment_intent_id": held["id"]}).get_json()["status"] == "succeeded"
    assert charged(first) == [1023]


@pytest.mark.parametrize("at_first", ["first", "second"])
def test_c4_two_entries_that_are_asked_at_once_charge_once(
    make_local: MakeLocal, database_url: str, at_first: str
) -> None:
    """The first one's request is held back at the provider while the other one is asked."""
    first = make_local(database_url, "stripe_connect")
    other = beside(first, "stripe_connect")
    ahead, behind = (first, other) if at_first == "first" else (other, first)
    assert first.provider_faults
    arrived, over, answers = Event(), Event(), list[Any]()

    def is_create(sent: Any) -> bool:
        if (sent.method, sent.path) != ("POST", "/v1/payment_intents"):
            return False
        arrived.set()
        return True

    first.provider_faults.next(Fault.STALLED, match=is_create, until=over)
    thread = Thread(target=lambda: answers.append(ahead.create().get_json()))
    thread.start()
    try:
        assert arrived.wait(30)
        assert said(behind.create())[0] == "in_progress"
    finally:
        over.set()
        thread.join(30)
    assert answers[0]["status"] == "succeeded"
    assert said(behind.create())[0] == "order_paid"
    assert (charged(first), posts(first)) == ([1023], 1)


def test_c4_many_requests_through_both_entries_charge_once(make_local: MakeLocal, database_url: str) -> None:
    first = make_local(database_url, "stripe_connect")
    both = [first, beside(first, "stripe_connect")]
    answers = at_once(8, lambda number: both[number % 2].create().get_json())
    paid = {answer["id"] for answer in answers if answer.get("status") == "succeeded"}
    assert len(paid) == 1
    assert {answer["data"]["reason"] for answer in answers if "data" in answer} <= {"order_paid", "in_progress"}
    assert (charged(first), posts(first)) == ([1023], 1)


def test_c4_a_card_readers_payment_is_in_the_way_too(make_local: MakeLocal, database_url: str) -> None:
    first = make_local(database_url, "stripe_connect", capture="manual")
    other = beside(first, "stripe_connect")
    order = first.orders["payable"]
    made = first.post(f"{ORDERS}/{order}/create_terminal_intent", {}).get_json()
    assert first.stripe
    first.stripe.present_card(made["id"])
    refused = other.post(f"{ORDERS}/{order}/create_terminal_intent", {})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "wcpay_payment_uncapturable")
    assert said(other.create())[0] == "order_authorized"
    taken_by = f"{ORDERS}/{order}/capture_terminal_payment"
    assert other.post(taken_by, {"payment_intent_id": made["id"]}).status_code == 409
    assert first.post(taken_by, {"payment_intent_id": made["id"]}).get_json()["status"] == "succeeded"
    assert charged(first) == [1023]


def test_c4_an_order_that_was_refunded_whole_may_be_paid_through_the_other_entry(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    first = make_local(sqlite_url, "stripe_connect")
    other = beside(first, "stripe_connect", capture="manual")
    first.create()
    first.work()
    order = first.orders["payable"]
    assert first.post("/wp-json/wc/v3/payments/refund", {"order_id": order, "amount": 1023}).status_code == 200
    first.work()
    assert said(other.create())[0] == "order_paid"
    first.shop.update_order(order, status="pending")
    held = other.create().get_json()
    assert held["status"] == "requires_capture"
    other.work()
    route = f"{ORDERS}/{order}/capture_authorization"
    assert other.post(route, {"payment_intent_id": held["id"]}).get_json()["status"] == "succeeded"
    assert charged(first) == [1023, 1023]
    refused = other.post("/wp-json/wc/v3/payments/refund", {"order_id": order, "amount": 2000})
    assert refused.get_json()["message"] == "Invalid refund amount."


def test_c4_a_refund_asked_of_the_wrong_entry_names_the_right_one(make_local: MakeLocal, sqlite_url: str) -> None:
    first = make_local(sqlite_url, "stripe_connect")
    other = beside(first, "stripe_connect")
    created = first.create().get_json()
    refused = other.post("/wp-json/wc/v3/payments/refund", {"order_id": first.orders["payable"], "amount": 100})
    assert refused.get_json()["code"] == "wcpay_edit_order_refund_not_possible"
    assert f"through the entry {first.store.id} ({created['id']})" in refused.get_json()["message"]


def test_c4_nothing_begins_while_the_shop_has_still_to_hear_that_the_order_is_cancelled(
    make_local: MakeLocal, sqlite_url: str, tmp_path: Path
) -> None:
    first = make_local(sqlite_url, "stripe_connect", capture="manual")
    other = beside(first, "sandbox", tmp_path)
    held = first.create().get_json()
    order = first.orders["payable"]
    first.work()
    first.shop.update_order(order, status="pending")
    route = f"{ORDERS}/{order}/cancel_authorization"
    assert first.post(route, {"payment_intent_id": held["id"]}).get_json()["status"] == "canceled"
    assert said(other.create())[0] == "in_progress"


def test_c4_no_money_moves_through_an_entry_before_the_others_were_reconciled(
    make_local: MakeLocal, database_url: str, tmp_path: Path
) -> None:
    first = make_local(database_url, "stripe_connect")
    other = beside(first, "sandbox", tmp_path)
    operate(first, "reconcile", "--after-restore", "--store", other.store.id)
    assert other.create("payable_2").get_json()["data"]["reason"] == "reconcile_first"
    operate(first, "reconcile", "--store", first.store.id, "--release")
    assert other.create("payable_2").get_json()["status"] == "succeeded"


def test_c4_no_reader_is_given_an_intent_before_the_other_entries_were_reconciled(
    make_local: MakeLocal, database_url: str, tmp_path: Path
) -> None:
    first = make_local(database_url, "stripe_connect")
    other = beside(first, "sandbox", tmp_path)
    assert at(other, "create_terminal_intent", "payable_2").status_code == 200
    operate(first, "reconcile", "--after-restore", "--store", other.store.id)
    assert at(other, "create_terminal_intent", "payable_2").get_json()["data"]["reason"] == "reconcile_first"


def test_c4_the_buyers_link_leads_to_the_payment_that_holds_the_order(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = shop_at(open_shop, "stripe", off_session="no")
    other = beside(shop.local, "sandbox", tmp_path)
    url = shop.create(payment_method=WAITING["stripe"])["pay_url"]
    assert other.create(shop.order).get_json()["status"] == "succeeded"
    assert shop.stage(url) == "paid"


# Which entries are one shop's


@pytest.fixture
def another_shop(certificates: Certificates) -> Iterator[Callable[[Local], tuple[Store, WooCommerceSimulator]]]:
    """Makes one more shop with a store that is not added yet."""
    with ExitStack() as stack:

        def make(local: Local) -> tuple[Store, WooCommerceSimulator]:
            shop = WooCommerceSimulator("shop", clock=local.clock)
            tls = (certificates.cert_file, certificates.key_file)
            url = stack.enter_context(serve(Faults(shop), tls=tls)).url
            key, secret = shop.add_key()
            return replace(local.store, id="", url=url, consumer_key=key, consumer_secret=secret), shop

        yield make


def shop_ids(local: Local) -> dict[str, str]:
    return {store.id: store.shop_id for store in stores.every(local.bridge.services)}


def changes(local: Local, store: Store | None = None) -> list[tuple[str, ...]]:
    found = shops.history(local.bridge.services.at(stores.get(local.bridge.services, (store or local.store).id)))
    return [(change.store_id, change.who, change.what, change.before, change.after) for change in found]


def test_a_second_entry_of_one_shop_and_mode_has_to_be_meant(local: Local, tmp_path: Path) -> None:
    again = replace(local.store, id="")
    with pytest.raises(Refused, match=f"has an entry for test payments already: {local.store.id} .*--shop"):
        local.bridge.add_store(again)
    other = beside(local, "sandbox", tmp_path)
    assert len(set(shop_ids(local).values())) == 1
    for mine, theirs in ((local, other), (other, local)):
        assert operate_json(local, "stores", "show", mine.store.id)["other_entries"] == [theirs.store.id]
        told = operate(local, "stores", "check", mine.store.id).stdout
        assert f"Its shop has another entry, {theirs.store.id}: " in told
    created = local.create().get_json()
    [story] = operate_json(local, "why", created["id"])
    assert (story["store"], story["other_entries"]) == (local.store.id, [other.store.id])
    both = f"{local.store.id} (beside {other.store.id})"
    assert both in operate(local, "why", created["id"]).stdout
    assert both in operate(local, "outbox", "list").stdout
    doctor = operate(local, "doctor", code=1).stdout
    assert f"store:{local.store.id}: Its shop has another entry, {other.store.id}" in doctor
    assert f"store:{other.store.id}: Its shop has another entry, {local.store.id}" in doctor
    operate(local, "stores", "remove", other.store.id, "--yes")
    assert operate_json(local, "stores", "show", local.store.id)["other_entries"] == []


def test_flags_and_what_is_unknown_name_both_entries(make_local: MakeLocal, sqlite_url: str, tmp_path: Path) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"max_retries": "0"})
    other = beside(local, "sandbox", tmp_path)
    assert local.provider_faults
    local.provider_faults.next(Fault.DROPPED, times=99, match="/v1/payment_intents")
    local.create("payable_2")
    local.clock.advance(90)
    both = f"{local.store.id} (beside {other.store.id})"
    assert f"of {both}: the outcome of a create has been unknown" in operate(local, "doctor", code=1).stdout
    local.provider_faults.clear()
    local.work()
    local.create()
    local.work()
    local.shop.update_order(local.orders["payable"], total="20.00")
    operate(local, "reconcile", code=1)
    assert both in operate(local, "flags", "list").stdout
    assert f"of {both} (" in operate(local, "doctor", code=1).stdout
    assert operate_json(local, "flags", "list")[0]["other_entries"] == [other.store.id]


def test_test_and_live_payments_of_a_shop_are_apart(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    settings = local.store.settings | {"secret_key": "sk_live_0123456789abcdefghijkl"}
    del settings["api_base"]
    live = local.bridge.add_store(replace(local.store, id="", live=True, settings=settings))
    assert len(set(shop_ids(local).values())) == 1
    assert shops.beside(local.bridge.services.at(live)) == []
    with pytest.raises(Refused, match="has an entry for test payments already"):
        local.bridge.update_store(replace(live, live=False, settings=local.store.settings))


@pytest.mark.parametrize(
    ("address", "is_same"),
    [
        ("http://shop.example", True),
        ("https://www.shop.example/", True),
        ("HTTPS://SHOP.example:443", True),
        ("https://shop.example.", True),
        ("https://staging.shop.example", False),
        ("https://shop.example/staging", False),
        ("https://shop.example:8443", False),
        ("https://shop.de", False),
    ],
)
def test_what_is_one_address_and_what_is_another(
    local: Local, another_shop: Callable[[Local], tuple[Store, WooCommerceSimulator]], address: str, is_same: bool
) -> None:
    local.shop.url = "https://shop.example"
    first = local.bridge.update_store(local.store)
    wanted, shop = another_shop(local)
    shop.url = address
    if is_same:
        with pytest.raises(Refused, match="has an entry for test payments already"):
            local.bridge.add_store(wanted)
    else:
        assert local.bridge.add_store(wanted).shop_id != first.shop_id


def test_an_address_in_another_script_is_the_same_address() -> None:
    assert address_of("https://b\u00fccher.example") == address_of("https://xn--bcher-kva.example")
    assert address_of("till 7") == "till 7"


def test_a_shop_that_moves_stays_the_same_and_its_history_tells_who_moved_it(
    make_local: MakeLocal, database_url: str, another_shop: Callable[[Local], tuple[Store, WooCommerceSimulator]]
) -> None:
    local = make_local(database_url)
    local.create()
    before = stores.get(local.bridge.services, local.store.id)
    local.shop.url = "https://new.example"
    held = operate(local, "reconcile", code=1).stdout
    assert "says that it is https://new.example" in held
    after = local.bridge.update_store(before, who="ann")
    assert (after.shop_id, after.identity) == (before.shop_id, "https://new.example")
    assert changes(local)[-1] == (local.store.id, "ann", "site", before.identity, "https://new.example")
    operate(local, "reconcile", "--store", local.store.id)
    assert said(local.create(payment_method="pm_card_mastercard"))[0] == "order_paid"
    wanted, shop = another_shop(local)
    shop.url = before.identity
    with pytest.raises(Refused, match=r"was the address of the shop of .* until .*--shop new"):
        local.bridge.add_store(wanted)
    assert local.bridge.add_store(wanted, shop="new").shop_id != before.shop_id
    local.shop.url = before.identity
    with pytest.raises(Refused, match=r"is the address of the shop that .* serves.*--shop"):
        local.bridge.update_store(after)


def test_a_shop_that_moves_back_takes_its_address_again(local: Local) -> None:
    home = local.store.identity
    for where in ("https://new.example", home, "https://www.new.example", home):
        local.shop.url = where
        moved = local.bridge.update_store(local.store)
        assert (moved.shop_id, moved.identity) == (shop_ids(local)[local.store.id], where)
    assert len(changes(local)) == 5


def test_another_shop_that_comes_to_an_address_which_was_left_has_to_say_so(
    local: Local, another_shop: Callable[[Local], tuple[Store, WooCommerceSimulator]]
) -> None:
    home = local.store.identity
    local.shop.url = "https://new.example"
    local.bridge.update_store(local.store)
    wanted, shop = another_shop(local)
    other = local.bridge.add_store(wanted)
    shop.url = home
    with pytest.raises(Refused, match="was the address of the shop of"):
        local.bridge.update_store(other)
    moved = local.bridge.update_store(other, shop=other.id)
    assert (moved.shop_id, moved.identity) == (other.shop_id, home)


@pytest.mark.parametrize("adapter", ["sandbox", "stripe_connect"])
def test_an_entry_that_was_removed_and_is_added_again_finds_its_orders_held(
    make_local: MakeLocal, database_url: str, tmp_path: Path, adapter: str
) -> None:
    local = make_local(database_url, "stripe_connect")
    created = local.create().get_json()
    waiting = local.create("payable_2", payment_method="pm_card_visa").get_json()
    assert waiting["status"] == "succeeded"
    local.work()
    operate(local, "stores", "remove", local.store.id, "--yes")
    settings = local.store.settings if adapter == "stripe_connect" else {"books": str(tmp_path / "other.sqlite")}
    again = client(local, local.bridge.add_store(replace(local.store, id="", adapter=adapter, settings=settings)))
    assert again.store.id != local.store.id
    reason, message = said(again.create())
    assert reason == "order_has_payment" or created["id"] in message
    assert len(charged(local)) == 2
    assert len({change[0] for change in changes(again)}) == 2


def test_what_a_removed_entry_has_left_open_is_in_the_way_of_its_successor(
    make_local: MakeLocal, sqlite_url: str, tmp_path: Path
) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"off_session": "no"})
    waiting = local.create(payment_method=WAITING["stripe"]).get_json()
    operate(local, "stores", "remove", local.store.id, "--yes", "--force")
    settings = {"books": str(tmp_path / "other.sqlite")}
    again = client(local, local.bridge.add_store(replace(local.store, id="", adapter="sandbox", settings=settings)))
    local.clock.advance(10)  # the process looks at its stores anew
    reason, message = said(again.create())
    assert reason == "order_has_payment"
    assert f"({waiting['id']}) of {local.store.id}, an entry of its shop that is not served" in message
    assert again.create("payable_2").get_json()["status"] == "succeeded"
    assert charged(local) == []


def test_two_who_add_the_same_shop_at_once_make_one_entry(
    make_local: MakeLocal, database_url: str, another_shop: Callable[[Local], tuple[Store, WooCommerceSimulator]]
) -> None:
    local = make_local(database_url)
    wanted, _ = another_shop(local)

    def add(number: int) -> str:
        try:
            return local.bridge.add_store(replace(wanted, settings={"books": wanted.settings["books"]})).id
        except Refused as error:
            return error.reason

    told = at_once(4, add)
    assert sorted(told)[1:] == ["shop_has_entry"] * 3
    assert len(stores.every(local.bridge.services)) == 2


def test_two_languages_of_one_shop_are_joined_and_the_payments_of_both_hold_their_orders(
    make_local: MakeLocal, database_url: str, tmp_path: Path, certificates: Certificates
) -> None:
    first = make_local(database_url, "stripe_connect")
    first.shop.url = "https://shop.de"
    first.store = first.bridge.update_store(first.store)
    first.shop.url = "https://shop.fr"
    settings = {"books": str(tmp_path / "second.sqlite")}
    second = client(first, first.bridge.add_store(replace(first.store, id="", adapter="sandbox", settings=settings)))
    assert second.store.shop_id != first.store.shop_id
    paid = [entry.create().get_json()["id"] for entry in (first, second)]  # as it could happen until today
    assert second.create("payable_2").get_json()["status"] == "succeeded"
    joined = first.bridge.update_store(second.store, shop=first.store.id, who="ann")
    assert joined.shop_id == first.store.shop_id
    assert changes(first)[-1][:3] == (second.store.id, "ann", "joined")
    flags = {flag["payment_intent"]: flag["flag"] for flag in operate_json(first, "flags", "list")}
    assert set(flags) == set(paid)
    for mine, theirs, entry in ((paid[0], paid[1], second), (paid[1], paid[0], first)):
        assert flags[mine].startswith("paid twice: ")
        assert f"{theirs} through the entry {entry.store.id}" in flags[mine]
    assert {story["holds_order"] for story in why(first.bridge.services, str(first.orders["payable"]))} == {True}
    first.clock.advance(10)
    for entry in (first, second):
        assert said(entry.create(payment_method="pm_card_mastercard"))[0] == "order_paid"
    assert said(first.create("payable_2"))[0] == "order_paid"
    assert charged(first) == [1023]


def test_joined_payments_that_both_wait_are_both_put_away_before_the_order_is_paid(
    make_local: MakeLocal, database_url: str, tmp_path: Path
) -> None:
    first = make_local(database_url, "stripe_connect", settings={"off_session": "no"})
    first.shop.url = "https://shop.de"
    first.store = first.bridge.update_store(first.store)
    first.shop.url = "https://shop.fr"
    second = client(first, first.bridge.add_store(replace(first.store, id="")))
    waiting = [
        entry.create(payment_method="pm_card_threeDSecure2Required").get_json()["id"] for entry in (first, second)
    ]
    first.bridge.update_store(second.store, shop=first.store.id)
    first.clock.advance(10)
    assert second.create().get_json()["status"] == "succeeded"
    assert first.stripe
    assert [first.stripe.find(each)["status"] for each in waiting] == ["canceled", "canceled"]
    assert charged(first) == [1023]
