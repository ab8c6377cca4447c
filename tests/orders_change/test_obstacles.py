"""C5: payments that are not over stand in the way of removing a store, and of a change of its adapter, mode or account.

What is done in spite of all says what it loses, and nothing is forgotten: every payment that is left behind is flagged.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bridge.simulators.faults import Fault
from bridge.worker.periodic_jobs import run_jobs
from tests.cli.operator import at_provider, operate, operate_json, unknown
from tests.orders_change.conftest import Beside
from tests.plugins.local import ACCOUNT, Local, MakeLocal


@pytest.fixture
def local(make_local: MakeLocal, database_url: str) -> Local:
    return make_local(database_url, "stripe_connect", capture="manual")


def remove(local: Local, *more: str, code: int = 0) -> str:
    return operate(local, "stores", "remove", local.store.id, "--yes", *more, code=code).stderr


def open_payment(local: Local) -> None:
    assert local.create().get_json()["status"] == "requires_capture"
    local.work()


def unknown_payment(local: Local) -> None:
    unknown(local)


def flagged_payment(local: Local) -> None:
    open_payment(local)
    local.shop.update_order(local.orders["payable"], total="50.00")
    operate(local, "reconcile", "--store", local.store.id, code=1)


def untold_payment(local: Local) -> None:
    local.shop_faults.next(Fault.ERROR_503, times=999, match="PUT")
    local.create()
    local.at_stripe(f"payment_intents/{at_provider(local)[0]['id']}/cancel")
    local.show(local.create().get_json()["id"])
    local.work()


NOT_OVER: dict[str, tuple[Callable[[Local], None], str]] = {
    "open": (open_payment, "1 open payment"),
    "unknown": (unknown_payment, "1 unknown outcome"),
    "flagged": (flagged_payment, "1 payment that needs an operator"),
    "untold": (untold_payment, "1 update that the store has not received"),
}
CHANGES: dict[str, tuple[list[str], str]] = {
    "adapter": (["--adapter", "sandbox"], "cannot change its adapter"),
    "mode": (
        ["--live", "--set", "secret_key=sk_live_0123456789abcdefghijkl", "--set", "api_base="],
        "cannot change its mode",
    ),
    "account": (["--set", "account=acct_another0000000"], "cannot change its account (account)"),
    "charge type": (["--set", "charge_type=destination"], "cannot change its account (charge_type)"),
}


@pytest.mark.parametrize("kind", NOT_OVER)
def test_c5_a_store_with_payments_that_are_not_over_is_not_removed(local: Local, kind: str) -> None:
    begin, words = NOT_OVER[kind]
    begin(local)
    told = remove(local, code=1)
    assert words in told
    assert "--force" in told
    assert [store["id"] for store in operate_json(local, "stores", "list")] == [local.store.id]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", NOT_OVER)
def test_c5_nor_does_its_adapter_mode_or_account_change(local: Local, kind: str, change: str) -> None:
    begin, words = NOT_OVER[kind]
    begin(local)
    assert local.stripe
    local.stripe.add_account()
    before = operate_json(local, "stores", "show", local.store.id)
    arguments, sentence = CHANGES[change]
    local.shop_faults.clear()
    told = operate(local, "stores", "update", local.store.id, *arguments, code=1).stderr
    assert sentence in told
    assert words in told
    assert operate_json(local, "stores", "show", local.store.id) == before


@pytest.mark.parametrize("change", CHANGES)
def test_c5_what_is_over_stands_in_nobodys_way(local: Local, change: str) -> None:
    open_payment(local)
    local.at_stripe(f"payment_intents/{at_provider(local)[0]['id']}/cancel")
    operate(local, "reconcile", "--store", local.store.id, code=1)
    local.work()
    operate(local, "stores", "update", local.store.id, *CHANGES[change][0])
    remove(local)
    assert operate_json(local, "stores", "list") == []


@pytest.mark.parametrize(
    ("arguments", "within", "shown"),
    [
        (["--capture", "automatic"], "", ("capture", "automatic")),
        (["--set", "rounding=half_up"], "options", ("rounding", "half_up")),
        (["--set", "secret_key=sk_test_rotated0123456789ab"], "settings", ("secret_key", "(encrypted)")),
        (["--set", f"account={ACCOUNT}"], "settings", ("account", ACCOUNT)),
        (["--set", "charge_type=direct"], "settings", ("charge_type", "direct")),
        (["--set", "charge_type="], "settings", ("account", ACCOUNT)),
    ],
    ids=lambda words: str(words[-1]) if words else "",
)
def test_c5_a_change_that_leaves_the_account_is_made_at_any_time(
    local: Local, arguments: list[str], within: str, shown: tuple[str, str]
) -> None:
    open_payment(local)
    operate(local, "stores", "update", local.store.id, *arguments)
    store = operate_json(local, "stores", "show", local.store.id)
    assert shown in (store[within] if within else store).items()
    assert operate_json(local, "flags", "list") == []
    assert "left behind" not in operate(local, "why", str(local.orders["payable"])).output


@pytest.mark.parametrize("kind", NOT_OVER)
def test_c5_by_force_a_removal_says_what_is_lost_and_every_payment_is_flagged(local: Local, kind: str) -> None:
    begin, words = NOT_OVER[kind]
    begin(local)
    asked = len(at_provider(local))
    told = remove(local, "--force")
    assert f"{words}:" in told
    assert operate_json(local, "stores", "list") == []
    local.clock.advance(3 * 24 * 3600)
    while run_jobs(local.bridge.services):
        pass
    local.work()
    assert len(at_provider(local)) == asked
    flags = operate_json(local, "flags", "list")
    assert len(flags) == 1
    assert flags[0]["flag"] in operate(local, "doctor", code=1).output
    assert (
        "left behind while it was open: The store was removed."
        in operate(local, "why", str(local.orders["payable"])).output
    )
    operate(local, "flags", "clear", flags[0]["payment_intent"], "--reason", "looked at Stripe")
    assert operate_json(local, "flags", "list") == []
    about = {check["about"] for check in operate_json(local, "doctor", code=1) if not check["ok"]}
    assert not about & {"unknown", "flags", "outbox", "inbox"}


@pytest.mark.parametrize("kind", ["open", "unknown", "flagged"])
def test_c5_by_force_a_change_says_what_is_lost_and_never_asks_the_new_provider_about_the_old(
    local: Local, kind: str
) -> None:
    begin, words = NOT_OVER[kind]
    begin(local)
    told = operate(local, "stores", "update", local.store.id, *CHANGES["adapter"][0], "--force").stderr
    assert f"{words}:" in told
    [flag] = operate_json(local, "flags", "list")
    assert "adapter now" in flag["flag"] or kind == "flagged"
    local.clock.advance(3 * 24 * 3600)
    local.work()
    again = local.create()
    assert again.status_code == 500 or again.get_json()["id"] == at_provider(local)[0]["id"]
    assert len(at_provider(local)) == 1


def test_c5_the_page_of_a_removed_store_is_gone_in_plain_words(beside: Beside) -> None:
    local = beside.shop.local
    link = beside.create()["pay_url"]
    told = operate(local, "stores", "remove", local.store.id, "--yes", code=1).stderr
    assert "1 open payment" in told
    assert beside.shop.get(link).status_code in (200, 303)
    operate(local, "stores", "remove", local.store.id, "--yes", "--force")
    page = beside.shop.get(link)
    assert page.status_code == 410
    assert "This shop has stopped taking payments here" in page.text
    assert "do not pay again" in page.text
    for action in ("open", "again", "onward", "approve", "decline", "retry", "check"):
        assert beside.shop.press(link, action).status_code == 410
    assert beside.shop.get(f"{link}/status").status_code == 410
    confirmed = beside.shop.get(f"{link}/confirm", method="POST")
    assert (confirmed.status_code, confirmed.json()) == (410, {"stage": "invalid", "payable": False})


def test_c5_a_message_to_a_removed_store_is_told_that_it_is_gone_and_the_owner_too(
    make_local: MakeLocal, database_url: str
) -> None:
    local = make_local(database_url, "stripe_connect", settings={"webhook_secret": "whsec_0123456789abcdef"})
    path, client = f"/bridge/v1/webhooks/{local.store.id}", local.app.test_client()
    shop = {"User-Agent": "WooCommerce/10.5.0 Hookshot (WordPress/6.9)", "Content-Type": "application/json"}
    assert client.post(path, data=b"{}").status_code == 400
    remove(local)
    local.clock.advance(10)
    for headers in ({}, shop):
        gone = client.post(path, data=b"{}", headers=headers)
        assert (gone.status_code, gone.get_json()["code"]) == (410, "wcpay_endpoint_gone")
    assert client.post("/bridge/v1/webhooks/nobodys", data=b"{}").status_code == 400
    assert f"the endpoint {local.store.id} are refused (store_removed" in operate(local, "doctor", code=1).output


# A payment that begins while the store is removed or changed: one of the two sees the other.


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["stores", "remove", "--yes"], 0),
        (["stores", "update", "--set", "charge_type=destination"], 0),
    ],
    ids=["removed", "another account"],
)
def test_c5_a_payment_that_has_not_begun_yet_does_not_begin_any_more(local: Local, words: list[str], code: int) -> None:
    go_on, answers = threading.Event(), []
    path = f"/orders/{local.orders['payable']}"
    local.shop_faults.next(Fault.STALLED_AFTER, match=f"GET /wp-json/wc/v3{path}", until=go_on)
    creating = threading.Thread(target=lambda: answers.append(local.create()))
    creating.start()
    assert local.shop.wait_until(lambda: any(each.path.endswith(path) for each in local.shop.requests))
    group, command, *more = words
    operate(local, group, command, local.store.id, *more, code=code)
    go_on.set()
    creating.join(30)
    assert answers[0].status_code >= 400
    assert at_provider_anywhere(local) == []


def test_c5_a_payment_that_has_begun_stands_in_the_way(local: Local) -> None:
    assert local.provider_faults
    go_on, answers = threading.Event(), []
    local.provider_faults.next(Fault.STALLED_AFTER, match="POST /v1/payment_intents", until=go_on)
    creating = threading.Thread(target=lambda: answers.append(local.create()))
    creating.start()
    assert local.stripe
    while not local.provider_faults.injected:
        creating.join(0.01)
    told = remove(local, code=1)
    assert "1 open payment, 1 unknown outcome" in told
    go_on.set()
    creating.join(30)
    assert answers[0].status_code == 200
    assert len(at_provider(local)) == 1


def at_provider_anywhere(local: Local) -> list[Any]:
    assert local.stripe
    return [entry for entry in local.stripe.requests if entry.method == "POST" and "payment_intents" in entry.path]
