"""One reply of Forte's, and what one that is not a success means in the adapter's contract.

Source: docs.fortepayments.io, `createRedirectV2`: JsonErrorResponse, ERR04.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from bridge.domain.errors import BridgeError, ProviderConfused, ProviderRefused, ProviderUnreachable
from bridge.schemas.forte_payments import Answer, ErrorAnswer

UNREACHABLE = "Forte could not be reached."
NONSENSE = "The payment provider's answer could not be understood."
BAD_CREDENTIALS = "Forte refused this store's client_id and client_secret."
SUBMITTED = "ERR04"
"""The payment was submitted before, under the same key."""
_LONGEST = 500
_ERROR = ErrorAnswer()
Problem = TypeVar("Problem", bound=BridgeError)


@dataclass(frozen=True)
class Reply:
    """`doubtful`: an earlier try of the same request may have arrived too. `request_id` is Forte's own name of it."""

    status: int
    content: bytes = field(repr=False)
    request_id: str = ""
    doubtful: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def value(self) -> Any:
        """The JSON, parsed once. Raises ValueError for what is not JSON."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("The JSON is nested too deeply.") from None


class Conflict(ProviderConfused):
    """Forte has a payment under this key that is past being created (HTTP 409). It is looked up, never made again."""

    reason = "payment_already_submitted"
    retryable = False


def read(answer: Answer, reply: Reply) -> dict[str, Any]:
    """The body of a success. Raises ProviderConfused, which says nothing of what the body was."""
    try:
        return answer.read(reply.value)
    except ValueError:
        raise told(ProviderConfused(NONSENSE), reply) from None


def error_of(reply: Reply) -> BridgeError:
    """What to raise: refused only where nothing can have been done, now or by an earlier try of the same request."""
    status = reply.status
    if status >= 500 or status == 408:
        return told(ProviderUnreachable(f"Forte failed (HTTP {status})."), reply)
    code, sentence = _explained(reply)
    if status == 409:
        words = "Forte says that this payment was already submitted." if code == SUBMITTED else sentence
        return told(Conflict(words or "Forte already has this payment."), reply, code)
    if reply.doubtful:
        return told(ProviderUnreachable(UNREACHABLE), reply, code)
    if status == 429:
        error = told(
            ProviderRefused("Error: Forte has received too many requests. Try again in a moment.", code="429"), reply
        )
        error.retryable = True
        return error
    if status == 401:
        return told(ProviderRefused(f"Error: {BAD_CREDENTIALS}", code="unauthorized"), reply)
    if not 400 <= status < 500 or sentence is None:
        return told(ProviderConfused(NONSENSE), reply)
    return told(ProviderRefused(f"Error: {sentence}", code=code or str(status)), reply, code)


def told(error: Problem, reply: Reply, code: str = "") -> Problem:
    """The error with what the owner needs to ask Forte about it."""
    known = {"provider_status": reply.status, "provider_code": code, "provider_request_id": reply.request_id}
    error.details = {**error.details, **{name: value for name, value in known.items() if value}}
    return error


def _explained(reply: Reply) -> tuple[str, str | None]:
    """Forte's code, and its sentence for people; None if this is not an error of Forte's making."""
    try:
        error = _ERROR.read(reply.value)["error"]
    except ValueError:
        return "", None
    return error["code"], (error["message"] or error["reason"] or f"HTTP {reply.status}")[:_LONGEST]
