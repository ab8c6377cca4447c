"""Messages in every form, and stores whose account or endpoint is not as it should be; cases C8, C9 and D10."""

import json
import logging
from typing import Any

import pytest

from bridge.operations import doctor, inbox_admin
from bridge.registry import stores
from tests.plugins.local import ACCOUNT, PLATFORM_KEY, Local, MakeLocal

SECRET = "whsec_0123456789abcdef"
CHARGE_TYPES = pytest.mark.parametrize("charge_type", ["direct", "destination"])
KINDS = pytest.mark.parametrize("thin", [False, True], ids=["snapshot", "thin"])


def make(make_local: MakeLocal, url: str, charge_type: str = "direct", **settings: str) -> Local:
    wanted = {"webhook_secret": SECRET, "charge_type": charge_type, **settings}
    return make_local(url, "stripe_connect", settings=wanted)


def post(local: Local, kind: str, *, connect: bool, thin: bool) -> list[dict[str, Any]]:
    """Deliver the newest event of a kind by an endpoint that would be sent it; what `events list` tells of it."""
    assert local.stripe
    endpoint = local.stripe.add_webhook_endpoint(
        "http://127.0.0.1:9/never", connect=connect, thin=thin, secrets=[SECRET]
    )
    event = [event["id"] for event in local.stripe.events if event["type"] == kind][-1]
    message = local.stripe.signed(event, endpoint.id)
    path = f"/bridge/v1/webhooks/{local.store.id}"
    answer = local.app.test_client().post(path, data=message.body, headers=dict(message.headers))
    assert answer.status_code == 200
    local.work()
    return inbox_admin.messages(local.bridge.services)


def diagnosis(local: Local) -> list[str]:
    """What `doctor` finds wrong with the store, but for what it asks the provider itself."""
    checks = doctor.examine(local.bridge.services, lambda _: [])
    return [check.text for check in checks if not check.ok and check.about == f"store:{local.store.id}"]


def measured(local: Local, name: str) -> float:
    answer = local.app.test_client().get("/bridge/v1/metrics", headers={"Authorization": "Bearer owners-token-123456"})
    assert answer.status_code == 200
    [line] = [line for line in answer.get_data(as_text=True).splitlines() if line.startswith(f"wcpay_bridge_{name} ")]
    return float(line.split()[1])


def asked(local: Local) -> list[str]:
    """The paths of what was asked of Stripe with GET."""
    assert local.stripe
    return [record.path for record in local.stripe.requests if record.method == "GET"]


@CHARGE_TYPES
@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("payment_intent.succeeded", None),
        ("charge.succeeded", None),
        ("charge.refunded", "refund"),
        ("refund.created", "refund"),
        ("charge.dispute.created", "dispute"),
    ],
)
def test_c8_a_thin_event_is_about_the_payment_of_its_related_object(
    make_local: MakeLocal, sqlite_url: str, charge_type: str, kind: str, change: str | None
) -> None:
    local = make(make_local, sqlite_url, charge_type)
    assert local.stripe
    intent = local.create().get_json()
    local.work()
    if change == "refund":
        local.at_stripe("refunds", charge=intent["charge"]["id"], amount=100)
    elif change == "dispute":
        local.stripe.dispute(intent["charge"]["id"])
    [letter] = post(local, kind, connect=charge_type == "direct", thin=True)
    assert (letter["state"], letter["payment_intent"] is not None) == ("done", True)
    assert letter["event"]["type"] == f"v1.{kind}"
    charge = local.get(f"/wp-json/wc/v3/payments/charges/{intent['charge']['id']}").get_json()
    assert charge["amount_refunded"] == (100 if change == "refund" else 0)
    assert (len(local.shop.refunds(local.orders["payable"])) == 1) is (change == "refund")


def test_c8_a_thin_event_settles_a_create_whose_answer_was_lost(make_local: MakeLocal, sqlite_url: str) -> None:
    """The provider's id is not known yet: our attempt's id is read from the related object."""
    from bridge.simulators.faults import Fault

    local = make(make_local, sqlite_url, max_retries="0")
    assert local.provider_faults
    local.provider_faults.next(Fault.DROPPED, match="POST /v1/payment_intents")
    assert local.create().get_json()["data"]["outcome"] == "unknown"
    local.clock.advance(60)
    [letter] = post(local, "payment_intent.succeeded", connect=True, thin=True)
    assert letter["state"] == "done"
    assert local.create().get_json()["status"] == "succeeded"
    assert local.stripe
    assert len(local.stripe.ledger.entries("captured")) == 1


def test_c8_the_url_of_a_thin_event_is_never_used(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make(make_local, sqlite_url)
    assert local.stripe
    local.create()
    endpoint = local.stripe.add_webhook_endpoint("http://127.0.0.1:9/", connect=True, thin=True, secrets=[SECRET])
    event = [event["id"] for event in local.stripe.events if event["type"] == "charge.succeeded"][-1]
    content = json.loads(local.stripe.signed(event, endpoint.id).body)
    content["related_object"]["url"] = "/v1/refunds?limit=1"
    from bridge.simulators.stripe.sending import signature

    body = json.dumps(content).encode()
    headers = {"Stripe-Signature": signature(body, [SECRET], local.clock())}
    path = f"/bridge/v1/webhooks/{local.store.id}"
    assert local.app.test_client().post(path, data=body, headers=headers).status_code == 200
    local.work()
    assert [letter["state"] for letter in inbox_admin.messages(local.bridge.services)] == ["done"]
    assert [path for path in asked(local) if "refunds" in path] == []


@pytest.mark.parametrize("related", [None, {"id": "../x", "type": "charge"}, {"id": "cus_1", "type": "customer"}, {}])
def test_c8_a_thin_event_about_anything_else_has_no_effect(
    make_local: MakeLocal, sqlite_url: str, related: dict[str, str] | None
) -> None:
    local = make(make_local, sqlite_url)
    from bridge.simulators.stripe.sending import signature

    content = {"id": "evt_1", "object": "v2.core.event", "type": "v1.x", "context": ACCOUNT, "livemode": False}
    body = json.dumps(content | ({} if related is None else {"related_object": related})).encode()
    headers = {"Stripe-Signature": signature(body, [SECRET], local.clock())}
    path = f"/bridge/v1/webhooks/{local.store.id}"
    assert local.app.test_client().post(path, data=body, headers=headers).status_code == 200
    local.work()
    assert [letter["state"] for letter in inbox_admin.messages(local.bridge.services)] == ["done"]


@CHARGE_TYPES
@KINDS
def test_c9_an_endpoint_with_the_wrong_scope_is_named_until_the_right_one_is_heard(
    make_local: MakeLocal, sqlite_url: str, charge_type: str, thin: bool, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("prometheus_client")
    token = {"metrics_token": "owners-token-123456"}
    wanted = {"webhook_secret": SECRET, "charge_type": charge_type}
    local = make_local(sqlite_url, "stripe_connect", settings=wanted, **token)
    assert local.stripe
    right = charge_type == "direct"
    scopes = ("your account", "connected accounts")
    wrong_scope, right_scope = scopes if right else scopes[::-1]
    elsewhere = None if right else ACCOUNT
    pay_elsewhere(local, elsewhere)
    with caplog.at_level(logging.WARNING):
        [letter] = post(local, "payment_intent.succeeded", connect=not right, thin=thin)
    assert letter["state"] == "foreign"
    for said in (letter["last_error"], *diagnosis(local), caplog.text):
        assert f'listens to "{wrong_scope}"' in said
        assert f'happen on "{right_scope}"' in said
    assert stores.get(local.bridge.services, local.store.id).webhook_problem == letter["last_error"]
    assert measured(local, "stores_misdirected") == 1
    local.create()
    post(local, "payment_intent.succeeded", connect=right, thin=thin)
    assert diagnosis(local) == []
    assert measured(local, "stores_misdirected") == 0


def pay_elsewhere(local: Local, account: str | None) -> None:
    """Somebody else's payment, on the platform's own account or on a connected one."""
    import requests

    headers = {"Authorization": f"Bearer {PLATFORM_KEY}"} | ({"Stripe-Account": account} if account else {})
    paid = {"payment_method": "pm_card_visa", "confirm": "true", "return_url": "https://other.example"}
    url = f"{local.store.settings['api_base']}/v1/payment_intents"
    answer = requests.post(url, data={"amount": 1023, "currency": "usd", **paid}, headers=headers, timeout=10)
    assert answer.status_code == 200


def test_c9_the_payments_of_other_connected_accounts_prove_nothing(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make(make_local, sqlite_url)
    assert local.stripe
    pay_elsewhere(local, local.stripe.add_account())
    [letter] = post(local, "payment_intent.succeeded", connect=True, thin=False)
    assert letter["state"] == "new"
    assert diagnosis(local) == []


@CHARGE_TYPES
@KINDS
@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("account.updated", "cannot take charges (requirements.past_due; missing: external_account)."),
        ("account.application.deauthorized", "it was disconnected from the platform."),
    ],
)
def test_d10_an_account_that_cannot_be_charged_is_flagged_on_its_store_until_it_can(
    make_local: MakeLocal, sqlite_url: str, charge_type: str, thin: bool, what: str, sentence: str
) -> None:
    pytest.importorskip("prometheus_client")
    wanted = {"webhook_secret": SECRET, "charge_type": charge_type}
    local = make_local(sqlite_url, "stripe_connect", settings=wanted, metrics_token="owners-token-123456")
    assert local.stripe
    if what == "account.updated":
        local.stripe.restrict_account(ACCOUNT)
    else:
        local.stripe.disconnect_account(ACCOUNT)
    [letter] = post(local, what, connect=True, thin=thin)
    assert letter["state"] == "done"
    [found] = diagnosis(local)
    assert found.endswith(sentence)
    assert ACCOUNT in found
    assert letter["last_error"] == stores.get(local.bridge.services, local.store.id).account_problem == found
    assert measured(local, "stores_unable") == 1
    local.stripe.enable_account(ACCOUNT)
    post(local, "account.updated", connect=True, thin=thin)
    assert diagnosis(local) == []
    assert measured(local, "stores_unable") == 0


def test_d10_a_message_that_lies_about_the_account_has_no_effect(make_local: MakeLocal, sqlite_url: str) -> None:
    """It is a hint: Stripe is asked, and says that the account can be charged again."""
    local = make(make_local, sqlite_url)
    assert local.stripe
    local.stripe.restrict_account(ACCOUNT)
    [restricted] = [event for event in local.stripe.events if event["type"] == "account.updated"]
    local.stripe.enable_account(ACCOUNT)
    endpoint = local.stripe.add_webhook_endpoint("http://127.0.0.1:9/never", connect=True, secrets=[SECRET])
    message = local.stripe.signed(restricted["id"], endpoint.id)
    path = f"/bridge/v1/webhooks/{local.store.id}"
    local.app.test_client().post(path, data=message.body, headers=dict(message.headers))
    local.work()
    assert diagnosis(local) == []


def test_d10_the_flag_of_an_account_goes_when_another_one_is_set(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make(make_local, sqlite_url)
    assert local.stripe
    local.stripe.restrict_account(ACCOUNT)
    post(local, "account.updated", connect=True, thin=False)
    assert diagnosis(local) != []
    store = stores.get(local.bridge.services, local.store.id)
    settings = store.settings | {"account": local.stripe.add_account()}
    from dataclasses import replace

    local.bridge.update_store(replace(store, settings=settings))
    assert diagnosis(local) == []
