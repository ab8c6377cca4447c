"""The simulated store's webhooks: made, changed and deleted as recorded, delivered signed, with the order as it is."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from random import Random

import pytest
from werkzeug.wrappers import Request, Response

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator

KEYS = (
    "id name status topic resource event hooks delivery_url date_created date_created_gmt date_modified "
    "date_modified_gmt _links"
)
NOBODY = "http://127.0.0.1:1/hook"


class Endpoint:
    """Where webhooks go: it keeps what came and answers `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.came: list[Request] = []
        self.arrived = threading.Semaphore(0)
        self.url = ""

    def __call__(self, environ, start_response):
        request = Request(environ)
        request.get_data()
        self.came.append(request)
        self.arrived.release()
        return Response(status=self.status)(environ, start_response)


@pytest.fixture
def shop(clock, certificates: Certificates) -> Iterator[WooCommerceSimulator]:
    tls = ssl.create_default_context(cafile=certificates.ca_file)
    shop = WooCommerceSimulator("Corner shop", clock=clock, random=Random(7), delivery_tls=tls)
    yield shop
    shop.close()


@pytest.fixture
def endpoint(certificates: Certificates) -> Iterator[Endpoint]:
    endpoint = Endpoint()
    with serve(endpoint, tls=(certificates.cert_file, certificates.key_file)) as server:
        endpoint.url = f"{server.url}/hook?x=1"
        yield endpoint


def make(store, topic="order.updated", delivery_url=NOBODY, **more):
    return store("POST", "/webhooks", json={"topic": topic, "delivery_url": delivery_url, **more})


def told(response):
    return response.status_code, response.json()["code"], response.json()["message"]


def test_a_webhook_is_shown_without_its_secret(store, shop):
    response = make(store, secret="shh", name="Mine", status="paused")
    shape = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{store.url}/wp-json/wc/v3/webhooks/1"
    assert list(shape) == KEYS.split()
    assert (shape["id"], shape["name"], shape["status"]) == (1, "Mine", "active")
    assert (shape["resource"], shape["event"]) == ("order", "updated")
    assert shape["hooks"] == ["woocommerce_update_order", "woocommerce_order_refunded"]
    assert shape["_links"]["collection"] == [{"href": f"{store.url}/wp-json/wc/v3/webhooks"}]
    shown = {key: value for key, value in shape.items() if key != "_links"}
    assert shop.webhooks() == [shown]
    read = store.get("/webhooks/1")
    assert read == shown | {"_links": read["_links"]}


def test_a_webhook_without_a_name_is_named_after_its_day(store):
    assert make(store).json()["name"] == "Webhook created on Nov 20, 2026 @ 11:33 PM"


@pytest.mark.parametrize(
    ("body", "told_as"),
    [
        ({}, (400, "rest_missing_callback_param", "Missing parameter(s): topic, delivery_url")),
        ({"topic": "order.updated"}, (400, "rest_missing_callback_param", "Missing parameter(s): delivery_url")),
        (
            {"topic": "order.exploded", "delivery_url": NOBODY},
            (
                400,
                "woocommerce_rest_shop_webhook_invalid_topic",
                "Webhook topic is required and must be valid.",
            ),
        ),
        *(
            (
                {"topic": "order.updated", "delivery_url": url},
                (
                    400,
                    "woocommerce_rest_shop_webhook_invalid_delivery_url",
                    "Webhook delivery URL must be a valid URL starting with http:// or https://.",
                ),
            )
            for url in ("ftp://a.example", "a.example", "http://", "http://[", "http://a:x")
        ),
        (
            {"topic": "order.updated", "delivery_url": NOBODY, "id": 1},
            (400, "woocommerce_rest_shop_webhook_exists", "Cannot create existing shop_webhook."),
        ),
        (
            {"topic": "order.updated", "delivery_url": NOBODY, "status": "asleep"},
            (400, "rest_invalid_param", "Invalid parameter(s): status"),
        ),
    ],
)
def test_a_webhook_that_cannot_be_is_refused(store, shop, body, told_as):
    assert told(store("POST", "/webhooks", json=body)) == told_as
    assert shop.webhooks() == []


def test_a_webhook_is_changed(store, clock):
    make(store)
    clock.now += 60
    changes = {"name": "New", "status": "paused", "topic": "order.deleted", "delivery_url": "https://b.example/"}
    shape = store("PUT", "/webhooks/1", json=changes).json()
    assert shape | changes == shape
    assert (shape["hooks"], shape["date_modified"]) == (
        ["wp_trash_post", "woocommerce_trash_order"],
        "2026-11-20T23:34:46",
    )
    refused = told(store("PUT", "/webhooks/1", json={"topic": "x"}))
    assert refused[1:] == ("woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic must be valid.")
    assert store("PUT", "/webhooks/1", json={"delivery_url": 7}).status_code == 400


def test_a_webhook_is_deleted_for_good_only(store, shop):
    make(store)
    assert told(store("DELETE", "/webhooks/1"))[:2] == (501, "woocommerce_rest_trash_not_supported")
    assert store("DELETE", "/webhooks/1?force=true").json()["id"] == 1
    assert shop.webhooks() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_missing_webhook_is_told_as_such(store, method):
    response = store(method, "/webhooks/9?force=true")
    assert told(response) == (404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")


def test_webhooks_are_listed_by_page_and_status(store):
    for number in range(3):
        make(store, delivery_url=f"https://a.example/{number}")
    store("PUT", "/webhooks/2", json={"status": "paused"})
    response = store("GET", "/webhooks?per_page=2")
    assert ([one["id"] for one in response.json()], response.headers["X-WP-Total"]) == ([3, 2], "3")
    assert [one["id"] for one in store.get("/webhooks?status=active&order=asc")] == [1, 3]


def test_webhooks_in_a_batch(store):
    make(store)
    make(store)
    body = {
        "create": [{"topic": "order.deleted", "delivery_url": NOBODY}, {"topic": "x", "delivery_url": NOBODY}],
        "update": [{"id": 1, "status": "paused"}],
        "delete": [2, 9],
    }
    answer = store("POST", "/webhooks/batch", json=body).json()
    assert answer["create"][0]["id"] == 3
    assert answer["create"][1]["error"]["code"] == "woocommerce_rest_shop_webhook_invalid_topic"
    assert answer["update"][0]["status"] == "paused"
    assert (answer["delete"][0]["id"], answer["delete"][1]["error"]["message"]) == (2, "Invalid ID.")
    assert [one["id"] for one in store.get("/webhooks")] == [3, 1]


def test_a_customers_key_sees_no_webhooks(store, shop):
    store.key = shop.add_key(manager=False)
    assert told(store("GET", "/webhooks"))[:2] == (403, "woocommerce_rest_cannot_view")
    assert told(make(store))[:2] == (403, "woocommerce_rest_cannot_create")


def test_a_new_webhook_pings_its_endpoint_with_a_form(store, shop, endpoint):
    make(store, delivery_url=endpoint.url)
    [ping] = shop.deliver_due()
    [came] = endpoint.came
    assert (ping.status, ping.topic, came.get_data()) == (200, "", b"webhook_id=1")
    assert came.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert came.headers["User-Agent"] == "WooCommerce/10.5.0 Hookshot (WordPress/6.9.1)"
    assert not [name for name, _ in came.headers if name.startswith("X-Wc")]


def test_a_delivery_has_the_recorded_headers_and_the_order_as_it_is_then(store, shop, endpoint):
    make(store, delivery_url=endpoint.url, secret="s&cret ✓")
    order_id = shop.add_order(total="10.23", billing={"last_name": "Ünal"})
    store.put(order_id, status="completed")

    [_, delivery] = shop.deliver_due()

    came = endpoint.came[-1]
    body = came.get_data()
    signature = base64.b64encode(hmac.digest("s&cret ✓".encode(), body, hashlib.sha256)).decode()
    headers = {name: value for name, value in came.headers if name.startswith(("X-", "User-Agent", "Content-Type"))}
    delivery_id = headers.pop("X-Wc-Webhook-Delivery-Id")
    assert headers == {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/10.5.0 Hookshot (WordPress/6.9.1)",
        "X-Wc-Webhook-Source": f"{store.url}/",
        "X-Wc-Webhook-Topic": "order.updated",
        "X-Wc-Webhook-Resource": "order",
        "X-Wc-Webhook-Event": "updated",
        "X-Wc-Webhook-Signature": signature,
        "X-Wc-Webhook-Id": "1",
    }
    assert len(delivery_id) == 32
    assert (came.full_path, delivery.status, delivery.body) == ("/hook?x=1", 200, body)
    assert json.loads(body) == store.get(f"/orders/{order_id}")
    assert (json.loads(body)["status"], b"\\u00dcnal" in body) == ("completed", True)


def test_what_happens_twice_before_a_delivery_is_delivered_once(store, shop, endpoint):
    make(store, delivery_url=endpoint.url)
    order_id = shop.add_order(total="10.23")
    shop.deliver_due()
    for note in ("a", "b", "c"):
        store.put(order_id, customer_note=note)
    other = shop.add_order(total="10.23")
    shop.deliver_due()
    assert [json.loads(one.body)["id"] for one in shop.deliveries if one.topic] == [order_id, order_id, other]
    assert json.loads(shop.deliveries[2].body)["customer_note"] == "c"
    assert shop.deliver_due() == ()


@pytest.mark.parametrize(
    ("act", "topics"),
    [
        (lambda shop, store, order_id: store.put(order_id, status="completed"), ["order.updated"]),
        (lambda shop, store, order_id: shop.update_order(order_id, total="9.00"), ["order.updated"]),
        (lambda shop, store, order_id: shop.refund(order_id, "1.00"), ["order.updated"]),
        (lambda shop, store, order_id: shop.trash(order_id), ["order.deleted"]),
        (lambda shop, store, order_id: store("DELETE", f"/orders/{order_id}"), ["order.deleted"]),
        (lambda shop, store, order_id: store("DELETE", f"/orders/{order_id}?force=1"), []),
        (lambda shop, store, order_id: shop.restore(order_id), ["order.restored"]),
        (lambda shop, store, order_id: store("POST", f"/orders/{order_id}/notes", json={"note": "x"}), []),
        (lambda shop, store, order_id: store.get(f"/orders/{order_id}"), []),
        (lambda shop, store, order_id: shop.add_order(total="1"), ["order.created", "order.updated"]),
        (lambda shop, store, order_id: store("POST", "/orders", json={}), ["order.created", "order.updated"]),
    ],
)
def test_each_topic_has_its_hooks(store, shop, act, topics):
    order_id = shop.add_order(total="10.23")
    for topic in ("order.created", "order.updated", "order.deleted", "order.restored"):
        shop.add_webhook(topic, NOBODY)
    shop.deliver_due()
    act(shop, store, order_id)
    assert sorted(delivery.topic for delivery in shop.deliver_due()) == topics


def test_a_deleted_order_is_told_by_its_id_and_an_action_by_its_argument(store, shop):
    order_id = shop.add_order(total="10.23")
    shop.add_webhook("order.deleted", NOBODY)
    shop.add_webhook("action.woocommerce_trash_order", NOBODY)
    shop.trash(order_id)
    [_, _, deleted, action] = shop.deliver_due()
    assert deleted.body == b'{"id":%d}' % order_id
    assert action.body == b'{"action":"woocommerce_trash_order","arg":%d}' % order_id
    assert action.headers["X-WC-Webhook-Event"] == "woocommerce_trash_order"


def test_an_order_that_is_gone_by_then_is_told_as_an_error(shop):
    shop.add_webhook("order.updated", NOBODY)
    shop.delete(shop.add_order(total="10.23"))
    assert json.loads(shop.deliver_due()[-1].body)["code"] == "woocommerce_rest_shop_order_invalid_id"


def test_a_restored_order_has_the_status_that_it_had(shop):
    order_id = shop.add_order(total="10.23", status="processing")
    shop.trash(order_id)
    assert shop.order(order_id)["status"] == "trash"
    shop.restore(order_id)
    assert shop.order(order_id)["status"] == "processing"


def test_an_endpoint_that_fails_too_often_in_a_row_is_given_up(shop, endpoint):
    shop.add_webhook("order.updated", endpoint.url)
    order_id = shop.add_order(total="10.23")
    shop.deliver_due()
    endpoint.status = 500
    for _ in range(6):
        shop.update_order(order_id, customer_note="x")
        shop.deliver_due()
    assert shop.webhooks()[0]["status"] == "active"
    endpoint.status = 302
    shop.update_order(order_id, customer_note="x")
    shop.deliver_due()
    endpoint.status = 404
    for _ in range(7):
        shop.update_order(order_id, customer_note="x")
        shop.deliver_due()
    assert shop.webhooks()[0]["status"] == "disabled"
    shop.update_order(order_id, customer_note="x")
    assert shop.deliver_due() == ()


def test_what_is_due_for_a_deleted_webhook_is_dropped(store, shop):
    shop.add_webhook("order.updated", NOBODY)
    shop.add_order(total="10.23")
    store("DELETE", "/webhooks/1?force=true")
    assert shop.deliver_due() == ()


@pytest.mark.parametrize("url", [NOBODY, "https://127.0.0.1:1/", "http://127.0.0.1:1/ü"])
def test_a_delivery_that_reaches_nobody_says_why(shop, url):
    shop.add_webhook("order.updated", url)
    [ping] = shop.deliver_due()
    assert (ping.status, bool(ping.error)) == (None, True)


def test_deliveries_go_out_by_themselves_while_the_store_is_open(shop, endpoint):
    shop.start_deliveries()
    shop.start_deliveries()
    shop.add_webhook("order.updated", endpoint.url)
    order_id = shop.add_order(total="10.23")
    assert shop.wait_until(lambda: len(shop.deliveries) == 2)
    shop.close()
    shop.close()
    shop.update_order(order_id, customer_note="x")
    assert len(endpoint.came) == 2
    shop.start_deliveries()
    assert shop.wait_until(lambda: len(shop.deliveries) == 3)


def test_an_endpoint_may_ask_the_store_while_it_is_told(store, shop, certificates):
    order_id = shop.add_order(total="10.23")
    seen = []

    @Request.application
    def curious(request: Request) -> Response:
        seen.append(store.get(f"/orders/{order_id}")["id"])
        return Response()

    with serve(curious, tls=(certificates.cert_file, certificates.key_file)) as server:
        shop.add_webhook("order.updated", server.url)
        shop.deliver_due()
    assert seen == [order_id]
