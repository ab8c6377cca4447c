"""Every error as it leaves the house: its code, status and data, in the compatible and in the precise way."""

from typing import Any

import pytest

from bridge.domain import errors
from bridge.http.wordpress import error_table
from tests.http.conftest import BODY, Door, MakeDoor
from tests.http.payments import PAYMENTS
from tests.plugins.local import INTENTS

FAILURE = "wcpay_server_error"
INTENT = {"payment_intent_id": "pi_x"}
FAULT = {
    "code": "internal_server_error",
    "message": "The request could not be completed because of an internal error.",
    "data": {"status": 500},
}

# What a use case raises, its precise status, what `data` says beside the status.
RAISED: list[tuple[errors.BridgeError, int, dict[str, Any]]] = [
    (errors.OrderNotFound("Order not found"), 404, {"reason": "order_not_found", "retryable": False}),
    (
        errors.InvalidParameter("customer", "abc is not a valid Stripe identifier"),
        400,
        {"reason": "invalid_parameter", "retryable": False, "param": "customer"},
    ),
    (errors.InvalidAmount("Too little", amount=0), 400, {"reason": "invalid_amount", "retryable": False}),
    (
        errors.AmountNotRepresentable("1.005", "usd"),
        400,
        {"reason": "amount_not_representable", "retryable": False},
    ),
    (errors.CurrencyNotSupported("ABC"), 400, {"reason": "currency_not_supported", "retryable": False}),
    (
        errors.Unsupported("create", "example"),
        400,
        {"reason": "not_supported", "retryable": False, "provider": "example"},
    ),
    (errors.Refused("No.", reason="because"), 400, {"reason": "because", "retryable": False}),
    (
        errors.Declined(
            "Error: No.", decline_code="lost_card", attempt_id="a1", provider="sandbox", code="card_declined"
        ),
        402,
        {
            "reason": "declined",
            "retryable": False,
            "provider": "sandbox",
            "decline_code": "lost_card",
            "attempt_id": "a1",
        },
    ),
    (
        errors.OrderNotPayable("Order 19 is already paid.", reason="order_processing"),
        409,
        {"reason": "order_processing", "retryable": False},
    ),
    (
        errors.OrderLocked("Order 19 is held.", payment_intent="pi_1"),
        409,
        {"reason": "order_has_payment", "retryable": False, "payment_intent": "pi_1"},
    ),
    (
        errors.InProgress("Wait.", attempt_id="a1", outcome="unknown"),
        409,
        {"reason": "in_progress", "retryable": True, "outcome": "unknown", "attempt_id": "a1"},
    ),
    (
        errors.OutcomeUnknown("Who knows.", attempt_id="a1", outcome="unknown"),
        504,
        {"reason": "outcome_unknown", "retryable": True, "outcome": "unknown", "attempt_id": "a1"},
    ),
    (
        errors.ProviderRefused("Error: No such customer", code="resource_missing", param="customer"),
        400,
        {"reason": "provider_refused", "retryable": False, "param": "customer"},
    ),
    (errors.ProviderRefused("Error: No", code="x"), 502, {"reason": "provider_refused", "retryable": False}),
    (errors.ProviderUnreachable(), 504, {"reason": "provider_unreachable", "retryable": True}),
    (errors.ProviderConfused("What?"), 502, {"reason": "provider_answer_invalid", "retryable": True}),
    (errors.StoreUnreachable("The store is away."), 504, {"reason": "store_unreachable", "retryable": True}),
    (errors.StoreRefused("The store said no.", status=403), 502, {"reason": "store_refused", "retryable": False}),
]


@pytest.mark.parametrize(("raised", "precise", "data"), RAISED, ids=lambda value: type(value).__name__)
def test_a_failure_of_create_has_one_code_and_a_status_as_compatible_or_as_precise_as_set(
    make_door: MakeDoor, raised: errors.BridgeError, precise: int, data: dict[str, Any]
) -> None:
    for settings, status in (
        ({}, 500),
        ({"compat": "woopayments"}, 500),
        ({"error_status": "precise"}, precise),
        ({"error_status": "precise", "compat": "woopayments"}, precise),
    ):
        door = make_door(**settings)
        door.shelf.raises = raised
        response = door.create()
        assert response.status_code == status
        assert response.json == {"code": FAILURE, "message": str(raised), "data": {"status": status, **data}}
        assert response.headers.get("Retry-After") == ("1" if isinstance(raised, errors.InProgress) else None)


UNEXPECTED = "Unexpected server error"
MISSING = (404, 404, "wcpay_missing_order")
UNCAPTURABLE = (409, 409, "wcpay_payment_uncapturable")
OF_ORDERS: list[tuple[errors.BridgeError, int, int, str, str | None]] = [
    (errors.OrderMissing("Order not found"), *MISSING, None),
    (errors.OrderNotFound("Order not found"), *MISSING, None),
    (errors.IntentNotFound("No such payment_intent: 'pi_x'"), 500, 404, FAILURE, UNEXPECTED),
    (errors.InvalidParameter("metadata", "No."), 500, 400, FAILURE, UNEXPECTED),
    (errors.AmountNotRepresentable("1.005", "usd"), 500, 400, FAILURE, UNEXPECTED),
    (errors.ProviderRefused("Error: No", code="x"), 500, 502, FAILURE, UNEXPECTED),
    (errors.ProviderUnreachable(), 500, 504, FAILURE, UNEXPECTED),
    (errors.ProviderConfused("What?"), 500, 502, FAILURE, UNEXPECTED),
    (errors.StoreUnreachable("The store is away."), 500, 504, FAILURE, None),
    (errors.StoreRefused("The store said no.", status=403), 500, 502, FAILURE, None),
    (errors.InProgress("Wait.", attempt_id="a1", outcome="unknown"), 500, 409, FAILURE, None),
    (errors.OutcomeUnknown("Who knows.", attempt_id="a1", outcome="unknown"), 500, 504, FAILURE, None),
    (errors.Unsupported("capture", "example"), 501, 501, "wcpay_not_supported", None),
]
REFUNDED, MISMATCH = "wcpay_refunded_order_uncapturable", "wcpay_intent_order_mismatch"
OF_CAPTURES = [
    *OF_ORDERS,
    (errors.Uncapturable("Refunded.", reason="refunded"), 400, 400, REFUNDED, None),
    (errors.Uncapturable("Another.", reason="order_mismatch"), 409, 409, MISMATCH, None),
    (errors.Uncapturable("Too late.", reason="status"), *UNCAPTURABLE, None),
]
ROUTES: dict[str, list[tuple[errors.BridgeError, int, int, str, str | None]]] = {
    "capture_authorization": [
        *OF_CAPTURES,
        (errors.CaptureFailed("No.", status=402), 402, 402, "wcpay_capture_error", None),
        (errors.CaptureFailed("No.", status=0), 502, 502, "wcpay_capture_error", None),
        (errors.CaptureFailed("No.", status=200), 502, 502, "wcpay_capture_error", None),
        (errors.CaptureFailed("No.", status=401), 502, 502, "wcpay_capture_error", None),
        (errors.CaptureFailed("No."), 502, 502, "wcpay_capture_error", None),
    ],
    "capture_terminal_payment": [
        *OF_CAPTURES,
        (errors.CaptureFailed("No.", status=400), 400, 400, "wcpay_capture_error", None),
    ],
    "cancel_authorization": [
        *OF_CAPTURES,
        (errors.CaptureFailed("No.", status=402), 502, 502, "wcpay_cancel_error", None),
    ],
    "create_terminal_intent": [
        *OF_ORDERS,
        (errors.Uncapturable("Another.", reason="order_has_payment"), *UNCAPTURABLE, None),
        (errors.OrderNotPayable("Order 19 is paid.", reason="order_processing"), 500, 409, FAILURE, None),
    ],
    "create_customer": [
        *OF_ORDERS,
        (
            errors.OrderNotPayable("Invalid order status", reason="invalid_order_status"),
            400,
            400,
            "wcpay_invalid_order_status",
            None,
        ),
    ],
}


@pytest.mark.parametrize("error_status", ["compatible", "precise"])
@pytest.mark.parametrize("route", ROUTES)
def test_failures_of_the_routes_of_an_order_have_woopayments_codes(
    make_door: MakeDoor, route: str, error_status: str
) -> None:
    door = make_door(error_status=error_status)
    for raised, compatible, precise, code, message in ROUTES[route]:
        door.shelf.raises = raised
        answer = door.post(f"{PAYMENTS}/orders/19/{route}", json=INTENT)
        status = precise if error_status == "precise" else compatible
        assert (answer.status_code, answer.json["code"]) == (status, code), raised
        assert answer.json["message"] == (message or str(raised))
        data = answer.json["data"]
        reason = "missing_order" if code == MISSING[2] else raised.reason
        assert (data["status"], data["reason"], data["retryable"]) == (status, reason, raised.retryable)
        assert data.get("explanation") == (str(raised) if message else None)
        assert data.get("attempt_id") == raised.details.get("attempt_id")


OF_REFUNDS: list[tuple[errors.BridgeError, int, int, str]] = [
    (errors.RefundRefused("Too much.", reason="amount_too_large"), 500, 400, "error"),
    (errors.RefundRefused("No sum.", reason="invalid_amount"), 500, 400, "invalid-amount"),
    (errors.RefundRefused("Half a cent.", reason="not_representable"), 500, 400, "invalid-amount"),
    (errors.RefundRefused("Not captured.", reason="not_captured"), 500, 409, "uncaptured-payment"),
    (errors.RefundRefused("Nothing.", reason="no_payment"), 500, 404, "wcpay_edit_order_refund_not_possible"),
    (errors.RefundRefused("No such charge."), 500, 404, "wcpay_refund_payment"),
    (errors.InvalidParameter("order_id", "No."), 500, 400, "wcpay_refund_payment"),
    (errors.OrderMissing("Order not found"), 404, 404, "wcpay_missing_order"),
    (errors.ProviderRefused("Error: No.", code="x"), 500, 502, "wcpay_edit_order_refund_failure"),
    (errors.ProviderUnreachable(), 500, 504, "wcpay_edit_order_refund_failure"),
    (errors.OutcomeUnknown("Who knows.", attempt_id="a1", outcome="unknown"), 500, 504, FAILURE),
    (errors.StoreUnreachable("The store is away."), 500, 504, FAILURE),
    (errors.Unsupported("refund", "example"), 501, 501, "wcpay_not_supported"),
]


@pytest.mark.parametrize("error_status", ["compatible", "precise"])
def test_failures_of_a_refund_have_woopayments_codes(make_door: MakeDoor, error_status: str) -> None:
    door = make_door(error_status=error_status)
    door.create()
    for raised, compatible, precise, code in OF_REFUNDS:
        door.shelf.raises = raised
        answer = door.post(f"{PAYMENTS}/refund", json={"order_id": 19, "amount": 1})
        status = precise if error_status == "precise" else compatible
        assert (answer.status_code, answer.json["code"], answer.json["message"]) == (status, code, str(raised))
        assert answer.json["data"]["reason"] == raised.reason


@pytest.mark.parametrize(("error_status", "status"), [("compatible", 500), ("precise", 404)])
def test_a_missing_charge_has_no_data(make_door: MakeDoor, error_status: str, status: int) -> None:
    answer = make_door(error_status=error_status).get(f"{PAYMENTS}/charges/ch_x")
    assert (answer.status_code, answer.json) == (
        status,
        {"code": "wcpay_get_charge", "message": "Error: No such charge: 'ch_x'", "data": None},
    )


def test_every_kind_of_error_is_in_a_table() -> None:
    def kinds(error: type[errors.BridgeError]) -> set[type[errors.BridgeError]]:
        return {error}.union(
            *(kinds(child) for child in error.__subclasses__() if child.__module__ == error.__module__)
        )

    tables = [table for name, table in vars(error_table).items() if name.isupper() and isinstance(table, tuple)]
    rows = {row.error for table in tables for row in table}
    abstract_or_own = {errors.BridgeError, errors.StoreRefused, errors.ProviderConfused, errors.ConfigurationError}
    abstract_or_own |= {errors.NotOurs, errors.NotReady}
    assert kinds(errors.BridgeError) - abstract_or_own == rows
    for table in tables:
        assert len({(row.error, row.reason) for row in table}) == len(table)


@pytest.mark.parametrize(("error_status", "status"), [("compatible", 500), ("precise", 404)])
def test_a_missing_intent_has_no_data(make_door: MakeDoor, error_status: str, status: int) -> None:
    response = make_door(error_status=error_status).get(f"{INTENTS}/pi_x")
    assert response.status_code == status
    assert response.data == (
        b'{"code":"resource_missing","message":"Error: No such payment_intent: \'pi_x\'","data":null}'
    )


@pytest.mark.parametrize("raised", [RuntimeError("secret detail"), errors.ConfigurationError("secret detail")])
def test_a_fault_of_our_own_is_logged_and_not_told(
    make_door: MakeDoor, caplog: pytest.LogCaptureFixture, raised: Exception
) -> None:
    door = make_door()
    for config in (
        {},
        {"TESTING": True},
        {"DEBUG": True},
        {"PROPAGATE_EXCEPTIONS": True},
        {"TRAP_HTTP_EXCEPTIONS": True},
    ):
        door.app.config.update(config)
        door.shelf.raises = raised
        response = door.create()
        assert (response.status_code, response.json) == (500, FAULT)
        assert door.post(f"{INTENTS}/x", json=BODY).json["code"] == "rest_no_route"
    assert "secret detail" in caplog.text


def test_a_store_that_was_removed_takes_its_keys_with_it(door: Door) -> None:
    from bridge.registry import stores

    assert door.get(f"{INTENTS}/pi_x").json["code"] == "resource_missing"
    stores.remove(door.bridge.services, door.store.id)
    assert door.get(f"{INTENTS}/pi_x").json["code"] == "rest_forbidden"


def test_a_database_that_cannot_be_opened_is_told_in_the_envelope(door: Door) -> None:
    door.bridge.services.database.close()
    path = door.bridge.services.database.url.database
    assert path
    with open(path, "wb") as file:
        file.write(b"no database")
    told = door.get(f"{INTENTS}/pi_x")
    assert (told.status_code, told.json["code"], told.json["data"]["retryable"]) == (503, "wcpay_not_ready", True)
    assert str(path) not in told.text
    response = door.get("/bridge/v1/health/ready", key=None)
    assert (response.status_code, response.json) == (503, {"status": "unavailable", "database": "unreachable"})
    assert door.get("/bridge/v1/health/live", key=None).json == {"status": "ok"}
