"""Everything that can go wrong, as one tree. The core does not know HTTP: `bridge.http.wordpress.errors` maps reasons
to codes and statuses.

BridgeError
├── Refused                     the bridge will not do it; nothing was sent, nothing is owed
│   ├── OrderNotFound, OrderNotPayable, OrderLocked
│   ├── InvalidParameter, InvalidAmount, AmountNotRepresentable, CurrencyNotSupported
│   ├── CardDataRefused
│   ├── Unsupported             the adapter cannot express it
│   ├── IntentNotFound, OrderMissing
│   ├── Uncapturable
│   └── RefundRefused
├── CaptureFailed               a capture or a void that the provider did not do
├── Declined                    the payer's side said no, and that is final
├── InProgress                  another request for the same order is running
│   └── AwaitsReconcile         nothing may start until a restored database has been compared
├── OutcomeUnknown              it may or may not have happened; the attempt is resolved later
├── ProviderError               what adapters raise
│   ├── ProviderRefused         the provider answered no; nothing happened there
│   ├── ProviderUnreachable     no answer, or none that can be trusted
│   └── ProviderConfused        an answer that makes no sense
│       └── NotOurs             an answer about another payment, or a different amount
├── EventRefused                a message whose sender is not proven
│   └── EndpointGone            a message to a store that was removed
├── StoreError                  what order books raise
│   ├── StoreUnreachable
│   └── StoreRefused
└── ConfigurationError          the owner has to change something
"""

from collections.abc import Mapping
from typing import Any


class BridgeError(Exception):
    """Base of all. `reason` is a stable word for programs, `str(error)` a sentence for people, without internals."""

    reason = "error"
    retryable = False

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.details: Mapping[str, Any] = details


class Refused(BridgeError):
    """The request cannot be done as it is. Nothing was sent to the provider."""

    reason = "refused"

    def __init__(self, message: str = "", *, reason: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        if reason:
            self.reason = reason


class OrderNotFound(Refused):
    reason = "order_not_found"


class OrderNotPayable(Refused):
    """The order's own state forbids a payment: it is paid, cancelled, refunded or in the trash."""

    reason = "order_not_payable"


class OrderLocked(Refused):
    """Another payment holds the order and cannot be replaced."""

    reason = "order_has_payment"


class InvalidParameter(Refused):
    """A parameter is missing, empty or malformed. `param` names it."""

    reason = "invalid_parameter"

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message, param=param)


class InvalidAmount(Refused):
    reason = "invalid_amount"


class AmountNotRepresentable(Refused):
    """`amount` (a decimal string) has more decimals than `currency`, or than the provider can charge.

    With `is_rounded`, it has lost decimals in the store, nobody knows which.
    """

    reason = "amount_not_representable"

    def __init__(self, amount: str, currency: str, *, is_rounded: bool = False) -> None:
        why = "cannot be charged exactly. Change the order's total"
        if is_rounded:
            why = "was rounded to the decimals of the store's own currency. Change the store's number of decimals"
        super().__init__(
            f"The amount {amount} {currency.upper()} {why}, or let the store round half up (setting rounding=half_up).",
            amount=amount,
            currency=currency.upper(),
        )


class CurrencyNotSupported(Refused):
    reason = "currency_not_supported"

    def __init__(self, currency: str) -> None:
        super().__init__(f"{currency.lower()} is not a supported currency for payments.", currency=currency.upper())


class CardDataRefused(Refused):
    """Somebody sent a card number. It is neither stored nor echoed."""

    reason = "card_data_refused"


class Unsupported(Refused):
    """`operation` cannot be expressed by `adapter`."""

    reason = "not_supported"

    def __init__(self, operation: str, adapter: str) -> None:
        super().__init__(f"{operation} is not supported by {adapter}.", provider=adapter)


class IntentNotFound(Refused):
    reason = "resource_missing"


class OrderMissing(Refused):
    """A route of an order was called for an order that does not exist."""

    reason = "missing_order"


class Uncapturable(Refused):
    """A payment that can be neither captured nor voided now. `reason` tells: refunded, order_mismatch, status."""

    reason = "uncapturable"


class CaptureFailed(BridgeError):
    """It is proven that the provider did not capture or void it. `status` is what it answered, 0 if nothing."""

    reason = "capture_failed"


class RefundRefused(Refused):
    """This refund is not possible: too much, nothing captured, or an amount that cannot be refunded."""

    reason = "refund_refused"


class Declined(BridgeError):
    """The payer's side declined. The order is free again, unless `data.outcome` says otherwise."""

    reason = "declined"


class InProgress(BridgeError):
    """A request for the same order is running right now. `attempt_id` is in the details."""

    reason = "in_progress"
    retryable = True


class AwaitsReconcile(InProgress):
    """The database was restored, or the store is a different one: no money moves until store and provider have been
    compared."""

    reason = "reconcile_first"


class OutcomeUnknown(BridgeError):
    """The provider may or may not have done it. Nothing new starts for the order until the attempt is resolved."""

    reason = "outcome_unknown"
    retryable = True


class ProviderError(BridgeError):
    reason = "provider_error"


class ProviderRefused(ProviderError):
    """The provider refused the request itself (not the payer): bad parameter, unknown customer, wrong key.

    Raise it only where it is proven that nothing was done. `message` is the provider's sentence, fit for the caller.
    """

    reason = "provider_refused"

    def __init__(self, message: str, *, code: str = "", **details: Any) -> None:
        super().__init__(message, code=code, **details)
        self.code = code


class ProviderUnreachable(ProviderError):
    """No answer came, or a 5xx, or the connection broke: the outcome is unknown unless `sent` is False."""

    reason = "provider_unreachable"
    retryable = True

    def __init__(self, message: str = "The payment provider could not be reached.", *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class ProviderConfused(ProviderError):
    """The provider's answer makes no sense (no JSON, no id, another amount): the outcome is unknown."""

    reason = "provider_answer_invalid"
    retryable = True


class NotOurs(ProviderConfused):
    """The provider's answer is about another amount, currency or attempt than ours. All of it is ignored."""

    reason = "provider_answer_differs"
    retryable = False


class EventRefused(BridgeError):
    """A message whose sender is not proven, or that cannot be read. None of it is stored."""

    reason = "event_refused"


class EndpointGone(EventRefused):
    """A message to the endpoint of a store that was removed: whoever sends it may stop."""

    reason = "endpoint_gone"


class StoreError(BridgeError):
    reason = "store_error"


class StoreUnreachable(StoreError):
    reason = "store_unreachable"
    retryable = True


class StoreRefused(StoreError):
    """The store answered with an error. `status` is its HTTP status, `code` its error code."""

    reason = "store_refused"

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message, status=status, code=code)
        self.status = status
        self.code = code


class ConfigurationError(BridgeError):
    """Something that only the owner can fix. `problems` has one sentence each."""

    reason = "configuration"

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NotReady(ConfigurationError):
    """The bridge has no key or no database yet, or one of another version."""

    reason = "not_ready"
    retryable = True
