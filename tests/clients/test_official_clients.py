"""The official clients charge orders of the demo as they would with WooPayments itself."""

from typing import Any

import pytest
from woocommerce import API

from bridge.cli.demo_world import World
from tests.clients.conftest import NpmClient

ENDPOINT = "payments/payment_intents"
STORES = ["sandbox", "stripe_connect", "stripe_connect_destination"]


def pair(world: World, store: str = "sandbox", name: str = "read_write") -> tuple[str, str]:
    keys = world.stores[store]["keys"][name]
    return keys["consumer_key"], keys["consumer_secret"]


def body(world: World, order: str, store: str = "sandbox") -> dict[str, Any]:
    return {
        "order_id": world.stores[store]["orders"][order],
        "customer": world.stores[store]["customer"],
        "payment_method": "pm_card_visa",
    }


def python_client(world: World, way: str, store: str = "sandbox", name: str = "read_write") -> API:
    info = world.info()
    url = info["base_url"] if way == "oauth" else info["https_base_url"]
    return API(
        url=url,
        consumer_key=pair(world, store, name)[0],
        consumer_secret=pair(world, store, name)[1],
        version="wc/v3",
        query_string_auth=way == "query",
        verify_ssl=info["ca_file"],
        timeout=20,
    )


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(("way", "order"), [("basic", "payable_2"), ("query", "payable_3"), ("oauth", "payable_4")])
def test_the_python_client_charges_and_reads(world: World, store: str, way: str, order: str) -> None:
    client = python_client(world, way, store)
    created = client.post(ENDPOINT, body(world, order, store))
    assert created.status_code == 200, created.text
    assert created.json()["status"] == "succeeded"
    assert client.post(ENDPOINT, body(world, order, store)).json() == created.json()
    shown = client.get(f"{ENDPOINT}/{created.json()['id']}", params={"_fields": "id,amount"})
    assert shown.json() == {"id": created.json()["id"], "amount": 1023}
    shop, order_id = world.shops[store], world.stores[store]["orders"][order]
    assert shop.wait_until(lambda: shop.order(order_id)["status"] == "processing")


@pytest.mark.parametrize(
    ("way", "order", "status"), [("basic", "payable_5", 401), ("query", "payable_5", 401), ("oauth", "payable_5", 401)]
)
@pytest.mark.parametrize("name", ["read", "revoked"])
def test_the_python_client_is_refused_with_a_key_that_may_not(
    world: World, way: str, order: str, status: int, name: str
) -> None:
    refused = python_client(world, way, name=name).post(ENDPOINT, body(world, order))
    assert (refused.status_code, refused.json()["code"]) == (status, "rest_forbidden")


@pytest.mark.needs("node")
@pytest.mark.parametrize(("way", "order"), [("basic", "payable_6"), ("query", "payable_7"), ("oauth", "payable_8")])
def test_the_npm_client_charges_and_reads(world: World, npm_client: NpmClient, way: str, order: str) -> None:
    info = world.info()
    url = info["base_url"] if way == "oauth" else info["https_base_url"]
    extra = {"ca_file": info["ca_file"], "query_string_auth": way == "query"}
    created = npm_client(url, *pair(world), "post", ENDPOINT, body=body(world, order), **extra)
    assert (created.status, created.body["status"]) == (200, "succeeded")
    shown = npm_client(
        url, *pair(world), "get", f"{ENDPOINT}/{created.body['id']}", params={"_fields": "id,amount"}, **extra
    )
    assert shown.body == {"id": created.body["id"], "amount": 1023}
