"""What may happen between a shop and Forte Platforms, by name, as faults: `POST /__sim/faults {"scenario": ...}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Request

from ..faults import Fault


def _create(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/payments")


def _look_up(request: Request) -> bool:
    """Of payments, one by one or in lists."""
    return request.method == "GET" and "/payments" in request.path


SCENARIOS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "lost_request_before_create": [{"fault": Fault.REFUSED, "match": _create}],
    "lost_response_after_create": [{"fault": Fault.DROPPED, "match": _create}],
    "error_after_create": [{"fault": Fault.PROCESSED_500, "match": _create}],
    "html_after_create": [{"fault": Fault.HTML, "match": _create}],
    "no_look_up": [{"fault": Fault.ERROR_503, "match": _look_up, "times": 5}],
    "lost_response_after_refund": [{"fault": Fault.DROPPED, "match": "/refund"}],
}
