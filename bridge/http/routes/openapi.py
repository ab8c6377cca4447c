"""`/bridge/v1/openapi.json` and `/bridge/v1/docs`: made on demand from the routes, with all errors they answer."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Response

from bridge.http.idempotency import LONGEST_KEY, REPLAYED
from bridge.http.request_context import IDEMPOTENCY_KEY
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import Blueprint, Route, describe
from bridge.http.wordpress.error_table import Row
from bridge.http.wordpress.errors import REFUSALS
from bridge.schemas.woopayments import Error
from bridge.schemas.wordpress import Unknown
from bridge.web.docs import render_page

TITLE = "wcpay-bridge"
DESCRIPTION = "WooPayments' REST API, outside WordPress: the same addresses, the same consumer keys, any provider."
SECURITY = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "Consumer key and secret. Over https; over plain http on this machine only.",
    },
    "consumerKey": {
        "type": "apiKey",
        "in": "query",
        "name": "consumer_key",
        "description": "Over https, together with consumer_secret. Wins over the header.",
    },
    "consumerSecret": {
        "type": "apiKey",
        "in": "query",
        "name": "consumer_secret",
        "description": "Over https, together with consumer_key.",
    },
    "oauth1": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "OAuth 1.0a, one-legged, HMAC-SHA1 or HMAC-SHA256, in the header or in the query.",
    },
}
REQUIRED: list[dict[str, list[str]]] = [{"basic": []}, {"consumerKey": [], "consumerSecret": []}, {"oauth1": []}]

KEY = {
    "in": "header",
    "name": IDEMPOTENCY_KEY,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    "description": "Names this request for 24 hours: a repeat with the same key gets the same answer, and does "
    "nothing again. Bare, or as a structured field in double quotes.",
}
MARK = {REPLAYED: {"schema": {"type": "string", "enum": ["true"]}, "description": "The answer to a repeated request."}}
METHODS = ("get", "post", "put", "patch", "delete")
PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def add_routes(blueprint: Blueprint, settings: HttpSettings, version: str, make: Callable[[], Blueprint]) -> None:
    """The document and the page are made once, when they are first asked for."""

    @cache
    def document() -> dict[str, Any]:
        options: dict[str, Any] = {"info": {"description": DESCRIPTION}, "security": REQUIRED}
        if settings.public_url:
            options["servers"] = [{"url": settings.public_url}]
        described = describe(make, TITLE, version, error_schema=Error, security_schemes=SECURITY, **options)
        _add_errors(described, blueprint.routes.values(), settings)
        _tidy(described)
        return described

    @blueprint.route("/bridge/v1/openapi.json", methods=["GET"], public=True, offline=True, tags=["Documentation"])
    @blueprint.doc(summary="This document", security=[])
    @blueprint.response(200, description="OpenAPI 3.1.")
    def openapi() -> dict[str, Any]:
        return document()

    @cache
    def page() -> tuple[str, str]:
        return render_page(document())

    @blueprint.route("/bridge/v1/docs", methods=["GET"], public=True, offline=True, tags=["Documentation"])
    @blueprint.doc(summary="The documentation of this API", security=[])
    @blueprint.response(200, description="A page.", content_type="text/html")
    def docs() -> Response:
        text, content_policy = page()
        headers = {**PAGE_HEADERS, "Content-Security-Policy": content_policy}
        return Response(text, headers=headers, content_type="text/html; charset=utf-8")


def _tidy(described: dict[str, Any]) -> None:
    """flask-smorest's own components out, the success before the errors, the tags as they are used."""
    described["components"].pop("responses", None)
    described["components"]["schemas"].pop("PaginationMetadata", None)
    operations = _operations(described)
    described["tags"] = [{"name": tag} for tag in dict.fromkeys(tag for each in operations for tag in each["tags"])]
    for operation in operations:
        operation["responses"] = dict(sorted(operation["responses"].items()))


def _operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    paths = described["paths"].values()
    return [operation for of_path in paths for method, operation in of_path.items() if method in METHODS]


def _add_errors(described: dict[str, Any], routes: Iterable[Route], settings: HttpSettings) -> None:
    """What can happen to an operation before its use case, and what its own table of failures has."""
    for route in routes:
        path = described["paths"][re.sub(r"<(\w+)>", r"{\1}", route.rule)]
        for method in route.methods:
            operation = path[method.lower()]
            examples = _refusals(settings, route)
            for row in route.failures:
                status = row.precise if settings.error_status == "precise" else row.compatible
                _add(examples.setdefault(status, {}), row, status)
            for status, each in examples.items():
                operation["responses"][str(status)] = _joined(operation["responses"].get(str(status)), status, each)
            _tell_parameters(described, operation, route)
            if route.once:
                operation.setdefault("parameters", []).append(KEY)
                for response in operation["responses"].values():
                    response["headers"] = MARK


def _joined(own: dict[str, Any] | None, status: int, examples: dict[str, Any]) -> dict[str, Any]:
    """The envelope of errors, or what the operation answers itself with this status."""
    response = _response(status, examples)
    content = response["content"]["application/json"]
    if own is None or "$ref" in own:  # the library's own, whose component goes
        return response
    described = {"description": f"{own['description']} {response['description']}"}
    shown = own.get("content", {})
    if "application/json" not in shown:
        return {**own, **described, "content": {**shown, "application/json": content}}
    either = [shown["application/json"]["schema"], content["schema"]]
    return {**described, "content": {"application/json": {**content, "schema": {"anyOf": either}}}}


def _tell_parameters(described: dict[str, Any], operation: dict[str, Any], route: Route) -> None:
    """Not those that are always refused; in a body, null is as good as nothing, and what is not known is ignored."""
    known = route.schema().load_fields if route.schema else {}
    if "parameters" in operation:
        refused = {name for name, field in known.items() if isinstance(field, Unknown)}
        operation["parameters"] = [each for each in operation["parameters"] if each["name"] not in refused]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = described["components"]["schemas"].get(name, {})
    if schema:
        schema["additionalProperties"] = True
    for name, told in schema.get("properties", {}).items():
        if name not in schema.get("required", []):
            schema["properties"][name] = _or_null(told)


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        rest = {name: value for name, value in schema.items() if name not in ("$ref", "type")}
        return {**rest, "anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}]}
    kinds = schema.get("type", [])
    known = [kinds] if isinstance(kinds, str) else kinds
    return {**schema, "type": list(dict.fromkeys([*known, "null"]))} if known else schema


def _has_required_parameters(route: Route) -> bool:
    fields = route.schema().load_fields if route.schema else {}
    return any(field.required for field in fields.values())


def _refusals(settings: HttpSettings, route: Route) -> dict[int, dict[str, Any]]:
    """Examples by status and code, of what can happen to an operation before its use case."""
    if route.public:
        return _refusals_of_public(route)
    impossible = set() if _has_required_parameters(route) else {"rest_missing_callback_param"}
    if not route.once:
        impossible |= {refusal.code for refusal in REFUSALS if refusal.code.startswith("wcpay_idempotency_")}
    if settings.compat != "woopayments":
        impossible |= {refusal.code for refusal in REFUSALS if refusal.code.startswith("woocommerce_")}
    tells_who_may = route.sends_back and settings.compat == "woopayments"
    examples: dict[int, dict[str, Any]] = {}
    for refusal in REFUSALS:
        if refusal.code not in impossible and (refusal.status != HTTPStatus.FORBIDDEN or tells_who_may):
            example = _example(refusal.when, refusal.code, refusal.says, {"status": refusal.status})
            examples.setdefault(refusal.status, {})[refusal.code] = example
    return examples


def _refusals_of_public(route: Route) -> dict[int, dict[str, Any]]:
    """Names in an address that can be none, bodies that are too large or cannot be read, a database that is away."""
    possible = {"internal_server_error", *route.refusals}
    if not route.offline:
        possible |= {"wcpay_database_unavailable", "wcpay_not_ready"}
    if "<" in route.rule:
        possible.add("rest_no_route")
    if "POST" in route.methods:
        possible |= {"wcpay_request_too_large", "rest_bad_request"}
    examples: dict[int, dict[str, Any]] = {}
    for refusal in REFUSALS:
        if refusal.code in possible and refusal.status != HTTPStatus.FORBIDDEN:
            example = _example(refusal.when, refusal.code, refusal.says, {"status": refusal.status})
            examples.setdefault(refusal.status, {})[refusal.code] = example
    return examples


def _add(examples: dict[str, Any], row: Row, status: int) -> None:
    reason = row.reason or row.error.reason
    data: dict[str, Any] | None = {"status": status}
    if row.bare:
        data = None
    elif not row.silent:
        data = {"status": status, "reason": reason, "retryable": row.error.retryable}
    summary = (row.error.__doc__ or "").partition("\n")[0] or reason
    name = reason if reason not in examples else f"{reason}_{len(examples)}"
    examples[name] = _example(summary, row.code or "resource_missing", row.says, data)


def _example(summary: str, code: str, message: str, data: dict[str, Any] | None) -> dict[str, Any]:
    return {"summary": summary, "value": {"code": code, "message": message, "data": data}}


def _response(status: int, examples: dict[str, Any]) -> dict[str, Any]:
    codes = dict.fromkeys(example["value"]["code"] for example in examples.values())
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(codes)}",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "examples": examples}},
    }
