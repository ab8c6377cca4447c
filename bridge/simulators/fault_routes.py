"""`/__sim/faults`: faults that somebody on the same machine arranges over HTTP, for simulators that run by themselves.

GET shows what there is, POST queues one, DELETE forgets the queue.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from .faults import Fault, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/__sim/faults"
NAMES = {fault.name.lower(): fault for fault in Fault}
_TAKEN: dict[str, type | tuple[type, ...]] = {
    "fault": str,
    "times": int,
    "match": str,
    "seconds": (int, float),
    "status": int,
    "body": object,
    "location": str,
}
"""The members of a fault that is queued: those of `Faults.next`."""


def with_routes(faults: Faults) -> "WSGIApplication":
    """The simulator behind `faults`, which can be told of them."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        if request.path != PATH:
            return faults(environ, start_response)
        return _answer(faults, request)(environ, start_response)

    return app


def _answer(faults: Faults, request: Request) -> Response:
    if request.remote_addr not in ("127.0.0.1", "::1"):
        return _told({"message": "Only for callers on this machine."}, 403)
    if request.method == "POST":
        try:
            faults.next(**_read(request))
        except ValueError as problem:
            return _told({"message": str(problem)}, 400)
    elif request.method == "DELETE":
        faults.clear()
    elif request.method != "GET":
        return _told({"message": "GET, POST and DELETE."}, 405)
    served = [{"fault": each.fault.name.lower(), "to": f"{each.method} {each.path}"} for each in faults.injected]
    names = {name: fault.value for name, fault in NAMES.items()}
    return _told({"pending": faults.pending, "served": served, "faults": names})


def _read(request: Request) -> dict[str, Any]:
    """The arguments of `Faults.next`. Raises ValueError with a sentence."""
    if request.mimetype != "application/json":
        raise ValueError("The body has to be application/json.")
    try:
        given = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise ValueError("The body is not valid JSON.") from None
    if not isinstance(given, dict) or str(given.get("fault")) not in NAMES:
        raise ValueError(f"fault has to be one of {', '.join(NAMES)}.")
    for name, value in given.items():
        if name not in _TAKEN:
            raise ValueError(f"There is no {name}; there are {', '.join(_TAKEN)}.")
        if not isinstance(value, _TAKEN[name]) or (isinstance(value, bool) and name != "body"):
            raise ValueError(f"{name} is not what it should be.")
    return {**given, "fault": NAMES[given["fault"]]}


def _told(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")
