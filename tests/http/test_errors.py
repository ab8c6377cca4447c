"""Every error as it leaves the house: its code, status and data, in the compatible and in the precise way."""

from typing import Any

import pytest

from bridge.domain import errors
from bridge.http.errors import TABLE
from tests.http.conftest import BODY, Door, MakeDoor
from tests.plugins.local import INTENTS

FAILURE = "wcpay_server_error"
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
    (errors.CurrencyNotSupported("XXX"), 400, {"reason": "currency_not_supported", "retryable": False}),
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


def test_every_kind_of_error_was_tried() -> None:
    def kinds(error: type[errors.BridgeError]) -> set[type[errors.BridgeError]]:
        return {error}.union(
            *(kinds(child) for child in error.__subclasses__() if child.__module__ == error.__module__)
        )

    elsewhere = {errors.CardDataRefused, errors.IntentNotFound, errors.ConfigurationError}
    abstract = {errors.BridgeError, errors.ProviderError, errors.StoreError}
    assert kinds(errors.BridgeError) - elsewhere - abstract == {type(raised) for raised, _, _ in RAISED}
    assert len({row.error for row in TABLE}) == len(TABLE)


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
    from bridge.payments import stores

    assert door.get(f"{INTENTS}/pi_x").json["code"] == "resource_missing"
    stores.remove(door.bridge.services, door.store.id)
    assert door.get(f"{INTENTS}/pi_x").json["code"] == "rest_forbidden"


def test_a_database_that_is_gone_is_a_fault_in_the_envelope(door: Door) -> None:
    door.bridge.services.database.close()
    path = door.bridge.services.database.url.database
    assert path
    with open(path, "wb") as file:
        file.write(b"no database")
    assert door.get(f"{INTENTS}/pi_x").json == FAULT
    response = door.get("/bridge/v1/health/ready", key=None)
    assert (response.status_code, response.json) == (503, {"status": "unavailable", "database": "unreachable"})
    assert door.get("/bridge/v1/health/live", key=None).json == {"status": "ok"}
