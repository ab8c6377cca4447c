"""What a request passes before its operation runs: key, route, project, query and body."""

import hmac
from collections.abc import Mapping

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect
from werkzeug.wrappers import Request

from .errors import INVALID, METHOD_NOT_ALLOWED, NOT_FOUND, UNSUPPORTED_MEDIA_TYPE, ForteError, Json, invalid, not_found
from .routes import Route
from .schema_language import parse
from .state import Project, State


def bearer(request: Request) -> str:
    """The API key that the request brings. ForteError NO_AUTHORIZATION_CREDENTIAL without one."""
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise ForteError("NO_AUTHORIZATION_CREDENTIAL", "Send the project's API key as bearer token.")
    return given.token


def project_of(state: State, key: str, project_id: str) -> Project:
    """The project, if the key is its own. ForteError: INSUFFICIENT_PERMISSIONS for any other key, NOT_FOUND for a known
    key and an unknown project."""
    project = state.projects.get(project_id)
    allowed = list(state.projects.values()) if project is None else [project]
    if not any(hmac.compare_digest(one.api_key.encode(), key.encode()) for one in allowed):
        raise ForteError("INSUFFICIENT_PERMISSIONS", "The API key does not give access to this project.")
    if project is None:
        raise not_found("project", project_id)
    return project


def match(request: Request, routes: Map) -> tuple[Route, Mapping[str, str]]:
    """The route of the request and the ids in its path. ForteError if there is none."""
    try:
        route, ids = routes.bind_to_environ(request.environ).match()
    except MethodNotAllowed as error:
        raise ForteError(METHOD_NOT_ALLOWED, f"Request method '{request.method}' is not supported.") from error
    except (NotFound, RequestRedirect) as error:
        raise ForteError(NOT_FOUND, f"No endpoint {request.method} {request.path}.") from error
    return route, ids


def query(request: Request, route: Route) -> Mapping[str, str]:
    """The query parameters. ForteError REQUEST_VALIDATION_FAILED for one that is not known or comes twice."""
    for name, values in request.args.lists():
        if name not in route.query:
            raise invalid(name, "is not known")
        if len(values) > 1:
            raise invalid(name, "is given more than once")
    return request.args.to_dict()


def body(request: Request, route: Route) -> Json:
    """The checked body, {} for an operation that takes none. ForteError if it is not what the route takes."""
    raw = request.get_data()
    if route.body is None:
        if raw:
            raise ForteError(INVALID, "This operation takes no body.")
        return {}
    if request.mimetype != "application/json":
        raise ForteError(UNSUPPORTED_MEDIA_TYPE, f"Content-Type '{request.mimetype}' is not supported.")
    checked: Json = route.body(parse(raw), "")
    return checked
