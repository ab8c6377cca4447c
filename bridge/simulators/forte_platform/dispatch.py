"""Answers HTTP: the API's operations, the operator's routes and a browser's calls; keeps the journal of requests.

What the operations do is in the modules beside it.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from ..elements import Elements, serves
from . import control_api, request_checks
from .browser import payable
from .errors import ForteError, Json
from .journal import RequestRecord
from .lifecycle import sweep
from .state import Call, State, as_in_may

logger = logging.getLogger(__name__)


Change = Callable[[Json, int], tuple[Json, int]]
"""Makes another JSON body and status of an answer's."""


@dataclass
class Mischief:
    """What the next `times` API requests meet that have `match` in "METHOD /path": an error `code` instead of being
    processed, or a `change` of their answer afterwards."""

    match: str
    times: int
    code: str | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Manners:
    """The version of the API, and what is not documented and so was chosen when the simulator was made."""

    version: str
    statuses: Mapping[str, int]
    routes: Map
    page_size: int
    triggers_on_refund: bool


class Front:
    """The HTTP side of one simulator. `hands` is what the operator's routes work with."""

    def __init__(self, state: State, manners: Manners, hands: control_api.Hands) -> None:
        self._state = state
        self._manners = manners
        self._hands = hands
        self.mischief: list[Mischief] = []
        self.requests: list[RequestRecord] = []

    def respond(self, request: Request) -> Response:
        """The answer to a request, which is journalled. Marked as a simulator's."""
        code = None
        try:
            if serves(request.path):
                response = Response.from_app(Elements(partial(payable, self._state)), request.environ, buffered=True)
            elif request.path.startswith(control_api.PREFIX):
                response = _json(control_api.operate(self._hands, request), 200)
            else:
                response = self._api(request)
        except ForteError as problem:
            code = problem.body.get("errorCode")
            response = _json(problem.body, self._manners.statuses[problem.code])
        response.headers["X-Simulator"] = "forte-b"
        self._keep(request, response.status_code, code)
        return response

    def _api(self, request: Request) -> Response:
        key = request_checks.bearer(request)
        planned = self._planned(request)
        if planned.code is not None:
            raise ForteError(planned.code, "The simulator was told to refuse this.")
        answer = self._run(request, key)
        if answer is None:
            return Response(status=200)
        return _json(answer, 200) if planned.change is None else _json(*planned.change(answer, 200))

    def _run(self, request: Request, key: str) -> Any:
        route, ids = request_checks.match(request, self._manners.routes)
        with self._state.lock:
            project = request_checks.project_of(self._state, key, ids["project"])
            query, body = request_checks.query(request, route), request_checks.body(request, route)
            sweep(self._state)
            call = Call(
                self._state,
                project,
                ids,
                query,
                body,
                page_size=self._manners.page_size,
                triggers_on_refund=self._manners.triggers_on_refund,
            )
            answer = route.run(call)
            return answer if self._manners.version == "2026-08" else as_in_may(answer)

    def _planned(self, request: Request) -> Mischief:
        line = f"{request.method} {request.path}"
        with self._state.lock:
            found = next((one for one in self.mischief if one.times and one.match in line), Mischief("", 1))
            found.times -= 1
            return found

    def _keep(self, request: Request, status: int, code: str | None) -> None:
        body = None if serves(request.path) else _readable(request)
        query = request.args.to_dict()
        with self._state.changed:
            moment = self._state.clock()
            self.requests.append(RequestRecord(moment, request.method, request.path, query, body, status, code))
            self._state.changed.notify_all()


def _readable(request: Request) -> Json | None:
    with suppress(ValueError, RecursionError):
        content = json.loads(request.get_data())
        return content if isinstance(content, dict) else None
    return None


def _json(content: object, status: int) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
