"""Forte's errors, as ours. Pure. It branches on `errorCode`: which HTTP status goes with which is not documented.

Sources: the SDK's type ForteApiException for the codes; the guide "Creating Payments" for the compliance gate.
"""

from bridge.domain.errors import ProviderConfused, ProviderError, ProviderRefused, ProviderUnreachable

NONSENSE = "The payment provider's answer could not be understood."
UNREACHABLE = "Forte could not be reached."
_LONGEST = 500
_BUSY = frozenset({408, 409, 425})
"""Answers to a request that may be done all the same."""

_COMPLIANCE = (
    "compliance_not_approved",
    "This store cannot take live payments yet: Forte has not approved the compliance registration of the project's "
    "owner. The owner has to complete it at Forte.",
)
_KEY = (
    "api_key_refused",
    "Forte refused this store's API key. The settings api_key, project and host have to be checked.",
)
_USER = ("user_not_active", "This customer's Forte user is suspended or deleted and cannot be charged.")
_ACCOUNT = ("account_suspended", "Forte has suspended the account of the project's owner.")
OWNERS: dict[str, tuple[str, str]] = {
    "PAYMENTS_REQUIRE_APPROVED_COMPLIANCE": _COMPLIANCE,
    "COMPLIANCE_REGISTRATION_NOT_APPROVED": _COMPLIANCE,
    "COMPLIANCE_REGISTRATION_NOT_FOUND": _COMPLIANCE,
    "PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER": (
        "payments_not_set_up",
        "Payments are not set up at Forte: the project's owner has to connect Stripe and finish the onboarding.",
    ),
    "NO_AUTHORIZATION_CREDENTIAL": _KEY,
    "INSUFFICIENT_PERMISSIONS": _KEY,
    "USER_SUSPENDED": _USER,
    "USER_NOT_ACTIVE": _USER,
    "ACCOUNT_SUSPENDED": _ACCOUNT,
    "ACCOUNT_BILLING_SUSPENDED": _ACCOUNT,
}
"""What only the owner can fix, not the payer: our word for it and what to tell."""
PLAIN = frozenset(
    {
        *("REQUEST_VALIDATION_FAILED", "PAYMENTS_PROVIDER_REJECTED", "PAYMENT_LINE_ITEMS_REQUIRED"),
        *("PAYMENT_AMOUNT_INVALID", "PAYMENT_TOTAL_INVALID", "PAYMENT_BELOW_MINIMUM", "PAYMENT_CURRENCY_INVALID"),
        *("PAYMENT_TAX_ADDRESS_INVALID", "PAYMENT_TAX_CALCULATION_FAILED", "PAYMENT_METADATA_FILTER_INVALID"),
        *("PAYMENT_METHOD_NOT_FOUND", "PAYMENT_ACH_REQUIRES_USD", "PAYMENT_OFF_SESSION_METHOD_REQUIRED"),
        *("PAYMENT_DECLINED", "COMPLIANCE_REGISTRATION_PAYMENTS_NOT_CONFIGURED"),
        *("PAYMENT_NOT_REFUNDABLE", "PAYMENT_ALREADY_REFUNDED", "INVALID_REFUND_AMOUNT"),
        *("PAYMENT_TRIGGER_TARGET_SERVICE_NOT_FOUND", "PAYMENT_TRIGGER_NOT_FOUND"),
        *("USER_FILTER_INVALID", "INVALID_PAGINATION_TOKEN", "INVALID_PAGINATION_TIME_PARAMS"),
    }
)
"""A refusal of the request itself, in Forte's words, whatever the status."""


def refuse(reason: str, message: str, *, code: str = "", status: int = 0) -> ProviderRefused:
    """A refusal with a stable word for programs."""
    refused = ProviderRefused(f"Error: {message}", code=code or reason, status=status)
    refused.reason = reason
    return refused


def read_refusal(status: int, code: str, message: str) -> ProviderError:
    """What an answer that is not a success means: refused only where Forte cannot have done anything. It says what the
    owner needs to ask Forte about it."""
    error = _meant(status, code, message)
    told = {"provider_status": status, "provider_code": code}
    error.details = {**error.details, **{name: value for name, value in told.items() if value}}
    return error


def _meant(status: int, code: str, message: str) -> ProviderError:
    if code in OWNERS:
        reason, sentence = OWNERS[code]
        return refuse(reason, sentence, code=code, status=status)
    said = message[:_LONGEST] or f"Forte refused the request (HTTP {status})."
    if code in PLAIN:
        return refuse("provider_refused", said, code=code, status=status)
    if status == 429:
        refused = refuse(
            "rate_limited", "Forte has received too many requests. Try again in a moment.", code=code, status=429
        )
        refused.retryable = True
        return refused
    if status >= 500 or status in _BUSY:
        return ProviderUnreachable(f"Forte failed (HTTP {status}).")
    if status in (401, 403):
        reason, sentence = _KEY
        return refuse(reason, sentence, code=code, status=status)
    if 400 <= status < 500:
        return refuse("provider_refused", said, code=code, status=status)
    return ProviderConfused(NONSENSE)


def is_missing(error: ProviderError) -> bool:
    """Whether Forte says that there is no such thing, or no such path."""
    return isinstance(error, ProviderRefused) and error.details.get("status") in (404, 405)
