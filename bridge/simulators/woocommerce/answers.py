"""How WordPress writes an answer: PHP's JSON, `_fields`, `_envelope`, and the headers that every answer carries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from .lists import PhpObject
from .rest_values import Answer

ALWAYS = {
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Expose-Headers": "X-WP-Total, X-WP-TotalPages, Link",
    "Access-Control-Allow-Headers": "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
}
AUTHENTICATED = {
    "Expires": "Wed, 11 Jan 1984 05:00:00 GMT",
    "Cache-Control": "no-cache, must-revalidate, max-age=0, no-store, private",
}


def to_json(value: Any) -> str:
    """PHP's json_encode: `/` and non-ASCII escaped, 10.0 as 10, an empty array never as an object."""
    return json.dumps(_as_php(value), separators=(",", ":")).replace("/", "\\/")


def _as_php(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_php(item) for key, item in value.items()} or ({} if isinstance(value, PhpObject) else [])
    if isinstance(value, list | tuple):
        return [_as_php(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def chosen(body: Any, fields: Iterable[str]) -> Any:
    """The part of a body that `_fields` asks for; `a.b` reaches into an object, never into a list."""
    tree: dict[str, Any] = {}
    for field in fields:
        *parents, last = field.strip().split(".")
        place: Any = tree
        for parent in parents:
            place = place.setdefault(parent, {})
            if place is True:
                break
        else:
            place[last] = True
    return [_pruned(item, tree) for item in body] if isinstance(body, list) else _pruned(body, tree)


def _pruned(value: Any, tree: Any) -> Any:
    if tree is True or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return []
    return {key: _pruned(item, tree[key]) for key, item in value.items() if key in tree}


def with_links(answer: Answer) -> Any:
    """The body as it goes out: an object's `_links` come last."""
    return {**answer.body, "_links": answer.links} if answer.links else answer.body


def enveloped(answer: Answer) -> Answer:
    """The same answer as `_envelope` sends it: always HTTP 200, status and headers inside."""
    return Answer({"body": with_links(answer), "status": answer.status, "headers": answer.headers})


def common_headers(home: str, *, origin: str | None, known: bool, method: str) -> dict[str, str]:
    """What WordPress sends whatever the answer is. `known` says whether the caller is authenticated."""
    headers = {**ALWAYS, "Link": f'<{home}/wp-json/>; rel="https://api.w.org/"'}
    if known:
        headers |= AUTHENTICATED
    if origin:
        headers |= {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "OPTIONS, GET, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
        }
    elif method == "GET" and not known:
        headers["Vary"] = "Origin"
    return headers
