"""Customers of the provider belong to the store that they were made for."""

from dataclasses import replace

import pytest
import requests

from bridge.domain.stores import Permissions
from bridge.payments import keys
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
    other = shared.bridge.add_store(replace(shared.store, id=""))
    shared.pair = keys.create(shared.bridge.services, other.id, Permissions.READ_WRITE)
    assert saved(shared, customer) == []


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
