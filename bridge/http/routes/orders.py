"""`/wp-json/wc/v3/payments/orders/{order_id}/...`: capture, void, customer, and what a card reader needs."""

from typing import Any

from bridge.domain.intents import PaymentIntent
from bridge.http.idempotency import begun_attempt, fresh_attempt
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import CANCEL, CAPTURE, CUSTOMER, TERMINAL
from bridge.http.wordpress.parameters import identifier, order_number
from bridge.http.wordpress.request_pipeline import authorised
from bridge.payments import captures, customers, terminal
from bridge.schemas.woopayments_orders import Capture, Concluded, Intent, Named, TerminalIntent
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/orders/<order_id>"
AUTHORIZATIONS, IN_PERSON = ["Authorizations"], ["In-person payments"]
EXAMPLE = {"payment_intent_id": "pi_4NxlPtR3eYmZSVZP0PPpwee8"}


def add_routes(blueprint: Blueprint, services: Services) -> None:
    _add_captures(blueprint, services)
    _add_terminal(blueprint, services)

    @blueprint.route(f"{PATH}/create_customer", methods=["POST"], tags=["Customers"], failures=CUSTOMER, once=True)
    @blueprint.doc(summary="Create or update the provider's customer of an order", operationId="createCustomer")
    @blueprint.response(200, Named, as_is=True, description="The provider's id of the order's shopper.")
    def create_customer(order_id: str) -> dict[str, Any]:
        return {"id": customers.create_customer(authorised(services), order_number(order_id))}


def _add_captures(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(
        f"{PATH}/capture_authorization", methods=["POST"], tags=AUTHORIZATIONS, failures=CAPTURE, once=True
    )
    @blueprint.arguments(Capture, example=EXAMPLE)
    @blueprint.doc(summary="Capture an authorization", operationId="captureAuthorization")
    @blueprint.response(200, Concluded, as_is=True, description="It was captured, now or before.")
    def capture_authorization(parameters: dict[str, Any], order_id: str) -> dict[str, Any]:
        """Takes the order's total as it is now, or less; what is left of the authorisation is released."""
        intent_id = identifier(parameters["payment_intent_id"])
        amount = parameters.get("amount")
        store = authorised(services)
        attempt_id = begun_attempt() or fresh_attempt()
        order = order_number(order_id)
        return _concluded(captures.capture_authorization(store, order, intent_id, amount, attempt_id))

    @blueprint.route(f"{PATH}/cancel_authorization", methods=["POST"], tags=AUTHORIZATIONS, failures=CANCEL, once=True)
    @blueprint.arguments(Intent, example=EXAMPLE)
    @blueprint.doc(summary="Void an authorization", operationId="cancelAuthorization")
    @blueprint.response(
        200, Concluded, as_is=True, description="It was voided, now or before; the order becomes cancelled."
    )
    def cancel_authorization(parameters: dict[str, Any], order_id: str) -> dict[str, Any]:
        intent_id = identifier(parameters["payment_intent_id"])
        store = authorised(services)
        return _concluded(captures.cancel_authorization(store, order_number(order_id), intent_id))


def _add_terminal(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(f"{PATH}/create_terminal_intent", methods=["POST"], tags=IN_PERSON, failures=TERMINAL, once=True)
    @blueprint.arguments(TerminalIntent)
    @blueprint.doc(summary="Start an in-person payment of an order", operationId="createTerminalIntent")
    @blueprint.response(200, Named, as_is=True, description="An intent that a card reader can confirm.")
    def create_terminal_intent(parameters: dict[str, Any], order_id: str) -> dict[str, Any]:
        """The order's id is in the intent's metadata without being asked for."""
        store = authorised(services)
        shown = terminal.create_terminal_intent(store, order_number(order_id), **parameters)
        return {"id": shown.intent.shown_id}

    @blueprint.route(f"{PATH}/capture_terminal_payment", methods=["POST"], tags=IN_PERSON, failures=CAPTURE, once=True)
    @blueprint.arguments(Intent, example=EXAMPLE)
    @blueprint.doc(summary="Capture an in-person payment", operationId="captureTerminalPayment")
    @blueprint.response(
        200, Concluded, as_is=True, description="It was captured, now or before; the order becomes completed."
    )
    def capture_terminal_payment(parameters: dict[str, Any], order_id: str) -> dict[str, Any]:
        intent_id = identifier(parameters["payment_intent_id"])
        store = authorised(services)
        return _concluded(terminal.capture_terminal_payment(store, order_number(order_id), intent_id))


def _concluded(intent: PaymentIntent) -> dict[str, Any]:
    return {"status": intent.status, "id": intent.shown_id}
