"""Answers as WordPress sends them: its JSON, its headers, `_fields` and `_envelope`."""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Response, request

from bridge.http.request_context import RequestContext, current

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
    context = current()
    headers = dict(headers or {})
    if context is None:
        return Response(dumps(payload), status, {**ALWAYS, **headers}, content_type=JSON)
    context.answer = payload, status, headers
    if status < 400 and "_fields" in context.parameters:
        payload = _with_fields(payload, context.parameters["_fields"])
    if context.allowed:
        headers = {**headers, "Allow": ", ".join(context.allowed)}
    if "_envelope" in context.query:
        payload = {"body": payload, "status": status, "headers": headers or []}
        status, headers = 200, {}
    text = "" if context.method == "HEAD" and request.method != "HEAD" else dumps(payload)
    return Response(text, status, {**_manners(context), **headers}, content_type=JSON)


def _manners(context: RequestContext) -> dict[str, str]:
    if not context.path.startswith("/wp-json"):
        return {**ALWAYS, "Cache-Control": "no-store"}
    headers = {**ALWAYS, **OF_THE_API, "Link": f'<{context.root}/wp-json/>; rel="https://api.w.org/"'}
    if context.key:
        return {**headers, **NOT_CACHED}
    return {**headers, "Vary": "Origin"} if context.method == "GET" else headers


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
