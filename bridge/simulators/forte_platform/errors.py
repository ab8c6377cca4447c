"""Forte's errors: a code, a sentence, and one table of HTTP statuses.

The body's members and the codes are those of Forte's public SDK. Which status goes with which code is not documented
(a client branches on the code), nor is what `forteExceptionType` holds: both are this simulator's choice.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]

NOT_FOUND = "NOT_FOUND"
METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
_WITHOUT_CODE = frozenset({NOT_FOUND, METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE})
INVALID = "REQUEST_VALIDATION_FAILED"

STATUSES: Mapping[str, int] = MappingProxyType(
    {
        NOT_FOUND: 404,
        METHOD_NOT_ALLOWED: 405,
        UNSUPPORTED_MEDIA_TYPE: 415,
        INVALID: 400,
        "NO_AUTHORIZATION_CREDENTIAL": 401,
        "INSUFFICIENT_PERMISSIONS": 403,
        "ACCOUNT_SUSPENDED": 403,
        "ACCOUNT_BILLING_SUSPENDED": 403,
        "USER_SUSPENDED": 403,
        "USER_NOT_ACTIVE": 403,
        "USER_FILTER_INVALID": 400,
        "INVALID_PAGINATION_TOKEN": 400,
        "INVALID_PAGINATION_TIME_PARAMS": 400,
        "COMPLIANCE_REGISTRATION_NOT_APPROVED": 403,
        "PAYMENTS_REQUIRE_APPROVED_COMPLIANCE": 403,
        "PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER": 400,
        "PAYMENTS_PROVIDER_REJECTED": 400,
        "PAYMENT_LINE_ITEMS_REQUIRED": 400,
        "PAYMENT_AMOUNT_INVALID": 400,
        "PAYMENT_BELOW_MINIMUM": 400,
        "PAYMENT_CURRENCY_INVALID": 400,
        "PAYMENT_TAX_ADDRESS_INVALID": 400,
        "PAYMENT_TAX_CALCULATION_FAILED": 400,
        "PAYMENT_METADATA_FILTER_INVALID": 400,
        "PAYMENT_METHOD_NOT_FOUND": 404,
        "PAYMENT_ACH_REQUIRES_USD": 400,
        "PAYMENT_OFF_SESSION_METHOD_REQUIRED": 400,
        "PAYMENT_DECLINED": 402,
        "PAYMENT_NOT_REFUNDABLE": 400,
        "PAYMENT_ALREADY_REFUNDED": 400,
        "INVALID_REFUND_AMOUNT": 400,
        "PAYMENT_TRIGGER_TARGET_SERVICE_NOT_FOUND": 404,
        "PAYMENT_TRIGGER_NOT_FOUND": 404,
        "EXTERNAL_API_ERROR": 502,
    }
)
"""The HTTP status of each error. The first three are answers without an `errorCode`: Forte's list has none for them."""


class ForteError(Exception):
    """An answer that is not a success; `code` is a key of STATUSES."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def body(self) -> Json:
        return error_body(self.code, str(self))


def error_body(code: str, message: str) -> Json:
    """The three members of an error, without `errorCode` where Forte has none."""
    named = {} if code in _WITHOUT_CODE else {"errorCode": code}
    return {**named, "message": message, "forteExceptionType": "ForteApiException"}


def injected_error(status: int) -> Json:
    """The body of a fault that `Faults` serves: `Faults(simulator, errors=injected_error)`."""
    return error_body("EXTERNAL_API_ERROR", f"An injected fault: HTTP {status}.")


def invalid(path: str, problem: str) -> ForteError:
    """A field of the request that breaks a limit."""
    return ForteError(INVALID, f"{path}: {problem}")


def not_found(noun: str, identifier: str) -> ForteError:
    return ForteError(NOT_FOUND, f"There is no {noun} {identifier} here.")


def with_statuses(overrides: Mapping[str, int] | None) -> Mapping[str, int]:
    """STATUSES with a caller's own choices. ValueError for a code that is not in the table."""
    unknown = set(overrides or {}) - set(STATUSES)
    if unknown:
        raise ValueError(f"no such error code: {', '.join(sorted(unknown))}")
    return MappingProxyType({**STATUSES, **(overrides or {})})
