"""`/__sim/faults`: faults that somebody on the same machine arranges over HTTP, for simulators that run by themselves.

GET shows what there is, POST queues one, or those of a scenario that has a name, DELETE forgets the queue.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from .faults import Fault, Faults
from .local_calls import read_object, refusal, told

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
Scenarios = Mapping[str, Sequence[Mapping[str, Any]]]
"""By name: the faults that make it, each the arguments of `Faults.next`."""


def with_routes(faults: Faults, scenarios: Scenarios | None = None) -> "WSGIApplication":
    """The simulator behind `faults`, which can be told of them one by one, or by the name of a scenario."""
    known = scenarios or {}

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        if request.path != PATH:
            return faults(environ, start_response)
        answer = refusal(request, "GET", "POST", "DELETE") or _answer(faults, known, request)
        return answer(environ, start_response)

    return app


def _answer(faults: Faults, scenarios: Scenarios, request: Request) -> Response:
    if request.method == "POST":
        try:
            for planned in _read(request, scenarios):
                faults.next(**planned)
        except ValueError as problem:
            return told({"message": str(problem)}, 400)
    elif request.method == "DELETE":
        faults.clear()
    served = [{"fault": each.fault.name.lower(), "to": f"{each.method} {each.path}"} for each in faults.injected]
    names = {name: fault.value for name, fault in NAMES.items()}
    return told({"pending": faults.pending, "served": served, "faults": names, "scenarios": sorted(scenarios)})


def _read(request: Request, scenarios: Scenarios) -> Sequence[Mapping[str, Any]]:
    """The arguments of `Faults.next`, once for each fault. Raises ValueError with a sentence."""
    given = read_object(request)
    if "scenario" in given:
        if len(given) > 1 or str(given["scenario"]) not in scenarios:
            raise ValueError(f"scenario stands alone, and is one of {', '.join(sorted(scenarios))}.")
        return scenarios[str(given["scenario"])]
    if str(given.get("fault")) not in NAMES:
        raise ValueError(f"fault has to be one of {', '.join(NAMES)}.")
    for name, value in given.items():
        if name not in _TAKEN:
            raise ValueError(f"There is no {name}; there are {', '.join(_TAKEN)}.")
        if not isinstance(value, _TAKEN[name]) or (isinstance(value, bool) and name != "body"):
            raise ValueError(f"{name} is not what it should be.")
    return [{**given, "fault": NAMES[given["fault"]]}]
