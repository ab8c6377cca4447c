"""The route index in WordPress' shape, and what OPTIONS says of a path."""

import re
from collections.abc import Sequence
from typing import Any

from bridge.http.request_context import require
from bridge.http.smorest import Blueprint, Route

NAMESPACE = "wc/v3"
TOLD = ("description", "type", "format", "minimum", "maximum")
"""What a route says of a parameter, besides whether it is required."""


def add_routes(blueprint: Blueprint) -> None:
    @blueprint.route("/wp-json/", methods=["GET"], public=True, tags=["Index"])
    @blueprint.doc(summary="What is served here", security=[])
    @blueprint.response(200, description="Namespaces and routes, as WordPress lists them.")
    def index() -> dict[str, Any]:
        root = require().root
        return {
            "name": "wcpay-bridge",
            "description": "WooPayments' REST API, outside WordPress.",
            "url": root,
            "home": root,
            "namespaces": [NAMESPACE],
            "authentication": [],
            "routes": _routes(blueprint, "/wp-json/"),
        }

    @blueprint.route(f"/wp-json/{NAMESPACE}", methods=["GET"], public=True, tags=["Index"])
    @blueprint.doc(summary="What is served in the namespace", security=[])
    @blueprint.response(200, description="The routes of the namespace, as WordPress lists them.")
    def namespace_index() -> dict[str, Any]:
        up = {"href": f"{require().root}/wp-json/"}
        routes = _routes(blueprint, f"/wp-json/{NAMESPACE}")
        return {"namespace": NAMESPACE, "routes": routes, "_links": {"up": [up]}}


def describe_path(siblings: Sequence[Route]) -> dict[str, Any] | list[Any]:
    """The methods of one path with their parameters; an empty list if there is no such path."""
    if not siblings:
        return []
    rule = siblings[0].rule
    described: dict[str, Any] = {
        "namespace": NAMESPACE if rule.startswith(f"/wp-json/{NAMESPACE}") else "",
        "methods": [method for route in siblings for method in route.methods],
        "endpoints": [{"methods": list(route.methods), "args": _arguments(route) or []} for route in siblings],
    }
    if "<" not in rule:
        described["_links"] = {"self": [{"href": require().root + rule}]}
    return described


def _routes(blueprint: Blueprint, below: str) -> dict[str, Any]:
    rules = dict.fromkeys(route.rule for route in blueprint.routes.values() if route.rule.startswith(below))
    return {_pattern(rule): describe_path(blueprint.routes_at(rule)) for rule in rules}


def _pattern(rule: str) -> str:
    return re.sub(r"<(\w+)>", r"(?P<\1>\\w+)", rule.removeprefix("/wp-json"))


def _arguments(route: Route) -> dict[str, Any]:
    in_path = {name: {"type": "string", "required": False} for name in re.findall(r"<(\w+)>", route.rule)}
    fields = route.schema().load_fields if route.schema else {}
    return in_path | {
        name: {**{key: field.metadata[key] for key in TOLD if key in field.metadata}} | {"required": field.required}
        for name, field in fields.items()
    }
