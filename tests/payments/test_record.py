"""What a provider says is recorded if it is about this payment, this sum and this currency, and if it may still be."""

from typing import Any

import pytest

from bridge.operations.why import why
from bridge.simulators.faults import Fault
from tests.payments.orders import PAYMENTS, at, authorized, hint
from tests.payments.providers import PROVIDERS, books, pay, says, shop_at, taken
from tests.payments.rows import behind_the_row
from tests.plugins.local import Local
from tests.web.conftest import OpenShop, Shop

BUYER = {"off_session": "no"}
"""Of Stripe: the buyer confirms on a page."""


def waiting(open_shop: OpenShop, provider: str) -> tuple[Shop, str]:
    """A payment that the buyer has made at the provider, of which the bridge has not heard yet."""
    shop = shop_at(open_shop, provider, **(BUYER if provider.startswith("stripe") else {}))
    created = shop.create(payment_method="pm_card_authenticationRequired")
    assert created["status"] in ("requires_action", "requires_payment_method")
    pay(shop, created["id"])
    return shop, created["id"]


def paid(open_shop: OpenShop, provider: str) -> tuple[Shop, str]:
    shop = shop_at(open_shop, provider)
    intent = shop.create()
    if intent["status"] != "succeeded":
        pay(shop, intent["id"])
        hint(shop.local, intent["id"])
    assert shop.status() in ("processing", "completed")
    return shop, intent["id"]


def look(shop: Shop, intent: str) -> None:
    """The bridge looks at it now, whatever comes of that."""
    body = {"type": "payment_intent.succeeded", "data": {"object": {"id": intent}}}
    shop.local.post(f"{PAYMENTS}/webhook", body)
    shop.local.work()


def falsify(shop: Shop, intent: str, member: str, value: Any) -> None:
    """The provider's next answer about the payment has another value for a member of it; the sandbox's every one."""
    if shop.platform or shop.local.stripe:
        says(shop, intent, **{"amountCents" if shop.platform and member == "amount" else member: value})
    else:
        change = f"update payments set request = json_set(request, '$.{member}', ?) where reference = ?"
        books(shop, change, value, intent)


@pytest.mark.parametrize(("member", "value"), [("currency", "eur"), ("amount", 1022), ("amount", 1024)])
@pytest.mark.parametrize("provider", [each for each in PROVIDERS if each != "forte_payments"])  # which says no sums
def test_an_answer_about_another_sum_or_currency_fulfils_nothing(
    open_shop: OpenShop, provider: str, member: str, value: Any
) -> None:
    shop, intent = waiting(open_shop, provider)
    falsify(shop, intent, member, value)
    look(shop, intent)
    assert shop.show(intent)["status"] in ("requires_action", "requires_payment_method")
    assert (shop.status(), shop.local.order()["transaction_id"]) == ("pending", "")
    if provider == "sandbox":
        falsify(shop, intent, member, {"currency": "usd", "amount": 1023}[member])
    look(shop, intent)
    assert (shop.show(intent)["status"], shop.status()) == ("succeeded", "processing")


OVER = {
    "sandbox": "canceled",
    "stripe": "canceled",
    "stripe_destination": "canceled",
    "forte_payments": "Expired",
    "forte_platform": "CANCELLED",
}
"""How each provider would say that a payment has come to nothing."""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_payment_that_succeeded_never_becomes_one_that_came_to_nothing(open_shop: OpenShop, provider: str) -> None:
    shop, intent = paid(open_shop, provider)
    status = shop.status()
    if provider == "sandbox":
        books(shop, "update payments set status = ? where reference = ?", OVER[provider], intent)
    else:
        says(shop, intent, **{"state" if shop.platform else "status": OVER[provider]})
    look(shop, intent)
    assert shop.show(intent)["status"] == "succeeded"
    assert shop.status() == status
    assert shop.local.create(shop.order).get_json().get("id") == intent
    assert len(taken(shop)) == 1


def test_a_payment_that_came_to_nothing_never_becomes_one_that_succeeded(stripe: Local) -> None:
    intent = authorized(stripe)
    assert at(stripe, "cancel_authorization", "payable", intent).status_code == 200
    stripe.work()
    assert stripe.stripe
    assert stripe.provider_faults
    late = stripe.stripe.find(intent) | {"status": "succeeded"}
    stripe.provider_faults.next(Fault.STATUS, match=f"GET /v1/payment_intents/{intent}", status=200, body=late)
    hint(stripe, intent)
    stripe.work()
    assert stripe.show(intent).get_json()["status"] == "canceled"
    assert stripe.order()["status"] == "cancelled"
    [story] = why(stripe.bridge.services, intent)
    assert "succeeded" in story["flag"]


def test_news_that_wait_for_each_other_are_told_to_the_shop_once(open_shop: OpenShop, postgres_url: str) -> None:
    shop = open_shop("stripe_connect", database_url=postgres_url, **BUYER)
    created = shop.create(payment_method="pm_card_authenticationRequired")
    pay(shop, created["id"])
    shop.local.work()
    behind_the_row(postgres_url, created["attempt_id"], 4, lambda _: hint(shop.local, created["id"]))
    [story] = why(shop.local.bridge.services, created["id"])
    assert [update["kind"] for update in story["store_updates"]].count("paid") == 1
