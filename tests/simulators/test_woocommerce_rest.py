"""The simulated store has WordPress' manners: routing, parameters, errors, headers, JSON."""

import json
import threading

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator

NO_ROUTE = {
    "code": "rest_no_route",
    "message": "No route was found matching the URL and request method.",
    "data": {"status": 404},
}
ALL_ORDER_METHODS = "GET, POST, PUT, PATCH, DELETE"


def told(response):
    return response.status_code, response.json()["code"]


@pytest.fixture
def order_id(shop):
    return shop.add_order(total="10.23", billing={"last_name": "Ünal", "company": "A/B"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/orders"),
        ("PUT", "/orders"),
        ("POST", "/products"),
        ("FOO", "/orders"),
        ("GET", "/nope"),
        ("GET", "/orders/abc"),
        ("GET", "//orders"),
    ],
)
def test_a_wrong_method_or_path_is_no_route(store, method, path):
    response = store(method, path, auth=None)
    assert (response.status_code, response.json()) == (404, NO_ROUTE)
    assert "Allow" not in response.headers


def test_trailing_slash_leading_zeros_and_capitals_change_nothing(store, order_id):
    assert store.get(f"/orders/{order_id}/")["id"] == order_id
    assert store.get(f"/orders/000{order_id}")["id"] == order_id
    index = f"{store.url}/index.php/wp-json/wc/v3/orders/{order_id}"
    assert store.session.get(index, auth=store.key).json()["id"] == order_id
    capitals = f"{store.url}/wp-json/wc/V3/Orders/{order_id}"
    assert store.session.get(capitals, auth=store.key).json()["id"] == order_id


@pytest.mark.parametrize("missing", ["999999", "99999999999999999999"])
@pytest.mark.parametrize(("method", "status"), [("GET", 404), ("DELETE", 404), ("PUT", 400), ("POST", 400)])
def test_a_missing_order_is_400_when_written_and_404_otherwise(store, method, status, missing):
    response = store(method, f"/orders/{missing}")
    assert response.json() == {
        "code": "woocommerce_rest_shop_order_invalid_id",
        "message": "Invalid ID.",
        "data": {"status": status},
    }
    assert response.status_code == status
    assert response.headers["Allow"] == ALL_ORDER_METHODS


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_post_put_and_patch_on_an_order_are_the_same(store, order_id, method):
    response = store(method, f"/orders/{order_id}", json={"customer_note": method})
    assert response.json()["customer_note"] == method


def test_the_method_can_be_overridden(store, order_id):
    path = f"/orders/{order_id}"
    assert store("GET", path, params={"_method": "put", "customer_note": "a"}).json()["customer_note"] == "a"
    header = {"X-HTTP-Method-Override": "PUT"}
    assert store("POST", path, headers=header, data={"customer_note": "b"}).json()["customer_note"] == "b"


def test_query_and_body_win_over_the_id_in_the_path(shop, store, order_id):
    other = shop.add_order(total="1")
    assert store.get(f"/orders/{order_id}?id={other}")["id"] == other
    store("PUT", f"/orders/{order_id}", json={"id": other, "customer_note": "x"})
    assert (shop.order(other)["customer_note"], shop.order(order_id)["customer_note"]) == ("x", "")


def test_json_wins_over_the_query_and_null_counts_as_absent(store, order_id):
    path = f"/orders/{order_id}?customer_note=query&payment_method=query"
    order = store("PUT", path, json={"customer_note": "json", "payment_method": None}).json()
    assert (order["customer_note"], order["payment_method"]) == ("json", "query")


def test_the_last_of_two_equal_parameters_wins(store, order_id):
    assert list(store.get(f"/orders/{order_id}?_fields=id&_fields=total")) == ["total", "_links"]


def test_fields_choose_in_lists_and_in_depth(store, order_id):
    assert store.get("/orders?_fields=id,billing.last_name,meta_data") == [
        {"id": order_id, "billing": {"last_name": "Ünal"}, "meta_data": []}
    ]
    assert store.get("/orders?_fields[]=id&_fields[]=total") == [{"id": order_id, "total": "10.23"}]


def test_an_envelope_is_always_a_200(store):
    response = store("GET", "/orders/999?_envelope=1")
    assert (response.status_code, response.json()["status"]) == (200, 404)
    assert response.json()["body"]["code"] == "woocommerce_rest_shop_order_invalid_id"
    assert response.json()["headers"] == {"Allow": ALL_ORDER_METHODS}


def test_jsonp_wraps_the_answer_and_keeps_its_status(store):
    response = store("GET", "/orders/999?_jsonp=a.b")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "application/javascript; charset=UTF-8")
    assert response.text.startswith('/**/a.b({"code":')
    bad = store("GET", "/orders?_jsonp=a-b")
    assert (bad.status_code, bad.json()) == (
        400,
        {"code": "rest_callback_invalid", "message": "Invalid JSONP callback function."},
    )


def test_json_is_written_as_php_writes_it(store, order_id):
    text = store("GET", f"/orders/{order_id}?_fields=billing,line_items").text
    assert r'"last_name":"\u00dcnal"' in text
    assert r'"company":"A\/B"' in text
    assert '"quantity":1,' in text
    free = store("PUT", f"/orders/{order_id}?_fields=line_items", json={}).text
    assert '"price":10.23,' in free


def test_head_has_the_headers_and_no_body(store, order_id):
    response = store("HEAD", f"/orders/{order_id}")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Allow"] == ALL_ORDER_METHODS


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        (b"{", 4, "Syntax error"),
        (b"  ", 4, "Syntax error"),
        (b'\xef\xbb\xbf{"a":1}', 4, "Syntax error"),
        (b'{"a":NaN}', 4, "Syntax error"),
        (b'{"a":"\n"}', 3, "Control character error, possibly incorrectly encoded"),
        (b'{"a":"\xff"}', 5, "Malformed UTF-8 characters, possibly incorrectly encoded"),
        (b"[" * 100_000, 1, "Maximum stack depth exceeded"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_bad_json_is_refused_before_the_credentials_are(store, method, raw, code, message):
    response = store(method, "/orders", auth=None, data=raw, headers={"Content-Type": "application/json"})
    assert response.json() == {
        "code": "rest_invalid_json",
        "message": "Invalid JSON body passed.",
        "data": {"status": 400, "json_error_code": code, "json_error_message": message},
    }


@pytest.mark.parametrize("raw", [b"", b"null", b"[1,2]", b"{}"])
def test_a_body_without_parameters_makes_an_empty_order(store, raw):
    response = store("POST", "/orders", data=raw, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["total"]) == (201, "0.00")


@pytest.mark.parametrize("raw", [b'"x"', b"1", b"true"])
def test_a_bare_json_value_is_a_500_that_has_made_an_order(store, raw):
    response = store("POST", "/orders", data=raw, headers={"Content-Type": "application/json"})
    assert told(response) == (500, "internal_server_error")
    assert len(store.get("/orders")) == 1


@pytest.mark.parametrize(("kind", "note"), [("application/vnd.api+json", "x"), ("text/plain", "")])
def test_only_json_content_types_are_read_as_json(store, kind, note):
    response = store("POST", "/orders", data=b'{"customer_note":"x"}', headers={"Content-Type": kind})
    assert response.json()["customer_note"] == note


@pytest.mark.parametrize(
    ("name", "value", "message", "code", "data"),
    [
        ("per_page", "x", "per_page is not of type integer.", "rest_invalid_type", {"param": "per_page"}),
        ("per_page", "101", "per_page must be between 1 (inclusive) and 100 (inclusive)", "rest_out_of_bounds", None),
        ("page", "0", "page must be greater than or equal to 1", "rest_out_of_bounds", None),
        ("order", "up", "order is not one of asc and desc.", "rest_not_in_enum", None),
    ],
)
def test_an_invalid_parameter_is_explained_as_recorded(store, name, value, message, code, data):
    response = store("GET", "/orders", params={name: value}, auth=None)
    assert response.json() == {
        "code": "rest_invalid_param",
        "message": f"Invalid parameter(s): {name}",
        "data": {
            "status": 400,
            "params": {name: message},
            "details": {name: {"code": code, "message": message, "data": data}},
        },
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"transaction_id": 123}, "rest_invalid_type"),
        ({"line_items": [{"product_id": 11, "total": 5.5}]}, "rest_invalid_type"),
        ({"set_paid": "yes"}, "rest_invalid_type"),
        ({"status": "wc-processing"}, "rest_not_in_enum"),
        ({"status": "trash"}, "rest_not_in_enum"),
        ({"currency": "usd"}, "rest_not_in_enum"),
        ({"billing": {"email": "nobody"}}, "rest_invalid_email"),
        ({"billing": {"email": ""}}, "rest_invalid_email"),
    ],
)
def test_a_wrong_value_in_a_body_is_a_400(store, body, code):
    response = store("POST", "/orders", json=body)
    [(name, details)] = response.json()["data"]["details"].items()
    assert (response.status_code, name, details["code"]) == (400, next(iter(body)), code)


def test_lenient_values_pass_and_unknown_ones_are_ignored(shop, store, order_id):
    body = {"customer_id": "2", "set_paid": "true", "total": "1.00", "order_key": "x", "billing": {"email": None}}
    order = store("PUT", f"/orders/{order_id}", json=body).json()
    assert (order["customer_id"], order["status"], order["total"]) == (2, "processing", "10.23")
    assert order["order_key"].startswith("wc_order_")
    assert order["_links"]["customer"][0]["href"].endswith("/wc/v3/customers/2")
    assert order["_links"]["self"][0]["targetHints"] == {"allow": ALL_ORDER_METHODS.split(", ")}


def test_every_answer_has_wordpress_headers(store):
    anonymous, known = store("GET", "/orders", auth=None), store("GET", "/orders")
    for response in (anonymous, known):
        assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert response.headers["X-Robots-Tag"] == "noindex"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Link"] == f'<{store.url}/wp-json/>; rel="https://api.w.org/"'
        assert "WWW-Authenticate" not in response.headers
    assert (anonymous.headers.get("Vary"), anonymous.headers.get("Allow")) == ("Origin", None)
    assert (known.headers.get("Vary"), known.headers["Allow"]) == (None, "GET, POST")
    assert known.headers["Cache-Control"] == "no-cache, must-revalidate, max-age=0, no-store, private"


def test_any_origin_is_welcome_and_options_describe_the_route(store):
    response = store("OPTIONS", "/orders", auth=None, headers={"Origin": "https://elsewhere.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://elsewhere.example"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Allow" not in response.headers
    assert response.json()["methods"] == ["GET", "POST"]
    assert response.json()["endpoints"][0]["args"]["per_page"]["maximum"] == 100
    assert store("OPTIONS", "/nope").json() == []
    assert store("OPTIONS", "/orders").headers["Allow"] == "GET, POST"


def test_lists_are_paged_with_totals_and_links(shop, store, clock):
    ids = []
    for number in range(5):
        clock.now += 1
        ids.append(shop.add_order(total=str(number), status="on-hold"))
    response = store("GET", "/orders?per_page=2&page=2&status=on-hold")
    assert [order["id"] for order in response.json()] == [ids[2], ids[1]]
    assert (response.headers["X-WP-Total"], response.headers["X-WP-TotalPages"]) == ("5", "3")
    base = f"{store.url}/wp-json/wc/v3/orders?per_page=2&page={{}}&status%5B0%5D=on-hold&dp=2&context=view"
    assert response.headers["Link"] == f'<{base.format(1)}>; rel="prev", <{base.format(3)}>; rel="next"'
    beyond = store("GET", "/orders?page=9")
    assert (beyond.status_code, beyond.json(), beyond.headers["X-WP-Total"]) == (200, [], "5")
    last = f"{store.url}/wp-json/wc/v3/orders?page=1&status%5B0%5D=any"
    assert beyond.headers["Link"] == f'<{last}>; rel="prev"'


def test_lists_are_filtered_and_sorted(shop, store, clock):
    first = shop.add_order(total="1", customer_id=2)
    clock.now += 10
    second = shop.add_order(total="2", status="on-hold", billing={"email": "ada@example.com"})

    def ids(query):
        return [order["id"] for order in store.get(f"/orders?{query}")]

    assert ids("") == [second, first]
    assert ids("order=asc&orderby=id") == [first, second]
    assert ids("status=pending,failed") == [first]
    assert ids("customer=2") == ids(f"include={first}") == ids(f"exclude={second}") == ids("offset=1") == [first]
    assert ids("search=ada@") == ids("after=2026-11-20T23:33:50") == [second]


def test_shops_under_one_roof_keep_to_themselves(shop, store, certificates):
    other = WooCommerceSimulator("Other", url="https://other.example/shop/")
    roof = DispatcherMiddleware(Response("nothing here", 404), {"/one": shop, "/two": other})
    with serve(roof, tls=(certificates.cert_file, certificates.key_file)) as server:
        one = store.session.get(f"{server.url}/one/wp-json/").json()
        two = store.session.get(f"{server.url}/two/wp-json/").json()
        refused = store.session.get(f"{server.url}/two/wp-json/wc/v3/orders", auth=store.key)
    assert (one["url"], two["url"]) == (f"{server.url}/one", "https://other.example/shop")
    assert refused.status_code == 401


def test_pages_of_the_site_are_html(store):
    assert "Corner shop" in store.session.get(f"{store.url}/").text
    assert store.session.get(f"{store.url}/checkout/").status_code == 404


def test_every_request_is_recorded_without_values_of_the_query(shop, store, order_id):
    store("PUT", f"/orders/{order_id}?consumer_secret=cs_x&dp=2", json={"customer_note": "hi"})
    store("GET", "/nope")
    put, get = shop.requests
    assert (put.method, put.path, put.query) == ("PUT", f"/wp-json/wc/v3/orders/{order_id}", ("consumer_secret", "dp"))
    assert (put.status, put.body) == (200, {"customer_note": "hi"})
    assert (get.method, get.status, get.body) == ("GET", 404, None)


def test_a_test_can_wait_for_what_the_store_will_be_told(shop, store, order_id):
    writer = threading.Thread(target=store.put, args=(order_id,), kwargs={"set_paid": True})
    writer.start()
    assert shop.wait_until(lambda: shop.order(order_id)["status"] == "processing")
    writer.join()
    assert not shop.wait_until(lambda: False, timeout=0.01)


def test_many_clients_at_once_all_get_their_orders(shop, store):
    def create(number):
        response = store("POST", "/orders", data=json.dumps({"customer_note": number}), headers=kind)
        statuses.append(response.status_code)

    kind, statuses = {"Content-Type": "application/json"}, []
    clients = [threading.Thread(target=create, args=(str(number),)) for number in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert statuses == [201] * 8
    assert {order["customer_note"] for order in store.get("/orders")} == {str(number) for number in range(8)}
