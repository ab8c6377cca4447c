"""The OpenAPI document and the page for people tell what the routes really are."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from bridge.http.smorest import Route
from bridge.http.wordpress.errors import REFUSALS
from tests.http.conftest import BODY, HTTPS, Door, MakeDoor
from tests.http.test_routes import MISSING, routes
from tests.plugins.local import INTENTS

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def document(door: Door) -> dict[str, Any]:
    return door.get("/bridge/v1/openapi.json", key=None).json


def test_the_document_has_exactly_the_routes_that_are_served(door: Door, document: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in door.app.url_map.iter_rules()
        if rule.endpoint != "front"  # the page of a bridge that stands alone is not part of the API
        for method in (rule.methods or set()) - {"HEAD"}
    }
    told = {(path, method) for path, of_path in document["paths"].items() for method in METHODS if method in of_path}
    assert told == served
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": HTTPS}]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document)))
    assert set() < references <= set(document["components"]["schemas"])
    assert set(document["components"]) == {"schemas", "securitySchemes"}
    used = {tag for of_path in document["paths"].values() for method in METHODS for tag in tags(of_path, method)}
    assert {tag["name"] for tag in document["tags"]} == used


def tags(of_path: dict[str, Any], method: str) -> list[str]:
    return of_path.get(method, {}).get("tags", [])


def test_what_needs_a_key_says_so_and_nothing_else(door: Door, document: dict[str, Any]) -> None:
    schemes = set(document["components"]["securitySchemes"])
    assert {name for choice in document["security"] for name in choice} == schemes
    for path, of_path in document["paths"].items():
        for method in METHODS:
            if method in of_path:
                required = operation_schema(document, of_path[method]).get("required", [])
                body = dict.fromkeys(required, "x") if method == "post" else None
                answer = door.open(method.upper(), path.format(**MISSING), key=None, json=body)
                assert (answer.status_code == 401) == ("security" not in of_path[method]), path


def operation_schema(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"].get(name, {})


@pytest.mark.parametrize("settings", [{}, {"compat": "woopayments"}, {"error_status": "precise"}], ids=str)
def test_every_error_of_the_tables_is_told_with_its_status(make_door: MakeDoor, settings: dict[str, str]) -> None:
    door = make_door(**settings)
    paths = door.get("/bridge/v1/openapi.json", key=None).json["paths"]
    precise = "error_status" in settings
    served = routes(door)
    assert served
    for (method, path), route in served.items():
        told = {
            (int(status), example["value"]["code"])
            for status, response in paths[path][method.lower()]["responses"].items()
            for example in response.get("content", {}).get("application/json", {}).get("examples", {}).values()
        }
        rows = {(row.precise if precise else row.compatible, row.code or "resource_missing") for row in route.failures}
        own = of_public(route) if route.public else refusals(settings, path, once=route.once)
        assert told == rows | own, path


def of_public(route: Route) -> set[tuple[int, str]]:
    """A name that can be none, a body that cannot be read, and what the route says of itself."""
    codes = {"internal_server_error", *route.refusals}
    codes |= set() if route.offline else {"wcpay_database_unavailable", "wcpay_not_ready"}
    codes |= {"rest_no_route"} if "<" in route.rule else set()
    codes |= {"wcpay_request_too_large", "rest_bad_request"} if "POST" in route.methods else set()
    told = {(refusal.status, refusal.code) for refusal in REFUSALS if refusal.code in codes}
    return {(status, code) for status, code in told if status != 403}


def test_the_answers_that_are_no_envelope_are_told(document: dict[str, Any]) -> None:
    hint = document["paths"]["/wp-json/wc/v3/payments/webhook"]["post"]["responses"]
    for status in ("400", "500"):
        either = hint[status]["content"]["application/json"]["schema"]["anyOf"]
        assert [each["$ref"].rpartition("/")[2] for each in either] == ["HintTaken", "Error"]
    assert document["components"]["schemas"]["ConnectionToken"]["additionalProperties"] is True
    assert {"404", "413"} <= set(document["paths"]["/bridge/v1/webhooks/{endpoint}"]["post"]["responses"])
    pressed = document["paths"]["/bridge/v1/pay/{token}"]["post"]["responses"]
    assert {"404", "410"} <= set(pressed)
    assert "text/html" in pressed["404"]["content"]


def test_null_is_nothing_and_what_is_always_refused_is_not_told(document: dict[str, Any]) -> None:
    wanted = document["components"]["schemas"]["Preview"]["properties"]
    assert wanted["order_id"]["type"] == ["integer", "null"]
    assert {"type": "null"} in wanted["address"]["anyOf"]
    listed = document["paths"]["/wp-json/wc/v3/payments/transactions"]["get"]["parameters"]
    names = {parameter["name"] for parameter in listed}
    assert "type_is" in names
    assert not names & {"deposit_id", "loan_id_is", "source_device_is", "source_device_is_not"}


def refusals(settings: dict[str, str], path: str, *, once: bool) -> set[tuple[int, str]]:
    required = ("capture_authorization", "cancel_authorization", "capture_terminal_payment")
    impossible = set() if path.endswith(required) else {"rest_missing_callback_param"}
    if not once:
        impossible |= {refusal.code for refusal in REFUSALS if refusal.code.startswith("wcpay_idempotency_")}
    if "compat" not in settings:
        impossible |= {refusal.code for refusal in REFUSALS if refusal.code.startswith("woocommerce_")}
    told = {(refusal.status, refusal.code) for refusal in REFUSALS if refusal.code not in impossible}
    may_answer_403 = path.endswith("/payments/refund") and "compat" in settings
    return told if may_answer_403 else {(status, code) for status, code in told if status != 403}


def test_routes_that_move_or_prepare_money_heed_idempotency_keys(document: dict[str, Any]) -> None:
    heeding = {
        path.removeprefix("/wp-json/wc/v3/payments/")
        for path, of_path in document["paths"].items()
        for method in METHODS
        if any(each["name"] == "Idempotency-Key" for each in of_path.get(method, {}).get("parameters", []))
    }
    of_order = (
        "capture_authorization cancel_authorization create_customer create_terminal_intent capture_terminal_payment"
    )
    assert heeding == {"payment_intents", "refund", *(f"orders/{{order_id}}/{name}" for name in of_order.split())}
    responses = document["paths"][INTENTS]["post"]["responses"]
    assert "Idempotent-Replayed" in responses["200"]["headers"]
    assert {"400", "409", "422"} <= set(responses)


def test_parameters_of_a_look_up_are_in_the_query(document: dict[str, Any]) -> None:
    listed = document["paths"]["/wp-json/wc/v3/payments/transactions"]["get"]
    assert "requestBody" not in listed
    page = next(parameter for parameter in listed["parameters"] if parameter["name"] == "pagesize")
    assert (page["in"], page["required"], page["schema"]["minimum"], page["schema"]["maximum"]) == (
        "query",
        False,
        1,
        100,
    )


def test_answers_have_the_keys_that_are_told(door: Door, document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    created = door.create().json
    shown = door.get(f"{INTENTS}/{created['id']}").json
    refused = door.create(body={"order_id": 404}).json
    for answer, name in ((created, "CreatedIntent"), (shown, "ShownIntent"), (refused, "Error")):
        assert set(answer) <= set(schemas[name]["properties"])
    assert set(shown["charge"]) == set(schemas["ShownCharge"]["properties"])
    assert set(refused["data"]) <= set(schemas["ErrorData"]["properties"])
    assert set(BODY) == set(schemas["Parameters"]["properties"])
    assert not {"client_secret", "next_action", "provider_data"} & set(schemas["ShownIntent"]["properties"])


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := given.get(name))]
        self.ids.add(given.get("id") or "")
        assert not [name for name in given if name.startswith("on") or name == "style"]


def test_the_page_needs_no_script_and_nothing_from_elsewhere(door: Door) -> None:
    response = door.get("/bridge/v1/docs", key=None)
    assert response.content_type == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    page = _Page()
    page.feed(response.get_data(as_text=True))
    assert "script" not in page.tags
    assert {link for link in page.links if not link.startswith("#")} == {"data:,", "openapi.json"}
    assert set() < {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert page.tags.count("style") == 1


def test_the_page_has_its_style_by_its_hash(door: Door) -> None:
    import base64
    import hashlib

    response = door.get("/bridge/v1/docs", key=None)
    style = re.search(r"<style>(.*?)</style>", response.get_data(as_text=True), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in response.headers["Content-Security-Policy"]


def test_the_page_shows_every_operation(door: Door, document: dict[str, Any]) -> None:
    text = door.get("/bridge/v1/docs", key=None).get_data(as_text=True)
    for path in document["paths"]:
        assert text.count(f"<code>{path}</code>") >= 2
    for word in ("charge.payment_method_details.card.last4", "wcpay_card_data_refused", "rest_invalid_json"):
        assert word in text


def test_the_page_shows_what_goes_into_the_query(door: Door, document: dict[str, Any]) -> None:
    text = door.get("/bridge/v1/docs", key=None).get_data(as_text=True)
    shown = re.findall(r"<code>(\w+)</code></td><td class=\"soft\">[^<]* in the query", text)
    wanted = [
        parameter["name"]
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query"
    ]
    assert {"pagesize", "date_between", "search_term"} <= set(wanted)
    assert sorted(shown) == sorted(wanted)


def test_the_page_escapes_what_it_is_given() -> None:
    from bridge.web.docs import render_page

    operation = {"tags": ["<b>"], "summary": "<script>", "responses": {}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "<i>", "version": "1", "description": ""},
        "paths": {"/<x>": {"get": operation}},
        "components": {"schemas": {"Error": {}}, "securitySchemes": {}},
    }
    page, _ = render_page(document)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_documentation_can_be_switched_off(make_door: MakeDoor) -> None:
    door = make_door(api_docs=False)
    for path in ("/bridge/v1/docs", "/bridge/v1/openapi.json"):
        answer = door.get(path, key=None)
        assert (answer.status_code, answer.json["code"]) == (404, "rest_no_route")
    assert "docs" not in door.get("/", key=None).text
    assert "docs" not in door.get("/", key=None, headers={"Accept": "text/html"}).text
    assert door.create().json["status"] == "succeeded"
