"""From use-case errors to WordPress' `code` and status: the one table, a column for each kind of route.

`ERROR_STATUS=precise` gives a row its second status; codes are the same whatever the settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bridge.domain import errors as domain
from bridge.domain.card_data import CARD_DATA
from bridge.http.settings_protocol import HttpSettings

FAILED = "The request could not be completed because of an internal error."
SERVER_ERROR = "wcpay_server_error"
OF_THE_PROVIDER = ""
"""Instead of a code: the provider's own."""


@dataclass(frozen=True, slots=True)
class Row:
    """How a use case's error leaves the house: its code, its status where such failures are 500, and the precise one.

    `says` is an example of its sentence, or with `fixed` all that it says: the error's own sentence is then in
    `data.explanation`. A row with a `reason` is for errors that give this reason only. A `bare` one has
    `"data": null`, a `silent` one nothing in `data` but the status. `told_status`: the error's details know the
    status, and `compatible` is for those that do not.
    """

    error: type[domain.BridgeError]
    says: str
    precise: int
    code: str = SERVER_ERROR
    compatible: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    fixed: bool = False
    bare: bool = False
    silent: bool = False
    told_status: bool = False

    def fits(self, kind: type[domain.BridgeError], reason: str) -> bool:
        return self.error is kind and self.reason in ("", reason)


Failures = tuple[Row, ...]


def row_of(error: domain.BridgeError, failures: Failures) -> Row | None:
    """The row of the error, else of its nearest ancestor; None for a fault of our own."""
    for kind in type(error).__mro__:
        for row in failures:
            if row.fits(kind, error.reason):
                return row
    return None


def status_of(error: domain.BridgeError, row: Row, settings: HttpSettings) -> int:
    told = error.details.get("status")
    if row.told_status and isinstance(told, int) and 400 <= told < 600 and told not in (401, 403):
        return told  # 401 and 403 are about the bridge's own key, and would be taken for the caller's
    if settings.error_status != "precise":
        return row.compatible
    if isinstance(error, domain.ProviderRefused) and error.details.get("param"):
        return 400
    return row.precise


def _and(base: Iterable[Row], *rows: Row) -> Failures:
    """`rows`, and those of `base` that are about other errors."""
    return rows + tuple(row for row in base if row.error not in {own.error for own in rows})


NO_CARD_DATA = Row(domain.CardDataRefused, CARD_DATA, 400, "wcpay_card_data_refused", 400, silent=True)
NOT_SUPPORTED = Row(domain.Unsupported, "refund is not supported by example.", 501, "wcpay_not_supported", 501)
NO_INTENT = Row(domain.IntentNotFound, "Error: No such payment_intent: 'pi_x'", 404, "resource_missing", bare=True)
OF_THE_STORE = (
    Row(domain.StoreUnreachable, "The store could not be reached.", 504),
    Row(domain.StoreError, "The store answered with an error.", 502),
)
NOT_NOW = (
    Row(domain.InProgress, "A payment for this order is being made right now.", 409, headers={"Retry-After": "1"}),
    Row(domain.OutcomeUnknown, "The payment has no known outcome yet. It is being resolved.", 504),
    Row(
        domain.AwaitsReconcile,
        "No money moves through this store until it has been reconciled.",
        503,
        headers={"Retry-After": "60"},
    ),
)

CREATE: Failures = (
    NO_CARD_DATA,
    Row(domain.OrderNotFound, "Order not found (order_id is missing).", 404),
    Row(domain.InvalidParameter, "abc is not a valid Stripe identifier", 400),
    Row(domain.InvalidAmount, "Invalid number passed. Number 0 needs to be larger than 0", 400),
    Row(domain.AmountNotRepresentable, "The amount 10.005 USD cannot be charged exactly.", 400),
    Row(domain.CurrencyNotSupported, "abc is not a supported currency for payments.", 400),
    Row(domain.Unsupported, "create is not supported by example.", 400),
    Row(domain.Declined, "Error: Your card was declined.", 402),
    Row(domain.OrderNotPayable, "Order 19 is already paid.", 409),
    Row(domain.OrderLocked, "Order 19 has an authorized payment (pi_x); it cannot be charged again.", 409),
    *NOT_NOW,
    Row(domain.Refused, "The request cannot be done as it is.", 400),
    Row(domain.ProviderUnreachable, "The payment provider could not be reached.", 504),
    Row(domain.ProviderError, "Error: No such customer: 'cus_x'", 502),
    *OF_THE_STORE,
)
PREVIEW: Failures = (
    NO_CARD_DATA,
    Row(domain.OrderNotFound, "Order not found", 404),
    Row(domain.InvalidParameter, "A preview needs an order_id, or a cart; the cart has no currency.", 400),
    Row(domain.InvalidAmount, "The total of order 19 is below zero.", 400),
    Row(domain.AmountNotRepresentable, "The amount 10.005 USD cannot be charged exactly.", 400),
    Row(domain.CurrencyNotSupported, "abc is not a supported currency for payments.", 400),
    Row(domain.Refused, "The request cannot be done as it is.", 400),
    Row(domain.ProviderUnreachable, "The payment provider could not be reached.", 504),
    Row(domain.ProviderError, "Error: Payments are not set up at the provider.", 502),
    *OF_THE_STORE,
)
LOOK_UP: Failures = (NO_CARD_DATA, NO_INTENT)
LISTS: Failures = (
    *LOOK_UP,
    Row(domain.InvalidParameter, "Error: Invalid sorting direction: up", 400, "wcpay_bad_request", bare=True),
)
CHARGE: Failures = (
    NO_CARD_DATA,
    Row(domain.IntentNotFound, "Error: No such charge: 'ch_x'", 404, "wcpay_get_charge", bare=True),
)

UNEXPECTED = "Unexpected server error"
ORDER: Failures = (
    NO_CARD_DATA,
    NOT_SUPPORTED,
    Row(domain.OrderMissing, "Order not found", 404, "wcpay_missing_order", 404),
    Row(domain.IntentNotFound, UNEXPECTED, 404, fixed=True),
    Row(domain.OrderNotPayable, "Order 19 is already paid.", 409),
    Row(domain.Refused, UNEXPECTED, 400, fixed=True),
    *NOT_NOW,
    Row(domain.ProviderUnreachable, UNEXPECTED, 504, fixed=True),
    Row(domain.ProviderError, UNEXPECTED, 502, fixed=True),
    *OF_THE_STORE,
)
"""Routes of an order. Whatever WooPayments catches there has this one sentence."""

_UNCAPTURABLE = "wcpay_payment_uncapturable"
TERMINAL = _and(
    ORDER,
    Row(domain.Uncapturable, "The order has another payment.", 409, _UNCAPTURABLE, 409),
)
CAPTURE = _and(
    ORDER,
    Row(
        domain.Uncapturable,
        "Payment cannot be captured for partially or fully refunded orders.",
        400,
        "wcpay_refunded_order_uncapturable",
        400,
        reason="refunded",
    ),
    Row(
        domain.Uncapturable,
        "The payment cannot be captured",
        409,
        "wcpay_intent_order_mismatch",
        409,
        reason="order_mismatch",
    ),
    Row(domain.Uncapturable, "The payment cannot be captured", 409, _UNCAPTURABLE, 409),
    Row(
        domain.CaptureFailed,
        "Payment capture failed to complete with the following message: Unknown error",
        502,
        "wcpay_capture_error",
        502,
        told_status=True,
    ),
)
CANCEL = _and(
    CAPTURE,
    Row(
        domain.CaptureFailed,
        "Payment cancel failed to complete with the following message: Unknown error",
        502,
        "wcpay_cancel_error",
        502,
    ),
)
CUSTOMER = _and(
    ORDER,
    Row(domain.OrderNotPayable, "Invalid order status", 400, "wcpay_invalid_order_status", 400),
)

_NO_REFUND = "The refund amount is not valid."
REFUND_OF_CHARGE: Failures = (
    NO_CARD_DATA,
    NOT_SUPPORTED,
    Row(domain.OrderMissing, "Order not found", 404, "wcpay_missing_order", 404),
    Row(domain.RefundRefused, "Invalid refund amount.", 400, "error", reason="amount_too_large"),
    Row(domain.RefundRefused, _NO_REFUND, 400, "invalid-amount", reason="invalid_amount"),
    Row(domain.RefundRefused, "The store cannot express it.", 400, "invalid-amount", reason="not_representable"),
    Row(domain.RefundRefused, "The payment is disputed.", 409, "wcpay_refund_payment", reason="disputed"),
    Row(domain.RefundRefused, "Not captured yet.", 409, "uncaptured-payment", reason="not_captured"),
    Row(domain.RefundRefused, "Nothing to refund.", 404, "wcpay_edit_order_refund_not_possible", reason="no_payment"),
    Row(domain.RefundRefused, "Another order's.", 409, "wcpay_refund_payment", reason="order_mismatch"),
    Row(domain.RefundRefused, "Error: No such charge: 'ch_x'", 404, "wcpay_refund_payment"),
    *NOT_NOW,
    Row(domain.Refused, "A refund needs the order_id or the charge_id of a payment.", 400, "wcpay_refund_payment"),
    Row(domain.ProviderUnreachable, "The payment provider could not be reached.", 504, "wcpay_refund_payment"),
    Row(domain.ProviderError, "Error: Charge ch_x has already been refunded.", 502, "wcpay_refund_payment"),
    *OF_THE_STORE,
)
REFUND_OF_ORDER = _and(
    REFUND_OF_CHARGE,
    Row(
        domain.ProviderUnreachable,
        "The payment provider could not be reached.",
        504,
        "wcpay_edit_order_refund_failure",
    ),
    Row(domain.ProviderError, "Error: Charge ch_x has already been refunded.", 502, "wcpay_edit_order_refund_failure"),
)
FORWARDED: Failures = (
    NO_CARD_DATA,
    NOT_SUPPORTED,
    Row(domain.ProviderRefused, "Error: Expired API key provided.", 502, OF_THE_PROVIDER),
    Row(domain.ProviderUnreachable, "The payment provider could not be reached.", 504, "wcpay_http_request_failed"),
    Row(domain.ProviderError, "The payment provider's answer could not be understood.", 502),
)
"""Routes that hand on what the provider says."""

MESSAGE: Failures = (
    Row(domain.EndpointGone, "The store was removed.", 410, "wcpay_endpoint_gone", 410, fixed=True, silent=True),
    Row(domain.EventRefused, "The message was not accepted.", 400, "wcpay_event_refused", 400, fixed=True, silent=True),
)
"""Who is not proven learns nothing."""
