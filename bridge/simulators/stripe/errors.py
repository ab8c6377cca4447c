"""Stripe's errors: one exception that carries the status and the error object of the answer.

Shapes and codes: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An answer that is not a success. `executed` says that the endpoint had begun its work, so the answer is kept
    for its idempotency key: Stripe does not keep the answers of requests that fail validation.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.error: Json = {"type": kind, "message": message, **(more or {})}
        if code is not None:
            self.error |= {"code": code, "doc_url": f"https://docs.stripe.com/error-codes/{code.replace('_', '-')}"}
        if param is not None:
            self.error["param"] = param


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter that Stripe refuses before it does anything."""
    return ApiError(400, message, code=code, param=param)


def no_such(noun: str, identifier: str, param: str, status: int = 404) -> ApiError:
    """An object that is not there: 404 if the path names it, 400 if a parameter does."""
    return ApiError(status, f"No such {noun}: '{identifier}'", code="resource_missing", param=param)


def unexpected_state(message: str, intent: Json) -> ApiError:
    """What was asked does not fit the intent's status."""
    code = "payment_intent_unexpected_state"
    return ApiError(400, message, code=code, executed=True, more={"payment_intent": deepcopy(intent)})


def card_error(intent: Json) -> ApiError:
    """The payer's side said no: the 402 that tells of an intent's `last_payment_error`."""
    problem = ApiError(402, intent["last_payment_error"]["message"], executed=True)
    problem.error = deepcopy({**intent["last_payment_error"], "payment_intent": intent})
    return problem
