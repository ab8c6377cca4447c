"""WooPayments' side of both Fortes: credentials, parameters, ids, amounts, errors, and what is written down."""

import re
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.errors import Refused
from bridge.domain.stores import Permissions
from bridge.reconcile.run import reconcile
from bridge.registry import keys
from bridge.simulators.faults import Fault
from tests.forte.conftest import LOOP, OpenShop, Shop, hear, pay, story, tell
from tests.plugins.local import INTENTS

FORBIDDEN = "rest_forbidden"


@pytest.fixture(params=["forte_payments", "forte_platform"])
def shop(request: pytest.FixtureRequest, open_shop: OpenShop) -> Shop:
    settings = {"trusted_networks": LOOP, "webhook_endpoint": "forte"} if request.param == "forte_platform" else {}
    return open_shop(request.param, **settings)


def ask(shop: Shop, auth: tuple[str, str] | None = None, **changes: Any) -> Any:
    body = {
        "payment_method": "pm_card_visa",
        "customer": shop.local.customer,
        "order_id": shop.local.orders[shop.order],
    }
    given = {name: value for name, value in (body | changes).items() if value is not ...}
    pair = (shop.local.pair.consumer_key, shop.local.pair.consumer_secret)
    return shop.session.post(f"{shop.url}{INTENTS}", json=given, auth=pair if auth is None else auth, timeout=10)


def test_101_who_has_no_right_to_write_is_refused_in_woopayments_shape(shop: Shop) -> None:
    read = keys.create(shop.local.bridge.services, shop.local.store.id, Permissions.READ)
    for pair in (("ck_wrong", "cs_wrong"), ("", ""), (read.consumer_key, read.consumer_secret)):
        answer = ask(shop, pair)
        assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (401, FORBIDDEN, {"status": 401})
        assert list(answer.json()) == ["code", "message", "data"]
        assert answer.json()["message"] == "Sorry, you are not allowed to do that."
    assert shop.door.sent == []


@pytest.mark.parametrize("order_id", [lambda number: number, str])
def test_103_an_order_is_named_by_a_number_or_its_digits(shop: Shop, order_id: Any) -> None:
    assert ask(shop, order_id=order_id(shop.local.orders[shop.order])).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": ...},
        {"order_id": 999_999},
        {"order_id": "x"},
        {"customer": ...},
        {"customer": ""},
        {"payment_method": ""},
        {"payment_method": ...},
        {"payment_method": None},
        {"order_id": ""},
        {"order_id": " "},
    ],
    ids=str,
)
def test_102_bad_parameters_are_an_error_of_the_server_in_json(shop: Shop, changes: dict[str, Any]) -> None:
    answer = ask(shop, **changes)
    assert (answer.status_code, answer.json()["code"]) == (500, "wcpay_server_error")
    assert answer.json()["message"]
    assert answer.headers["Content-Type"].startswith("application/json")
    assert shop.door.sent == []


def test_104_105_106_ids_amounts_and_currencies_are_woopayments_whatever_the_provider(shop: Shop) -> None:
    created = ask(shop, amount=1, currency="eur").json()
    assert re.fullmatch(r"[a-z]+_\w+", created["id"])
    assert (created["amount"], created["currency"]) == (999 if shop.forte else 1023, "USD")
    reference = shop.forte.intents[0].id if shop.forte else shop.platform.payments[0]["id"]
    assert reference != created["id"]
    assert shop.show(created["id"])["id"] == created["id"]
    assert created["status"] in ("requires_action", "requires_payment_method")
    assert "charge" not in created
    assert shop.show(created["id"])["charge"] is None


def test_33_106_the_providers_own_id_is_kept_from_the_start_and_is_in_the_metadata(shop: Shop) -> None:
    created = shop.create()
    assert shop.show(created["id"])["metadata"] == created["metadata"]
    if shop.forte:
        name, reference = "forte_payment_intent_id", shop.forte.intents[0].id
        shop.forte.approve(reference)
        hear(shop)
    else:
        name, reference = "forte_payment_id", pay(shop)
        shop.local.clock.advance(3)
        shop.stage(created["pay_url"])
    shown = shop.show(created["id"])
    assert shown["status"] == "succeeded"
    assert created["metadata"][name] == shown["metadata"][name] == reference
    assert {key: value for key, value in shown["metadata"].items() if key != name}["order_key"]


def test_in_redirect_mode_it_is_the_one_that_was_paid(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    created = shop.create()
    name = "forte_payment_intent_id"
    assert shop.get(created["pay_url"]).status_code == 303
    assert shop.press(created["pay_url"], "again").status_code == 303
    assert name not in created["metadata"].keys() | shop.show(created["id"])["metadata"].keys()
    first, second = shop.forte.intents
    shop.forte.approve(first.id)
    hear(shop)
    shop.forte.approve(second.id)
    hear(shop)
    assert shop.show(created["id"])["metadata"][name] == first.id


@pytest.mark.parametrize("status", [404, 406, 415])
def test_44_51_a_refusal_is_told_in_woopayments_shape_with_what_the_provider_said(shop: Shop, status: int) -> None:
    body: dict[str, Any] = {"error": {"status": status, "reason": "no", "code": "SOMETHING_NEW"}}
    if shop.platform:
        body = {"errorCode": "SOMETHING_NEW", "message": "no"}
    shop.faults.next(Fault.STATUS, match=is_create, status=status, body=body)
    answer = ask(shop)
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (
        500,
        "wcpay_server_error",
        "Error: no",
    )
    data = answer.json()["data"]
    assert (data["status"], data["provider"], data["outcome"]) == (500, shop.local.store.adapter, "failed")
    assert (data["provider_status"], data["retryable"]) == (status, False)
    assert data["provider_code"] == "SOMETHING_NEW"
    if shop.forte:
        assert data["provider_request_id"].startswith("request-")


def test_51_what_only_the_owner_can_mend_is_told_with_the_providers_code(platform: Shop) -> None:
    platform.platform.refuse_next("PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER", match="POST ")
    data = ask(platform).json()["data"]
    assert (data["reason"], data["provider_code"]) == (
        "payments_not_set_up",
        "PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER",
    )
    platform.faults.next(Fault.ERROR_503, match="GET ")
    data = ask(platform).json()["data"]
    assert (data["outcome"], data["provider_status"], data["retryable"]) == ("failed", 503, True)


def is_create(request: Any) -> bool:
    """Whether a provider is asked for a payment."""
    made: bool = request.method == "POST" and request.path.endswith(("/intent", "/payments"))
    return made


def test_32_76_what_a_create_hands_out_is_kept_by_no_cache(shop: Shop) -> None:
    answer = ask(shop)
    assert answer.json()["provider_data"]
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("source", ["message", "look", "reconcile"])
def test_115_every_change_is_written_down_with_its_source_its_time_and_the_providers_name(
    shop: Shop, source: str
) -> None:
    created = shop.create()
    start = shop.local.clock()
    shop.local.clock.advance(30)
    if shop.forte:
        shop.forte.spoil_next_webhook(lambda webhook: webhook if source == "message" else None)
        shop.forte.approve(shop.forte.intents[0].id)
        shop.forte.deliver_due()
        reference = shop.forte.intents[0].id
    else:
        reference = pay(shop)
        if source == "message":
            assert tell(shop, reference, X_Forte_Trusted="1") == 200
    if source == "message":
        shop.local.work()
    elif source == "look":
        shop.stage(created["pay_url"])
    else:
        reconcile(shop.local.bridge.services, shop.local.store.id, start)
    events = story(shop, created["id"])["events"]
    assert [event["kind"] for event in events[:2]] == ["create_sent", "create_answered"]
    [news] = [event for event in events if event["kind"] == "news"]
    told = news["detail"]
    source = "look" if shop.forte and source == "reconcile" else source  # Forte Payments has no lists to compare with
    assert (told["status"], told["reference"], told["source"]) == ("succeeded", reference, source)
    assert (events[0]["at"], news["at"]) == (start, start + 30)


def test_113_a_store_does_not_change_its_provider_under_open_payments(platform: Shop) -> None:
    created = platform.create()
    sandbox = replace(platform.local.store, adapter="sandbox", settings={})
    with pytest.raises(Refused, match="cannot change its adapter: 1 open payment"):
        platform.local.bridge.update_store(sandbox)
    payment = pay(platform)
    tell(platform, payment, X_Forte_Trusted="1")
    assert platform.status() == "processing"
    platform.local.bridge.update_store(sandbox)
    assert platform.show(created["id"])["provider"] == "forte_platform"
