"""What calls below `/__sim/` have in common: they come from this machine, and from no page of another site.

JSON goes in and out.
"""

import json
from typing import Any

from werkzeug.wrappers import Request, Response

HERE = ("127.0.0.1", "::1")


def refusal(request: Request, *methods: str) -> Response | None:
    """The answer to a call that comes from elsewhere, or with a method that there is none for."""
    if request.remote_addr not in HERE:
        return told({"message": "Only for callers on this machine."}, 403)
    if request.headers.get("Origin") not in (None, request.host_url.rstrip("/")):
        return told({"message": "Not for pages of other sites."}, 403)
    if request.method not in methods:
        return told({"message": f"{' and '.join(methods)}."}, 405)
    return None


def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body. Raises ValueError with a sentence."""
    if request.mimetype != "application/json":
        raise ValueError("The body has to be application/json.")
    try:
        given = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise ValueError("The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise ValueError("The body has to be a JSON object.")
    return given


def told(content: object, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")
