"""From errors to WordPress' envelope `{code, message, data}`: the one table, and the refusals that HTTP itself makes.

Use-case failures keep their `code` whatever the settings; `ERROR_STATUS=precise` gives them the second status.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response
from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from bridge.domain import errors as domain
from bridge.http.answers import render
from bridge.http.policy import Policy

log = logging.getLogger(__name__)

FAILED = "The request could not be completed because of an internal error."
FORBIDDEN = "Sorry, you are not allowed to do that."
TOO_LARGE = "The request is too large: a body may have 256 KB."
NO_ROUTE = "No route was found matching the URL and request method."
TOLD = ("provider", "decline_code", "outcome", "attempt_id", "payment_intent", "param")
"""What `data` says of an error besides status, reason and retryable, where the error knows it."""


class RestError(Exception):
    """A refusal by HTTP itself, before any use case: `code`, status, sentence, and what else belongs into `data`."""

    def __init__(self, code: str, status: int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.data = {"status": status, **data}


@dataclass(frozen=True, slots=True)
class Row:
    """How a use case's error leaves the house: its code, its status where such failures are 500, and the precise one.

    `says` is an example of its sentence.
    """

    error: type[domain.BridgeError]
    says: str
    precise: int
    code: str = "wcpay_server_error"
    compatible: int = 500
    headers: dict[str, str] = field(default_factory=dict)


CARD_DATA = "Card data must not be sent here. Send the id of a payment method that the provider made of it."
TABLE = (
    Row(domain.CardDataRefused, CARD_DATA, 400, "wcpay_card_data_refused", 400),
    Row(domain.IntentNotFound, "Error: No such payment_intent: 'pi_x'", 404, "resource_missing"),
    Row(domain.OrderNotFound, "Order not found (order_id is missing).", 404),
    Row(domain.InvalidParameter, "abc is not a valid Stripe identifier", 400),
    Row(domain.InvalidAmount, "Invalid number passed. Number 0 needs to be larger than 0", 400),
    Row(domain.AmountNotRepresentable, "The amount 10.005 USD cannot be charged exactly.", 400),
    Row(domain.CurrencyNotSupported, "xxx is not a supported currency for payments.", 400),
    Row(domain.Unsupported, "create is not supported by example.", 400),
    Row(domain.Declined, "Error: Your card was declined.", 402),
    Row(domain.OrderNotPayable, "Order 19 is already paid.", 409),
    Row(domain.OrderLocked, "Order 19 has an authorised payment (pi_x); it cannot be charged again.", 409),
    Row(domain.InProgress, "A payment for this order is being made right now.", 409, headers={"Retry-After": "1"}),
    Row(domain.Refused, "The request cannot be done as it is.", 400),
    Row(domain.OutcomeUnknown, "The payment has no known outcome yet. It is being settled.", 504),
    Row(domain.ProviderUnreachable, "The payment provider could not be reached.", 504),
    Row(domain.ProviderError, "Error: No such customer: 'cus_x'", 502),
    Row(domain.StoreUnreachable, "The store could not be reached.", 504),
    Row(domain.StoreError, "The store answered with an error.", 502),
    Row(domain.BridgeError, FAILED, 500, "internal_server_error"),
)
"""Every use-case error; one that is not named has the row of its nearest ancestor."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What HTTP itself refuses before a use case. `says` is an example of its sentence."""

    code: str
    status: int
    says: str
    when: str


REFUSALS = (
    Refusal("rest_forbidden", 401, FORBIDDEN, "Without credentials that permit it."),
    Refusal(
        "woocommerce_rest_authentication_error",
        401,
        "Consumer secret is invalid.",
        "In the woopayments profile, for credentials or permissions that are wrong.",
    ),
    Refusal(
        "woocommerce_rest_authentication_missing_parameter",
        401,
        "Missing OAuth parameter oauth_nonce",
        "In the woopayments profile, for OAuth with a part missing.",
    ),
    Refusal("rest_no_route", 404, NO_ROUTE, "No such address, or not with this method."),
    Refusal("rest_invalid_json", 400, "Invalid JSON body passed.", "A body that is no JSON object."),
    Refusal(
        "rest_invalid_param",
        400,
        "Invalid parameter(s): payment_intent_id",
        "A parameter of a wrong type, or one that contradicts the address.",
    ),
    Refusal("rest_missing_callback_param", 400, "Missing parameter(s): x", "A required parameter is missing or null."),
    Refusal("wcpay_request_too_large", 413, TOO_LARGE, "A body of more than 256 KB."),
    Refusal("internal_server_error", 500, FAILED, "A fault of the bridge, or of its configuration."),
)
"""Every refusal before a use case."""

_ROWS = {row.error: row for row in TABLE}


def row_of(error: domain.BridgeError) -> Row:
    return next(_ROWS[kind] for kind in type(error).__mro__ if kind in _ROWS)


def status_of(error: domain.BridgeError, policy: Policy) -> int:
    row = row_of(error)
    if policy.error_status != "precise":
        return row.compatible
    if isinstance(error, domain.ProviderRefused) and error.details.get("param"):
        return 400
    return row.precise


def install(blueprint: Blueprint, policy: Policy) -> None:
    """Answer every exception under this blueprint, also those that the host has pages of its own for."""

    def use_case_error(error: domain.BridgeError) -> Response:
        return _render_failure(error, policy)

    blueprint.register_error_handler(RestError, _render_refusal)
    blueprint.register_error_handler(domain.BridgeError, use_case_error)
    blueprint.register_error_handler(Exception, _render_fault)
    for code in default_exceptions:  # a host's handler for a code would beat ours for Exception
        blueprint.register_error_handler(code, _render_http)


def handle_outside(app: Flask) -> None:
    """Let an app that is nothing but the bridge answer in the same way outside the blueprint."""
    app.register_error_handler(Exception, _render_fault)
    for code in default_exceptions:
        app.register_error_handler(code, _render_http)


def _render_refusal(error: RestError) -> Response:
    return render({"code": error.code, "message": str(error), "data": error.data}, error.status)


def _render_failure(error: domain.BridgeError, policy: Policy) -> Response:
    row, status = row_of(error), status_of(error, policy)
    if row.code == "internal_server_error":
        return _render_fault(error)
    if isinstance(error, domain.IntentNotFound):
        return render({"code": row.code, "message": f"Error: {error}", "data": None}, status)
    data: dict[str, Any] = {"status": status}
    if row.code == "wcpay_server_error":
        told = {name: error.details[name] for name in TOLD if error.details.get(name) is not None}
        data |= {"reason": error.reason, "retryable": error.retryable, **told}
    return render({"code": row.code, "message": str(error), "data": data}, status, row.headers)


def _render_fault(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return render({"code": "internal_server_error", "message": FAILED, "data": {"status": 500}}, 500)


def _render_http(error: HTTPException) -> Response:
    """What Flask, Werkzeug or the host raised. Their texts may be HTML, and are not shown."""
    status = error.code or 500
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        return _render_fault(error.original_exception)  # type: ignore[arg-type]
    if status in (404, 405):
        return _render_refusal(no_route())
    if status == 413:
        return _render_refusal(too_large())
    code = "internal_server_error" if status == 500 else f"rest_{error.name.lower().replace(' ', '_')}"
    retry_after = dict(error.get_headers()).get("Retry-After")
    headers = {"Retry-After": retry_after} if retry_after else {}
    return render({"code": code, "message": f"{error.name}.", "data": {"status": status}}, status, headers)


def forbidden() -> RestError:
    return RestError("rest_forbidden", 401, FORBIDDEN)


def no_route() -> RestError:
    return RestError("rest_no_route", 404, NO_ROUTE)


def too_large() -> RestError:
    return RestError("wcpay_request_too_large", 413, TOO_LARGE)


def invalid_params(problems: dict[str, tuple[str, str]]) -> RestError:
    """`problems` has a code such as rest_invalid_type and a sentence for each parameter."""
    return RestError(
        "rest_invalid_param",
        400,
        f"Invalid parameter(s): {', '.join(problems)}",
        params={name: sentence for name, (_, sentence) in problems.items()},
        details={
            name: {"code": code, "message": sentence, "data": {"param": name}}
            for name, (code, sentence) in problems.items()
        },
    )


def missing_params(names: list[str]) -> RestError:
    return RestError("rest_missing_callback_param", 400, f"Missing parameter(s): {', '.join(names)}", params=names)
