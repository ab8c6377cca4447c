"""Answers as WordPress sends them: its JSON, its headers, `_fields` and `_envelope`."""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Response, request

from bridge.http.request_context import Exchange, current

JSON = "application/json; charset=UTF-8"
ALWAYS = {
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
OF_THE_API = {
    "Access-Control-Expose-Headers": "X-WP-Total, X-WP-TotalPages, Link",
    "Access-Control-Allow-Headers": "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
}
NOT_CACHED = {
    "Expires": "Wed, 11 Jan 1984 05:00:00 GMT",
    "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
}


def dumps(payload: Any) -> str:
    """JSON as PHP writes it: compact, in the order of the keys, ASCII only, slashes escaped."""
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).replace("/", "\\/")


def render(payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to the current request, of ours or not."""
    exchange = current()
    headers = dict(headers or {})
    if exchange is None:
        return Response(dumps(payload), status, {**ALWAYS, **headers}, content_type=JSON)
    exchange.answer = payload, status, headers
    if status < 400 and "_fields" in exchange.parameters:
        payload = _with_fields(payload, exchange.parameters["_fields"])
    if exchange.allowed:
        headers = {**headers, "Allow": ", ".join(exchange.allowed)}
    if "_envelope" in exchange.query:
        payload = {"body": payload, "status": status, "headers": headers or []}
        status, headers = 200, {}
    text = "" if exchange.method == "HEAD" and request.method != "HEAD" else dumps(payload)
    return Response(text, status, {**_manners(exchange), **headers}, content_type=JSON)


def _manners(exchange: Exchange) -> dict[str, str]:
    if not exchange.path.startswith("/wp-json"):
        return {**ALWAYS, "Cache-Control": "no-store"}
    headers = {**ALWAYS, **OF_THE_API, "Link": f'<{exchange.root}/wp-json/>; rel="https://api.w.org/"'}
    if exchange.key:
        return {**headers, **NOT_CACHED}
    return {**headers, "Vary": "Origin"} if exchange.method == "GET" else headers


def _with_fields(payload: Any, wanted: Any) -> Any:
    """Only the named keys; `charge.id` names one inside. Without any name everything stays."""
    texts = wanted if isinstance(wanted, list) else [wanted]
    names = [name for text in texts if isinstance(text, str) for name in re.split(r"[\s,]+", text) if name]
    tree: dict[str, Any] = {}
    for name in names:
        *parents, last = name.split(".")
        place: Any = tree
        for parent in parents:
            place = place.setdefault(parent, {})
            if place is True:
                break
        else:
            place[last] = True
    return _pick(payload, tree) if tree else payload


def _pick(payload: Any, tree: dict[str, Any]) -> Any:
    if isinstance(payload, list):
        return [_pick(item, tree) for item in payload]
    if not isinstance(payload, dict):
        return payload
    return {
        key: value if tree[key] is True else _pick(value, tree[key]) for key, value in payload.items() if key in tree
    }
