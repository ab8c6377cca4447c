"""What the simulator was asked, without secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request

HIDDEN = frozenset({"client_secret", "session", "code", "card_number", "password"})
"""Names of fields whose values are never kept."""


@dataclass(frozen=True)
class RequestRecord:
    """A request that was answered at `time` (Unix seconds). `query` holds names only; `body` is the JSON or the form
    with its secrets removed, None for anything else; never a token."""

    time: float
    method: str
    path: str
    query: tuple[str, ...]
    status: int
    body: Any = field(default=None, repr=False)


def record(request: Request, status: int, time: float) -> RequestRecord:
    body: Any = request.form.to_dict() or None
    if request.mimetype == "application/json":
        try:
            body = json.loads(request.get_data())
        except (ValueError, RecursionError):
            body = None
    if isinstance(body, Mapping):
        body = {name: value for name, value in body.items() if name not in HIDDEN}
    return RequestRecord(time, request.method, request.path, tuple(request.args), status, body)
