"""Hands on a simulator over HTTP, beside `/__sim/faults`, for whoever is on the same machine.

GET `/__sim/requests` shows what was asked of it, POST `/__sim/reset` makes it forget that, POST `/__sim/clock/advance`
puts its clock forward by `seconds`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.wrappers import Request, Response

from .clock import Clock
from .local_calls import read_object, refusal, told

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUESTS, RESET, ADVANCE = "/__sim/requests", "/__sim/reset", "/__sim/clock/advance"
METHODS = {REQUESTS: "GET", RESET: "POST", ADVANCE: "POST"}


class Controlled(Protocol):
    """A simulator that keeps a journal, whose entries are dataclasses without secrets."""

    @property
    def requests(self) -> Sequence[Any]: ...

    def reset(self) -> None:
        """Forget what was asked and what came of it; who may ask, and who is told, stays."""


def with_controls(app: "WSGIApplication", simulator: Controlled, clock: Clock) -> "WSGIApplication":
    """`app`, which leads to the `simulator`, with hands on that and on its `clock`."""

    def controlled(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        if request.path not in METHODS:
            return app(environ, start_response)
        answer = refusal(request, METHODS[request.path]) or _done(simulator, clock, request)
        return answer(environ, start_response)

    return controlled


def _done(simulator: Controlled, clock: Clock, request: Request) -> Response:
    if request.path == REQUESTS:
        return told({"requests": [asdict(entry) for entry in simulator.requests]})
    if request.path == RESET:
        simulator.reset()
        clock.reset()
    else:
        try:
            clock.advance(_seconds(read_object(request)))
        except ValueError as problem:
            return told({"message": str(problem)}, 400)
    return told({"now": clock(), "ahead": clock.ahead})


def _seconds(given: dict[str, Any]) -> float:
    seconds = given.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isfinite(seconds) or seconds < 0:
        raise ValueError("seconds has to be a number, and not below zero.")
    return float(seconds)
