"""WordPress' REST server: authenticate, route, check, run a handler, and answer with all of WordPress' manners.

Knows no route by itself: the table comes from routes.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from .answers import chosen, common_headers, enveloped, to_json, with_links
from .keys import ApiKey, Keys
from .lists import shaped
from .rest_values import Answer, Endpoint, RestError, RestRequest, Route, php_array
from .state import Shop
from .validation import InvalidValueError, cleaned

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NAMESPACE = "wc/v3"
JSON_TYPE = re.compile(r"application/([\w!#$&.+^-]+\+)?json(\+oembed)?", re.IGNORECASE)
JSON_ERRORS = {
    1: "Maximum stack depth exceeded",
    3: "Control character error, possibly incorrectly encoded",
    4: "Syntax error",
    5: "Malformed UTF-8 characters, possibly incorrectly encoded",
}
REFUSALS = {
    "list": ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
    "view": ("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource."),
    "create": ("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources."),
    "edit": ("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."),
    "edit_setting": ("woocommerce_rest_cannot_edit", "Sorry, you cannot edit this resource."),
    "delete": ("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource."),
    "batch": ("woocommerce_rest_cannot_batch", "Sorry, you are not allowed to batch manipulate this resource."),
}
FATAL = {
    "code": "internal_server_error",
    "message": "<p>There has been a critical error on this website.</p>",
    "data": {"status": 500},
    "additional_errors": [],
}


def rest_path(http: Request) -> str | None:
    """The REST route that a request asks for, or None when it asks for a page of the site."""
    path = http.path.removeprefix("/index.php") or "/"
    if path == "/wp-json" or path.startswith("/wp-json/"):
        route = path.removeprefix("/wp-json")
    elif path == "/" and "rest_route" in http.args:
        route = http.args["rest_route"]
    else:
        return None
    return (route[:-1] if route.endswith("/") else route) or "/"


def respond(http: Request, path: str, home: str, shop: Shop, keys: Keys, routes: Sequence[Route]) -> Response:
    """Answer one REST request for `path`; `home` is the site's address without a trailing slash."""
    request = RestRequest(
        method=http.method,
        path=path,
        home=home,
        query=php_array(parse_qsl(http.query_string.decode(errors="replace"), keep_blank_values=True)),
        form=php_array(http.form.items(multi=True)),
    )
    callback = request.query.get("_jsonp")
    if callback is not None and not re.fullmatch(r"[\w.]+", str(callback)):
        body = {"code": "rest_callback_invalid", "message": "Invalid JSONP callback function."}
        return _response(http, request, Answer(body, 400), None, callback=None)
    request.method = str(request.query.get("_method") or http.headers.get("X-HTTP-Method-Override") or http.method)
    request.method = request.method.upper()
    caller = None
    try:
        caller = keys.authenticate(http, request, raw_uri(http))
        if caller is not None:
            caller.check_method(request.method)
        answer = _dispatched(http, request, caller, shop, routes)
    except RestError as error:
        answer = Answer.of(error)
    if not answer.is_error and request.get("_fields") is not None:
        fields = request.get("_fields")
        answer.body = chosen(answer.body, fields if isinstance(fields, list) else re.split(r"[\s,]+", str(fields)))
    if not answer.is_error and path.startswith(f"/{NAMESPACE}/"):
        answer.body = shaped(answer.body, shop.list_shape)
    return _response(http, request, answer, caller, callback)


def raw_uri(http: Request) -> str:
    """The request's path and query before any decoding, as the server got it, mount point included."""
    uri: str = http.environ.get("REQUEST_URI") or http.environ.get("RAW_URI") or http.root_path + http.full_path
    return re.sub(r"^https?://[^/]*", "", uri)


def _response(
    http: Request, request: RestRequest, answer: Answer, caller: ApiKey | None, callback: str | None
) -> Response:
    origin = http.headers.get("Origin")
    headers = common_headers(request.home, origin=origin, known=caller is not None, method=http.method)
    if "_envelope" in request.query:
        answer = enveloped(answer)
    headers |= answer.headers
    text = "" if request.method == "HEAD" else to_json(with_links(answer))
    if callback is not None:
        text = f"/**/{callback}({text})"
    kind = "javascript" if "_jsonp" in request.query else "json"
    return _Verbatim(text, answer.status, headers, content_type=f"application/{kind}; charset=UTF-8")


class _Verbatim(Response):
    """A response whose Location goes out as it is: a refund's holds characters that a URL cannot have."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        if "Location" in self.headers:
            headers["Location"] = self.headers["Location"]
        return headers


def _dispatched(
    http: Request, request: RestRequest, caller: ApiKey | None, shop: Shop, routes: Sequence[Route]
) -> Answer:
    matching = [(route, found) for route in routes if (found := route.matches(request.path)) is not None]
    if request.method == "OPTIONS":
        if not matching:
            return Answer([])
        route, request.in_path = matching[0]
        return _allowing(Answer(described(route)), route, caller)
    for route, found in matching:
        for endpoint in route.endpoints:
            if endpoint.serves(request.method):
                request.in_path = dict(found)
                request.allowed = _allowed(route, caller)
                try:
                    answer = _run(http, request, endpoint, caller, shop)
                except RestError as error:
                    answer = Answer.of(error)
                return _allowing(answer, route, caller)
    raise RestError("rest_no_route", "No route was found matching the URL and request method.", 404)


def _allowed(route: Route, caller: ApiKey | None) -> list[str]:
    endpoints = [endpoint for endpoint in route.endpoints if _may(endpoint, caller)]
    return [method for endpoint in endpoints for method in endpoint.methods]


def _may(endpoint: Endpoint, caller: ApiKey | None) -> bool:
    return endpoint.action is None or (caller is not None and caller.manager)


def _allowing(answer: Answer, route: Route, caller: ApiKey | None) -> Answer:
    methods = _allowed(route, caller)
    if methods:
        answer.headers["Allow"] = ", ".join(methods)
    return answer


def _run(http: Request, request: RestRequest, endpoint: Endpoint, caller: ApiKey | None, shop: Shop) -> Answer:
    body = _json_body(http) if JSON_TYPE.fullmatch(http.mimetype) else None
    if isinstance(body, dict | list):
        request.json = body if isinstance(body, dict) else {str(index): item for index, item in enumerate(body)}
    _check_arguments(request, endpoint)
    if endpoint.action is not None and not _may(endpoint, caller):
        code, message = REFUSALS[endpoint.action]
        raise RestError(code, message, 401 if caller is None else 403)
    answer = endpoint.handler(shop, request)
    if body is not None and not isinstance(body, dict | list):
        return Answer(FATAL, 500)  # PHP dies on a bare value, and only after the work is done
    return answer


def _json_body(http: Request) -> Any:
    raw = http.get_data()
    if not raw:
        return None
    try:
        return json.loads(raw.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError:
        code = 5
    except RecursionError:
        code = 1
    except ValueError as error:
        code = 3 if str(error).startswith("Invalid control character") else 4
    details = {"json_error_code": code, "json_error_message": JSON_ERRORS[code]}
    raise RestError("rest_invalid_json", "Invalid JSON body passed.", 400, **details)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_arguments(request: RestRequest, endpoint: Endpoint) -> None:
    arguments = endpoint.arguments
    request.defaults = {name: schema["default"] for name, schema in arguments.items() if "default" in schema}
    missing = [name for name, schema in arguments.items() if schema.get("required") and request.get(name) is None]
    if missing:
        message = f"Missing parameter(s): {', '.join(missing)}"
        raise RestError("rest_missing_callback_param", message, 400, params=missing)
    invalid: dict[str, InvalidValueError] = {}
    for name, schema in arguments.items():
        value = request.get(name)
        try:
            if value is not None:
                request.replace(name, cleaned(value, schema, name))
        except InvalidValueError as error:
            invalid[name] = error
    if invalid:
        params = {name: error.message for name, error in invalid.items()}
        details = {name: error.details for name, error in invalid.items()}
        message = f"Invalid parameter(s): {', '.join(invalid)}"
        raise RestError("rest_invalid_param", message, 400, params=params, details=details)


def described(route: Route) -> dict[str, Any]:
    """A route as indexes and OPTIONS show it."""
    endpoints = [
        {
            "methods": list(endpoint.methods),
            "args": {
                name: {**schema, "required": bool(schema.get("required"))}
                for name, schema in endpoint.arguments.items()
            },
        }
        for endpoint in route.endpoints
    ]
    namespace = NAMESPACE if route.pattern.startswith(f"/{NAMESPACE}") else ""
    return {"namespace": namespace, "methods": route.methods, "endpoints": endpoints}
