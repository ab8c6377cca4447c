"""T2: what WooCommerce's mobile apps decode of a charge, of every adapter, online and in person, however it stands."""

from typing import Any

import pytest

from bridge.simulators.faults import Fault
from tests.forte.conftest import hear, pay, tell
from tests.http.app_decoders import undecodable
from tests.lifecycle.lives import PAYMENTS, Life
from tests.web.conftest import OpenShop, Shop, open_shop

__all__ = ["OpenShop", "open_shop"]
LOOP = "127.0.0.1/32"
ADAPTERS: dict[str, dict[str, str]] = {
    "sandbox": {},
    "stripe_connect": {},
    "forte_payments": {"max_retries": "0"},
    "forte_platform": {"trusted_networks": LOOP, "webhook_endpoint": "forte"},
}
CARDS = ("sandbox", "direct", "destination")
"""Who takes cards by themselves, and from readers."""


def life_of(open_shop: OpenShop, kind: str, **options: Any) -> Life:
    settings = {"charge_type": kind} if kind == "destination" else {}
    adapter = "sandbox" if kind == "sandbox" else "stripe_connect"
    return Life(open_shop(adapter, **settings, **options).local, kind)


def charge_of(shop: Any, intent: str) -> dict[str, Any]:
    """The charge as its own route shows it; the look-up of its intent shows the same, as far as it goes."""
    shown = shop.get(f"{PAYMENTS}/payment_intents/{intent}").get_json()["charge"]
    charge: dict[str, Any] = shop.get(f"{PAYMENTS}/charges/{shown['id']}").get_json()
    assert shown == {name: charge[name] for name in shown} | {"order": None}
    return charge


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_t2_every_adapters_charge_can_be_decoded(open_shop: OpenShop, adapter: str) -> None:
    shop: Shop = open_shop(adapter, **ADAPTERS[adapter])
    created = shop.create()
    if shop.forte:
        shop.forte.approve(shop.forte.intents[0].id)
        hear(shop)
    elif shop.platform:
        tell(shop, pay(shop), "COMPLETED", X_Forte_Trusted="1")
        shop.local.work()
    charge = charge_of(shop.local, created["id"])
    assert undecodable(charge) == []
    assert (charge["paid"], charge["status"], charge["captured"]) == (True, "succeeded", True)
    assert charge["metadata"]["order_id"] == str(shop.local.orders[shop.order])
    assert charge["refunds"]["total_count"] == 0
    assert (charge["dispute"], charge["disputed"]) == (None, False)


def at_a_reader(life: Life, method: str) -> str:
    """An order that was paid there; its intent."""
    order = life.order(currency="CAD")
    wanted = {"payment_methods": [method], "capture_method": "automatic" if method == "interac_present" else "manual"}
    answer = life.at("create_terminal_intent", order, **wanted)
    assert answer.status_code == 200, answer.get_json()
    intent = str(answer.get_json()["id"])
    is_stripes = method == "interac_present" and life.kind != "sandbox"
    life.present_card(intent, "pm_card_interac" if is_stripes else "pm_card_visa")
    assert life.at("capture_terminal_payment", order, intent).status_code == 200
    return intent


@pytest.mark.parametrize("method", ["card_present", "interac_present"])
@pytest.mark.parametrize("kind", CARDS)
def test_t2_a_charge_in_person_has_its_receipt(open_shop: OpenShop, kind: str, method: str) -> None:
    life = life_of(open_shop, kind)
    charge = charge_of(life.local, at_a_reader(life, method))
    assert undecodable(charge) == []
    details = charge["payment_method_details"]
    assert details["type"] == method
    account = "checking" if method == "interac_present" else "credit"
    assert details[method]["receipt"]["account_type"] == account
    assert details[method]["receipt"]["dedicated_file_name"] == "A000000003101001"
    assert details[method]["funding"] in ("credit", "debit")


@pytest.mark.parametrize("kind", CARDS)
def test_t2_a_charge_can_be_decoded_however_it_stands(open_shop: OpenShop, kind: str) -> None:
    life = life_of(open_shop, kind, bridge={"capture": "manual"})
    order = life.order()
    intent = life.pay(order)["id"]
    held = charge_of(life.local, intent)
    assert undecodable(held) == []
    assert (held["balance_transaction"], held["captured"]) == (None, False)
    assert life.capture(order, intent).status_code == 200
    captured = charge_of(life.local, intent)
    assert undecodable(captured) == []
    assert (captured["balance_transaction"]["amount"], captured["captured"]) == (1023, True)
    assert life.refund(order_id=order, amount=300, reason="duplicate").status_code == 200
    life.dispute(intent)
    life.hint(intent)
    disputed = charge_of(life.local, intent)
    assert undecodable(disputed) == []
    assert (disputed["amount_refunded"], disputed["disputed"], disputed["dispute"]["amount"]) == (300, True, 723)
    assert [refund["amount"] for refund in disputed["refunds"]["data"]] == [300]


@pytest.mark.parametrize("kind", CARDS)
def test_t2_a_card_says_how_it_is_funded(open_shop: OpenShop, kind: str) -> None:
    life = life_of(open_shop, kind)
    card = charge_of(life.local, life.pay(life.order())["id"])["payment_method_details"]["card"]
    assert (card["funding"], card["network"], card["brand"], card["last4"]) == ("credit", "visa", "visa", "4242")
    assert set(card["checks"]) == {"address_line1_check", "address_postal_code_check", "cvc_check"}


@pytest.mark.parametrize(("kind", "fee"), [("sandbox", 0), ("direct", 60), ("destination", 60)])
def test_t2_t3e_a_balance_transaction_is_an_object_with_the_fee_once_the_provider_was_asked(
    open_shop: OpenShop, kind: str, fee: int
) -> None:
    life = life_of(open_shop, kind)
    intent = life.pay(life.order())["id"]
    known = charge_of(life.local, intent)["balance_transaction"]
    assert (known["object"], known["amount"], known["currency"]) == ("balance_transaction", 1023, "usd")
    assert known["fee"] in (None, fee)
    life.hint(intent, "payment_intent.succeeded")
    shown = charge_of(life.local, intent)["balance_transaction"]
    assert (shown["id"], shown["fee"], shown["net"]) == (known["id"], fee, 1023 - fee)
    life.refund(charge_id=charge_of(life.local, intent)["id"], amount=23)
    assert charge_of(life.local, intent)["balance_transaction"] == shown


def _expanding(request: Any) -> bool:
    return "balance_transaction" in request.query_string.decode()


def test_t2_a_look_of_a_restricted_key_leaves_the_fee_unknown(open_shop: OpenShop) -> None:
    life = life_of(open_shop, "direct")
    intent = life.pay(life.order())["id"]
    assert life.local.provider_faults
    body = {"error": {"type": "invalid_request_error", "message": "The key lacks the required permissions."}}
    life.local.provider_faults.next(Fault.STATUS, match=_expanding, status=403, body=body)
    assert life.hint(intent, "payment_intent.succeeded")[0] == 200
    charge = charge_of(life.local, intent)
    assert undecodable(charge) == []
    assert charge["balance_transaction"]["fee"] is None


def test_t2_a_brand_that_the_apps_do_not_know_is_unknown_and_the_network_is_still_told(open_shop: OpenShop) -> None:
    life = life_of(open_shop, "direct")
    intent = life.pay(life.order())["id"]
    charge = life.stripe.find(life.stripe.find(intent)["latest_charge"])
    charge["payment_method_details"]["card"] |= {"brand": "eftpos_au", "network": "eftpos_au", "funding": None}
    charge["fraud_details"] = {"stripe_report": "fraudulent"}
    answer = {**life.stripe.find(intent), "latest_charge": charge}
    assert life.local.provider_faults
    life.local.provider_faults.next(Fault.STATUS, match="GET /v1/payment_intents", status=200, body=answer)
    life.hint(intent, "payment_intent.succeeded")
    shown = charge_of(life.local, intent)
    assert undecodable(shown) == []
    card = shown["payment_method_details"]["card"]
    assert (card["brand"], card["network"], card["funding"]) == ("unknown", "eftpos_au", "unknown")
