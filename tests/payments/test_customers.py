"""Customers of the provider belong to the store that they were made for."""

from dataclasses import replace

import pytest
import requests

from bridge.domain.stores import Permissions
from bridge.registry import keys
from tests.plugins.concurrently import at_once
from tests.plugins.local import PLATFORM_KEY, Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"


@pytest.fixture
def shared(make_local: MakeLocal, sqlite_url: str) -> Local:
    """A store whose customers are on a platform's account, with those of other stores."""
    return make_local(sqlite_url, "stripe_connect", settings={"charge_type": "destination"})


def saved(local: Local, customer: str) -> list[str]:
    return [method["id"] for method in local.get(f"{PAYMENTS}/customers/{customer}/payment_methods").get_json()]


def test_a_store_does_not_see_what_another_stores_customer_has_saved(shared: Local) -> None:
    assert shared.stripe is not None
    customer = shared.post(f"{PAYMENTS}/orders/{shared.orders['payable']}/create_customer", {}).get_json()["id"]
    method = shared.stripe.add_payment_method(customer=customer)
    assert saved(shared, customer) == [method]
    other = shared.bridge.add_store(replace(shared.store, id=""), shop=shared.store.id)
    shared.pair = keys.create(shared.bridge.services, other.id, Permissions.READ_WRITE)
    assert saved(shared, customer) == []


def shares_with_another(shared: Local) -> str:
    """A customer that was made for another store of the same account; `shared` is the other one from now on."""
    customer = shared.post(f"{PAYMENTS}/orders/{shared.orders['payable']}/create_customer", {}).get_json()["id"]
    other = shared.bridge.add_store(replace(shared.store, id=""), shop=shared.store.id)
    shared.pair = keys.create(shared.bridge.services, other.id, Permissions.READ_WRITE)
    return str(customer)


def test_a_store_does_not_charge_another_stores_customer(shared: Local) -> None:
    assert shared.stripe is not None
    customer = shares_with_another(shared)
    answer = shared.create("payable_2", customer=customer)
    assert (answer.status_code, answer.get_json()["message"]) == (500, f"Error: No such customer: '{customer}'")
    stranger = shared.create("payable_2", customer="cus_unknown0000001").get_json()
    assert stranger["message"] == "Error: No such customer: 'cus_unknown0000001'"
    assert answer.get_json()["data"].items() == stranger["data"].items() - {
        ("attempt_id", stranger["data"]["attempt_id"])
    }
    terminal = f"{PAYMENTS}/orders/{shared.orders['payable_2']}/create_terminal_intent"
    refused = shared.post(terminal, {"customer_id": customer})
    assert (refused.status_code, refused.get_json()["message"]) == (500, "Unexpected server error")
    assert shared.stripe.ledger.entries() == ()
    own = shared.post(f"{PAYMENTS}/orders/{shared.orders['payable_2']}/create_customer", {}).get_json()["id"]
    assert shared.create("payable_2", customer=own).status_code == 200


def test_shops_that_share_an_account_of_direct_charges_do_not_charge_each_others_customers(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    """At the provider they are together, and it takes whoever names one."""
    secret_key = "k" * 32
    local = make_local(sqlite_url, "stripe_connect", secret_key=secret_key)
    customer = local.post(f"{PAYMENTS}/orders/{local.orders['payable']}/create_customer", {}).get_json()["id"]
    account = {"api_base": local.store.settings["api_base"]}
    other = make_local(sqlite_url, "stripe_connect", settings=account, secret_key=secret_key)
    assert other.store.shop_id != local.store.shop_id
    answer = other.create(customer=customer)
    assert (answer.status_code, answer.get_json()["message"]) == (500, f"Error: No such customer: '{customer}'")
    terminal = f"{PAYMENTS}/orders/{other.orders['payable_2']}/create_terminal_intent"
    assert other.post(terminal, {"customer_id": customer}).status_code == 500
    assert saved(other, customer) == []
    assert local.stripe is not None
    assert local.stripe.ledger.entries() == ()
    assert local.create(customer=customer).status_code == 200
    own = other.post(f"{PAYMENTS}/orders/{other.orders['payable']}/create_customer", {}).get_json()["id"]
    assert other.create(customer=own).status_code == 200


def test_another_entry_of_a_shop_charges_its_customers_on_an_account_of_its_own(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    customer = shares_with_another(local)
    assert local.create("payable_2", customer=customer).status_code == 200


def test_stores_of_one_sandbox_may_have_the_same_customer(local: Local) -> None:
    customer = shares_with_another(local)
    assert local.create("payable_2", customer=customer).status_code == 200


@pytest.mark.parametrize(("site", "is_ours"), [(None, False), ("https://other.example", False), ("ours", True)])
def test_a_shared_customer_of_somebody_elses_making_needs_the_stores_address(
    shared: Local, site: str | None, is_ours: bool
) -> None:
    assert shared.stripe is not None
    metadata = {"metadata[site_url]": shared.store.identity if site == "ours" else site} if site else {}
    api = shared.store.settings["api_base"]
    with requests.post(f"{api}/v1/customers", auth=(PLATFORM_KEY, ""), data=metadata, timeout=10) as made:
        customer = made.json()["id"]
    method = shared.stripe.add_payment_method(customer=customer)
    assert saved(shared, customer) == ([method] if is_ours else [])


def test_a_shared_customer_that_is_not_there_has_saved_nothing(shared: Local) -> None:
    assert saved(shared, "cus_unknown") == []


def test_all_customers_of_an_account_of_ones_own_are_shown(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe is not None
    method = local.stripe.add_payment_method(customer=local.customer, account=local.store.settings["account"])
    assert saved(local, local.customer) == [method]


def test_a_shopper_who_is_made_a_customer_twice_at_once_is_one(make_local: MakeLocal, database_url: str) -> None:
    local = make_local(database_url, "stripe_connect")
    path = f"{PAYMENTS}/orders/{local.orders['payable']}/create_customer"
    answers = at_once(8, lambda _: local.post(path, {}).get_json())
    made = [answer["id"] for answer in answers if "id" in answer]
    busy = [answer["data"]["explanation"] for answer in answers if "id" not in answer]
    assert len(made) + len(busy) == 8
    assert len(set(made)) == 1
    assert set(busy) <= {"Stripe is busy with the same payment."}


def test_saved_payment_methods_are_shown_with_what_woopayments_shows(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect")
    assert local.stripe
    account = local.store.settings["account"]
    local.stripe.add_payment_method("pm_card_visa", local.customer, account)
    local.stripe.add_payment_method("link", local.customer, account)
    local.stripe.add_payment_method("sepa_debit", local.customer, account)
    answer = local.get(f"{PAYMENTS}/customers/{local.customer}/payment_methods")
    assert answer.status_code == 200
    [shown] = answer.get_json()
    billing = {
        "address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
        "email": None,
        "name": None,
        "phone": None,
    }
    assert list(shown) == ["id", "type", "billing_details", "card"]
    card = shown["card"]
    assert card == {"brand": "visa", "last4": "4242", "exp_month": card["exp_month"], "exp_year": card["exp_year"]}
    assert shown["billing_details"] == billing
    assert local.get(f"{PAYMENTS}/customers/cus_unknown/payment_methods").get_json() == []
