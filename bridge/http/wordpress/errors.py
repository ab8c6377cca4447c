"""From errors to WordPress' envelope `{code, message, data}`: use-case failures by the table of `failures`, and the
refusals that HTTP itself makes.
"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response
from werkzeug.exceptions import HTTPException, InternalServerError, default_exceptions

from bridge.domain import errors as domain
from bridge.domain import logs
from bridge.http.request_context import RequestContext, current
from bridge.http.settings_protocol import HttpSettings
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.error_table import FAILED, SERVER_ERROR, row_of, status_of

log = logs.logger(__name__)

FORBIDDEN = "Sorry, you are not allowed to do that."
RATE_LIMITED = "Too many credentials were refused. Try again later."
KEY_MALFORMED = "An Idempotency-Key must be 1 to 255 printable ASCII characters, bare or in double quotes."
KEY_REUSED = "The Idempotency-Key was used for another request. Use a new key for a new request."
IN_FLIGHT = "A request with this Idempotency-Key is being processed. Ask again in a moment."
UNAVAILABLE = "The bridge cannot use its database now. Ask again in a moment; nothing is done twice."
NOT_READY = "The bridge has no key or no database yet, or is being upgraded. Ask again later; its log says what to do."
NO_ROUTE = "No route was found matching the URL and request method."
TOLD = (
    *("provider", "decline_code", "outcome", "cause", "attempt_id", "payment_intent", "param"),
    *("provider_status", "provider_code", "provider_request_id"),
)
"""What `data` says of an error besides status, reason and retryable, where the error knows it."""


def too_large_for(limit: int) -> str:
    return f"The request is too large: a body may have {limit // 1024} KB."


_WITH_DATA = ("rest_invalid_type", "rest_invalid_param")
LARGEST_BODY = 256 * 1024
"""Bytes, where a route does not say otherwise."""


class RestError(Exception):
    """A refusal by HTTP itself, before any use case: `code`, status, sentence, and what else belongs into `data`."""

    def __init__(self, code: str, status: int, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.data = {"status": status, **data}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What HTTP itself refuses before a use case. `says` is an example of its sentence."""

    code: str
    status: int
    says: str
    when: str


REFUSALS = (
    Refusal("rest_forbidden", 401, FORBIDDEN, "Without credentials that permit it."),
    Refusal("rest_forbidden", 403, FORBIDDEN, "In the woopayments profile, with a key that may not send money back."),
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
    Refusal("rest_invalid_json", 400, "Invalid JSON body passed.", "A body that is not a JSON object."),
    Refusal(
        "rest_invalid_param",
        400,
        "Invalid parameter(s): payment_intent_id",
        "A parameter of a wrong type, or one that contradicts the address.",
    ),
    Refusal("rest_bad_request", 400, "The request's body cannot be read.", "A body whose chunks are malformed."),
    Refusal("rest_missing_callback_param", 400, "Missing parameter(s): x", "A required parameter is missing or null."),
    Refusal("wcpay_idempotency_key_invalid", 400, KEY_MALFORMED, "An Idempotency-Key that is not valid."),
    Refusal(
        "wcpay_idempotency_key_in_progress",
        409,
        IN_FLIGHT,
        "The same request is being processed. `data.attempt_id` names its try.",
    ),
    Refusal("wcpay_idempotency_key_reused", 422, KEY_REUSED, "An Idempotency-Key with another request than before."),
    Refusal("wcpay_request_too_large", 413, too_large_for(LARGEST_BODY), "A body of more than 256 KB."),
    Refusal("wcpay_rate_limited", 429, RATE_LIMITED, "Too many wrong credentials, requests or declined payments."),
    Refusal(
        "wcpay_database_unavailable", 503, UNAVAILABLE, "The bridge's own database is full, read-only or unreachable."
    ),
    Refusal("wcpay_not_ready", 503, NOT_READY, "The bridge has no key or database yet, or one of another version."),
    Refusal("internal_server_error", 500, FAILED, "A fault of the bridge, or of its configuration."),
)
"""Every refusal before a use case."""


def install(blueprint: Blueprint, settings: HttpSettings, troubles: tuple[type[Exception], ...]) -> None:
    """Answer every exception under this blueprint, also those that the host has pages of its own for.

    `troubles` are those of a database that cannot be used now.
    """

    def use_case_error(error: domain.BridgeError) -> Response:
        return _render_failure(error, settings)

    blueprint.register_error_handler(RestError, _render_refusal)
    blueprint.register_error_handler(domain.BridgeError, use_case_error)
    blueprint.register_error_handler(domain.NotReady, _render_not_ready)
    for trouble in troubles:
        blueprint.register_error_handler(trouble, _render_unavailable)
    blueprint.register_error_handler(Exception, _render_fault)
    for code in default_exceptions:  # a host's handler for a code would beat ours for Exception
        blueprint.register_error_handler(code, _render_http)


def handle_outside(app: Flask) -> None:
    """Let an app that is nothing but the bridge answer in the same way outside the blueprint."""
    app.register_error_handler(Exception, _render_fault)
    for code in default_exceptions:
        app.register_error_handler(code, _render_http)


def _render_refusal(error: RestError) -> Response:
    _note(error)
    retry_after = error.data.get("retry_after")
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return render({"code": error.code, "message": str(error), "data": error.data}, error.status, headers)


def _render_failure(error: domain.BridgeError, settings: HttpSettings) -> Response:
    context = _note(error)
    row = row_of(error, context.failures if context else ())
    if row is None:
        return _render_fault(error)
    status = status_of(error, row, settings)
    code = row.code or error.details.get("code") or SERVER_ERROR
    message = row.says if row.fixed else str(error)
    if row.bare:
        return render({"code": code, "message": prefixed(message), "data": None}, status, row.headers)
    data: dict[str, Any] = {"status": status}
    if not row.silent:
        told = {name: error.details[name] for name in TOLD if error.details.get(name) is not None}
        data |= {"reason": error.reason, "retryable": error.retryable, **told}
    if row.fixed and not row.silent and str(error) != message:
        data["explanation"] = str(error)
    return render({"code": code, "message": message, "data": data}, status, row.headers)


def _note(error: Exception) -> RequestContext | None:
    """Let the current exchange know what went wrong."""
    if context := current():
        context.error = error
    return context


def prefixed(message: str) -> str:
    """As WooPayments hands on what its platform says."""
    return message if message.startswith("Error: ") else f"Error: {message}"


def _render_fault(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return render({"code": "internal_server_error", "message": FAILED, "data": {"status": 500}}, 500)


def _render_not_ready(error: domain.NotReady) -> Response:
    _note(error)
    log.error("the bridge cannot be used: %s", error)
    data = {"status": 503, "reason": error.reason, "retryable": True}
    return render({"code": "wcpay_not_ready", "message": NOT_READY, "data": data}, 503, {"Retry-After": "5"})


def _render_unavailable(error: Exception) -> Response:
    _note(error)
    log.error("the database cannot be used: %s", getattr(error, "orig", None) or error)
    data = {"status": 503, "reason": "database_unavailable", "retryable": True}
    return render(
        {"code": "wcpay_database_unavailable", "message": UNAVAILABLE, "data": data}, 503, {"Retry-After": "5"}
    )


def _render_http(error: HTTPException) -> Response:
    """What Flask, Werkzeug or the host raised. Their texts may be HTML, and are not shown."""
    status, context = error.code or 500, current()
    if isinstance(error, InternalServerError) and error.original_exception is not None:
        return _render_fault(error.original_exception)  # type: ignore[arg-type]
    if status in (404, 405):
        return _render_refusal(no_route())
    if status == 413:
        return _render_refusal(too_large(context.largest_body if context else LARGEST_BODY))
    code = "internal_server_error" if status == 500 else f"rest_{error.name.lower().replace(' ', '_')}"
    retry_after = dict(error.get_headers()).get("Retry-After")
    headers = {"Retry-After": retry_after} if retry_after else {}
    return render({"code": code, "message": f"{error.name}.", "data": {"status": status}}, status, headers)


def forbidden(status: int = 401) -> RestError:
    return RestError("rest_forbidden", status, FORBIDDEN)


def bad_request() -> RestError:
    return RestError("rest_bad_request", 400, "The request's body cannot be read.")


def no_route() -> RestError:
    return RestError("rest_no_route", 404, NO_ROUTE)


def too_large(limit: int = LARGEST_BODY) -> RestError:
    return RestError("wcpay_request_too_large", 413, too_large_for(limit))


def invalid_params(problems: dict[str, tuple[str, str]]) -> RestError:
    """`problems` has a code such as rest_invalid_type and a sentence for each parameter.

    Of WordPress' own refusals only a wrong type has data. Source: WordPress, `rest_validate_value_from_schema`.
    """
    return RestError(
        "rest_invalid_param",
        400,
        f"Invalid parameter(s): {', '.join(problems)}",
        params={name: sentence for name, (_, sentence) in problems.items()},
        details={
            name: {"code": code, "message": sentence, "data": {"param": name} if code in _WITH_DATA else None}
            for name, (code, sentence) in problems.items()
        },
    )


def missing_params(names: list[str]) -> RestError:
    return RestError("rest_missing_callback_param", 400, f"Missing parameter(s): {', '.join(names)}", params=names)
