"""The parameters of a request, from wherever they were sent: JSON before form before query, as in WordPress.

Unlike WordPress, none of them overrides a name in the path: one that contradicts it is an error.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from flask import Request
from werkzeug.formparser import FormDataParser

from bridge.domain import logs
from bridge.domain.errors import OrderMissing
from bridge.domain.orders import is_order_id
from bridge.http.wordpress.bodies import Body, kind_of_body
from bridge.http.wordpress.errors import RestError, bad_request, invalid_params
from bridge.http.wordpress.php_input import InvalidJson, decode_json, form_pairs, lists, nest

log = logs.logger(__name__)
_IDENTIFIER = re.compile(r"[\w-]{1,255}", re.ASCII)


def read_body(request: Request, method: str) -> Any:
    """What the body says, parsed; None if it says nothing that counts. Raises RestError."""
    kind = kind_of_body(request, method)
    if kind is Body.JSON:
        return _json(request.get_data())
    if kind is Body.FORM:
        _require_form(request)
        return lists(nest(form_pairs(request.form.items(multi=True))))
    return None


def merge(query: Mapping[str, Any], body: Any, path: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters as one; a list or nothing in the body means none there. Raises RestError for a contradiction."""
    places = [query, body if isinstance(body, dict) else {}]
    contradicted = [
        name for name, value in path.items() for place in places if name in place and not _same(place[name], value)
    ]
    if contradicted:
        raise invalid_params(
            {name: ("rest_invalid_param", f"{name} is not the one in the address.") for name in contradicted}
        )
    return {**query, **places[1]}


def identifier(value: Any) -> str:
    """An id as it was sent; `?`, which nothing has, for what can be none."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else "?"


def order_number(text: str) -> int:
    """Of an order, from an address. Raises OrderMissing for what can be none."""
    if not is_order_id(text) or int(text) == 0:
        raise OrderMissing("Order not found")
    return int(text)


def _require_form(request: Request) -> None:
    """Flask takes a malformed form for an empty one. Raises RestError instead."""
    if request.mimetype != "multipart/form-data" or request.form:
        return
    body = request.get_data()
    try:
        FormDataParser(silent=False).parse(BytesIO(body), request.mimetype, len(body), request.mimetype_params)
    except ValueError as error:
        log.warning("a form could not be read: %s", type(error).__name__)
        raise bad_request() from None


def _json(body: bytes) -> Any:
    try:
        value = decode_json(body)
    except InvalidJson as error:
        raise _invalid_json(error.code, str(error)) from None
    if value is not None and not isinstance(value, (dict, list)):
        raise _invalid_json(0, "A JSON object was expected")
    return value


def _invalid_json(code: int, message: str) -> RestError:
    return RestError(
        "rest_invalid_json", 400, "Invalid JSON body passed.", json_error_code=code, json_error_message=message
    )


def _same(given: Any, in_path: str) -> bool:
    return isinstance(given, (str, int)) and not isinstance(given, bool) and str(given) == in_path
