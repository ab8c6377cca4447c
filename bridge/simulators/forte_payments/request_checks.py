"""What a request has to bring before its endpoint looks at it: credentials, media types, a body of the right shape.

Sources: https://docs.fortepayments.io (obtain access token; create redirect intent: 401, 406, 415).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from werkzeug.wrappers import Request

from .errors import ApiError, Json
from .schema_language import Thing, problems
from .state import State, Visit

Door = Callable[[State, Request], Visit | None]


def anybody(state: State, request: Request) -> None:
    """The token call has its credentials in the body, the hosted page in the address or in the form."""


def merchant(state: State, request: Request) -> None:
    """ApiError 401 unless the request has an access token that is valid now."""
    if state.access.find(_bearer(request)) is None:
        raise ApiError(401, "The access token is missing, wrong or expired.")


def buyer(state: State, request: Request) -> Visit:
    """The visit that the widget's token stands for. ApiError 401 without a valid one."""
    visit = state.widgets.find(_bearer(request))
    if visit is None:
        raise ApiError(401, "The session is over.")
    return visit


def operator(_state: State, request: Request) -> None:
    """ApiError 403 unless the request comes from this machine."""
    if request.remote_addr not in ("127.0.0.1", "::1"):
        raise ApiError(403, "Only for callers on this machine.")


def _bearer(request: Request) -> str:
    given = request.authorization
    return (given.token or "") if given is not None and given.type == "bearer" else ""


def check_accept(request: Request) -> None:
    """ApiError 406 unless the caller takes JSON; nothing said is anything taken."""
    accepted = request.accept_mimetypes
    if accepted and not accepted.quality("application/json"):
        raise ApiError(406, "The answer is application/json.")


def read_body(request: Request, shape: Thing, *, strict: bool, invalid: int) -> Json:
    """The JSON body, of that shape. ApiError 415 for another media type, 400 for what is not JSON, `invalid` for JSON
    of another shape."""
    if request.mimetype != "application/json":
        raise ApiError(415, "The body has to be application/json.")
    try:
        body: Any = json.loads(request.get_data(), parse_constant=_no_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not valid JSON.") from None
    found = list(problems(shape, body, strict=strict))
    if found:
        raise ApiError(invalid, "; ".join(found)[:1000])
    return dict(body)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name appears twice")
    return made
