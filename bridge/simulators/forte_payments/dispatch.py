"""From a request to its response: find the endpoint, check who asks for what, let it work, and spoil on request."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter
from werkzeug.wrappers import Request, Response

from .answers import json_answer
from .errors import ApiError, Json
from .request_checks import check_accept, read_body
from .routes import Route, build_map
from .state import Call, State

MARK = "forte-a"
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "600",
}

Change = Callable[[Json, int], tuple[Json, int]]


@dataclass
class _Spoiler:
    path: str
    change: Change
    times: int


class Front:
    """Its caller holds the lock."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._map = build_map()
        self._spoilers: list[_Spoiler] = []

    def spoil_next(self, path: str, change: Change, times: int) -> None:
        self._spoilers.append(_Spoiler(path, change, times))

    def respond(self, request: Request, base_url: str) -> Response:
        """Never raises for anything that a caller can do."""
        adapter = self._map.bind_to_environ(request.environ)
        asked = request.headers.get("Access-Control-Request-Method") if request.method == "OPTIONS" else None
        try:
            route, ids = _find(adapter, asked or request.method)
        except ApiError as problem:
            response = json_answer(problem.body, problem.status)
        else:
            if asked and route.shared:
                response = Response(status=204, headers=PREFLIGHT)
            else:
                response = self._run(request, route, ids, base_url)
            if route.shared:
                response.headers["Access-Control-Allow-Origin"] = "*"
        response = self._spoiled(request.path, response)
        response.headers["X-Simulator"] = MARK
        return response

    def _run(self, request: Request, route: Route, ids: dict[str, str], base_url: str) -> Response:
        state = self._state
        try:
            visit = route.door(state, request)
            if route.api:
                check_accept(request)
            strict = state.assumptions.strict
            body = {} if route.body is None else read_body(request, route.body, strict=strict, invalid=route.invalid)
            return route.run(Call(state, request, base_url, ids, body, visit))
        except ApiError as problem:
            return json_answer(problem.body, problem.status)

    def _spoiled(self, path: str, response: Response) -> Response:
        spoiler = next((one for one in self._spoilers if one.path == path), None)
        if spoiler is None or response.mimetype != "application/json":
            return response
        spoiler.times -= 1
        if spoiler.times <= 0:
            self._spoilers.remove(spoiler)
        body, status = spoiler.change(json.loads(response.get_data()), response.status_code)
        changed = json_answer(body, status)
        changed.headers.update({name: value for name, value in response.headers if name.startswith("Access-")})
        return changed


def _find(adapter: MapAdapter, method: str) -> tuple[Route, dict[str, str]]:
    """ApiError 404 for an address that is none, with this method or at all."""
    try:
        route, ids = adapter.match(method=method)
    except (NotFound, MethodNotAllowed) as error:
        raise ApiError(404, "There is no such address.") from error
    return route, {name: str(value) for name, value in ids.items()}
