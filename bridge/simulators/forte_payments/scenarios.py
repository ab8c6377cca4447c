"""What may happen between a shop and Forte Payments, by name, as faults: `POST /__sim/faults {"scenario": ...}`.

A lost connection is lost twice: whoever sends the same at once again is let down once more.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..faults import Fault
from .errors import error_body

_CREATE, _STATUSES, _TOKEN = "POST /payments/v2/intent", "/payments/statuses", "/oauth2/token"

SCENARIOS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "lost_request_before_create": [{"fault": Fault.REFUSED, "match": _CREATE, "times": 2}],
    "lost_response_after_create": [{"fault": Fault.DROPPED, "match": _CREATE, "times": 2}],
    "error_after_create": [{"fault": Fault.PROCESSED_500, "match": _CREATE}],
    "html_after_create": [{"fault": Fault.HTML, "match": _CREATE}],
    "already_submitted": [
        {"fault": Fault.STATUS, "match": _CREATE, "status": 409, "body": error_body(409, code="ERR04")}
    ],
    "token_refused_once": [{"fault": Fault.STATUS, "match": _CREATE, "status": 401, "body": error_body(401)}],
    "no_token": [{"fault": Fault.ERROR_503, "match": _TOKEN}],
    "no_statuses": [{"fault": Fault.ERROR_503, "match": _STATUSES, "times": 5}],
}
