"""The values of WordPress' REST server: a request with merged parameters, an answer, an error, a route.

Knows how PHP reads a query string and which parameter source wins; knows no shop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
EDITABLE = ("POST", "PUT", "PATCH")

Links = dict[str, list[dict[str, Any]]]
Handler = Callable[[Any, "RestRequest"], "Answer"]
"""What a route does, given the shop and the request."""


class RestError(Exception):
    """An error as WordPress shows it: `code`, `message`, HTTP `status` and the body's `data`."""

    def __init__(self, code: str, message: str, status: int, **data: Any) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.data: Any = {"status": status, **data}

    @classmethod
    def bare(cls, code: str, message: str, number: int) -> RestError:
        """An error whose `data` is a bare number, which WordPress therefore sends with HTTP 500."""
        error = cls(code, message, 500)
        error.data = number
        return error

    @property
    def body(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "data": self.data}


@dataclass
class Answer:
    """What a handler answers. `links` become the body's `_links`, after `_fields` has chosen."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    links: Links = field(default_factory=dict)

    @classmethod
    def of(cls, error: RestError) -> Answer:
        return cls(error.body, error.status)

    @property
    def is_error(self) -> bool:
        return self.status >= 400


@dataclass(frozen=True)
class Endpoint:
    """Methods of a route with their handler, the schemas of their arguments, and the capability they need.

    `action` names the capability (see site.REFUSALS); None means that everybody may.
    """

    methods: tuple[str, ...]
    handler: Handler
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    action: str | None = None

    def serves(self, method: str) -> bool:
        return ("GET" if method == "HEAD" else method) in self.methods


@dataclass(frozen=True)
class Route:
    """A path pattern as WordPress registers it, such as `/wc/v3/orders/(?P<id>[\\d]+)`, and its endpoints."""

    pattern: str
    endpoints: tuple[Endpoint, ...]

    def matches(self, path: str) -> dict[str, str] | None:
        found = re.fullmatch(self.pattern, path, re.IGNORECASE)
        return None if found is None else found.groupdict()

    @property
    def methods(self) -> list[str]:
        return [method for endpoint in self.endpoints for method in endpoint.methods]


@dataclass
class RestRequest:
    """One request. Parameters are looked up in JSON, form, query, path and defaults, in this order; null is absent."""

    method: str
    path: str
    home: str
    query: dict[str, Any]
    form: dict[str, Any] = field(default_factory=dict)
    json: dict[str, Any] = field(default_factory=dict)
    in_path: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    allowed: list[str] = field(default_factory=list)

    def _source(self, name: str) -> dict[str, Any] | None:
        form = self.form if self.method in BODY_METHODS else {}
        sources = (self.json, form, self.query, self.in_path, self.defaults)
        return next((source for source in sources if source.get(name) is not None), None)

    def get(self, name: str) -> Any:
        """The parameter's value, or None."""
        source = self._source(name)
        return None if source is None else source[name]

    def replace(self, name: str, value: Any) -> None:
        """Put a sanitised value where the parameter was found."""
        source = self._source(name)
        if source is not None:
            source[name] = value

    def number(self, name: str) -> int:
        """The parameter as PHP's `(int)` reads it: 0 when it is absent or no number."""
        return php_int(self.get(name))

    def url(self, path: str) -> str:
        """The address of a REST path, such as `/wc/v3/orders`."""
        return f"{self.home}/wp-json{path}"

    def links(self, item: str, collection: str, **others: str) -> Links:
        """`_links` of an item: itself (with the methods that its caller may use), its collection, others."""
        self_link = {"href": self.url(item), "targetHints": {"allow": self.allowed}}
        more = {name: [{"href": self.url(path)}] for name, path in others.items()}
        return {"self": [self_link], "collection": [{"href": self.url(collection)}], **more}


def php_int(value: Any) -> int:
    """What PHP's `(int)` makes of a value: its leading digits, else 0."""
    found = re.match(r"\s*[+-]?\d{1,18}(?!\d)", str(value))
    return int(found.group()) if found else 0


def text_field(text: str) -> str:
    """What WordPress' sanitize_text_field leaves: one line without tags and percent-encoded octets."""
    if "<" in text:
        text = re.sub(r"<(script|style)[^>]*?>.*?</\1>", "", text, flags=re.IGNORECASE | re.DOTALL)
        text = re.sub(r"<[^>]*>", "", re.sub(r"<(?=[^>]*(<|$))", "&lt;", text)).strip()
    text = re.sub(r"[\r\n\t ]+", " ", text).strip()
    while (shorter := re.sub(r"%[a-f0-9]{2}", "", text, flags=re.IGNORECASE)) != text:
        text = re.sub(" +", " ", shorter).strip()
    return text


def php_array(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What PHP makes of name=value pairs: `a[b]` and `a[]` nest, and the last of two equal names wins."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        base, *keys = re.findall(r"^[^\[]+|\[[^\]]*\]", name) or [name]
        place, key = result, re.sub(r"[ .]", "_", base.lstrip(" "))
        for step in keys:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
            key = step[1:-1] or str(len(place))
        place[key] = value
    return {key: _as_list(value) for key, value in result.items()}


def _as_list(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    nested = {key: _as_list(item) for key, item in value.items()}
    return list(nested.values()) if list(nested) == [str(index) for index in range(len(nested))] else nested


def flattened(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The name=value pairs that `php_array` reads back: `{"a": ["x"]}` is `[("a[0]", "x")]`."""
    pairs = []
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            pairs += flattened({f"{name}[{key}]": item for key, item in value.items()})
        elif isinstance(value, list):
            pairs += flattened({f"{name}[{index}]": item for index, item in enumerate(value)})
        else:
            pairs.append((name, str(value)))
    return pairs


def query_string(parameters: Mapping[str, Any]) -> str:
    """PHP's http_build_query, as paging links show it."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in flattened(parameters))
