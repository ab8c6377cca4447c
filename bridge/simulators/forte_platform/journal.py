"""What was asked of the simulator, without secrets: no header, and nothing of what a browser sends to pay."""

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import Json


@dataclass(frozen=True)
class RequestRecord:
    """A request that was answered. `body` is the JSON that it brought, None if there was none or it is secret;
    `error_code` is Forte's, None for a success and for errors that have no code."""

    time: float
    method: str
    path: str
    query: Mapping[str, str]
    body: Json | None
    status: int
    error_code: str | None
