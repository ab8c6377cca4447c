"""Customers of the provider belong to the store that they were made for."""

from dataclasses import replace

from bridge.domain.stores import Permissions
from bridge.payments import keys
from tests.plugins.local import Local, MakeLocal

PAYMENTS = "/wp-json/wc/v3/payments"


def saved(local: Local, customer: str) -> list[str]:
    return [method["id"] for method in local.get(f"{PAYMENTS}/customers/{customer}/payment_methods").get_json()]


def test_a_store_does_not_see_what_another_stores_customer_has_saved(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", settings={"charge_type": "destination"})
    assert local.stripe is not None
    customer = local.post(f"{PAYMENTS}/orders/{local.orders['payable']}/create_customer", {}).get_json()["id"]
    method = local.stripe.add_payment_method(customer=customer)
    assert saved(local, customer) == [method]
    other = local.bridge.add_store(replace(local.store, id=""))
    local.pair = keys.create(local.bridge.services, other.id, Permissions.READ_WRITE)
    assert saved(local, customer) == []
