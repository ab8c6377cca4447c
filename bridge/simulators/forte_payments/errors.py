"""Forte Payments' errors: one exception that becomes a JsonErrorResponse.

Source: the schemas JsonErrorResponse and ERR04 of https://docs.fortepayments.io (create redirect intent).
"""

from http import HTTPStatus
from typing import Any

Json = dict[str, Any]


def error_body(status: int, message: str | None = None, code: int | str | None = None) -> Json:
    """A JsonErrorResponse: `status` and `reason` always, `message` and `code` if they are given."""
    reason = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    optional = {"message": message, "code": code}
    given = {name: value for name, value in optional.items() if value is not None}
    return {"error": {"status": status, "reason": reason, **given}}


class ApiError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, message: str | None = None, code: int | str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(status, message, code)


def already_submitted() -> ApiError:
    """The 409 of an intent whose payment has been submitted."""
    return ApiError(409, "The payment was already submitted.", "ERR04")
