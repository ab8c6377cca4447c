"""WordPress' manners: routes, methods, headers, `_fields`, `_envelope`, OPTIONS, and the order of the checks."""

import json
from typing import Any

import pytest

from tests.http.conftest import BODY, HTTPS, Door, MakeDoor
from tests.plugins.local import INTENTS

NO_ROUTE = (
    b'{"code":"rest_no_route","message":"No route was found matching the URL and request method.",'
    b'"data":{"status":404}}'
)
ALWAYS = {
    "Content-Type": "application/json; charset=UTF-8",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Expose-Headers": "X-WP-Total, X-WP-TotalPages, Link",
    "Access-Control-Allow-Headers": "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
    "Link": f'<{HTTPS}/wp-json/>; rel="https://api.w.org/"',
}
AUTHENTICATED = {
    "Expires": "Wed, 11 Jan 1984 05:00:00 GMT",
    "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", INTENTS),
        ("PUT", INTENTS),
        ("HEAD", INTENTS),
        ("POST", f"{INTENTS}/pi_x"),
        ("DELETE", f"{INTENTS}/pi_x"),
        ("POST", "/wp-json/"),
        ("POST", "/wp-json/wc/v3"),
        ("GET", "/wp-json/wc/v3/orders"),
        ("GET", "/wp-json/wc/v3/payments"),
        ("GET", "/wp-json/x"),
        ("GET", "/wp-json//wc/v3"),
        ("GET", "/wp-json/wc//v3"),
        ("GET", f"{INTENTS}//pi_x"),
        ("GET", f"{INTENTS}/pi_x//"),
        ("POST", f"{INTENTS}//"),
        ("GET", f"{INTENTS}/pi-x"),
        ("GET", f"{INTENTS}/pi_%C3%A9"),
        ("GET", f"{INTENTS}/pi_%0A"),
        ("GET", f"{INTENTS}/%00"),
        ("GET", f"{INTENTS}/pi_x/y"),
        ("GET", "/bridge/v1/x"),
        ("POST", "/bridge/v1/health/live"),
        ("PROPFIND", "/bridge/v1/health/live"),
        ("GET", "/elsewhere"),
        ("BREW", "/wp-json/%0A/%00/%FF"),
    ],
)
def test_what_is_no_route_is_404_in_the_envelope(door: Door, method: str, path: str) -> None:
    response = door.open(method, path, key=None)
    assert response.status_code == 404
    assert response.data == (b"" if method == "HEAD" else NO_ROUTE)
    assert response.content_type == ALWAYS["Content-Type"]
    assert "Allow" not in response.headers


@pytest.mark.parametrize("path", ["/wp-json/", "/wp-json", "/wp-json/wc/v3", "/wp-json/wc/v3/", "/bridge/v1/docs/"])
def test_a_trailing_slash_makes_no_difference(door: Door, path: str) -> None:
    assert door.get(path, key=None).status_code == 200


def test_a_create_with_a_trailing_slash_is_a_create(door: Door) -> None:
    assert door.post(f"{INTENTS}/", json=BODY).json == door.create().json


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", f"{INTENTS}?_method=POST", {}),
        ("GET", f"{INTENTS}?_method=post", {}),
        ("PUT", INTENTS, {"X-HTTP-Method-Override": "POST"}),
        ("FOO", INTENTS, {"X-HTTP-Method-Override": "post"}),
        ("GET", f"{INTENTS}?_method=POST", {"X-HTTP-Method-Override": "DELETE"}),
    ],
)
def test_the_method_may_be_said_elsewhere(door: Door, method: str, path: str, headers: dict[str, str]) -> None:
    response = door.open(method, path, headers=headers, json=BODY)
    assert response.status_code == 200
    assert response.json["status"] == "succeeded"


def test_the_method_may_be_said_elsewhere_also_where_it_leads_nowhere(door: Door) -> None:
    assert door.post(f"{INTENTS}?_method=GET", json=BODY).data == NO_ROUTE
    assert door.post(f"{INTENTS}?_method=FOO", key=None, json=BODY).data == NO_ROUTE
    assert door.post(f"{INTENTS}/pi_x?_method=GET").json["code"] == "resource_missing"
    assert door.get(f"{INTENTS}/pi_x?_method=OPTIONS", key=None).json["methods"] == ["GET"]
    assert door.post("/bridge/v1/health/live?_method=GET").json == {"status": "ok"}
    assert door.shelf.reads == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_head_has_the_headers_of_get_and_no_body(door: Door, method: str) -> None:
    created = door.create().json
    path = f"{INTENTS}/{created['id']}"
    got, head = door.get(path), door.open("HEAD", path)
    said_elsewhere = door.open(method, path, query_string="_method=HEAD")
    assert (head.status_code, head.data, said_elsewhere.data) == (200, b"", b"")
    assert dict(head.headers) == dict(got.headers)


def test_the_headers_of_an_answer_to_a_key(door: Door) -> None:
    for response in (door.create(), door.get(f"{INTENTS}/pi_x"), door.get("/wp-json/wc/v3/x")):
        headers = dict(response.headers)
        assert headers | ALWAYS | AUTHENTICATED == headers
        assert "Vary" not in headers


def test_the_headers_of_an_answer_to_anybody(door: Door) -> None:
    for path in (f"{INTENTS}/pi_x", "/wp-json/", "/wp-json/x"):
        headers = dict(door.get(path, key=None).headers)
        assert headers | ALWAYS | {"Vary": "Origin"} == headers
        assert not {"Expires", "Cache-Control"} & set(headers)
    assert "Vary" not in door.create(key=None).headers


def test_no_origin_is_let_in_and_no_callback_called(door: Door) -> None:
    for method in ("GET", "OPTIONS"):
        response = door.open(method, f"{INTENTS}/pi_x?_jsonp=alert", headers={"Origin": "https://evil.example"})
        assert not [name for name, _ in response.headers if name in ("Access-Control-Allow-Origin", "Set-Cookie")]
        assert response.content_type == ALWAYS["Content-Type"]
        json.loads(response.data)


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status", "allow"),
    [
        ("POST", INTENTS, {"json": BODY}, 200, "POST"),
        ("POST", INTENTS, {"json": {}}, 500, "POST"),
        ("POST", INTENTS, {"data": "{", "content_type": "application/json"}, 400, "POST"),
        ("POST", INTENTS, {"data": "{", "content_type": "application/json", "key": None}, 400, None),
        ("POST", INTENTS, {"json": BODY, "key": None}, 401, None),
        ("POST", INTENTS, {"json": BODY, "key": "read"}, 401, None),
        ("GET", f"{INTENTS}/pi_x", {"key": "read"}, 500, "GET"),
        ("HEAD", f"{INTENTS}/pi_x", {}, 500, "GET"),
        ("GET", f"{INTENTS}/pi_x", {"key": None}, 401, None),
        ("OPTIONS", INTENTS, {}, 200, "POST"),
        ("OPTIONS", INTENTS, {"key": "read"}, 200, None),
        ("OPTIONS", INTENTS, {"key": None}, 200, None),
        ("OPTIONS", "/wp-json/wc/v3", {"key": None}, 200, "GET"),
        ("GET", "/wp-json/", {"key": None}, 200, "GET"),
    ],
)
def test_allow_lists_what_the_caller_may_do_on_a_known_route(
    door: Door, method: str, path: str, kwargs: dict[str, Any], status: int, allow: str | None
) -> None:
    response = door.open(method, path, **kwargs)
    assert (response.status_code, response.headers.get("Allow")) == (status, allow)


def test_options_describe_a_path(door: Door) -> None:
    parameters = {
        "order_id": {"description": "The order that is to be paid.", "type": ["string", "integer"], "required": False},
        "customer": {
            "description": "The payer at the provider, such as cus_...",
            "type": "string",
            "required": False,
        },
        "payment_method": {"description": "What to charge, such as pm_...", "type": "string", "required": False},
    }
    assert door.open("OPTIONS", INTENTS, key=None).json == {
        "namespace": "wc/v3",
        "methods": ["POST"],
        "endpoints": [{"methods": ["POST"], "args": parameters}],
        "_links": {"self": [{"href": HTTPS + INTENTS}]},
    }
    assert door.open("OPTIONS", f"{INTENTS}/pi_x", key=None).json == {
        "namespace": "wc/v3",
        "methods": ["GET"],
        "endpoints": [{"methods": ["GET"], "args": {"payment_intent_id": {"type": "string", "required": False}}}],
    }
    assert door.open("OPTIONS", "/wp-json/wc/v3/x", key=None).data == b"[]"
    assert door.open("OPTIONS", INTENTS, data="{", content_type="application/json").status_code == 200


def test_the_index_lists_the_routes_as_wordpress_does(door: Door) -> None:
    index = door.get("/wp-json/", key=None).json
    assert index["namespaces"] == ["wc/v3"]
    served = {route: described["methods"] for route, described in index["routes"].items()}
    assert (
        served.items()
        >= {
            "/wc/v3/payments/payment_intents": ["POST"],
            "/wc/v3/payments/payment_intents/(?P<payment_intent_id>\\w+)": ["GET"],
            "/wc/v3/payments/orders/(?P<order_id>\\w+)/capture_authorization": ["POST"],
            "/": ["GET"],
            "/wc/v3": ["GET"],
        }.items()
    )
    namespace = door.get("/wp-json/wc/v3", key=None).json
    assert namespace["namespace"] == "wc/v3"
    assert set(namespace["routes"]) == set(index["routes"]) - {"/"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_fields=id,amount", {"amount": 1023, "id": ...}),
        ("_fields=amount%20currency", {"amount": 1023, "currency": "USD"}),
        ("_fields[]=amount&_fields[]=currency", {"amount": 1023, "currency": "USD"}),
        ("_fields=order.number,order.customer_url", {"order": {"number": "19", "customer_url": None}}),
        (
            "_fields=charge.payment_method_details.card.last4",
            {"charge": {"payment_method_details": {"card": {"last4": "4242"}}}},
        ),
        ("_fields=order.number,order", {"order": ...}),
        ("_fields=order,order.number", {"order": ...}),
        ("_fields=amount.x", {"amount": 1023}),
        ("_fields=nothing", {}),
        ("_fields=nothing.of.it", {}),
    ],
)
def test_fields_choose_what_is_shown(door: Door, query: str, expected: dict[str, Any]) -> None:
    created = door.create().json
    everything = door.get(f"{INTENTS}/{created['id']}").json
    shown = door.get(f"{INTENTS}/{created['id']}?{query}").json
    assert shown == {name: everything[name] if value is ... else value for name, value in expected.items()}


@pytest.mark.parametrize("query", ["_fields=", "_fields=,", "_fields[a]=b"])
def test_fields_without_a_name_choose_everything(door: Door, query: str) -> None:
    created = door.create().json
    assert len(door.get(f"{INTENTS}/{created['id']}?{query}").json) > 10


def test_fields_may_be_sent_in_the_body_and_leave_errors_alone(door: Door) -> None:
    assert list(door.create(body={"_fields": "id"}).json) == ["id"]
    assert set(door.get(f"{INTENTS}/pi_x?_fields=id").json) == {"code", "message", "data"}


def test_an_envelope_holds_body_status_and_headers(door: Door) -> None:
    created = door.create().json
    response = door.post(f"{INTENTS}?_envelope=1&_fields=id", json=BODY)
    assert response.json == {"body": {"id": created["id"]}, "status": 200, "headers": {"Allow": "POST"}}
    response = door.get(f"{INTENTS}/pi_x?_envelope")
    assert response.status_code == 200
    assert response.json["status"] == 500
    assert response.json["body"]["code"] == "resource_missing"
    response = door.get("/wp-json/x?_envelope", key=None)
    assert response.data == b'{"body":' + NO_ROUTE + b',"status":404,"headers":[]}'
    assert dict(response.headers) | ALWAYS == dict(response.headers)


def test_json_is_written_as_php_writes_it(door: Door) -> None:
    door.shelf.put(20, billing=door.shelf.orders[19].billing.__class__(first_name="Zoë", last_name='😀/\\"'))
    text = door.create(body={"order_id": 20}).get_data(as_text=True)
    assert '"name":"Zo\\u00eb \\ud83d\\ude00\\/\\\\\\""' in text
    assert text.isascii()


def test_the_checks_come_in_wordpress_order(make_door: MakeDoor) -> None:
    door = make_door(compat="woopayments")
    bad_json = {"data": "{", "content_type": "application/json"}
    contradiction = {"query_string": "payment_intent_id=pi_y"}
    path, nowhere = f"{INTENTS}/pi_x", "/wp-json/wc/v3/x"

    def code(path: str, key: Any, **kwargs: Any) -> str:
        auth = {"auth": (door.secrets("read")[0], "cs_wrong")} if key == "wrong" else {}
        return door.get(path, key=None if key == "wrong" else key, **auth, **kwargs).json["code"]

    assert code(nowhere, "wrong", **bad_json) == "woocommerce_rest_authentication_error"
    assert code(nowhere, "write", **bad_json) == "woocommerce_rest_authentication_error"
    assert code(nowhere, "read", **bad_json) == "rest_no_route"
    assert code(path, "read", **bad_json, **contradiction) == "rest_invalid_json"
    assert code(path, None, **bad_json, **contradiction) == "rest_invalid_json"
    assert code(path, "read", **contradiction) == "rest_invalid_param"
    assert code(path, None, **contradiction) == "rest_invalid_param"
    assert code(path, None) == "rest_forbidden"
    assert code(path, "read") == "resource_missing"


def test_without_a_public_url_the_link_does_not_repeat_the_host_header(make_door: MakeDoor) -> None:
    door = make_door(public_url="")
    response = door.get("/wp-json/", key=None, base_url="https://evil.example")
    assert response.headers["Link"] == '</wp-json/>; rel="https://api.w.org/"'
    assert "evil" not in response.get_data(as_text=True)
